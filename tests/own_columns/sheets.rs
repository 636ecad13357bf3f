//! Sheets as a whole: empty columns, marks, exports, repeats.

use std::fs;
use std::process::Command;

use tminus::measure::read;

use super::{CATALOG, refused, table, told};

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
