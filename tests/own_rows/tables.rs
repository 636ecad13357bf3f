//! Tables as a whole: what they describe, repeat, contradict.

use std::fs;
use std::path::Path;

use super::{Fitted, H100, H100_CELL, expected, json, near, run, text};

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
fn a_prediction_says_of_its_price_what_the_table_does() {
    let dir = tempfile::tempdir().unwrap();
    let command = "predict --model gpt-7b --tokens 134B --gpus 8 --micro-batch 4 --cluster a2-highgpu-8g \
        --price-type spot --format json";
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let notes = json(dir.path(), &arguments)["notes"].to_string();
    assert!(notes.contains("spot"), "{notes}");
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
