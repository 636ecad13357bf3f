//! Columns of other people's tables that change what a row is: none is read as something else, or left
//! out, without a word.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use tminus::fit_file::{FitFile, embedded_fit};
use tminus::measure::{Measurement, read, to_csv};
use tminus::model::FeedForward;
use tminus::preset::Catalog;
use tminus::throughput::doubts;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

/// One run of 64 H100 with more columns, and what is said of it.
fn told(headers: &str, cells: &str) -> (Measurement, String) {
    let table = read("t.csv", &table(headers, cells), &CATALOG).unwrap();
    (table.rows[0].clone(), table.notes.join("\n"))
}

/// What the same is refused with.
fn refused(headers: &str, cells: &str) -> String {
    let refusal = read("t.csv", &table(headers, cells), &CATALOG).unwrap_err();
    refusal.to_string()
}

fn table(headers: &str, cells: &str) -> String {
    format!(
        "model,gpu,seq_len,micro_batch,grad_accum,stack,throughput_tok_s,{headers}\n\
         llama-3-8b,h100,8192,1,2,bf16-gather,470000,{cells}\n"
    )
}

#[test]
fn recomputing_is_told_by_whatever_header_speaks_of_it() {
    for header in [
        "recompute_activations",
        "activation_checkpoint.mode",
        "job_config.activation_checkpoint.mode",
        "fsdp_config.activation_checkpointing",
        "enable_gradient_checkpointing",
        "use_checkpoint",
        "recompute_method",
        "full_activation_checkpointing",
        "remat_policy",
    ] {
        for no in ["false", "none", "0"] {
            let (row, _) = told(&format!("gpus,{header}"), &format!("64,{no}"));
            assert!(!row.configuration.activation_checkpointing, "{header} {no}");
        }
        let (row, _) = told(&format!("gpus,{header}"), "64,full");
        assert!(row.configuration.activation_checkpointing, "{header}");
    }
    for yes in ["true", "Yes", "on", "1", "enabled"] {
        let (row, _) = told("gpus,activation_checkpointing", &format!("64,{yes}"));
        assert!(row.configuration.activation_checkpointing, "{yes}");
    }
    for (header, cell) in [
        ("recompute_activations", "true"),
        ("recompute_method", "block"),
        ("activation_checkpoint.mode", "selective"),
        ("selective_recompute", "true"),
    ] {
        let refusal = refused(&format!("gpus,{header}"), &format!("64,{cell}"));
        assert!(refusal.contains("is not modelled"), "{header}: {refusal}");
    }
    let refusal = refused("gpus,remat_policy", "64,dots_saveable");
    assert!(
        refusal.contains("expected false, none or full"),
        "{refusal}"
    );
    let refusal = refused(
        "gpus,gradient_checkpointing,fsdp_config.activation_checkpointing",
        "64,false,true",
    );
    assert!(
        refusal.contains("as `gradient_checkpointing` says"),
        "{refusal}"
    );
    // Another way of it is on.
    let (row, _) = told(
        "gpus,recompute_granularity,recompute_activations",
        "64,full,false",
    );
    assert!(row.configuration.activation_checkpointing);
    // Neither says whether.
    for (header, cell) in [
        ("activation_checkpointing_reentrant", "true"),
        ("activation_checkpointing.partition_activations", "true"),
        ("recompute_num_layers", "8"),
    ] {
        let (_, note) = told(&format!("gpus,{header}"), &format!("64,{cell}"));
        let said = format!("`{header}` doesn't tell whether it is");
        assert!(note.contains(&said), "{note}");
    }
    let (_, note) = told("gpus,checkpoint.interval", "64,500");
    assert!(
        note.contains("checkpointing is not told and taken as on"),
        "{note}"
    );
}

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

/// One name of a cluster that isn't known may stand for nodes of several GPUs.
#[test]
fn a_cluster_that_is_not_known_is_of_the_gpu_of_each_row() {
    let text = "model,gpus,seq_len,micro_batch,grad_accum,ac,cluster,gpu,nodes,stack,tok/s\n\
                gpt-7b,16,2048,4,4,on,mine,a100-40gb,4,bf16-gather,40000\n\
                gpt-7b,16,2048,4,4,on,mine,h100,4,bf16-gather,120000\n";
    let rows = read("t.csv", text, &CATALOG).unwrap().rows;
    let gpus: Vec<&str> = rows.iter().map(|row| &*row.cluster.gpu.name).collect();
    assert_eq!(gpus, ["a100-40gb", "h100"]);
    let said: Vec<String> = doubts(&embedded_fit().unwrap(), &rows)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(said.is_empty(), "{said:?}");
}

/// A shape whose heads don't divide its width reads back from what is written of it, in a fit file too.
#[test]
fn the_width_of_a_head_is_written() {
    let text = "model,d_model,n_layers,n_heads,head_dim,d_ff,vocab_size,gpu,gpus,seq_len,micro_batch,\
                grad_accum,ac,tok/s\nown,5120,32,24,128,20480,50304,h100,16,2048,4,4,on,100000\n";
    let rows = read("t.csv", text, &CATALOG).unwrap().rows;
    let again = read("again.csv", &to_csv(&rows), &CATALOG).unwrap().rows;
    assert_eq!(again[0].shape, rows[0].shape);
    // Who reads them again knows that nobody told the stack.
    assert!(!rows[0].stack_told && !again[0].stack_told);
    let file = FitFile::on_top("own", Vec::new(), rows).unwrap();
    let read = FitFile::from_toml("own.fit.toml", &file.to_toml().unwrap()).unwrap();
    assert_eq!(read.rows()[0].shape.head_dim, 128);
}

#[test]
fn nodes_and_gpus_go_together() {
    // A node's eight GPUs, written before their name.
    let of = |headers: &str, cells: &str| {
        let text = table(headers, cells).replace(",h100,", ",8xH100,");
        let table = read("t.csv", &text, &CATALOG).unwrap();
        (table.rows[0].configuration.gpus, table.notes.join("\n"))
    };
    let (gpus, note) = of("nodes", "8");
    assert_eq!(gpus, 64);
    assert!(note.contains("64 together"), "{note}");
    assert_eq!(of("nodes,gpus", "8,64").0, 64);
    // Nodes of other GPUs than usual are another cluster, by whose name they are read back.
    for (headers, cells) in [
        ("nodes,gpus_per_node", "16,4"),
        ("nodes,gpus", "16,64"),
        ("gpus,gpus_per_node", "64,4"),
    ] {
        let (row, note) = told(headers, cells);
        assert_eq!(row.configuration.gpus, 64);
        assert_eq!(row.cluster.gpus_per_node, 4, "{headers}");
        assert_eq!(row.cluster.name, "h100-nodes-of-4");
        assert!(note.contains("a cluster of their own"), "{note}");
    }
    for (headers, cells) in [
        ("nodes,gpus", "8,64"),
        ("nodes,gpus,gpus_per_node", "8,60,8"),
        ("nodes,gpus", "node[1-8],64"),
    ] {
        assert!(told(headers, cells).0.cluster.stands_for_gpu(), "{headers}");
    }
    for (headers, cells, said) in [
        (
            "nodes,gpus_per_node,gpus",
            "2,8,8",
            "8 GPUs contradict 2 nodes of 8",
        ),
        ("nodes,gpus", "1,64", "64 GPUs on 1 node are not 8 a node"),
        ("nodes,gpus", "5,64", "expected 8"),
        ("nodes,gpus,cluster", "16,64,h100-cluster", "have 8"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains(said), "{headers}: {refusal}");
    }
}

#[test]
fn gpus_that_stay_while_nodes_grow_are_of_each_node() {
    let gpus = |rows: [&str; 2]| -> Vec<u64> {
        let rows = rows.map(|row| format!("gpt-7b,a100-80gb,2048,4,2,on,{row},bf16-gather,20000"));
        let header = "model,gpu,seq_len,mbs,gas,ac,nodes,gpus,stack,tok/s";
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        rows.iter().map(|row| row.configuration.gpus).collect()
    };
    assert_eq!(gpus(["4,8", "2,8"]), [32, 16]);
    assert_eq!(gpus(["1,8", "2,8"]), [8, 16]);
    assert_eq!(gpus(["4,32", "2,16"]), [32, 16]);
    // Nodes of fewer GPUs than usual.
    assert_eq!(gpus(["2,8", "2,8"]), [8, 8]);
    assert_eq!(gpus(["4,4", "2,4"]), [4, 4]);
}

/// Rows that run on other nodes are not one cell, and a fit of them can be kept.
#[test]
fn a_fit_holds_rows_of_other_nodes() {
    let dir = tempfile::tempdir().unwrap();
    let text = "model,gpu,nodes,gpus_per_node,seq_len,micro_batch,grad_accum,ac,tok/s,stack\n\
                gpt-7b,h100,4,4,2048,4,2,on,100000,bf16-gather\n\
                gpt-7b,h100,2,8,2048,4,2,on,120000,bf16-gather\n";
    fs::write(dir.path().join("own.csv"), text).unwrap();
    let run = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_tminus"))
            .current_dir(dir.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    let said = run(&["fit", "own.csv", "-o", "own.fit.toml"]);
    assert!(!said.contains("one configuration"), "{said}");
    run(&[
        "predict",
        "--model",
        "gpt-7b",
        "--cluster",
        "h100-nodes-of-4",
        "--gpus",
        "16",
        "--fit",
        "own.fit.toml",
    ]);
}

#[test]
fn copies_go_into_the_gpus() {
    for (headers, cells) in [
        ("gpus,dp,tp,pp", "64,16,2,2"),
        ("gpus,data_parallel_size", "64,64"),
        ("gpus,dp,tp", "64,64,8"),
        // Megatron counts those of a sequence among the copies.
        ("gpus,dp,tp,cp", "64,8,4,2"),
        ("gpus,dp,tp,cp", "64,16,4,2"),
        ("gpus,dp,tp,ep", "64,2,4,8"),
        ("gpus,dp", "64,-1"),
        ("gpus,parallelism.data_parallel_degree", "64,64"),
    ] {
        // A batch that every GPU can have its share of.
        let cells = cells.to_owned();
        let text = table(headers, &cells).replace(",8192,1,2,", ",8192,1,64,");
        let table = read("t.csv", &text, &CATALOG);
        assert!(table.is_ok(), "{headers} {cells}: {table:?}");
    }
    for (headers, cells, said) in [
        (
            "gpus,dp,tp,pp",
            "64,4,2,2",
            "4 copies, each split over 4 GPUs, are 16 GPUs, not 64",
        ),
        ("gpus,dp", "64,8", "8 copies are 8 GPUs, not 64"),
        ("gpus,dp_replicate,dp_shard", "64,4,8", "not 64"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains(said), "{headers}: {refusal}");
    }
}

/// A dense model of the same sizes would be another one.
#[test]
fn a_mixture_of_experts_is_refused_by_whatever_tells_it() {
    for (headers, cells) in [
        ("gpus,num_experts_per_tok", "64,2"),
        ("gpus,moe_top_k", "64,2"),
        ("gpus,top_k", "64,2"),
        ("gpus,active_params", "64,3.3B"),
        ("gpus,n_params,active_params", "64,8.03B,3.3B"),
    ] {
        let refusal = refused(headers, cells);
        assert!(
            refusal.contains("a mixture of experts"),
            "{headers}: {refusal}"
        );
    }
    for (headers, cells) in [
        ("gpus,num_experts_per_tok", "64,-"),
        ("gpus,top_k,temperature", "64,50,1.0"),
        ("gpus,n_params,active_params", "64,8.03B,8.03B"),
    ] {
        told(headers, cells);
    }
    for name in ["Mixtral-8x7B", "my-8x22b", "Qwen3-30B-A3B", "OLMoE-1B-7B"] {
        let refusal = of_shape(name, "", "").unwrap_err();
        assert!(
            refusal.contains("a mixture of experts"),
            "{name}: {refusal}"
        );
    }
    assert!(of_shape("my-a100-8b", "", "").is_ok());
}

/// Tables say in words what others have columns of.
#[test]
fn sharding_and_parallelism_are_read_in_words() {
    for (headers, cells, stack) in [
        ("gpus,strategy", "64,FSDP", "bf16-gather"),
        ("gpus,fsdp", "64,full_shard auto_wrap", "bf16-gather"),
        ("gpus,deepspeed", "64,zero3", "bf16-gather"),
        ("gpus,Parallelism", "64,FSDP 64", "bf16-gather"),
        ("gpus,Parallelism", "64,FSDP 8", "bf16-gather-hsdp"),
        ("gpus,strategy", "64,HSDP 8x8", "bf16-gather-hsdp"),
        ("gpus,fsdp", "64,hybrid_shard", "bf16-gather-hsdp"),
        ("gpus,distributed_strategy", "64,ddp", "bf16-gather-zero0"),
        ("gpus,strategy", "64,deepspeed_stage_2", "bf16-gather-zero2"),
        (
            "gpus,strategy",
            "64,ZeRO-2 + offload",
            "bf16-gather-zero2-offload",
        ),
        (
            "gpus,deepspeed",
            "64,ds_z3_offload_config.json",
            "bf16-gather-offload",
        ),
        (
            "gpus,reshard_after_forward",
            "64,false",
            "bf16-gather-zero2",
        ),
        (
            "gpus,parallelism.fsdp_reshard_after_forward",
            "64,default",
            "bf16-gather",
        ),
        ("gpus,strategy", "64,replicated", "bf16-gather-zero0"),
        // What isn't over all GPUs is told by either.
        (
            "gpus,strategy,sharding_strategy",
            "64,ddp,FULL_SHARD",
            "bf16-gather-zero0",
        ),
        (
            "gpus,fsdp,deepspeed",
            "64,[],ds_z2_config.json",
            "bf16-gather-zero2",
        ),
    ] {
        let (row, note) = told(headers, cells);
        assert_eq!(row.stack.name, stack, "{headers} {cells}: {note}");
        assert!(!note.contains("doesn't tell what is sharded"), "{note}");
    }
    for (cell, stack) in [
        ("FSDP + torch.compile", "bf16-gather"),
        ("torch.compile + Float8", "bf16-gather-fp8"),
        ("HSDP", "bf16-gather-hsdp"),
        ("FSDP + activation offloading", "bf16-gather-offload"),
    ] {
        let (row, note) = told("gpus,Techniques", &format!("64,{cell}"));
        assert_eq!(row.stack.name, stack, "{cell}: {note}");
        assert!(!note.contains("doesn't tell what is sharded"), "{note}");
    }
    for header in ["Parallelism", "Techniques"] {
        let text = table(&format!("gpus,{header}"), "64,\"FSDP 8, TP 8\"");
        let text = text.replace(",8192,1,2,", ",8192,1,64,");
        let row = read("t.csv", &text, &CATALOG).unwrap().rows.remove(0);
        assert_eq!(row.stack.name, "bf16-gather-tp8", "{header}");
        let refusal = refused(&format!("gpus,{header}"), "64,FSDP + async TP");
        assert!(refusal.contains("such as TP 8"), "{header}: {refusal}");
    }
    let text = table("gpus,strategy", "64,TP8 + FSDP8").replace(",8192,1,2,", ",8192,1,64,");
    let row = read("t.csv", &text, &CATALOG).unwrap().rows.remove(0);
    assert_eq!(row.stack.name, "bf16-gather-tp8");
    for (headers, cells) in [
        ("gpus,distributed_strategy", "64,megatron"),
        ("gpus,deepspeed", "64,ds_config.json"),
        ("gpus,fsdp", "64,false"),
        ("gpus,fsdp_sharding_strategy", "64,2"),
        ("gpus,sharding_strategy", "64,none"),
    ] {
        let (_, note) = told(headers, cells);
        assert!(note.contains("doesn't tell what is sharded"), "{note}");
    }
    for (headers, cells, said) in [
        ("gpus,strategy", "64,FSDP + TP", "over how many GPUs"),
        ("gpus,strategy,tp", "64,FSDP + TP4,8", "as `tp` says"),
        ("gpus,strategy", "64,HSDP 4x8", "not 64"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains(said), "{headers} {cells}: {refusal}");
    }
}

/// The same words under a sharding's own header.
#[test]
fn a_sharding_is_read_in_words_under_its_own_header() {
    for (cells, stack) in [
        ("64,FSDP", "bf16-gather"),
        ("64,FSDP + TP2", "bf16-gather-tp2"),
        ("64,TP2", "bf16-gather-tp2"),
        ("64,HybridShardZero2", "bf16-gather-hsdp2"),
        (
            "64,FSDP in a node and replicated across nodes",
            "bf16-gather-hsdp",
        ),
        ("64,SHARD_GRAD_OP (ZeRO-2)", "bf16-gather-zero2"),
        ("64,FULL_SHARD + CPU offload", "bf16-gather-offload"),
        ("64,HSDP 8x8", "bf16-gather-hsdp"),
        ("64,stage 2", "bf16-gather-zero2"),
        ("64,deepspeed_stage_2_offload", "bf16-gather-zero2-offload"),
        ("64,fsdp-hybrid", "bf16-gather-hsdp"),
        ("64,DDP+ZeRO1", "bf16-gather-zero1"),
        ("64,MiCS", "bf16-gather-hsdp"),
    ] {
        let (row, note) = told("gpus,sharding_strategy", cells);
        assert_eq!(row.stack.name, stack, "{cells}: {note}");
        assert!(!note.contains("doesn't tell what is sharded"), "{note}");
    }
}

/// A sequence is shared by GPUs of its own, or by those that share each matrix.
#[test]
fn shared_sequences_are_context_parallelism() {
    for (headers, cells, stack) in [
        ("gpus,sp", "64,8", "bf16-gather-cp8"),
        ("gpus,ulysses_degree", "64,4", "bf16-gather-cp4"),
        (
            "gpus,sequence_parallel_size,tp",
            "64,8,8",
            "bf16-gather-tp8",
        ),
        ("gpus,sequence_parallel,tp", "64,true,8", "bf16-gather-tp8"),
        ("gpus,sp,cp", "64,2,4", "bf16-gather-cp4"),
        ("gpus,sp", "64,false", "bf16-gather"),
    ] {
        let text = table(headers, cells).replace(",8192,1,2,", ",8192,1,64,");
        let row = read("t.csv", &text, &CATALOG).unwrap().rows.remove(0);
        assert_eq!(row.stack.name, stack, "{headers} {cells}");
    }
}

/// Runs in fp32 and of adapters are no training of all parameters in 16 bits.
#[test]
fn other_training_is_refused_or_warned_of() {
    for (headers, cells) in [
        ("gpus,use_lora", "64,true"),
        ("gpus,Method", "64,LoRA r=16"),
        ("gpus,finetuning_type", "64,qlora"),
        ("gpus,lora_rank", "64,16"),
    ] {
        let refusal = refused(headers, cells);
        assert!(refusal.contains("adapters are not modelled"), "{refusal}");
    }
    for (headers, cells) in [
        ("gpus,use_lora", "64,false"),
        ("gpus,Method", "64,full"),
        ("gpus,finetuning_type,lora_rank", "64,full,8"),
        ("gpus,bf16,fp16", "64,true,false"),
        // Its stack says more.
        ("gpus,bf16,fp16", "64,false,false"),
    ] {
        told(headers, cells);
    }
    let text = table("gpus,bf16,fp16", "64,false,false").replace("bf16-gather", "");
    let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("fp32 is not modelled"), "{refusal}");
    for (optimizer, warned) in [
        ("AdamW8bit", true),
        ("paged_adamw", true),
        ("adamw_torch", false),
    ] {
        let (_, note) = told("gpus,Optimizer", &format!("64,{optimizer}"));
        assert_eq!(
            note.contains("taken as AdamW"),
            warned,
            "{optimizer}: {note}"
        );
    }
}

/// What is moved in how many bits is told by modes, by types, and by nothing.
#[test]
fn types_of_what_is_moved_tell_the_stack() {
    for (headers, cells, stack) in [
        (
            "gpus,param_dtype,reduce_dtype",
            "64,bf16,fp32",
            "bf16-gather",
        ),
        (
            "gpus,param_dtype,reduce_dtype",
            "64,torch.bfloat16,bf16",
            "pure-bf16",
        ),
        (
            "gpus,param_dtype,reduce_dtype",
            "64,fp32,fp32",
            "fp32-gather",
        ),
        (
            "gpus,training.mixed_precision_param,training.mixed_precision_reduce",
            "64,bfloat16,bfloat16",
            "pure-bf16",
        ),
        ("gpus,fsdp_config.mixed_precision", "64,PURE", "pure-bf16"),
        // A precision, as Accelerate calls it.
        ("gpus,mixed_precision", "64,bf16", "bf16-gather"),
        ("gpus,mixed_precision", "64,fp8", "bf16-gather-fp8"),
        (
            "gpus,mixed_precision,fsdp_config.mixed_precision",
            "64,bf16,PURE",
            "pure-bf16",
        ),
    ] {
        let text = table(headers, cells).replace("bf16-gather", "");
        let row = read("t.csv", &text, &CATALOG).unwrap().rows.remove(0);
        assert_eq!(row.stack.name, stack, "{headers} {cells}");
    }
    for (headers, cells) in [
        ("gpus,param_dtype,reduce_dtype", "64,bf16,bf16"),
        ("gpus,mp_mode", "64,PURE"),
    ] {
        let (row, note) = told(headers, cells);
        assert_eq!(row.stack.name, "bf16-gather");
        assert!(note.contains("the stack says otherwise"), "{note}");
    }
}

/// Programs export a setting under the names of what it is set in.
#[test]
fn settings_are_read_by_their_last_names() {
    let text = "Name,model.name,model.d_model,model.n_layers,model.n_heads,model.attn_config.kv_n_heads,\
                model.vocab_size,n_gpus,gpu_type,max_seq_len,device_train_microbatch_size,\
                global_train_batch_size,fsdp_config.mixed_precision,fsdp_config.activation_checkpointing,\
                throughput/tokens_per_sec\n\
                run-1,mpt_causal_lm,4096,32,32,8,50368,64,H100,2048,8,1024,PURE,false,640000\n";
    let row = &read("t.csv", text, &CATALOG).unwrap().rows[0];
    assert_eq!(row.stack.name, "pure-bf16");
    let shape = row.shape;
    let sizes = (shape.d_model, shape.n_layers, shape.n_heads);
    assert_eq!((sizes, shape.n_kv_heads), ((4096, 32, 32), 8));
    assert_eq!(shape.vocab_size, 50_368);
}

/// A row of a model that is no preset, with these columns beside the usual ones of its shape.
fn of_shape(name: &str, headers: &str, cells: &str) -> Result<(Measurement, String), String> {
    let text = format!(
        "model,hidden_size,num_hidden_layers,num_attention_heads,vocab_size,gpu,gpus,seq_len,micro_batch,\
         grad_accum,ac,tok/s,stack{headers}\n\
         {name},4096,32,32,128256,h100,64,8192,1,2,on,300000,bf16-gather{cells}\n"
    );
    let table = read("t.csv", &text, &CATALOG).map_err(|error| error.to_string())?;
    Ok((table.rows[0].clone(), table.notes.join("\n")))
}

#[test]
fn a_parameter_count_tells_a_llama_block() {
    let llama = CATALOG.model("llama-3-8b").unwrap().shape;
    for count in ["8030261248", "8.03B", "8B"] {
        for (kv, ff) in [
            ("num_key_value_heads", "intermediate_size"),
            ("num_query_groups", "ffn_dim"),
            ("num_kv_heads", "n_inner"),
            ("n_head_kv", "ffn_hidden_size"),
        ] {
            let (row, note) = of_shape(
                "my-8b",
                &format!(",{kv},{ff},n_params"),
                &format!(",8,14336,{count}"),
            )
            .unwrap();
            assert_eq!(row.shape, llama, "{count}");
            assert!(note.contains("a Llama block"), "{note}");
        }
    }
    let (row, note) = of_shape("my-8b", ",num_kv_heads,ffn_dim", ",8,14336").unwrap();
    assert_eq!(row.shape, llama);
    assert!(note.contains("look like those of a Llama block"), "{note}");
    let (row, note) = of_shape("my-8b", ",ffn_dim", ",14336").unwrap();
    assert_eq!(row.shape.feed_forward, FeedForward::Gelu);
    assert!(note.contains("may be those of a Llama block"), "{note}");
    for name in [
        "Llama-3-8B-Instruct",
        "meta-llama/Meta-Llama-3-8B-Instruct",
        "llama-3-8b-chat-hf",
        "llama-3-8b-base-v0.3",
    ] {
        let (row, note) = of_shape(name, ",num_kv_heads,ffn_dim", ",8,14336").unwrap();
        assert_eq!(
            (row.model.as_str(), row.shape),
            ("llama-3-8b", llama),
            "{note}"
        );
        assert!(note.contains("is taken as `llama-3-8b`"), "{note}");
    }
    let (_, note) = of_shape("my-8b", ",swiglu", ",True").unwrap();
    assert!(
        note.contains("`swiglu` is not used, though it may change the shape"),
        "{note}"
    );
    let (row, _) = of_shape("my-8b", ",kv_channels,n_inner", ",256,None").unwrap();
    assert_eq!((row.shape.head_dim, row.shape.d_ff), (256, 16_384));
    let (row, _) = of_shape("my-8b", ",num_query_groups", ",1").unwrap();
    assert_eq!(row.shape.n_kv_heads, 32);
}

#[test]
fn a_name_excuses_no_other_models_parameters() {
    let refusal = of_shape("corp-70b", ",n_params", ",70B").unwrap_err();
    for said in [
        "contradict the shape of `corp-70b`",
        "architecture = \"llama\"",
        "`--presets`",
    ] {
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
    // What a preset is called by leaves out its embeddings, or is rounded.
    for (model, count) in [("gemma-7b", "7B"), ("gpt-1b", "1B"), ("gpt-3b", "3B")] {
        let text = table("gpus,n_params", &format!("64,{count}")).replace("llama-3-8b", model);
        let text = text.replace(",8192,", ",2048,");
        assert!(read("t.csv", &text, &CATALOG).is_ok(), "{model}");
    }
    let refusal = refused("gpus,n_params", "64,80B");
    assert!(refusal.contains("contradict the shape"), "{refusal}");
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
fn another_card_is_not_offered_for_one_that_is_not_known() {
    for name in ["V100", "H100 PCIe", "H100 NVL", "GH200", "A10G", "TPU v4"] {
        let text = table("gpus", "64").replace(",h100,", &format!(",{name},"));
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(!refusal.contains("did you mean"), "{refusal}");
        assert!(refusal.contains("[gpus."), "{refusal}");
    }
    let text = table("gpus", "64").replace(",h100,", ",A100,");
    let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
    assert!(refusal.contains("did you mean `a100-40gb`"), "{refusal}");
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

/// Of two columns the one that says something is read.
#[test]
fn a_column_that_nothing_stands_below_gives_way() {
    for (headers, cells) in [("gpus,tp,tp_size", "64,,2"), ("gpus,tp_size,tp", "64,2,")] {
        let (row, note) = told(headers, cells);
        assert_eq!(row.stack.name, "bf16-gather-tp2", "{headers}");
        assert!(note.contains("is not used"), "{note}");
    }
    let refusal = refused("gpus,tp,tp_size", "64,2,2");
    assert!(refusal.contains("stands twice"), "{refusal}");
}

#[test]
fn marks_say_yes_and_no() {
    for (mark, on) in [
        ("✓", true),
        ("✔️", true),
        ("✅", true),
        ("✗", false),
        ("✘", false),
        ("❌", false),
    ] {
        let (row, _) = told("gpus,ac", &format!("64,{mark}"));
        assert_eq!(row.configuration.activation_checkpointing, on, "{mark}");
    }
}

/// What was exported of a run tells its nodes, and its utilization in which units its speed is.
#[test]
fn exports_of_trainers_are_read() {
    let (row, note) = told(
        "trainer.devices,trainer.num_nodes,throughput/device/mfu",
        "8,4,0.02",
    );
    assert_eq!(row.configuration.gpus, 32);
    assert!(
        note.contains("units look wrong: `throughput/device/mfu`"),
        "{note}"
    );
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

/// What changes the speed and is no other stack is told where rows differ in it.
#[test]
fn rows_that_differ_in_what_is_not_read_are_told() {
    for header in ["Compile", "torch_compile", "use_flash_attention_2"] {
        let note = |cells: [&str; 2]| {
            let [one, other] = cells;
            let first = table(&format!("gpus,{header}"), &format!("64,{one}"));
            let text = format!("{first}llama-3-8b,h100,8192,2,1,bf16-gather,480000,64,{other}\n");
            let notes = read("t.csv", &text, &CATALOG).unwrap().notes.join("\n");
            notes.contains(&format!(
                "`{header}` is not used, though it may change the speed"
            ))
        };
        assert!(note(["no", "yes"]), "{header}");
        assert!(!note(["yes", "yes"]), "{header}");
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

/// Who makes a GPU is no part of its name, and no other architecture is offered in its place.
#[test]
fn a_gpus_vendor_is_no_part_of_its_name() {
    for (name, gpu) in [
        ("NVIDIA H100 80GB", "h100"),
        ("NVIDIA H100", "h100"),
        ("nvidia-h200-141gb", "h200"),
        ("NVIDIA A100 80GB", "a100-80gb"),
    ] {
        let text =
            format!("model,gpu,gpus,seq_len,mbs,ga,ac,tps\ngpt-7b,{name},8,2048,4,2,on,25000\n");
        let rows = read("t.csv", &text, &CATALOG).unwrap().rows;
        assert_eq!(rows[0].cluster.gpu.name, gpu, "{name}");
    }
    let text = "model,gpu,gpus,seq_len,mbs,ga,ac,tps\ngpt-7b,H100 80GB foo,8,2048,4,2,on,25000\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(!refusal.contains("a100"), "{refusal}");
}

/// A stack that isn't known can be described.
#[test]
fn an_unknown_stack_is_refused_with_how_to_describe_it() {
    let text = "model,gpu,gpus,seq_len,mbs,ga,ac,tps,stack\ngpt-7b,h100,8,2048,4,2,on,80000,mine\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(
        refusal.contains("`[stacks.NAME]` with its `precision`"),
        "{refusal}"
    );
}

#[test]
fn repeats_of_a_cell_are_no_more_cells() {
    let dir = tempfile::tempdir().unwrap();
    let header = "model,gpu,gpus,seq_len,micro_batch,grad_accum,ac,tok/s,stack\n";
    let row = |speed: u64| format!("gpt-7b,h100,8,2048,4,2,on,{speed},bf16-gather\n");
    let text: String = std::iter::once(header.to_owned())
        .chain((60_000..60_060).map(row))
        .collect();
    fs::write(dir.path().join("own.csv"), text).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .current_dir(dir.path())
        .args(["fit", "own.csv", "--alone", "-o", "own.fit.toml"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(said.contains("60 rows of 1 cell alone"), "{said}");
}
