//! How micro-batches and gradient accumulations meet a global batch.
//!
//! For a given GPU count and sequence length the global batch is a number of sequences per GPU,
//! `micro-batch × accumulation`, that must lie from `low` to `high`.

use std::ops::{Range, RangeInclusive};

use super::axis::Axis;

/// The least share of the asked global batch that stands in for it when the axes can't meet it:
/// 19/20, a shortfall of 5 %.
pub(crate) const NEAREST: (u128, u128) = (19, 20);

/// The largest share of it that is missed then.
pub(crate) const MAX_SHORTFALL: f64 = (NEAREST.1 - NEAREST.0) as f64 / NEAREST.1 as f64;

/// Accumulations tried when they are left to the global batch: any.
const ANY_ACCUMULATION: Axis = Axis::Stepped {
    low: 1,
    high: u64::MAX,
    step: 1,
};

/// Accumulations for each of which the largest micro-batch is tried.
const FEW_ACCUMULATIONS: usize = 32;

/// Micro-batches tried where powers of two alone would not divide the sequences per GPU well: 1 to
/// 7 and their doubles, up to `high`, and the largest one with each of a few accumulations, the
/// whole share of a GPU first where they start from one. Most tensors are long enough along the
/// sequence for kernels to like odd ones as well.
fn of_any_share(high: u64, accum: &Axis) -> Axis {
    let doubled = |odd: u64| {
        std::iter::successors(Some(odd), |micro: &u64| micro.checked_mul(2))
            .take_while(|micro| *micro <= high.max(1))
    };
    let few = accum.iter().take(FEW_ACCUMULATIONS);
    let shares = few.filter_map(|accumulations| high.checked_div(accumulations));
    let shares = shares.filter(|share| *share > 0);
    Axis::list([1, 3, 5, 7].into_iter().flat_map(doubled).chain(shares))
}

/// Whether powers of two are all micro-batches that divide so many sequences, each with one of these
/// accumulations.
fn halves_alone(sequences: u64, accum: &Axis) -> bool {
    let mut few = accum.iter().take(FEW_ACCUMULATIONS);
    sequences.is_power_of_two() && (*accum == ANY_ACCUMULATION || few.all(u64::is_power_of_two))
}

/// What meets the global batch at one GPU count and sequence length.
#[derive(Debug, Clone)]
pub(super) struct Batch<'a> {
    /// Micro-batches to try.
    pub(super) micro: Axis,
    /// Accumulations on the axis, or all integers.
    pub(super) accum: &'a Axis,
    /// Whether accumulation was left to the global batch.
    auto_accum: bool,
    /// Fewest sequences per GPU and step accepted.
    low: u64,
    /// Most sequences per GPU and step accepted.
    high: u64,
    /// Whether each micro-batch takes its largest accumulation alone: the one that comes nearest to
    /// a global batch that nothing meets exactly.
    nearest: bool,
}

impl<'a> Batch<'a> {
    /// Resolves the axes for `gpus × seq_len = unit` tokens per sequence on every GPU.
    ///
    /// When exactly one global batch is asked for and the axes can't meet it, the nearest below
    /// that each micro-batch can meet stands in for it, as long as it misses at most a twentieth.
    pub(super) fn new(
        unit: u128,
        global_batch: &RangeInclusive<u64>,
        micro: &Axis,
        accum: &'a Axis,
    ) -> Self {
        let unit = unit.max(1);
        let (min, max) = (
            u128::from(*global_batch.start()),
            u128::from(*global_batch.end()),
        );
        let narrow = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        let high = narrow(max / unit);
        let auto_accum = *accum == Axis::Auto;
        let accum = if auto_accum { &ANY_ACCUMULATION } else { accum };
        let micro = match micro {
            Axis::Auto if min == max && halves_alone(high, accum) => Axis::Doubling {
                low: 1,
                high: high.max(1),
            },
            Axis::Auto => of_any_share(high, accum),
            _ => micro.clone(),
        };
        let mut batch = Self {
            micro,
            accum,
            auto_accum,
            low: narrow(min.div_ceil(unit)),
            high,
            nearest: false,
        };
        if min == max {
            let met = batch.nearest_product().map(u128::from);
            if met.and_then(|sequences| sequences.checked_mul(unit)) != Some(max) {
                batch.low = narrow((max * NEAREST.0).div_ceil(unit * NEAREST.1));
                batch.nearest = true;
            }
        }
        batch
    }

    /// The largest `micro-batch × accumulation` on the axes that is at most `high`, looking for the
    /// best partner of each value of the shorter axis.
    fn nearest_product(&self) -> Option<u64> {
        let (shorter, longer) = if self.micro.len() <= self.accum.len() {
            (&self.micro, self.accum)
        } else {
            (self.accum, &self.micro)
        };
        let mut best = None;
        for value in shorter.iter().take_while(|value| *value <= self.high) {
            let product = longer
                .largest_up_to(self.high / value)
                .map(|partner| value * partner);
            best = best.max(product);
            if best == Some(self.high) {
                break;
            }
        }
        best
    }

    /// Positions on the accumulation axis that meet the global batch with this micro-batch.
    pub(super) fn accumulations(&self, micro: u64) -> Range<u64> {
        if micro == 0 || self.low > self.high {
            return 0..0;
        }
        let start = self.accum.count_below(self.low.div_ceil(micro));
        let end = self.accum.count_up_to(self.high / micro).max(start);
        if self.nearest {
            end.saturating_sub(1).max(start)..end
        } else {
            start..end
        }
    }

    /// Sequences per GPU and step of the points of these micro-batches, about: none has fewer or
    /// more. `None` when no point of theirs meets the global batch for want of accumulations.
    pub(super) fn sequences(&self, smallest: u64, largest: u64) -> Option<RangeInclusive<u64>> {
        let fewest = self.accum.get(0)?;
        let most = self.accum.largest_up_to(self.high.checked_div(smallest)?)?;
        let low = smallest.saturating_mul(fewest).max(self.low);
        let high = largest.saturating_mul(most).min(self.high);
        (low <= high).then_some(low..=high)
    }

    /// Points of the micro-batches at these positions: with accumulation left to the batch, those
    /// that meet it and at least one a micro-batch; else every value of the axis.
    pub(super) fn points(&self, positions: Range<u64>) -> u128 {
        let micros = u128::from(positions.end.saturating_sub(positions.start));
        if !self.auto_accum {
            return micros * u128::from(self.accum.len());
        }
        if self.nearest || self.low >= self.high {
            return micros;
        }
        self.summed(positions, |meeting| meeting.max(1))
    }

    /// Points of the micro-batches at these positions that meet the global batch.
    pub(super) fn meeting(&self, positions: Range<u64>) -> u128 {
        if self.low > self.high {
            return 0;
        }
        let most = if self.nearest { 1 } else { u64::MAX };
        self.summed(positions, |meeting| meeting.min(most))
    }

    /// Sum over micro-batches of what `count` makes of the accumulations that meet the global
    /// batch, one run of micro-batches with the same ones at a time: `⌊high/m⌋` takes about
    /// `2·√high` values however many micro-batches there are.
    fn summed(&self, positions: Range<u64>, count: impl Fn(u64) -> u64) -> u128 {
        let below = self.low.saturating_sub(1);
        // The largest micro-batch with as many accumulations up to `bound / micro-batch`.
        let same = |accumulations: u64, bound: u64| {
            let last = accumulations.checked_sub(1);
            last.and_then(|position| self.accum.get(position))
                .and_then(|accum| bound.checked_div(accum))
                .unwrap_or(u64::MAX)
        };
        let mut total = 0_u128;
        let mut index = positions.start;
        while index < positions.end {
            let Some(micro) = self.micro.get(index).filter(|micro| *micro > 0) else {
                break;
            };
            let most = self.accum.count_up_to(self.high / micro);
            let fewest = self.accum.count_up_to(below / micro);
            let run_end = same(most, self.high).min(same(fewest, below));
            let next = self
                .micro
                .count_up_to(run_end)
                .clamp(index + 1, positions.end);
            let each = count(most.saturating_sub(fewest));
            total = total.saturating_add(u128::from(next - index) * u128::from(each));
            index = next;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_exact_batch_is_met_exactly_or_from_just_below() {
        let auto = Axis::Auto;
        // 2^21 tokens over 24 GPUs at 2048: 42.67 sequences per GPU, so 42, or 41 for 5 % less.
        let batch = Batch::new(24 * 2048, &(1 << 21..=1 << 21), &auto, &auto);
        assert_eq!((batch.low, batch.high), (41, 42));
        let micros: Vec<u64> = batch.micro.iter().collect();
        assert_eq!(
            micros,
            [
                1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 21, 24, 28, 32, 40, 42
            ]
        );
        assert_eq!(batch.accumulations(1), 41..42);
        assert_eq!(batch.accumulations(2), 20..21);
        assert!(batch.accumulations(4).is_empty());
        assert_eq!(batch.accumulations(6), 6..7);
        // Over 16 GPUs it is met exactly, by those that can.
        let batch = Batch::new(16 * 2048, &(1 << 21..=1 << 21), &Axis::list([3, 4]), &auto);
        assert!(batch.accumulations(3).is_empty());
        assert_eq!(batch.accumulations(4), 15..16);
        // 3 sequences per GPU asked, 2.9 can't be had; 2 misses a third of the batch.
        let batch = Batch::new(1000, &(2900..=2900), &auto, &auto);
        assert!(batch.low > batch.high);
    }

    #[test]
    fn a_range_tries_what_one_batch_within_it_does() {
        let auto = Axis::Auto;
        let unit = 40 * 2048;
        let has = |batch: &Batch<'_>, micro: u64| batch.micro.iter().any(|own| own == micro);
        let range = Batch::new(unit, &(1_992_294..=1 << 21), &auto, &auto);
        assert!(has(&range, 5) && range.accumulations(5) == (4..5));
        // 128 sequences a GPU, in three: 42 of them each time come nearest.
        let three = Axis::list([3]);
        let pinned = Batch::new(16 * 1024, &(1 << 21..=1 << 21), &auto, &three);
        assert!(has(&pinned, 42) && pinned.accumulations(42) == (0..1));
        // Halves alone divide it, whatever power of two is asked for.
        let halves = Axis::list([2, 8]);
        let one = Batch::new(16 * 1024, &(1 << 21..=1 << 21), &auto, &halves);
        assert!(one.micro.iter().all(u64::is_power_of_two));
    }

    fn accumulations() -> impl Strategy<Value = Axis> {
        prop_oneof![
            Just(Axis::Auto),
            prop::collection::vec(1..400_u64, 1..6).prop_map(Axis::list),
            (1..9_u64, 1..400_u64).prop_map(|(low, high)| Axis::Doubling {
                low,
                high: low + high
            }),
            (1..9_u64, 1..400_u64, 1..5_u64).prop_map(|(low, high, step)| Axis::Stepped {
                low,
                high: low + high,
                step
            }),
        ]
    }

    proptest! {
        #[test]
        fn runs_of_micro_batches_count_what_a_loop_counts(
            low in 1..2000_u64, width in prop_oneof![Just(0), 0..2000_u64], start in 1..50_u64,
            step in 1..9_u64, unit in 1..4_u64, accum in accumulations(),
        ) {
            let micro = Axis::Stepped { low: start, high: 3000, step };
            let batch = Batch::new(unit.into(), &(low..=low + width), &micro, &accum);
            let by_hand: u128 = micro
                .iter()
                .map(|m| u128::from(batch.accumulations(m).end - batch.accumulations(m).start))
                .sum();
            prop_assert_eq!(batch.meeting(0..micro.len()), by_hand);
            let all: Vec<u64> = micro
                .iter()
                .flat_map(|m| batch.accumulations(m).map(move |position| (m, position)))
                .filter_map(|(m, position)| Some(m * batch.accum.get(position)?))
                .collect();
            if let Some(range) = batch.sequences(start, 3000) {
                prop_assert!(all.iter().all(|sequences| range.contains(sequences)));
            } else {
                prop_assert!(all.is_empty());
            }
        }

        #[test]
        fn runs_of_quotients_count_what_a_loop_counts(
            low in 1..2000_u64, width in 0..2000_u64, start in 1..50_u64, step in 1..9_u64,
        ) {
            let micro = Axis::Stepped { low: start, high: 3000, step };
            let auto = Axis::Auto;
            let batch = Batch::new(1, &(low..=low + width), &micro, &auto);
            // Of a batch that no micro-batch divides, each takes its nearest alone.
            let divided = width > 0 || micro.iter().any(|m| low % m == 0);
            let most = if divided { usize::MAX } else { 1 };
            let by_hand: u128 = micro
                .iter()
                .map(|m| (1..=low + width).filter(|a| (batch.low..=batch.high).contains(&(m * a))).count())
                .map(|met| met.clamp(1, most) as u128)
                .sum();
            prop_assert_eq!(batch.points(0..micro.len()), by_hand);
        }
    }
}
