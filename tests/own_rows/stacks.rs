//! Which software rows speak for.

use std::fs;
use std::path::Path;

use super::{Fitted, H100, H100_CELL, SLOW_LINKS, expected, json, near, predict, run, text};

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
