//! Checkstyle's XML, which many review tools and editors read.

use super::found::{self, PrintedFile};
use super::model::{Run, RunError};
use super::xml::{self, Element};

/// The version of Checkstyle with this format. Readers want one, and hardly ever look at it.
const VERSION: &str = "4.3";

pub fn render(run: &Run<'_>) -> String {
    let files = found::files(run.reports).map(|found| file(&found));
    let all = run.errors.iter().map(run_error).chain(files);
    let root = Element::new("checkstyle").with("version", &VERSION);
    xml::document(&root.around(all))
}

fn run_error(error: &RunError) -> Element {
    let element = Element::new("error")
        .with("line", &error.line.unwrap_or(1))
        .with("severity", &"error")
        .with("message", &error.message)
        .with("source", &"cachelane");
    let file = Element::new("file").with("name", &error.place());
    file.around([element])
}

fn file(file: &PrintedFile<'_>) -> Element {
    let errors = file.findings().iter().map(|finding| {
        let start = file.range(finding.span).start;
        Element::new("error")
            .with("line", &start.line)
            .with("column", &start.column)
            .with("severity", &finding.severity.as_str())
            .with("message", &file.lines(finding).join("; "))
            .with("source", &format!("cachelane.{}", finding.rule))
    });
    Element::new("file").with("name", &file.path).around(errors)
}
