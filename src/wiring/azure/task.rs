//! Tasks that build: `Docker@2` and its like.

use std::rc::Rc;

use super::super::command;
use super::super::pipelines::{Job, Reader, Script};
use super::super::shell::{self, Dialect, join};
use super::super::yaml::Node;
use super::super::{Arg, What};

/// Reads a task with its inputs.
pub(super) fn read<'y>(
    reader: &mut Reader<'y>,
    task: (&str, Node<'y>),
    inputs: Node<'y>,
    job: &Job<'_>,
) {
    let (name, step) = task;
    // Inputs' names are read in any case.
    let input = |name: &str| {
        let entry = inputs.entries().into_iter().find(|entry| {
            entry
                .key
                .text()
                .is_some_and(|key| key.eq_ignore_ascii_case(name))
        });
        entry.map(|entry| entry.value)
    };
    let text = |name: &str| input(name).and_then(Node::text);
    let (kind, _) = name.split_once('@').unwrap_or((name, ""));
    let verb = text("command")
        .or_else(|| text("action"))
        .unwrap_or("buildAndPush")
        .to_ascii_lowercase();
    match kind {
        "Docker" if matches!(verb.as_str(), "build" | "buildandpush" | "build an image") => {
            let build =
                dockerfile(text("Dockerfile").or_else(|| text("dockerFile")), job).map(|what| {
                    let arguments = input("arguments").filter(|_| verb == "build");
                    let (args, known) = arguments.map_or((Vec::new(), true), arguments_of);
                    (what, args, known)
                });
            reader.task(build, step.span(), job, Rc::new(Script::new(&[], None)));
        }
        "DockerCompose" if verb.contains("build") => {
            reader.doubt(
                step.span(),
                "a task builds what its Compose file says".to_owned(),
            );
        }
        "Bash" | "CmdLine" | "ShellScript" => {
            if let Some(script) = input("script") {
                reader.script(&Rc::new(Script::new(&[script], None)), job);
            }
        }
        _ => {}
    }
}

/// The Dockerfile that a task names.
fn dockerfile(path: Option<&str>, job: &Job<'_>) -> Result<What, String> {
    let path = path.unwrap_or("**/Dockerfile");
    let roots = [
        "$(Build.SourcesDirectory)",
        "$(System.DefaultWorkingDirectory)",
        "$(Build.Repository.LocalPath)",
    ];
    let within = roots
        .iter()
        .find_map(|root| path.strip_prefix(root))
        .map(|path| path.trim_start_matches('/'));
    let path = within.unwrap_or(path);
    if path.contains(['$', '*', '{']) {
        return Err(format!("the file is `{path}`"));
    }
    let folder = job
        .folder
        .as_deref()
        .ok_or("the folder that it runs in is not known")?;
    join(folder, path)
        .map(What::File)
        .ok_or_else(|| format!("`{path}` is outside of the repository"))
}

/// The build arguments among a task's `arguments`, and whether these are all.
fn arguments_of(node: Node<'_>) -> (Vec<Arg>, bool) {
    let line = format!(
        "docker build {} .",
        node.text().unwrap_or_default().replace('\n', " ")
    );
    let simple = shell::read(&line, Some(""), Dialect::Posix, &|_| None);
    let Some(command::Found { command: found, .. }) = command::all(simple).0.into_iter().next()
    else {
        return (Vec::new(), false);
    };
    let arg = |arg: command::BuildArg| Arg {
        from: Vec::new(),
        value: arg.value.map(|value| value.written()),
        name: arg.name,
        span: node.span(),
    };
    (found.args.into_iter().map(arg).collect(), found.args_known)
}
