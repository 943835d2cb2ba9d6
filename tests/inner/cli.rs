//! Runs every `$` line under `tests/cmd/` and compares its output.
//!
//! After an intended change, `tests/bless` writes the outputs anew; read the diff.

#[test]
fn commands_and_documents() {
    let cases = trycmd::TestCases::new();
    // The environment of a developer or CI must not show.
    for name in [
        "NO_COLOR",
        "GITHUB_ACTIONS",
        "CI",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "GITHUB_STEP_SUMMARY",
        "FORCE_COLOR",
    ] {
        cases.env(name, "");
    }
    // Each folder is a project of its own, not a part of this repository.
    cases.env(
        "GIT_CEILING_DIRECTORIES",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd"),
    );
    cases.case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
}
