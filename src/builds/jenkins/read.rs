//! The blocks of a Jenkinsfile, and the steps in them.
//!
//! A file is read twice, since what says where a step runs, and with which variables, may stand behind it.

use std::collections::HashMap;
use std::sync::Arc;

use super::groovy::{Quoted, Scanner};
use crate::budget;
use crate::builds::builder::{Builder, Builders};
use crate::builds::jobs::{Gatherer, Job, Matrix, Piece, Step, product};
use crate::builds::model::{Arg, AxisPath, Env, Ordered, Queue};
use crate::builds::paths::Text;
use crate::text::{SourceMap, Span, is_name};

/// The place of the block that is the whole file.
const WHOLE: usize = usize::MAX;

/// Hands the steps of a file to `gatherer`.
pub fn gather<'y>(source: &'y str, gatherer: &mut Gatherer<'y>) {
    if !budget::spend(32 * source.len()) {
        return;
    }
    let mut facts = HashMap::new();
    for gatherer in [None, Some(gatherer)] {
        let whole = Block {
            at: WHOLE,
            owner: WHOLE,
            folder: Some(String::new()),
            ..Block::default()
        };
        let mut reader = PipelineReader {
            scanner: Scanner { source, at: 0 },
            blocks: vec![whole],
            facts,
            gatherer,
            count: 0,
        };
        reader.read(0);
        facts = reader.facts;
    }
}

/// The facts that a block states for all steps in it.
#[derive(Default)]
struct Facts {
    env: Vec<Arg>,
    /// The label of the agent that it asks for; empty for any.
    label: Option<String>,
    /// True where its agent is made for it, so that the builder is not known.
    is_made: bool,
    axes: Vec<(AxisPath, Vec<String>)>,
    /// True where the axes do not say which combinations there are.
    is_open: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    Parallel,
    Environment,
    Agent,
    Matrix,
    Axis,
    #[default]
    Other,
}

/// A block in braces.
#[derive(Default)]
struct Block {
    kind: Kind,
    /// The byte where it begins.
    at: usize,
    /// The byte where the block begins of which it says something.
    owner: usize,
    /// The stage that it is the body of.
    stage: Option<String>,
    /// The folder in which its steps run; `None` where only a run knows.
    folder: Option<String>,
    /// The resource that it has locked.
    queue: Option<String>,
    /// The stages that have ended before its next one begins, and those that have when it ends.
    after: Vec<Ordered>,
    ended: Vec<Ordered>,
}

struct PipelineReader<'r, 'y> {
    scanner: Scanner<'y>,
    blocks: Vec<Block>,
    /// The facts on blocks, by the bytes where these begin.
    facts: HashMap<usize, Facts>,
    /// `None` while the facts are read.
    gatherer: Option<&'r mut Gatherer<'y>>,
    /// The number of stages so far.
    count: usize,
}

impl PipelineReader<'_, '_> {
    /// Reads until fewer than `depth` blocks are open.
    fn read(&mut self, depth: usize) {
        // The last word that is no argument's name, with the strings behind it.
        let (mut word, mut texts): (&str, Vec<Quoted>) = ("", Vec::new());
        while let Some(letter) = self.scanner.rest().chars().next() {
            if let Some(quoted) = self.scanner.quoted() {
                self.string(word, &quoted);
                texts.push(quoted);
            } else if let Some(own) = self.scanner.word() {
                match own {
                    "sh" => self.shell(),
                    "docker.build" => self.docker_build(),
                    "parallel" if !self.scanner.skip_blanks("{") => self.branches(),
                    "any" | "none" if word == "agent" => {
                        self.fact().label = Some(String::new());
                    }
                    "script" => {}
                    _ if self.scanner.skip_blanks(":") => {}
                    _ => {
                        (word, texts) = (own, Vec::new());
                        self.variable(own);
                    }
                }
            } else if letter == '{' {
                self.open(word, &std::mem::take(&mut texts));
                word = "";
            } else if letter == '}' {
                self.scanner.at += 1;
                self.close();
                if self.blocks.len() < depth {
                    return;
                }
            } else {
                self.scanner.at += letter.len_utf8();
            }
        }
    }

    fn kind(&self) -> Kind {
        self.blocks.last().map_or(Kind::Other, |block| block.kind)
    }

    /// Returns the facts on what the innermost block says something of.
    fn fact(&mut self) -> &mut Facts {
        let owner = self.blocks.last().map_or(WHOLE, |block| block.owner);
        self.facts.entry(owner).or_default()
    }

    /// Takes a string behind `word`.
    fn string(&mut self, word: &str, quoted: &Quoted) {
        if self.gatherer.is_some() {
            return;
        }
        let text = self.scanner.text(quoted);
        let is_plain = self.scanner.plain(quoted).is_some();
        match (self.kind(), word) {
            (Kind::Agent, "label") => self.fact().label = Some(text.to_owned()),
            (Kind::Axis, "name") => self.fact().axes.push((text.into(), Vec::new())),
            (Kind::Axis, "values") => {
                let fact = self.fact();
                fact.is_open |= !is_plain;
                if let Some((_, values)) = fact.axes.last_mut() {
                    values.push(text.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Takes the variable `word`, where it is set here: in a block for that, or in a script.
    fn variable(&mut self, word: &str) {
        let by_script = word.strip_prefix("env.");
        let is_own = self.kind() == Kind::Environment;
        let name = by_script.or(is_own.then_some(word));
        let start = self.scanner.at;
        let is_set = self.scanner.skip_blanks("=") && !self.scanner.rest().starts_with("==");
        let Some(name) = name.filter(|name| is_set && is_name(name)) else {
            self.scanner.at = start;
            return;
        };
        self.scanner.at += 1;
        self.scanner.skip_blanks("");
        let span = Span::at(self.scanner.at);
        let quoted = self.scanner.quoted();
        let value = quoted.and_then(|quoted| self.scanner.plain(&quoted));
        if self.gatherer.is_some() {
            return;
        }
        // A script may set it to this value, and later to another.
        let (owner, value) = match by_script {
            Some(_) => (WHOLE, None),
            None => (self.blocks.last().map_or(WHOLE, |block| block.owner), value),
        };
        let facts = self.facts.entry(owner).or_default();
        facts
            .env
            .push(Arg::new(name, value.map(str::to_owned), span));
    }

    /// Opens the block behind `word`, with the strings between.
    fn open(&mut self, word: &str, texts: &[Quoted]) {
        let at = self.scanner.at;
        self.scanner.at += 1;
        let plain = texts.first().and_then(|text| self.scanner.plain(text));
        let mut block = self.block(at);
        let outer = self.blocks.last().map_or(WHOLE, |block| block.owner);
        let in_agent = self.kind() == Kind::Agent;
        let own = self.facts.entry(at).or_default();
        match word {
            "stage" => block.stage = Some(self.name(plain)),
            "parallel" => block.kind = Kind::Parallel,
            "matrix" => block.kind = Kind::Matrix,
            "axes" | "axis" => (block.kind, block.owner) = (Kind::Axis, outer),
            "environment" => (block.kind, block.owner) = (Kind::Environment, outer),
            "agent" => {
                (block.kind, block.owner) = (Kind::Agent, outer);
                let agent = self.facts.entry(outer).or_default();
                agent.label.get_or_insert_default();
            }
            _ if in_agent => {
                (block.kind, block.owner) = (Kind::Agent, outer);
                let is_of_node = matches!(word, "docker" | "dockerfile" | "node");
                self.facts.entry(outer).or_default().is_made |= !is_of_node;
            }
            "excludes" => self.facts.entry(outer).or_default().is_open = true,
            "podTemplate" => own.is_made = true,
            "node" => own.label = Some(plain.unwrap_or_default().to_owned()),
            "lock" => block.queue = plain.map(str::to_owned),
            "dir" => {
                let path = plain.map(Text::from);
                block.folder = path.and_then(|path| path.seen_from(block.folder.as_deref()));
            }
            "withEnv" => {
                let env = texts.iter().filter_map(|text| {
                    let (name, value) = self.scanner.text(text).split_once('=')?;
                    let value = self.scanner.plain(text).map(|_| value.to_owned());
                    Some(Arg::new(name, value, text.span))
                });
                own.env = env.collect();
            }
            _ => {}
        }
        self.push(block);
    }

    /// Makes a block that begins at byte `at`, in the innermost one.
    fn block(&self, at: usize) -> Block {
        let outer = self.blocks.last();
        Block {
            at,
            owner: at,
            folder: outer.and_then(|outer| outer.folder.clone()),
            after: outer.map(|outer| outer.after.clone()).unwrap_or_default(),
            ..Block::default()
        }
    }

    fn push(&mut self, block: Block) {
        if budget::spend(64 * (1 + block.after.len())) {
            self.blocks.push(block);
        }
    }

    /// Returns the name of a stage, one of its own where that is not known.
    fn name(&mut self, plain: Option<&str>) -> String {
        self.count += 1;
        plain.map_or(format!("{} ", self.count), str::to_owned)
    }

    fn close(&mut self) {
        if self.blocks.len() < 2 {
            return;
        }
        let Some(block) = self.blocks.pop() else {
            return;
        };
        let mut ended = block.ended;
        if let Some(stage) = block.stage
            && ended.is_empty()
        {
            let job = Ordered::Job(stage);
            if let Some(gatherer) = &mut self.gatherer {
                gatherer.order.push((job.clone(), block.after));
            }
            ended.push(job);
        }
        // A stage of one combination runs beside the next one of another.
        let in_matrix = self.blocks.iter().any(|block| block.kind == Kind::Matrix);
        if let Some(outer) = self.blocks.last_mut().filter(|_| !ended.is_empty()) {
            if in_matrix || outer.kind == Kind::Parallel {
                outer.ended.extend(ended);
            } else {
                outer.after.clone_from(&ended);
                outer.ended = ended;
            }
        }
    }

    /// Reads the branches of a script's `parallel a: { … }, b: { … }`.
    fn branches(&mut self) {
        const BETWEEN: &[char] = &[' ', '\t', '\n', '\r', '(', '[', ','];
        let block = Block {
            kind: Kind::Parallel,
            ..self.block(self.scanner.at)
        };
        self.push(block);
        loop {
            let start = self.scanner.at;
            self.scanner.skip(BETWEEN, "");
            let name = match self.scanner.quoted() {
                Some(quoted) => Some(self.scanner.plain(&quoted)),
                None => self.scanner.word().map(Some),
            };
            let Some(name) = name.filter(|_| self.scanner.skip_blanks(":")) else {
                self.scanner.at = start;
                break;
            };
            self.scanner.at += 1;
            if self.scanner.skip_blanks("{") {
                let block = Block {
                    stage: Some(self.name(name)),
                    ..self.block(self.scanner.at)
                };
                self.scanner.at += 1;
                self.push(block);
                let depth = self.blocks.len();
                budget::nested(|| self.read(depth));
            } else {
                let rest = self.scanner.rest();
                self.scanner.at += rest.find([',', ')', '\n']).unwrap_or(rest.len());
            }
            if budget::is_spent() {
                break;
            }
        }
        self.close();
    }

    /// Returns the job of the steps here.
    fn job(&self) -> Job {
        let blocks = self.blocks.iter();
        let facts = || {
            blocks
                .clone()
                .rev()
                .filter_map(|block| self.facts.get(&block.at))
        };
        let mut env = Env::default();
        let all: Vec<&Facts> = facts().collect();
        for facts in all.iter().rev() {
            env = env.with(facts.env.clone());
        }
        let agent = facts().find(|facts| facts.label.is_some() || facts.is_made);
        let machine = match agent {
            Some(agent) if agent.is_made => Builder::Unknown(
                "its agent is made for it, with a builder that is not known".into(),
            ),
            _ => Builder::Shared,
        };
        let label = agent.and_then(|agent| agent.label.clone());
        let queues = blocks.clone().filter_map(|block| block.queue.clone());
        let mut matrices = blocks.clone().rev();
        let matrix = matrices.find(|block| block.kind == Kind::Matrix);
        Job {
            name: blocks
                .clone()
                .rev()
                .find_map(|block| block.stage.clone())
                .or(Some("pipeline".to_owned())),
            env,
            matrix: matrix.map_or_else(Matrix::none, |block| {
                self.facts
                    .get(&block.at)
                    .map_or_else(Matrix::none, matrix_of)
            }),
            builders: Builders::new(machine, Vec::new()),
            queues: queues.map(|name| Queue { name, whole: false }).collect(),
            labels: label
                .into_iter()
                .filter(|label| !label.is_empty())
                .collect(),
            ..Job::default()
        }
    }

    /// Takes the step that runs a string, behind `start`.
    fn step(&mut self, start: &str, quoted: &Quoted) {
        let job = self.job();
        let names = |name: &str| job.env.get(name).is_some() || job.matrix.has(&name.into());
        let piece = self.scanner.piece(start, quoted, &names);
        self.run(job, piece);
    }

    fn run(&mut self, job: Job, piece: Piece) {
        let folder = self.blocks.last().and_then(|block| block.folder.clone());
        let has_stage = self.blocks.iter().any(|block| block.stage.is_some());
        let name = job.name.as_deref().filter(|_| has_stage);
        let title = name.map_or("the pipeline".to_owned(), |stage| {
            format!("stage `{}`", stage.trim())
        });
        let job = Arc::new(job);
        if let Some(gatherer) = &mut self.gatherer {
            gatherer.piece(piece, &Step::new(&job, title, None), folder.as_deref());
        }
    }

    /// Reads the script of `sh`.
    fn shell(&mut self) {
        let start = [' ', '\t', '(', '\n', '\r'];
        if !self.scanner.skip(&start, "'") && !self.scanner.skip(&start, "\"") {
            const NAME: &str = "script:";
            let line = self.scanner.rest().lines().next().unwrap_or_default();
            let named = line.find(NAME).map_or(line.len(), |at| at + NAME.len());
            self.scanner.at += named;
            self.scanner.skip_blanks("");
        }
        if let Some(quoted) = self.scanner.quoted()
            && self.gatherer.is_some()
        {
            self.step("", &quoted);
        }
    }

    /// Reads `docker.build("image", "arguments")`.
    fn docker_build(&mut self) {
        if !self.scanner.skip_blanks("(") {
            return;
        }
        self.scanner.at += 1;
        let mut texts = Vec::new();
        while let Some(letter) = self.scanner.rest().chars().next() {
            match letter {
                ')' => break,
                '\'' | '"' => match self.scanner.quoted() {
                    Some(text) => texts.push(text),
                    None => self.scanner.at += 1,
                },
                _ => self.scanner.at += letter.len_utf8(),
            }
        }
        if self.gatherer.is_none() {
            return;
        }
        match &texts[..] {
            [image] => {
                let end = image.span.end.min(image.span.start + 1);
                let piece = Piece {
                    text: "docker build .".to_owned(),
                    map: SourceMap::of(Span::new(image.span.start, end)),
                    write: str::to_owned,
                };
                self.run(self.job(), piece);
            }
            [_, arguments] => self.step("docker build ", arguments),
            _ => {}
        }
    }
}

/// Returns the matrix that its axes make.
fn matrix_of(facts: &Facts) -> Matrix {
    let names = facts.axes.iter().map(|(name, _)| name.clone());
    match product(&facts.axes).filter(|_| !facts.is_open) {
        Some(rows) => Matrix::of(rows),
        None => Matrix::open(names.collect()),
    }
}
