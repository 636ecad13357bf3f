//! What is no mistake: the spellings of other people's tables.

use tminus::configuration::Configuration;
use tminus::measure::read;

use super::{CATALOG, told};

#[test]
fn headers_in_use_elsewhere_are_read() {
    for (headers, cells) in [
        (
            "Hardware,World size,Context Length,MBS,GAS,AC,Tokens/s/GPU",
            "H100,8,2K,4,2,on,10K",
        ),
        (
            "GPUs,# GPUs,block_size,Local batch size,GA,Activation recompute,TPS",
            "h100,8,2048,4,2,full,80_000",
        ),
        (
            "gpu,Number of GPUs,seq_len,mbs,ga,gradient_checkpointing,tokens/sec",
            "NVIDIA H100 80GB HBM3,8,2048,4,2,true,80K",
        ),
        (
            "gpu,gpus,seq_len,per_device_train_batch_size,ga,recompute,samples/sec",
            "h100,8,2048,4,2,yes,39.0625",
        ),
        (
            "gpu,gpus,seq_len,micro_batch,ga,ac,Throughput (tokens/sec)",
            "h100,8,2048,4,2,1,80000",
        ),
        (
            "gpu,gpus,seq_len,micro_batch,ga,ac,Throughput (tokens/s/GPU)",
            "h100,8,2048,4,2,1,10_000",
        ),
    ] {
        let (row, _) = told(headers, cells);
        let expected = Configuration {
            gpus: 8,
            seq_len: 2048,
            micro_batch: 4,
            grad_accum: 2,
            activation_checkpointing: true,
        };
        assert_eq!(row.configuration, expected, "{headers}");
        assert!((row.throughput_tok_s - 80_000.0).abs() < 1e-6, "{headers}");
        assert_eq!(row.cluster.gpu.name, "h100");
    }
    let semicolons = "model;gpu;gpus;seq_len;micro_batch;grad_accum;ac;tps\n\
                      gpt-1b;h100;8;2048;4;2;on;80000\n";
    assert_eq!(read("t.csv", semicolons, &CATALOG).unwrap().rows.len(), 1);
    // Counted with 1024 learned positions instead of the sequence's 32,768.
    let text = "model,NumParams,gpu,gpus,seq_len,micro_batch,grad_accum,ac,tps\n\
                gpt-350m,354871296,h100,8,32768,1,2,on,80000\n";
    assert!(read("t.csv", text, &CATALOG).is_ok());
}

#[test]
fn what_is_read_otherwise_than_written_is_said() {
    let common = "gpu,gpus,ac,tps";
    let row = "h100,8,on,80000";
    let (read, note) = told(
        &format!("{common},seq_len,mbs,ga"),
        &format!("{row},8k,4,2"),
    );
    assert_eq!(read.configuration.seq_len, 8192);
    assert!(note.contains("`8k` is read as 8192"), "{note}");
    let batch = format!("{common},seq_len,mbs,global_batch_size");
    let (read, note) = told(&batch, &format!("{row},2048,4,4194304"));
    assert_eq!(read.configuration.grad_accum, 64);
    assert!(note.contains("read as tokens"), "{note}");
    let (read, _) = told(&batch, &format!("{row},2048,4,2048"));
    assert_eq!(read.configuration.grad_accum, 64);
    let (read, note) = told(
        &format!("{common},seq_len,mbs,ga,stack,precision,TP,ZeRO Stage"),
        &format!("{row},2048,4,2,bf16-gather,amp_fp8,8,2"),
    );
    assert_eq!(read.stack.name, "bf16-gather-fp8-zero2-tp8");
    // One copy of the model on the eight GPUs, eight sequences a step: one a GPU.
    let shared = (
        read.configuration.micro_batch,
        read.configuration.grad_accum,
    );
    assert_eq!(shared, (1, 1));
    for said in [
        "fp8 is not modelled",
        "tensor, pipeline, context and expert parallelism are not modelled",
        "1 copy × 4 × 2 sequences are taken as 8 GPUs × 1 × 1",
        "ZeRO stage `2`",
    ] {
        assert!(note.contains(said), "{said}: {note}");
    }
}

/// Rows whose model is split over GPUs tell the batch of a copy, and are of a stack of their own, by
/// whose name they are read back.
#[test]
fn rows_of_a_split_model_are_apart() {
    let header = "gpu,gpus,ac,tps,seq_len,mbs,ga,tp,pp,stack,global_batch_size";
    let row = |batch: &str| format!("h100,64,on,80000,2048,1,32,8,4,bf16-gather,{batch}");
    let (split, _) = told(header, &row("64"));
    assert_eq!(split.stack.name, "bf16-gather-tp8-pp4");
    assert_eq!(split.configuration.global_batch_seqs(), 64);
    let named = "gpu,gpus,ac,tps,seq_len,mbs,ga,stack";
    let (again, _) = told(named, "h100,64,on,80000,2048,1,1,bf16-gather-tp8-pp4");
    assert_eq!(again.stack.name, split.stack.name);
    assert_eq!(again.stack.precision, split.stack.precision);
    for (cells, expected) in [
        (row("2048"), "a global batch of 2048 sequences contradicts"),
        (
            row("64").replace(",8,4,", ",8,3,"),
            "no whole number of copies",
        ),
        (
            row("").replace(",1,32,8", ",1,3,8"),
            "no whole number for each",
        ),
        (row("64").replace(",8,4,", ",x,4,"), "over how many GPUs"),
        (
            row("64").replace("bf16-gather", "bf16-gather-tp2"),
            "is split otherwise",
        ),
    ] {
        let text = format!("model,{header}\ngpt-1b,{cells}\n");
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{expected}: {refusal}");
    }
}

/// What changes the speed is recognised under the headers that other programs give it.
#[test]
fn what_changes_the_speed_is_told_by_many_headers() {
    let common = "gpu,gpus,tps,seq_len,mbs,ga";
    let row = "h100,8,80000,2048,4,2";
    let read_as =
        |header: &str, cell: &str| told(&format!("{common},{header}"), &format!("{row},{cell}"));
    for header in [
        "ActCPUoffload",
        "actoffload",
        "activation_offload",
        "cpu_offload",
        "offload_optimizer",
        "optimizer_offload",
    ] {
        let (_, note) = read_as(header, "True");
        assert!(
            note.contains("CPU offload is not modelled"),
            "{header}: {note}"
        );
        let (_, note) = read_as(header, "False");
        assert!(!note.contains("offload"), "{header}: {note}");
    }
    for header in [
        "checkpoint-activations",
        "use_activation_checkpointing",
        "recompute_granularity",
        "Recomputation",
        "AC mode",
        "grad_ckpt",
        "gradient checkpoint",
    ] {
        assert!(
            read_as(header, "full")
                .0
                .configuration
                .activation_checkpointing
        );
        assert!(
            !read_as(header, "null")
                .0
                .configuration
                .activation_checkpointing
        );
    }
    for (header, cell, stack) in [
        ("fp8", "true", "bf16-gather-fp8"),
        ("fp8", "no", "bf16-gather"),
        ("dtype", "torch.float8_e4m3fn", "bf16-gather-fp8"),
        ("precision", "float8", "bf16-gather-fp8"),
        ("precision", "bf16-mixed", "bf16-gather"),
        ("precision", "bf16-true", "pure-bf16"),
        ("Techniques", "Float8 + compile", "bf16-gather-fp8"),
        ("precision,dtype", "bf16,fp8", "bf16-gather-fp8"),
        ("Techniques", "bf16 + compile", "bf16-gather"),
        ("sharding_strategy", "FULL_SHARD", "bf16-gather"),
        // Within one node, a group is all there is.
        ("sharding_strategy", "HYBRID_SHARD", "bf16-gather"),
        (
            "sharding_strategy",
            "ShardingStrategy.NO_SHARD",
            "bf16-gather-zero0",
        ),
        ("zero_stage", "3", "bf16-gather"),
        ("zero_stage", "ZeRO-2", "bf16-gather-zero2"),
        ("zero_stage", "1", "bf16-gather-zero1"),
        ("zero_stage", "0.0", "bf16-gather-zero0"),
        ("cp", "2", "bf16-gather-cp2"),
        ("context_parallel_size", "1", "bf16-gather"),
        ("expert_parallel", "8", "bf16-gather-ep8"),
    ] {
        assert_eq!(read_as(header, cell).0.stack.name, stack, "{header} {cell}");
        // And by that name it is read back.
        assert_eq!(read_as("stack", stack).0.stack.name, stack);
    }
    let (_, note) = read_as("stack,zero_stage", "bf16-gather-zero2,2");
    assert!(!note.contains("of their own"), "{note}");
    for (header, cell, said) in [
        ("num_experts", "8", "a mixture of experts is not modelled"),
        ("MoE", "8x7B", "leave the rows of such models out"),
        ("recompute_granularity", "selective", "is not modelled"),
        (
            "stack,zero_stage",
            "bf16-gather-zero2,1",
            "sharded otherwise",
        ),
        (
            "ac,recompute_granularity",
            "off,full",
            "expected false as in the other",
        ),
    ] {
        let text = format!("model,{common},{header}\ngpt-1b,{row},{cell}\n");
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(
            refusal.contains(said) && refusal.contains("line 2"),
            "{refusal}"
        );
    }
    for dense in ["1", "false", "", "dense"] {
        assert_eq!(read_as("num_experts", dense).0.stack.name, "bf16-gather");
    }
}

/// What only some of the GPUs or nodes can do is not done by fewer.
#[test]
fn sharding_within_groups_is_told_where_there_are_several() {
    let header = "gpu,gpus,tps,seq_len,mbs,ga,ac";
    let on = |gpus: u64, more: &str, cell: &str| {
        told(
            &format!("{header},{more}"),
            &format!("h100,{gpus},{},2048,4,2,on,{cell}", gpus * 10_000),
        )
        .0
        .stack
        .name
        .clone()
    };
    for (gpus, more, cell, stack) in [
        (16, "sharding_strategy", "HYBRID_SHARD", "bf16-gather-hsdp"),
        (
            8,
            "sharding_strategy",
            "_HYBRID_SHARD_ZERO2",
            "bf16-gather-zero2",
        ),
        (1, "sharding_strategy", "NO_SHARD", "bf16-gather"),
        (1, "zero_stage", "1", "bf16-gather"),
        (64, "dp_replicate,dp_shard", "8,8", "bf16-gather-hsdp"),
        (64, "dp_replicate,dp_shard", "8,-1", "bf16-gather-hsdp"),
        (64, "dp_replicate,dp_shard", "1,64", "bf16-gather"),
        (64, "dp_replicate,dp_shard", "64,1", "bf16-gather-zero0"),
        (64, "dp_shard", "-1", "bf16-gather"),
        (
            64,
            "data_parallel_replicate_degree,tp",
            "2,8",
            "bf16-gather-hsdp-tp8",
        ),
        (
            64,
            "fsdp_config.sharding_strategy",
            "SHARD_GRAD_OP",
            "bf16-gather-zero2",
        ),
    ] {
        assert_eq!(on(gpus, more, cell), stack, "{more} {cell}");
    }
}

#[test]
fn sheets_are_read_as_spreadsheets_write_them() {
    let rows = "model,gpu,gpus,seq_len,micro_batch,grad_accum,ac,tps\n\
                gpt-1b,h100,8,2048,4,2,on,80000\n,,,,,,,\n,,,,,,,\n";
    for text in [
        rows.to_owned(),
        rows.replace(',', "\t"),
        format!("sep=;\n{}", rows.replace(',', ";")),
        format!("\u{feff}sep=,\r\n{rows}"),
    ] {
        let table = read("t.txt", &text, &CATALOG).unwrap();
        assert_eq!(table.rows.len(), 1, "{text}");
        let line = if text.contains("sep=") { 3 } else { 2 };
        assert_eq!(table.rows[0].line, line, "{text}");
    }
    let bars = rows.replace(',', "|");
    let refusal = read("t.csv", &bars, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("told apart by commas"), "{refusal}");
}

#[test]
fn speeds_and_sizes_are_told_by_other_programs_headers() {
    for (header, cell) in [
        ("throughput/tokens_per_sec", "80000"),
        ("throughput/device/tokens_per_sec", "10000"),
        ("tokens_per_gpu_per_sec", "10000"),
        ("TGS", "10000"),
        ("Tokens/GPU/s", "10000"),
        ("wps/gpu", "10000"),
        ("seq/s", "39.0625"),
        ("step time (s)", "1.6384"),
        ("iteration time (ms)", "1638.4"),
    ] {
        let (row, _) = told(
            &format!(
                "gpu,nodes,gpus_per_node,seq_len,ac,device_batch_size,batch_accumulation_per_replica,{header}"
            ),
            &format!("h100,2,4,2048,on,4,2,{cell}"),
        );
        assert!((row.throughput_tok_s - 80_000.0).abs() < 1e-6, "{header}");
        assert_eq!(row.configuration.gpus, 8);
    }
    for header in [
        "train_micro_batch_size_per_gpu",
        "micro_batch_size_per_gpu",
        "per_device_batch_size",
        "device_train_microbatch_size",
    ] {
        let headers =
            format!("gpu,gpus,seq_len,ac,ga,tps,num_attention_heads,padded_vocab_size,{header}");
        let (row, _) = told(&headers, "h100,8,2048,on,2,80000,16,50304,4");
        assert_eq!(row.configuration.micro_batch, 4, "{header}");
        assert_eq!(row.shape.vocab_size, 50_304);
    }
    let headers = "gpu,gpus,seq_len,ac,mbs,ga,tps,model-parallel-size,pipe-parallel-size";
    let (row, _) = told(headers, "h100,8,2048,on,4,4,80000,2,2");
    assert_eq!(row.stack.name, "bf16-gather-tp2-pp2");
    let text = "model,gpu,gpus,seq_len,ac,ga,step time (s)\ngpt-1b,h100,8,2048,on,2,1638.4\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("`global_batch_size`"), "{refusal}");
    let text = text
        .replace(",ga,", ",ga,mbs,")
        .replace(",2,1638", ",2,4,1638");
    let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("too long for a step"), "{refusal}");
}

/// What other programs print beside what is read refuses no row.
#[test]
fn what_stands_beside_a_column_is_no_contradiction() {
    let common = "gpu,gpus,seq_len,mbs,ga,tps";
    let row = "h100,8,2048,4,2,80000";
    let read_as =
        |header: &str, cell: &str| told(&format!("{common},{header}"), &format!("{row},{cell}"));
    for (header, cell) in [
        ("precision,torch_dtype", "bf16-mixed,float32"),
        ("mp_mode,dtype", "DEFAULT,torch.float32"),
        ("vocab_size,padded_vocab_size", "50257,50304"),
        ("padded_vocab_size,vocab_size", "50304,50257"),
        ("tensor_model_parallel_size,model_parallel_size", "1,4"),
        ("nodes,num_nodes", "1,1"),
        ("cp", "0"),
        ("step_time_s", "n/a"),
        // One step, 2 % longer than the mean of many.
        ("step_time_s", "1.672"),
        ("moe", "n/a"),
        ("activation_checkpointing", "1.0"),
    ] {
        let (measured, _) = read_as(header, cell);
        assert_eq!(measured.stack.name, "bf16-gather", "{header}");
        assert!(
            (measured.throughput_tok_s - 80_000.0).abs() < 1e-6,
            "{header}"
        );
        assert_eq!(measured.shape.vocab_size, 50257, "{header}");
    }
    // Nothing is sharded, and part of each block is recomputed: neither is what is modelled.
    assert_eq!(
        read_as("zero_stage", "none").0.stack.name,
        "bf16-gather-zero0"
    );
    let (_, note) = read_as(
        "activation_checkpointing,recompute_activations",
        "true,True",
    );
    assert!(note.contains("may change the speed"), "{note}");
    let (_, note) = read_as("checkpoint_interval", "500");
    assert!(!note.contains("may change the speed"), "{note}");
}
