//! DOT, for Graphviz.

use crate::lint::matching::LockMap;

use super::groups::Arrow;
use super::picture::{Kind, Picture};

/// Returns the map as a graph.
pub(super) fn dot(map: &LockMap) -> String {
    let picture = Picture::of(map);
    let mut text = String::from(
        "digraph locks {\n  rankdir=LR\n  node [shape=box, fontname=\"Helvetica\"]\n  edge [fontname=\"Helvetica\"]\n",
    );
    for (number, shape) in picture.shapes.iter().enumerate() {
        let lines: Vec<String> = shape.lines.iter().map(|line| literal(line)).collect();
        let label = lines.join("\\n");
        let look = match shape.kind {
            Kind::Build => "",
            Kind::More => ", style=dashed",
            Kind::Lock => ", style=rounded",
            Kind::Contended => ", style=rounded, color=\"#d1242f\", penwidth=3",
        };
        text.push_str(&format!("  n{number} [label=\"{label}\"{look}]\n"));
    }
    for (from, to, arrow) in &picture.arrows {
        let look = match arrow {
            Arrow::Waits => " [label=\"waits\", color=\"#d1242f\", penwidth=3]",
            Arrow::Takes => "",
            Arrow::Alone => " [label=\"its own builder\", style=dashed]",
            Arrow::Circle => " [label=\"then takes\", color=\"#d1242f\"]",
        };
        text.push_str(&format!("  n{from} -> n{to}{look}\n"));
    }
    text.push_str("}\n");
    text
}

/// Returns `text` as it stands within quotes.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
