//! Bad runs: how often something slows a whole run down, and by how much, as the rows show it.
//!
//! A run on several nodes is bad when one of the nodes beyond the first is: each is with the same
//! probability, whatever the others do. A bad run's logarithm of step time is longer by an
//! exponentially distributed slowdown whose mean grows with those nodes. How often and how much
//! is estimated from the rows of the fit by expectation maximisation (Dempster, Laird & Rubin
//! 1977), on top of what is believed before any row is seen; few rows move it little.

use super::spread::{BadDays, MEASURED_NODES, normal};

/// What is known of bad runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BadRuns {
    /// Probability that a node beyond the first makes a run bad.
    share: f64,
    /// Mean slowdown of a bad run per node beyond the first, as a logarithm.
    slowdown: f64,
}

/// Nodes beyond the first that the belief beforehand counts as having been seen.
const NODES_BELIEVED: f64 = 20.0;

/// Bad runs that the belief beforehand counts as having been seen.
const RUNS_BELIEVED: f64 = 2.0;

/// Rounds of the estimate; it has settled long before.
const ROUNDS: usize = 30;

/// One row against its fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deviation {
    /// Nodes it ran on.
    pub(crate) nodes: f64,
    /// By how much its logarithm of step time exceeds the fitted one.
    pub(crate) log: f64,
    /// Standard deviation of that on good days.
    pub(crate) sd: f64,
}

impl BadRuns {
    /// Before any row is seen: single runs on two to four nodes of a shared cluster are up to 30 %
    /// slow, one in ten per node; and by more the more nodes there are.
    pub(crate) const PRIOR: Self = Self {
        share: 0.1,
        slowdown: 0.06,
    };

    /// What these rows make of this belief.
    pub(crate) fn learned_from(self, rows: &[Deviation]) -> Self {
        let rows: Vec<&Deviation> = rows.iter().filter(|row| row.nodes > 1.0).collect();
        let mut known = self;
        for _ in 0..ROUNDS {
            let mut bad_nodes = self.share * NODES_BELIEVED;
            let mut nodes = NODES_BELIEVED;
            let mut slowdown = self.slowdown * RUNS_BELIEVED;
            let mut runs = RUNS_BELIEVED;
            for row in &rows {
                let others = others(row.nodes);
                let bad = known.probability_bad(row);
                nodes += others;
                bad_nodes += bad * known.share * others / known.on(row.nodes).share();
                slowdown += bad * row.log.max(0.0) / others;
                runs += bad;
            }
            known = Self {
                share: (bad_nodes / nodes).clamp(0.0, 1.0),
                slowdown: slowdown / runs,
            };
        }
        known
    }

    /// Bad days on `nodes` nodes; no worse beyond the largest count measured.
    pub(crate) fn on(self, nodes: f64) -> BadDays {
        let others = others(nodes);
        BadDays::new(
            1.0 - (1.0 - self.share).powf(others),
            self.slowdown * others,
        )
    }

    /// By how much rows are likelier where each may be of a bad run than under Student's t alone, as a
    /// logarithm: what accounts of them are compared by.
    ///
    /// A slow run is what a network is suspected for, and it may have been nothing but a bad day.
    pub(crate) fn log_odds(self, rows: &[Deviation], freedom: f64) -> f64 {
        let several = rows.iter().filter(|row| row.nodes > 1.0);
        several
            .map(|row| {
                let days = self.on(row.nodes);
                let even = student(row.log / row.sd, freedom) / row.sd;
                let slower = days.density(row) / even.max(f64::MIN_POSITIVE);
                (1.0 - days.share() + days.share() * slower).ln()
            })
            .sum()
    }

    /// Probability that a row is of a bad run, given how far off it is.
    fn probability_bad(self, row: &Deviation) -> f64 {
        let days = self.on(row.nodes);
        let z = row.log / row.sd;
        let good = (-z * z / 2.0).exp() / (row.sd * (2.0 * std::f64::consts::PI).sqrt());
        let bad = days.density(row);
        let (good, bad) = ((1.0 - days.share()) * good, days.share() * bad);
        if good + bad > 0.0 {
            bad / (good + bad)
        } else {
            1.0
        }
    }
}

impl BadDays {
    /// The density of bad runs where a row is: of Gaussian noise plus an exponential slowdown.
    fn density(self, row: &Deviation) -> f64 {
        let ratio = row.sd / self.slowdown();
        (ratio * ratio / 2.0 - row.log / self.slowdown())
            .min(500.0)
            .exp()
            * normal(row.log / row.sd - ratio)
            / self.slowdown()
    }
}

/// The density of Student's t.
fn student(t: f64, freedom: f64) -> f64 {
    let log = libm::lgamma(f64::midpoint(freedom, 1.0))
        - libm::lgamma(freedom / 2.0)
        - 0.5 * (freedom * std::f64::consts::PI).ln();
    (log - f64::midpoint(freedom, 1.0) * (t * t / freedom).ln_1p()).exp()
}

/// Nodes beyond the first, as far as the tables go.
fn others(nodes: f64) -> f64 {
    (nodes.min(MEASURED_NODES) - 1.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows on four nodes whose logarithms are the quantiles of the mixture they are drawn from.
    fn rows(count: usize, bad: usize, slowdown: f64) -> Vec<Deviation> {
        let sd = 0.01;
        let place = |index: usize, of: usize| (index as f64 + 0.5) / of as f64;
        let good = (0..count - bad).map(|i| sd * (2.0 * place(i, count - bad) - 1.0) * 1.7);
        let slow = (0..bad).map(|i| -slowdown * (1.0 - place(i, bad)).ln());
        good.chain(slow)
            .map(|log| Deviation {
                nodes: 4.0,
                log,
                sd,
            })
            .collect()
    }

    #[test]
    fn what_many_rows_show_is_found() {
        let found = BadRuns::PRIOR.learned_from(&rows(2000, 400, 0.3)).on(4.0);
        assert!((found.share() - 0.2).abs() < 0.02, "{found:?}");
        assert!((found.slowdown() - 0.3).abs() < 0.03, "{found:?}");
    }

    /// What is compared has to be a density: of all that may be measured, it adds up to one.
    #[test]
    fn rows_that_may_be_bad_runs_are_as_likely_in_all() {
        let (nodes, sd, freedom) = (4.0, 0.03, 4.0);
        let step = 1e-3;
        let total: f64 = (-4000..8000)
            .map(|place| {
                let log = f64::from(place) * step;
                let odds = BadRuns::PRIOR.log_odds(&[Deviation { nodes, log, sd }], freedom);
                step * student(log / sd, freedom) / sd * odds.exp()
            })
            .sum();
        assert!((total - 1.0).abs() < 1e-3, "{total}");
        // A slow run is likelier where it may have been a bad one, a fast one is not.
        let odds = |log| BadRuns::PRIOR.log_odds(&[Deviation { nodes, log, sd }], freedom);
        assert!(odds(0.3) > 2.0 && odds(-0.3) < 0.0);
    }

    #[test]
    fn few_rows_move_the_belief_a_little_and_one_node_says_nothing() {
        let quiet = BadRuns::PRIOR.learned_from(&rows(5, 0, 0.1));
        assert!(quiet.share < 0.1 && quiet.share > 0.04, "{quiet:?}");
        let alone = [Deviation {
            nodes: 1.0,
            log: 0.3,
            sd: 0.005,
        }];
        let same = BadRuns::PRIOR.learned_from(&alone);
        assert!((same.share - 0.1).abs() < 1e-12 && (same.slowdown - 0.06).abs() < 1e-12);
    }
}
