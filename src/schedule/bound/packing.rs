//! Whether jobs need more than there is, when each of them takes one of its ways.

use super::LENIENT;

/// How far the weights move in one round, and at most.
const STRIDE: f64 = 0.6;
const LEAST_MOVE: f64 = 0.3;
const MOST_MOVE: f64 = 3.0;
const LEAST_WEIGHT: f64 = 1e-9;

/// Whether jobs, of which each takes one of its ways, take more than all of some budget or of some
/// weighted sum of the budgets. A group is of jobs that are alike: how many, and the shares of the
/// budgets that each way to run one takes.
///
/// What the jobs take of such a sum is at least what the ways take that are cheapest under its
/// weights. These are moved towards the budgets that the cheapest ways exceed, as the
/// multiplicative-weights method for fractional packing does; whatever the weights, one for each
/// budget, the answer "yes" is a proof. They are left where they came to.
pub(in crate::schedule) fn exceeded<'a, W: AsRef<[(usize, f64)]> + 'a>(
    weights: &mut [f64],
    groups: &(impl Iterator<Item = (usize, &'a [W])> + Clone),
    rounds: usize,
) -> bool {
    let mut taken = vec![0.0; weights.len()];
    for _ in 0..rounds {
        taken.fill(0.0);
        let mut total = 0.0;
        for (count, ways) in groups.clone() {
            let mut best: Option<(f64, &W)> = None;
            for way in ways {
                let shares = way.as_ref().iter();
                let price: f64 = shares.map(|(budget, share)| weights[*budget] * share).sum();
                if best.as_ref().is_none_or(|(least, _)| price < *least) {
                    best = Some((price, way));
                }
            }
            let Some((price, way)) = best else {
                return true;
            };
            total += price * count as f64;
            for (budget, share) in way.as_ref() {
                taken[*budget] += share * count as f64;
            }
        }
        if total > weights.iter().sum::<f64>() * LENIENT {
            return true;
        }
        if taken.iter().all(|taken| *taken <= 1.0) {
            return false;
        }
        let mut heaviest: f64 = 0.0;
        for (weight, taken) in weights.iter_mut().zip(&taken) {
            *weight *= (1.0 + STRIDE * (taken - 1.0)).clamp(LEAST_MOVE, MOST_MOVE);
            heaviest = heaviest.max(*weight);
        }
        for weight in weights.iter_mut() {
            *weight = (*weight / heaviest).max(LEAST_WEIGHT);
        }
    }
    false
}

/// The share of a budget that an amount is; any amount is more than all of a budget of nothing.
pub(in crate::schedule) fn share(amount: i64, budget: i64) -> f64 {
    if budget > 0 {
        amount as f64 / budget as f64
    } else if amount > 0 {
        1e6
    } else {
        0.0
    }
}
