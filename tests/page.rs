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

/// Several jobs of such names on two clusters, one of them partly booked, a deadline that is missed.
const LADDER: &str = r#"
cluster = ["r7z2", "<img src=x onerror=alert(1)>"]

[schedule]
start = "2026-12-01T09:00Z"
minimise = "lateness"

[schedule.clusters.r7z2]
capacity_nodes = 4
booked = [{ from = "2026-12-02", to = "2026-12-03", nodes = 2 }]

[schedule.clusters."<img src=x onerror=alert(1)>"]
available = [{ from = "2026-12-02", to = "2026-12-09", nodes = 2 }]

[clusters."<img src=x onerror=alert(1)>"]
gpu = "a100-40gb"
max_gpus = 64
inter_node_gbps = 800

[[jobs]]
name = "<script>alert('x')</script> \"& <b>"
model = "gpt-760m"
tokens = "20x"
deadline = "2h"
priority = 3

[[jobs]]
name = "it's the \"second\" one"
model = "gpt-1b"
tokens = "20x"
deadline = "4d"

[[jobs]]
model = "gpt-350m"
tokens = "20x"
after = ["it's the \"second\" one"]
earliest = "2026-12-02T12:00Z"

[[jobs]]
name = "a name that is much longer than there is room for it in any chart of a report like this"
model = "gpt-125m"
tokens = "20x"
"#;

/// A booking by a product of such a name.
const BOOKING: &str = r#"
model = "gpt-7b"
tokens = "134B"
clusters = ["p4d.24xlarge"]

[reliability]
spares = 1

[reserve]
start = "2026-12-01T09:00Z"
deadline = "2026-12-12"

[launch]
name = "<script>alert('x')</script> \"& <b>"
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

/// What the page's checker exits with where it has nothing to look with.
const NOTHING_TO_LOOK_WITH: i32 = 3;

/// What the browser says; `None` where there is none. With `TMINUS_REQUIRE_BROWSER` set, as on the
/// machine that decides about a change, leaving the page out is a failure.
fn look(page: &Path, charts: usize) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validators/page.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(format!("--charts={charts}"))
        .arg(page)
        .output()
        .ok();
    let looked = |output: &Output| output.status.code() != Some(NOTHING_TO_LOOK_WITH);
    let output = output.filter(looked);
    if output.is_none() {
        assert!(
            std::env::var_os("TMINUS_REQUIRE_BROWSER").is_none(),
            "the page has to be looked at, but there is no browser, pdftotext or Python here"
        );
        println!("skipped: there is no browser, pdftotext or Python to look at the page with");
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

/// Many GPUs and no price; one GPU count and a measured cell; next to the memory limit; a
/// front of time against cost.
const OTHERS: [(&str, &str); 5] = [
    (
        "pareto",
        "--model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1 --sort pareto",
    ),
    (
        "large",
        "--model llama-3-70b --tokens 15T --cluster h100-cluster --stack bf16-gather",
    ),
    (
        "dear",
        "--model llama-3-8b --tokens 15T --cluster p4de.24xlarge --stack bf16-gather",
    ),
    (
        "tiny",
        "--model gpt-125m --tokens 100M --cluster r7z2 --gpus 8",
    ),
    (
        "tight",
        "--model gpt-7b --tokens 20B --cluster r7z2 --gpus 8 --micro-batch 8 --checkpointing on \
         --allow-tight",
    ),
];

#[test]
fn a_page_is_in_order_at_every_width_and_in_print() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("job.toml"), JOB).unwrap();
    let mut pages = vec![
        report(root.path(), "plain.html", &GPT_7B),
        report(root.path(), "escaped.html", &["job.toml"]),
    ];
    for (name, flags) in OTHERS {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        pages.push(report(root.path(), &format!("{name}.html"), &flags));
    }
    fs::write(root.path().join("booking.toml"), BOOKING).unwrap();
    pages.push(report(root.path(), "booking.html", &["booking.toml"]));
    let mut pages: Vec<(PathBuf, usize)> = pages.into_iter().map(|page| (page, 6)).collect();
    fs::write(root.path().join("ladder.toml"), LADDER).unwrap();
    pages.push((report(root.path(), "ladder.html", &["ladder.toml"]), 5));
    for (page, charts) in pages {
        if let Some(output) = look(&page, charts) {
            assert!(
                output.status.success(),
                "{}: {}",
                page.display(),
                said(&output)
            );
        }
    }
}

#[test]
fn a_page_out_of_order_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(report(root.path(), "plain.html", &GPT_7B)).unwrap();
    let main = |inserted: &str| vec![("<main>".to_owned(), format!("<main>{inserted}"))];
    let swap = |from: &str, to: &str| vec![(from.to_owned(), to.to_owned())];
    let image = "<img src=\"http://192.0.2.1/x.png\">";
    let mut allowed = main(image);
    allowed.extend(swap("img-src data:", "img-src *"));
    for (edits, reason) in [
        (main("<p style=\"width:2000px\">wide</p>"), "px wide"),
        (main("<script>alert(1)</script>"), "CONSOLE"),
        (main(image), "CONSOLE"),
        (allowed, "a request leaves the page: http://192.0.2.1/x.png"),
        (
            main("<p>one</p><p style=\"margin-top:-2rem\">two</p>"),
            "\"one\" covers \"two\"",
        ),
        (
            swap("class=\"tick\" x=\"", "class=\"tick\" x=\"1"),
            "leaves its chart",
        ),
        (
            swap("width: 100%; max-width: 28rem", "width: 20px"),
            "is empty",
        ),
        (swap("class=\"name\"", "class=\"tick\""), "names no axis"),
        (swap("-d\"><title", "\"><title"), "has no text alternative"),
        (
            swap(
                ".chart text { font-size: 12px",
                ".chart text { font-size: 7px",
            ),
            "too small",
        ),
        (
            main("<table><tr><td>above<div style=\"height:400mm\"></div>below</td></tr></table>"),
            "print: a row is cut",
        ),
        (
            swap(
                "figure { padding: 2.5mm;",
                "figcaption { margin-top: 300mm; } figure { break-inside: auto;",
            ),
            "print: a chart is cut",
        ),
        (swap("size: A4", "size: A5"), "is not A4"),
        (
            swap("--ink: #e6e9ed", "--ink: #2a2f36"),
            "dark: \"Training gpt-7b on 134B tokens\" is hard to read",
        ),
    ] {
        let broken = edits
            .iter()
            .fold(page.clone(), |page, (from, to)| page.replace(from, to));
        assert_ne!(broken, page, "the twin is the page itself: {edits:?}");
        let file = root.path().join("broken.html");
        fs::write(&file, broken).unwrap();
        if let Some(output) = look(&file, 6) {
            assert_eq!(output.status.code(), Some(1), "{edits:?} is let through");
            assert!(
                said(&output).contains(reason),
                "{edits:?}: {}",
                said(&output)
            );
        }
    }
}

#[test]
fn names_are_text_wherever_they_stand() {
    let root = tempfile::tempdir().unwrap();
    for (name, job) in [("job", JOB), ("ladder", LADDER), ("booking", BOOKING)] {
        fs::write(root.path().join("job.toml"), job).unwrap();
        let page = fs::read_to_string(report(root.path(), "r.html", &["job.toml"])).unwrap();
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{name}"
        );
        // A booking's own name is made of letters and digits before it goes anywhere.
        assert_eq!(page.contains("&lt;script&gt;"), name != "booking", "{name}");
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "{name}"
        );
    }
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
