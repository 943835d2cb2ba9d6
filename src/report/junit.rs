//! `JUnit`'s XML, which every CI server shows: a test suite per file, a test case per finding.

use std::io;

use quick_xml::events::BytesText;

use crate::finding::{Finding, Severity};

use super::found::{self, Found};
use super::xml::{self, Xml};
use super::{Run, Trouble};

/// The findings of `run` as an XML document. Errors and warnings are failures, infos are skipped tests, since they never
/// fail the gate; what went wrong is an error; a run with none of these is one test that passes.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let files: Vec<Found<'_>> = found::files(run).collect();
    let found = files
        .iter()
        .map(|file| file.findings().len())
        .sum::<usize>();
    let infos = files.iter().map(infos).sum::<usize>();
    let errors = run.troubles.len();
    xml::document(|xml| {
        let root = xml
            .create_element("testsuites")
            .with_attribute(("name", "cachelane"))
            .with_attribute(("tests", (found + errors).max(1).to_string().as_str()))
            .with_attribute(("failures", (found - infos).to_string().as_str()))
            .with_attribute(("errors", errors.to_string().as_str()));
        let suites = |xml: &mut Xml| {
            if files.is_empty() && errors == 0 {
                return nothing_found(xml);
            }
            if errors > 0 {
                troubles(xml, run.troubles)?;
            }
            files.iter().try_for_each(|one| suite(xml, one))
        };
        root.write_inner_content(suites).map(|_| ())
    })
}

fn infos(file: &Found<'_>) -> usize {
    file.findings()
        .iter()
        .filter(|finding| finding.severity == Severity::Info)
        .count()
}

/// Servers take a report without any test for a broken one.
fn nothing_found(xml: &mut Xml) -> io::Result<()> {
    open(xml, "cachelane", [1, 0, 0, 0]).write_inner_content(|xml| {
        let case = xml
            .create_element("testcase")
            .with_attribute(("name", "nothing found"));
        case.with_attribute(("classname", "cachelane"))
            .write_empty()
            .map(|_| ())
    })?;
    Ok(())
}

/// The suite of what went wrong: a test with an error for each.
fn troubles(xml: &mut Xml, troubles: &[Trouble]) -> io::Result<()> {
    let case = |xml: &mut Xml, trouble: &Trouble| {
        let text = xml::safe(&trouble.to_string());
        let case = xml
            .create_element("testcase")
            .with_attribute(("name", text.as_str()))
            .with_attribute(("classname", xml::safe(trouble.place()).as_str()));
        let error = |xml: &mut Xml| {
            xml.create_element("error")
                .with_attribute(("type", "cachelane"))
                .with_attribute(("message", xml::safe(&trouble.message).as_str()))
                .write_text_content(BytesText::new(&text))?;
            Ok(())
        };
        case.write_inner_content(error).map(|_| ())
    };
    let cases = |xml: &mut Xml| troubles.iter().try_for_each(|trouble| case(xml, trouble));
    open(xml, "cachelane", [troubles.len(), 0, troubles.len(), 0])
        .write_inner_content(cases)
        .map(|_| ())
}

fn suite(xml: &mut Xml, file: &Found<'_>) -> io::Result<()> {
    let name = xml::safe(&file.path);
    let cases = |xml: &mut Xml| {
        file.findings()
            .iter()
            .try_for_each(|finding| case(xml, file, finding))
    };
    let (tests, skipped) = (file.findings().len(), infos(file));
    open(xml, &name, [tests, tests - skipped, 0, skipped])
        .write_inner_content(cases)
        .map(|_| ())
}

/// The element of a suite: what its readers require it to count.
fn open<'a>(
    xml: &'a mut Xml,
    name: &str,
    [tests, failures, errors, skipped]: [usize; 4],
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    xml.create_element("testsuite")
        .with_attribute(("name", name))
        .with_attribute(("tests", tests.to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("errors", errors.to_string().as_str()))
        .with_attribute(("skipped", skipped.to_string().as_str()))
}

fn case(xml: &mut Xml, file: &Found<'_>, finding: &Finding) -> io::Result<()> {
    let start = file.range(finding.span).start;
    let (path, message) = (xml::safe(&file.path), xml::safe(&finding.message));
    let place = format!(
        "{path}:{}:{}: {}[{}]",
        start.line,
        start.column,
        finding.severity.as_str(),
        finding.rule
    );
    let text = xml::safe_lines(&file.lines(finding));
    let case = xml
        .create_element("testcase")
        .with_attribute((
            "name",
            format!(
                "{} at line {}, column {}",
                finding.rule, start.line, start.column
            )
            .as_str(),
        ))
        .with_attribute(("classname", path.as_str()));
    let outcome = |xml: &mut Xml| {
        let is_info = finding.severity == Severity::Info;
        xml.create_element(if is_info { "skipped" } else { "failure" })
            .with_attribute(("type", finding.rule.as_str()))
            .with_attribute(("message", message.as_str()))
            .write_text_content(BytesText::new(&format!("{place} {text}")))?;
        Ok(())
    };
    case.write_inner_content(outcome).map(|_| ())
}
