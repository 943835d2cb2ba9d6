//! The command line, as data: every `$` line under `tests/cmd/` is run, and its output compared.
//!
//! After a change that is meant, `tests/bless` writes the outputs anew; read the diff.

#[test]
fn commands_and_documents() {
    let cases = trycmd::TestCases::new();
    // What a developer's or CI's environment says must not show.
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
