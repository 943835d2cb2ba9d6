//! Compose and bake files: places, and odd files by the hundred.

use cachelane::builds::{Bake, Compose, Contents as _, inline, yaml::Yaml};
use cachelane::fix::{Edit, Fix};
use cachelane::text::Span;
use proptest::prelude::*;

use crate::effort;
use crate::made_builds::{Format, cases, fixed, made, passes};

#[test]
fn places_of_an_inline_dockerfile_are_those_of_the_file() {
    for &(format, ref source) in cases() {
        for found in format
            .read(source)
            .inline
            .iter()
            .filter(|found| !found.map.is_empty())
        {
            let word = found.text.find("apt-get").unwrap();
            let span = found.map.to_source(Span::new(word, word + 7)).unwrap();
            assert_eq!(&source[span.start..span.end], "apt-get");
            let all = found.to_file(Span::new(0, found.text.len()));
            assert!(found.span.start <= all.start && all.end <= found.span.end + 1);
        }
    }
}

/// Returns `source` with some stretches removed, doubled or replaced.
fn mutated(source: &str, changes: &[(usize, usize, u8)]) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for &(at, len, kind) in changes {
        if text.is_empty() {
            break;
        }
        let at = at % text.len();
        let end = (at + len % 12).min(text.len());
        match kind % 4 {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text[at..end].to_vec();
                text.splice(at..at, piece);
            }
            2 => {
                text[at] = [
                    '\n', ' ', '"', '{', '}', '[', '$', ':', '-', '#', '&', '*', 'ä', '\t', '\r',
                ][len % 15];
            }
            _ => {
                text.insert(
                    at,
                    [
                        '\n', ' ', '\'', '{', '}', ']', '$', ',', '|', '>', '!', '<', '=', '%', '~',
                    ][len % 15],
                );
            }
        }
    }
    text.into_iter().collect()
}

proptest! {
    #![proptest_config(effort::cases(30))]

    #[test]
    fn odd_files_are_read_or_refused_and_fixed_to_the_end(
        index in 0usize..100,
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..6),
    ) {
        let cases = cases();
        let (format, source) = &cases[index % cases.len()];
        let source = mutated(source, &changes);
        let read = if *format == Format::Compose { Compose.read(&source) } else { Bake.read(&source) };
        if let Ok(build_file) = read {
            for found in &build_file.inline {
                for run in found.map.runs() {
                    prop_assert_eq!(&found.text[run.text..run.text_end()], &source[run.source..run.source_end()]);
                }
            }
            for build in build_file.builds.iter().filter(|build| !passes(build)) {
                if let Ok(fix) = format.pass(&source, build) {
                    let after = format.read(&made(&source, &fix)).builds;
                    prop_assert!(after.iter().any(|other| other.name == build.name && passes(other)));
                    prop_assert_eq!(after.len(), build_file.builds.len());
                }
            }
            fixed(*format, &source);
        }
    }

    #[test]
    fn places_in_odd_yaml_are_places_in_the_file(
        index in 0usize..100,
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..4),
    ) {
        let cases: Vec<_> = cases().iter().filter(|(format, _)| *format == Format::Compose).collect();
        let source = mutated(&cases[index % cases.len()].1, &changes);
        let Ok(yaml) = Yaml::read(&source) else { return Ok(()) };
        for root in yaml.roots() {
            let mut left = vec![root];
            while let Some(node) = left.pop() {
                let span = node.span();
                prop_assert!(source.is_char_boundary(span.start) && source.is_char_boundary(span.end) && span.end <= source.len());
                left.extend(node.items());
                left.extend(node.own_entries().iter().flat_map(|entry| [entry.key, entry.value]));
                for run in node.map().runs() {
                    let text = node.text().unwrap();
                    prop_assert_eq!(&text[run.text..run.text_end()], &source[run.source..run.source_end()]);
                }
            }
        }
    }

    #[test]
    fn an_edit_is_made_exactly_or_not_at_all(index in 0usize..100, start in any::<usize>(), len in 0usize..40, text in "[A$\\{\\}%n \n]{0,12}") {
        let cases = cases();
        let (format, source) = &cases[index % cases.len()];
        for (number, found) in format.read(source).inline.iter().enumerate() {
            let start = start % (found.text.len() + 1);
            let end = (start + len).min(found.text.len());
            // No rule splits a line's end.
            if [start, end].iter().any(|&at| found.text[..at].ends_with('\r')) {
                continue;
            }
            let edit = Edit::replace(Span::new(start, end), text.clone());
            let Ok(edits) = inline::edits(found, source, std::slice::from_ref(&edit)) else { continue };
            let fixed = made(source, &Fix::safe("", edits));
            let expected = made(&found.text, &Fix::safe("", vec![edit]));
            // An edit may remove the whole text, or the others' margin; then the block reads otherwise.
            if expected.trim().is_empty() || expected.starts_with([' ', '\n', '\r']) {
                continue;
            }
            let read = if *format == Format::Compose { Compose.read(&fixed) } else { Bake.read(&fixed) };
            let now = read.unwrap_or_else(|error| panic!("{error}\n{fixed}")).inline[number].text.clone();
            // HCL leaves blank lines as they are.
            let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(lines(&now), lines(&expected), "{}", fixed);
        }
    }
}
