//! Which model a row is of: its shape, its parameters, its block.

use tminus::fit_file::FitFile;
use tminus::measure::{Measurement, read, to_csv};
use tminus::model::FeedForward;

use super::{CATALOG, refused, table, told};

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
