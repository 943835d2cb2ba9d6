//! `JUnit`'s XML, which every CI server shows: a test suite per file, a test case per finding.

use std::io;

use quick_xml::events::BytesText;

use crate::finding::{Finding, Severity};

use super::Run;
use super::found::{self, Found};
use super::xml::{self, Xml};

/// The findings of `run` as an XML document. Errors and warnings are failures, infos are skipped tests, since they never
/// fail the gate; a run without findings is one test that passes.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let files: Vec<Found<'_>> = found::files(run).collect();
    let found = files.iter().map(|file| file.findings().len()).sum::<usize>();
    let infos = files.iter().map(infos).sum::<usize>();
    xml::document(|xml| {
        let root = xml
            .create_element("testsuites")
            .with_attribute(("name", "cachelane"))
            .with_attribute(("tests", found.max(1).to_string().as_str()))
            .with_attribute(("failures", (found - infos).to_string().as_str()))
            .with_attribute(("errors", "0"));
        let suites = |xml: &mut Xml| {
            if files.is_empty() { nothing_found(xml) } else { files.iter().try_for_each(|one| suite(xml, one)) }
        };
        root.write_inner_content(suites).map(|_| ())
    })
}

fn infos(file: &Found<'_>) -> usize {
    file.findings().iter().filter(|finding| finding.severity == Severity::Info).count()
}

/// Servers take a report without any test for a broken one.
fn nothing_found(xml: &mut Xml) -> io::Result<()> {
    open(xml, "cachelane", [1, 0, 0]).write_inner_content(|xml| {
        let case = xml.create_element("testcase").with_attribute(("name", "nothing found"));
        case.with_attribute(("classname", "cachelane")).write_empty().map(|_| ())
    })?;
    Ok(())
}

fn suite(xml: &mut Xml, file: &Found<'_>) -> io::Result<()> {
    let name = xml::safe(&file.path);
    let cases = |xml: &mut Xml| file.findings().iter().try_for_each(|finding| case(xml, file, finding));
    let (tests, skipped) = (file.findings().len(), infos(file));
    open(xml, &name, [tests, tests - skipped, skipped]).write_inner_content(cases).map(|_| ())
}

/// The element of a suite: what its readers require it to count.
fn open<'a>(
    xml: &'a mut Xml,
    name: &str,
    [tests, failures, skipped]: [usize; 3],
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    xml.create_element("testsuite")
        .with_attribute(("name", name))
        .with_attribute(("tests", tests.to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", skipped.to_string().as_str()))
}

fn case(xml: &mut Xml, file: &Found<'_>, finding: &Finding) -> io::Result<()> {
    let start = file.range(finding.span).start;
    let (path, message) = (xml::safe(&file.path), xml::safe(&finding.message));
    let place = format!("{path}:{}:{}: {}[{}]", start.line, start.column, finding.severity.as_str(), finding.rule);
    let text = xml::safe_lines(&file.lines(finding));
    let case = xml
        .create_element("testcase")
        .with_attribute(("name", format!("{} at line {}, column {}", finding.rule, start.line, start.column).as_str()))
        .with_attribute(("classname", path.as_str()));
    let outcome = |xml: &mut Xml| {
        let is_info = finding.severity == Severity::Info;
        xml.create_element(if is_info { "skipped" } else { "failure" })
            .with_attribute(("type", finding.rule))
            .with_attribute(("message", message.as_str()))
            .write_text_content(BytesText::new(&format!("{place} {text}")))?;
        Ok(())
    };
    case.write_inner_content(outcome).map(|_| ())
}
