//! Scales: from values to places on the page, and the ticks that people read.

/// A range of values laid out along a range of the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
    marked: Option<Vec<f64>>,
}

/// Values that differ by less than this factor are laid out evenly: a logarithmic scale would have
/// hardly a round number among them.
const NARROW: f64 = 4.0;

impl Scale {
    /// From zero to a little beyond the largest value.
    pub(crate) fn from_zero(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let most = values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold(0.0, f64::max);
        let high = if most > 0.0 { most * 1.06 } else { 1.0 };
        Self {
            low: 0.0,
            high,
            log: false,
            from,
            to,
            marked: None,
        }
    }

    /// From a little below the smallest value to a little above the largest.
    pub(crate) fn even(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = ends(finite).unwrap_or((0.0, 1.0));
        let size = low.abs().max(high.abs());
        // A single value stands in the middle.
        let margin = ((high - low) * 0.08)
            .max(size * 0.02)
            .max(f64::MIN_POSITIVE * 1e9);
        Self {
            low: low - margin,
            high: high + margin,
            log: false,
            from,
            to,
            marked: None,
        }
    }

    /// Even where the values lie close together, else logarithmic.
    pub(crate) fn fitting(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|value| *value > 0.0).collect();
        match ends(values.iter().copied()) {
            Some((low, high)) if high / low < NARROW => Self::even(values, from, to),
            _ => Self::log(values, from, to),
        }
    }

    /// The same scale with its ticks at these values.
    pub(crate) fn marked(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        self.marked = Some(values);
        self
    }

    /// The same places for values in a unit of which each of these has `factor`.
    pub(crate) fn times(&self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            high: self.high * factor,
            ..self.clone()
        }
    }

    /// The largest value that has a place of its own.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// What an axis says of a scale that isn't even.
    pub(crate) fn note(&self) -> &'static str {
        if self.log { " (log scale)" } else { "" }
    }

    /// Ratios of equal size take equal room; a little is left on both ends.
    pub(crate) fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let positive = |value: &f64| *value > 0.0 && value.is_finite();
        let (low, high) = ends(values.into_iter().filter(positive)).unwrap_or((1.0, 10.0));
        let margin = (high / low).powf(0.07).max(1.15);
        Self {
            low: low / margin,
            high: high * margin,
            log: true,
            from,
            to,
            marked: None,
        }
    }

    /// Where a value stands; at the nearer end when it lies outside.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.from + share * (self.to - self.from)
    }

    /// Round values in range, at most about `most` of them.
    pub(crate) fn ticks(&self, most: usize) -> Vec<f64> {
        if let Some(marked) = &self.marked {
            marked.clone()
        } else if self.log {
            self.log_ticks(most)
        } else {
            self.linear_ticks(most)
        }
    }

    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let raw = (self.high - self.low) / most.max(1) as f64;
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= raw)
            .unwrap_or(10.0 * power);
        let first = (self.low / step).ceil();
        (0_u32..100)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= self.high)
            .collect()
    }

    /// Powers of ten with as many steps between as there is room for.
    fn log_ticks(&self, most: usize) -> Vec<f64> {
        let steps: [&[f64]; 4] = [
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        let ticks = |steps: &[f64]| -> Vec<f64> {
            (-30_i32..=30)
                .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
                .filter(|value| (self.low..=self.high).contains(value))
                .collect()
        };
        let sets = steps.into_iter().map(ticks);
        let mut last = Vec::new();
        for set in sets {
            if set.len() <= most && !set.is_empty() {
                return set;
            }
            if !set.is_empty() {
                last = set;
            }
        }
        let stride = last.len().div_ceil(most.max(1)).max(1);
        last.into_iter().step_by(stride).collect()
    }
}

/// The smallest and the largest value.
fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        let (low, high): (f64, f64) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_stay_on_the_page_and_in_order(
            values in prop::collection::vec(1e-6..1e12_f64, 1..20), kind in 0..4,
        ) {
            let given = values.iter().copied();
            let scale = match kind {
                0 => Scale::log(given, 10.0, 110.0),
                1 => Scale::from_zero(given, 10.0, 110.0),
                2 => Scale::even(given, 10.0, 110.0),
                _ => Scale::fitting(given, 10.0, 110.0),
            };
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let places: Vec<f64> = sorted.iter().map(|value| scale.at(*value)).collect();
            prop_assert!(places.iter().all(|place| (10.0..=110.0).contains(place)));
            prop_assert!(places.is_sorted());
            let ticks = scale.ticks(6);
            prop_assert!(ticks.len() <= 9 && ticks.is_sorted(), "{:?}", ticks);
            prop_assert!(kind == 0 || kind == 3 || ticks.len() >= 2, "{:?}", ticks);
        }
    }

    #[test]
    fn values_that_are_no_numbers_have_a_place_too() {
        let scale = Scale::log([f64::NAN, -1.0, 0.0], 0.0, 1.0);
        assert!(
            [f64::NAN, f64::INFINITY, -5.0]
                .iter()
                .all(|v| scale.at(*v).is_finite())
        );
    }
}
