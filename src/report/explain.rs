//! One configuration in full: what `predict` says.

mod grids;

use crate::configuration::on_off;
use crate::forecast::{Pricing, Reliability};
use crate::hardware::Cluster;
use crate::plan::{Candidate, Predicted, PredictedFit, PredictedRequest};
use crate::quantity::{
    Confidence, Interval, SECONDS_PER_HOUR, Tokens, counted, display_count, display_hours,
    display_hours_like, display_thousands,
};
use crate::search::MAX_SHORTFALL;
use crate::throughput::Basis;

use super::bill::bill;
use super::number::{confidence, dollars, half_width, percent, significant, thousands};
use super::words::{
    basis_name, basis_words, not_followed, price_words, shortfall_words, verdict_words,
};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone, candidate};

/// A candidate with what it takes to explain it.
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    /// The configuration.
    pub candidate: &'a Candidate,
    /// The model's name.
    pub model: &'a str,
    /// Parameters at the candidate's sequence length.
    pub params: u64,
    /// Training stack.
    pub stack: &'a str,
    /// Token budget.
    pub tokens: Tokens,
    /// Confidence of the intervals.
    pub confidence: Confidence,
    /// What goes wrong on the cluster, and what it costs.
    pub reliability: Reliability,
    /// Name of the fit.
    pub fit: &'a str,
    /// Measured rows the fit rests on.
    pub fit_rows: usize,
    /// What of the request it leaves out, and why the user's own rows have no say, if they have none.
    pub notes: &'a [String],
    /// The cluster, for its price.
    pub cluster: &'a Cluster,
    /// Which price of it holds.
    pub pricing: &'a Pricing,
}

impl Answer for Explanation<'_> {
    fn document(&self) -> Document {
        let c = self.candidate;
        let mut document = Document::new(self.title())
            .text(self.batch())
            .text(verdict_words(&c.memory))
            .grid(self.answers())
            .heading("What it costs")
            .grid(bill(c))
            .heading("Where a step's time goes")
            .grid(grids::time(c))
            .heading("Memory per GPU at its peak")
            .grid(grids::memory(c))
            .heading(format!(
                "Utilization ({} convention)",
                c.utilization_convention
            ))
            .grid(grids::utilization(c))
            .heading("What the prediction rests on")
            .notes(self.rests_on());
        if !c.basis_detail.nearest.is_empty() {
            document = document.grid(grids::nearest(&c.basis_detail.nearest));
        }
        document
    }

    fn besides(&self) -> Vec<String> {
        self.all_notes()
    }

    fn records(&self) -> Records {
        let (header, row) = candidate::fields(self.candidate).into_iter().unzip();
        Records {
            header,
            rows: vec![row],
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&Predicted {
            candidate: self.candidate.clone(),
            schema_version: Predicted::SCHEMA_VERSION,
            request: PredictedRequest {
                model: self.model.to_owned(),
                params: self.params,
                stack: self.stack.to_owned(),
                tokens: self.tokens.get(),
                confidence: self.confidence.get(),
                reliability: self.reliability,
            },
            fit: PredictedFit {
                name: self.fit.to_owned(),
                rows: self.fit_rows,
            },
            notes: self.all_notes(),
        })
    }
}

impl Explanation<'_> {
    /// What a reader should know beyond the figures, of the prices too.
    fn all_notes(&self) -> Vec<String> {
        [self.notes, &self.pricing.notes(self.cluster)].concat()
    }

    fn title(&self) -> String {
        let c = self.candidate;
        format!(
            "{} ({} parameters) on {} × {} of {}, sequence {}",
            self.model,
            display_count(self.params as f64),
            display_thousands(c.gpus.into()),
            c.gpu,
            c.cluster,
            c.seq_len,
        )
    }

    fn batch(&self) -> String {
        let c = self.candidate;
        let mut text = format!(
            "micro-batch {} × grad-accum {} × {} = {} = {} a step; activation checkpointing {}; {} to {} \
             tokens",
            c.micro_batch,
            c.grad_accum,
            counted(c.gpus, "GPU"),
            counted(c.global_batch_seqs, "sequence"),
            counted(c.global_batch_tokens, "token"),
            on_off(c.activation_checkpointing),
            counted(c.steps, "step"),
            self.tokens.rounded(),
        );
        // What misses it by more is told in a note, as is what exceeds it.
        if let Some(words) = shortfall_words(c.global_batch_shortfall)
            && c.global_batch_shortfall <= MAX_SHORTFALL
        {
            text = format!("{text}; {words}");
        }
        text
    }

    fn answers(&self) -> Grid {
        let c = self.candidate;
        let mut rows = vec![
            quantity("step time", "s", c.step_time_s, significant),
            quantity("throughput", "tokens/s", c.throughput_tok_s, thousands),
            quantity("per GPU", "tokens/s", c.throughput_tok_s_gpu, thousands),
            duration("training alone", c.train_h),
            duration("time to budget", c.time_to_budget_h),
            quantity("GPU-hours", "h", c.gpu_hours, thousands),
        ];
        if let Some(cost) = c.cost_usd {
            rows.push(quantity("cost", "$", cost, dollars));
        }
        let share = confidence(self.confidence.get());
        Grid {
            columns: vec![
                Column::left(""),
                Column::left("unit"),
                Column::right("expected"),
                Column::right("low"),
                Column::right("high"),
                Column::right(format!("± at {share} %")),
            ],
            rows,
        }
    }

    fn wall_clock(&self) -> String {
        let c = self.candidate;
        let interval = c.checkpoint_interval_s.map_or_else(String::new, |seconds| {
            format!(
                ", with a checkpoint every {}",
                display_hours(seconds / SECONDS_PER_HOUR)
            )
        });
        format!(
            "after the start-up, {} % of it trains{interval}; {:.2} failures expected; {}",
            percent(c.goodput),
            c.expected_failures,
            counted(c.spare_nodes, "spare node")
        )
    }

    fn rests_on(&self) -> Vec<(String, String)> {
        let c = self.candidate;
        let rows = counted(self.fit_rows as u64, "measured row");
        let mut notes = vec![
            (
                "basis".to_owned(),
                format!("{}: {}", basis_name(c.basis), basis_words(c.basis)),
            ),
            ("stack".to_owned(), self.stack.to_owned()),
            ("fit".to_owned(), format!("{}, {rows}", self.fit)),
        ];
        if !c.basis_detail.axes.is_empty() && c.basis == Basis::Extrapolated {
            notes.insert(1, ("outside".to_owned(), c.basis_detail.axes.join("; ")));
        }
        notes.extend(c.basis_detail.not_followed_tok_s.map(not_followed));
        notes.extend(c.bad_day_tok_s.map(|tok_s| {
            let reached = format!(
                "on a day when a link or a node misbehaves, nine in ten runs still reach {} tokens/s",
                thousands(tok_s)
            );
            ("bad day".to_owned(), reached)
        }));
        notes.push(("wall clock".to_owned(), self.wall_clock()));
        if self.pricing.price(self.cluster).is_some() {
            notes.push(("price".to_owned(), price_words(self.pricing, self.cluster)));
        }
        let told = self.all_notes().into_iter();
        notes.extend(told.map(|note| ("note".to_owned(), note)));
        notes
    }
}

fn quantity(name: &str, unit: &str, interval: Interval, show: impl Fn(f64) -> String) -> Vec<Cell> {
    vec![
        name.into(),
        unit.into(),
        Cell::from(show(interval.expected)).tone(Tone::Strong),
        show(interval.low).into(),
        show(interval.high).into(),
        half_width(interval).into(),
    ]
}

/// A quantity of hours, all of it in the unit of what is expected.
fn duration(name: &str, hours: Interval) -> Vec<Cell> {
    let like_expected = |value: f64| display_hours_like(value, hours.expected);
    quantity(name, "", hours, like_expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Catalog;
    use crate::report::fixture::candidate;
    use crate::report::{Markdown, Report, Table};

    fn render(report: &dyn Report) -> String {
        let text = report.render(&Explanation {
            candidate: &candidate(),
            model: "gpt-7b",
            params: 6_658_859_008,
            stack: "fp32-gather",
            tokens: "134B".parse().unwrap(),
            confidence: Confidence::default(),
            reliability: Reliability::default(),
            fit: "embedded",
            fit_rows: 300,
            notes: &[],
            cluster: Catalog::embedded().cluster("r7z2").unwrap(),
            pricing: &Pricing::default(),
        });
        anstream::adapter::strip_str(&text.unwrap()).to_string()
    }

    #[test]
    fn a_terminal_shows_it_all() {
        let text = render(&Table);
        assert!(text.lines().all(|line| line.chars().count() <= 100));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn markdown_shows_the_same() {
        insta::assert_snapshot!(render(&Markdown));
    }
}
