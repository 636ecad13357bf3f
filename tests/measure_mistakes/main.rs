//! Mistakes in measured tables: each is one message that names place, value and expectation. And
//! what is no mistake: the spellings of other people's tables.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod mistakes;
mod spellings;

use std::sync::LazyLock;

use tminus::measure::{Measurement, read};
use tminus::preset::Catalog;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

/// One row of a table with these headers and cells besides model and GPU type.
fn told(headers: &str, cells: &str) -> (Measurement, String) {
    let text = format!("model,{headers}\ngpt-1b,{cells}\n");
    let table = read("t.csv", &text, &CATALOG).unwrap();
    (table.rows[0].clone(), table.notes.join("\n"))
}
