//! Checkstyle's XML, which many review tools and editors read.

use std::io;

use super::found::{self, Found};
use super::xml::{self, Xml};
use super::{Run, Trouble};

/// The version of Checkstyle whose format this is. Readers look at it, if at all, for being there.
const VERSION: &str = "4.3";

/// The findings of `run` as an XML document.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let files: Vec<Found<'_>> = found::files(run).collect();
    xml::document(|xml| {
        let root = xml
            .create_element("checkstyle")
            .with_attribute(("version", VERSION));
        if files.is_empty() && run.troubles.is_empty() {
            return root.write_empty().map(|_| ());
        }
        let all = |xml: &mut Xml| {
            run.troubles.iter().try_for_each(|one| trouble(xml, one))?;
            files.iter().try_for_each(|one| file(xml, one))
        };
        root.write_inner_content(all).map(|_| ())
    })
}

fn trouble(xml: &mut Xml, trouble: &Trouble) -> io::Result<()> {
    let element = xml
        .create_element("file")
        .with_attribute(("name", xml::safe(trouble.place()).as_str()));
    let error = |xml: &mut Xml| {
        xml.create_element("error")
            .with_attribute(("line", trouble.line.unwrap_or(1).to_string().as_str()))
            .with_attribute(("severity", "error"))
            .with_attribute(("message", xml::safe(&trouble.message).as_str()))
            .with_attribute(("source", "cachelane"))
            .write_empty()?;
        Ok(())
    };
    element.write_inner_content(error).map(|_| ())
}

fn file(xml: &mut Xml, file: &Found<'_>) -> io::Result<()> {
    let element = xml
        .create_element("file")
        .with_attribute(("name", xml::safe(&file.path).as_str()));
    let errors = |xml: &mut Xml| {
        for finding in file.findings() {
            let start = file.range(finding.span).start;
            xml.create_element("error")
                .with_attribute(("line", start.line.to_string().as_str()))
                .with_attribute(("column", start.column.to_string().as_str()))
                .with_attribute(("severity", finding.severity.as_str()))
                .with_attribute((
                    "message",
                    xml::safe(&file.lines(finding).join("; ")).as_str(),
                ))
                .with_attribute(("source", format!("cachelane.{}", finding.rule).as_str()))
                .write_empty()?;
        }
        Ok(())
    };
    element.write_inner_content(errors).map(|_| ())
}
