//! Commands that make or choose builders: `docker buildx create`, `use` and `install`, `docker context use`.

use super::super::builder::{Change, Create};
use super::super::shell::Word;
use super::options::{Item, Items, skip_prefixes, subcommand};
use super::tables;

/// Returns the change that the words of a command make.
pub(super) fn change(words: &[Word]) -> Option<Change> {
    let (tool, _) = skip_prefixes(words)?;
    let name = tables::program_name(words[tool].text()?);
    let at = tool + 1;
    let at = match name {
        "docker" => match subcommand(words, at)? {
            (sub, "buildx") => sub + 1,
            (sub, "context") => {
                let (sub, _) = subcommand(words, sub + 1).filter(|(_, verb)| *verb == "use")?;
                return Some(Change::Context(first(words, sub + 1)?));
            }
            _ => return None,
        },
        "docker-buildx" | "buildx" => at,
        "depot" => {
            let (_, verb) = subcommand(words, at)?;
            return (verb == "configure-docker").then_some(Change::Service);
        }
        _ => return None,
    };
    match subcommand(words, at)? {
        (sub, "create") => create(words, sub + 1).map(Change::Create),
        (sub, "use") => Some(Change::Choose(first(words, sub + 1)?)),
        (_, "install") => Some(Change::Install),
        _ => None,
    }
}

fn first(words: &[Word], at: usize) -> Option<String> {
    let words = words.get(at..)?.iter();
    let mut names = words.filter(|word| !word.head().starts_with('-'));
    names.next().map(Word::written)
}

/// Reads `docker buildx create [options] [endpoint]`; `None` where it changes a builder that is there.
fn create(words: &[Word], at: usize) -> Option<Create> {
    let mut create = Create {
        by: "docker buildx create",
        name: None,
        output: None,
        driver: None,
        endpoint: None,
        is_chosen: false,
        is_installed: false,
    };
    let mut items = Items::new(words, at, &tables::CREATE);
    while let Some(item) = items.next() {
        match item {
            Item::Word(index) | Item::Several(index) => {
                create.endpoint = Some(words[index].written());
            }
            Item::Option { name, value, .. } => {
                let text = value.as_ref().map(Word::written);
                match name {
                    "name" => create.name = text,
                    "driver" => create.driver = text,
                    "use" => create.is_chosen = text.is_none_or(|text| text != "false"),
                    "append" | "leave" => return None,
                    _ => {}
                }
            }
        }
    }
    Some(create)
}
