//! Units that a throughput may have been written in by mistake.

use std::fmt;

use crate::configuration::Configuration;

use super::speed::PLAUSIBLE_MFU;

/// What a number may be that was read as tokens per second over all GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Tokens per second of one GPU.
    TokensPerGpu,
    /// Tokens per second over all GPUs, counted once more for each of them.
    TokensOfAllGpus,
    /// Sequences per second over all GPUs.
    Samples,
    /// Sequences per second of one GPU.
    SamplesPerGpu,
    /// Thousands of tokens per second.
    ThousandTokens,
}

/// An MFU as well-run training has it, and how far from it, as a factor, a second guess is worth
/// naming: assumptions.
const USUAL_MFU: f64 = 0.4;
const UNUSUAL: f64 = 3.0;

impl Unit {
    /// In the order they are thought of: where two explain a number, the first is named.
    const ALL: [Self; 5] = [
        Self::TokensPerGpu,
        Self::TokensOfAllGpus,
        Self::Samples,
        Self::ThousandTokens,
        Self::SamplesPerGpu,
    ];

    /// By how much a number in this unit has to be multiplied to be tokens per second over all GPUs.
    fn factor(self, configuration: &Configuration) -> f64 {
        let gpus = configuration.gpus as f64;
        let seq_len = configuration.seq_len as f64;
        match self {
            Self::TokensPerGpu => gpus,
            Self::TokensOfAllGpus => 1.0 / gpus,
            Self::Samples => seq_len,
            Self::SamplesPerGpu => seq_len * gpus,
            Self::ThousandTokens => 1e3,
        }
    }

    /// The units in which a number that makes an MFU far too low would make a plausible one, the most
    /// usual first.
    pub(super) fn by_mfu(mfu: f64, configuration: &Configuration) -> Vec<Self> {
        let off = |unit: &Self| (mfu * unit.factor(configuration) / USUAL_MFU).ln().abs();
        let mut units: Vec<Self> = [Self::TokensPerGpu, Self::Samples, Self::ThousandTokens]
            .into_iter()
            .filter(|unit| PLAUSIBLE_MFU.contains(&(mfu * unit.factor(configuration))))
            .collect();
        units.sort_by(|one, other| off(one).total_cmp(&off(other)));
        if units
            .get(1)
            .is_some_and(|second| off(second) > UNUSUAL.ln())
        {
            units.truncate(1);
        }
        units
    }

    /// The unit in which a number `ratio` times the one expected would be about as expected: within a
    /// factor of two, which is more than a guess of an unknown GPU's speed is off.
    pub(crate) fn guess(ratio: f64, configuration: &Configuration) -> Option<Self> {
        let explains = |unit: &Self| {
            let log = (ratio * unit.factor(configuration)).ln();
            log.abs() <= 2_f64.ln()
        };
        Self::ALL.into_iter().find(explains)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokensPerGpu => "tokens/s of one GPU",
            Self::TokensOfAllGpus => "tokens/s of all GPUs in a column of tokens/s of one",
            Self::Samples => "samples/s",
            Self::SamplesPerGpu => "samples/s of one GPU",
            Self::ThousandTokens => "thousands of tokens/s",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Configuration = Configuration {
        gpus: 64,
        seq_len: 2048,
        micro_batch: 4,
        grad_accum: 1,
        activation_checkpointing: false,
    };

    #[test]
    fn numbers_in_other_units_are_recognised_and_slow_ones_are_not() {
        // 500,000 tokens/s are expected.
        for (written, unit) in [
            (500_000.0, None),
            (50_000.0, None),
            (500_000.0 / 64.0, Some(Unit::TokensPerGpu)),
            (0.7 * 500_000.0 / 64.0, Some(Unit::TokensPerGpu)),
            (500_000.0 * 64.0, Some(Unit::TokensOfAllGpus)),
            (500_000.0 / 2048.0, Some(Unit::Samples)),
            (500.0 * 1.2, Some(Unit::ThousandTokens)),
            (500_000.0 / 2048.0 / 64.0, Some(Unit::SamplesPerGpu)),
        ] {
            assert_eq!(Unit::guess(written / 500_000.0, &RUN), unit, "{written}");
        }
    }

    #[test]
    fn a_single_gpu_is_all_of_them() {
        let single = Configuration { gpus: 1, ..RUN };
        assert_eq!(Unit::guess(1.0 / 2048.0, &single), Some(Unit::Samples));
    }
}
