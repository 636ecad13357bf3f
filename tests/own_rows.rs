//! A user's own rows on the command line: a table is fitted, and what the fit says is used where it
//! holds, said to be silent where it doesn't.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A directory with one table fitted in it.
struct Fitted {
    dir: tempfile::TempDir,
    said: String,
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
        .current_dir(dir)
        .args(arguments)
        .output()
        .unwrap()
}

impl Fitted {
    fn to(table: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("own.csv"), table).unwrap();
        let said = run(dir.path(), &["fit", "own.csv", "-o", "own.fit.toml"]);
        assert!(said.status.success(), "{}", text(&said.stderr));
        let said = text(&said.stdout);
        Self { dir, said }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a command that prints JSON says under the fit.
    fn json(&self, command: &str) -> Value {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let fit = ["--fit", "own.fit.toml", "--format", "json"];
        json(self.dir.path(), &[&arguments[..], &fit].concat())
    }
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let output = run(dir, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn expected(prediction: &Value) -> f64 {
    prediction["throughput_tok_s"]["expected"].as_f64().unwrap()
}

/// Whether two speeds are within a share of each other.
fn near(a: f64, b: f64, share: f64) -> bool {
    (a / b - 1.0).abs() < share
}

/// Rows of an H100 table with the required columns alone.
const H100: &str = "\
model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s
gpt-1b,h100,8,2048,4,1,off,309868
gpt-3b,h100,64,2048,8,1,on,1350000
gpt-7b,h100,16,4096,4,2,on,155000
gpt-7b,h100,8,2048,4,2,on,79000
gpt-13b,h100,8,2048,4,2,on,43000
";

const H100_CELL: &str = "predict --model gpt-7b --tokens 134B --cluster h100-cluster --gpus 8 \
    --micro-batch 4 --grad-accum 2 --checkpointing on";

#[test]
fn a_job_that_names_no_stack_has_that_of_the_rows_of_its_gpu() {
    let fitted = Fitted::to(H100);
    let unnamed = fitted.json(H100_CELL);
    assert_eq!(unnamed["request"]["stack"], "bf16-gather");
    assert!(near(expected(&unnamed), 79_000.0, 0.05), "{unnamed}");
    let notes = unnamed["notes"].to_string();
    assert!(
        !notes.contains("no say") && !notes.contains("no stack"),
        "{notes}"
    );
    let plan = fitted.json("plan --model gpt-7b --tokens 134B --cluster h100-cluster --gpus 8");
    assert_eq!(plan["request"]["stack"], "bf16-gather");
    // Rows of one GPU say nothing of what is usual on another.
    let a100 = fitted.json("predict --model gpt-7b --cluster r1z1 --gpus 8");
    assert_eq!(a100["request"]["stack"], "fp32-gather");
}

#[test]
fn a_fit_that_has_no_say_is_said_to_have_none() {
    let fitted = Fitted::to(H100);
    let other_stack = fitted.json(&format!("{H100_CELL} --stack fp32-gather"));
    let note = other_stack["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no say on h100 under stack fp32-gather")
            && note.contains("bf16-gather, which `--stack` or a table's column `stack`"),
        "{note}"
    );
    let plan = fitted.json("plan --model gpt-7b --cluster r1z1 --gpus 8");
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("no say on a100-80gb: its rows are of h100"),
        "{notes}"
    );
}

#[test]
fn rows_in_fp8_can_be_planned_with() {
    let fitted = Fitted::to(
        "model,gpu,precision,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s
gpt-1b,h100,amp_fp8,8,2048,8,1,off,420000
gpt-3b,h100,amp_fp8,8,2048,8,1,on,220000
gpt-7b,h100,amp_fp8,16,2048,8,2,on,215000
gpt-7b,h100,amp_fp8,8,2048,4,2,on,110000
gpt-13b,h100,amp_fp8,8,2048,4,2,on,60000
",
    );
    for named in ["", "--stack bf16-gather-fp8"] {
        let cell = fitted.json(&format!("{H100_CELL} {named}"));
        assert_eq!(cell["request"]["stack"], "bf16-gather-fp8");
        assert!(near(expected(&cell), 110_000.0, 0.05), "{cell}");
        let plan = "plan --model gpt-7b --tokens 134B --cluster h100-cluster --gpus 8 --top 1";
        let plan = fitted.json(&format!("{plan} {named}"));
        for notes in [cell["notes"].to_string(), plan["notes"].to_string()] {
            let told = "no stack is named: bf16-gather-fp8 is that of the fit's rows on h100, which \
                        multiplies matrices in fp8";
            assert_eq!(notes.contains(told), named.is_empty(), "{notes}");
        }
    }
    // What is planned at that speed is launched in fp8, and a choice nobody made is told.
    let launch = "launch --model gpt-7b --tokens 134B --cluster h100-cluster --gpus 8 \
        --fit own.fit.toml --target llm-foundry --dry-run --accept-extrapolated";
    let arguments: Vec<&str> = launch.split_whitespace().collect();
    let launched = run(fitted.dir.path(), &arguments);
    let (file, notes) = (text(&launched.stdout), text(&launched.stderr));
    assert!(file.contains("\nprecision: amp_fp8\n"), "{file}{notes}");
    assert!(
        notes.contains("no stack is named: bf16-gather-fp8"),
        "{notes}"
    );
    // A table may name the stack as the fit file does.
    fs::write(
        fitted.path("again.csv"),
        H100.replace("gpus,", "stack,gpus,")
            .replace("h100,", "h100,bf16-gather-fp8,"),
    )
    .unwrap();
    let again = json(
        fitted.dir.path(),
        &["evaluate", "again.csv", "--format", "json"],
    );
    assert_eq!(again["rows"], 5);
}

/// Three rows on a network half as fast as that of the embedded tables, without what their
/// cluster is called.
const SLOW_NETWORK: [&str; 3] = [
    "gpt-13b,a100-80gb,8,2048,8,2,on,12903.84020340112",
    "gpt-7b,a100-80gb,8,2048,8,4,on,23372.100733684536",
    "gpt-3b,a100-80gb,8,2048,8,4,on,50456.53022346323",
];

/// These rows on a cluster, or on one that isn't named.
fn slow_network(cluster: Option<&str>) -> Fitted {
    let (column, cell) = match cluster {
        Some(name) => ("cluster,", format!("{name},")),
        None => ("", String::new()),
    };
    let rows = SLOW_NETWORK.map(|row| format!("{cell}{row}\n")).concat();
    Fitted::to(&format!(
        "{column}model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,\
         throughput_tok_s\n{rows}"
    ))
}

fn slow_cell(fitted: &Fitted, cluster: &str) -> Value {
    fitted.json(&format!(
        "predict --model gpt-13b --cluster {cluster} --gpus 8 --seq-len 2048 --micro-batch 8 \
         --grad-accum 2 --checkpointing on"
    ))
}

#[test]
fn a_network_measured_on_no_named_cluster_is_that_of_every_cluster_of_its_gpu() {
    let fitted = slow_network(None);
    assert!(
        fitted
            .said
            .contains("on every cluster of a100-80gb (rows name none)"),
        "{}",
        fitted.said
    );
    let cell = slow_cell(&fitted, "r1z1");
    assert!(near(expected(&cell), 12_904.0, 0.01), "{cell}");
    // As if the table had named it.
    let named = slow_cell(&slow_network(Some("r1z1")), "r1z1");
    assert!(near(expected(&cell), expected(&named), 1e-9));
}

#[test]
fn a_network_measured_elsewhere_is_not_taken_over_unsaid() {
    let fitted = slow_network(Some("hpc7"));
    let elsewhere = slow_cell(&fitted, "r1z1");
    assert!(expected(&elsewhere) > 13_500.0, "{elsewhere}");
    let note = elsewhere["notes"][0].as_str().unwrap();
    assert!(
        note.contains("no say on r1z1") && note.contains("on hpc7"),
        "{note}"
    );
    // The cluster of the rows can be named, though no preset describes it.
    let there = slow_cell(&fitted, "hpc7");
    assert!(near(expected(&there), 12_904.0, 0.01), "{there}");
    assert!(!there["notes"].to_string().contains("no say"), "{there}");
}

/// Rows of software that is faster than the embedded tables', most of them on many nodes.
const FASTER: &str = "\
model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,mp_mode,throughput_tok_s
350m,a100_40gb,128,512,32,2,off,DEFAULT,5181177
350m,a100_40gb,16,2048,8,4,off,DEFAULT,652629
760m,a100_40gb,128,4096,2,1,off,DEFAULT,2303941
1b,a100_40gb,64,8192,1,4,off,DEFAULT,784209
13b,a100_40gb,16,512,8,2,on,DEFAULT,22624
";

#[test]
fn rows_faster_than_any_bad_day_explains_join_no_other_kind() {
    let fitted = Fitted::to(FASTER);
    assert!(!fitted.said.contains("they joined them"), "{}", fitted.said);
}

#[test]
fn what_a_job_file_describes_is_fitted_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let job = "tokens = \"100B\"\ncluster = [\"lab\"]\nstack = \"bf16-gather\"\n\
        [model]\nname = \"my-llama\"\narchitecture = \"llama\"\nd_model = 2048\nn_layers = 24\n\
        n_heads = 32\nn_kv_heads = 8\nd_ff = 5632\nvocab_size = 32000\nseq_len = 4096\n\
        [clusters.lab]\ngpu = \"h100\"\ngpus_per_node = 4\nmax_gpus = 64\ninter_node_gbps = 100\n\
        [search]\ngpus = 64\n";
    fs::write(dir.path().join("job.toml"), job).unwrap();
    let advice = text(&run(dir.path(), &["advise", "job.toml"]).stdout);
    let command = "`tminus fit measured.csv --presets job.toml -o my.fit.toml`";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&advice).contains(command), "{advice}");
    let blank = run(
        dir.path(),
        &["advise", "job.toml", "-k", "1", "--format", "csv"],
    );
    // Measured a third faster than predicted.
    let request = json(
        dir.path(),
        &["advise", "job.toml", "-k", "1", "--format", "json"],
    );
    let pick = &request["picks"][0];
    let measured = expected(pick) * 4.0 / 3.0;
    let filled: Vec<String> = text(&blank.stdout)
        .lines()
        .map(|line| {
            if line.ends_with(',') {
                format!("{line}{measured}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    fs::write(dir.path().join("measured.csv"), filled.join("\n")).unwrap();
    let arguments = [
        "fit",
        "measured.csv",
        "--presets",
        "job.toml",
        "-o",
        "own.fit.toml",
    ];
    let fitted = run(dir.path(), &arguments);
    assert!(fitted.status.success(), "{}", text(&fitted.stderr));
    let number = |key: &str| pick[key].to_string();
    let gpus = number("gpus");
    let (seq_len, micro_batch) = (number("seq_len"), number("micro_batch"));
    let grad_accum = number("grad_accum");
    let recompute = pick["activation_checkpointing"] == true;
    let plan = json(
        dir.path(),
        &[
            "plan",
            "job.toml",
            "--fit",
            "own.fit.toml",
            "--gpus",
            &gpus,
            "--seq-len",
            &seq_len,
            "--micro-batch",
            &micro_batch,
            "--grad-accum",
            &grad_accum,
            "--global-batch",
            "1K..1T",
            "--checkpointing",
            if recompute { "on" } else { "off" },
            "--format",
            "json",
            "--allow-tight",
        ],
    );
    assert!(
        near(expected(&plan["candidates"][0]), measured, 0.03),
        "{plan}"
    );
}

#[test]
fn runs_of_a_table_are_advised_at_their_own_size() {
    let dir = tempfile::tempdir().unwrap();
    let large: String = H100
        .lines()
        .map(|line| line.replace(",8,2048,", ",128,2048,") + "\n")
        .collect();
    fs::write(dir.path().join("runs.csv"), large).unwrap();
    let advice = json(
        dir.path(),
        &[
            "advise", "--among", "runs.csv", "-k", "5", "--format", "json",
        ],
    );
    let picks = advice["picks"].as_array().unwrap();
    assert!(picks.iter().any(|pick| pick["gpus"] == 128), "{advice}");
    let few = run(
        dir.path(),
        &["advise", "--among", "runs.csv", "--max-gpus", "8"],
    );
    assert_eq!(few.status.code(), Some(1));
}

#[test]
fn a_fit_file_is_sealed_from_its_name_on() {
    let fitted = Fitted::to(H100);
    let written = fs::read_to_string(fitted.path("own.fit.toml")).unwrap();
    for (from, to) in [
        ("name = \"own\"", "name = \"other\""),
        ("program = \"tminus", "program = \"x"),
    ] {
        fs::write(fitted.path("edited.toml"), written.replace(from, to)).unwrap();
        let refused = run(fitted.dir.path(), &["evaluate", "--fit", "edited.toml"]);
        let message = text(&refused.stderr);
        assert!(message.contains("was edited"), "{message}");
    }
    fs::write(fitted.path("empty.toml"), "").unwrap();
    let refused = text(&run(fitted.dir.path(), &["evaluate", "--fit", "empty.toml"]).stderr);
    assert!(
        refused.contains("is empty") && refused.contains("tminus fit TABLE"),
        "{refused}"
    );
}

/// Rows of one card speak for the other cards of its architecture, by the stack they were measured on.
#[test]
fn rows_of_a_gpu_speak_for_its_architecture() {
    let fitted = Fitted::to(H100);
    let h200 = fitted.json(&H100_CELL.replace("h100-cluster", "h200-cluster"));
    assert_eq!(h200["request"]["stack"], "bf16-gather", "{h200}");
    let notes = h200["notes"].to_string();
    assert!(!notes.contains("no say"), "{notes}");
}

/// Rows that have nothing in common are no ground for narrow intervals, and those that the fit can't
/// follow are named.
#[test]
fn rows_that_contradict_each_other_leave_much_open() {
    let header = H100.lines().next().unwrap();
    for rows in [
        "gpt-7b,a100-80gb,8,2048,8,4,yes,15000\ngpt-1b,a100-80gb,8,2048,8,4,no,124000\n",
        "gpt-125m,a100-80gb,8,2048,32,4,no,732014\ngpt-1b,a100-80gb,8,2048,8,4,no,93324\n\
         gpt-3b,a100-80gb,8,2048,8,4,yes,29359\n",
    ] {
        let fitted = Fitted::to(&format!("{header}\n{rows}"));
        assert!(
            fitted.said.contains("beyond the noise of single runs"),
            "{}",
            fitted.said
        );
        let cell = "predict --model gpt-7b --tokens 10B --cluster r1z1 --gpus 8 --micro-batch 8 \
                    --grad-accum 4 --checkpointing on";
        let tok_s = &fitted.json(cell)["throughput_tok_s"];
        let end = |name: &str| tok_s[name].as_f64().unwrap();
        assert!(end("high") / end("low") > 1.3, "{tok_s}");
    }
    let one_bad = "gpt-7b,a100-80gb,8,2048,8,4,yes,15000\ngpt-1b,a100-80gb,8,2048,8,4,no,124000\n\
                   gpt-3b,a100-80gb,8,2048,8,4,yes,53000\ngpt-760m,a100-80gb,8,2048,16,4,no,213000\n\
                   gpt-125m,a100-80gb,8,2048,32,4,no,732014\n";
    let fitted = Fitted::to(&format!("{header}\n{one_bad}"));
    assert!(
        fitted.said.contains("line 2 is not followed"),
        "{}",
        fitted.said
    );
}

/// Runs of later software on the measured GPU, as a stack of that kind is predicted, in a table that
/// names none.
const RUNS: [(&str, u64, u64, u64, u64, &str); 6] = [
    ("gpt-13b", 8, 2048, 16, 2, "on"),
    ("gpt-7b", 8, 2048, 8, 8, "on"),
    ("gpt-3b", 16, 8192, 2, 8, "on"),
    ("gpt-1b", 8, 2048, 8, 8, "off"),
    ("gpt-350m", 8, 4096, 8, 4, "off"),
    ("gpt-125m", 8, 1024, 32, 4, "off"),
];

fn predict(
    (model, gpus, seq_len, micro, accum, checkpointing): (&str, u64, u64, u64, u64, &str),
) -> String {
    format!(
        "predict --model {model} --tokens 20B --cluster r1z1 --gpus {gpus} --seq-len {seq_len} \
         --micro-batch {micro} --grad-accum {accum} --checkpointing {checkpointing}"
    )
}

/// What software that gathers in bf16 runs at.
fn later(run: (&str, u64, u64, u64, u64, &str)) -> f64 {
    let command = predict(run) + " --stack bf16-gather --format json";
    let arguments: Vec<&str> = command.split_whitespace().collect();
    expected(&json(Path::new("."), &arguments))
}

/// The measured stack's name is that of a policy, which later software has too: rows show that it is
/// later, and the rest of its runs come out right, also those too near the memory limit for the
/// measured stack, which ran at full speed here.
#[test]
fn later_software_is_found_under_the_measured_name() {
    let mut table = "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,\
                     throughput_tok_s\n"
        .to_owned();
    for run in RUNS {
        let (model, gpus, seq_len, micro, accum, checkpointing) = run;
        let speed = later(run);
        let cells = format!("{gpus},{seq_len},{micro},{accum},{checkpointing},{speed}");
        table.extend([model, ",a100-80gb,", cells.as_str(), "\n"]);
    }
    let fitted = Fitted::to(&table);
    assert!(
        fitted.said.contains("later than the stack's name says"),
        "{}",
        fitted.said
    );
    let others = [
        ("gpt-30b", 64, 2048, 4, 2, "on"),
        ("gpt-7b", 16, 8192, 2, 4, "on"),
        ("gpt-760m", 8, 2048, 8, 8, "off"),
    ];
    for run in RUNS.into_iter().chain(others) {
        let (told, alone) = (fitted.json(&predict(run)), later(run));
        assert!(
            near(expected(&told), alone, 0.04),
            "{run:?}: {told} {alone}"
        );
    }
    let tight = fitted.json(&predict(RUNS[0]));
    assert_eq!(tight["memory"]["verdict"], "tight");
    assert_eq!(tight["basis"], "measured");
}

/// A cell of the embedded tables is measured no more where a user's rows show other software.
#[test]
fn what_other_software_measured_is_no_measurement() {
    let cell = "predict --model gpt-7b --tokens 20B --cluster r1z1 --gpus 8 --micro-batch 16 \
                --grad-accum 4 --checkpointing on";
    let arguments: Vec<&str> = cell
        .split_whitespace()
        .chain(["--format", "json"])
        .collect();
    let embedded = json(Path::new("."), &arguments);
    assert_eq!(embedded["basis"], "measured");
    let faster = Fitted::to(
        "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
         gpt-1b,a100-80gb,8,2048,16,8,on,156800\n\
         gpt-3b,a100-80gb,8,2048,16,4,on,86000\n\
         gpt-13b,a100-80gb,8,2048,8,8,on,17450\n",
    );
    let told = faster.json(cell);
    assert!(expected(&told) > 1.15 * expected(&embedded), "{told}");
    assert_ne!(told["basis"], "measured");
}

/// Measuring one run three times says how even runs are, not how even a table is.
#[test]
fn repeats_make_nothing_surer_about_other_runs() {
    let once = Fitted::to(H100);
    let thrice: String = H100
        .lines()
        .enumerate()
        .flat_map(|(line, row)| {
            let times = if line == 0 { 1 } else { 3 };
            (0..times).map(move |time| {
                let (cells, speed) = row.rsplit_once(',').unwrap();
                let speed = speed
                    .parse::<f64>()
                    .map(|speed| speed * (1.0 + 0.004 * f64::from(time)));
                speed.map_or_else(|_| format!("{row}\n"), |speed| format!("{cells},{speed}\n"))
            })
        })
        .collect();
    let thrice = Fitted::to(&thrice);
    let half = |fitted: &Fitted| {
        let told =
            fitted.json("predict --model gpt-30b --tokens 1T --cluster h100-cluster --gpus 64");
        let end = |name: &str| told["throughput_tok_s"][name].as_f64().unwrap();
        (end("high") - end("low")) / end("expected")
    };
    let (once, thrice) = (half(&once), half(&thrice));
    assert!((thrice / once - 1.0).abs() < 0.15, "{once} {thrice}");
}

/// What somebody measured is not written over.
#[test]
fn no_table_is_lost_to_a_fit_or_to_advice() {
    let fitted = Fitted::to(H100);
    let dir = fitted.dir.path();
    let kept = |arguments: &[&str], said: &str| {
        let output = run(dir, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).contains(said),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(fs::read_to_string(fitted.path("own.csv")).unwrap(), H100);
    };
    kept(
        &["fit", "own.csv", "-o", "./own.csv"],
        "is read by this command",
    );
    let advice =
        "advise --model gpt-7b --tokens 20B --cluster h100-cluster --format csv -o own.csv";
    let arguments: Vec<&str> = advice.split_whitespace().collect();
    kept(&arguments, "may hold measured rows");
    // Half filled in is kept as well; a blank one is written anew.
    let to = |name: &str| {
        let mut arguments = arguments.clone();
        *arguments.last_mut().unwrap() = name;
        run(dir, &arguments).status.code()
    };
    assert_eq!((to("blank.csv"), to("blank.csv")), (Some(0), Some(0)));
    let blank = fs::read_to_string(fitted.path("blank.csv")).unwrap();
    let mut lines: Vec<String> = blank.lines().map(str::to_owned).collect();
    lines[1].push_str("53000");
    fs::write(fitted.path("blank.csv"), lines.join("\n") + "\n").unwrap();
    assert_eq!(to("blank.csv"), Some(2));
}

/// Rows of the embedded kind that are slower throughout are so however often each was measured.
#[test]
fn repeats_don_t_make_rows_more_of_the_same() {
    let cells = [
        ("gpt-350m", 32, 8, 4),
        ("gpt-760m", 32, 8, 4),
        ("gpt-1b", 32, 8, 4),
        ("gpt-3b", 64, 4, 4),
        ("gpt-7b", 64, 4, 4),
    ];
    let of = |times: usize| {
        let mut table = "model,cluster,gpu,gpus,seq_len,micro_batch,grad_accum,\
                         activation_checkpointing,throughput_tok_s\n"
            .to_owned();
        for (model, gpus, micro, accum) in cells {
            let command = format!(
                "predict --model {model} --tokens 20B --cluster r7z2 --gpus {gpus} --micro-batch \
                 {micro} --grad-accum {accum} --checkpointing on --format json"
            );
            let arguments: Vec<&str> = command.split_whitespace().collect();
            let speed = 0.9 * expected(&json(Path::new("."), &arguments));
            for time in 0..times {
                let speed = speed * (1.0 + 0.002 * f64::from(u8::try_from(time).unwrap()));
                let cells = format!("{gpus},2048,{micro},{accum},on,{speed}");
                table.extend([model, ",r7z2,a100-40gb,", cells.as_str(), "\n"]);
            }
        }
        Fitted::to(&table).said
    };
    for times in [1, 2, 4] {
        let said = of(times);
        assert!(said.contains("look uniformly"), "{times}: {said}");
    }
}

/// A run near the memory limit that was slow leaves those like it slow.
#[test]
fn a_slow_run_near_the_memory_limit_stays_one() {
    let cell = ("gpt-13b", 8, 2048, 16, 4, "on");
    let told = |command: String| -> Value {
        let arguments: Vec<&str> = command
            .split_whitespace()
            .chain(["--format", "json"])
            .collect();
        json(Path::new("."), &arguments)
    };
    let pressed = told(predict(cell));
    assert_eq!(pressed["memory"]["verdict"], "tight");
    let of = |cell: (&str, u64, u64, u64, u64, &str), speed: f64| {
        let (model, gpus, seq_len, micro, accum, checkpointing) = cell;
        format!(
            "{model},a100-80gb,fp32-gather,{gpus},{seq_len},{micro},{accum},{checkpointing},{speed}\n"
        )
    };
    let mut table = "model,gpu,stack,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,\
                     throughput_tok_s\n"
        .to_owned();
    let margin = |prediction: &Value| prediction["memory"]["headroom_gib"].as_f64().unwrap();
    for cell in [
        ("gpt-13b", 8, 2048, 8, 4, "on"),
        ("gpt-7b", 8, 2048, 16, 4, "on"),
        ("gpt-3b", 8, 2048, 16, 4, "on"),
        // As near the limit, and at full speed.
        ("gpt-760m", 8, 2048, 18, 4, "off"),
    ] {
        let prediction = told(predict(cell));
        let parts = &prediction["time_parts_s"];
        let pressure = parts["memory_pressure"].as_f64().unwrap();
        let step = prediction["step_time_s"]["expected"].as_f64().unwrap();
        assert_eq!(pressure > 0.0, cell.0 == "gpt-760m");
        assert!(pressure <= 0.0 || margin(&prediction) < margin(&pressed));
        table += &of(cell, 1.1 * expected(&prediction) * step / (step - pressure));
    }
    let fitted = Fitted::to(&(table + &of(cell, expected(&pressed))));
    let again = fitted.json(&predict(cell));
    assert!(again["time_parts_s"]["memory_pressure"].as_f64().unwrap() > 0.0);
    assert!(expected(&again) < 1.2 * expected(&pressed), "{again}");
}

/// Three sizes of a cluster whose nodes are linked far more slowly than is assumed of its GPU.
const SLOW_LINKS: &str = "\
model,seq_len,gpus,gpu,cluster,micro_batch,grad_accum,activation_checkpointing,stack,throughput_tok_s
gpt-7b,2048,64,h100,lab,32,1,on,pure-bf16,300000
gpt-7b,2048,32,h100,lab,32,1,on,pure-bf16,160000
gpt-7b,2048,8,h100,lab,32,1,on,pure-bf16,71000
";

#[test]
fn cells_of_a_slowly_linked_cluster_are_not_measured_on_another() {
    let fitted = Fitted::to(SLOW_LINKS);
    let cell = |cluster: &str, gpus: u64| {
        fitted.json(&format!(
            "predict --model gpt-7b --cluster {cluster} --gpus {gpus} --micro-batch 32 --grad-accum 1 \
             --checkpointing on"
        ))
    };
    assert_eq!(cell("lab", 64)["basis"], "measured");
    let elsewhere = cell("h100-cluster", 64);
    assert_eq!(elsewhere["basis"], "extrapolated", "{elsewhere}");
    let axes = elsewhere["basis_detail"]["axes"].to_string();
    assert!(axes.contains("links between nodes as stated"), "{axes}");
    // One node needs no links.
    assert_eq!(cell("h100-cluster", 8)["basis"], "measured");
}

#[test]
fn a_padded_vocabulary_makes_no_other_model() {
    let fitted = Fitted::to(
        "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,mp_mode,n_params,\
         throughput_tok_s\n7b,2048,64,h100,32,1,on,PURE,6658859008,571970\n",
    );
    let cell = fitted.json(
        "predict --model gpt-7b --cluster h100-cluster --gpus 64 --micro-batch 32 --grad-accum 1 \
         --checkpointing on",
    );
    assert_eq!(cell["basis"], "measured", "{cell}");
    // Another stack of the same GPU: that the GPU was measured is not denied.
    let other = fitted.json(
        "predict --model gpt-7b --cluster h100-cluster --gpus 64 --micro-batch 32 --grad-accum 1 \
         --checkpointing on --stack bf16-gather",
    );
    let axes = other["basis_detail"]["axes"].to_string();
    assert!(axes.contains("under other stacks only"), "{axes}");
}

#[test]
fn a_fit_far_off_on_rows_held_out_is_not_planned_with_unsaid() {
    // The speed of one GPU, where that of all is asked for; and one row fitted alone.
    let fitted = Fitted::to(
        "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
         gpt-7b,2048,64,h100,4,4,on,8000\ngpt-7b,2048,64,h100,8,2,on,8400\n",
    );
    assert!(
        fitted
            .said
            .contains("careful: 2 of 2 rows of this fit look wrong"),
        "{}",
        fitted.said
    );
    let plan = fitted.json("plan --model gpt-7b --cluster h100-cluster --gpus 64 --top 1");
    let notes = plan["notes"].to_string();
    assert!(notes.contains("don't plan with it"), "{notes}");
    let rows = fs::read_to_string(fitted.path("own.csv")).unwrap();
    let rows = rows.replace(",8000", ",480000").replace(",8400", ",504000");
    fs::write(fitted.path("own.csv"), rows).unwrap();
    let alone = ["fit", "own.csv", "--alone", "-o", "alone.fit.toml"];
    let alone = text(&run(fitted.dir.path(), &alone).stdout);
    assert!(alone.contains("rests on 2 rows alone"), "{alone}");
}

/// Which of a fit alone and one on top of the embedded tables says more is not told by the number of rows:
/// it is what rows held out of both tell.
#[test]
fn few_rows_fitted_alone_are_compared_with_the_same_on_top() {
    let header =
        "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s";
    let fitted = Fitted::to(&format!(
        "{header}\ngpt-7b,2048,8,h100,4,2,on,79000\ngpt-7b,4096,16,h100,4,2,on,155000\n\
         gpt-13b,2048,8,h100,4,2,on,43000\ngpt-3b,2048,64,h100,8,1,on,1350000\n"
    ));
    let error = |fit: &Value| fit["held_out"]["mape"].as_f64().unwrap();
    let arguments = ["fit", "own.csv", "-o", "top.fit.toml", "--format", "json"];
    let on_top = json(fitted.dir.path(), &arguments);
    let arguments = [
        "fit",
        "own.csv",
        "--alone",
        "-o",
        "alone.fit.toml",
        "--format",
        "json",
    ];
    let alone = json(fitted.dir.path(), &arguments);
    let beside = alone["held_out"]["on_top_mape"].as_f64().unwrap();
    assert!(near(beside, error(&on_top), 1e-9), "{alone}");
    let plan = [
        "plan",
        "--model",
        "gpt-7b",
        "--cluster",
        "h100-cluster",
        "--gpus",
        "8",
        "--top",
        "1",
    ];
    let fit = ["--fit", "alone.fit.toml", "--format", "json"];
    let plan = json(fitted.dir.path(), &[&plan[..], &fit].concat());
    let notes = plan["notes"].to_string();
    let said = format!("and on top of the embedded tables {:.1} %", beside * 100.0);
    assert!(notes.contains(&said), "{notes}");
    let is_better = notes.contains("made without `--alone` it is likely to say more");
    assert_eq!(is_better, beside < error(&alone), "{notes}");
}

/// Rows that are all of one kind leave nothing to fit to where they are held out together: the other
/// protocols are none the worse for it.
#[test]
fn a_protocol_that_leaves_nothing_to_fit_to_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
                gpt-7b,2048,8,h100,4,2,on,79000\ngpt-7b,4096,8,h100,4,2,on,78000\n\
                gpt-13b,2048,8,h100,4,2,on,43000\n";
    fs::write(dir.path().join("own.csv"), rows).unwrap();
    let made = ["fit", "own.csv", "--alone", "-o", "own.fit.toml"];
    assert!(run(dir.path(), &made).status.success());
    let evaluate = ["evaluate", "--fit", "own.fit.toml", "--format", "json"];
    let page = json(dir.path(), &evaluate);
    let judged: Vec<&str> = page["protocols"]
        .as_array()
        .unwrap()
        .iter()
        .map(|protocol| protocol["protocol"].as_str().unwrap())
        .collect();
    assert_eq!(judged, ["in-sample", "leave-model", "leave-seq"]);
    let notes = page["notes"].to_string();
    assert!(notes.contains("leave-gpus: all rows"), "{notes}");
    let one = run(
        dir.path(),
        &[&evaluate[..], &["--protocol", "leave-gpus"]].concat(),
    );
    assert_eq!(one.status.code(), Some(2));
    let said = text(&one.stderr);
    assert!(said.contains("nothing is left to fit to"), "{said}");
    assert!(said.contains("without `--protocol`"), "{said}");
}

/// What is doubted of a fit's rows, or makes them of no use, is said of whatever rests on them.
#[test]
fn what_to_be_careful_about_is_said_wherever_a_fit_is_used() {
    let plan = "plan --model gpt-3b --tokens 60B --cluster p4d.24xlarge --gpus 32 --top 1";
    let notes = |fitted: &Fitted| fitted.json(plan)["notes"].to_string();
    let header =
        "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s";
    // One row, of one GPU's speed: nothing is held out of it.
    let units = Fitted::to(&format!("{header}\ngpt-3b,a100-40gb,32,2048,8,2,on,5600\n"));
    assert!(
        notes(&units).contains("tokens/s of one GPU"),
        "{}",
        notes(&units)
    );
    let rows = "gpt-3b,a100-40gb,8,2048,8,8,on,46000\ngpt-3b,a100-40gb,16,2048,8,4,on,91000\n\
                gpt-3b,a100-40gb,32,2048,8,2,on,176000\ngpt-3b,a100-40gb,32,2048,4,4,on,151000\n";
    let unnamed = Fitted::to(&format!("{header}\n{rows}"));
    let said = notes(&unnamed);
    assert!(said.contains("a column `cluster` of their table"), "{said}");
    let named = rows.replace(",on,", ",on,p4d.24xlarge,");
    let header = header.replace("throughput", "cluster,throughput");
    let named = Fitted::to(&format!("{header}\n{named}"));
    let said = notes(&named);
    assert!(!said.contains("a column `cluster`"), "{said}");
    // Few rows, and those held out worse by them than without.
    assert!(said.contains("% off and the embedded one"), "{said}");
}

/// A comma in a name is not one between columns.
#[test]
fn advice_for_a_model_with_a_comma_in_its_name_is_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let job = "model = \"my,model\"\ntokens = \"26B\"\ncluster = \"r1z1\"\n[models.\"my,model\"]\n\
               d_model = 2048\nn_layers = 24\nn_heads = 16\nvocab_size = 50257\n";
    fs::write(dir.path().join("job.toml"), job).unwrap();
    let advised = run(
        dir.path(),
        &["advise", "job.toml", "-k", "1", "--format", "csv"],
    );
    let said = text(&advised.stdout);
    assert!(said.contains("\n\"my,model\",2048,24,16,"), "{said}");
}

/// A number that is the plan's, counted for one GPU, is no bad day.
#[test]
fn the_speed_of_one_gpu_is_not_compared_with_that_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let plan = "predict --model gpt-3b --tokens 60B --cluster p4d.24xlarge --gpus 32 --micro-batch 8 \
                --grad-accum 2 --checkpointing on --format json -o plan.json";
    let arguments: Vec<&str> = plan.split_whitespace().collect();
    assert!(run(dir.path(), &arguments).status.success());
    let compared = run(dir.path(), &["compare", "plan.json", "--measured", "5600"]);
    let said = text(&compared.stderr);
    assert!(said.contains("looks like tokens/s of one GPU"), "{said}");
    let slow = run(dir.path(), &["compare", "plan.json", "--measured", "60000"]);
    assert!(slow.status.success(), "{}", text(&slow.stderr));
}

#[test]
fn who_chose_the_stack_is_said_where_it_may_not_be_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let notes = |command: &str| {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let plan = json(
            dir.path(),
            &[&arguments[..], &["--format", "json"]].concat(),
        );
        plan["notes"].to_string()
    };
    let plan = "plan --model gpt-7b --gpus 64 --top 1 --cluster";
    assert!(notes(&format!("{plan} h100-cluster")).contains("no stack is named: fp32-gather"));
    assert!(!notes(&format!("{plan} r1z1")).contains("no stack is named"));
    let named = format!("{plan} h100-cluster --stack fp32-gather");
    assert!(!notes(&named).contains("no stack is named"));
    let fitted = Fitted::to(SLOW_LINKS);
    let mixed = fitted.json(&format!("{plan} r1z1 --cluster h100-cluster"));
    let mixed = mixed["notes"].to_string();
    assert!(
        mixed.contains("pure-bf16 is that of the fit's rows on h100"),
        "{mixed}"
    );
}

#[test]
fn a_prediction_says_of_its_price_what_the_table_does() {
    let dir = tempfile::tempdir().unwrap();
    let command = "predict --model gpt-7b --tokens 134B --gpus 8 --micro-batch 4 --cluster a2-highgpu-8g \
        --price-type spot --format json";
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let notes = json(dir.path(), &arguments)["notes"].to_string();
    assert!(notes.contains("spot"), "{notes}");
}

#[test]
fn rows_of_what_no_launch_file_asks_for_are_no_jobs_default() {
    let columns = "gpu,gpus,tps,seq_len,mbs,ga,ac,model";
    for (header, cell, stack) in [
        ("ActCPUoffload", "True", "bf16-gather-offload"),
        ("tp", "8", "bf16-gather-tp8"),
        ("sharding_strategy", "SHARD_GRAD_OP", "bf16-gather-zero2"),
    ] {
        let fitted = Fitted::to(&format!(
            "{columns},{header}\nh100,64,500000,2048,4,2,on,gpt-7b,{cell}\n"
        ));
        let plan = "plan --model gpt-7b --cluster h100-cluster --gpus 64 --top 1";
        assert_eq!(
            fitted.json(plan)["request"]["stack"],
            "fp32-gather",
            "{header}"
        );
        let named = fitted.json(&format!("{plan} --stack {stack}"));
        assert!(
            named["notes"].to_string().contains("is not modelled"),
            "{named}"
        );
    }
}

#[test]
fn rows_of_one_table_in_another_are_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), H100).unwrap();
    let two: Vec<&str> = H100.lines().take(3).collect();
    fs::write(dir.path().join("b.csv"), two.join("\n") + "\n").unwrap();
    let said = run(dir.path(), &["fit", "a.csv", "b.csv", "-o", "own.fit.toml"]);
    let said = text(&said.stdout);
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("b.csv: 2 of 2 rows stand in a table before it"),
        "{said}"
    );
}

/// Slow links that are taken for fast ones leave no other account of what a node does.
#[test]
fn a_fit_that_needs_what_no_hardware_does_is_not_planned_with_unsaid() {
    let fitted = Fitted::to(
        "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,stack,cluster,throughput_tok_s\n\
         gpt-3b,h100,8,4096,4,4,true,bf16-gather,mylab,147455.8\n\
         gpt-3b,h100,16,4096,4,4,true,bf16-gather,mylab,274716.8\n\
         llama-2-7b,h100,32,4096,1,4,true,bf16-gather,mylab,90336.8\n\
         gpt-7b,h100,16,4096,4,1,true,bf16-gather,mylab,125708.5\n\
         llama-2-7b,h100,32,2048,4,1,true,bf16-gather,mylab,154235.9\n\
         llama-2-7b,h100,32,4096,1,1,true,bf16-gather,mylab,89097.7\n\
         llama-2-7b,h100,32,4096,2,1,true,bf16-gather,mylab,153775.0\n\
         gpt-7b,h100,64,2048,1,1,true,bf16-gather,mylab,95552.4\n\
         gpt-7b,h100,16,4096,2,1,true,bf16-gather,mylab,79099.5\n\
         gpt-7b,h100,16,2048,1,4,true,bf16-gather,mylab,24986.0\n",
    );
    let plan = fitted.json("plan --model gpt-7b --tokens 134B --cluster mylab --gpus 64 --top 1");
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("this fit needs links inside its nodes that carry 8 %"),
        "{notes}"
    );
    assert!(notes.contains("links between nodes carry less"), "{notes}");
}

/// Whoever's rows let expect more than a GPU can do is told so where it is predicted.
#[test]
fn a_prediction_beyond_the_peak_is_said_to_be_one() {
    let fitted = Fitted::to(
        "model,gpu,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s\n\
         gpt-7b,h100,8,2048,4,4,on,135000\ngpt-7b,h100,8,2048,8,4,on,143000\n\
         gpt-7b,h100,8,4096,2,4,on,132000\n",
    );
    let run = "predict --model gpt-30b --tokens 134B --cluster h100-cluster --gpus 8 --micro-batch 8 \
               --grad-accum 8 --checkpointing on";
    let notes = fitted.json(run)["notes"].to_string();
    assert!(
        notes.contains("% of its GPUs' peak, which none does"),
        "{notes}"
    );
}

/// Rows of small models on faster software: what they let expect of large ones is more than any run is
/// known to sustain, and no end of its interval is more than there is.
#[test]
fn a_prediction_near_the_peak_is_said_to_be_one_and_ends_there() {
    let fitted = Fitted::to(
        "model,seq_len,gpus,gpu,micro_batch,grad_accum,activation_checkpointing,throughput_tok_s,stack\n\
         gpt-1b,8192,8,a100-80gb,8,1,true,112584.6,bf16-gather\n\
         gpt-350m,16384,8,a100-80gb,2,32,false,230281.6,bf16-gather\n\
         gpt-1b,8192,8,a100-80gb,8,4,true,112004.1,bf16-gather\n\
         gpt-125m,2048,8,a100-80gb,32,4,false,1261231.0,bf16-gather\n\
         gpt-760m,16384,8,a100-80gb,2,8,false,160332.4,bf16-gather\n",
    );
    let run = "predict --model gpt-13b --tokens 134B --cluster r1z1 --gpus 8 --seq-len 2048 --micro-batch 16 \
               --grad-accum 8 --checkpointing on --stack bf16-gather";
    let cell = fitted.json(run);
    let notes = cell["notes"].to_string();
    assert!(
        notes.contains("more than published runs sustain"),
        "{notes}"
    );
    let wide = fitted.json(&format!("{run} --confidence 0.999"));
    let notes = wide["notes"].to_string();
    let throughput = &wide["throughput_tok_s"];
    let (expected, high) = (expected(&wide), throughput["high"].as_f64().unwrap());
    let share = wide["hfu"].as_f64().unwrap() * high / expected;
    assert!((share - 1.0).abs() < 1e-9, "{share}: {notes}");
    assert!(near(expected, self::expected(&cell), 1e-12), "{wide}");
}

#[test]
fn rows_that_repeat_another_of_their_table_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let last = H100.lines().last().unwrap();
    fs::write(dir.path().join("own.csv"), format!("{H100}{last}\n")).unwrap();
    let fit = ["fit", "own.csv", "-o", "own.fit.toml"];
    let said = text(&run(dir.path(), &fit).stdout);
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("own.csv: 1 of 6 rows repeat another of it to the digit"),
        "{said}"
    );
    let unnamed = run(dir.path(), &[&fit[..], &["--name", ""]].concat());
    assert!(!unnamed.status.success());
    assert!(text(&unnamed.stderr).contains("the fit has no name"));
    let hidden = run(dir.path(), &["fit", "own.csv", "-o", ".mine.fit.toml"]);
    assert!(text(&hidden.stdout).starts_with("mine: "));
}

/// Which cluster is named first says nothing of the stack; and no GPU does what it has no units for.
#[test]
fn a_stack_is_not_chosen_by_the_order_of_clusters() {
    let header = "model,gpu,gpus,seq_len,micro_batch,grad_accum,ac,precision,tok/s";
    let mixed = Fitted::to(&format!(
        "{header}\nllama-3-8b,h100,8,8192,1,8,on,fp8,90000\n\
         llama-3-8b,a100-80gb,8,8192,1,8,on,bf16,26000\n"
    ));
    let refused = |command: &str| {
        let fit = "--fit own.fit.toml --usd-per-gpu-hour 2";
        let command = format!("plan --model llama-3-8b --tokens 50B --gpus 16 {command} {fit}");
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let output = run(mixed.dir.path(), &arguments);
        assert!(!output.status.success(), "{command}");
        text(&output.stderr)
    };
    let one = refused("--cluster h100-cluster --cluster r1z1");
    let other = refused("--cluster r1z1 --cluster h100-cluster");
    assert_eq!(one, other);
    assert!(
        one.contains("`bf16-gather-fp8` on h100, `fp32-gather` on a100-80gb"),
        "{one}"
    );
    let without = refused("--cluster r1z1 --stack bf16-gather-fp8");
    assert!(
        without.contains("multiplies matrices in fp8, which a100-80gb of r1z1 can't"),
        "{without}"
    );
    let plan = "plan --model llama-3-8b --tokens 50B --gpus 16 --top 1 --cluster h100-cluster";
    assert_eq!(mixed.json(plan)["request"]["stack"], "bf16-gather-fp8");
}

/// Where as many rows are in bf16 as in fp8, whatever their order, nobody chose fp8.
#[test]
fn among_as_many_rows_those_without_fp8_are_the_usual() {
    let header = "model,gpu,gpus,seq_len,micro_batch,grad_accum,ac,precision,tok/s";
    let bf16 = "llama-3-8b,h100,64,8192,1,4,off,bf16,540000\n";
    let fp8 = "llama-3-8b,h100,64,8192,1,4,off,fp8,700000\n";
    let more = "llama-3-8b,h100,8,8192,1,16,off,fp8,88000\n";
    let plan = "plan --model llama-3-8b --tokens 50B --gpus 64 --top 1 --cluster h100-cluster";
    for (rows, stack) in [
        (format!("{fp8}{bf16}"), "bf16-gather"),
        (format!("{bf16}{fp8}"), "bf16-gather"),
        (format!("{bf16}{fp8}{more}"), "bf16-gather-fp8"),
    ] {
        let fitted = Fitted::to(&format!("{header}\n{rows}"));
        assert_eq!(fitted.json(plan)["request"]["stack"], stack, "{rows}");
    }
}

/// Tokens of which a single step takes more are hardly all that is meant.
#[test]
fn fewer_tokens_than_a_step_takes_are_noted() {
    let dir = tempfile::tempdir().unwrap();
    let plan = "plan --model gpt-7b --tokens 134 --cluster r7z2 --gpus 64 --top 1 --format json";
    let arguments: Vec<&str> = plan.split_whitespace().collect();
    let notes = json(dir.path(), &arguments)["notes"].to_string();
    assert!(
        notes.contains("134 tokens are fewer than the 2,097,152 of a single step"),
        "{notes}"
    );
}

/// A batch other than the one asked for is told, whichever way it is off.
#[test]
fn a_batch_that_is_missed_is_told_above_as_below() {
    let dir = tempfile::tempdir().unwrap();
    let predicted = |more: &str| {
        let command =
            format!("predict --model gpt-7b --tokens 134B --cluster r7z2 {more} --format json");
        let arguments: Vec<&str> = command.split_whitespace().collect();
        json(dir.path(), &arguments)
    };
    let above = predicted("--gpus 120 --micro-batch 5 --checkpointing off");
    let notes = above["notes"].to_string();
    assert!(notes.contains("not the 2Mi of gpt-7b"), "{notes}");
    let below = predicted("--gpus 64 --micro-batch 4 --grad-accum 3 --global-batch 2Mi");
    assert!(
        near(
            below["global_batch_shortfall"].as_f64().unwrap(),
            0.25,
            1e-9
        ),
        "{below}"
    );
    assert!(below["notes"].to_string().contains("not the 2Mi asked for"));
}
