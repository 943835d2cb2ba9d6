//! Which commands may see a variable that they do not name: an ARG is moved past the others without review.

use cachelane::Applicability;
use cachelane::finding::RuleId;
use cachelane::fix::Fix;
use cachelane::lint::check_alone;
use cachelane::rules::Settings;

/// Returns how the fix of `rule` in `source` may be made.
fn level(source: &str, rule: RuleId) -> Applicability {
    let checked = check_alone(source.as_bytes(), &Settings::default());
    let mut findings = checked.findings.iter().filter(|one| one.rule == rule);
    let fix = findings.next().and_then(|one| one.fix.as_ref());
    let level = fix.map(Fix::applicability);
    level.unwrap_or_else(|| panic!("no fix of {rule}: {source}"))
}

/// Returns whether an ARG above `instructions` and a use is moved without review.
fn moves(instructions: &str) -> bool {
    let lock = "RUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked make";
    let source = format!("FROM a\nARG CACHE_ID=default\n{instructions}\n{lock}\n");
    level(&source, RuleId::EarlyArg) == Applicability::Safe
}

#[test]
fn an_arg_moves_past_plain_commands() {
    for run in [
        "apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*",
        "sudo -E apt-get install -y gcc",
        "set -eux; groupadd app; useradd -g app app",
        "curl -fsSL https://example.com/x.tgz | tar -xz -C /opt",
        "[ -f /etc/x ] || echo x > /etc/x",
        "if [ ! -d /x ]; then mkdir /x; fi; for i in a b; do touch /$i; done",
        "find / -name '*.pyc' -delete; find /x -type f -exec chmod 644 {} +",
        "bash -c 'apt-get update'",
        "trap 'rm -f /x' EXIT; touch /x",
        "env LANG=C sort /x > /y; printenv PATH; export PATH=/x:$PATH",
        "echo \"env make ./x\" > /environment",
        "DEBIAN_FRONTEND=noninteractive apt-get install -y gcc",
        "git clone https://example.com/x /x && cd /x && git checkout v1",
        "<<EOF\nset -e\napt-get update\nEOF",
    ] {
        assert!(moves(&format!("RUN {run}")), "{run}");
    }
}

#[test]
fn what_runs_files_of_the_build_or_lists_variables_needs_review() {
    for run in [
        "build.sh",
        "/opt/build.sh",
        "~/build.sh",
        "$HOME/build.sh --copy cp",
        "python3 -c \"import os; print(dict(os.environ))\" > /f",
        "python3 -m mytool",
        "perl -e 'print %ENV'",
        "node -e 'console.log(process.env)'",
        "<<EOF\n#!/usr/bin/env python3\nimport os\nEOF",
        "python3 <<EOF\nimport os\nEOF",
        "find . -name x -exec ./x {} \\;",
        "trap ./x EXIT",
        "busybox sh x",
        "strace env",
        "cat /proc/self/environ",
        "eval \"$(cat x)\"",
        "cat x | sh",
        "awk 'BEGIN { for (k in ENVIRON) print k }'",
        "xargs env < /x",
        "make",
        "colcon build",
        "catkin_make",
        "dotnet build",
        "bundle exec rake",
        "pip install .",
        "npm ci",
        "npm run sort",
        "cargo build",
        "sudo --preserve-env env",
        "cd /x && . ./setup.bash",
    ] {
        assert!(!moves(&format!("RUN {run}")), "{run}");
    }
    assert!(!moves("SHELL [\"/usr/bin/python3\", \"-c\"]\nRUN print(1)"));
    assert!(moves("SHELL [\"/bin/bash\", \"-c\"]\nRUN apt-get update"));
}

#[test]
fn a_default_that_a_run_prints_needs_review() {
    for (behind, expected) in [
        ("make", Applicability::Safe),
        ("echo env; env X=1 make", Applicability::Safe),
        ("set -eux; export X=1", Applicability::Safe),
        ("set -x; env X=1 make", Applicability::Safe),
        ("env > /x", Applicability::Unsafe),
        ("printenv > /x", Applicability::Unsafe),
        ("export -p > /x", Applicability::Unsafe),
        ("bash -c 'set' > /x", Applicability::Unsafe),
    ] {
        let lock =
            |id: &str| format!("RUN --mount=type=cache,id={id},target=/a,sharing=locked make");
        let bare = format!(
            "FROM a\nARG CACHE_ID\n{}\nRUN {behind}\n",
            lock("a-${CACHE_ID}")
        );
        assert_eq!(level(&bare, RuleId::MissingDefault), expected, "{bare}");
        let none = format!("FROM a\n{}\nRUN {behind}\n", lock("a"));
        assert_eq!(level(&none, RuleId::SharedLock), expected, "{none}");
        let child = format!("FROM a AS b\n{}\nFROM b\nRUN {behind}\n", lock("a"));
        assert_eq!(level(&child, RuleId::SharedLock), expected, "{child}");
        let above = format!(
            "FROM a\nRUN {behind}\n{}\nFROM a\nRUN {behind}\n",
            lock("a")
        );
        assert_eq!(
            level(&above, RuleId::SharedLock),
            Applicability::Safe,
            "{above}"
        );
    }
}
