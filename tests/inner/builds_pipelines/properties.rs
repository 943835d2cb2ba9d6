//! Properties of every file, however odd.

use super::{ALL, GITLAB, LANE, fixed};
use crate::effort;
use cachelane::builds::yaml::{Node, Yaml};
use proptest::prelude::*;

/// Pieces of odd pipelines.
const WORDS: &[&str] = &[
    "docker build .",
    "script:",
    "- ",
    "  ",
    "\n",
    "\n  ",
    "\n    - ",
    "jobs:",
    "steps:",
    "|",
    ">-",
    "'",
    "\"",
    "&a ",
    "*a",
    "<<: *a",
    "extends: .t",
    ".t:",
    "!reference [.t, script]",
    "parallel:",
    "matrix:",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "command: ",
    "run: ",
    "{{matrix}}",
    "$[[ inputs.x ]]",
    "ä",
    "\r\n",
    "# x",
    "$",
    "`",
    "\\",
    "include: a.yml",
    "variables:",
    "default:",
    "key: ",
    "x:",
    "y: ",
    "---\n",
];

/// Scripts with one build, and the ways to write one in YAML.
const SCRIPTS: &[&str] = &[
    "docker build .",
    "docker build  -t 'a b' .",
    "docker buildx build --push -t \"a:$B\" .",
    "cd x && docker build .",
    "DOCKER_BUILDKIT=1 docker build -f a .",
    "echo \"ä\"; docker build .",
    "sudo podman build .",
    "docker compose build web",
    "docker compose up --build",
    "docker buildx bake",
    "(cd a; docker build .)",
    "if [ -n \"$A\" ]; then docker build .; fi",
    "docker build --build-arg A=1 . | tee log",
];

fn written(script: &str, style: usize) -> String {
    match style {
        0 if !script.contains(": ") && !script.starts_with(['"', '(']) => format!(" {script}"),
        1 => format!(" '{}'", script.replace('\'', "''")),
        2 => format!(" \"{}\"", script.replace('\\', "\\\\").replace('"', "\\\"")),
        3 => format!(" >-\n      {script}\n      "),
        _ => format!(" |\n      set -e\n      {script}\n      echo done"),
    }
}

/// Adds all texts of a tree, in order.
fn texts(node: Node<'_>, found: &mut Vec<String>) {
    if let Some(text) = node.text() {
        found.push(text.to_owned());
    }
    let entries = node
        .own_entries()
        .into_iter()
        .flat_map(|entry| [entry.key, entry.value]);
    node.items()
        .into_iter()
        .chain(entries)
        .for_each(|child| texts(child, found));
}

fn tree(source: &str) -> Vec<String> {
    let yaml = Yaml::read(source).unwrap();
    let mut found = Vec::new();
    yaml.roots().for_each(|root| texts(root, &mut found));
    found
}

proptest! {
    #![proptest_config(effort::cases(40))]

    #[test]
    fn nothing_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let source = format!("docker:\n{}", words.concat());
        for format in ALL {
            if let Ok(build_file) = format.read(&source) {
                for build in &build_file.builds {
                    let _ = format.pass(&source, build, &LANE);
                    prop_assert!(source.get(build.span.start..build.span.end).is_some());
                }
            }
        }
    }

    #[test]
    fn a_fix_adds_the_argument_and_nothing_else(
        jobs in prop::collection::vec((prop::sample::select(SCRIPTS), 0_usize..5, any::<bool>(), any::<bool>()), 1..5),
        windows in any::<bool>(),
    ) {
        let mut source = String::from("# docker\nstages: [a]\n.t:\n  tags: [x]\n");
        for (index, (script, style, list, matrix)) in jobs.iter().enumerate() {
            source += &format!("\njob{index}: # one\n  extends: .t\n");
            if *matrix {
                source += "  parallel: {matrix: [{A: [x, y]}]}\n";
            }
            let text = written(script, *style);
            source += &if *list { format!("  script:\n    - echo\n    -{text}\n") } else { format!("  script:{text}\n") };
        }
        if windows {
            source = source.replace('\n', "\r\n");
        }
        let new = fixed(GITLAB, &source, &LANE).unwrap();
        prop_assert_eq!(&fixed(GITLAB, &new, &LANE).unwrap(), &new);
        let (before, after) = (tree(&source), tree(&new));
        prop_assert_eq!(before.len(), after.len());
        let mut changed = 0;
        for (old, new) in before.iter().zip(&after) {
            let plain = new
                .replace(" --build-arg CACHE_ID=\"$CI_JOB_NAME_SLUG\"", "")
                .replace(" --set \"*.args.CACHE_ID=$CI_JOB_NAME_SLUG\"", "")
                .replace("CACHE_ID=\"$CI_JOB_NAME_SLUG\" ", "");
            prop_assert_eq!(old, &plain);
            changed += usize::from(old != new);
        }
        prop_assert_eq!(changed, jobs.len());
    }
}
