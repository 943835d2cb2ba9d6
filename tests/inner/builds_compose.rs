//! Compose files: reading them, and the place of an argument.

use cachelane::builds::{Build, BuildFile, Subject, ValueSource};

use crate::made_builds::{Format, made};

fn read(source: &str) -> BuildFile {
    Format::Compose.read(source)
}

fn fixed(source: &str, name: &str) -> Result<String, String> {
    let builds = read(source).builds;
    let is_it = |build: &&Build| build.name == format!("service `{name}`");
    let build = builds.iter().find(is_it).unwrap();
    Ok(made(source, &Format::Compose.pass(source, build)?))
}

#[test]
fn every_form_gets_its_argument() {
    for (source, expected) in [
        (
            "services:\n  a:\n    build: .\n",
            "services:\n  a:\n    build:\n      context: .\n      args:\n        CACHE_ID: ${CACHE_ID:-default}\n",
        ),
        (
            "services:\n    a:\n        build:   './x'   # why\n        image: b\n",
            "services:\n    a:\n        build:\n            context: './x'   # why\n            args:\n                CACHE_ID: ${CACHE_ID:-default}\n        image: b\n",
        ),
        (
            "services:\r\n  a:\r\n    build: .",
            "services:\r\n  a:\r\n    build:\r\n      context: .\r\n      args:\r\n        CACHE_ID: ${CACHE_ID:-default}",
        ),
        (
            "services:\n  a:\n    build:\n      context: .\n      args:\n      - X\n      # end\n    image: b\n",
            "services:\n  a:\n    build:\n      context: .\n      args:\n      - X\n      - CACHE_ID=${CACHE_ID:-default}\n      # end\n    image: b\n",
        ),
        (
            "services: {a: {build: {context: ., args: [X]}}}\n",
            "services: {a: {build: {context: ., args: [X, \"CACHE_ID=${CACHE_ID:-default}\"]}}}\n",
        ),
        (
            "services: {a: {build: .}}\n",
            "services: {a: {build: {context: ., args: {CACHE_ID: \"${CACHE_ID:-default}\"}}}}\n",
        ),
        (
            "services:\n  a:\n    build:\n      args: # none\n      context: x\n",
            "services:\n  a:\n    build:\n      args: # none\n        CACHE_ID: ${CACHE_ID:-default}\n      context: x\n",
        ),
    ] {
        assert_eq!(fixed(source, "a").unwrap(), expected);
    }
}

#[test]
fn fragments_are_mended_where_they_stand_unless_others_build_something_else() {
    let shared = "x-b: &b\n  context: .\n  args: &args\n    X: 1\nservices:\n  a:\n    build: *b\n  c:\n    build:\n      <<: *b\n      target: t\n";
    let expected = shared.replace("X: 1\n", "X: 1\n    CACHE_ID: ${CACHE_ID:-default}\n");
    assert_eq!(fixed(shared, "a").unwrap(), expected);
    assert_eq!(fixed(shared, "c").unwrap(), expected);
    let other = format!("{shared}  d:\n    build: {{context: d, args: *args}}\n");
    assert_eq!(
        fixed(&other, "a").unwrap_err(),
        "service `d` gets its arguments from the same place, and builds another Dockerfile"
    );
}

#[test]
fn what_an_alias_puts_elsewhere_is_left() {
    let environment = "x-env: &e\n  A: 1\nservices:\n  a:\n    build:\n      context: .\n      args: *e\n    environment: *e\n";
    let why = "an alias would put it into `services.a.environment` as well: give the build arguments of its own, `<<` for the rest";
    assert_eq!(fixed(environment, "a").unwrap_err(), why);
    for (from, to) in [
        ("environment: *e", "environment:\n      <<: *e\n      B: 2"),
        ("environment: *e", "environment:\n      <<: [*e]"),
        ("x-env: &e\n  A: 1\n", "x-all:\n- &e\n  A: 1\n"),
        (
            "    environment: *e\n",
            "  b: &e2\n    image: b\n    environment: *e\n",
        ),
    ] {
        let source = environment.replace(from, to);
        assert!(
            fixed(&source, "a")
                .unwrap_err()
                .contains(".environment` as well"),
            "{source}"
        );
    }
    // The other way round: the environment's mapping is the build's by an alias.
    let source =
        "services:\n  a:\n    environment: &e\n      A: 1\n    build: {context: ., args: *e}\n";
    assert_eq!(fixed(source, "a").unwrap_err(), why);
    // The mapping around it is used elsewhere.
    let source = "x-a: &a\n  args: &e\n    A: 1\nservices:\n  a:\n    build:\n      context: .\n      args: *e\n    labels: *a\n";
    assert!(
        fixed(source, "a")
            .unwrap_err()
            .contains("`services.a.labels.args` as well"),
        "{source}"
    );
    let source = "services:\n  a:\n    build: &b\n      context: .\n    develop: *b\n";
    assert!(
        fixed(source, "a")
            .unwrap_err()
            .contains("`services.a.develop` as well"),
        "{source}"
    );
    // Builds, and keys that Compose ignores.
    for source in [
        environment.replace(
            "    environment: *e\n",
            "  b:\n    build:\n      context: .\n      args:\n        <<: *e\n        B: 2\n",
        ),
        environment.replace("environment: *e", "x-more: *e"),
        environment.replace("environment: *e", "environment: {A: 1}"),
        environment.replace("args: *e", "args: {<<: *e, B: 2}"),
        "services:\n  a: &a\n    build: .\n  b:\n    <<: *a\n    image: b\n".to_owned(),
    ] {
        assert!(
            fixed(&source, "a").unwrap().contains("CACHE_ID"),
            "{source}"
        );
    }
}

#[test]
fn services_extend_one_another() {
    let source = "services:\n  base:\n    build:\n      context: b\n      args: [X=1, Y]\n  a:\n    extends: base\n    build:\n      target: t\n      args: {X: 2}\n  o:\n    extends: {file: o.yml, service: s}\n  p:\n    extends: {service: base}\n  loop:\n    extends: loop\n";
    let build_file = read(source);
    let names: Vec<_> = build_file
        .builds
        .iter()
        .map(|build| build.name.as_str())
        .collect();
    assert_eq!(names, ["service `base`", "service `a`", "service `p`"]);
    let a = &build_file.builds[1];
    assert_eq!(
        (&a.subject, a.target.as_deref()),
        (&Subject::File("b/Dockerfile".into()), Some("t"))
    );
    let args: Vec<_> = a
        .args
        .iter()
        .map(|arg| (arg.name.as_str().unwrap(), arg.value.as_deref()))
        .collect();
    assert_eq!(args, [("X", Some("2")), ("Y", None)]);
    let source_of_o = &build_file.sources[0];
    let extended = source_of_o.extended.as_ref().unwrap();
    assert_eq!(
        (
            source_of_o.path.as_str(),
            extended.name.as_str(),
            extended.of.as_str()
        ),
        ("o.yml", "o", "s")
    );
    assert!(
        fixed(source, "p")
            .unwrap()
            .contains("args: [X=1, Y, \"CACHE_ID=${CACHE_ID:-default}\"]")
    );
}

#[test]
fn what_a_variable_names_is_unknown_without_a_default() {
    let source = "include: [x, {path: [$P, y]}, {path: z, project_directory: .}, 'oci://a/b']\nservices:\n  a: {build: '${D:-x}/y'}\n  b: {build: {dockerfile: $F}}\n  c: {build: 'https://x/y.git'}\n  d: {image: e}\n";
    let build_file = read(source);
    assert_eq!(
        build_file.builds[0].subject,
        Subject::File("x/y/Dockerfile".into())
    );
    assert_eq!(build_file.builds.len(), 1);
    let why: Vec<_> = build_file
        .unknown
        .iter()
        .map(|unknown| unknown.why.as_str())
        .collect();
    assert_eq!(
        why,
        [
            "an included file is named by the variable `P`",
            "the paths of a Compose file that is included start from another folder",
            "`oci://a/b`, which is included, is not a file of this repository",
            "service `b`: its `dockerfile` is named by the variable `F`",
            "service `c`: its context is not a folder of this repository",
        ]
    );
    let sources = build_file.sources.iter();
    assert_eq!(
        sources
            .map(|source| source.path.as_str())
            .collect::<Vec<_>>(),
        ["x"]
    );
}

#[test]
fn defaults_are_put_in_at_any_depth() {
    let source = "services:\n  a: {build: {dockerfile: 'a$$b${X:-c${Y-d}}e$(f)$', args: {V: 'a$$b${X:-c${Y-d}}e$Z', W: '$$X'}}}\n  b: {build: {dockerfile: '${X'}}\n  c: {build: {dockerfile: 'a/${X:-y}/$Z'}}\n  d: {build: {dockerfile: '${X:?no}'}}\n";
    let file = read(source);
    let path = |at: usize| file.builds[at].subject.to_string();
    assert_eq!((path(0), path(1)), ("a$bcde$(f)$".into(), "${X".into()));
    let args = &file.builds[0].args;
    let from =
        |names: &[&str]| ValueSource::Variables(names.iter().map(ToString::to_string).collect());
    assert_eq!(args[0].from, from(&["X", "Z", "Y"]));
    assert_eq!(args[1].from, from(&[]));
    let why: Vec<_> = file.unknown.iter().map(|unknown| &*unknown.why).collect();
    assert!(
        why[0].ends_with("variable `Z`") && why[1].ends_with("variable `X`"),
        "{why:?}"
    );
}

#[test]
fn paths_are_joined() {
    for (context, name, expected) in [
        (".", "Dockerfile", "Dockerfile"),
        ("./a/", "../b/./D", "b/D"),
        ("..", "D", "../D"),
        ("a/../..", "D", "../D"),
        ("https://x/y.git", "D", ""),
        ("git@x:y", "D", ""),
        ("/a", "D", ""),
        (".", "/D", ""),
        (".", "-", ""),
    ] {
        let source =
            format!("services: {{a: {{build: {{context: '{context}', dockerfile: '{name}'}}}}}}\n");
        let builds = read(&source).builds;
        let found = builds.first().map(|build| build.subject.to_string());
        assert_eq!(found.unwrap_or_default(), expected, "{context} {name}");
    }
}
