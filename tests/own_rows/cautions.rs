//! What to be careful about, said where a fit is used.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Fitted, expected, json, near, predict, run, text};

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

/// Rows of one node of H100s, repeats of no cell among them.
const EIGHT_H100: [(&str, f64); 9] = [
    ("gpt-1b,2048,32,4", 405_422.0),
    ("gpt-1b,8192,8,4", 322_852.0),
    ("gpt-3b,2048,32,4", 208_319.0),
    ("gpt-3b,8192,8,4", 170_754.0),
    ("gpt-7b,2048,16,8", 90_184.0),
    ("gpt-7b,8192,4,8", 78_525.0),
    ("gpt-13b,2048,16,8", 48_497.0),
    ("gpt-13b,8192,4,8", 42_945.0),
    ("gpt-30b,2048,2,64", 20_377.0),
];

/// These rows, the speed of each times what `wrong` says of its place.
fn eight_h100(wrong: impl Fn(usize) -> f64) -> Fitted {
    let rows = EIGHT_H100.iter().enumerate();
    let rows = rows.map(|(place, (cells, speed))| {
        format!("h100,8,on,pure-bf16,{cells},{}\n", speed * wrong(place))
    });
    let rows = rows.collect::<Vec<String>>().concat();
    Fitted::to(&format!(
        "gpu,gpus,activation_checkpointing,stack,model,seq_len,micro_batch,grad_accum,\
         throughput_tok_s\n{rows}"
    ))
}

/// Lines that a fit says something of, by number.
fn lines_told(fitted: &Fitted) -> Vec<usize> {
    let words: Vec<&str> = fitted.said.split_whitespace().collect();
    let after = words.windows(2).filter(|pair| pair[0] == "line");
    after.filter_map(|pair| pair[1].parse().ok()).collect()
}

#[test]
fn one_wrong_row_is_told_and_none_of_a_clean_table() {
    let clean = eight_h100(|_| 1.0);
    assert_eq!(lines_told(&clean), [0_usize; 0], "{}", clean.said);
    assert!(!clean.said.contains("careful"), "{}", clean.said);
    for (place, factor) in [(2, 0.7), (5, 1.3), (6, 0.7)] {
        let wrong = eight_h100(|at| if at == place { factor } else { 1.0 });
        // The header is line 1.
        assert_eq!(lines_told(&wrong), [place + 2], "{}", wrong.said);
    }
}
