//! GitHub's expressions and their values in a row of a matrix, as GitHub's own library (`@actions/expressions`) has them.

use cachelane::builds::{Contents as _, Github};
use cachelane::text::marks::SAME;

const JOB: &str = "\
on: push
jobs:
  t:
    runs-on: [self-hosted, linux]
    env: {E: '${{ matrix.a }}', C: plain}
    strategy:
      matrix:
        include:
          - {a: x, b: X, n: 3.1, z: 0, t: true, f: false, e: '', s: '3.10', l: [p, q], o: {k: v}, i: '${{ vars.I }}'}
    steps:
      - run: docker build .
";

/// Returns the value of an expression, with `~` around what is the same in all runs.
fn value(expression: &str) -> Option<String> {
    let file = Github.read(JOB).unwrap();
    let values = &file.builds[0].legs[0].values;
    let value = values.value(&format!("<${{{{ {expression} }}}}>"))?;
    Some(value.trim_matches(['<', '>']).replace(SAME, "~"))
}

const KNOWN: &[(&str, &str)] = &[
    ("matrix.a", "x"),
    ("matrix['a']", "x"),
    ("matrix.missing", ""),
    ("matrix.n", "3.1"),
    ("matrix.l", "[p,q]"),
    ("'it''s'", "it's"),
    ("0x1F", "31"),
    ("-2", "-2"),
    ("1e2", "100"),
    ("null", ""),
    ("!true", "false"),
    ("!!'x'", "true"),
    ("!'0'", "false"),
    ("!0", "true"),
    ("matrix.a == 'X'", "true"),
    ("matrix.a != matrix.b", "false"),
    ("matrix.n == '3.10'", "true"),
    ("matrix.s == '3.1'", "false"),
    ("matrix.n == matrix.s", "true"),
    ("matrix.t == 'true'", "false"),
    ("matrix.t == 1", "true"),
    ("matrix.missing == ''", "true"),
    ("matrix.e == 0", "true"),
    ("'x' > matrix.e", "true"),
    ("'a' < 'B'", "true"),
    ("1 < 2 == true", "true"),
    ("matrix.a && 'one' || 'two'", "one"),
    ("matrix.f && 'one' || 'two'", "two"),
    (
        "matrix.a == 'y' && 'one' || matrix.a == 'x' && 'two'",
        "two",
    ),
    ("matrix.e || matrix.z || 'last'", "last"),
    ("matrix.z && 'x'", "0"),
    ("(matrix.t || 'x') && (matrix.f || 'y')", "y"),
    ("true && false || true", "true"),
    ("false && (true || true)", "false"),
    ("contains('Hello', 'ELL')", "true"),
    ("contains(matrix.l, 'P')", "true"),
    ("contains(fromJSON('[1, true]'), '1')", "true"),
    ("startsWith(matrix.s, 3)", "true"),
    ("endsWith('ab', 'b')", "true"),
    ("ENDSWITH('ab', 'a')", "false"),
    ("format('a{0}{{b}}{1}{0}', 1, matrix.a)", "a1{b}x1"),
    ("join(fromJSON('[\"a\", 2]'))", "a,2"),
    ("join(matrix.l, '-')", "p-q"),
    ("toJSON('a\"b')", "\"a\\\"b\""),
    ("toJSON(31)", "31"),
    ("fromJSON('{\"a\": {\"b\": [1, \"k\"]}}').A.b[1]", "k"),
    ("fromJSON('{\"x\":{\"y\":{\"z\":1}}}').x.y.z", "1"),
    ("fromJSON('[]')[4]", ""),
    ("matrix.o.k", "v"),
    ("fromJSON(toJSON(matrix.o)).k", "v"),
    ("env.E", "x"),
    ("env.C || 'x'", "plain"),
    ("github.job", "t"),
    ("strategy.job-index", "0"),
    ("strategy.job-total", "1"),
];

/// What is made of names that only a run knows, and that are the same in all runs at once.
const SAME_IN_ALL: &[(&str, &str)] = &[
    ("github.ref_name", "~github.ref_name~"),
    ("github.run_number", "~github.run_id~"),
    ("format('a-{0}', vars.X)", "a-~vars.X~"),
    ("github.ref_name || 'x'", "~github.ref_name~"),
    ("github.head_ref || 'x'", "~github.head_ref || 'x'~"),
    (
        "github.ref == 'a' && 'b' || 'c'",
        "~((github.ref == 'a') && 'b') || 'c'~",
    ),
    ("github.ref == github.ref", "true"),
    ("!inputs.x", "~!inputs.x~"),
    (
        "startsWith(github.ref, 'r')",
        "~startswith(github.ref, 'r')~",
    ),
    (
        "contains(format('{{{0}', vars.X), 'a')",
        "~contains(format('{{{0}', vars.X), 'a')~",
    ),
    ("hashFiles('a', 'b')", "~hashfiles('a', 'b')~"),
    ("matrix.i", "~vars.I~"),
    ("vars.X || matrix.a", "~vars.X || own('x')~"),
    ("runner.os", "~runner.os.self_hosted_linux~"),
];

const UNKNOWN: &[&str] = &[
    "",
    "'open",
    "matrix.a ==",
    "(matrix.a",
    "matrix.a)",
    "matrix.a 'x'",
    "steps.x.outputs.y",
    "steps.x.outputs.y && 'a' || 'b'",
    "needs.x.result == 'success'",
    "runner.name",
    "env.MISSING",
    "matrix.*",
    "matrix[github.ref]",
    "failure()",
    "later('x')",
    "fromJSON('[')",
    "format('{1}', 'x')",
    "github.workspace == 'x'",
];

#[test]
fn values_are_those_of_github() {
    for (expression, expected) in KNOWN.iter().chain(SAME_IN_ALL) {
        assert_eq!(
            value(expression).as_deref(),
            Some(*expected),
            "{expression}"
        );
    }
    for expression in UNKNOWN {
        assert_eq!(value(expression), None, "{expression}");
    }
}

#[test]
fn deep_expressions_are_unknown_and_long_ones_are_not() {
    let nested = |depth: usize| format!("{}'x'{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(value(&nested(40)).as_deref(), Some("x"));
    assert_eq!(value(&nested(10_000)), None);
    assert_eq!(value(&format!("{}true", "!".repeat(10_000))), None);
    let long = vec!["''"; 10_000].join(" || ");
    assert_eq!(value(&format!("{long} || 'x'")).as_deref(), Some("x"));
    let open = vec!["vars.X"; 5_000].join(" && ");
    assert_eq!(value(&open).as_deref(), Some("~vars.X~"));
}
