//! Speeds, by whatever header and in whatever numbers.

use tminus::measure::read;

use super::{CATALOG, refused, told};

/// The headers of the tables that the program itself prints are read, checkpointing among them.
#[test]
fn headers_of_what_is_printed_are_read() {
    for (headers, cells) in [
        ("GPUs,seq,micro batch,grad accum,ckpt", "8,2048,4,2,off"),
        ("GPUs,seq,micro,accum,ckpt", "8,2048,4,2,false"),
        ("gpus,seq_len,mbs,grad_acc_steps,use_ckpt", "8,2048,4,2,no"),
        ("gpus,seq_len,mbs,grad_acc,checkpoint", "8,2048,4,2,off"),
        ("gpus,seq_len,mbs,accumulation_steps,AC", "8,2048,4,2,0"),
    ] {
        let text = format!("model,gpu,{headers},tok/s\ngpt-3b,a100-80gb,{cells},50000\n");
        let run = read("t.csv", &text, &CATALOG).unwrap().rows[0].configuration;
        let batch = (run.gpus, run.seq_len, run.micro_batch, run.grad_accum);
        assert_eq!(batch, (8, 2048, 4, 2), "{headers}");
        assert!(!run.activation_checkpointing, "{headers}");
    }
    // Of files: nothing is told, and where it may have been, that is said.
    for (header, cell, warned) in [
        ("checkpoint", "step-1000", false),
        ("ckpt_every", "500", false),
        ("async_checkpoint", "off", false),
        ("resumed_from_checkpoint", "false", true),
    ] {
        let (row, note) = told(&format!("gpus,{header}"), &format!("64,{cell}"));
        assert!(row.configuration.activation_checkpointing, "{header}");
        let said = format!("`{header}` doesn't tell whether it is");
        assert_eq!(note.contains(&said), warned, "{header}: {note}");
    }
}

#[test]
fn numbers_are_read_as_other_countries_group_them() {
    let speed = |text: &str| {
        let text = format!(
            "model;gpu;gpus;seq_len;micro_batch;grad_accum;ac;tok/s\n\
             gpt-1b;a100-80gb;8;2048;32;4;true;{text}\n"
        );
        read("t.csv", &text, &CATALOG)
            .map(|table| table.rows[0].throughput_tok_s)
            .map_err(|error| error.to_string())
    };
    for text in [
        "92'345",
        "92’345",
        "92 345",
        "92\u{a0}345",
        "92\u{202f}345",
        "92.345K",
        "0.092345M",
    ] {
        let read = speed(text).unwrap();
        assert!((read - 92_345.0).abs() < 1e-6, "{text}: {read}");
    }
    for (text, said) in [
        ("92345,6", "a decimal comma? write 92345.6"),
        ("92.345,6", "a decimal comma? write 92345.6"),
        ("~92k", "write the number alone: 92k"),
        ("92,345 tok/s", "write the number alone: 92345"),
        ("92345*", "write the number alone: 92345"),
        ("92345 ± 500", "write one number"),
        ("92345-95000", "write one number"),
        ("92.345", "where the point groups thousands, write 92345"),
    ] {
        let refusal = speed(text).unwrap_err();
        assert!(refusal.contains(said), "{text}: {refusal}");
    }
    let refusal = refused("gpus", "4.5");
    assert!(
        refusal.contains("`4.5` is not a whole number\n"),
        "{refusal}"
    );
}

#[test]
fn headers_of_other_programs_are_read() {
    for (headers, cells) in [
        (
            "max_seq_length,per_device_train_batch_size,gradient_accumulation_steps",
            "2048,4,2",
        ),
        (
            "seq_len,train_micro_batch_size_per_gpu,train_batch_size",
            "2048,4,64",
        ),
        ("seq_len,MBS,GBS", "2048,4,64"),
        // One device's, once more.
        (
            "seq_len,per_device_train_batch_size,train_batch_size,ga",
            "2048,4,4,2",
        ),
    ] {
        let text = format!("model,gpu,gpus,ac,tok/s,{headers}\ngpt-7b,h100,8,on,60000,{cells}\n");
        let run = read("t.csv", &text, &CATALOG).unwrap().rows[0].configuration;
        assert_eq!(
            (run.seq_len, run.micro_batch, run.grad_accum),
            (2048, 4, 2),
            "{headers}"
        );
    }
    let text = "| Model | GPU | GPUs | SeqLen | MBS | GA | AC | Throughput<br>(tokens/s) |\n\
                |---|---|---|---|---|---|---|---|\n| gpt-7b | h100 | 8 | 2048 | 4 | 2 | on | 60,000 |\n";
    assert_eq!(read("t.md", text, &CATALOG).unwrap().rows.len(), 1);
    // A title above the header, as sheets have it and as a line of its own.
    for title in ["Benchmark,,,,,,,", "# Benchmark"] {
        let text = format!(
            "{title}\nmodel,gpu,gpus,seq_len,mbs,ga,ac,tok/s\ngpt-7b,h100,8,2048,4,2,on,60000\n"
        );
        let table = read("t.csv", &text, &CATALOG).unwrap();
        assert_eq!(table.rows[0].line, 3);
        let note = table.notes.join("\n");
        assert!(
            note.contains("above the header is left out (line 1)"),
            "{note}"
        );
    }
    let text = "Benchmark,,x,\na,b,c,d\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("columns found: Benchmark, x"), "{refusal}");
}

#[test]
fn what_tells_no_speed_is_refused_with_how_it_would() {
    let refused = |name: &str, header: &str| {
        let text =
            format!("model,gpu,gpus,seq_len,mbs,ga,ac,{header}\ngpt-7b,h100,8,2048,4,2,on,3.4\n");
        read(name, &text, &CATALOG).unwrap_err().to_string()
    };
    for (name, header, said) in [
        ("t.csv", "iter_time", "`step_time_s` heads seconds"),
        ("t.csv", "step_time", "`step_time_s` heads seconds"),
        ("t.csv", "TFLOP/s per GPU", "alone doesn't tell it"),
        ("t.csv", "TFLOPs/GPU", "alone doesn't tell it"),
        ("t.csv", "Model TFLOPs/GPU", "alone doesn't tell it"),
        ("t.csv", "MFU (%)", "`step_time_s` heads these"),
        (
            "t.csv",
            "runtime/iteration_time",
            "`step_time_s` heads seconds",
        ),
        ("t.csv", "it/s", "the seconds of one, which are 1 over it"),
        (
            "t.csv",
            "steps/s",
            "the seconds of one, which are 1 over it",
        ),
        ("t.csv", "throughput/batches_per_sec", "counts steps"),
        (
            "t.csv",
            "ktok/s",
            "`throughput_tok_s` heads it multiplied by 1,000",
        ),
        ("t.csv", "Mtok/s", "heads it multiplied by 1,000,000"),
        ("t.csv", "tokens/day", "heads it divided by 86,400"),
        (
            "t.csv",
            "Mtok/hour",
            "heads it multiplied by 1,000,000 and divided by 3,600",
        ),
        (
            "t.csv",
            "tokens/s (k)",
            "`throughput_tok_s` heads it multiplied by 1,000",
        ),
        (
            "t.csv",
            "Throughput (K tokens/s)",
            "`throughput_tok_s` heads it multiplied by 1,000",
        ),
        (
            "t.csv",
            "tokens/day (B)",
            "heads it multiplied by 1,000,000,000 and divided by 86,400",
        ),
        ("t.csv", "median tokens/s", "name it `throughput_tok_s`"),
        ("t.csv", "tokens/device", "name it `throughput_tok_s_gpu`"),
        ("t.jsonl", "tok/s", "export it as CSV"),
        ("t.json", "tok/s", "export it as CSV"),
        ("t.xlsx", "tok/s", "export it as CSV"),
    ] {
        let refusal = refused(name, header);
        assert!(refusal.contains(said), "{header}: {refusal}");
    }
    // What isn't read of FLOPs is no name of a model.
    let text = "gpu,gpus,seq_len,mbs,ga,ac,tps,Model TFLOPs\nh100,8,2048,4,2,on,80000,400\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(!refusal.contains("name it `model`"), "{refusal}");
    let text = "| Model | GPUs | teraFLOP/s per GPU |\n|---|---|---|\n| 1.7B | 32 | 137 |\n";
    let refusal = read("t.md", text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("alone doesn't tell it"), "{refusal}");
    let text = "model,gpu,gpus,seq_len,mbs,ga,ac,iter_time_s\ngpt-7b,h100,8,2048,4,2,on,1.4\n";
    assert!(read("t.csv", text, &CATALOG).is_ok());
}

/// Of the columns of one speed the one of most runs is proposed, and where none is told, what to do.
#[test]
fn ends_of_a_spread_are_no_speed() {
    let text = "model,gpu,gpus,seq_len,mbs,ga,ac,p95 tokens/s,median tokens/s\n\
                gpt-7b,h100,8,2048,4,2,on,32000,33000\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(
        refusal.contains("`median tokens/s` is not read"),
        "{refusal}"
    );
    assert!(!refusal.contains("`p95 tokens/s` is not read"), "{refusal}");
    for header in ["tok/s", "step_time_s", "samples/s"] {
        let text = format!(
            "model,gpu,gpus,seq_len,mbs,ga,ac,status,{header}\ngpt-7b,h100,8,2048,64,2,on,OOM,\n"
        );
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(refusal.contains("is empty"), "{header}: {refusal}");
        assert!(refusal.contains("leave its row out"), "{header}: {refusal}");
    }
}

/// A speed of one GPU is that under every word for it, and a time of a step under every sign.
#[test]
fn speeds_are_read_as_trainers_head_them() {
    for (header, cell, tok_s) in [
        ("tokens/sec/device", "10000", 80_000.0),
        ("tok/s/device", "10000", 80_000.0),
        ("tokens/s/chip", "10000", 80_000.0),
        ("tps_per_gpu", "10000", 80_000.0),
        ("TGS (tokens/gpu/s)", "10000", 80_000.0),
        ("throughput/device/tps", "10000", 80_000.0),
        ("throughput/device/samples_per_sec", "5", 81_920.0),
        ("runtime/samples_per_sec", "40", 81_920.0),
        ("s/it", "1.6", 81_920.0),
        ("sec/iter", "1.6", 81_920.0),
        ("ms/iter", "1600", 81_920.0),
        ("Time/step [s]", "1.6", 81_920.0),
    ] {
        let text = format!(
            "model,gpu,gpus,seq_len,mbs,ga,ac,{header}\ngpt-7b,h100,8,2048,4,2,on,{cell}\n"
        );
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        assert!((rows[0].throughput_tok_s - tok_s).abs() < 1e-6, "{header}");
    }
}
