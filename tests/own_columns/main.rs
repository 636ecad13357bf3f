//! Columns of other people's tables that change what a row is: none is read as something else, or left
//! out, without a word.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod batches;
mod hardware;
mod models;
mod sheets;
mod speeds;
mod training;

use std::sync::LazyLock;

use tminus::measure::{Measurement, read};
use tminus::preset::Catalog;

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
