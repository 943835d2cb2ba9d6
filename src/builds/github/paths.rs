//! Paths of a job's workspace as paths of the repository.

use crate::builds::model::{FilesAt, Subject};
use crate::builds::paths::join;
use crate::builds::yaml::Node;
use crate::text::marks::SAME;

#[derive(Debug)]
pub struct Checkout {
    /// True for the workflow's own repository.
    own: bool,
    /// The path in the workspace; empty for the workspace itself.
    path: String,
}

/// Returns the repositories that the steps check out with `actions/checkout`.
pub fn checkouts(steps: Node<'_>) -> Vec<Checkout> {
    const OWN: [&str; 2] = [
        "github.repository",
        "github.event.pull_request.head.repo.full_name",
    ];
    let checkout = |step: Node<'_>| {
        let uses = step.get_text("uses")?;
        let with = |name: &str| step.get("with")?.get_text(name);
        let is_own = |text: &str| OWN.iter().any(|name| text.contains(name));
        // Where the path is an expression, no file there is found.
        uses.starts_with("actions/checkout@").then_some(Checkout {
            own: with("repository").is_none_or(is_own),
            path: join("", with("path").unwrap_or_default())?,
        })
    };
    steps.items().into_iter().filter_map(checkout).collect()
}

/// Returns whether the rows of a job's matrix may check out different files.
pub fn are_of_row(job: Node<'_>) -> bool {
    let steps = job.get("steps").map(Node::items).unwrap_or_default();
    let checkouts = steps.into_iter().filter(|step| {
        step.get_text("uses")
            .unwrap_or_default()
            .contains("checkout")
    });
    let mut with = checkouts.filter_map(|step| step.get("with"));
    with.any(|with| with.raw().contains("${{"))
}

/// Turns the paths of `what` into those of the repository.
pub fn in_repository(what: Subject, checkouts: &[Checkout]) -> Result<Subject, String> {
    match what {
        Subject::File(path) => place(&path, checkouts).map(Subject::File),
        Subject::Files(mut files) => {
            let folder = |folder: &str| -> Result<String, String> {
                let path = place(&format!("{folder}/"), checkouts)?;
                Ok(path.trim_matches('/').to_owned())
            };
            for path in &mut files.paths {
                *path = match &*path {
                    FilesAt::File(path) => FilesAt::File(place(path, checkouts)?),
                    FilesAt::Folder(path) => FilesAt::Folder(folder(path)?),
                };
            }
            files.folder = files.folder.and_then(|path| folder(&path).ok());
            Ok(Subject::Files(files))
        }
        Subject::Inline(_) | Subject::Snippets | Subject::ByInputs(_) => Ok(what),
    }
}

fn place(path: &str, checkouts: &[Checkout]) -> Result<String, String> {
    let inside = |folder: &str| {
        let rest = path.strip_prefix(folder)?;
        if folder.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    };
    let holding = checkouts
        .iter()
        .filter_map(|checkout| Some((checkout, inside(&checkout.path)?)));
    let is_plain = |checkout: &Checkout| checkout.own && checkout.path.is_empty();
    if path.contains(SAME) && !checkouts.iter().all(is_plain) {
        return Err("its path begins in one of several repositories".to_owned());
    }
    match holding.max_by_key(|(checkout, _)| (checkout.path.len(), checkout.own)) {
        _ if path.starts_with("../") => Err(format!("`{path}` is outside of the repository")),
        Some((Checkout { own: true, .. }, rest)) => Ok(rest.to_owned()),
        Some((Checkout { own: false, .. }, _)) => Err(format!("`{path}` is in another repository")),
        None if checkouts.is_empty() => Ok(path.to_owned()),
        None => Err(format!("`{path}` is outside of what the job checks out")),
    }
}
