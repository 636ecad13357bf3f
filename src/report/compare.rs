//! A launched run against its plan: what `compare` says.

mod finish;

use crate::compare::{Comparison, ExplainedCause};
use crate::configuration::on_off;
use crate::quantity::{display_count, plural};
use crate::throughput::Cause;

use super::number::{confidence, percent, range, significant, thousands};
use super::{Answer, Cell, Column, Document, Grid, Records, Tone};

/// Half-widths above this share of what was planned are of what nobody knew, not of runs that differ.
const WIDE: f64 = 0.2;

/// A comparison, and the file that its row was written to.
#[derive(Debug, Clone, Copy)]
pub struct Deviation<'a> {
    /// The comparison.
    pub comparison: &'a Comparison,
    /// The file, if there is one.
    pub target: Option<&'a str>,
}

impl Answer for Deviation<'_> {
    fn document(&self) -> Document {
        let c = self.comparison;
        let mut document = Document::new(format!(
            "{} on {} {} of {}: {} of its plan, as it runs",
            c.model,
            c.configuration.gpus,
            plural(c.configuration.gpus, "GPU"),
            c.cluster,
            match c.rank {
                0 => "the booking".to_owned(),
                rank => format!("rank {rank}"),
            }
        ))
        .text(self.configuration())
        .text(self.verdict())
        .grid(self.speeds());
        if !c.causes.is_empty() {
            document = document
                .heading("What may explain it")
                .text(self.diagnosis())
                .grid(self.causes());
            if let Some(grid) = self.next() {
                document = document.grid(grid);
            }
        }
        document = document
            .heading("If it goes on like this")
            .grid(finish::grid(&c.finish));
        if let Some(text) = finish::beside_booking(&c.finish, c.tokens) {
            document = document.text(text);
        }
        if let Some(text) = finish::beside_asked(&c.finish) {
            document = document.text(text);
        }
        document.heading("Notes").notes(self.notes())
    }

    fn besides(&self) -> Vec<String> {
        self.comparison.notes.clone()
    }

    fn records(&self) -> Records {
        Records::of_csv(&self.comparison.fit_row_csv)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.comparison)
    }
}

impl Deviation<'_> {
    fn configuration(&self) -> String {
        let configuration = &self.comparison.configuration;
        format!(
            "sequence {}, micro-batch {} × grad-accum {}, checkpointing {}; stack {}",
            configuration.seq_len,
            configuration.micro_batch,
            configuration.grad_accum,
            on_off(configuration.activation_checkpointing),
            self.comparison.stack,
        )
    }

    fn verdict(&self) -> String {
        let c = self.comparison;
        let off = c.measured_tok_s / c.planned_tok_s.expected - 1.0;
        let words = if off < 0.0 { "slower" } else { "faster" };
        let off = percent(off.abs());
        let share = confidence(c.confidence);
        let quantile = quantile(c.quantile);
        let (low, high) = (c.planned_tok_s.low, c.planned_tok_s.high);
        if c.as_planned && (high - low) / 2.0 > WIDE * c.planned_tok_s.expected {
            // That wide, it is what nobody knew: no share of runs is told by it.
            format!(
                "Inside what the plan left open, which was much: {off} % {words} than its middle, within \
                 {} to {} tokens/s. What is measured says more than the plan could.",
                thousands(low),
                thousands(high)
            )
        } else if c.as_planned {
            format!(
                "As planned: {off} % {words} than expected, inside the interval that holds {share} % \
                 of runs; {quantile}."
            )
        } else {
            format!(
                "Not as planned: {off} % {words} than expected, outside the interval that holds \
                 {share} % of runs; {quantile}."
            )
        }
    }

    fn speeds(&self) -> Grid {
        let c = self.comparison;
        let tone = if c.as_planned {
            Tone::Good
        } else {
            Tone::Caution
        };
        let row = |name: &str, value: Cell, ends: String| vec![name.into(), value, ends.into()];
        let mut rows = vec![
            row(
                "measured",
                Cell::from(thousands(c.measured_tok_s)).tone(tone),
                String::new(),
            ),
            row(
                "planned",
                thousands(c.planned_tok_s.expected).into(),
                range(c.planned_tok_s, thousands),
            ),
        ];
        if !c.plan_agrees {
            rows.push(row(
                "predicted now",
                thousands(c.predicted_tok_s.expected).into(),
                range(c.predicted_tok_s, thousands),
            ));
        }
        Grid {
            columns: vec![
                Column::left(""),
                Column::right("tokens/s"),
                Column::left("low–high"),
            ],
            rows,
        }
    }

    fn diagnosis(&self) -> String {
        let c = self.comparison;
        let [first, rest @ ..] = c.causes.as_slice() else {
            return String::new();
        };
        let leader = name(first.cause);
        let mut text = match rest.first() {
            Some(second) if c.ambiguous => format!(
                "One number doesn't tell: {leader} ({} %) and {} ({} %) explain it about as well.",
                percent(first.probability),
                name(second.cause),
                percent(second.probability)
            ),
            _ => format!("Most likely {leader} ({} %).", percent(first.probability)),
        };
        if let Some(next) = &c.next {
            text = format!("{text} To tell, measure {}.", next.what);
        } else if c.ambiguous {
            text += " No single run like it would tell them apart; a profile of one step would.";
        }
        text
    }

    fn causes(&self) -> Grid {
        let row = |explained: &ExplainedCause| -> Vec<Cell> {
            let probability = percent(explained.probability);
            vec![
                name(explained.cause).into(),
                Cell::from(probability),
                change(explained, self.foreseen()).into(),
            ]
        };
        // What is hardly possible is not worth a line.
        let shown = self
            .comparison
            .causes
            .iter()
            .filter(|explained| explained.probability >= 0.0005);
        Grid {
            columns: vec![
                Column::left("cause"),
                Column::right("probability %"),
                Column::left("it would be"),
            ],
            rows: shown.map(row).collect(),
        }
    }

    /// What the causes are weighed by: the plan, unless this version predicts otherwise.
    fn foreseen(&self) -> &'static str {
        if self.comparison.plan_agrees {
            "planned"
        } else {
            "predicted"
        }
    }

    fn next(&self) -> Option<Grid> {
        let next = self.comparison.next.as_ref()?;
        let configuration = &next.configuration;
        let columns = std::iter::once(Column::left("measure"))
            .chain(
                next.expected
                    .iter()
                    .map(|expected| Column::right(short(expected.cause))),
            )
            .collect();
        let run = format!(
            "{} GPUs, seq {}, {} × {}",
            configuration.gpus,
            configuration.seq_len,
            configuration.micro_batch,
            configuration.grad_accum
        );
        let speeds = next
            .expected
            .iter()
            .map(|expected| format!("{} tok/s", display_count(expected.tok_s)).into());
        Some(Grid {
            columns,
            rows: vec![std::iter::once(Cell::from(run)).chain(speeds).collect()],
        })
    }

    fn notes(&self) -> Vec<(String, String)> {
        let c = self.comparison;
        let mut notes = Vec::new();
        if !c.causes.is_empty() {
            notes.push((
                "cause".to_owned(),
                "probabilities rest on even odds between network, kernels and launches, on bad days \
                 and memory as measured runs had them, and on what each does to this step by the \
                 model; slow clocks and a data loader that can't keep up are not modelled: they look \
                 like slow kernels"
                    .to_owned(),
            ));
        }
        notes.push(("finish".to_owned(), finish::basis(&c.finish)));
        if c.finish.cost_usd.is_none() {
            notes.push((
                "cost".to_owned(),
                "the plan knew no price, so none is given".to_owned(),
            ));
        }
        notes.extend(c.notes.iter().map(|note| ("note".to_owned(), note.clone())));
        match self.target {
            Some(target) => notes.push((
                "row".to_owned(),
                format!("{target}; `tminus fit {target} -o my.fit.toml` fits it"),
            )),
            None => notes.push((
                "row".to_owned(),
                "`-o row.csv` writes the row that `tminus fit` reads".to_owned(),
            )),
        }
        notes
    }
}

fn quantile(share: f64) -> String {
    if share <= 0.000_501 {
        "fewer than 1 run in 1,000 is expected to be as slow".to_owned()
    } else if share >= 0.999_499 {
        "fewer than 1 run in 1,000 is expected to be as fast".to_owned()
    } else if share < 0.5 {
        format!("{} % of runs are expected to be as slow", percent(share))
    } else if share > 0.5 {
        format!(
            "{} % of runs are expected to be as fast",
            percent(1.0 - share)
        )
    } else {
        "half of the runs are expected to be as slow".to_owned()
    }
}

fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::Chance => "nothing but chance and the model's error",
        Cause::NodeLinks => "the network between nodes",
        Cause::GpuLinks => "the network inside the nodes",
        Cause::Matmul => "matrix-multiplication kernels",
        Cause::Attention => "attention kernels",
        Cause::MemoryBound => "memory-bound kernels",
        Cause::Launch => "kernel launches and the host",
        Cause::MemoryPressure => "memory pressure",
        Cause::NoMemoryPressure => "no memory pressure after all",
        Cause::BadDay => "a bad day: a straggling node or link",
    }
}

/// A column's header.
fn short(cause: Cause) -> &'static str {
    match cause {
        Cause::Chance => "if chance",
        Cause::NodeLinks => "if node\nnetwork",
        Cause::GpuLinks => "if network\nin nodes",
        Cause::Matmul => "if matmul\nkernels",
        Cause::Attention => "if attention\nkernels",
        Cause::MemoryBound => "if memory-\nbound kernels",
        Cause::Launch => "if launches",
        Cause::MemoryPressure => "if memory\npressure",
        Cause::NoMemoryPressure => "if no memory\npressure",
        Cause::BadDay => "if bad day",
    }
}

/// How large the cause would have to be, beside what was `foreseen`.
fn change(explained: &ExplainedCause, foreseen: &str) -> String {
    let Some(factor) = explained.factor else {
        return String::new();
    };
    let inverse = factor.invert(1.0);
    let times = |value: f64| format!("{}×", significant(value));
    match explained.cause {
        Cause::NodeLinks | Cause::GpuLinks => format!(
            "{} the {foreseen} rates ({})",
            times(inverse.expected),
            range(inverse, times)
        ),
        Cause::Matmul | Cause::Attention | Cause::MemoryBound => format!(
            "{} the {foreseen} speed ({})",
            times(inverse.expected),
            range(inverse, times)
        ),
        Cause::Launch => format!(
            "{} the {foreseen} overhead ({})",
            times(factor.expected),
            range(factor, times)
        ),
        _ => format!(
            "the whole step at {} its speed ({})",
            times(inverse.expected),
            range(inverse, times)
        ),
    }
}
