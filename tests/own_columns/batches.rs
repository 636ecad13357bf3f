//! Batches, accumulation and steps.

use tminus::measure::{Measurement, read};

use super::{CATALOG, told};

#[test]
fn a_batch_of_a_few_steps_of_tokens_is_of_tokens() {
    let accum = |header: &str, batch: &str| {
        let text = format!(
            "model,gpu,gpus,seq_len,mbs,ac,tok/s,{header}\ngpt2,a100-80gb,8,1024,8,off,1300000,{batch}\n"
        );
        let table = read("t.csv", &text, &CATALOG).unwrap();
        let run = table.rows[0].configuration;
        (run.grad_accum, table.notes.join("\n"))
    };
    let (one, note) = accum("global_batch_size", "65536");
    assert_eq!(one, 1);
    assert!(note.contains("is read as tokens"), "{note}");
    assert_eq!(accum("gbs", "524288").0, 8);
    assert_eq!(accum("global_batch_size", "512").0, 8);
    // Half a step of tokens is no step of them.
    assert_eq!(accum("global_batch_size", "32768").0, 512);
    assert_eq!(accum("global_batch_seqs", "65536").0, 1024);
}

/// nanoGPT divides its accumulation by the GPUs.
#[test]
fn accumulation_of_all_gpus_is_shared() {
    let run = |seq_len: &str, batch: &str, gpus: u64| {
        let text = format!(
            "model,{seq_len},{batch},gradient_accumulation_steps,gpu,gpus,ac,step_time_ms\n\
             gpt2-xl,1024,2,40,a100-40gb,{gpus},false,4650\n"
        );
        let table = read("t.csv", &text, &CATALOG).unwrap();
        let run = table.rows[0].configuration;
        ((run.micro_batch, run.grad_accum), table.notes.join("\n"))
    };
    let (shared, note) = run("block_size", "batch_size", 8);
    assert_eq!(shared, (2, 5));
    assert!(note.contains("of all 8 GPUs together: 5 of each"), "{note}");
    assert_eq!(run("block_size", "micro_batch", 8).0, (2, 5));
    assert_eq!(run("seq_len", "micro_batch", 8).0, (2, 40));
    assert_eq!(run("block_size", "micro_batch", 1).0, (2, 40));
}

/// The examples of transformers have a `block_size` too, and count the accumulation of each GPU: what
/// nanoGPT would divide by them is told apart by what only one of the two has, and by what contradicts it.
#[test]
fn accumulation_is_counted_one_way_in_a_table() {
    let runs = |headers: &str, rows: &[&str]| {
        let header = format!("model,gpu,ac,block_size,gradient_accumulation_steps,{headers}");
        let rows = rows.join("\nllama-2-7b,a100-80gb,true,4096,");
        let text = format!("{header}\nllama-2-7b,a100-80gb,true,4096,{rows}\n");
        let table = read("t.csv", &text, &CATALOG).unwrap();
        let accum = |row: &Measurement| row.configuration.grad_accum;
        let accums: Vec<u64> = table.rows.iter().map(accum).collect();
        (accums, table.notes.join("\n"))
    };
    // Headers of transformers: seconds of a step, from which speeds follow.
    let headers = "gpus,per_device_train_batch_size,seconds_per_step";
    let (accums, note) = runs(headers, &["4,8,4,15.6", "8,8,2,15.9", "16,8,1,17.9"]);
    assert_eq!(accums, [4, 8, 16]);
    assert!(!note.contains("nanoGPT"), "{note}");
    for header in ["optim", "bf16", "args.train_runtime", "model_name_or_path"] {
        let headers = format!("gpus,micro_batch,seconds_per_step,{header}");
        let row = "8,8,2,15.9,1".to_owned();
        let text = format!(
            "model,gpu,ac,block_size,gradient_accumulation_steps,{headers}\n\
             llama-2-7b,a100-80gb,true,4096,{row}\n"
        );
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        assert_eq!(rows[0].configuration.grad_accum, 8, "{header}");
    }
    // No header of either, but rows that contradict nanoGPT's count.
    for (headers, rows) in [
        ("gpus,micro_batch,tok/s", ["4,8,4,33000", "8,8,2,33000"]),
        (
            "gpus,micro_batch,tok/s,global_batch_size",
            ["8,8,2,33000,128", "16,8,1,33000,128"],
        ),
        (
            "gpus,micro_batch,train_samples_s,step_time_s",
            ["8,8,2,8.2,15.6", "16,8,1,8.2,15.6"],
        ),
        (
            "gpus,micro_batch,samples/s,steps/s",
            ["8,8,2,8.2,0.064", "16,8,1,8.2,0.064"],
        ),
    ] {
        let headers = headers.replace("train_samples_s", "samples/s");
        let (accums, note) = runs(&headers, &rows);
        let told = rows.map(|row| row.split(',').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(accums, told, "{headers}: {note}");
        assert!(note.contains("as that of each GPU"), "{headers}: {note}");
    }
    // What agrees with it stays nanoGPT's.
    let (accums, note) = runs(
        "gpus,batch_size,tok/s,global_batch_size",
        &["40,8,2,33000,80", "80,8,2,33000,160"],
    );
    assert_eq!(accums, [5, 10], "{note}");
}

/// Model cards of transformers tell the batch of one device beside that of all.
#[test]
fn batches_of_model_cards_are_read() {
    let run = |headers: &str, cells: &str| {
        let text = format!(
            "model,gpu,seq_len,ac,samples/s,{headers}\nllama-2-7b,a100-80gb,4096,true,8.2,{cells}\n"
        );
        let table = read("t.csv", &text, &CATALOG);
        let run = table.map(|table| table.rows[0].configuration);
        run.map(|run| (run.gpus, run.micro_batch, run.grad_accum))
            .map_err(|error| error.to_string())
    };
    let headers = "train_batch_size,gradient_accumulation_steps,total_train_batch_size,num_devices";
    assert_eq!(run(headers, "8,1,64,8").unwrap(), (8, 8, 1));
    assert_eq!(run(headers, "8,4,256,8").unwrap(), (8, 8, 4));
    let refusal = run(headers, "64,1,64,8").unwrap_err();
    assert!(refusal.contains("`total_train_batch_size`"), "{refusal}");
    // One of the three follows from the others.
    let headers = "train_batch_size,total_train_batch_size,gpus";
    assert_eq!(run(headers, "8,256,8").unwrap(), (8, 8, 4));
    let headers = "gradient_accumulation_steps,total_train_batch_size,gpus";
    assert_eq!(run(headers, "4,256,8").unwrap(), (8, 8, 4));
    // Columns of their own names come first.
    let headers =
        "micro_batch,global_batch_size,train_batch_size,total_train_batch_size,gpus,num_devices";
    assert_eq!(run(headers, "4,64,8,64,8,1").unwrap(), (8, 4, 2));
}

/// Steps that are counted beside a speed tell how many tokens each is of.
#[test]
fn steps_per_second_are_compared_with_the_batch() {
    let note = |headers: &str, cells: &str| told(headers, cells).1;
    // 64 GPUs × 1 × 2 sequences of 8192 tokens, 470,000 tokens/s: 0.448 steps/s.
    let said = note("gpus,train_steps_per_second", "64,0.056");
    assert!(said.contains("a step is of about 8392857 tokens"), "{said}");
    for cell in ["0.448", "0.45", "0.4", "n/a"] {
        let said = note("gpus,train_steps_per_second", &format!("64,{cell}"));
        assert!(!said.contains("a step is of about"), "{cell}: {said}");
    }
}
