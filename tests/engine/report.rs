//! What was measured: for people, for programs, and for `docs/engine-measured.md`.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Outcome;
use crate::engine::Engine;
use crate::facts::FACTS;

/// One fact on one engine.
#[derive(Serialize)]
pub struct Row {
    /// The fact's name.
    pub fact: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// The engine's name.
    pub engine: &'static str,
    /// What was measured, a line each.
    pub measured: Vec<String>,
    /// How long that took.
    pub seconds: f64,
    /// Why the claim does not hold.
    pub error: Option<String>,
}

impl Row {
    /// For people.
    pub fn text(&self) -> String {
        let verdict = if self.error.is_some() { "FAILED" } else { "ok" };
        let mut text = format!(
            "{verdict} {} on {} ({:.1} s)",
            self.fact, self.engine, self.seconds
        );
        for line in self.measured.iter().chain(&self.error) {
            text.push_str("\n    ");
            text.push_str(&line.replace('\n', "\n    "));
        }
        text
    }
}

/// A whole run.
#[derive(Serialize)]
pub struct Report {
    engines: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    /// What `rows` are on `engines`.
    pub fn new(engines: &[Engine], rows: Vec<Row>) -> Self {
        let name = |engine: &Engine| format!("{} ({})", engine.version.name(), engine.reported);
        Self {
            engines: engines.iter().map(name).collect(),
            rows,
        }
    }

    /// How many facts hold.
    pub fn passed(&self) -> usize {
        self.rows.len() - self.failed()
    }

    /// How many facts do not.
    pub fn failed(&self) -> usize {
        self.rows.iter().filter(|row| row.error.is_some()).count()
    }

    /// Writes all of it as JSON.
    ///
    /// # Errors
    /// If that fails.
    pub fn write(&self) -> Outcome {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine.json");
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("measurements: {}", path.display());
        Ok(())
    }

    /// Writes the page for users where that is asked for and `whole` says that nothing was left out, or else checks that
    /// it has every claim.
    ///
    /// # Errors
    /// If that fails, or a claim is missing.
    pub fn page(&self, whole: bool) -> Outcome {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engine-measured.md");
        let say = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::env::var("CACHELANE_BLESS").is_ok_and(|value| value == "1") {
            let good = whole && self.failed() == 0;
            return if good {
                fs::write(&path, self.markdown()).map_err(say)
            } else {
                Err("nothing to bless".into())
            };
        }
        let page = fs::read_to_string(&path).map_err(say)?;
        let missing = FACTS.iter().find(|fact| !page.contains(fact.claim));
        missing.map_or(Ok(()), |fact| {
            Err(format!(
                "{} does not have the fact {}: run this with CACHELANE_BLESS=1",
                path.display(),
                fact.name
            ))
        })
    }

    fn markdown(&self) -> String {
        let mut page = format!(
            "# Measured on real engines\n\n\
             `tests/engine` measured this, in one run, on {}. Read the ratios, not the seconds.\n\
             A *lane* is what `cachelane fix` gives a job; where a file was fixed, it is cachelane's own output that was \
             built.\n\n\
             To measure again, as root on Linux (the first run fetches both engines from Debian, into a folder of their \
             own):\n\n\
             ```sh\nCACHELANE_BLESS=1 cargo test --test engine\n```\n\n\
             | Fact | Engine | Measured |\n|---|---|---|\n",
            self.engines.join(" and on ")
        );
        let mut above = "";
        for row in &self.rows {
            let claim = if row.claim == above { "" } else { row.claim };
            above = row.claim;
            let cell = row.measured.join("<br>").replace('|', "\\|");
            page.push_str(&format!("| {claim} | {} | {cell} |\n", row.engine));
        }
        page
    }
}
