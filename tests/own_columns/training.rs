//! How a row was trained: recomputation, sharding, parallelism, types, stacks.

use tminus::measure::read;

use super::{CATALOG, refused, table, told};

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
