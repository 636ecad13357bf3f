//! Each mistake is one message that names place, value and expectation.

use tminus::fit_file::FitFile;
use tminus::measure::read;

use super::{CATALOG, told};

const CSV_HEADER: &str = "model,d_model,n_layers,n_heads,vocab_size,seq_len,gpus,gpu,micro_batch,\
                          grad_accum,activation_checkpointing,throughput_tok_s,global_batch_tokens";

fn one_row(row: &str) -> String {
    format!("{CSV_HEADER}\n{row}\n")
}

/// Each mistake, and what the message must say.
#[test]
fn mistakes_are_named_with_their_place() {
    for (row, said) in [
        (
            "gpt-1b,,,,,2o48,8,a100-80gb,4,2,true,80000,",
            &["line 2", "`seq_len`", "`2o48`", "t.csv:2:12"][..],
        ),
        (
            "gpt-1b,,,,,-5,8,a100-80gb,4,2,true,80000,",
            &["`seq_len`", "`-5`", "greater than zero"],
        ),
        (
            "gpt-1b,,,,,,8,a100-80gb,4,2,true,80000,",
            &["`seq_len`", "empty"],
        ),
        (
            "gpt-1b,,,,,999999999,8,a100-80gb,4,2,true,80000,",
            &["`seq_len`", "at most 67108864"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,fast,",
            &["`throughput_tok_s`", "`fast`", "greater than zero"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,NaN,",
            &["`throughput_tok_s`", "`NaN`"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,inf,",
            &["`throughput_tok_s`", "`inf`"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,maybe,80000,",
            &["`activation_checkpointing`", "`maybe`", "true or false"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80g,4,2,true,80000,",
            &["`gpu`", "`a100-80g`", "a100-80gb"],
        ),
        (
            "gpt-8b,,,,,2048,8,a100-80gb,4,2,true,80000,",
            &["`model`", "`gpt-8b`", "gpt-7b", "d_model"],
        ),
        (
            "mine,1000,8,16,32000,2048,8,a100-40gb,4,2,true,300000,",
            &["`n_heads`", "16 heads", "1000"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,80000,131073",
            &["`global_batch_tokens`", "131073", "expected 131072"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,,,true,80000,131072",
            &["`micro_batch`", "is empty"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,3,,true,80000,131072",
            &["`grad_accum`", "multiple of 24"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,39.06,",
            &["samples/s", "`throughput_tok_s`"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,8000000,",
            &["units look wrong", "MFU"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,250000,",
            &[
                "`throughput_tok_s`",
                "activations recomputed would be an HFU of 1",
                "at most 100 %",
                "not those of a node",
            ],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,1000000000,1000000000,true,80000,",
            &["more than 1000000000000000000 tokens"],
        ),
        (
            "gpt-1b,,,,,2048,8,a100-80gb,4,2,true,80000",
            &["line 2 has 12 cells", "13"],
        ),
        (
            "gpt-1b,,,,,2048,16,8xA100_80GB,4,2,true,80000,",
            &["`8xA100_80GB`", "expected 16 GPUs"],
        ),
    ] {
        let error = read("t.csv", &one_row(row), &CATALOG)
            .unwrap_err()
            .to_string();
        for fragment in said {
            assert!(
                error.contains(fragment),
                "{row}\nlacks {fragment}:\n{error}"
            );
        }
    }
}

/// What a preset says of a cluster's size holds unless a file of the user's own says otherwise.
#[test]
fn more_gpus_than_a_cluster_has_are_refused_by_its_name() {
    let table = "model,gpu,cluster,gpus,seq_len,micro_batch,grad_accum,activation_checkpointing,tok/s\n\
                 gpt-7b,a100-80gb,gpu_8x_a100_80gb_sxm4,16,2048,4,4,true,55000\n";
    let error = read("t.csv", table, &CATALOG).unwrap_err().to_string();
    for said in [
        "`cluster`",
        "at most 8 GPUs, not 16",
        "max_gpus",
        "t.csv:2:18",
    ] {
        assert!(error.contains(said), "{error}");
    }
    let own = "[clusters.gpu_8x_a100_80gb_sxm4]\ngpu = \"a100-80gb\"\nmax_gpus = 64\n\
               inter_node_gbps = 1600\n";
    let larger = CATALOG.clone().with_file("own.toml", own).unwrap();
    let rows = read("t.csv", table, &larger).unwrap().rows;
    assert_eq!(rows[0].configuration.gpus, 16);
    // Nor does a fit file forget it.
    let file = FitFile::on_top("own", Vec::new(), rows).unwrap();
    let read = FitFile::from_toml("own.fit.toml", &file.to_toml().unwrap()).unwrap();
    assert_eq!(read.rows().len(), 1);
}

#[test]
fn mistakes_of_whole_tables_are_named() {
    for (name, text, said) in [
        ("t.csv", "", "`t.csv` is empty"),
        ("t.csv", "\n \n", "`t.csv` is empty"),
        ("t.csv", "model,seq_len\n", "holds no measured row"),
        (
            "t.csv",
            "model,seq_len\ngpt-1b,2048\n",
            "columns found: model, seq_len",
        ),
        (
            "t.csv",
            "model,gpus,gpus\na,8,8\n",
            "column `gpus` stands twice",
        ),
        ("t.md", "# nothing here\n", "holds no table"),
        (
            "t.md",
            "| Model | Params |\n|---|---|\n| a | 1 |\n",
            "no table with a throughput column",
        ),
        (
            "t.md",
            "| Model | Throughput (T/s) |\n|---|---|\n| a | 1 | 2 |\n",
            "line 3 has 3 cells",
        ),
        (
            "t.md",
            "| Model | Throughput (T/s) |\n|---|---|\n| gpt1b | 1 |\n",
            "no column `gpu`",
        ),
        (
            "t.csv",
            "model,seq_len,gpus,cluster,gpu,micro_batch,grad_accum,throughput_tok_s\n\
             gpt-1b,2048,8,r7z2,a100-80gb,4,2,80000\n",
            "cluster `r7z2` has a100-40gb, not a100-80gb",
        ),
        (
            "t.csv",
            "model,seq_len,gpus,gpu,micro_batch,grad_accum,throughput_tok_s,Throughput (S/s)\n\
             gpt-1b,2048,8,a100-80gb,4,2,80000,45.0625\n",
            "expected about 39.06",
        ),
        (
            "t.csv",
            "model,ParamCount,seq_len,gpus,gpu,micro_batch,grad_accum,throughput_tok_s\n\
             gpt-1b,2700000000,2048,8,a100-80gb,4,2,80000\n",
            "contradict the shape of `gpt-1b`",
        ),
        (
            "t.csv",
            "model,seq_len,gpus,gpu,micro_batch,grad_accum,throughput_tok_s,precision\n\
             gpt-1b,2048,8,a100-80gb,4,2,80000,fp32\n",
            "expected bf16",
        ),
    ] {
        let error = read(name, text, &CATALOG).unwrap_err().to_string();
        assert!(error.contains(said), "{text:?}\nlacks {said}:\n{error}");
    }
}

#[test]
fn a_mistake_is_shown_where_it_stands() {
    let text = one_row("\"gpt-1b\", , ,,, 2o48 ,8,a100-80gb,4,2,true,80000,");
    let error = read("runs.csv", &text, &CATALOG).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @r#"
    error: line 2, column `seq_len`: `2o48` is not a whole number: unknown suffix `o48` (known: k, m, b, g, t, ki, mi, gi, ti)
     --> runs.csv:2:17
      |
    2 | "gpt-1b", , ,,, 2o48 ,8,a100-80gb,4,2,true,80000,
      |                 ^^^^ expected a whole number such as 2048
    "#);
    let markdown = "text\n\n| Model | Throughput (T/s) | SeqLen | NumGPUs | GPUType | MicroBatchSize | GradAccum |\n|--|--|--|--|--|--|--|\n| gpt1b | 8e4 | 2048 | 8 | a100_80gb | 4 | x2 |\n";
    let error = read("runs.md", markdown, &CATALOG).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @r"
    error: line 5, column `GradAccum`: `x2` is not a whole number: it must start with a digit
     --> runs.md:5:44
      |
    5 | | gpt1b | 8e4 | 2048 | 8 | a100_80gb | 4 | x2 |
      |                                            ^^ expected a whole number such as 2048
    ");
}

#[test]
fn a_column_that_may_matter_is_not_left_out_quietly() {
    let common = "gpu,gpus,ac,tps,seq_len,mbs,ga";
    let row = "h100,8,on,80000,2048,4,2";
    for (header, cell, matters) in [
        ("sequence_parallel", "True", true),
        ("sequence_parallel", "False", false),
        ("moe_aux_loss", "0.01", true),
        ("recompute_num_layers", "8", true),
        ("data_parallel_size", "8", false),
        ("loss", "2.3", false),
    ] {
        let (_, note) = told(&format!("{common},{header}"), &format!("{row},{cell}"));
        let said = format!("column `{header}` is not used");
        assert!(note.contains(&said), "{note}");
        assert_eq!(note.contains("it may change the speed"), matters, "{note}");
    }
}

/// A required column under a header that is nearly one of its own is asked for by that.
#[test]
fn a_header_near_a_required_one_is_pointed_at() {
    let text = "model,gpu,gpus,seq_len,mbs,grad_acum,ac,tok/s\ngpt-7b,h100,8,2048,1,4,on,60000\n";
    let refusal = read("t.csv", text, &CATALOG).unwrap_err().to_string();
    assert!(
        refusal.contains("`grad_acum` is not read: name it `grad_accum`"),
        "{refusal}"
    );
    // A batch of no unit is none of one accumulation.
    let text = text.replace("grad_acum", "global_batch");
    let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
    assert!(
        refusal.contains("name it `global_batch_seqs`, or `global_batch_tokens`"),
        "{refusal}"
    );
}

/// Of the units that would explain a number, the one that makes the more usual utilization is named.
#[test]
fn thousands_are_told_from_samples() {
    for (gpus, speed, looks_like) in [
        ("8", "65", "this looks like thousands of tokens/s"),
        ("64", "254", "this looks like samples/s"),
        ("8", "0.5", "this looks like samples/s ("),
        ("1024", "9000", "this looks like tokens/s of one GPU"),
    ] {
        let text = format!(
            "model,gpu,gpus,seq_len,mbs,ga,ac,tok/s\ngpt-7b,h100,{gpus},65536,1,4,on,{speed}\n"
        );
        let text = if speed == "0.5" {
            text
        } else {
            text.replace("65536", "2048")
        };
        let refusal = read("t.csv", &text, &CATALOG).unwrap_err().to_string();
        assert!(refusal.contains(looks_like), "{refusal}");
    }
}
