//! What who predicts with a fit should be careful about.

use super::HeldOut;
use super::held_out::{FEW_ALONE, folds};
use super::stray::are_too_few_inside;
use crate::measure::{Measurement, peak_share};
use crate::quantity::{Confidence, counted};
use crate::throughput::coefficients::Id;
use crate::throughput::physics::{REFERENCE_LINK_BYTES_PER_S, matmul_share};
use crate::throughput::{Doubt, DoubtKind, Fit, doubts};

/// Rows of fewer than which it tells little which of two errors is the larger.
const JUDGED: usize = 8;
/// Times the embedded fit's error from which on an error is larger than it, if it is by as much as the
/// noise of single runs as well.
const WORSE: f64 = 1.05;
const WORSE_BY: f64 = 0.003;
/// Links inside a node are slower than any that are tuned badly from this share of their datasheet down:
/// an assumption.
const SLOW_BUS: f64 = 0.1;
/// Errors above this have another cause than the model.
const FAR_OFF: f64 = 0.5;
/// Of fewer rows an error has to be so many times the embedded fit's, and so much larger as a share, to
/// be told from chance: assumptions.
const MUCH_WORSE: f64 = 1.5;
const MUCH_WORSE_BY: f64 = 0.01;
/// Fewer rows than this tell nothing.
const FEWEST_JUDGED: usize = 3;

/// What who predicts with a fit of these rows should be careful about, in words; `embedded` is the fit
/// without them.
pub(super) fn caution(
    (fit, embedded): (&Fit, &Fit),
    held_out: Option<&HeldOut>,
    alone: bool,
    rows: &[Measurement],
) -> Option<String> {
    of_units(embedded, rows)
        .or_else(|| of_physics(fit, rows))
        .or_else(|| of_errors(held_out, alone, rows))
}

/// That a fit explains its rows by what no hardware does: matrices multiplied beyond the peak, links
/// inside a node that carry next to nothing of what is stated.
fn of_physics(fit: &Fit, rows: &[Measurement]) -> Option<String> {
    fit.layers().find_map(|layer| {
        let example = layer.example?;
        let gpu = &example.cluster.gpu;
        let here = |row: &&Measurement| {
            row.stack.name == example.stack.name && row.cluster.gpu.same_architecture(gpu)
        };
        // The widest are the fastest.
        let widths = rows.iter().filter(here).map(|row| row.shape.d_model);
        let reached = matmul_share(&layer.values, gpu.peak_flops, widths.max()? as f64);
        let carried = layer.values[Id::BusBandwidth] / REFERENCE_LINK_BYTES_PER_S;
        let several = rows.iter().filter(here).any(Measurement::spans_nodes);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let beyond = (reached > peak_share(&example.stack)).then(|| {
            format!(
                "matrices multiplied at {} of the peak of {}",
                percent(reached),
                gpu.name
            )
        });
        let slow = (several && carried < SLOW_BUS).then(|| {
            format!(
                "links inside its nodes that carry {} of what is stated of them",
                percent(carried)
            )
        });
        let told: Vec<String> = beyond.into_iter().chain(slow).collect();
        let likelier = if several {
            "the links between nodes carry less than is taken, or GPUs are counted by node"
        } else {
            "GPUs are counted by node, or speeds in another unit"
        };
        (!told.is_empty()).then(|| {
            format!(
                "to explain its rows this fit needs {}, which hardly is so: more likely {likelier}, so don't \
                 plan with it before that is checked",
                told.join(" and ")
            )
        })
    })
}

/// That rows look as if they were in another unit: where most do, nothing that rests on them is right.
fn of_units(embedded: &Fit, rows: &[Measurement]) -> Option<String> {
    let is_of_units = |doubt: &Doubt| matches!(doubt.kind, DoubtKind::Units { .. });
    let doubt = doubts(embedded, rows).into_iter().find(is_of_units)?;
    let (doubted, all) = (doubt.lines.len(), rows.len());
    let verb = if doubted == 1 { "looks" } else { "look" };
    let remedy = if 2 * doubted > all {
        "don't plan with it"
    } else {
        "mend its table, or leave them out of it"
    };
    Some(format!(
        "{doubted} of {all} rows of this fit {verb} wrong, so {remedy}: {}",
        doubt.kind
    ))
}

/// What the number of its rows and the errors on those held out give to be careful about.
fn of_errors(held_out: Option<&HeldOut>, alone: bool, rows: &[Measurement]) -> Option<String> {
    // Repeats of a cell say nothing of others.
    let (_, cells) = folds(rows);
    if alone && cells < FEW_ALONE {
        let counted = |count: usize, what| counted(count.try_into().unwrap_or(u64::MAX), what);
        let rests_on = if cells == rows.len() {
            counted(cells, "row")
        } else {
            format!(
                "{} of {}",
                counted(rows.len(), "row"),
                counted(cells, "cell")
            )
        };
        return Some(format!(
            "this fit rests on {rests_on} alone, and so few say little of what is unlike them: {}",
            beside_on_top(held_out)
        ));
    }
    let held_out = held_out?;
    let off = |share: f64| format!("{:.0} %", share * 100.0);
    if held_out.mape > FAR_OFF {
        return Some(format!(
            "rows held out of this fit are {} off: a unit or a setting of the measured table looks \
             wrong, so don't plan with it",
            off(held_out.mape)
        ));
    }
    let few = held_out.rows < JUDGED;
    let open = 1.0 - Confidence::default().get();
    if are_too_few_inside(held_out.coverage, held_out.rows, open) {
        return Some(format!(
            "only {} of the rows held out of this fit were inside their 90 % interval: its intervals \
             are too narrow",
            off(held_out.coverage)
        ));
    }
    let embedded = held_out.embedded_mape?;
    let worse = if few {
        held_out.rows >= FEWEST_JUDGED
            && held_out.mape > embedded * MUCH_WORSE
            && held_out.mape > embedded + MUCH_WORSE_BY
    } else {
        held_out.mape > embedded * WORSE && held_out.mape > embedded + WORSE_BY
    };
    worse.then(|| {
        format!(
            "on rows held out this fit is {:.1} % off and the embedded one {:.1} %: its rows have not \
             been of use so far",
            held_out.mape * 100.0,
            embedded * 100.0
        )
    })
}

/// How few rows fare that were fitted alone, beside the same on top of the embedded tables, as far as it is
/// known: which of the two is better isn't told by their number.
fn beside_on_top(held_out: Option<&HeldOut>) -> String {
    let both = held_out.and_then(|held_out| Some((held_out.mape, held_out.on_top_mape?)));
    let Some((alone, on_top)) = both else {
        return "on top of the embedded tables, made without `--alone`, these have a say too"
            .to_owned();
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let better = if on_top < alone {
        "; made without `--alone` it is likely to say more"
    } else {
        ""
    };
    format!(
        "on rows held out it is {} off, and on top of the embedded tables {}{better}",
        percent(alone),
        percent(on_top)
    )
}
