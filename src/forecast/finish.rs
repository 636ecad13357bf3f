//! When a run is done: a distribution over hours on the wall clock.
//!
//! Two independent causes spread it: how fast the run turns out to be (the distribution of its step
//! time: what the model leaves open, noise, bad days), and how often it fails. With `W` the
//! productive hours and `Y` what failures make of an hour, the run is done after
//!
//! ```text
//! T = start-up + W·Y
//! ```
//!
//! `Y` is taken at the expected `W`: a run that turns out slower has proportionally more failures.
//! Both laws have a closed form, so that the probability is a finite sum and needs no random
//! numbers: the same inputs give the same bytes.

use std::sync::Arc;

use super::WallClock;
use super::failures::Outcome;
use crate::quantity::{Confidence, Interval};
use crate::throughput::StepTime;

/// When a run is done, in hours from the start of its booking.
///
/// Cheap to clone, and the same whatever the number of threads.
#[derive(Debug, Clone)]
pub struct FinishTime {
    start_up_h: f64,
    /// Hours of training and checkpoint writes of a run that behaves.
    productive_h: f64,
    expected_h: f64,
    step: StepTime,
    outcomes: Arc<[Outcome]>,
    stalls: bool,
}

impl FinishTime {
    /// Of a run that trains for `train_h` hours if its step takes as long as is expected of `step`.
    #[must_use]
    pub fn new(clock: &WallClock, train_h: f64, step: StepTime) -> Self {
        let course = clock.course(train_h);
        let (productive_h, outcomes) = if course.stall.is_some() {
            // No law worth telling: the run hardly gets anywhere.
            (course.hours(), vec![Outcome::UNDELAYED])
        } else {
            let productive_h = train_h * course.writing;
            (productive_h, course.failures.outcomes(productive_h))
        };
        Self {
            start_up_h: clock.start_up_h,
            productive_h,
            expected_h: clock.start_up_h + course.hours(),
            step,
            outcomes: outcomes.into(),
            stalls: course.stall.is_some(),
        }
    }

    /// Whether it hardly gets anywhere, so that its hours are no forecast.
    #[must_use]
    pub fn stalls(&self) -> bool {
        self.stalls
    }

    /// Probability that the run is done within `hours` of the start of its booking; it never
    /// decreases with more of them.
    #[must_use]
    pub fn probability_by(&self, hours: f64) -> f64 {
        let running_h = hours - self.start_up_h;
        if running_h > 0.0 {
            self.probability_within((running_h / self.productive_h).ln())
        } else {
            0.0
        }
    }

    /// Hours within which the run is done with this probability: the inverse of
    /// [`FinishTime::probability_by`]. Probabilities beyond 10⁻⁶ from 0 and 1 are taken as that.
    #[must_use]
    pub fn hours_at(&self, probability: f64) -> f64 {
        let probability = probability.clamp(1e-6, 1.0 - 1e-6);
        self.start_up_h + self.productive_h * self.log_at(probability).exp()
    }

    /// Expected hours of a run that behaves, failures at their expected rate: what plans are ranked
    /// by. Bad days only ever add to it: they are in the distribution, whose mean is higher.
    #[must_use]
    pub fn expected_h(&self) -> f64 {
        self.expected_h
    }

    /// The interval around the expected hours that the central share `confidence` of runs falls
    /// into.
    #[must_use]
    pub fn interval(&self, confidence: Confidence) -> Interval {
        let tail = (1.0 - confidence.get()) / 2.0;
        Interval {
            low: self.hours_at(tail).min(self.expected_h),
            expected: self.expected_h,
            high: self.hours_at(1.0 - tail).max(self.expected_h),
        }
    }

    /// Probability that the logarithm of running hours over productive hours is at most `log`.
    fn probability_within(&self, log: f64) -> f64 {
        self.outcomes
            .iter()
            .map(|outcome| outcome.weight * self.step.probability_within(log - outcome.log_factor))
            .sum::<f64>()
            .min(1.0)
    }

    /// Where [`FinishTime::probability_within`] reaches `probability`.
    fn log_at(&self, probability: f64) -> f64 {
        let without = self.step.log_quantile(probability);
        let factors = || self.outcomes.iter().map(|outcome| outcome.log_factor);
        let (least, most) = (
            factors().fold(f64::INFINITY, f64::min),
            factors().fold(f64::NEG_INFINITY, f64::max),
        );
        if least >= most {
            return without + least;
        }
        let excess = |log: f64| self.probability_within(log) - probability;
        crossing(excess, without + least, without + most)
    }
}

/// Where a function that never decreases crosses zero between `low` and `high`, to rounding: false
/// position (the Illinois method), with bisection where that converges slowly. The end returned is
/// the one at which the function is not negative.
fn crossing(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let (mut at_low, mut at_high) = (f(low), f(high));
    if at_low >= 0.0 {
        return low;
    }
    for round in 0..100 {
        let width = high - low;
        if width < 1e-12 {
            break;
        }
        let share = at_low / (at_low - at_high);
        let inside = share > 0.0 && share < 1.0 && round % 3 != 2;
        let middle = if inside {
            low + share * width
        } else {
            f64::midpoint(low, high)
        };
        let at = f(middle);
        if at < 0.0 {
            (low, at_low) = (middle, at);
            at_high /= 2.0;
        } else {
            (high, at_high) = (middle, at);
            at_low /= 2.0;
        }
    }
    high
}
