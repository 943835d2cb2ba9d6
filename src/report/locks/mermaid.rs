//! Mermaid: a flowchart that GitHub and GitLab draw in pull requests, step summaries and documents.

use crate::lint::matching::LockMap;

use super::groups::Arrow;
use super::picture::{Kind, Picture};

/// Returns the map as a flowchart.
pub fn mermaid(map: &LockMap) -> String {
    let picture = Picture::of(map);
    let mut text = String::from("flowchart LR\n");
    for (number, shape) in picture.shapes.iter().enumerate() {
        let lines: Vec<String> = shape.lines.iter().map(|line| literal(line)).collect();
        let label = lines.join("<br/>");
        let shape = match shape.kind {
            Kind::Build | Kind::More => format!("[\"{label}\"]"),
            Kind::Lock => format!("([\"{label}\"])"),
            Kind::Contended => format!("([\"{label}\"]):::waits"),
        };
        text.push_str(&format!("  n{number}{shape}\n"));
    }
    let mut red = Vec::new();
    for (number, (from, to, arrow)) in picture.arrows.iter().enumerate() {
        let line = match arrow {
            Arrow::Waits => "== waits ==>",
            Arrow::Takes => "-->",
            Arrow::Alone => "-. its own builder .->",
            Arrow::Circle => "-- then takes -->",
        };
        if matches!(arrow, Arrow::Waits | Arrow::Circle) {
            red.push(number.to_string());
        }
        text.push_str(&format!("  n{from} {line} n{to}\n"));
    }
    text.push_str("  classDef waits stroke:#d1242f,stroke-width:3px\n");
    if !red.is_empty() {
        let red = red.join(",");
        text.push_str(&format!("  linkStyle {red} stroke:#d1242f\n"));
    }
    text
}

/// Returns `text` with every character that means something to Mermaid, HTML or Markdown as an entity of Mermaid's.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if ch.is_ascii_punctuation() && !matches!(ch, '-' | '/' | '.' | ',' | ':') {
            out.push_str(&format!("#{};", u32::from(ch)));
        } else {
            out.push(ch);
        }
    }
    out
}
