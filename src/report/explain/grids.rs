//! What a configuration consists of: its step, its memory, its utilization, and the rows around it.

use crate::plan::Candidate;
use crate::quantity::display_thousands;
use crate::report::number::{bar, percent, thousands, unsigned_zero};
use crate::report::words::verdict_tone;
use crate::report::{Cell, Column, Grid, Tone};
use crate::throughput::NearestRow;

/// Columns of a bar.
const BAR: u32 = 30;

/// Parts of a whole: amount, share and a bar each, then their sum.
fn parts_grid(unit: &str, sum: &str, parts: &[(&str, f64)]) -> Grid {
    let total: f64 = parts.iter().map(|(_, amount)| amount).sum();
    let share = |amount: f64| if total > 0.0 { amount / total } else { 0.0 };
    let mut rows: Vec<Vec<Cell>> = parts
        .iter()
        .map(|(name, amount)| {
            vec![
                (*name).into(),
                unsigned_zero(format!("{amount:.3}")).into(),
                unsigned_zero(percent(share(*amount))).into(),
                bar(share(*amount), BAR).into(),
            ]
        })
        .collect();
    rows.push(vec![
        Cell::from(sum).tone(Tone::Strong),
        Cell::from(format!("{total:.3}")).tone(Tone::Strong),
        percent(share(total)).into(),
        "".into(),
    ]);
    Grid {
        columns: vec![
            Column::left("part"),
            Column::right(unit),
            Column::right("share %"),
            Column::bars(),
        ],
        rows,
    }
}

pub(super) fn time(c: &Candidate) -> Grid {
    let parts = c.time_parts_s;
    let (unit, factor) = if c.step_time_s.expected < 1.0 {
        ("ms", 1000.0)
    } else {
        ("s", 1.0)
    };
    parts_grid(
        unit,
        "step",
        &[
            ("matrix multiplications", parts.matmul),
            ("attention", parts.attention),
            ("memory-bound work", parts.memory_bound),
            ("communication", parts.communication),
            ("per-layer overhead", parts.layer_overhead),
            ("optimizer", parts.optimizer),
            ("synchronization", parts.synchronization),
            ("fixed", parts.fixed),
            ("correction to measured rows", parts.residual),
            ("memory pressure", parts.memory_pressure),
        ]
        .map(|(name, seconds)| (name, seconds * factor)),
    )
}

pub(super) fn memory(c: &Candidate) -> Grid {
    let parts = c.memory.parts;
    let mut grid = parts_grid(
        "GiB",
        "peak",
        &[
            ("parameters, gradients, optimizer", parts.states_gib),
            ("gathered parameters", parts.gathered_gib),
            ("kept activations", parts.activations_gib),
            ("logits and loss", parts.logits_gib),
            ("workspace", parts.workspace_gib),
        ],
    );
    let tone = verdict_tone(c.memory.verdict);
    for (name, amount) in [
        ("usable", c.memory.usable_gib),
        ("headroom", c.memory.headroom_gib),
    ] {
        let amount = Cell::from(format!("{amount:.3}"));
        let amount = if name == "headroom" {
            amount.tone(tone)
        } else {
            amount
        };
        grid.rows
            .push(vec![name.into(), amount, "".into(), "".into()]);
    }
    grid
}

pub(super) fn utilization(c: &Candidate) -> Grid {
    let row = |name: &str, share: f64, meaning: &str| -> Vec<Cell> {
        vec![name.into(), percent(share).into(), meaning.into()]
    };
    Grid {
        columns: vec![Column::left(""), Column::right("%"), Column::left("counts")],
        rows: vec![
            row("MFU", c.mfu, "the model's own FLOPs, attention included"),
            row("MFU*", c.mfu_star, "the same without attention"),
            row("HFU", c.hfu, "with what checkpointing computes twice"),
            row("HFU*", c.hfu_star, "the same without attention"),
        ],
    }
}

pub(super) fn nearest(nearest: &[NearestRow]) -> Grid {
    let rows = nearest
        .iter()
        .map(|row| {
            vec![
                row.model.as_str().into(),
                row.gpu.as_str().into(),
                display_thousands(row.gpus.into()).into(),
                row.seq_len.to_string().into(),
                row.micro_batch.to_string().into(),
                row.grad_accum.to_string().into(),
                thousands(row.measured_tok_s).into(),
                format!("{:.2}", row.distance).into(),
            ]
        })
        .collect();
    Grid {
        columns: vec![
            Column::left("nearest measured row"),
            Column::left("GPU"),
            Column::right("GPUs"),
            Column::right("seq"),
            Column::right("micro"),
            Column::right("accum"),
            Column::right("tok/s"),
            Column::right("distance"),
        ],
        rows,
    }
}
