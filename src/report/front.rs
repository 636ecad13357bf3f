//! The time–cost front: what `plan --sort pareto` says.

use crate::configuration::on_off;
use crate::plan::{Candidate, FrontReport, FrontStep};
use crate::quantity::{display_count, display_thousands};

use super::number::{TimeUnit, compact, dollars, percent, range, significant, thousands};
use super::ranking::{Ranking, cost, dearest, is_short};
use super::sketch::{Dot, sketch};
use super::words::{basis_letter, verdict_tone};
use super::{Cell, Column, Document, Grid, Tone};

impl Ranking<'_> {
    pub(super) fn front_document(&self, front: &FrontReport) -> Document {
        let candidates = &self.plan.candidates;
        let mut document = Document::new(self.title()).text(self.scope());
        let longest = candidates.first().map(|c| c.time_to_budget_h.expected);
        let unit = TimeUnit::of_hours(longest.unwrap_or_default());
        document = document
            .text(headline(front))
            .grid(points(candidates, unit));
        if let Some(figure) = drawing(candidates, unit) {
            document = document
                .heading("Cost against time, both axes logarithmic")
                .verbatim(figure);
        }
        if candidates.len() > 1 {
            document = document
                .heading("Where more GPUs lose: shares of a step")
                .grid(losses(candidates))
                .text(self.why_more_costs_more());
        }
        if !front.unpriced.is_empty() {
            document = document
                .heading("Without a price, so on no front: the fastest of each cluster")
                .grid(unpriced(&front.unpriced, unit));
        }
        let mut notes = front_marks(self, front);
        notes.extend(self.all_notes());
        document.heading("Notes").notes(notes)
    }

    fn why_more_costs_more(&self) -> String {
        let ends = self
            .plan
            .candidates
            .first()
            .zip(self.plan.candidates.last());
        let (cheapest, fastest) = match ends {
            Some((cheapest, fastest)) => (communication(cheapest), communication(fastest)),
            None => (0.0, 0.0),
        };
        let mut text = format!(
            "The losses are the model's, and come from holding the global batch at {} tokens: more \
             GPUs leave each less to compute between exchanges of the same parameters. Communication, \
             synchronisation and overheads take {} % of a step at the cheap end and {} % at the fast \
             end; a larger `--global-batch` would scale further, if training bears it.",
            self.request.global_batch,
            percent(cheapest),
            percent(fastest),
        );
        if ends.is_some_and(|(cheapest, fastest)| cheapest.cluster != fastest.cluster) {
            text += " The ends are on different clusters: the rest is their hardware and price.";
        }
        text
    }
}

/// How many points there are, and which is the knee.
pub(super) fn headline(front: &FrontReport) -> String {
    let are = match (front.points, front.shown) {
        (1, _) => return "One configuration is both the fastest and the cheapest.".to_owned(),
        (points, shown) if points == shown => format!("All {shown} points of the front"),
        (points, shown) => format!(
            "{shown} of the {} points of the front",
            display_thousands(points as u128)
        ),
    };
    let knee = match front.knee_rank {
        Some(rank) => format!("the knee is # {rank}"),
        None => "it has no knee: no point lies below the line between its ends".to_owned(),
    };
    format!(
        "{are}, cheapest first; no configuration is both faster and cheaper than one of them; {knee}"
    )
}

fn points(candidates: &[Candidate], unit: TimeUnit) -> Grid {
    let step_unit = step_unit(candidates);
    let most = dearest(candidates);
    let columns = vec![
        Column::right("#"),
        Column::left("cluster"),
        Column::right("GPUs"),
        Column::right("seq"),
        Column::right("micro ×\naccum"),
        Column::left("ckpt"),
        Column::right("tok/s"),
        Column::right("MFU\n%"),
        Column::right(format!("time\n{}", unit.name)),
        Column::left("low–high"),
        Column::right("cost\n$"),
        Column::right("$\nmore"),
        Column::right(format!("{}\nsaved", step_unit.name)),
        Column::right("$ per h\nsaved"),
        Column::left("basis"),
    ];
    let row = |c: &Candidate| -> Vec<Cell> {
        let knee = c.pareto.is_some_and(|point| point.knee);
        let tone = if knee { Tone::Strong } else { Tone::Plain };
        let mark = if knee { "K" } else { "" };
        let short = if is_short(c) { "~" } else { "" };
        let step = c.pareto.and_then(|point| point.step);
        let told = |value: &dyn Fn(&FrontStep) -> String, apart: fn(&FrontStep) -> bool| -> Cell {
            step.as_ref()
                .map_or_else(String::new, |step| {
                    let tie = if apart(step) { "" } else { "=" };
                    format!("{tie}{}", value(step))
                })
                .into()
        };
        let saved = step.map_or_else(String::new, |step| {
            let tie = if step.times_told_apart { "" } else { "=" };
            format!("{tie}{}", step_unit.show(step.hours_saved))
        });
        vec![
            Cell::from(format!("{mark}{short}{}", c.rank)).tone(tone),
            c.cluster.as_str().into(),
            display_thousands(c.gpus.into()).into(),
            c.seq_len.to_string().into(),
            format!("{} × {}", c.micro_batch, c.grad_accum).into(),
            Cell::from(on_off(c.activation_checkpointing)).tone(verdict_tone(c.memory.verdict)),
            display_count(c.throughput_tok_s.expected).into(),
            percent(c.mfu).into(),
            Cell::from(unit.show(c.time_to_budget_h.expected)).tone(tone),
            range(c.time_to_budget_h, |hours| unit.show(hours)).into(),
            Cell::from(cost(c, most)).tone(tone),
            told(&|step| compact(step.extra_usd, most), |step| {
                step.costs_told_apart
            }),
            saved.into(),
            told(&|step| rate(step.usd_per_hour_saved, most), |step| {
                step.costs_told_apart && step.times_told_apart
            }),
            basis_letter(c.basis).into(),
        ]
    };
    Grid {
        columns,
        rows: candidates.iter().map(row).collect(),
    }
}

/// Dollars for an hour: a rate is no amount that is paid, so three digits tell enough of it.
fn rate(usd: f64, most: f64) -> String {
    if usd < 100.0 {
        significant(usd)
    } else {
        compact(usd, most)
    }
}

/// The unit in which the largest step's saving is shown.
fn step_unit(candidates: &[Candidate]) -> TimeUnit {
    let most = candidates
        .iter()
        .filter_map(|c| Some(c.pareto?.step?.hours_saved))
        .fold(0.0, f64::max);
    TimeUnit::of_hours(most)
}

fn drawing(candidates: &[Candidate], unit: TimeUnit) -> Option<String> {
    let dot = |c: &Candidate, mark| {
        Some(Dot {
            x: unit.convert(c.time_to_budget_h.expected),
            y: c.cost_usd?.expected,
            mark,
        })
    };
    let is_knee = |c: &&Candidate| c.pareto.is_some_and(|point| point.knee);
    let all = candidates.iter().filter_map(|c| dot(c, 'o'));
    let knee = candidates
        .iter()
        .filter(is_knee)
        .filter_map(|c| dot(c, 'K'));
    let dots: Vec<Dot> = all.chain(knee).collect();
    sketch(&dots, (unit.name, "$"), (significant, dollars))
}

/// The ends of the front and its knee.
fn landmarks(candidates: &[Candidate]) -> Vec<&Candidate> {
    let knee = candidates
        .iter()
        .find(|c| c.pareto.is_some_and(|point| point.knee));
    let mut found: Vec<&Candidate> = candidates.first().into_iter().chain(knee).collect();
    found.extend(candidates.last());
    found.dedup_by_key(|c| c.rank);
    found
}

/// Share of a step that isn't computing.
fn communication(c: &Candidate) -> f64 {
    let parts = &c.time_parts_s;
    let [communication, overhead, synchronization, rest] = [
        parts.communication,
        parts.layer_overhead,
        parts.synchronization,
        parts.optimizer + parts.fixed,
    ];
    (communication + overhead + synchronization + rest) / parts.total()
}

fn losses(candidates: &[Candidate]) -> Grid {
    let row = |c: &&Candidate| -> Vec<Cell> {
        let parts = &c.time_parts_s;
        let share = |seconds: f64| Cell::from(percent(seconds / parts.total()));
        vec![
            c.rank.to_string().into(),
            c.cluster.as_str().into(),
            display_thousands(c.gpus.into()).into(),
            display_thousands((c.global_batch_tokens / c.gpus.max(1)).into()).into(),
            share(parts.matmul + parts.attention + parts.memory_bound),
            share(parts.communication),
            share(parts.layer_overhead),
            share(parts.synchronization),
            share(parts.optimizer + parts.fixed),
            share(parts.residual + parts.memory_pressure),
            if c.gpu_hours.expected < 1e6 {
                thousands(c.gpu_hours.expected)
            } else {
                compact(c.gpu_hours.expected, c.gpu_hours.expected)
            }
            .into(),
        ]
    };
    Grid {
        columns: vec![
            Column::right("#"),
            Column::left("cluster"),
            Column::right("GPUs"),
            Column::right("tokens a\nGPU and step"),
            Column::right("compute\n%"),
            Column::right("commu-\nnication %"),
            Column::right("layer\noverhead %"),
            Column::right("synchro-\nnisation %"),
            Column::right("optimizer,\nfixed %"),
            Column::right("other\n%"),
            Column::right("GPU-\nhours"),
        ],
        rows: landmarks(candidates).iter().map(row).collect(),
    }
}

fn unpriced(candidates: &[Candidate], unit: TimeUnit) -> Grid {
    let row = |c: &Candidate| -> Vec<Cell> {
        vec![
            c.cluster.as_str().into(),
            display_thousands(c.gpus.into()).into(),
            format!("{} × {}", c.micro_batch, c.grad_accum).into(),
            on_off(c.activation_checkpointing).into(),
            unit.show(c.time_to_budget_h.expected).into(),
            thousands(c.gpu_hours.expected).into(),
            basis_letter(c.basis).into(),
        ]
    };
    Grid {
        columns: vec![
            Column::left("cluster"),
            Column::right("GPUs"),
            Column::right("micro × accum"),
            Column::left("ckpt"),
            Column::right(format!("time {}", unit.name)),
            Column::right("GPU-hours"),
            Column::left("basis"),
        ],
        rows: candidates.iter().map(row).collect(),
    }
}

/// What the marks and columns of a front mean, as far as they occur.
fn front_marks(ranking: &Ranking<'_>, front: &FrontReport) -> Vec<(String, String)> {
    let mut notes: Vec<(&str, String)> = Vec::new();
    let steps = || {
        let candidates = ranking.plan.candidates.iter();
        candidates.filter_map(|c| c.pareto.and_then(|point| point.step))
    };
    if steps().next().is_some() {
        notes.push((
            "step",
            "from the row above: dollars more, time saved, and what each hour saved costs".into(),
        ));
    }
    if steps().any(|step| !(step.times_told_apart && step.costs_told_apart)) {
        notes.push((
            "=",
            "can't be told apart from the row above: the difference in cost or in time is within the \
             model's error"
                .into(),
        ));
    }
    if front.knee_rank.is_some() {
        notes.push((
            "K",
            "the knee: farthest below the straight line between the ends, time and cost in \
             logarithms; from it to the fastest each per cent of time costs more than on average"
                .into(),
        ));
    }
    if front.points > front.shown {
        notes.push((
            "shown",
            format!("`--top {}` shows every point", front.points),
        ));
    }
    if ranking.plan.request.gpus == "auto" {
        notes.push(("GPUs", "every number of whole nodes was tried".into()));
    }
    if !front.unpriced.is_empty() {
        notes.push((
            "no price",
            format!(
                "{}: `usd_per_gpu_hour` in a job file or preset file gives one",
                front
                    .unpriced
                    .iter()
                    .map(|c| c.cluster.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ));
    }
    notes
        .into_iter()
        .map(|(label, text)| (label.to_owned(), text))
        .collect()
}
