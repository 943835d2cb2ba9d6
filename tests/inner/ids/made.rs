//! Made-up Dockerfiles, and a second reading of them that shares nothing with the product's.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use cachelane::dockerfile::Sharing;

/// The argument for lanes.
pub const LANE: &str = "CACHE_ID";

#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub globals: Vec<Line>,
    pub stages: Vec<Stage>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// The index of an earlier stage; `None` for an image.
    pub base: Option<usize>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Arg(String, Option<String>),
    Env(String, String),
    Run(Vec<Mount>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    pub id: Option<String>,
    pub target: String,
    pub sharing: Option<String>,
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
pub fn read(text: &str) -> File {
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
pub fn places(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("--mount=").map(|(start, _)| start);
    starts
        .map(|start| start..start + text[start..].find(' ').unwrap())
        .collect()
}

pub type Values = HashMap<String, String>;

/// Returns what `text` becomes: `$X`, `${X}`, and `${X:-w}`, `${X-w}` and `${X:+w}`, whose words may hold such again.
pub fn expand(text: &str, values: &Values) -> String {
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

/// A mount with the number of its stage, and the values that its RUN sees.
#[derive(Debug)]
pub struct Seen {
    pub stage: usize,
    pub mount: Mount,
    pub values: Values,
}

impl Seen {
    pub fn id(&self) -> String {
        let id = expand(self.mount.id.as_deref().unwrap_or_default(), &self.values);
        if id.is_empty() {
            self.mount.target.clone()
        } else {
            id
        }
    }

    /// Returns the lane that the RUN sees; empty where it sees none.
    pub fn lane(&self) -> &str {
        self.values.get(LANE).map_or("", String::as_str)
    }

    /// Returns the id as it would be if the RUN saw this lane.
    pub fn id_with(&self, lane: &str) -> String {
        let mut values = self.values.clone();
        values.insert(LANE.into(), lane.into());
        Self {
            stage: self.stage,
            mount: self.mount.clone(),
            values,
        }
        .id()
    }

    pub fn is_locked(&self) -> bool {
        self.mount.sharing.as_deref() == Some(Sharing::Locked.as_str())
    }
}

/// Returns the mounts of `file` in a build that passes these values for arguments.
pub fn seen(file: &File, passed: &dyn Fn(&str) -> Option<String>) -> Vec<Seen> {
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
    for (index, stage) in file.stages.iter().enumerate() {
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
                        stage: index,
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
