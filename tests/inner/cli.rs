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
    cases.case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
}
