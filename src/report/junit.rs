//! `JUnit`'s XML, which every CI server shows: a test suite per file, a test case per finding.

use crate::finding::{Finding, Severity};
use crate::text::printable;

use super::found::{self, PrintedFile};
use super::model::{Run, RunError};
use super::xml::{self, Element};

/// Returns the findings of `run` as an XML document. Errors and warnings are failures; infos are skipped tests, since
/// they never fail the gate; a [`RunError`] is an error; a run with none of these is one test that passes.
pub fn render(run: &Run<'_>) -> String {
    let files: Vec<PrintedFile<'_>> = found::files(run.reports).collect();
    let found: usize = files.iter().map(|file| file.findings().len()).sum();
    let infos: usize = files.iter().map(infos).sum();
    let errors = run.errors.len();
    let mut suites: Vec<Element> = files.iter().map(suite_of).collect();
    if errors > 0 {
        let cases = run.errors.iter().map(run_error).collect();
        suites.insert(0, suite("cachelane", [0, errors, 0], cases));
    }
    if suites.is_empty() {
        // Servers take a report without any test for a broken one.
        suites.push(suite(
            "cachelane",
            [0; 3],
            vec![case("nothing found", "cachelane")],
        ));
    }
    let root = Element::new("testsuites")
        .with("name", &"cachelane")
        .with("tests", &(found + errors).max(1))
        .with("failures", &(found - infos))
        .with("errors", &errors);
    xml::document(&root.around(suites))
}

fn infos(file: &PrintedFile<'_>) -> usize {
    let infos = file.findings().iter();
    infos
        .filter(|finding| finding.severity == Severity::Info)
        .count()
}

/// Returns the suite of `cases` with the counts that readers require.
fn suite(name: &str, [failures, errors, skipped]: [usize; 3], cases: Vec<Element>) -> Element {
    Element::new("testsuite")
        .with("name", &name)
        .with("tests", &cases.len())
        .with("failures", &failures)
        .with("errors", &errors)
        .with("skipped", &skipped)
        .around(cases)
}

fn case(name: &str, class: &str) -> Element {
    Element::new("testcase")
        .with("name", &name)
        .with("classname", &class)
}

fn run_error(error: &RunError) -> Element {
    let text = printable(&error.to_string()).into_owned();
    let element = Element::new("error")
        .with("type", &"cachelane")
        .with("message", &error.message);
    case(&text, error.place()).around([element.text(text.clone())])
}

fn suite_of(file: &PrintedFile<'_>) -> Element {
    let (tests, skipped) = (file.findings().len(), infos(file));
    let cases = file
        .findings()
        .iter()
        .map(|finding| finding_case(file, finding));
    suite(&file.path, [tests - skipped, 0, skipped], cases.collect())
}

fn finding_case(file: &PrintedFile<'_>, finding: &Finding) -> Element {
    let (start, rule) = (file.range(finding.span).start, finding.rule);
    let is_info = finding.severity == Severity::Info;
    let text = format!(
        "{}:{}:{}: {}[{rule}] {}",
        printable(&file.path),
        start.line,
        start.column,
        finding.severity.as_str(),
        file.lines(finding).join("\n")
    );
    let outcome = Element::new(if is_info { "skipped" } else { "failure" })
        .with("type", &rule)
        .with("message", &finding.message)
        .text(text);
    let name = format!("{rule} at line {}, column {}", start.line, start.column);
    case(&name, &file.path).around([outcome])
}
