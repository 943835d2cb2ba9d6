//! The rules, and the facts about each.

use std::cmp::Ordering;
use std::fmt;

use crate::fix::Applicability;

/// The weight of a finding. Errors and warnings fail the gate, infos never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Costs time or cache.
    Warning,
    /// Builds wait for each other, or fail.
    Error,
}

impl Severity {
    /// Returns the severity as reports name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The thing that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub enum Subject {
    /// One Dockerfile.
    File,
    /// The cache mounts of all files of a run.
    Run,
    /// A build of a Dockerfile with lanes.
    Build,
    /// A build that empties caches.
    Clearing,
    /// The reason why a file cannot be read.
    Error,
    /// A suppression.
    Ignore,
}

/// The `[[exempt]]` entries that silence a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub enum Exempt {
    /// None.
    Never,
    /// Those that name it.
    ByName,
    /// Those that name it, and those that name no rules.
    Always,
}

/// The facts about a rule that do not depend on its subject.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct RuleMeta {
    /// The name, which never changes.
    pub name: &'static str,
    /// The severity of its findings.
    pub severity: Severity,
    /// Another severity that some of its findings have unless one is configured.
    pub other_severity: Option<OtherSeverity>,
    /// The fix that it offers, if any.
    pub fix: Option<Applicability>,
    /// True where its fix goes first, since it can make other fixes needless.
    pub goes_first: bool,
    /// True where it is about variables in ids, and silent for a builder without them.
    pub needs_variables: bool,
    /// True where its fix puts something into ids, or takes it away, and caches that were one are to stay one: the results
    /// in all files are compared.
    pub(crate) keeps_caches: bool,
    /// True where its findings in one file may depend on what others build of it.
    pub(crate) depends_on_builds: bool,
    /// The `[[exempt]]` entries of a configuration that silence it.
    pub exempt: Exempt,
    /// A one-line summary of its findings.
    pub summary: &'static str,
    /// The thing that it looks at.
    pub subject: Subject,
    /// The text of its page, `docs/rules/<name>.md`.
    pub page: &'static str,
}

/// The address of the documents: that of the repository which `Cargo.toml` names.
pub const DOCUMENTS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs");

/// A severity that a rule gives some of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct OtherSeverity {
    /// The severity.
    pub severity: Severity,
    /// The findings that have it: `where none of them is locked`.
    pub when: &'static str,
}

impl fmt::Display for OtherSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.severity.as_str(), self.when)
    }
}

impl RuleMeta {
    /// Returns the address of its page.
    pub fn url(&self) -> String {
        format!("{DOCUMENTS}/rules/{}.md", self.name)
    }

    /// Returns the page without its heading.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.page.split_once("\n\n").map_or("", |(_, doc)| doc)
    }
}

/// Calls the macro `$to` with every rule: id, file in `src/rules`, name, subject and [`RuleMeta`]. Rules are declared
/// only here; `rules/registry.rs` finds each `check` by file and subject.
macro_rules! each_rule {
    ($to:ident) => {
        $to! {
            SharedLock shared_lock "shared-lock" File {
                severity: Severity::Error,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Info,
                    when: "with `builders = \"per-job\"`",
                }),
                fix: Some(Applicability::Safe),
                needs_variables: true,
                exempt: Exempt::Always,
                keeps_caches: true,
                summary: "a locked cache id without a per-job part: parallel builds wait for each other",
            }
            UndeclaredArg undeclared_arg "undeclared-arg" File {
                severity: Severity::Error,
                fix: Some(Applicability::Safe),
                needs_variables: true,
                keeps_caches: true,
                summary: "a cache id refers to a build argument that its RUN cannot see: it expands to nothing",
            }
            MissingDefault missing_default "missing-default" File {
                severity: Severity::Warning,
                fix: Some(Applicability::Safe),
                needs_variables: true,
                keeps_caches: true,
                summary: "the lane argument has no default: a build that passes nothing gets an id cut short",
            }
            EarlyArg early_arg "early-arg" File {
                severity: Severity::Warning,
                fix: Some(Applicability::Safe),
                needs_variables: true,
                summary: "the lane argument stands above RUNs that do not need it: every job builds them anew",
            }
            ShadowedArg shadowed_arg "shadowed-arg" File {
                severity: Severity::Warning,
                needs_variables: true,
                summary: "an ENV of the lane argument's name decides the id: what a job passes has no effect",
            }
            OldFrontend old_frontend "old-frontend" File {
                severity: Severity::Error,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Warning,
                    when: "where a pipeline names an engine that is too old",
                }),
                fix: Some(Applicability::Unsafe),
                needs_variables: true,
                summary: "the pinned frontend does not expand variables in ids: lanes silently do nothing",
            }
            PrivateCache private_cache "private-cache" File {
                severity: Severity::Info,
                fix: Some(Applicability::Unsafe),
                exempt: Exempt::ByName,
                keeps_caches: true,
                summary: "sharing=private: builds that overlap start with an empty cache",
            }
            LockOrder lock_order "lock-order" Run {
                severity: Severity::Error,
                exempt: Exempt::ByName,
                summary: "RUNs take the same locks in opposite orders: builds can wait for each other for ever",
            }
            MixedSharing mixed_sharing "mixed-sharing" Run {
                severity: Severity::Error,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Warning,
                    when: "where none of them is locked",
                }),
                fix: Some(Applicability::Unsafe),
                exempt: Exempt::ByName,
                summary: "one id with different sharing modes: once builds meet, the cache starts empty and its lock no longer holds",
            }
            SerialStages serial_stages "serial-stages" File {
                severity: Severity::Info,
                exempt: Exempt::Always,
                depends_on_builds: true,
                summary: "independent stages of one build lock the same id: they run one after the other",
            }
            NeedlessLock needless_lock "needless-lock" File {
                severity: Severity::Info,
                fix: Some(Applicability::Unsafe),
                goes_first: true,
                exempt: Exempt::Always,
                keeps_caches: true,
                summary: "a lock on a cache whose tool needs none",
            }
            UnlockedApt unlocked_apt "unlocked-apt" File {
                severity: Severity::Warning,
                fix: Some(Applicability::Unsafe),
                exempt: Exempt::ByName,
                keeps_caches: true,
                summary: "apt's cache without a lock: parallel builds fail on apt's own",
            }
            UnlockedCache unlocked_cache "unlocked-cache" File {
                severity: Severity::Info,
                exempt: Exempt::ByName,
                summary: "a cache without a lock whose tool fails or waits where two builds use it",
            }
            CacheAsState cache_as_state "cache-as-state" File {
                severity: Severity::Warning,
                exempt: Exempt::ByName,
                summary: "a RUN needs what an earlier RUN left in a cache, which may be empty by then",
            }
            PlatformLock platform_lock "platform-lock" File {
                severity: Severity::Info,
                fix: Some(Applicability::Unsafe),
                needs_variables: true,
                exempt: Exempt::Always,
                keeps_caches: true,
                depends_on_builds: true,
                summary: "a multi-platform build locks one id for all platforms: they wait, and mix their files",
            }
            IdCollision id_collision "id-collision" Run {
                severity: Severity::Error,
                fix: Some(Applicability::Unsafe),
                exempt: Exempt::ByName,
                summary: "one id for different contents: their files end up in one directory",
            }
            SplitCache split_cache "split-cache" Run {
                severity: Severity::Info,
                exempt: Exempt::ByName,
                summary: "one id with different from, uid, gid or mode: these are different caches",
            }
            InvalidMount invalid_mount "invalid-mount" File {
                severity: Severity::Error,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Warning,
                    when: "where an argument or the base image can make it valid",
                }),
                summary: "a mount that BuildKit refuses: the build fails",
            }
            TemplatedMount templated_mount "templated-mount" File {
                severity: Severity::Info,
                summary: "a template makes the flags of a RUN: whether they lock a cache does not show in the file",
            }
            UnpassedArg unpassed_arg "unpassed-arg" Build {
                severity: Severity::Error,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Warning,
                    when: "outside of a matrix",
                }),
                fix: Some(Applicability::Safe),
                summary: "a build passes no lane: all jobs use the default one, and still wait for each other",
            }
            LaneNeverReused lane_never_reused "lane-never-reused" Build {
                severity: Severity::Warning,
                summary: "a lane that changes with every run: its cache is never used again",
            }
            NoCacheClears no_cache_clears "no-cache-clears" Clearing {
                severity: Severity::Warning,
                summary: "a build without cache empties the cache mounts of a builder that others use",
            }
            UnusedIgnore unused_ignore "unused-ignore" Ignore {
                severity: Severity::Warning,
                other_severity: Some(OtherSeverity {
                    severity: Severity::Error,
                    when: "for a comment that cannot be read",
                }),
                fix: Some(Applicability::Safe),
                summary: "a suppression that suppresses nothing, or does not say what",
            }
            SyntaxError syntax_error "syntax-error" Error {
                severity: Severity::Error,
                summary: "a file that BuildKit cannot read: it is left as it is",
            }
        }
    };
}
pub(crate) use each_rule;

macro_rules! declare_rules {
    ($($id:ident $file:ident $name:literal $subject:ident { $($field:ident: $value:expr,)* })*) => {
        /// A rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RuleId {
            $(#[doc = concat!("`", $name, "`")] $id,)*
        }

        impl RuleId {
            /// Every rule, in listing order.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// Returns the facts about the rule.
            #[must_use]
            pub fn meta(self) -> &'static RuleMeta {
                match self {
                    $(Self::$id => {
                        static META: RuleMeta = RuleMeta {
                            name: $name,
                            subject: Subject::$subject,
                            page: include_str!(concat!("../../docs/rules/", $name, ".md")),
                            $($field: $value,)*
                            ..PLAIN
                        };
                        &META
                    })*
                }
            }
        }
    };
}
each_rule!(declare_rules);

/// The facts of an ordinary rule without a fix.
const PLAIN: RuleMeta = RuleMeta {
    name: "",
    severity: Severity::Info,
    other_severity: None,
    fix: None,
    goes_first: false,
    needs_variables: false,
    keeps_caches: false,
    depends_on_builds: false,
    exempt: Exempt::Never,
    summary: "",
    subject: Subject::File,
    page: "",
};

impl RuleId {
    /// Returns the rule's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.meta().name
    }

    /// Returns the rule called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }

    /// Returns the names nearest to the unknown `name`, nearest first.
    #[must_use]
    pub fn nearest(name: &str) -> Vec<&'static str> {
        let names = Self::ALL.iter().map(|rule| rule.as_str());
        let scored = names.map(|near| (strsim::jaro_winkler(name, near), near));
        let mut near: Vec<(f64, &str)> = scored.filter(|(score, _)| *score >= 0.75).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// Returns whether its findings in one file may depend on the other files of the run.
    #[must_use]
    pub fn compares(self) -> bool {
        let meta = self.meta();
        meta.depends_on_builds
            || matches!(
                meta.subject,
                Subject::Run | Subject::Build | Subject::Clearing
            )
    }
}

impl Ord for RuleId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for RuleId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for RuleId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
