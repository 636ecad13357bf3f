//! Rows that stand in the embedded tables already: fitted on top of themselves they would count twice,
//! and be judged by a fit that holds them.

use super::embedded_rows;
use crate::diagnostic::Diagnostic;
use crate::measure::Measurement;

/// Rounding by which a copy may differ, as a share: repeats of one cell differ by several times that.
const ROUNDING: f64 = 1e-4;

/// The rows that the embedded tables don't hold, and how many they do.
///
/// # Errors
/// Where none are left.
pub fn without_copies(rows: Vec<Measurement>) -> Result<(Vec<Measurement>, usize), Diagnostic> {
    let embedded = embedded_rows()?;
    let all = rows.len();
    let new: Vec<Measurement> = rows
        .into_iter()
        .filter(|row| !embedded.iter().any(|known| is_copy(row, known)))
        .collect();
    let copies = all - new.len();
    if new.is_empty() && copies > 0 {
        return Err(Diagnostic::new(
            "every row stands in the embedded tables already: there is nothing to fit on top of them",
        )
        .help("predictions rest on them without a fit; `--alone` fits to these rows and no others"));
    }
    Ok((new, copies))
}

/// Whether a row is a known one once more: the same run on the same kind of nodes at the same speed, as
/// printed.
pub(crate) fn is_copy(row: &Measurement, known: &Measurement) -> bool {
    row.configuration == known.configuration
        && row.shape == known.shape
        && row.cluster.gpu.is_same_as(&known.cluster.gpu)
        && row.stack.is_same_as(&known.stack)
        && (row.throughput_tok_s / known.throughput_tok_s - 1.0).abs() < ROUNDING
}
