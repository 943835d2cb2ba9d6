//! The official parser: the Python package `dockerfile`, which wraps BuildKit's, in a virtual environment of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::{fmt::Write as _, fs};

use bstr::{BStr, BString};
use serde::{Deserialize, Deserializer};

/// The package, pinned: version 3.4.0 carries the parser of BuildKit 0.12.5. `newer.rs` knows what has changed since.
const PACKAGE: &str = "dockerfile==3.4.0";

/// Where the virtual environment goes; cargo names a folder to tests, but not to `fuzz/`, which goes by the one it runs in:
/// a longer path would lay out its memory otherwise, and so count other code for the same input.
const BASE: &str = match option_env!("CARGO_TARGET_TMPDIR") {
    Some(folder) => folder,
    None => "target",
};

/// What the parser makes of a file. Where it refuses the file, an `error` stands in place of the commands.
#[derive(Deserialize)]
struct Answer {
    commands: Option<Vec<Parsed>>,
}

/// One instruction as the parser has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Parsed {
    /// Its name; `ONBUILD` for a trigger.
    #[serde(deserialize_with = "bytes")]
    pub name: BString,
    /// The name behind `ONBUILD`.
    #[serde(deserialize_with = "optional_bytes")]
    pub inner: Option<BString>,
    /// Whether its arguments are a JSON array.
    pub json: bool,
    /// Its lines, joined; behind a newline, the bodies of its heredocs.
    #[serde(deserialize_with = "bytes")]
    pub original: BString,
    /// First and last line.
    pub lines: (usize, usize),
    /// Its flags; of a trigger, those between `ONBUILD` and the inner name.
    #[serde(deserialize_with = "many_bytes")]
    pub flags: Vec<BString>,
    /// Its arguments, cut up in a way that depends on the name.
    #[serde(deserialize_with = "many_bytes")]
    pub value: Vec<BString>,
    /// Its heredocs; none for a trigger.
    pub heredocs: Vec<ParsedHeredoc>,
}

/// One heredoc as the parser has it.
#[derive(Clone, Debug, Deserialize)]
pub struct ParsedHeredoc {
    /// The word that ends it.
    #[serde(deserialize_with = "bytes")]
    pub name: BString,
    /// Its body.
    #[serde(deserialize_with = "bytes")]
    pub content: BString,
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BString, D::Error> {
    String::deserialize(deserializer).map(|hex| from_hex(&hex))
}

fn optional_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|hex| hex.as_deref().map(from_hex))
}

fn many_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BString>, D::Error> {
    Vec::<String>::deserialize(deserializer)
        .map(|all| all.iter().map(|hex| from_hex(hex)).collect())
}

fn from_hex(hex: &str) -> BString {
    let pairs = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// The one process that runs the parser, and its pipes.
pub struct Oracle {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What [`Oracle::prepare`] has asked already.
    known: HashMap<Vec<u8>, Option<Vec<Parsed>>>,
}

impl Oracle {
    /// The oracle, started on first use; every other thread waits.
    pub fn lock() -> MutexGuard<'static, Self> {
        static ORACLE: OnceLock<Mutex<Oracle>> = OnceLock::new();
        let oracle = ORACLE.get_or_init(|| Mutex::new(Self::start(&environment())));
        oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(environment: &Path) -> Self {
        let mut process = Command::new(environment.join("bin/python"))
            .args(["-c", include_str!("oracle.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Go's scanner complains there about every byte that is not UTF-8.
            .stderr(fs::File::create(environment.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            requests,
            answers,
            known: HashMap::new(),
        }
    }

    /// What the official parser makes of `source`; `None` where it refuses the file.
    ///
    /// # Panics
    /// If the process has died, which is no answer.
    pub fn ask(&mut self, source: &[u8]) -> Option<Vec<Parsed>> {
        if let Some(known) = self.known.remove(source) {
            return known;
        }
        self.send(&[source]);
        self.answer(source)
    }

    /// Asks about all `sources` in one message, which is much faster: [`Oracle::ask`] has the answers then, each once.
    ///
    /// # Panics
    /// If the process has died, which is no answer.
    pub fn prepare(&mut self, sources: &[Vec<u8>]) {
        self.known.clear();
        self.send(sources);
        for source in sources {
            let answer = self.answer(source);
            self.known.insert(source.clone(), answer);
        }
    }

    fn send(&mut self, sources: &[impl AsRef<[u8]>]) {
        let mut request = String::new();
        for source in sources {
            source
                .as_ref()
                .iter()
                .for_each(|byte| write!(request, "{byte:02x}").unwrap());
            request.push(',');
        }
        request.pop();
        request.push('\n');
        // A process that is dead gives no answer either.
        let _ = self
            .requests
            .write_all(request.as_bytes())
            .and_then(|()| self.requests.flush());
    }

    fn answer(&mut self, source: &[u8]) -> Option<Vec<Parsed>> {
        let mut answer = String::new();
        if self.answers.read_line(&mut answer).is_err() || answer.is_empty() {
            let log = environment().join("stderr");
            let status = self.process.wait();
            panic!(
                "the official parser died ({status:?}, see {}) of {:?}",
                log.display(),
                BStr::new(source)
            );
        }
        serde_json::from_str::<Answer>(&answer).unwrap().commands
    }
}

/// The folder of the virtual environment, made on first use and kept from one run to the next.
fn environment() -> PathBuf {
    let folder = Path::new(BASE).join("parity-venv");
    // Written last, so that an environment that was not finished is made anew.
    let marker = folder.join(PACKAGE);
    if marker.exists() {
        return folder;
    }
    run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
        "Install Python 3.10 or newer with its `venv` and `pip` modules (Debian: python3 and python3-venv).",
    );
    run(
        Command::new(folder.join("bin/python")).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            PACKAGE,
        ]),
        "pip has to reach a package index; where no wheel fits this platform, pip builds the package and needs Go.",
    );
    fs::write(&marker, "").unwrap();
    folder
}

/// Runs `command`; where it cannot start or fails, so does the test, with what the command said and with `help`.
fn run(command: &mut Command, help: &str) {
    let output = command.output();
    let failed = match &output {
        Ok(output) if output.status.success() => return,
        Ok(output) => {
            String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
        }
        Err(error) => error.to_string(),
    };
    panic!(
        "The parity tests need the Python package {PACKAGE}, and this failed: {command:?}\n{failed}\n{help}"
    );
}
