//! What was measured of a planned run: one number, or the rows of a table.

use super::PlannedRun;
use crate::configuration::{Configuration, Setting, on_off};
use crate::diagnostic::Diagnostic;
use crate::measure::{Measurement, PLAUSIBLE_MFU, mfu, percent};
use crate::quantity::{display_whole, middle_two};

/// A measured table, sorted by what it says about one configuration.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    /// Rows of this very configuration, in the table's order.
    pub same: Vec<&'a Measurement>,
    /// Other rows of its GPU and stack: measured under the same conditions, they tell causes apart.
    pub related: Vec<&'a Measurement>,
    /// Rows that say nothing about it.
    pub unrelated: usize,
}

impl<'a> Rows<'a> {
    /// Sorts the rows of a table.
    ///
    /// # Errors
    /// When none is of this configuration: with the nearest that is there. When those of it
    /// contradict each other.
    pub fn new(
        name: &str,
        rows: &'a [Measurement],
        model: &str,
        setting: &Setting<'_>,
        configuration: &Configuration,
    ) -> Result<Self, Diagnostic> {
        let mut sorted = Self {
            same: Vec::new(),
            related: Vec::new(),
            unrelated: 0,
        };
        let mut nearest: Option<(&Measurement, Vec<String>)> = None;
        for row in rows {
            let differences = differences(row, model, setting, configuration);
            if differences.is_empty() {
                sorted.same.push(row);
            } else if is_related(row, setting) {
                sorted.related.push(row);
            } else {
                sorted.unrelated += 1;
            }
            if nearest
                .as_ref()
                .is_none_or(|(_, fewest)| differences.len() < fewest.len())
            {
                nearest = Some((row, differences));
            }
        }
        if sorted.same.is_empty() {
            let refusal = Diagnostic::new(format!("no row of `{name}` is of the planned run"));
            return Err(match nearest {
                None => refusal,
                Some((row, differences)) => refusal
                    .help(format!(
                        "the nearest is line {}: it has {}",
                        row.line,
                        differences.join(", ")
                    ))
                    .help("`--rank` compares with another candidate of the plan"),
            });
        }
        sorted.check_alike(name)?;
        Ok(sorted)
    }

    /// Tokens per second of the run: that of its row, the mean of two, the median of more.
    #[must_use]
    pub fn throughput_tok_s(&self) -> f64 {
        let (lower, upper) = self.middle();
        f64::midpoint(lower, upper)
    }

    /// What was made of several rows of the run, in words; `None` where there is one.
    #[must_use]
    pub fn taken(&self) -> Option<String> {
        let taken = match self.same.len() {
            0 | 1 => return None,
            2 => "mean",
            _ => "median",
        };
        let (least, most) = self.ends();
        let apart = most / least - 1.0;
        let spread = format!(
            "from {} to {} tokens/s, {:.1} % apart",
            display_whole(least),
            display_whole(most),
            apart * 100.0
        );
        let doubt = if apart > ALIKE {
            "; runs of one configuration on one node differ by less than 1 %: see what slowed the \
             slowest"
        } else {
            ""
        };
        Some(format!(
            "{} rows are of this run, {spread}; their {taken} is taken{doubt}",
            self.same.len()
        ))
    }

    /// The two speeds in the middle, which are one of an odd number.
    fn middle(&self) -> (f64, f64) {
        middle_two(self.speeds()).unwrap_or_default()
    }

    fn ends(&self) -> (f64, f64) {
        let least = self.speeds().reduce(f64::min);
        let most = self.speeds().reduce(f64::max);
        (least.unwrap_or_default(), most.unwrap_or_default())
    }

    fn speeds(&self) -> impl Iterator<Item = f64> {
        self.same.iter().map(|row| row.throughput_tok_s)
    }

    /// Refuses rows of which the middle is the speed of none: the run ran at one or at the other.
    fn check_alike(&self, name: &str) -> Result<(), Diagnostic> {
        let (lower, upper) = self.middle();
        if upper <= CONTRADICTORY * lower {
            return Ok(());
        }
        let told: Vec<String> = self
            .same
            .iter()
            .take(TOLD)
            .map(|row| {
                let tok_s = display_whole(row.throughput_tok_s);
                format!("line {} says {tok_s}", row.line)
            })
            .collect();
        let more = self.same.len().saturating_sub(TOLD);
        let more = if more > 0 {
            format!(", and so on for {more} more")
        } else {
            String::new()
        };
        Err(Diagnostic::new(format!(
            "the {} rows of this run in `{name}` disagree by a factor of {:.1}, and it ran at no speed \
             between them: in tokens/s, {}{more}",
            self.same.len(),
            upper / lower,
            told.join(", "),
        ))
        .help("leave out the rows that are not its usual speed, such as those of a stall")
        .help(format!(
            "or give one speed by itself, such as `--measured {upper:.0}`"
        )))
    }
}

/// Rows of one run further apart than this are worth a word.
const ALIKE: f64 = 0.05;

/// Rows of one run further apart than this factor contradict each other: no run is
/// done at the speed between them.
const CONTRADICTORY: f64 = 2.0;

/// Rows that are named.
const TOLD: usize = 4;

/// From so many GPUs on, the speed of one is told from that of a slow run: close to the memory limit
/// runs were at 0.3 of the expected speed, and none was at an eighth.
const MANY: f64 = 8.0;
/// How far from the planned speed that of one GPU may lie once it is counted for all of them, as a
/// factor: an assumption.
const NEAR: f64 = 1.25;

/// Refuses a number that is no throughput of a run in tokens per second: one that only sequences
/// per second or the tokens of one GPU explain, or faster than the GPUs can compute. A slow run is what
/// `compare` is for.
///
/// # Errors
/// With the MFU that it would be.
pub fn check_units(
    measured_tok_s: f64,
    run: &PlannedRun,
    setting: &Setting<'_>,
) -> Result<(), Diagnostic> {
    let of = |tok_s| mfu(tok_s, setting.shape, setting.cluster, &run.configuration);
    let (here, seq_len) = (of(measured_tok_s), run.configuration.seq_len as f64);
    let (slowest, fastest) = (*PLAUSIBLE_MFU.start(), *PLAUSIBLE_MFU.end());
    // Nearer to the plan as sequences per second than as tokens.
    let nearer = measured_tok_s * seq_len.sqrt() < run.throughput_tok_s.expected;
    let samples = here < slowest && nearer && PLAUSIBLE_MFU.contains(&of(measured_tok_s * seq_len));
    let gpus = run.configuration.gpus as f64;
    let together = measured_tok_s * gpus;
    let planned = run.throughput_tok_s;
    // No run is slower by just as much as it has GPUs.
    let of_one = gpus >= MANY && (together / planned.expected).ln().abs() < NEAR.ln();
    let looks_like = match (samples, of_one, here > fastest) {
        (true, ..) => "this looks like samples/s",
        (_, true, _) => "this looks like tokens/s of one GPU",
        (.., true) => "too fast for tokens/s",
        _ => return Ok(()),
    };
    let refusal = Diagnostic::new(format!(
        "--measured: units look wrong: {looks_like} ({measured_tok_s} tokens/s would be an MFU of \
         {} %)",
        percent(here)
    ));
    Err(if samples {
        refusal.help(format!(
            "samples/s times the sequence length are tokens/s: {}",
            measured_tok_s * seq_len
        ))
    } else if of_one {
        refusal.help(format!(
            "tokens/s of one GPU times {} GPUs are those of all of them, which are expected: {together}; in \
             a table, a column `throughput_tok_s_gpu` holds those of one",
            run.configuration.gpus
        ))
    } else {
        refusal.help("expected the tokens per second of all GPUs together, such as 25700 or 371K")
    })
}

/// A row without a cluster's name stands for its GPU wherever it is.
fn same_cluster(row: &Measurement, setting: &Setting<'_>) -> bool {
    let (own, other) = (&row.cluster, setting.cluster);
    own.gpu.name == other.gpu.name && (own.name == other.name || own.name == own.gpu.name)
}

fn is_related(row: &Measurement, setting: &Setting<'_>) -> bool {
    same_cluster(row, setting) && row.stack.name == setting.stack.name
}

/// In what a row differs from the planned run, in words.
fn differences(
    row: &Measurement,
    model: &str,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Vec<String> {
    let mut found = Vec::new();
    if row.shape != *setting.shape {
        found.push(format!("model {} where the plan has {model}", row.model));
    }
    if !same_cluster(row, setting) {
        found.push(format!(
            "{} where the plan has {}",
            row.cluster.name, setting.cluster.name
        ));
    }
    if row.stack.name != setting.stack.name {
        found.push(format!(
            "stack {} where the plan has {}",
            row.stack.name, setting.stack.name
        ));
    }
    let own = &row.configuration;
    for (name, is, planned) in [
        ("GPUs", own.gpus, configuration.gpus),
        ("sequence length", own.seq_len, configuration.seq_len),
        ("micro-batch", own.micro_batch, configuration.micro_batch),
        ("grad-accum", own.grad_accum, configuration.grad_accum),
    ] {
        if is != planned {
            found.push(format!("{name} {is} where the plan has {planned}"));
        }
    }
    if own.activation_checkpointing != configuration.activation_checkpointing {
        let words = on_off(own.activation_checkpointing);
        found.push(format!(
            "checkpointing {words} where the plan has the other"
        ));
    }
    found
}
