//! Ranked configurations: what `plan` says.

use serde::Serialize;

use crate::plan::{Candidate, SpaceReport};
use crate::quantity::display_thousands;
use crate::throughput::Basis;

use super::number::{TimeUnit, dollars, half_width, percent, range, thousands};
use super::words::{basis_letter, basis_name, basis_words, on_off, shortfall_words, verdict_tone};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone, candidate};

/// Candidates, best first, with what is to be said about them.
#[derive(Debug, Clone)]
pub struct Ranking<'a, P> {
    /// The whole answer, for JSON.
    pub plan: &'a P,
    /// What is planned, in one line.
    pub title: String,
    /// Shown candidates, best first.
    pub candidates: &'a [Candidate],
    /// The best candidate of each cluster and GPU count.
    pub best_by_gpus: &'a [Candidate],
    /// What became of the space.
    pub space: &'a SpaceReport,
    /// Further notes: label and text.
    pub notes: Vec<(String, String)>,
}

impl<P: Serialize> Answer for Ranking<'_, P> {
    fn document(&self) -> Document {
        let mut document = Document::new(&self.title);
        if let Some(best) = self.candidates.first() {
            document =
                document.grid(self.ranked(TimeUnit::of_hours(best.time_to_budget_h.expected)));
        }
        if self.best_by_gpus.len() > 1 {
            document = document
                .heading("The best configuration at each GPU count")
                .grid(self.by_gpus());
        }
        document.heading("Notes").notes(self.all_notes())
    }

    fn records(&self) -> Records {
        let mut records = Records::default();
        for candidate in self.candidates {
            let (header, row) = candidate::fields(candidate).into_iter().unzip();
            records.header = header;
            records.rows.push(row);
        }
        records
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.plan)
    }
}

impl<P> Ranking<'_, P> {
    fn ranked(&self, unit: TimeUnit) -> Grid {
        let priced = self.candidates.iter().any(|c| c.cost_usd.is_some());
        let mut columns = vec![
            Column::right("#"),
            Column::left("cluster"),
            Column::right("GPUs"),
            Column::right("seq"),
            Column::right("micro\nbatch"),
            Column::right("grad\naccum"),
            Column::left("ckpt"),
            Column::right("tok/s"),
            Column::right("±"),
            Column::right("MFU\n%"),
            Column::right("memory\nGiB"),
            Column::right(format!("time\n{}", unit.name)),
            Column::left("low–high"),
        ];
        if priced {
            columns.push(Column::right("cost\n$"));
        }
        columns.push(Column::left("by"));
        let rows = self
            .candidates
            .iter()
            .map(|candidate| ranked_row(candidate, unit, priced))
            .collect();
        Grid { columns, rows }
    }

    fn by_gpus(&self) -> Grid {
        let priced = self.best_by_gpus.iter().any(|c| c.cost_usd.is_some());
        let longest = self
            .best_by_gpus
            .iter()
            .map(|c| c.time_to_budget_h.expected)
            .fold(0.0, f64::max);
        let unit = TimeUnit::of_hours(longest);
        let mut columns = vec![
            Column::left("cluster"),
            Column::right("GPUs"),
            Column::right("micro × accum"),
            Column::left("ckpt"),
            Column::right(format!("time {}", unit.name)),
            Column::right("GPU-hours"),
        ];
        if priced {
            columns.push(Column::right("cost $"));
        }
        columns.push(Column::left("by"));
        let row = |c: &Candidate| {
            let mut row: Vec<Cell> = vec![
                c.cluster.as_str().into(),
                display_thousands(c.gpus.into()).into(),
                format!("{} × {}", c.micro_batch, c.grad_accum).into(),
                on_off(c.activation_checkpointing).into(),
                unit.show(c.time_to_budget_h.expected).into(),
                thousands(c.gpu_hours.expected).into(),
            ];
            if priced {
                row.push(cost(c).into());
            }
            row.push(basis_letter(c.basis).into());
            row
        };
        Grid {
            columns,
            rows: self.best_by_gpus.iter().map(row).collect(),
        }
    }

    fn all_notes(&self) -> Vec<(String, String)> {
        let mut notes = self.marks();
        notes.push(("searched".into(), searched(self.space)));
        if self.space.rejected.tight > 0 {
            notes.push((
                "tight".into(),
                format!(
                    "{} left out: too near the memory limit to be sure; --allow-tight ranks them too",
                    configurations(self.space.rejected.tight)
                ),
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }

    /// What the marks in the table mean, as far as they occur.
    fn marks(&self) -> Vec<(String, String)> {
        let shown = || self.candidates.iter().chain(self.best_by_gpus);
        let mut notes = Vec::new();
        if self.candidates.iter().any(is_tie) {
            notes.push((
                "#=".to_owned(),
                "can't be told apart from rank 1: the intervals overlap too far".to_owned(),
            ));
        }
        if let Some(words) = self
            .candidates
            .iter()
            .find_map(|c| shortfall_words(c.global_batch_shortfall))
        {
            notes.push(("#~".to_owned(), words));
        }
        let bases: Vec<String> = [Basis::Measured, Basis::Interpolated, Basis::Extrapolated]
            .into_iter()
            .filter(|basis| shown().any(|c| c.basis == *basis))
            .map(|basis| {
                format!(
                    "{} {} ({})",
                    basis_letter(basis),
                    basis_name(basis),
                    basis_words(basis)
                )
            })
            .collect();
        if !bases.is_empty() {
            notes.push(("by".to_owned(), bases.join("; ")));
        }
        notes
    }
}

fn is_tie(candidate: &Candidate) -> bool {
    candidate.tied_with_best && candidate.rank > 1
}

fn ranked_row(c: &Candidate, unit: TimeUnit, priced: bool) -> Vec<Cell> {
    let strong = |text: String| {
        let tone = if c.rank == 1 {
            Tone::Strong
        } else {
            Tone::Plain
        };
        Cell::from(text).tone(tone)
    };
    let tie = if is_tie(c) { "=" } else { "" };
    let short = if c.global_batch_shortfall > 0.0 {
        "~"
    } else {
        ""
    };
    let memory = format!("{:.1}/{:.1}", c.memory.peak_gib, c.memory.usable_gib);
    let mut row = vec![
        strong(format!("{tie}{short}{}", c.rank)),
        c.cluster.as_str().into(),
        display_thousands(c.gpus.into()).into(),
        c.seq_len.to_string().into(),
        c.micro_batch.to_string().into(),
        c.grad_accum.to_string().into(),
        on_off(c.activation_checkpointing).into(),
        thousands(c.throughput_tok_s.expected).into(),
        half_width(c.throughput_tok_s)
            .trim_start_matches('±')
            .into(),
        percent(c.mfu).into(),
        Cell::from(memory).tone(verdict_tone(c.memory.verdict)),
        strong(unit.show(c.time_to_budget_h.expected)),
        range(c.time_to_budget_h, |hours| unit.show(hours)).into(),
    ];
    if priced {
        row.push(cost(c).into());
    }
    row.push(basis_letter(c.basis).into());
    row
}

fn cost(c: &Candidate) -> String {
    c.cost_usd
        .map_or_else(|| "–".to_owned(), |cost| dollars(cost.expected))
}

fn configurations(count: u64) -> String {
    let count = display_thousands(count.into());
    if count == "1" {
        "1 configuration".to_owned()
    } else {
        format!("{count} configurations")
    }
}

/// How many points there were and what became of them, in words.
pub(super) fn searched(space: &SpaceReport) -> String {
    let rejected = space.rejected;
    let reasons: Vec<String> = [
        (rejected.overflows, "out of memory"),
        (rejected.tight, "too near the memory limit"),
        (rejected.global_batch, "no way to meet the global batch"),
        (rejected.cluster_size, "not whole nodes the cluster has"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, reason)| format!("{} {reason}", display_thousands(count.into())))
    .collect();
    let mut text = format!(
        "{}, {} feasible",
        configurations(space.points),
        display_thousands(space.feasible.into())
    );
    if !reasons.is_empty() {
        text = format!("{text}; rejected: {}", reasons.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Rejections;
    use crate::report::fixture::candidate;
    use crate::report::{Csv, Markdown, Report, Table};

    fn render(report: &dyn Report) -> String {
        let candidates = candidates();
        let space = SpaceReport {
            points: 1_234,
            evaluated: 400,
            feasible: 2,
            rejected: Rejections {
                overflows: 300,
                tight: 1,
                global_batch: 931,
                cluster_size: 0,
            },
        };
        let text = report.render(&Ranking {
            plan: &(),
            title: "gpt-7b (6.66B parameters), 134B tokens".into(),
            candidates: &candidates,
            best_by_gpus: &candidates,
            space: &space,
            notes: vec![("fit".into(), "embedded, 300 measured rows".into())],
        });
        anstream::adapter::strip_str(&text.unwrap()).to_string()
    }

    /// The widest a plan gets: long cluster name, thousands of GPUs, long sequences, a price.
    fn candidates() -> Vec<Candidate> {
        let second = candidate();
        let mut first = candidate();
        first.rank = 1;
        first.cluster = "p4de.24xlarge".into();
        first.gpus = 1_024;
        first.seq_len = 16_384;
        first.micro_batch = 1;
        first.throughput_tok_s = first.throughput_tok_s.scale(16.0);
        let mut third = candidate();
        third.rank = 3;
        third.tied_with_best = false;
        third.global_batch_shortfall = 0.023;
        third.cost_usd = None;
        third.basis = Basis::Measured;
        vec![first, second, third]
    }

    #[test]
    fn a_terminal_answers_at_a_glance() {
        let text = render(&Table);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn markdown_can_be_pasted() {
        insta::assert_snapshot!(render(&Markdown));
    }

    #[test]
    fn csv_has_a_row_for_each_candidate() {
        let text = render(&Csv);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rank = |row: csv::StringRecord| row.get(0).unwrap().to_owned();
        let ranks: Vec<String> = reader.records().map(|row| rank(row.unwrap())).collect();
        assert_eq!(ranks, ["1", "2", "3"]);
    }
}
