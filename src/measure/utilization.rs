//! Utilizations that a table prints beside a throughput: not used, but they tell its units.

use crate::configuration::Configuration;
use crate::hardware::Cluster;
use crate::model::Shape;
use crate::quantity::display_whole;
use crate::utilization::Convention;

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::number::Printed;
use super::row::Row;
use super::speed::percent;
use super::units::Unit;

/// A utilization may be counted in ways unknown here: against the peak of another precision, say,
/// which is twice as high. Farther off than this, units are wrong.
const OTHER_COUNT: f64 = 2.5;

/// Nor is it counted otherwise when it is that of one GPU, this far outside of every count and this
/// near to one of them for a speed as many times as high.
const MISCOUNTED: f64 = 1.25;
const EXACTLY: f64 = 0.05;

/// Notes where a utilization or the TFLOP/s printed in a row are those of another throughput than
/// `tok_s` tokens per second over all GPUs.
pub(super) fn compare(
    row: &Row<'_>,
    tok_s: f64,
    shape: &Shape,
    cluster: &Cluster,
    configuration: &Configuration,
    notes: &mut Notes,
) {
    let peak = cluster.gpu.peak_flops;
    let counted = |convention: Convention| {
        let flops = convention.flops_per_token(shape, configuration.seq_len, true);
        flops.utilization(tok_s / configuration.gpus as f64, peak)
    };
    // Parameters alone, and everything that is ever counted.
    let lowest = counted(Convention::Mosaic2022).mfu_star;
    let highest = counted(Convention::Palm).hfu;
    for column in [Column::Mfu, Column::Hfu, Column::Tflops] {
        for cell in row.cells(column) {
            let told = match column {
                Column::Tflops => of_peak(cell, peak),
                _ => share(cell),
            };
            let Some(told) = told else { continue };
            // By how much the throughput is too slow for what is printed.
            let off = |factor: f64| (told.min(highest * factor).max(lowest * factor) / told).ln();
            let per_gpu = configuration.gpus as f64;
            let of_one = off(1.0) < -MISCOUNTED.ln() && off(per_gpu).abs() < EXACTLY;
            if off(1.0).abs() <= OTHER_COUNT.ln() && !of_one {
                continue;
            }
            let ratio = off(1.0).exp();
            let unit = if of_one {
                Some(Unit::TokensPerGpu)
            } else {
                Unit::guess(ratio, configuration)
            };
            let header = row.spelled(column, Some(cell));
            let together = told / per_gpu;
            if column == Column::Tflops
                && told > 1.0
                && (lowest / OTHER_COUNT..highest * OTHER_COUNT).contains(&together)
            {
                let text = format!("`{header}` looks like TFLOP/s of all GPUs together");
                notes.warn(row.line(), text);
                continue;
            }
            let subject = format!("`{header}` {unit:?} {}", ratio < 1.0);
            notes.warn_once(row.line(), subject, || {
                let looks_like = unit.map(|unit| format!(", which looks like {unit}"));
                format!(
                    "units look wrong: `{header}` {} does not go with {} tokens/s over all GPUs \
                     (an MFU of {} %){}",
                    cell.text,
                    display_whole(tok_s),
                    percent(lowest),
                    looks_like.unwrap_or_default()
                )
            });
        }
    }
}

/// A share, printed as such or in percent: no run worth printing reaches less than 1 %.
fn share(cell: &Cell) -> Option<f64> {
    let percent = cell.text.strip_suffix('%').map(str::trim_end);
    let value = Printed::parse(percent.unwrap_or(&cell.text))?.value;
    let is_percent = percent.is_some() || value > 1.0;
    Some(if is_percent { value / 100.0 } else { value })
}

/// TFLOP/s of one GPU as a share of its peak.
fn of_peak(cell: &Cell, peak_flops: f64) -> Option<f64> {
    Some(Printed::parse(&cell.text)?.value * 1e12 / peak_flops)
}
