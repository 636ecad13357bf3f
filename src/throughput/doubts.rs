//! Rows that can hardly be what they say: too far from what is expected of them, or of one another.
//!
//! A number in other units is off by the number of GPUs, the sequence length or a thousand; what is
//! unknown of a new stack or GPU moves all of its rows together, and by less. So rows are compared
//! with what the fit expects of them, after what the rows of their cluster and stack have in common.

use std::fmt;

use super::Fit;
use crate::measure::{Measurement, Unit};
use crate::memory;
use crate::quantity::{GIB, display_whole};

/// Farther from what is expected than this, as a factor, a row is doubted. Of GPUs known from
/// datasheets alone the 90 % interval ends at a factor of about 1.5, and configurations short of
/// memory ran at 0.3 of the expected speed.
const DOUBTED: f64 = 3.0;

/// Repeats of one configuration that differ by more than this are doubted. In the embedded tables
/// they differ by less than 1 %.
const REPEATS_APART: f64 = 1.1;

/// Rows that are apart by less than this, as a factor, may just scale badly; and to be told from that
/// they have to come together so many times as closely.
const SCALES_BADLY: f64 = 1.8;
const TELLING: f64 = 4.0;

/// A run needs this much more memory than there is before it is doubted: other stacks need less.
const NO_ROOM: f64 = 1.5;

/// Lines that are named one by one.
const LISTED: usize = 12;

/// What is doubted of some rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// Their lines, in the table's order.
    pub lines: Vec<usize>,
    /// What of them.
    pub kind: DoubtKind,
}

/// What can be doubted.
#[derive(Debug, Clone, PartialEq)]
pub enum DoubtKind {
    /// The speed is about the one expected when it is read in another unit.
    Units {
        /// That unit.
        unit: Unit,
        /// Tokens per second over all GPUs as the first of the lines is read.
        read_tok_s: f64,
        /// Those expected of it.
        expected_tok_s: f64,
    },
    /// The speed is much slower or faster than expected, in whatever unit.
    Speed {
        /// Tokens per second over all GPUs as the first of the lines is read.
        read_tok_s: f64,
        /// Those expected of it.
        expected_tok_s: f64,
        /// Whether the other rows of its cluster and stack lead to expect that.
        by_other_rows: bool,
    },
    /// Such a run goes out of memory.
    Memory {
        /// GiB that the first of the lines needs.
        needed_gib: f64,
        /// GiB that its GPU has.
        usable_gib: f64,
    },
    /// One configuration, measured more than once, at speeds that are far apart.
    Repeats {
        /// Tokens per second over all GPUs of the slowest.
        slowest_tok_s: f64,
        /// Of the fastest.
        fastest_tok_s: f64,
    },
}

/// Doubts about rows of one table, those about units first.
///
/// Rows still to be measured, with a throughput of 0, are left out.
#[must_use]
pub fn doubts(fit: &Fit, rows: &[Measurement]) -> Vec<Doubt> {
    let judged: Vec<Judged<'_>> = rows
        .iter()
        .filter(|row| row.throughput_tok_s > 0.0)
        .map(|row| Judged::new(fit, row))
        .collect();
    let mut found: Vec<Doubt> = Vec::new();
    for row in &judged {
        let alike: Vec<&Judged<'_>> = judged.iter().filter(|other| row.is_like(other)).collect();
        let speed = row.counted_per_gpu(&alike);
        let speed = speed.or_else(|| row.doubt(common_log(&alike)));
        for kind in speed.into_iter().chain(row.memory()) {
            match found.iter_mut().find(|known| known.kind.is_like(&kind)) {
                Some(known) => known.lines.push(row.row.line),
                None => found.push(Doubt {
                    lines: vec![row.row.line],
                    kind,
                }),
            }
        }
    }
    found.sort_by_key(|doubt| !matches!(doubt.kind, DoubtKind::Units { .. }));
    let doubted = |row: &Measurement| found.iter().any(|doubt| doubt.lines.contains(&row.line));
    let trusted: Vec<&Measurement> = judged
        .iter()
        .map(|judged| judged.row)
        .filter(|row| !doubted(row))
        .collect();
    found.extend(repeats(&trusted));
    found
}

/// A row and what is expected of it.
struct Judged<'a> {
    row: &'a Measurement,
    expected_tok_s: f64,
    /// Logarithm of the speed read over the one expected.
    log: f64,
}

impl<'a> Judged<'a> {
    fn new(fit: &Fit, row: &'a Measurement) -> Self {
        let step_s = fit
            .step_time(&row.setting(), &row.configuration)
            .expected_s();
        let expected_tok_s = row.configuration.global_batch_tokens() as f64 / step_s;
        Self {
            row,
            expected_tok_s,
            log: (row.throughput_tok_s / expected_tok_s).ln(),
        }
    }

    /// Whether both ran on one cluster and stack.
    fn is_like(&self, other: &Self) -> bool {
        self.row.cluster.name == other.row.cluster.name
            && self.row.stack.name == other.row.stack.name
    }

    /// Rows on different numbers of GPUs that lie far apart, and together once each is counted as
    /// often as it has GPUs, are of one GPU each, however near to what is expected the first few are.
    fn counted_per_gpu(&self, alike: &[&Self]) -> Option<DoubtKind> {
        let gpus = |row: &Self| (row.row.configuration.gpus as f64).ln();
        let as_read = reach(alike.iter().map(|row| row.log));
        let per_gpu = reach(alike.iter().map(|row| row.log + gpus(row)));
        let nearest = alike.iter().map(|row| (row.log + gpus(row)).abs());
        let plausible = nearest.fold(f64::INFINITY, f64::min) <= DOUBTED.ln();
        let many = alike.len() > 2 && self.row.configuration.gpus > 1;
        let told = many && plausible && as_read > SCALES_BADLY.ln() && per_gpu < as_read / TELLING;
        told.then_some(DoubtKind::Units {
            unit: Unit::TokensPerGpu,
            read_tok_s: self.row.throughput_tok_s,
            expected_tok_s: self.expected_tok_s,
        })
    }

    /// Whether such a run can have been launched at all.
    fn memory(&self) -> Option<DoubtKind> {
        let estimate = memory::estimate(&self.row.setting(), &self.row.configuration);
        (estimate.peak_bytes > NO_ROOM * estimate.usable_bytes).then(|| DoubtKind::Memory {
            needed_gib: estimate.peak_bytes / GIB,
            usable_gib: estimate.usable_bytes / GIB,
        })
    }

    /// What is to be doubted, when rows around it are off by the logarithm `common`.
    fn doubt(&self, common: f64) -> Option<DoubtKind> {
        let log = self.log - common;
        let far = log.abs() > DOUBTED.ln();
        let read_tok_s = self.row.throughput_tok_s;
        let expected_tok_s = self.expected_tok_s * common.exp();
        far.then(|| match Unit::guess(log.exp(), &self.row.configuration) {
            Some(unit) => DoubtKind::Units {
                unit,
                read_tok_s,
                expected_tok_s,
            },
            None => DoubtKind::Speed {
                read_tok_s,
                expected_tok_s,
                by_other_rows: common != 0.0,
            },
        })
    }
}

/// By how much rows of one cluster and stack are off together: their median, of two in the middle
/// the one nearer to what is expected. Nothing where they are few, or so far off that units may be
/// wrong in all of them.
fn common_log(alike: &[&Judged<'_>]) -> f64 {
    let mut logs: Vec<f64> = alike.iter().map(|row| row.log).collect();
    logs.sort_by(f64::total_cmp);
    let upper = logs.get(logs.len() / 2);
    let lower = logs.get(logs.len().saturating_sub(1) / 2);
    let middle = [lower, upper].into_iter().flatten();
    let median = middle.min_by(|a, b| a.abs().total_cmp(&b.abs()));
    median
        .copied()
        .filter(|median| logs.len() > 2 && median.abs() <= DOUBTED.ln())
        .unwrap_or_default()
}

/// The distance from the least to the most.
fn reach(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    most - logs.fold(f64::INFINITY, f64::min)
}

/// Configurations measured more than once, at speeds too far apart.
fn repeats(rows: &[&Measurement]) -> Vec<Doubt> {
    let same = |a: &Measurement, b: &Measurement| {
        a.configuration == b.configuration
            && a.shape == b.shape
            && a.cluster.name == b.cluster.name
            && a.stack.name == b.stack.name
    };
    let mut found = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if rows.iter().take(index).any(|earlier| same(earlier, row)) {
            continue;
        }
        let runs: Vec<&&Measurement> = rows.iter().filter(|other| same(row, other)).collect();
        let speeds = || runs.iter().map(|run| run.throughput_tok_s);
        let slowest_tok_s = speeds().fold(f64::INFINITY, f64::min);
        let fastest_tok_s = speeds().fold(0.0, f64::max);
        if fastest_tok_s > REPEATS_APART * slowest_tok_s {
            found.push(Doubt {
                lines: runs.iter().map(|run| run.line).collect(),
                kind: DoubtKind::Repeats {
                    slowest_tok_s,
                    fastest_tok_s,
                },
            });
        }
    }
    found
}

impl DoubtKind {
    /// Whether one sentence can tell both.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Units { unit: a, .. }, Self::Units { unit: b, .. }) => a == b,
            (
                Self::Speed {
                    by_other_rows: a, ..
                },
                Self::Speed {
                    by_other_rows: b, ..
                },
            ) => a == b && self.is_slow() == other.is_slow(),
            (Self::Memory { .. }, Self::Memory { .. }) => true,
            _ => false,
        }
    }

    fn is_slow(&self) -> bool {
        match self {
            Self::Units {
                read_tok_s,
                expected_tok_s,
                ..
            }
            | Self::Speed {
                read_tok_s,
                expected_tok_s,
                ..
            } => read_tok_s < expected_tok_s,
            Self::Memory { .. } | Self::Repeats { .. } => false,
        }
    }
}

impl fmt::Display for DoubtKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DoubtKind::Units {
                unit,
                read_tok_s,
                expected_tok_s,
            } => write!(
                f,
                "units look wrong: {} where {} tokens/s over all GPUs are expected, which looks \
                 like {unit}",
                display_whole(*read_tok_s),
                display_whole(*expected_tok_s)
            ),
            DoubtKind::Speed {
                read_tok_s,
                expected_tok_s,
                by_other_rows,
            } => {
                let factor = (read_tok_s / expected_tok_s).ln().abs().exp();
                write!(
                    f,
                    "{factor:.1} times {} than expected{}: {} tokens/s over all GPUs, not {}; check \
                     the units and what ran",
                    if self.is_slow() { "slower" } else { "faster" },
                    if *by_other_rows {
                        " by the rows around"
                    } else {
                        ""
                    },
                    display_whole(*read_tok_s),
                    display_whole(*expected_tok_s)
                )
            }
            DoubtKind::Memory {
                needed_gib,
                usable_gib,
            } => write!(
                f,
                "such a run goes out of memory: it needs about {} GiB of {usable_gib:.1}; is the \
                 micro-batch that of one GPU?",
                display_whole(*needed_gib)
            ),
            DoubtKind::Repeats {
                slowest_tok_s,
                fastest_tok_s,
            } => write!(
                f,
                "one configuration at {} and at {} tokens/s, where repeats differ by about 1 %: \
                 does something tell the runs apart that the columns read don't?",
                display_whole(*slowest_tok_s),
                display_whole(*fastest_tok_s)
            ),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match *self.lines {
            [line] => write!(f, " (line {line})"),
            [a, b] => write!(f, " (lines {a} and {b})"),
            [] => Ok(()),
            _ => {
                let listed = self.lines.iter().take(LISTED).map(ToString::to_string);
                let listed: Vec<String> = listed.collect();
                let more = self.lines.len().saturating_sub(LISTED);
                write!(f, " (lines {}", listed.join(", "))?;
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                f.write_str(")")
            }
        }
    }
}
