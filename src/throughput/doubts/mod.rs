//! Rows that can hardly be what they say: too far from what is expected of them, or of one another.
//!
//! A number in other units is off by the number of GPUs, the sequence length or a thousand; what is
//! unknown of a new stack or GPU moves all of its rows together, and by less. So rows are compared
//! with what the fit expects of them, after what the rows of their cluster and stack have in common.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::Fit;
use crate::measure::{Measurement, Unit};
use crate::memory;
use crate::quantity::{GIB, middle_two};

/// Farther from what is expected than this, as a factor, a row is doubted. Of GPUs known from
/// datasheets alone the 90 % interval ends at a factor of about 1.5, and configurations short of
/// memory ran at 0.3 of the expected speed.
const DOUBTED: f64 = 3.0;

/// Repeats of one configuration that differ by more than this are doubted. In the embedded tables
/// they differ by less than 1 %.
const REPEATS_APART: f64 = 1.1;

/// Rows that are apart by less than this, as a factor, may just scale badly; and to be told from that
/// they have to come together so many times as closely. Both are assumptions.
const SCALES_BADLY: f64 = 1.8;
const TELLING: f64 = 4.0;

/// A run needs this much more memory than there is before it is doubted: an assumption, since other
/// stacks need less than the measured one.
const NO_ROOM: f64 = 1.5;

/// Figures of several rows are told as one where they differ by no more than this, as a factor: an
/// assumption.
const ALIKE: f64 = 1.05;

/// Configurations whose repeats are told one by one.
const TOLD: usize = 5;

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
        /// Whether other numbers stand on others of the lines.
        differ: bool,
    },
    /// The speed is much slower or faster than expected, in whatever unit.
    Speed {
        /// Tokens per second over all GPUs as the first of the lines is read.
        read_tok_s: f64,
        /// Those expected of it.
        expected_tok_s: f64,
        /// The least and the most times by which the lines are slower or faster.
        times: (f64, f64),
        /// Whether the other rows of its cluster and stack lead to expect that.
        by_other_rows: bool,
    },
    /// Such a run goes out of memory.
    Memory {
        /// The least and the most GiB that the lines need.
        needed_gib: (f64, f64),
        /// GiB that their GPU has.
        usable_gib: f64,
        /// Whether their micro-batches are of a single sequence: no GPU has a smaller share.
        of_one: bool,
    },
    /// One configuration, measured more than once, at speeds that are far apart.
    Repeats {
        /// Tokens per second over all GPUs of the slowest.
        slowest_tok_s: f64,
        /// Of the fastest.
        fastest_tok_s: f64,
        /// Other configurations, whose repeats are not as far apart, but too far as well.
        more: usize,
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
    let mut places: BTreeMap<_, Vec<&Judged<'_>>> = BTreeMap::new();
    for row in &judged {
        places.entry(row.row.place()).or_default().push(row);
    }
    let places: BTreeMap<_, MeasuredAt<'_>> = places
        .into_iter()
        .map(|(name, rows)| (name, MeasuredAt::new(rows)))
        .collect();
    let mut found: Vec<Doubt> = Vec::new();
    for row in &judged {
        let speed = places
            .get(&row.row.place())
            .and_then(|place| place.doubt(row));
        for kind in speed.into_iter().chain(row.memory()) {
            match found.iter_mut().find(|known| known.kind.is_like(&kind)) {
                Some(known) => {
                    known.kind.take_in(&kind);
                    known.lines.push(row.row.line);
                }
                None => found.push(Doubt {
                    lines: vec![row.row.line],
                    kind,
                }),
            }
        }
    }
    found.sort_by_key(|doubt| !matches!(doubt.kind, DoubtKind::Units { .. }));
    let lines = found.iter().flat_map(|doubt| &doubt.lines);
    let doubted: BTreeSet<usize> = lines.copied().collect();
    let trusted = places.values().flat_map(|place| &place.rows);
    let trusted = trusted.map(|judged| judged.row);
    found.extend(repeats(trusted.filter(|row| !doubted.contains(&row.line))));
    found
}

/// The rows of one cluster and stack.
struct MeasuredAt<'a> {
    rows: Vec<&'a Judged<'a>>,
    /// By how much they are off together, as a logarithm.
    common: f64,
    /// Whether they are of one GPU each.
    per_gpu: bool,
}

impl<'a> MeasuredAt<'a> {
    fn new(rows: Vec<&'a Judged<'a>>) -> Self {
        Self {
            common: common_log(&rows),
            per_gpu: is_per_gpu(&rows),
            rows,
        }
    }

    fn doubt(&self, row: &Judged<'_>) -> Option<DoubtKind> {
        if self.per_gpu && row.row.configuration.gpus > 1 {
            return Some(DoubtKind::Units {
                unit: Unit::TokensPerGpu,
                read_tok_s: row.row.throughput_tok_s,
                expected_tok_s: row.expected_tok_s,
                differ: false,
            });
        }
        row.doubt(self.common)
    }
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

    /// Whether such a run can have been launched at all.
    fn memory(&self) -> Option<DoubtKind> {
        if self.row.is_split() {
            return None;
        }
        let estimate = memory::estimate(&self.row.setting(), &self.row.configuration);
        (estimate.peak_bytes > NO_ROOM * estimate.usable_bytes).then(|| DoubtKind::Memory {
            needed_gib: (estimate.peak_bytes / GIB, estimate.peak_bytes / GIB),
            usable_gib: estimate.usable_bytes / GIB,
            of_one: self.row.configuration.micro_batch == 1,
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
                differ: false,
            },
            None => DoubtKind::Speed {
                read_tok_s,
                expected_tok_s,
                times: (log.abs().exp(), log.abs().exp()),
                by_other_rows: common != 0.0,
            },
        })
    }
}

/// By how much rows of one cluster and stack are off together: their median, of two in the middle
/// the one nearer to what is expected. Nothing where they are few, or so far off that units may be
/// wrong in all of them.
fn common_log(alike: &[&Judged<'_>]) -> f64 {
    let nearer = |(a, b): (f64, f64)| if b.abs() < a.abs() { b } else { a };
    middle_two(alike.iter().map(|row| row.log))
        .map(nearer)
        .filter(|median| alike.len() > 2 && median.abs() <= DOUBTED.ln())
        .unwrap_or_default()
}

/// Rows on different numbers of GPUs that lie far apart, and together once each is counted as often as
/// it has GPUs, are of one GPU each, however near to what is expected the first few are.
fn is_per_gpu(alike: &[&Judged<'_>]) -> bool {
    let per_gpu = || {
        let counted = |row: &&Judged<'_>| row.log + (row.row.configuration.gpus as f64).ln();
        alike.iter().map(counted)
    };
    let as_read = reach(alike.iter().map(|row| row.log));
    let nearest = per_gpu().map(f64::abs).fold(f64::INFINITY, f64::min);
    alike.len() > 2
        && nearest <= DOUBTED.ln()
        && as_read > SCALES_BADLY.ln()
        && reach(per_gpu()) < as_read / TELLING
}

/// The distance from the least to the most.
fn reach(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    most - logs.fold(f64::INFINITY, f64::min)
}

/// Configurations measured more than once, at speeds too far apart: the worst of them.
fn repeats<'a>(rows: impl Iterator<Item = &'a Measurement>) -> Vec<Doubt> {
    let mut cells: BTreeMap<_, Vec<&Measurement>> = BTreeMap::new();
    for row in rows {
        let run = row.configuration;
        let key = (
            (row.place(), &row.model),
            (run.gpus, run.seq_len, run.micro_batch, run.grad_accum),
            (run.activation_checkpointing, row.shape.params(1)),
        );
        cells.entry(key).or_default().push(row);
    }
    let mut found: Vec<(f64, Doubt)> = Vec::new();
    for runs in cells.into_values() {
        let speeds = || runs.iter().map(|run| run.throughput_tok_s);
        let slowest_tok_s = speeds().fold(f64::INFINITY, f64::min);
        let fastest_tok_s = speeds().fold(0.0, f64::max);
        let apart = fastest_tok_s / slowest_tok_s;
        if apart > REPEATS_APART {
            let doubt = Doubt {
                lines: runs.iter().map(|run| run.line).collect(),
                kind: DoubtKind::Repeats {
                    slowest_tok_s,
                    fastest_tok_s,
                    more: 0,
                },
            };
            found.push((apart, doubt));
        }
    }
    found.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.lines.cmp(&other.lines)));
    let left = found.len().saturating_sub(TOLD);
    let mut told: Vec<Doubt> = found
        .into_iter()
        .take(TOLD)
        .map(|(_, doubt)| doubt)
        .collect();
    if let Some(Doubt {
        kind: DoubtKind::Repeats { more, .. },
        ..
    }) = told.last_mut()
    {
        *more = left;
    }
    told
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
            (
                Self::Memory {
                    usable_gib: a,
                    of_one,
                    ..
                },
                Self::Memory {
                    usable_gib: b,
                    of_one: other,
                    ..
                },
            ) => a.total_cmp(b).is_eq() && of_one == other,
            _ => false,
        }
    }

    /// Tells another that is like it too.
    fn take_in(&mut self, other: &Self) {
        let widen = |range: &mut (f64, f64), other: (f64, f64)| {
            *range = (range.0.min(other.0), range.1.max(other.1));
        };
        match (self, other) {
            (
                Self::Units {
                    read_tok_s,
                    expected_tok_s,
                    differ,
                    ..
                },
                Self::Units {
                    read_tok_s: read,
                    expected_tok_s: expected,
                    ..
                },
            ) => {
                let apart = |a: f64, b: f64| (a / b).ln().abs() > ALIKE.ln();
                *differ |= apart(*read_tok_s, *read) || apart(*expected_tok_s, *expected);
            }
            (Self::Speed { times, .. }, Self::Speed { times: other, .. }) => widen(times, *other),
            (
                Self::Memory { needed_gib, .. },
                Self::Memory {
                    needed_gib: other, ..
                },
            ) => widen(needed_gib, *other),
            _ => {}
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
