//! How uneven a place's rows are beyond the noise of single runs.
//!
//! The embedded tables were made by one script on one kind of node in one season, and repeats of
//! a cell differ by half a per cent. Tables put together otherwise are less even (other days, other
//! settings that no column names), and by how much shows in their rows.

/// Standard deviation of a row's logarithm of throughput, beyond the noise of single runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scatter(f64);

impl Scatter {
    /// None, as in the embedded tables.
    pub(crate) const NONE: Self = Self(0.0);

    /// Expected of a place where nothing was measured yet: an assumption, several times the noise of
    /// single runs.
    pub(crate) const BELIEVED: Self = Self(0.03);

    /// Levels to compare where nothing was measured yet, each with its probability beforehand:
    /// within a factor of three either way, wide on purpose. Their middle is what is believed. The last
    /// is for rows that have little in common: settings that no column tells, or mistakes; how rare they
    /// are is an assumption, as all of these are.
    pub(crate) const ELSEWHERE: [(Self, f64); 4] = [
        (Self(0.01), 0.2),
        (Self::BELIEVED, 0.595),
        (Self(0.09), 0.2),
        (Self(0.27), 0.005),
    ];

    /// The same on the stack and the GPUs of the embedded tables, whose rows are even.
    pub(crate) const AT_HOME: [(Self, f64); 4] = [
        (Self(0.001), 0.9),
        (Self::BELIEVED, 0.08),
        (Self(0.09), 0.018),
        (Self(0.27), 0.002),
    ];

    /// The same under the name of the embedded tables' stack, where these don't foretell the rows: they
    /// may be as even, and something else differs, or have that name by default.
    pub(crate) const UNFORETOLD: [(Self, f64); 5] = [
        (Self(0.001), 0.5),
        (Self(0.01), 0.11),
        (Self::BELIEVED, 0.32),
        (Self(0.09), 0.065),
        (Self(0.27), 0.005),
    ];

    /// The middle of levels, each weighed by how probable rows are at it, and the logarithm of how
    /// probable they are at all of them together. A level at which a fit fails has no say.
    ///
    /// # Errors
    /// Why the last one failed, where all do.
    pub(crate) fn weighed<E>(
        levels: &[(Self, f64)],
        none: E,
        mut log_evidence: impl FnMut(Self) -> Result<f64, E>,
    ) -> Result<(Self, f64), E> {
        let mut told = Vec::with_capacity(levels.len());
        let mut failure = none;
        for (level, odds) in levels {
            match log_evidence(*level) {
                Ok(log) => told.push((*level, log + odds.ln())),
                Err(error) => failure = error,
            }
        }
        let most = told.iter().map(|(_, log)| *log).reduce(f64::max);
        let most = most.ok_or(failure)?;
        let weights = || told.iter().map(|(level, log)| (*level, (log - most).exp()));
        let total: f64 = weights().map(|(_, weight)| weight).sum();
        Ok((Self::middle(weights()), most + total.ln()))
    }

    /// The middle of levels with these weights, by their logarithms.
    pub(crate) fn middle(weighted: impl Iterator<Item = (Self, f64)>) -> Self {
        let (mut sum, mut total) = (0.0, 0.0);
        for (Self(level), weight) in weighted {
            sum += weight * level.ln();
            total += weight;
        }
        if total > 0.0 {
            Self((sum / total).exp())
        } else {
            Self::BELIEVED
        }
    }

    /// The standard deviation.
    pub(crate) fn sd(self) -> f64 {
        self.0
    }

    /// The standard deviation of a row, with that of a single run.
    pub(crate) fn and(self, run_sd: f64) -> f64 {
        self.0.hypot(run_sd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_lies_where_the_weight_is() {
        let middle = |weights: [f64; 4]| {
            let levels = Scatter::ELSEWHERE.map(|(level, _)| level);
            Scatter::middle(levels.into_iter().zip(weights)).0
        };
        assert!((middle([0.0, 0.0, 1.0, 0.0]) - 0.09).abs() < 1e-12);
        assert!((middle([1.0, 0.0, 1.0, 0.0]) - 0.03).abs() < 1e-12);
        assert!((middle([0.0; 4]) - Scatter::BELIEVED.0).abs() < 1e-12);
    }
}
