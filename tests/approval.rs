//! What a report recommends is what the other commands answer.

#![expect(clippy::unwrap_used, reason = "a test that can't run should fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd");

/// Two jobs that keep their durations with a probability of 90 %.
const SURE: &str = r#"
clusters = ["r1z1"]
tokens = "20x"

[schedule]
start = "2026-12-01"
probability = 0.9

[schedule.clusters.r1z1]
capacity_nodes = 4

[[jobs]]
model = "gpt-760m"
deadline = "2d"

[[jobs]]
model = "gpt-1b"
after = ["gpt-760m"]
"#;

fn tminus(directory: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap()
}

fn said(directory: &Path, arguments: &str) -> String {
    let output = tminus(directory, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a report writes.
fn report(directory: &Path, arguments: &str, name: &str) -> String {
    said(directory, &format!("report {arguments} -o {name}"));
    fs::read_to_string(directory.join(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn file(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    file
}

/// What looks better on every count and can't be had says why not.
#[test]
fn what_the_product_does_not_sell_is_no_alternative() {
    let root = tempfile::tempdir().unwrap();
    let job = "model = \"gpt-7b\"\ntokens = \"134B\"\nclusters = [\"p4d.24xlarge\", \"r1z1\"]\n\
               [reserve]\nbudget = \"45k\"\nproduct = \"on-demand\"\nstart = \"2026-12-01T09:00Z\"\n";
    file(root.path(), "job.toml", job);
    let text = report(root.path(), "job.toml", "r.md");
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with('|') && line.contains("of r1z1"))
        .collect();
    assert!(!rows.is_empty(), "{text}");
    for row in rows {
        assert!(row.contains("not sold by on-demand"), "{row}");
    }
    assert!(text.contains("r1z1, on-demand"), "{text}");
    // What the budget is held against stands in it, and why a faster booking is not taken.
    let told = json(&report(root.path(), "job.toml", "r.json"));
    let booking = &told["reservation"]["bookings"][0];
    let suffices = booking["committed_usd"].as_f64().unwrap();
    assert!(suffices <= 45_000.0, "{booking}");
    let whole = format!("{:.0}", suffices.ceil());
    let (thousands, rest) = whole.split_at(whole.len() - 3);
    let figure = format!("${thousands},{rest}: a budget is held against");
    assert!(text.contains(&figure), "{figure} in {text}");
    let steps = booking["steps"].as_array().unwrap();
    let more = steps.iter().find(|step| step["change"] == "more-nodes");
    let more = more.unwrap();
    assert!(more["cost_usd"].as_f64().unwrap() < 45_000.0, "{more}");
    assert!(more["committed_usd"].as_f64().unwrap() > 45_000.0, "{more}");
    assert!(text.contains("at most $"), "{text}");
}

/// What is refused by commands that read `[reserve]` from the job file alone is put right there.
#[test]
fn remedies_name_what_the_command_can_be_told() {
    let root = tempfile::tempdir().unwrap();
    let job = |goal: &str| {
        let text = format!(
            "model = \"gpt-1b\"\ntokens = \"26B\"\nclusters = [\"r1z1\"]\n[reserve]\n{goal}\n\
             start = \"2026-12-01\"\n"
        );
        file(root.path(), "job.toml", &text);
    };
    let refused = |arguments: &str| {
        let output = tminus(root.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (goal, key) in [
        ("deadline = \"1h\"", "deadline"),
        ("budget = \"1k\"", "budget"),
    ] {
        job(goal);
        assert!(refused("reserve job.toml").contains(&format!("(`--{key} ")));
        for command in [
            "report job.toml -o r.md",
            "launch job.toml --target slurm --dry-run",
        ] {
            let said = refused(command);
            assert!(!said.contains(&format!("--{key}")), "{command}: {said}");
            let (_, rest) = said.split_once(&format!("(`{key} = ")).unwrap();
            let (value, _) = rest.split_once("` in [reserve])").unwrap();
            job(&format!("{key} = {value}"));
            assert!(!report(root.path(), "job.toml", "r.md").is_empty());
            job(goal);
        }
    }
}

#[test]
fn the_booking_is_the_one_that_reserve_finds() {
    let root = tempfile::tempdir().unwrap();
    let job = format!("{CASES}/reserve.in/job.toml");
    let found = json(&said(root.path(), &format!("reserve {job} --format json")));
    let told = json(&report(root.path(), &job, "r.json"));
    assert_eq!(told["reservation"], found);
    let bookings = found["bookings"].as_array().unwrap();
    let cost = |booking: &Value| booking["cost_usd"]["expected"].as_f64().unwrap();
    let place = told["recommended_booking"].as_u64().unwrap();
    let booking = &bookings[usize::try_from(place).unwrap() - 1];
    assert!(bookings.iter().all(|other| cost(booking) <= cost(other)));
    let text = report(root.path(), &job, "r.md");
    let nodes = format!("\nBook {} node", booking["booked_nodes"]);
    assert!(text.contains(&nodes), "{text}");
    let commands = booking["in_words"]["commands"].as_str().unwrap();
    assert!(text.contains(commands), "{text}");
    // Another start moves the booking.
    let later = report(
        root.path(),
        &format!("{job} --start 2027-03-01"),
        "later.json",
    );
    let start = &json(&later)["reservation"]["bookings"][0]["start"];
    assert_eq!(start.as_str().unwrap(), "2027-03-01T00:00:00Z");
}

/// The booking recommended is the first of the bookings shown, and its bill adds up at the price: hours
/// that are billed end with the booking.
#[test]
fn a_bill_is_of_the_hours_billed() {
    let root = tempfile::tempdir().unwrap();
    let job = "model = \"gpt-1b\"\ntokens = \"26B\"\ncluster = \"a2-highgpu-8g\"\n[reserve]\n\
               product = \"on-demand\"\nnodes = 8\nprobability = 0.55\n";
    file(root.path(), "job.toml", job);
    let text = report(root.path(), "job.toml", "r.md");
    let row = text.lines().find(|line| line.starts_with("| total high"));
    let cells: Vec<f64> = row
        .unwrap()
        .split('|')
        .filter_map(|cell| cell.trim().replace(',', "").parse().ok())
        .collect();
    assert!((cells[0] * cells[1] - cells[2]).abs() < 1.0, "{cells:?}");
    let two = "model = \"gpt-13b\"\ntokens = \"260B\"\ncluster = \"h100-cluster\"\n\
               stack = \"bf16-gather\"\nusd_per_gpu_hour = 2.35\n[search]\ngpus = 128\n\
               [reserve]\nstart = \"2027-01-11T09:00Z\"\ndeadline = \"2027-01-21\"\n";
    file(root.path(), "two.toml", two);
    let told = json(&report(root.path(), "two.toml", "two.json"));
    let bookings = told["reservation"]["bookings"].as_array().unwrap();
    let cost = |booking: &Value| booking["cost_usd"]["expected"].as_f64().unwrap();
    assert_eq!(told["recommended_booking"], 1);
    assert!(cost(&bookings[0]) < cost(&bookings[1]));
    let text = report(root.path(), "two.toml", "two.md");
    assert!(text.contains("smallest, (cheapest)"), "{text}");
}

#[test]
fn a_measured_cell_is_called_this_run_only_at_its_own_accumulation() {
    let root = tempfile::tempdir().unwrap();
    let job =
        "--model gpt-125m --tokens 2B --cluster r7z2 --gpus 8 --seq-len 2048 --micro-batch 16";
    let text = report(root.path(), &format!("{job} --global-batch 16Mi"), "r.md");
    assert!(
        text.contains("this run, its gradient accumulation aside"),
        "{text}"
    );
    let text = report(root.path(), job, "r.md");
    assert!(text.contains("is this very run"), "{text}");
}

#[test]
fn a_stated_price_is_a_setting() {
    let root = tempfile::tempdir().unwrap();
    let job = "--model gpt-125m --tokens 2B";
    let none = "every setting but the model and the tokens is the default";
    assert!(report(root.path(), job, "r.md").contains(none));
    let text = report(
        root.path(),
        &format!("{job} --usd-per-gpu-hour 1.9"),
        "r.md",
    );
    assert!(!text.contains(none), "{text}");
    assert!(
        text.contains("**price**: $1.90 per GPU-hour, stated"),
        "{text}"
    );
}

#[test]
fn a_booking_that_is_not_to_be_had_is_no_report() {
    let root = tempfile::tempdir().unwrap();
    let job = "model = \"gpt-7b\"\ntokens = \"134B\"\nclusters = [\"r1z1\"]\n\
               [reserve]\ndeadline = \"30h\"\n";
    file(root.path(), "job.toml", job);
    let asked = tminus(root.path(), "reserve job.toml");
    let reported = tminus(root.path(), "report job.toml -o r.html");
    assert_eq!(reported.status.code(), Some(1));
    // The same, but for how a setting is named.
    let reported = String::from_utf8(reported.stderr).unwrap();
    let named = reported.replace("`deadline = \"52h\"` in [reserve]", "`--deadline 52h`");
    assert_ne!(reported, named);
    assert_eq!(named, String::from_utf8(asked.stderr).unwrap());
    assert!(!root.path().join("r.html").exists());
}

#[test]
fn a_front_is_reported_from_its_knee() {
    let root = tempfile::tempdir().unwrap();
    let job = "--model gpt-7b --tokens 134B --cluster r7z2 --cluster r1z1 --sort pareto";
    let plan = said(root.path(), &format!("plan {job} --format json"));
    assert_eq!(report(root.path(), job, "r.json"), plan);
    let plan = json(&plan);
    let candidates = plan["candidates"].as_array().unwrap();
    let knee = candidates
        .iter()
        .find(|c| c["pareto"]["knee"] == true)
        .unwrap();
    let text = report(root.path(), job, "r.md");
    let run = format!(
        "\nTrain gpt-7b on {} nodes of {} ({} × {})",
        knee["nodes"],
        knee["cluster"].as_str().unwrap(),
        knee["gpus"],
        knee["gpu"].as_str().unwrap()
    );
    assert!(text.contains(&run), "{run}: {text}");
    // One that misses the global batch is marked.
    let row = format!("{} |", knee["rank"]);
    let mut rows = text.lines().filter_map(|line| line.strip_prefix("|"));
    let row = rows.find(|line| line.trim_start_matches([' ', '\\', '~']).starts_with(&row));
    let row = row.unwrap();
    assert!(row.contains("| recommended"), "{row}");
    assert_eq!(text.matches("| recommended").count(), 1);
}

#[test]
fn jobs_are_as_sure_as_their_durations_were_asked_to_be() {
    let root = tempfile::tempdir().unwrap();
    file(root.path(), "sure.toml", SURE);
    let schedule = said(root.path(), "plan sure.toml --format json");
    assert_eq!(report(root.path(), "sure.toml", "r.json"), schedule);
    let schedule = json(&schedule);
    let jobs = schedule["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    // Durations are quantiles, rounded up to whole minutes.
    let sure = |job: &Value| job["done_by_end"].as_f64().unwrap();
    assert!((0.9..0.95).contains(&sure(&jobs[0])), "{}", jobs[0]);
    // The second is in time at least where both keep theirs, and no more surely than by its own.
    assert!((0.81..0.95).contains(&sure(&jobs[1])), "{}", jobs[1]);
    assert!(sure(&jobs[1]) < sure(&jobs[0]), "{}", jobs[1]);
    let first = jobs[0]["done_by_deadline"].as_f64().unwrap();
    assert!(first >= jobs[0]["done_by_end"].as_f64().unwrap());
    assert_eq!(jobs[1]["done_by_deadline"], Value::Null);
    let text = report(root.path(), "sure.toml", "r.md");
    assert!(
        text.contains("gpt-760m is done by its deadline, 2026-12-03 00:00"),
        "{text}"
    );
    // Nothing is to be warned of: nine in ten jobs are done by their end.
    assert!(!text.contains("**overruns**"), "{text}");
}

/// Hours booked beyond those expected are told apart from what is expected, in the plan as in the report.
#[test]
fn a_plan_says_what_is_booked_and_what_is_expected() {
    let root = tempfile::tempdir().unwrap();
    file(root.path(), "sure.toml", SURE);
    file(
        root.path(),
        "expected.toml",
        &SURE.replace("probability = 0.9", ""),
    );
    let cost = |schedule: &Value, key: &str| schedule[key].as_f64().unwrap();
    let both = |name: &str| {
        let schedule = json(&said(root.path(), &format!("plan {name} --format json")));
        for key in ["cost_usd", "expected_cost_usd"] {
            let jobs = schedule["jobs"].as_array().unwrap();
            let sum: f64 = jobs.iter().map(|job| cost(job, key)).sum();
            assert!((sum - cost(&schedule, key)).abs() < 1e-6, "{schedule}");
        }
        (
            cost(&schedule, "cost_usd"),
            cost(&schedule, "expected_cost_usd"),
        )
    };
    let (booked, expected) = both("sure.toml");
    assert!(expected < booked, "{expected} {booked}");
    let text = said(root.path(), "plan sure.toml");
    let words = format!("${booked:.0} as booked, expected ${expected:.0}\n");
    assert!(
        text.replace(',', "").contains(&words.replace(',', "")),
        "{words} {text}"
    );
    let (same, expected) = both("expected.toml");
    assert!((same - expected).abs() < 1e-9, "{same} {expected}");
    assert!(!said(root.path(), "plan expected.toml").contains("booked"));
}

#[test]
fn flags_on_time_and_cost_hold_for_every_job() {
    let root = tempfile::tempdir().unwrap();
    file(root.path(), "sure.toml", SURE);
    let cost = |flags: &str| {
        let told = report(root.path(), &format!("sure.toml {flags}"), "r.json");
        json(&told)["cost_usd"].as_f64().unwrap()
    };
    let (one, three) = (cost("--usd-per-gpu-hour 1"), cost("--usd-per-gpu-hour 3"));
    assert!((three / one - 3.0).abs() < 1e-9, "{one} {three}");
    let refused = tminus(root.path(), "report sure.toml --start 2027-01-01 -o r.html");
    assert_eq!(refused.status.code(), Some(2));
    assert!(!root.path().join("r.html").exists());
}

/// What has no price can't be the cheapest, and a proof says so.
#[test]
fn a_proof_by_cost_names_the_clusters_without_a_price() {
    let root = tempfile::tempdir().unwrap();
    let jobs = |clusters: &str| {
        format!(
            "clusters = {clusters}\ntokens = \"20x\"\n[schedule]\nstart = \"2026-12-01\"\n\
             minimise = \"cost\"\n[[jobs]]\nmodel = \"gpt-1b\"\n"
        )
    };
    let without = "no price of h100-cluster is known";
    for (clusters, told) in [
        ("[\"r1z1\", \"h100-cluster\"]", true),
        ("[\"r1z1\"]", false),
    ] {
        file(root.path(), "jobs.toml", &jobs(clusters));
        let page = report(root.path(), "jobs.toml", "r.md");
        assert_eq!(
            page.contains("weighed on clusters with a price"),
            told,
            "{page}"
        );
        assert_eq!(page.contains(without), told, "{page}");
    }
}

/// A stack of one's own rows is taken where none is named: it is then no setting that differs.
#[test]
fn the_stack_of_own_rows_is_the_default() {
    let root = tempfile::tempdir().unwrap();
    let rows = "model,gpu,gpus,stack,seq_len,micro_batch,grad_accum,activation_checkpointing,\
                throughput_tok_s\nllama-3-8b,h100,64,bf16-gather,8192,1,8,on,540000\n";
    file(root.path(), "own.csv", rows);
    said(root.path(), "fit own.csv -o own.toml");
    let job = "--model llama-3-8b --cluster h100-cluster --gpus 64 --fit own.toml";
    let differing = |flags: &str| {
        let text = report(root.path(), &format!("{job} {flags}"), "r.md");
        let (_, settings) = text.split_once("differ from the defaults").unwrap();
        let settings = settings
            .lines()
            .skip(1)
            .take_while(|line| !line.starts_with('#'));
        settings.collect::<Vec<&str>>().join("\n")
    };
    assert!(!differing("").contains("stack"), "{}", differing(""));
    let named = differing("--stack pure-bf16");
    assert!(
        named.contains("stack") && named.contains("pure-bf16"),
        "{named}"
    );
}

/// Who books by a probability pays for the hours booked: the report has that bill, job by job, and draws how
/// long each is booked.
#[test]
fn a_report_has_the_bill_of_the_hours_booked() {
    let root = tempfile::tempdir().unwrap();
    file(root.path(), "sure.toml", SURE);
    let schedule = json(&said(root.path(), "plan sure.toml --format json"));
    let text = report(root.path(), "sure.toml", "r.md");
    let heading = "### What it costs as booked, job by job\n";
    let (_, bill) = text.split_once(heading).unwrap();
    let bill = bill.split("\n### ").next().unwrap();
    let row = |name: &str| -> Vec<&str> {
        let starts = format!("| {name} ");
        let found = bill.lines().find(|line| line.starts_with(&starts));
        found.unwrap().split('|').map(str::trim).collect()
    };
    let amount = |cell: &str| cell.replace(',', "").parse::<f64>().unwrap();
    let close = |cell: &str, value: &Value| {
        let value = value.as_f64().unwrap();
        assert!((amount(cell) - value).abs() <= 0.5, "{cell} {value}");
    };
    for job in schedule["jobs"].as_array().unwrap() {
        let row = row(job["name"].as_str().unwrap());
        close(row[5], &job["cost_usd"]);
        close(row[6], &job["expected_cost_usd"]);
    }
    let total = row("total");
    close(total[5], &schedule["cost_usd"]);
    close(total[6], &schedule["expected_cost_usd"]);
    let page = report(root.path(), "sure.toml", "r.html");
    assert_eq!(page.matches("class=\"window\"").count(), 2);
    assert!(page.contains("booked until 2026-12-0"), "{page}");
    // Where the durations expected are booked there is one bill.
    file(
        root.path(),
        "expected.toml",
        &SURE.replace("probability = 0.9", ""),
    );
    let text = report(root.path(), "expected.toml", "e.md");
    assert!(!text.contains("costs as booked"), "{text}");
    assert!(text.contains("### What it costs, job by job"), "{text}");
    let page = report(root.path(), "expected.toml", "e.html");
    assert_eq!(page.matches("class=\"window\"").count(), 0);
}
