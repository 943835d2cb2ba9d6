//! A second reading of ids, which shares nothing with the product's: what they become in made-up files, before fixes and
//! after them, for a build that passes nothing and for two that pass a lane each.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use cachelane::dockerfile::Sharing;
use cachelane::{Applicability, Project, RuleId, Settings};
use proptest::prelude::*;

use crate::effort::cases;

const LANE: &str = "CACHE_ID";

/// What builds pass for the lane; no file holds these.
const BUILDS: [Option<&str>; 3] = [None, Some("L1"), Some("L2")];

#[derive(Clone, Debug, Default, PartialEq)]
struct File {
    globals: Vec<Line>,
    stages: Vec<Stage>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Stage {
    /// The index of an earlier stage; `None` for an image.
    base: Option<usize>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
enum Line {
    Arg(String, Option<String>),
    Env(String, String),
    Run(Vec<Mount>),
}

#[derive(Clone, Debug, PartialEq)]
struct Mount {
    id: Option<String>,
    target: String,
    sharing: Option<String>,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.globals
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))?;
        for (index, stage) in self.stages.iter().enumerate() {
            match stage.base {
                Some(base) => writeln!(f, "FROM s{base} AS s{index}")?,
                None => writeln!(f, "FROM debian AS s{index}")?,
            }
            stage
                .lines
                .iter()
                .try_for_each(|line| writeln!(f, "{line}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arg(name, None) => write!(f, "ARG {name}"),
            Self::Arg(name, Some(value)) => write!(f, "ARG {name}={value}"),
            Self::Env(name, value) => write!(f, "ENV {name}={value}"),
            Self::Run(mounts) => {
                write!(f, "RUN")?;
                mounts.iter().try_for_each(|mount| write!(f, " {mount}"))?;
                write!(f, " true")
            }
        }
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--mount=type=cache")?;
        self.id.iter().try_for_each(|id| write!(f, ",id={id}"))?;
        write!(f, ",target={}", self.target)?;
        self.sharing
            .iter()
            .try_for_each(|mode| write!(f, ",sharing={mode}"))
    }
}

/// Reads what a file of this kind is after fixes: they add ARG lines, and ids to mounts.
fn read(text: &str) -> File {
    let mut file = File::default();
    for line in text.lines() {
        let (keyword, rest) = line.split_once(' ').unwrap();
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (rest.to_owned(), None),
        };
        let line = match keyword {
            "FROM" => {
                let base = rest
                    .strip_prefix('s')
                    .map(|rest| rest.split(' ').next().unwrap());
                let base = base.map(|base| base.parse().unwrap());
                file.stages.push(Stage {
                    base,
                    lines: Vec::new(),
                });
                continue;
            }
            "ARG" => Line::Arg(name, value),
            "ENV" => Line::Env(name, value.unwrap()),
            "RUN" => Line::Run(
                rest.strip_suffix("true")
                    .unwrap()
                    .split_whitespace()
                    .map(read_mount)
                    .collect(),
            ),
            _ => panic!("{line}"),
        };
        file.stages
            .last_mut()
            .map_or(&mut file.globals, |stage| &mut stage.lines)
            .push(line);
    }
    file
}

fn read_mount(flag: &str) -> Mount {
    let options: HashMap<&str, &str> = flag
        .strip_prefix("--mount=")
        .unwrap()
        .split(',')
        .map(|option| option.split_once('=').unwrap())
        .collect();
    let get = |name: &str| options.get(name).map(|value| (*value).to_owned());
    Mount {
        id: get("id"),
        target: get("target").unwrap(),
        sharing: get("sharing"),
    }
}

/// Returns where the mounts of a file stand.
fn places(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("--mount=").map(|(start, _)| start);
    starts
        .map(|start| start..start + text[start..].find(' ').unwrap())
        .collect()
}

type Values = HashMap<String, String>;

/// Returns what `text` becomes: `$X`, `${X}`, and `${X:-w}`, `${X-w}` and `${X:+w}`, whose words may hold such again.
fn expand(text: &str, values: &Values) -> String {
    let Some((before, rest)) = text.split_once('$') else {
        return text.to_owned();
    };
    let name = |text: &str| {
        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len())
    };
    let (value, rest) = if let Some(inner) = rest.strip_prefix('{') {
        let mut depth = 1;
        let is_end = |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        };
        let end = inner.find(is_end).unwrap();
        let (inner, rest) = (&inner[..end], &inner[end + 1..]);
        let (name, word) = inner.split_at(name(inner));
        let value = values.get(name);
        let full = value.filter(|value| !value.is_empty());
        let value = if let Some(word) = word.strip_prefix(":-") {
            full.cloned().unwrap_or_else(|| expand(word, values))
        } else if let Some(word) = word.strip_prefix('-') {
            value.cloned().unwrap_or_else(|| expand(word, values))
        } else if let Some(word) = word.strip_prefix(":+") {
            full.map(|_| expand(word, values)).unwrap_or_default()
        } else {
            assert_eq!(word, "");
            value.cloned().unwrap_or_default()
        };
        (value, rest)
    } else {
        let (name, rest) = rest.split_at(name(rest));
        (values.get(name).cloned().unwrap_or_default(), rest)
    };
    format!("{before}{value}{}", expand(rest, values))
}

/// A mount, and the values that its RUN sees.
#[derive(Debug)]
struct Seen {
    mount: Mount,
    values: Values,
}

impl Seen {
    fn id(&self) -> String {
        let id = expand(self.mount.id.as_deref().unwrap_or_default(), &self.values);
        if id.is_empty() {
            self.mount.target.clone()
        } else {
            id
        }
    }

    /// Returns the lane that the RUN sees; empty where it sees none.
    fn lane(&self) -> &str {
        self.values.get(LANE).map_or("", String::as_str)
    }

    /// Returns the id as it would be if the RUN saw this lane.
    fn id_with(&self, lane: &str) -> String {
        let mut values = self.values.clone();
        values.insert(LANE.into(), lane.into());
        Self {
            mount: self.mount.clone(),
            values,
        }
        .id()
    }

    fn is_locked(&self) -> bool {
        self.mount.sharing.as_deref() == Some(Sharing::Locked.as_str())
    }
}

/// Returns the mounts of `file` in a build that passes `lane`.
fn seen(file: &File, lane: Option<&str>) -> Vec<Seen> {
    let passed = |name: &str| lane.filter(|_| name == LANE).map(str::to_owned);
    let mut globals = Values::new();
    // What stages end with: all values, and those of the image's ENV.
    let mut ends: Vec<[Values; 2]> = Vec::new();
    let mut mounts = Vec::new();
    for line in &file.globals {
        let Line::Arg(name, value) = line else {
            panic!("{line:?}")
        };
        let value = passed(name).or_else(|| Some(expand(value.as_ref()?, &globals)));
        globals.extend(value.map(|value| (name.clone(), value)));
    }
    for stage in &file.stages {
        let [mut values, mut envs] = stage
            .base
            .map(|base| ends[base].clone())
            .unwrap_or_default();
        // It begins with the image's ENV, whatever ARG stands behind that.
        values.extend(envs.clone());
        for line in &stage.lines {
            let (name, value) = match line {
                Line::Arg(name, None) => {
                    (name, passed(name).or_else(|| globals.get(name).cloned()))
                }
                Line::Arg(name, Some(value)) => {
                    (name, passed(name).or_else(|| Some(expand(value, &values))))
                }
                Line::Env(name, value) => {
                    let value = expand(value, &values);
                    envs.insert(name.clone(), value.clone());
                    (name, Some(value))
                }
                Line::Run(own) => {
                    mounts.extend(own.iter().map(|mount| Seen {
                        mount: mount.clone(),
                        values: values.clone(),
                    }));
                    continue;
                }
            };
            // An ARG that nobody gives a value leaves the one that is there.
            values.extend(value.map(|value| (name.clone(), value)));
        }
        ends.push([values, envs]);
    }
    mounts
}

/// Returns `file` without what a safe fix may change: ids and the lane's ARG lines.
fn rest(file: &File) -> File {
    let mut file = file.clone();
    let lines = |lines: &mut Vec<Line>| {
        lines.retain(|line| !matches!(line, Line::Arg(name, _) if name == LANE));
        for line in lines {
            if let Line::Run(mounts) = line {
                for mount in mounts {
                    mount.id = None;
                }
            }
        }
    };
    lines(&mut file.globals);
    file.stages
        .iter_mut()
        .for_each(|stage| lines(&mut stage.lines));
    file
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "1",
        "1",
        "2",
        "default",
        "$CACHE_ID",
        "v${CACHE_ID:-1}",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![LANE, LANE, "OWN"]).prop_map(str::to_owned)
}

fn id() -> impl Strategy<Value = String> {
    let forms = vec![
        "",
        "",
        "$X",
        "${X}",
        "${X}",
        "${X:-d}",
        "${X-d}",
        "${X:+d}",
        "${X:+-${X}}",
        "${X:-default}",
    ];
    let text = prop::sample::select(vec!["a", "b", "a-", "a-", ""]);
    (text, prop::sample::select(forms), name())
        .prop_map(|(text, form, name)| format!("{text}{}", form.replace('X', &name)))
}

fn mount() -> impl Strategy<Value = Mount> {
    let modes = prop::sample::select(vec![
        Some("locked"),
        Some("locked"),
        Some("shared"),
        Some("private"),
        None,
    ]);
    let target = prop::sample::select(vec!["/x", "/y", "a"]);
    (prop::option::weighted(0.8, id()), target, modes).prop_map(|(id, target, mode)| Mount {
        id,
        target: target.into(),
        sharing: mode.map(str::to_owned),
    })
}

fn arg() -> impl Strategy<Value = Line> {
    (name(), prop::option::of(value())).prop_map(|(name, value)| Line::Arg(name, value))
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        3 => arg(),
        1 => (name(), value()).prop_map(|(name, value)| Line::Env(name, value)),
        4 => prop::collection::vec(mount(), 1..3).prop_map(Line::Run),
    ]
}

fn file() -> impl Strategy<Value = File> {
    let stage = (
        any::<prop::sample::Index>(),
        any::<bool>(),
        prop::collection::vec(line(), 1..5),
    );
    let stages = prop::collection::vec(stage, 1..4);
    (prop::collection::vec(arg(), 0..2), stages).prop_map(|(globals, stages)| {
        let stage =
            |(index, (base, is_image, lines)): (usize, (prop::sample::Index, bool, _))| Stage {
                base: (index > 0 && !is_image).then(|| base.index(index)),
                lines,
            };
        File {
            globals,
            stages: stages.into_iter().enumerate().map(stage).collect(),
        }
    })
}

/// Fails where the fixes of `files`, made in one run, do to ids what they may not.
fn hold(files: &[File]) {
    let path = |index: usize| format!("{index}/Dockerfile");
    let mut project = Project::new(Settings::default());
    for (index, file) in files.iter().enumerate() {
        assert_eq!(&read(&file.to_string()), file);
        project.replace(path(index), file.to_string());
    }
    let fixes = project.fix(Applicability::Safe);
    assert_eq!(fixes.errors, []);
    for file in fixes.files {
        assert_eq!(file.dropped, []);
        project.replace(file.path, file.bytes);
    }
    let texts: Vec<String> = (0..files.len())
        .map(|index| {
            String::from_utf8(project.bytes(Path::new(&path(index))).unwrap().to_vec()).unwrap()
        })
        .collect();
    let fixed: Vec<File> = texts.iter().map(|text| read(text)).collect();
    for (before, after) in files.iter().zip(&fixed) {
        assert_eq!(rest(before), rest(after));
    }
    let all = |files: &[File], lane| -> Vec<Seen> {
        files.iter().flat_map(|file| seen(file, lane)).collect()
    };
    for lane in BUILDS {
        let (before, after) = (all(files, lane), all(&fixed, lane));
        caches_stay(&before, &after);
        if lane.is_none() {
            unpassed_stay(&before, &after, files);
        }
    }
    let [_, one, two] = BUILDS.map(|lane| all(&fixed, lane));
    let named = named(&project, &texts);
    for ((one, two), is_named) in one.iter().zip(&two).zip(named) {
        let is_parted = one.id() != two.id();
        assert!(
            !one.is_locked() || is_named || is_parted,
            "one lock for all, and nothing says so: {one:?}"
        );
    }
}

/// Fails where mounts of one cache become mounts of several, or mounts of several those of one.
fn caches_stay(before: &[Seen], after: &[Seen]) {
    for (one, _) in before.iter().enumerate() {
        for other in 0..one {
            let (a, b) = (&before[one], &before[other]);
            // An id that refers to a lane that one of the RUNs does not see, and that would be the other's otherwise, is
            // meant to become that: it is why `undeclared-arg` and `missing-default` are there.
            let lacks_lane = (a.lane().is_empty() || b.lane().is_empty())
                && a.id_with("any") == b.id_with("any")
                && [a, b]
                    .iter()
                    .all(|seen| seen.id_with("any") != seen.id_with("other"));
            let (was, is) = (a.id() == b.id(), after[one].id() == after[other].id());
            assert!(
                was == is || (is && lacks_lane),
                "one cache: {was}, then {is}: {a:?} and {b:?} became {:?} and {:?}",
                after[one].id(),
                after[other].id()
            );
        }
    }
}

/// Fails where a build that passes nothing gets another id than the old one with the lane's default, behind it or where
/// it lacked one.
fn unpassed_stay(before: &[Seen], after: &[Seen], files: &[File]) {
    let texts: String = files.iter().map(File::to_string).collect();
    let gives = |mark| texts.contains(&format!("{LANE}{mark}"));
    let has_own = ["=", ":-", "-"].into_iter().any(gives);
    for (before, after) in before.iter().zip(after) {
        let (was, is, lane) = (before.id(), after.id(), after.lane());
        let is_behind = is == format!("{was}-{lane}");
        let is_filled = before.lane().is_empty() && is == before.id_with(lane);
        assert!(
            was == is || is_behind || is_filled,
            "{was} became {is}: {before:?}"
        );
        assert!(
            was == is || lane == "default" || has_own,
            "{was} became {is}, which no file says"
        );
    }
}

/// Returns for each mount of the `texts` whether a finding on it says that its lane does not part builds.
fn named(project: &Project, texts: &[String]) -> Vec<bool> {
    let files = project.check().files;
    let mut named = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{index}/Dockerfile");
        let findings = files
            .iter()
            .filter(|file| file.path == Path::new(&path))
            .flat_map(|file| &file.findings);
        let locks: Vec<_> = findings
            .filter(|finding| {
                matches!(
                    finding.rule,
                    RuleId::SharedLock | RuleId::UndeclaredArg | RuleId::ShadowedArg
                )
            })
            .collect();
        named.extend(places(text).iter().map(|place| {
            locks
                .iter()
                .any(|finding| place.contains(&finding.span.start))
        }));
    }
    named
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn fixes_do_to_the_ids_of_a_file_only_what_they_say(file in file()) {
        hold(&[file]);
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn fixes_do_to_the_ids_of_two_files_only_what_they_say(one in file(), two in file()) {
        hold(&[one, two]);
    }
}
