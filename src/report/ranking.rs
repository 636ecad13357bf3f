//! Ranked configurations: what `plan` says.

use crate::configuration::on_off;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::plan::{Candidate, Plan, SpaceReport};
use crate::quantity::{counted, display_count, display_thousands, plural};
use crate::search::Objective;
use crate::throughput::Basis;

use super::number::{
    TimeUnit, bar, compact, confidence, half_width, largest, percent, range, thousands,
};
use super::words::{basis_letter, basis_name, basis_words, price_words, ranked_by, verdict_tone};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone, candidate};

/// The longest bar of a time.
const BAR: u32 = 12;

/// A plan with the request it answers.
#[derive(Debug, Clone, Copy)]
pub struct Ranking<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The request.
    pub request: &'a Request,
}

impl Answer for Ranking<'_> {
    fn document(&self) -> Document {
        if let Some(front) = &self.plan.front {
            return self.front_document(front);
        }
        let mut document = Document::new(self.title()).text(self.scope());
        if let Some(best) = self.plan.candidates.first() {
            document =
                document.grid(self.ranked(TimeUnit::of_hours(best.time_to_budget_h.expected)));
        }
        if self.plan.best_by_gpu_count.len() > 1 {
            document = document
                .heading("The best configuration at each GPU count")
                .grid(self.by_gpus());
        }
        document.heading("Notes").notes(self.all_notes())
    }

    fn besides(&self) -> Vec<String> {
        self.plan.notes.clone()
    }

    fn records(&self) -> Records {
        let mut records = Records::default();
        for candidate in &self.plan.candidates {
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

impl Ranking<'_> {
    pub(super) fn title(&self) -> String {
        let request = &self.plan.request;
        format!(
            "{} ({} parameters) on {} {}",
            request.model,
            display_count(request.params as f64),
            self.request.tokens.rounded(),
            plural(self.request.tokens.get(), "token"),
        )
    }

    pub(super) fn scope(&self) -> String {
        let request = &self.plan.request;
        format!(
            "global batch {} tokens; stack {}; by {}; intervals hold {} % of outcomes",
            self.request.global_batch,
            request.stack,
            by(request.sort),
            confidence(request.confidence),
        )
    }

    fn fit(&self) -> String {
        let fit = &self.plan.fit;
        let mut text = format!("{}: {}", fit.name, counted(fit.rows as u64, "measured row"));
        if let Some(error) = fit.held_out_mape {
            text = format!("{text}, {} % mean error on rows held out", percent(error));
        }
        text
    }

    /// The price each shown cluster is costed at, and which have none.
    fn prices(&self) -> Vec<(String, String)> {
        let shown = |cluster: &&Cluster| {
            let plan = self.plan;
            let mut candidates = plan.candidates.iter().chain(&plan.best_by_gpu_count);
            candidates.any(|c| c.cluster == cluster.name)
        };
        let clusters = self.request.clusters.iter().filter(shown);
        let pricing = &self.request.pricing;
        let clusters = clusters.filter(|cluster| pricing.price(cluster).is_some());
        clusters
            .map(|cluster| ("price".to_owned(), price_words(pricing, cluster)))
            .collect()
    }

    fn ranked(&self, unit: TimeUnit) -> Grid {
        let priced = self.plan.candidates.iter().any(|c| c.cost_usd.is_some());
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
        columns.push(Column::left("basis"));
        let most = dearest(&self.plan.candidates);
        let rows = self
            .plan
            .candidates
            .iter()
            .map(|candidate| ranked_row(candidate, unit, priced, most))
            .collect();
        Grid { columns, rows }
    }

    fn by_gpus(&self) -> Grid {
        let priced = self
            .plan
            .best_by_gpu_count
            .iter()
            .any(|c| c.cost_usd.is_some());
        let longest = self
            .plan
            .best_by_gpu_count
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
            Column::bars(),
            Column::right("GPU-hours"),
        ];
        if priced {
            columns.push(Column::right("cost $"));
        }
        columns.push(Column::left("basis"));
        let most = dearest(&self.plan.best_by_gpu_count);
        let row = |c: &Candidate| {
            let mut row: Vec<Cell> = vec![
                c.cluster.as_str().into(),
                display_thousands(c.gpus.into()).into(),
                format!("{} × {}", c.micro_batch, c.grad_accum).into(),
                on_off(c.activation_checkpointing).into(),
                unit.show(c.time_to_budget_h.expected).into(),
                bar(c.time_to_budget_h.expected / longest, BAR).into(),
                thousands(c.gpu_hours.expected).into(),
            ];
            if priced {
                row.push(cost(c, most).into());
            }
            row.push(basis_letter(c.basis).into());
            row
        };
        Grid {
            columns,
            rows: self.plan.best_by_gpu_count.iter().map(row).collect(),
        }
    }

    pub(super) fn all_notes(&self) -> Vec<(String, String)> {
        let mut notes = self.marks();
        notes.push(("searched".into(), searched(&self.plan.space)));
        notes.push(("fit".into(), self.fit()));
        notes.extend(self.prices());
        notes.extend(
            self.plan
                .notes
                .iter()
                .map(|note| ("note".into(), note.clone())),
        );
        notes
    }

    /// What the marks in the table mean, as far as they occur.
    fn marks(&self) -> Vec<(String, String)> {
        let is_front = self.plan.front.is_some();
        let shown = || {
            let others = self.plan.best_by_gpu_count.iter().filter(|_| !is_front);
            self.plan.candidates.iter().chain(others)
        };
        let mut notes = Vec::new();
        if !is_front && self.plan.candidates.iter().any(is_tie) {
            notes.push((
                "#=".to_owned(),
                format!(
                    "{} can't be told apart from rank 1's: the difference is within the model's error",
                    ranked_by(self.plan.request.sort)
                ),
            ));
        }
        if self.plan.candidates.iter().any(is_short) {
            notes.push((
                "#~".to_owned(),
                "below the global batch asked for".to_owned(),
            ));
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
            notes.push(("basis".to_owned(), bases.join("; ")));
        }
        if let Some(first) = self.plan.candidates.first() {
            let text = format!(
                "share of the GPUs' peak that the model's own FLOPs take ({} convention)",
                first.utilization_convention
            );
            notes.push(("MFU".to_owned(), text));
        }
        notes
    }
}

fn is_tie(candidate: &Candidate) -> bool {
    candidate.tied_with_best && candidate.rank > 1
}

pub(super) fn is_short(candidate: &Candidate) -> bool {
    candidate.global_batch_shortfall > 0.0
}

fn ranked_row(c: &Candidate, unit: TimeUnit, priced: bool, most: f64) -> Vec<Cell> {
    let strong = |text: String| {
        let tone = if c.rank == 1 {
            Tone::Strong
        } else {
            Tone::Plain
        };
        Cell::from(text).tone(tone)
    };
    let tie = if is_tie(c) { "=" } else { "" };
    let short = if is_short(c) { "~" } else { "" };
    let memory = format!("{:.1}/{:.1}", c.memory.peak_gib, c.memory.usable_gib);
    let mut row = vec![
        strong(format!("{tie}{short}{}", c.rank)),
        c.cluster.as_str().into(),
        display_thousands(c.gpus.into()).into(),
        c.seq_len.to_string().into(),
        c.micro_batch.to_string().into(),
        c.grad_accum.to_string().into(),
        on_off(c.activation_checkpointing).into(),
        display_count(c.throughput_tok_s.expected).into(),
        half_width(c.throughput_tok_s)
            .trim_start_matches('±')
            .into(),
        percent(c.mfu).into(),
        Cell::from(memory).tone(verdict_tone(c.memory.verdict)),
        strong(unit.show(c.time_to_budget_h.expected)),
        range(c.time_to_budget_h, |hours| unit.show(hours)).into(),
    ];
    if priced {
        row.push(cost(c, most).into());
    }
    row.push(basis_letter(c.basis).into());
    row
}

/// The most dollars of some candidates.
pub(super) fn dearest(candidates: &[Candidate]) -> f64 {
    largest(candidates.iter().map(|c| Some(c.cost_usd?.expected)))
}

/// What it costs, in a table whose largest amount is `most`.
pub(super) fn cost(c: &Candidate, most: f64) -> String {
    c.cost_usd
        .map_or_else(|| "–".to_owned(), |cost| compact(cost.expected, most))
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
        counted(space.points, "configuration"),
        display_thousands(space.feasible.into())
    );
    if !reasons.is_empty() {
        text = format!("{text}; rejected: {}", reasons.join(", "));
    }
    text
}

pub(super) fn by(sort: Objective) -> &'static str {
    match sort {
        Objective::Time => "shortest time",
        Objective::Cost => "lowest cost",
        Objective::GpuHours => "fewest GPU-hours",
        Objective::Throughput => "highest throughput",
        Objective::Pareto => "time against cost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::{Csv, Markdown, Report, Table};

    fn render(report: &dyn Report) -> String {
        let text = report.render(&Ranking {
            plan: &fixture::plan(),
            request: &fixture::request(),
        });
        anstream::adapter::strip_str(&text.unwrap()).to_string()
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
