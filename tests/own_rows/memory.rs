//! What ran, though it is estimated to go out of memory or to be near it.

use serde_json::Value;

use super::{Fitted, near, run, text};

const COLUMNS: &str = "model,cluster,stack,gpus,seq_len,micro_batch,grad_accum,\
    activation_checkpointing,throughput_tok_s\n";

/// Rows of a stack whose cross-entropy holds no logits, as chunked ones do.
fn chunked() -> Fitted {
    let rows = "\
llama-3-8b,h100-cluster,bf16-gather,8,8192,1,32,off,98000
llama-3-8b,h100-cluster,bf16-gather,8,8192,2,16,on,80000
llama-3-8b,h100-cluster,bf16-gather,8,8192,4,8,on,82000
";
    Fitted::to(&format!("{COLUMNS}{rows}"))
}

/// A run by GPUs, sequence length, micro-batch and checkpointing.
type Run = (u64, u64, u64, &'static str);

fn memory(fitted: &Fitted, (gpus, seq_len, micro_batch, checkpointing): Run) -> Value {
    let cell = format!(
        "predict --model llama-3-8b --tokens 100B --cluster h100-cluster --stack bf16-gather --gpus {gpus} \
         --seq-len {seq_len} --micro-batch {micro_batch} --grad-accum 4 --checkpointing {checkpointing}"
    );
    fitted.json(&cell)["memory"].clone()
}

/// What ran runs, and so does what holds no more; what holds more is as it is estimated.
#[test]
fn what_was_measured_fits_and_so_does_what_holds_no_more() {
    let fitted = chunked();
    let unmeasured = Fitted::to(&format!(
        "{COLUMNS}llama-3-8b,h100-cluster,bf16-gather,8,8192,1,32,on,76000\n"
    ));
    let of_checkpointed = |run: &Value| {
        assert_eq!(run["micro_batch"], 4);
        assert_eq!(run["activation_checkpointing"], true);
    };
    for (cell, ran) in [
        ((8, 8192, 1, "off"), true),
        ((8, 8192, 4, "on"), true),
        ((16, 8192, 4, "on"), true),
        ((16, 4096, 8, "on"), true),
        // More tokens, longer sequences, activations kept, fewer GPUs.
        ((8, 8192, 5, "on"), false),
        ((8, 16384, 2, "on"), false),
        ((8, 8192, 2, "off"), false),
        ((4, 8192, 4, "on"), false),
    ] {
        let (told, estimated) = (memory(&fitted, cell), memory(&unmeasured, cell));
        assert_ne!(estimated["verdict"], "fits", "{cell:?}");
        assert!(estimated.get("ran_as").is_none());
        assert_eq!(told["peak_gib"], estimated["peak_gib"]);
        assert_eq!(told["verdict"] == "fits", ran, "{cell:?}");
        assert_eq!(told.get("ran_as").is_some(), ran, "{cell:?}");
        if ran && cell.3 == "on" {
            of_checkpointed(&told["ran_as"]);
        }
    }
    // With recomputation a run holds no more than the same without.
    assert!(memory(&fitted, (8, 8192, 1, "on")).get("ran_as").is_none());
}

/// It is planned, launched, and said why.
#[test]
fn what_was_measured_is_planned_and_launched() {
    let fitted = chunked();
    let job = "--model llama-3-8b --tokens 100B --cluster h100-cluster --stack bf16-gather --gpus 8 \
               --seq-len 8192 --fit own.fit.toml";
    let with = |command: &str, more: &str| {
        let line = format!("{command} {job} {more}");
        let output = run(
            fitted.dir.path(),
            &line.split_whitespace().collect::<Vec<_>>(),
        );
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let plan: Value = serde_json::from_str(&with("plan", "--format json")).unwrap();
    let best = &plan["candidates"][0];
    assert_eq!(best["micro_batch"], 1);
    assert_eq!(best["activation_checkpointing"], false);
    assert_eq!(best["memory"]["ran_as"]["at_full_speed"], true);
    let speed = best["throughput_tok_s"]["expected"].as_f64().unwrap();
    assert!(near(speed, 98_000.0, 0.05), "{speed}");
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("taken to fit in memory because a micro-batch of 1 x 8192 tokens on 8 GPUs"),
        "{notes}"
    );
    let script = with("launch", "--target slurm --dry-run");
    assert!(script.contains("fits, as a measured run shows"), "{script}");
    let booked = with("reserve", "--start 2026-12-01T09:00Z --deadline 30d");
    assert!(booked.contains("taken to fit in memory"), "{booked}");
}

/// On the stack that the estimate was made for a single run of what can't be may be a mistake in its row.
#[test]
fn one_impossible_row_of_the_measured_stack_is_not_believed() {
    let row = |micro_batch: u64, speed: u64| {
        format!("gpt-7b,r1z1,fp32-gather,8,2048,{micro_batch},4,on,{speed}\n")
    };
    let verdict = |rows: String| {
        let fitted = Fitted::to(&format!("{COLUMNS}{rows}"));
        let cell = "predict --model gpt-7b --tokens 134B --cluster r1z1 --gpus 8 --micro-batch 64 \
                    --grad-accum 4 --checkpointing on --stack fp32-gather";
        fitted.json(cell)["memory"]["verdict"].clone()
    };
    assert_eq!(verdict(row(64, 29_500)), "overflows");
    assert_eq!(verdict(row(64, 29_500) + &row(80, 29_500)), "fits");
}

/// What ran slowly near the limit is no better than that, and neither is what another of its kind, which
/// holds no more, was slow at.
#[test]
fn what_ran_slowly_is_tight() {
    let of = |rows: &str| {
        let fitted = Fitted::to(&format!("{COLUMNS}{rows}"));
        memory(&fitted, (8, 8192, 4, "on"))
    };
    let usual = "\
llama-3-8b,h100-cluster,bf16-gather,8,8192,1,32,on,76000
llama-3-8b,h100-cluster,bf16-gather,8,8192,2,16,on,80000
llama-3-8b,h100-cluster,bf16-gather,16,8192,1,16,on,150000
";
    let fast = "llama-3-8b,h100-cluster,bf16-gather,8,8192,4,8,on,82000\n";
    let slow = "llama-3-8b,h100-cluster,bf16-gather,8,8192,4,8,on,40000\n";
    assert_eq!(of(&format!("{usual}{fast}"))["verdict"], "fits");
    let told = of(&format!("{usual}{slow}"));
    assert_eq!(told["verdict"], "tight", "{told}");
    assert_eq!(told["ran_as"]["at_full_speed"], false);
}

/// Rows of other cards, models and stacks show nothing.
#[test]
fn runs_of_another_kind_show_nothing() {
    let fitted = chunked();
    for (cell, changed) in [
        (
            "model",
            "--model qwen2.5-7b --cluster h100-cluster --stack bf16-gather",
        ),
        (
            "card",
            "--model llama-3-8b --cluster r1z1 --stack bf16-gather",
        ),
        (
            "stack",
            "--model llama-3-8b --cluster h100-cluster --stack pure-bf16",
        ),
    ] {
        let told = fitted.json(&format!(
            "predict {changed} --tokens 100B --gpus 8 --seq-len 8192 --micro-batch 4 --grad-accum 8 \
             --checkpointing on"
        ));
        assert!(told["memory"].get("ran_as").is_none(), "{cell}: {told}");
    }
}
