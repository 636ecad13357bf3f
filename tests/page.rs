//! The report as a page: looked at in a real browser where there is one.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't run should fail, and say so where it is left out"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A job whose names would be markup, were they not escaped.
const JOB: &str = r#"
model = "<script>alert('x')</script> \"& <b>"
tokens = "20B"
cluster = ["<img src=x onerror=alert(1)>", "r1z1"]

[models."<script>alert('x')</script> \"& <b>"]
d_model = 1024
n_layers = 24
n_heads = 16
vocab_size = 50257
seq_len = 2048
global_batch = "512Ki"

[clusters."<img src=x onerror=alert(1)>"]
gpu = "a100-40gb"
max_gpus = 64
inter_node_gbps = 800
"#;

fn report(directory: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let file = directory.join(name);
    let status = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .arg("report")
        .args(arguments)
        .arg("-o")
        .arg(&file)
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success());
    file
}

/// What the browser says; `None` when there is none, or no Python to ask it.
fn look(page: &Path) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validators/page.py");
    let output = Command::new("python3").arg(script).arg(page).output().ok();
    let skipped = |output: &Output| String::from_utf8_lossy(&output.stdout).contains("skipped");
    let output = output.filter(|output| !skipped(output));
    if output.is_none() {
        println!("skipped: there is no browser here");
    }
    output
}

fn said(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr];
    texts
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

const GPT_7B: [&str; 8] = [
    "--model",
    "gpt-7b",
    "--tokens",
    "134B",
    "--cluster",
    "r7z2",
    "--cluster",
    "r1z1",
];

#[test]
fn a_page_is_in_order_at_every_width_and_in_print() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("job.toml"), JOB).unwrap();
    for page in [
        report(root.path(), "plain.html", &GPT_7B),
        report(root.path(), "escaped.html", &["job.toml"]),
    ] {
        if let Some(output) = look(&page) {
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

#[test]
fn a_page_out_of_order_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(report(root.path(), "plain.html", &GPT_7B)).unwrap();
    for (from, to) in [
        ("<main>", "<main><p style=\"width:2000px\">wide</p>"),
        ("<main>", "<main><script>alert(1)</script>"),
        ("<main>", "<main><img src=\"http://127.0.0.1:9/x.png\">"),
        ("class=\"tick\" x=\"", "class=\"tick\" x=\"1"),
        ("break-inside: avoid", "break-inside: auto"),
    ] {
        let broken = page.replace(from, to);
        assert_ne!(broken, page);
        let file = root.path().join("broken.html");
        fs::write(&file, broken).unwrap();
        if let Some(output) = look(&file) {
            assert_eq!(
                output.status.code(),
                Some(1),
                "{to} is let through: {}",
                said(&output)
            );
        }
    }
}

#[test]
fn names_are_text_wherever_they_stand() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("job.toml"), JOB).unwrap();
    let page = fs::read_to_string(report(root.path(), "r.html", &["job.toml"])).unwrap();
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}

#[test]
fn every_ending_has_its_form_and_the_same_bytes_again() {
    let root = tempfile::tempdir().unwrap();
    for (name, start) in [
        ("r.html", "<!doctype html>"),
        ("r.md", "## Training gpt-7b on 134B tokens"),
        ("r.json", "{"),
        ("r.csv", "rank,cluster"),
    ] {
        let first = fs::read(report(root.path(), name, &GPT_7B)).unwrap();
        let again = fs::read(report(root.path(), name, &GPT_7B)).unwrap();
        assert!(first == again, "{name} differs");
        assert!(
            String::from_utf8(first).unwrap().starts_with(start),
            "{name}"
        );
    }
    let refused = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(["report", "--model", "gpt-7b", "-o", "r.htm"])
        .current_dir(root.path())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("r.html"), "{}", said(&refused));
}
