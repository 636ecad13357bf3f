//! The command line as people meet it: transcripts of real commands.

/// Every `console` block of the README, of `tests/cmd` and of `tests/mistakes` is run, and its
/// output compared.
#[test]
fn transcripts_hold() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        .case("tests/mistakes/*.trycmd")
        .case("README.md");
}
