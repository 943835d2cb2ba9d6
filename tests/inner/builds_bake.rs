//! Bake files: reading them, and the place of an argument.

use cachelane::budget;
use cachelane::builds::{Bake, Build, BuildFile, Contents as _, Runs, Subject, ValueSource};

use crate::made_builds::{Format, made, passes};

fn read(source: &str) -> BuildFile {
    Format::Hcl.read(source)
}

fn fixed(source: &str, name: &str) -> Result<String, String> {
    let builds = read(source).builds;
    let is_it = |build: &&Build| build.name == format!("target `{name}`");
    let build = builds.iter().find(is_it).unwrap();
    let fixed = made(source, &Format::Hcl.pass(source, build)?);
    assert!(read(&fixed).builds.iter().any(passes));
    Ok(fixed)
}

const VARIABLE: &str = "variable \"CACHE_ID\" {\n  default = \"default\"\n}\n";

#[test]
fn every_form_gets_its_argument() {
    for (source, expected) in [
        (
            "target \"a\" {}\n",
            "target \"a\" {\n  args = {\n    CACHE_ID = CACHE_ID\n  }\n}\n",
        ),
        (
            "target \"a\" { context = \".\" }\n",
            "target \"a\" {\n  context = \".\"\n  args = {\n    CACHE_ID = CACHE_ID\n  }\n}\n",
        ),
        (
            "target \"a\" {\n\tcontext = \".\"\n\t# end\n}\n",
            "target \"a\" {\n\tcontext = \".\"\n\t# end\n\targs = {\n\t\tCACHE_ID = CACHE_ID\n\t}\n}\n",
        ),
        (
            "target \"a\" {\n  args = {}\n}\n",
            "target \"a\" {\n  args = { CACHE_ID = CACHE_ID }\n}\n",
        ),
        (
            "target \"a\" {\n  args = { X = \"1\" }\n}\n",
            "target \"a\" {\n  args = { X = \"1\", CACHE_ID = CACHE_ID }\n}\n",
        ),
        (
            "target \"a\" {\n  args = {\n    X = \"1\", # x\n  }\n}\n",
            "target \"a\" {\n  args = {\n    X = \"1\", # x\n    CACHE_ID = CACHE_ID,\n  }\n}\n",
        ),
        (
            "target \"a\" {\n  args = {\n    X = <<E\nq\nE\n  }\n}\n",
            "target \"a\" {\n  args = {\n    X = <<E\nq\nE\n    CACHE_ID = CACHE_ID\n  }\n}\n",
        ),
    ] {
        assert_eq!(
            fixed(source, "a").unwrap(),
            format!("{VARIABLE}\n{expected}")
        );
    }
    let source = "# licence\n\nvariable \"X\" { default = \"1\" } # x\n\n# a\ntarget \"a\" { args = {X = X} }\n";
    let expected = source
        .replace("# x\n", &format!("# x\n\n{VARIABLE}"))
        .replace("X = X", "X = X, CACHE_ID = CACHE_ID");
    assert_eq!(fixed(source, "a").unwrap(), expected);
    let source = "# licence\n\n# a\ntarget \"a\" {}\n";
    assert!(
        fixed(source, "a")
            .unwrap()
            .starts_with(&format!("# licence\n\n{VARIABLE}\n# a\n"))
    );
}

#[test]
fn a_variable_that_is_there_has_to_say_the_same() {
    let typed = "`variable \"CACHE_ID\" { default = \"default\" }`";
    for (top, why) in [
        (
            "CACHE_ID = \"x\"",
            "`CACHE_ID` is an attribute, which no job can set: write ",
        ),
        (
            "variable \"CACHE_ID\" {}",
            "the variable `CACHE_ID` is empty where no job sets it",
        ),
        (
            "variable \"CACHE_ID\" {\n  default = \"\"\n}",
            "is empty where no job sets it",
        ),
        ("variable \"CACHE_ID\" { default = null }", "is not known"),
        (
            "variable \"CACHE_ID\" { default = timestamp() }",
            "is not known",
        ),
        (
            "variable \"CACHE_ID\" { default = \"x\" }",
            "from the lane `default` to `x`",
        ),
        (
            "variable \"CACHE_ID\" { default = \"default\" }\nCACHE_ID = \"x\"",
            "from the lane `default` to `x`",
        ),
    ] {
        let error = fixed(&format!("{top}\ntarget \"a\" {{}}\n"), "a").unwrap_err();
        assert!(
            error.contains(why) && error.contains(typed),
            "{top}: {error}"
        );
    }
    let json = "{\"CACHE_ID\": \"x\", \"target\": {\"a\": {}}}";
    let error = fixed(json, "a").unwrap_err();
    assert!(
        error.contains("`\"variable\": {\"CACHE_ID\": {\"default\": \"default\"}}`"),
        "{error}"
    );
    for top in [
        "variable \"CACHE_ID\" { default = \"default\" }",
        "variable \"D\" { default = \"default\" }\nvariable \"CACHE_ID\" { default = D }",
    ] {
        let source = format!("{top}\ntarget \"a\" {{}}\n");
        assert_eq!(
            fixed(&source, "a").unwrap(),
            source.replace("{}", "{\n  args = {\n    CACHE_ID = CACHE_ID\n  }\n}")
        );
    }
    let source = "X = \"1\"\nvariable \"V\" { default = X }\ntarget \"a\" { args = { A = X, B = V, C = \"${X}-c\", D = \"d\" } }\n";
    let args = &read(source).builds[0].args;
    let from: Vec<_> = args
        .iter()
        .map(|arg| match &arg.from {
            ValueSource::Variables(names) => names.join(" "),
            ValueSource::Attribute => "=".into(),
            ValueSource::Run | ValueSource::Nowhere => "?".into(),
        })
        .collect();
    assert_eq!(from, ["=", "V", "", ""]);
}

#[test]
fn json_gets_its_argument() {
    for (source, expected) in [
        (
            "{\"target\": {\"a\": {}}}",
            "{\"target\": {\"a\": {\"args\": {\"CACHE_ID\": \"${CACHE_ID}\"}}}, \"variable\": {\"CACHE_ID\": {\"default\": \"default\"}}}",
        ),
        (
            "{\n\t\"variable\": {\n\t\t\"X\": {}\n\t},\n\t\"target\": {\n\t\t\"a\": {\n\t\t\t\"args\": {\n\t\t\t\t\"X\": \"${X}\"\n\t\t\t}\n\t\t}\n\t}\n}\n",
            "{\n\t\"variable\": {\n\t\t\"X\": {},\n\t\t\"CACHE_ID\": {\n\t\t\t\"default\": \"default\"\n\t\t}\n\t},\n\t\"target\": {\n\t\t\"a\": {\n\t\t\t\"args\": {\n\t\t\t\t\"X\": \"${X}\",\n\t\t\t\t\"CACHE_ID\": \"${CACHE_ID}\"\n\t\t\t}\n\t\t}\n\t}\n}\n",
        ),
        (
            "{\n  \"target\": {\n    \"a\": {\n      \"context\": \".\"\n    }\n  }\n}\n",
            "{\n  \"target\": {\n    \"a\": {\n      \"context\": \".\",\n      \"args\": {\n        \"CACHE_ID\": \"${CACHE_ID}\"\n      }\n    }\n  },\n  \"variable\": {\n    \"CACHE_ID\": {\n      \"default\": \"default\"\n    }\n  }\n}\n",
        ),
    ] {
        assert_eq!(fixed(source, "a").unwrap(), expected);
    }
}

#[test]
fn targets_inherit_and_only_those_that_are_built_count() {
    let source = "variable \"D\" { default = \"d\" }\ntarget \"base\" {\n  context = \"${D}/x\"\n  args = { A = \"1\", N = null }\n}\ntarget \"mid\" { inherits = [\"base\"] }\ntarget \"a\" {\n  inherits = [\"other\", \"mid\"]\n  target = \"t\"\n  args = { B = D }\n}\ntarget \"other\" {\n  context = \"o\"\n  dockerfile = \"F\"\n}\ntarget \"b\" { inherits = [\"mid\"] }\ntarget \"m\" { inherits = [\"gone\"] }\ntarget \"f\" { dockerfile = timestamp() }\n";
    let build_file = read(source);
    let builds: Vec<_> = build_file
        .builds
        .iter()
        .map(|build| (build.name.as_str(), build.subject.clone()))
        .collect();
    let file = |path: &str| Subject::File(path.to_owned());
    assert_eq!(
        builds,
        [
            ("target `a`", file("d/x/F")),
            ("target `b`", file("d/x/Dockerfile"))
        ]
    );
    let args: Vec<_> = build_file.builds[0]
        .args
        .iter()
        .map(|arg| (arg.name.as_str().unwrap(), arg.value.as_deref().unwrap()))
        .collect();
    assert_eq!(args, [("B", "d"), ("A", "1")]);
    let why: Vec<_> = build_file
        .unknown
        .iter()
        .map(|unknown| unknown.why.as_str())
        .collect();
    assert_eq!(
        why,
        [
            "target `m`: it inherits from a target that is not in this file",
            "target `f`: its `dockerfile` is what `timestamp()` returns, which cachelane does not compute"
        ]
    );
    // `base` serves two Dockerfiles, so the target gets its own.
    assert!(
        fixed(source, "b")
            .unwrap()
            .contains("target \"b\" {\n  inherits = [\"mid\"]\n  args = {\n")
    );
    let alone = "target \"base\" { args = {A = 1} }\ntarget \"a\" { inherits = [\"base\"] }\n";
    assert!(
        fixed(alone, "a")
            .unwrap()
            .contains("args = {A = 1, CACHE_ID = CACHE_ID} }\ntarget \"a\" { inherits")
    );
}

#[test]
fn targets_that_inherit_from_a_built_one_share_its_argument() {
    let source = "group \"default\" { targets = [\"a\", \"b\"] }\ntarget \"a\" {}\ntarget \"b\" {\n  inherits = [\"a\"]\n}\n";
    assert_eq!(fixed(source, "a").unwrap(), fixed(source, "b").unwrap());
}

#[test]
fn a_matrix_is_taken_apart() {
    let source = "target \"a\" {\n  name = \"a-${x}-${item.v}\"\n  matrix = {\n    x = [\"p\", \"q\"]\n    item = [{ v = \"1\" }, { v = \"2\" }]\n    one = [\"z\"]\n  }\n  dockerfile = \"${x}/Dockerfile\"\n  target = item.v\n  args = { V = item.v }\n}\n";
    let build_file = read(source);
    let found: Vec<_> = build_file
        .builds
        .iter()
        .map(|b| (b.subject.clone(), b.target.clone().unwrap()))
        .collect();
    assert_eq!(found[3], (Subject::File("q/Dockerfile".into()), "2".into()));
    assert_eq!(found.len(), 4);
    // One command builds them all, like targets written one by one.
    assert!(
        build_file
            .builds
            .iter()
            .all(|build| build.runs == Runs::Once)
    );
    assert_eq!(
        build_file.builds[0].args[0].value.as_deref(),
        Some("item.v")
    );
    assert!(fixed(source, "a").is_ok());
}

const NAMES: &str = r#"
variable "BASE" { default = "." }
variable "EMPTY" {}
variable "NULL" { default = null }
variable "TYPED" { type = string }
variable "NUM" { default = 3 }
variable "ON" { default = true }
variable "LIST" { default = ["a", "b"] }
variable "MAP" { default = { one = "x", two = "y" } }
variable "NEST" { default = "${BASE}/n-${NUM}" }
variable "CSV" { default = "p,q,r" }
function "ctx" {
  params = [n]
  result = "./${n}"
}
function "all" {
  params = [first]
  variadic_params = rest
  result = "${first}/${join("-", rest)}"
}
function "twice" {
  params = [n]
  result = "${ctx(n)}${ctx(upper(n))}"
}
function "rec" {
  params = [n]
  result = n < 1 ? "z" : "n"
}
function "again" {
  params = [n]
  result = again(n)
}
"#;

fn target(expression: &str) -> BuildFile {
    read(&format!(
        "{NAMES}target \"t\" {{ target = {expression} }}\n"
    ))
}

/// Expressions with the values that `docker buildx bake --print` says.
const VALUES: &[(&str, &str)] = &[
    (r#"ctx("")"#, "./"),
    (r#"EMPTY == "" ? "empty" : "not""#, "empty"),
    (r#"NULL == null ? "null" : "not""#, "null"),
    (r#"TYPED == null ? "typed" : "not""#, "typed"),
    (
        r#""x-${NUM + 1}-${NUM * 2}-${NUM / 2}-${-NUM % 2}""#,
        "x-4-6-1.5--1",
    ),
    (r#"ON && !false ? "on" : "off""#, "on"),
    (r#""${LIST[1]}/${LIST.0}""#, "b/a"),
    (r#""${MAP.one}/${MAP["two"]}""#, "x/y"),
    ("NEST", "./n-3"),
    (r#"join("-", [for x in LIST : "${x}!" if x != "a"])"#, "b!"),
    (
        r#"join("-", [for k, v in { z = "1", a = "2" } : "${k}${v}"])"#,
        "a2-z1",
    ),
    (r#"join("-", values({ for i, x in LIST : x => i }))"#, "0-1"),
    (r#"all("a", "b", "c")"#, "a/b-c"),
    ("all(LIST...)", "a/b"),
    (r#"twice("v")"#, "./v./V"),
    (r#""%{ if ON }yes%{ else }no%{ endif }""#, "yes"),
    (r#""%{ for x in LIST }<${x}>%{ endfor }""#, "<a><b>"),
    (r#"try(MAP.three, "fallback")"#, "fallback"),
    (r#"can(MAP.three) ? "can" : "cannot""#, "cannot"),
    (r#"lookup(MAP, "three", "def")"#, "def"),
    (
        r#"format("%05d-%-4s|%v-%q-%%-%t", 42, "ab", NUM, "q", ON)"#,
        r#"00042-ab  |3-"q"-%-true"#,
    ),
    (r#"replace("a-b-c", "-", "/")"#, "a/b/c"),
    (r#"regex_replace("a-b1-c", "[0-9]", "N")"#, "a-bN-c"),
    (r#"substr("hello", 1, 3)"#, "ell"),
    (r#"substr("hello", -3, -1)"#, "llo"),
    (r#"trimprefix("v1.2", "v")"#, "1.2"),
    (r#"join("", distinct(concat(LIST, ["a"])))"#, "ab"),
    (r#"merge(MAP, { one = "z" }).one"#, "z"),
    ("keys(MAP)[1]", "two"),
    ("element(LIST, 5)", "b"),
    (r#"join(",", slice(split(",", CSV), 1, 3))"#, "q,r"),
    (r#"join(",", reverselist(split(",", CSV)))"#, "r,q,p"),
    (r#"coalesce(NULL, "co")"#, "co"),
    (r#"title("hello world-x")"#, "Hello World-X"),
    (r#"basename("/x/y/z.txt")"#, "z.txt"),
    (r#"sanitize("a/b:c")"#, "a_b_c"),
    (
        r#"sha256("x")"#,
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    ),
    (r#""n${length(LIST)}${strlen("abc")}""#, "n23"),
    (r#"contains(LIST, "a") ? "has" : "no""#, "has"),
    (r#"join("-", range(1, 4))"#, "1-2-3"),
    (r#"join("-", flatten([["a"], [["b"]]]))"#, "a-b"),
    (
        r#"join("-", [for p in setproduct(["a", "b"], ["c"]) : join("", p)])"#,
        "ac-bc",
    ),
    (r#"join("-", formatlist("%s!", LIST))"#, "a!-b!"),
    (r#"zipmap(LIST, ["1", "2"])["b"]"#, "2"),
    (r#"regex("v([0-9]+)", "v12")[0]"#, "12"),
    ("min(3, 1, 2) + max(1, 2)", "3"),
    (r#""1" == 1 ? "same" : "differ""#, "differ"),
    (r#""5" + 1"#, "6"),
    (r#""four-${NUM}""#, "four-3"),
    (r#"compact(["", "c"])[0]"#, "c"),
    (r#"join("-", LIST[*])"#, "a-b"),
    (r#"join("-", [{ n = "1" }, { n = "2" }].*.n)"#, "1-2"),
    (r#"join("-", [{ n = "1" }, { n = "2" }][*].n)"#, "1-2"),
    (r#"chomp("x\n")"#, "x"),
    (r#"lower("ABC")"#, "abc"),
    (r#"indexof(LIST, "b")"#, "1"),
    (r#"join("", sort(["c", "a"]))"#, "ac"),
    (r#"(ON ? "p" : "q")"#, "p"),
    (r#"false || ON ? "or" : "nor""#, "or"),
    (r#"10 >= 9 ? "num" : "lex""#, "num"),
    ("rec(3)", "n"),
    (r#"{ a = { b = "deep" } }.a.b"#, "deep"),
    ("divide(7, 2)", "3.5"),
    ("int(7.9)", "7"),
    (r#"trim("--x--", "-")"#, "x"),
    ("modulo(-7, 3)", "-1"),
    ("-7 % 3", "-1"),
    (r#""${split("/", "a/b/c")[2]}""#, "c"),
    (r#"notequal("a", "b") ? "ne" : "eq""#, "ne"),
    (r#"trimspace("  s  ")"#, "s"),
    (r#"regex("[a-z]+", "123abc")"#, "abc"),
    (r#"hasindex(LIST, 1) ? "hi" : "lo""#, "hi"),
    (r#"lookup({a="1"}, "a", "2")"#, "1"),
    (r#"format("%[2]s-%[1]s", "a", "b")"#, "b-a"),
    (
        r#"format("%.2f|%6.1f|%x", 3.14159, 2.5, 255)"#,
        "3.14|   2.5|ff",
    ),
    ("floor(-1.5)", "-2"),
    ("ceil(1.2)", "2"),
    (r#"join("-", coalescelist([], ["k"]))"#, "k"),
];

#[test]
fn expressions_have_the_values_that_bake_computes() {
    for (expression, value) in VALUES {
        let found = target(expression);
        assert_eq!(
            found.builds[0].target.as_deref(),
            Some(*value),
            "{expression}"
        );
    }
}

#[test]
fn what_the_file_does_not_determine_is_unknown() {
    for (expression, why) in [
        (
            "timestamp()",
            "is what `timestamp()` returns, which cachelane does not compute",
        ),
        (
            "upper(uuidv4())",
            "is what `uuidv4()` returns, which cachelane does not compute",
        ),
        ("ELSEWHERE", "is named by the variable `ELSEWHERE`"),
        (
            "try(ELSEWHERE, \".\")",
            "is named by the variable `ELSEWHERE`",
        ),
        (
            "BAKE_LOCAL_PLATFORM",
            "is named by the variable `BAKE_LOCAL_PLATFORM`",
        ),
        (
            "foreign(BASE)",
            "is what `foreign()` returns, which cachelane does not compute",
        ),
        (
            "target.gone.context",
            "is an expression that is not computed",
        ),
        ("again(1)", "is an expression that is not computed"),
        ("LIST[2]", "is an expression that is not computed"),
        (
            "format(\"%2000s\", 1)",
            "is an expression that is not computed",
        ),
        (
            "join(\"\", range(0, 5000))",
            "is an expression that is not computed",
        ),
        ("1 / 0", "is an expression that is not computed"),
        ("lower()", "is an expression that is not computed"),
        ("LIST", "is an expression that is not computed"),
    ] {
        let source = format!("{NAMES}target \"t\" {{ dockerfile = {expression} }}\n");
        let found = read(&source).unknown;
        let whys: Vec<_> = found.iter().map(|unknown| unknown.why.as_str()).collect();
        assert_eq!(whys, [format!("target `t`: its `dockerfile` {why}")]);
    }
}

#[test]
fn arguments_of_an_expression_are_known() {
    let source = "variable \"V\" { default = \"1\" }\ntarget \"a\" {\n  args = merge({ A = V, N = null }, { B = 2 })\n}\n";
    let build = &read(source).builds[0];
    let args = build.args.iter();
    let args: Vec<_> = args
        .map(|arg| (arg.name.as_str(), arg.value.as_deref()))
        .collect();
    assert_eq!(args, [(Some("A"), Some("1")), (Some("B"), Some("2"))]);
    assert!(build.args_known);
    assert!(Format::Hcl.pass(source, build).is_err());
}

#[test]
fn what_is_made_of_itself_is_unknown() {
    let source = "variable \"a\" { default = \"${a}\" }\ntarget \"u\" { dockerfile = a }\ntarget \"l\" { inherits = [\"l\"] }\n";
    let build_file = read(source);
    assert_eq!((build_file.unknown.len(), build_file.builds.len()), (1, 0));
}

#[test]
fn what_multiplies_is_too_much() {
    let mut source = String::from("variable \"v0\" { default = \"x\" }\n");
    for n in 1..60 {
        source.push_str(&format!(
            "variable \"v{n}\" {{ default = \"${{v{0}}}${{v{0}}}\" }}\n",
            n - 1
        ));
    }
    source.push_str("target \"t\" { dockerfile = v59 }\n");
    let read = budget::within(source.len(), || read(&source));
    assert!(read.is_err());
}

#[test]
fn loops_within_loops_are_too_much() {
    let list = format!("[{}]", "\"x\", ".repeat(200));
    let mut value = "a".to_owned();
    for name in ["a", "b", "c", "d", "e"] {
        value = format!("[for {name} in L : {value}]");
    }
    let double = "function \"f0\" {\n  params = [n]\n  result = n\n}\n".to_owned();
    let doubles = (1..40).map(|n| {
        let inner = n - 1;
        format!(
            "function \"f{n}\" {{\n  params = [n]\n  result = \"${{f{inner}(n)}}${{f{inner}(n)}}\"\n}}\n"
        )
    });
    let doubles: String = std::iter::once(double).chain(doubles).collect();
    for source in [
        format!("variable \"L\" {{ default = {list} }}\ntarget \"t\" {{ dockerfile = {value} }}\n"),
        format!("{doubles}target \"t\" {{ dockerfile = f25(\"x\") }}\n"),
    ] {
        assert!(budget::within(source.len(), || read(&source)).is_err());
    }
}

#[test]
fn what_is_too_deep_for_the_stack_is_too_much() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a = ", "}"),
        ("\"${", "}\""),
        ("f(", ")"),
        ("!", ""),
    ] {
        for (depth, is_read) in [(20, true), (60, true), (5000, false)] {
            let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let source = format!("target \"a\" {{\n  args = {{ A = {value} }}\n}}\n");
            let read = budget::within(source.len(), || Bake.read(&source));
            assert_eq!(
                matches!(read, Ok(Ok(_))),
                is_read,
                "{depth} {open} {read:?}"
            );
        }
    }
}
