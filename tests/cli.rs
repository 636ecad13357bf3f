//! The command line as people meet it: transcripts of real commands.

/// Every `console` block of the README, of `tests/cmd` and of `tests/mistakes` is run, and its
/// output compared.
#[test]
fn transcripts_hold() {
    // What the README's own commands write: a folder of files that launch is not written over.
    let _ = std::fs::remove_dir_all("launch");
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        .case("tests/mistakes/*.trycmd")
        .case("README.md")
        .run();
    let _ = std::fs::remove_dir_all("launch");
    for file in ["plan.json", "booking.html", "front.html", "ladder.html"] {
        let _ = std::fs::remove_file(file);
    }
}
