//! The report that a budget is approved by: what `report` writes.

use crate::hardware::Cluster;
use crate::job::Request;
use crate::measure::Measurement;
use crate::memory::Verdict;
use crate::plan::{Candidate, Plan};
use crate::quantity::{Interval, display_count, display_hours, display_thousands};
use crate::search::Switch;
use crate::throughput::Basis;
use crate::throughput::evaluate::Evaluation;

use super::bill::bill;
use super::number::{TimeUnit, confidence, dollars, percent, range, tokens};
use super::ranking::{Ranking, searched};
use super::words::{basis_name, on_off, price_words, verdict_tone, verdict_words};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone};

/// A plan with all that a reader who was not there needs to decide by it.
#[derive(Debug, Clone, Copy)]
pub struct Approval<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The request it answers.
    pub request: &'a Request,
    /// The command that makes this report again.
    pub command: &'a str,
    /// Measured rows that the fit rests on.
    pub measured: &'a [Measurement],
    /// How well the model predicts rows it did not see, where that was determined.
    pub accuracy: Option<&'a Evaluation>,
}

impl Answer for Approval<'_> {
    fn document(&self) -> Document {
        let mut document = Document::new(self.title());
        let Some(best) = self.plan.candidates.first() else {
            return document.text("no configuration can be launched");
        };
        document = document
            .text(self.recommendation(best))
            .text(self.rests_on(best));
        let warnings = self.warnings(best);
        if !warnings.is_empty() {
            document = document.heading("Warnings").notes(warnings);
        }
        document
            .heading("The alternatives, ranked")
            .grid(self.alternatives(best))
            .heading("What it costs")
            .grid(bill(best))
            .heading("Assumptions")
            .notes(self.assumptions(best))
            .heading("Settings that differ from the defaults")
            .notes(self.settings())
            .heading("How it was made")
            .notes(self.provenance())
    }

    fn records(&self) -> Records {
        self.ranking().records()
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        self.ranking().json()
    }
}

fn note(label: &str, text: impl Into<String>) -> (String, String) {
    (label.to_owned(), text.into())
}

impl Approval<'_> {
    fn ranking(&self) -> Ranking<'_> {
        Ranking {
            plan: self.plan,
            request: self.request,
        }
    }

    pub(super) fn title(&self) -> String {
        format!(
            "Training {} on {} tokens",
            self.plan.request.model,
            tokens(self.request.tokens)
        )
    }

    fn cluster(&self, candidate: &Candidate) -> Option<&Cluster> {
        let named = |cluster: &&Cluster| cluster.name == candidate.cluster;
        self.request.clusters.iter().find(named)
    }

    /// What to do, in one sentence.
    pub(super) fn recommendation(&self, best: &Candidate) -> String {
        let cost = best.cost_usd.map_or_else(
            || "at a cost that is not known, because no price is".to_owned(),
            |cost| {
                format!(
                    "for ${} (${} to ${})",
                    dollars(cost.expected),
                    dollars(cost.low),
                    dollars(cost.high)
                )
            },
        );
        let time = best.time_to_budget_h;
        format!(
            "Train {} on {} nodes of {} ({} × {}): expect {} ({} to {}) {cost}; with a probability \
             of {} % it is done within {}.",
            self.plan.request.model,
            display_thousands(best.nodes.into()),
            best.cluster,
            display_thousands(best.gpus.into()),
            best.gpu,
            display_hours(time.expected),
            display_hours(time.low),
            display_hours(time.high),
            confidence(f64::midpoint(1.0, self.plan.request.confidence)),
            display_hours(time.high),
        )
    }

    /// How it is launched, and what the prediction rests on.
    fn rests_on(&self, best: &Candidate) -> String {
        let basis = match best.basis {
            Basis::Extrapolated => format!("extrapolated: {}", best.basis_detail.axes.join("; ")),
            basis => basis_name(basis).to_owned(),
        };
        let accuracy = self.accuracy.map_or_else(String::new, |found| {
            format!(
                "; the model errs by {} % on average on measured models it did not see",
                percent(found.accuracy.mape)
            )
        });
        format!(
            "Micro-batch {} × gradient accumulation {}, sequence {}, activation checkpointing {}: \
             {} tokens/s, {}. The prediction is {basis}{accuracy}.",
            best.micro_batch,
            best.grad_accum,
            best.seq_len,
            on_off(best.activation_checkpointing),
            display_count(best.throughput_tok_s.expected),
            verdict_words(&best.memory),
        )
    }

    fn warnings(&self, best: &Candidate) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        if best.basis == Basis::Extrapolated {
            notes.push(note(
                "extrapolated",
                format!(
                    "outside what was measured: {}; measure some steps before booking",
                    best.basis_detail.axes.join("; ")
                ),
            ));
        }
        if best.memory.verdict != Verdict::Fits {
            notes.push(note("memory", verdict_words(&best.memory)));
        }
        let ties = self
            .plan
            .candidates
            .iter()
            .filter(|c| c.rank > 1 && c.tied_with_best)
            .count();
        if ties > 0 {
            notes.push(note(
                "tied",
                format!("{ties} of the alternatives can't be told apart from the first"),
            ));
        }
        notes.extend(
            self.plan
                .notes
                .iter()
                .map(|text| note("note", text.as_str())),
        );
        notes
    }

    fn alternatives(&self, best: &Candidate) -> Grid {
        let unit = TimeUnit::of_hours(best.time_to_budget_h.expected);
        let columns = vec![
            Column::right("#"),
            Column::left("where"),
            Column::left("how"),
            Column::right(format!("time, {}", unit.name)),
            Column::right("cost, $"),
            Column::right("memory, GiB"),
            Column::left("basis"),
            Column::left("against the first"),
        ];
        let rows = self.plan.candidates.iter().map(|c| {
            let memory = format!("{:.1} of {:.1}", c.memory.peak_gib, c.memory.usable_gib);
            let time = format!(
                "{} ({})",
                unit.show(c.time_to_budget_h.expected),
                range(c.time_to_budget_h, |hours| unit.show(hours))
            );
            let tone = if c.rank == best.rank {
                Tone::Strong
            } else {
                Tone::Plain
            };
            let cells: Vec<Cell> = vec![
                Cell::from(c.rank.to_string()),
                format!(
                    "{} × {} of {}",
                    display_thousands(c.gpus.into()),
                    c.gpu,
                    c.cluster
                )
                .into(),
                how(c).into(),
                time.into(),
                c.cost_usd
                    .map_or_else(|| "–".into(), |cost| dollars(cost.expected))
                    .into(),
                Cell::from(memory).tone(verdict_tone(c.memory.verdict)),
                basis_name(c.basis).into(),
                against(c, best).into(),
            ];
            cells
                .into_iter()
                .map(|cell| match cell.tone {
                    Tone::Plain => cell.tone(tone),
                    _ => cell,
                })
                .collect()
        });
        Grid {
            columns,
            rows: rows.collect(),
        }
    }

    fn assumptions(&self, best: &Candidate) -> Vec<(String, String)> {
        let r = &self.plan.request.reliability;
        let mut notes = vec![
            note(
                "failures",
                format!(
                    "{} in 1000 days of one node of eight GPUs; {} until training goes on",
                    r.failures_per_1000_node_days,
                    display_hours(r.restart_s / 3600.0)
                ),
            ),
            note(
                "checkpoints",
                format!(
                    "{} bytes per parameter, written at {} GB/s per node",
                    r.checkpoint_bytes_per_param,
                    r.write_bytes_per_s_node / 1e9
                ),
            ),
            note("start-up", display_hours(r.start_up_s / 3600.0)),
        ];
        let interval = best
            .checkpoint_interval_s
            .map_or_else(String::new, |seconds| {
                format!(
                    ", with a checkpoint every {}",
                    display_hours(seconds / 3600.0)
                )
            });
        notes.push(note(
            "goodput",
            format!(
                "{} % of the time after the start-up trains{interval}; {:.1} failures expected",
                percent(best.goodput),
                best.expected_failures
            ),
        ));
        notes.push(note(
            "spares",
            format!(
                "{} nodes beside the {} that train; a job without one left waits up to {} for a \
                 replacement",
                best.spare_nodes,
                best.nodes,
                display_hours(r.replacement_s / 3600.0)
            ),
        ));
        if let Some(cluster) = self.cluster(best) {
            notes.push(note("price", price_words(&self.request.pricing, cluster)));
        }
        notes.push(note(
            "intervals",
            format!(
                "hold {} % of outcomes",
                confidence(self.plan.request.confidence)
            ),
        ));
        notes.push(note(
            "not included",
            "evaluation, data that arrives late, spot interruptions, storage and network charges",
        ));
        notes
    }

    fn settings(&self) -> Vec<(String, String)> {
        let (r, job) = (&self.plan.request, self.request);
        let batch = job.model.global_batch.get();
        let switch = match r.activation_checkpointing {
            Switch::Auto => "auto",
            Switch::On => "on",
            Switch::Off => "off",
        };
        let settings = [
            ("clusters", r.clusters.join(", "), "r7z2, r1z1".to_owned()),
            ("stack", r.stack.clone(), "fp32-gather".into()),
            (
                "global batch",
                job.global_batch.to_string(),
                crate::job::GlobalBatch {
                    min: batch,
                    max: batch,
                }
                .to_string(),
            ),
            ("GPUs", r.gpus.clone(), "auto".into()),
            (
                "sequence length",
                r.seq_len.clone(),
                job.model.seq_len.to_string(),
            ),
            ("micro-batch", r.micro_batch.clone(), "auto".into()),
            ("gradient accumulation", r.grad_accum.clone(), "auto".into()),
            ("activation checkpointing", switch.into(), "auto".into()),
            (
                "ranked by",
                super::ranking::by(r.sort).to_owned(),
                super::ranking::by(crate::search::Objective::Time).to_owned(),
            ),
            ("candidates", r.top.to_string(), "10".into()),
            ("confidence", r.confidence.to_string(), "0.9".into()),
            (
                "tight configurations",
                on_off(r.allow_tight).into(),
                "off".into(),
            ),
        ];
        let differing: Vec<(String, String)> = settings
            .into_iter()
            .filter(|(_, set, default)| set != default)
            .map(|(name, set, default)| note(name, format!("{set} (default: {default})")))
            .collect();
        if differing.is_empty() {
            vec![note(
                "none",
                "every setting but the model and the tokens is the default",
            )]
        } else {
            differing
        }
    }

    fn provenance(&self) -> Vec<(String, String)> {
        let fit = &self.plan.fit;
        let mut notes = vec![
            note(
                "made by",
                format!(
                    "tminus {}, the same bytes again with:",
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            note("command", self.command),
            note("searched", searched(&self.plan.space)),
            note("fit", format!("{}, {} measured rows", fit.name, fit.rows)),
        ];
        if let Some(found) = self.accuracy {
            notes.push(note(
                "held-out error",
                format!(
                    "mean {} %, median {} %, 95th percentile {} % over {} rows, each predicted \
                     without its model; intervals held {} % of them",
                    percent(found.accuracy.mape),
                    percent(found.accuracy.median_ape),
                    percent(found.accuracy.p95_ape),
                    found.predictions.len(),
                    percent(found.accuracy.coverage),
                ),
            ));
        }
        notes
    }
}

/// The configuration in a few words.
fn how(c: &Candidate) -> String {
    format!(
        "{} × {}, seq {}, ckpt {}",
        c.micro_batch,
        c.grad_accum,
        c.seq_len,
        on_off(c.activation_checkpointing)
    )
}

/// Why it is not the first.
fn against(c: &Candidate, best: &Candidate) -> String {
    if c.rank == best.rank {
        return "recommended".into();
    }
    let share = |own: f64, other: f64| (own / other - 1.0) * 100.0;
    let more = |percent: f64, more: &str, less: &str| {
        if percent.abs() < 0.5 {
            None
        } else if percent > 0.0 {
            Some(format!("{} % {more}", percent.round()))
        } else {
            Some(format!("{} % {less}", -percent.round()))
        }
    };
    let expected = |interval: Interval| interval.expected;
    let time = share(c.time_to_budget_h.expected, best.time_to_budget_h.expected);
    let cost = c.cost_usd.zip(best.cost_usd);
    let cost = cost.map(|(own, other)| share(expected(own), expected(other)));
    let mut words: Vec<String> = [
        more(time, "slower", "faster"),
        cost.and_then(|cost| more(cost, "dearer", "cheaper")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if c.tied_with_best {
        words.push("can't be told apart".into());
    }
    if words.is_empty() {
        "the same".into()
    } else {
        words.join(", ")
    }
}
