//! How long a run takes that goes on as measured.
//!
//! Its step is the one measured, up to run-to-run noise; the start-up is what it was, and checkpoints
//! and failures come as the plan's reliability has them at that step. A plan that doesn't tell its
//! reliability tells by how much its wall clock exceeds training: that proportion is kept, and
//! nothing is known of the luck of failures.

use super::Launched;
use crate::forecast::{FinishTime, Reliability, WallClock};
use crate::quantity::{Confidence, Interval, SECONDS_PER_HOUR};
use crate::throughput::StepTime;

/// The wall clock of a run at the speed measured.
pub(super) struct Law {
    clock: WallClock,
    step: StepTime,
    /// Hours of training for a token.
    train_h: f64,
}

impl Law {
    /// That of a launched run; `noise_sd` is by how much runs stray, as a logarithm.
    pub(super) fn new(launched: &Launched<'_>, noise_sd: f64) -> Self {
        let (run, setting) = (launched.run, &launched.setting);
        let told = launched.plan.reliability.map(|reliability| Reliability {
            spare_nodes: run.spare_nodes.or(reliability.spare_nodes),
            ..reliability
        });
        let beyond_training = match told {
            Some(_) => 1.0,
            None => run.time_to_budget_h.expected / run.train_h.expected,
        };
        let configuration = &run.configuration;
        let step_s = configuration.global_batch_tokens() as f64 / launched.measured_tok_s;
        let clock = WallClock::new(
            &told.unwrap_or_else(Reliability::none),
            setting.shape.params(configuration.seq_len),
            setting.cluster,
            configuration.gpus,
        );
        // It was launched to write after so many steps, however long they take.
        let planned_s = configuration.global_batch_tokens() as f64 / run.throughput_tok_s.expected;
        Self {
            clock: clock.in_steps_of(planned_s).stretched(step_s / planned_s),
            step: StepTime::of_noise(step_s, noise_sd),
            train_h: beyond_training / launched.measured_tok_s / SECONDS_PER_HOUR,
        }
    }

    /// Hours before the first step.
    pub(super) fn start_up_h(&self) -> f64 {
        self.clock.start_up_h
    }

    /// When a run of so many tokens is done, from its start.
    pub(super) fn whole(&self, tokens: u64) -> FinishTime {
        FinishTime::new(&self.clock, self.train_h * tokens as f64, self.step)
    }

    /// When one of so many tokens is done, of which some are; `gone_h` is how many hours these took, where
    /// that is known.
    pub(super) fn course(&self, tokens: u64, done: u64, gone_h: Option<f64>) -> Course {
        let whole = self.whole(tokens);
        if done == 0 {
            return Course {
                gone_h: 0.0,
                left: whole,
            };
        }
        // It has started up.
        let mut clock = self.clock;
        clock.start_up_h = 0.0;
        let left_h = self.train_h * tokens.saturating_sub(done) as f64;
        let left = FinishTime::new(&clock, left_h, self.step);
        Course {
            gone_h: gone_h.unwrap_or((whole.expected_h() - left.expected_h()).max(0.0)),
            left,
        }
    }
}

/// A run under way: what is done took as long as it did, or else as is expected of it at the speed measured,
/// and what is left alone may take longer or shorter.
pub(super) struct Course {
    /// Hours from its start until now.
    pub(super) gone_h: f64,
    left: FinishTime,
}

impl Course {
    /// Hours still to go.
    pub(super) fn remaining(&self, confidence: Confidence) -> Interval {
        self.left.interval(confidence)
    }

    /// Hours from its start until it is done.
    pub(super) fn whole(&self, confidence: Confidence) -> Interval {
        let left = self.remaining(confidence);
        Interval {
            low: self.gone_h + left.low,
            expected: self.gone_h + left.expected,
            high: self.gone_h + left.high,
        }
    }

    /// The probability that it is done within so many hours of its start.
    pub(super) fn probability_by(&self, hours: f64) -> f64 {
        let left_h = hours - self.gone_h;
        if left_h > 0.0 {
            self.left.probability_by(left_h)
        } else {
            0.0
        }
    }

    /// Hours from its start within which it is done with that probability.
    pub(super) fn hours_at(&self, probability: f64) -> f64 {
        self.gone_h + self.left.hours_at(probability)
    }
}
