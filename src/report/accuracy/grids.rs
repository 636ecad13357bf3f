//! Tables of errors.

use std::collections::BTreeMap;

use crate::configuration::on_off;
use crate::quantity::display_count;
use crate::report::number::{percent, range, thousands};
use crate::report::words::basis_letter;
use crate::report::{Cell, Column, Grid, Tone};
use crate::throughput::evaluate::{Accuracy, Evaluation, GroupAccuracy, Protocol, RowResult};

use super::headline::{Aim, Headline};

/// Groupings in the order they are shown, with their headings.
pub(super) const GROUPINGS: [(&str, &str); 3] = [
    ("model", "By model"),
    ("gpus", "By GPUs"),
    ("seq_len", "By sequence length"),
];

/// The same of tables whose rows are of several clusters of one GPU, or of several stacks.
pub(super) const MORE_GROUPINGS: [(&str, &str); 2] =
    [("cluster", "By cluster"), ("stack", "By stack")];

/// Rows shown as the farthest off.
const FARTHEST: usize = 5;

/// A share as a percentage with two decimals: errors of well-known cells are below 1 %.
fn fine(share: f64) -> String {
    format!("{:.2}", share * 100.0)
}

fn accuracy_columns() -> Vec<Column> {
    [
        "rows",
        "mean\nerror %",
        "physics\nerror %",
        "median\nerror %",
        "95th pct\nerror %",
        "cover %",
        "± %",
    ]
    .map(Column::right)
    .to_vec()
}

fn accuracy_cells(accuracy: &Accuracy) -> Vec<Cell> {
    vec![
        accuracy.rows.to_string().into(),
        Cell::from(fine(accuracy.mape)).tone(Tone::Strong),
        fine(accuracy.physics_mape).into(),
        fine(accuracy.median_ape).into(),
        fine(accuracy.p95_ape).into(),
        percent(accuracy.coverage).into(),
        percent(accuracy.half_width).into(),
    ]
}

/// All rows of one evaluation.
pub(super) fn summary(evaluation: &Evaluation) -> Grid {
    Grid {
        columns: accuracy_columns(),
        rows: vec![accuracy_cells(&evaluation.accuracy)],
    }
}

/// One line a group.
pub(super) fn groups(evaluation: &Evaluation, by: &str) -> Grid {
    let line = |group: &GroupAccuracy| {
        let name = Cell::from(group.value.as_str());
        [name]
            .into_iter()
            .chain(accuracy_cells(&group.accuracy))
            .collect()
    };
    Grid {
        columns: [Column::left(by_word(by))]
            .into_iter()
            .chain(accuracy_columns())
            .collect(),
        rows: groups_by(evaluation, by).into_iter().map(line).collect(),
    }
}

/// Groups of one kind: models as they come, counts from the smallest.
fn groups_by<'a>(evaluation: &'a Evaluation, by: &str) -> Vec<&'a GroupAccuracy> {
    let of_kind = evaluation.groups.iter().filter(|group| group.by == by);
    let mut groups: Vec<&GroupAccuracy> = of_kind.collect();
    if by == "gpus" || by == "seq_len" {
        groups.sort_by_key(|group| {
            let count = group.value.split(' ').next().unwrap_or_default();
            count.parse::<u64>().unwrap_or(u64::MAX)
        });
    }
    groups
}

fn by_word(by: &str) -> &str {
    match by {
        "gpus" => "GPUs",
        "seq_len" => "sequence",
        other => other,
    }
}

/// Headlines with what they are held to.
pub(super) fn headlines(headlines: &[Headline]) -> Grid {
    let aimed = headlines.iter().any(|headline| headline.aim.is_some());
    let mut columns = vec![Column::left("protocol"), Column::left("judged on")];
    columns.extend(accuracy_columns());
    if aimed {
        columns.push(Column::left("aim %"));
    }
    let line = |headline: &Headline| {
        let mut cells = vec![
            headline.protocol.name().into(),
            headline.judged.as_str().into(),
        ];
        cells.extend(accuracy_cells(&headline.accuracy));
        if aimed {
            cells.push(outcome(headline));
        }
        cells
    };
    Grid {
        columns,
        rows: headlines.iter().map(line).collect(),
    }
}

fn outcome(headline: &Headline) -> Cell {
    let Some(aim) = &headline.aim else {
        return "–".into();
    };
    let aims = aimed(aim);
    let all = aims.join("; ");
    match headline.missed.as_slice() {
        [] => Cell::from(format!("{all} met")).tone(Tone::Good),
        // One aim needs no name.
        [_] if aims.len() == 1 => Cell::from(format!("{all} missed")).tone(Tone::Bad),
        missed => Cell::from(format!("{all} missed: {}", missed.join(", "))).tone(Tone::Bad),
    }
}

/// What is aimed at: mean error, coverage, half-width.
fn aimed(aim: &Aim) -> Vec<String> {
    let plain = |share: f64| {
        let text = percent(share);
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    let coverage = aim.coverage;
    let coverage = coverage.map(|(low, high)| format!("{}–{}", plain(low), plain(high)));
    let half_width = aim.half_width.map(|most| format!("±{}", plain(most)));
    let parts = [aim.mape.map(plain), coverage, half_width];
    parts.into_iter().flatten().collect()
}

/// One line a group, protocols side by side.
pub(super) fn side_by_side(protocols: &[Evaluation], by: &str) -> Grid {
    let mut columns = vec![Column::left(by_word(by)), Column::right("rows")];
    for protocol in protocols
        .iter()
        .filter_map(|evaluation| evaluation.protocol)
    {
        columns.push(Column::right(format!("{}\nerror", short(protocol))));
        columns.push(Column::right("cover"));
        columns.push(Column::right("±"));
    }
    let mut rows: Vec<(&GroupAccuracy, Vec<Cell>)> = Vec::new();
    for evaluation in protocols {
        let by_value: BTreeMap<&str, &GroupAccuracy> = evaluation
            .groups
            .iter()
            .filter(|group| group.by == by)
            .map(|group| (group.value.as_str(), group))
            .collect();
        if rows.is_empty() {
            let first = groups_by(evaluation, by).into_iter();
            rows = first.map(|group| (group, Vec::new())).collect();
        }
        for (group, cells) in &mut rows {
            let accuracy = by_value
                .get(group.value.as_str())
                .map(|group| &group.accuracy);
            let shown = |show: &dyn Fn(&Accuracy) -> String| -> Cell {
                accuracy.map(show).unwrap_or_default().into()
            };
            cells.push(shown(&|a| fine(a.mape)).tone(Tone::Strong));
            cells.push(shown(&|a| format!("{:.0}", a.coverage * 100.0)));
            cells.push(shown(&|a| percent(a.half_width)));
        }
    }
    let line = |(group, cells): (&GroupAccuracy, Vec<Cell>)| {
        let rows = group.accuracy.rows.to_string();
        [group.value.as_str().into(), rows.into()]
            .into_iter()
            .chain(cells)
            .collect()
    };
    Grid {
        columns,
        rows: rows.into_iter().map(line).collect(),
    }
}

/// A protocol's name on two lines.
fn short(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::InSample => "in-\nsample",
        Protocol::LeaveModel => "leave-\nmodel",
        Protocol::LeaveSeq => "leave-\nseq",
        Protocol::LeaveGpus => "leave-\ngpus",
    }
}

/// The rows with the largest errors.
pub(super) fn farthest(evaluation: &Evaluation) -> Grid {
    let mut rows: Vec<&RowResult> = evaluation.predictions.iter().collect();
    rows.sort_by(|a, b| b.ape.total_cmp(&a.ape));
    let columns = [
        ("model", false),
        ("GPUs", false),
        ("seq", true),
        ("micro", true),
        ("accum", true),
        ("ckpt", false),
        ("measured\ntok/s", true),
        ("predicted\ntok/s", true),
        ("low–high", true),
        ("error %", true),
        ("basis", false),
    ];
    Grid {
        columns: columns
            .map(|(header, right)| Column {
                bars: false,
                header: header.to_owned(),
                right,
            })
            .to_vec(),
        rows: rows.into_iter().take(FARTHEST).map(far_row).collect(),
    }
}

fn far_row(row: &RowResult) -> Vec<Cell> {
    vec![
        row.model.as_str().into(),
        format!("{} x {}", row.gpus, row.gpu).into(),
        row.seq_len.to_string().into(),
        row.micro_batch.to_string().into(),
        row.grad_accum.to_string().into(),
        on_off(row.activation_checkpointing).into(),
        thousands(row.measured_tok_s).into(),
        thousands(row.predicted_tok_s.expected).into(),
        range(row.predicted_tok_s, display_count).into(),
        fine(row.ape).into(),
        basis_letter(row.basis).into(),
    ]
}
