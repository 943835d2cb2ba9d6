//! Bake files: reading them, and the place of an argument.

use cachelane::budget;
use cachelane::builds::{Bake, Build, BuildFile, Format as _, Runs, Subject, ValueSource};

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
            "variable \"CACHE_ID\" { default = lower(\"X\") }",
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
    let source = "variable \"D\" { default = \"d\" }\ntarget \"base\" {\n  context = \"${D}/x\"\n  args = { A = \"1\", N = null }\n}\ntarget \"mid\" { inherits = [\"base\"] }\ntarget \"a\" {\n  inherits = [\"other\", \"mid\"]\n  target = \"t\"\n  args = { B = D }\n}\ntarget \"other\" {\n  context = \"o\"\n  dockerfile = \"F\"\n}\ntarget \"b\" { inherits = [\"mid\"] }\ntarget \"m\" { inherits = [\"gone\"] }\ntarget \"f\" { dockerfile = lower(\"X\") }\n";
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
            "target `f`: its `dockerfile` is an expression that is not computed"
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
