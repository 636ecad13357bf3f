//! The time–cost front as a plan shows it: the points chosen, the knee, and what each step buys.

use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::Candidate;
use super::error::PlanError;
use super::front_point::{FrontPoint, FrontStep};
use super::planner::Planner;
use crate::job::Request;
use crate::search::{FrontOutcome, Objective, Priced, Ranked, knee};

/// The time–cost front of a plan whose ranking is `pareto`; its points are the plan's candidates.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FrontReport {
    /// Points of the whole front.
    pub points: usize,
    /// Points shown as candidates. Where fewer are asked for than there are, the knee comes first, then
    /// the cheapest, then the fastest, then others spread evenly over the logarithm of time between
    /// them: of two, the fastest isn't shown.
    pub shown: usize,
    /// Rank of the knee: the point farthest below the chord between the ends, time and cost in
    /// logarithms; `null` where none is below it.
    pub knee_rank: Option<usize>,
    /// The fastest configuration of each cluster without a price: without a cost it has no place
    /// on the front.
    pub unpriced: Vec<Candidate>,
}

/// The candidates of a front and what is told of it besides.
pub(super) struct Shown {
    pub(super) candidates: Vec<Candidate>,
    pub(super) report: FrontReport,
}

/// Turns a front into candidates, the cheapest first, at most as many as are asked for.
pub(super) fn shown(
    planner: &Planner<'_>,
    request: &Request,
    outcome: &FrontOutcome,
) -> Result<Shown, PlanError> {
    let front: Vec<Priced> = outcome.points.iter().rev().copied().collect();
    let places: Vec<(f64, f64)> = front.iter().map(|p| (p.hours(), p.usd)).collect();
    let knee = knee(&places);
    let hours: Vec<f64> = front.iter().map(Priced::hours).collect();
    let chosen = chosen(&hours, knee, request.top);
    let points: Vec<Priced> = chosen
        .iter()
        .filter_map(|&position| front.get(position).copied())
        .collect();
    let ranked: Vec<Ranked> = points.iter().map(|point| point.ranked).collect();
    let mut candidates = planner.candidates(request, &ranked, Objective::Pareto)?;
    let knee_rank = chosen
        .iter()
        .position(|&position| Some(position) == knee)
        .map(|position| position + 1);
    let mut slower: Option<&Priced> = None;
    for (candidate, point) in candidates.iter_mut().zip(&points) {
        candidate.pareto = Some(FrontPoint {
            knee: Some(candidate.rank) == knee_rank,
            step: slower.map(|slower| step(planner, request, slower, point)),
        });
        slower = Some(point);
    }
    let unpriced = planner.candidates(request, &outcome.unpriced, Objective::Time)?;
    Ok(Shown {
        report: FrontReport {
            points: front.len(),
            shown: candidates.len(),
            knee_rank,
            unpriced,
        },
        candidates,
    })
}

fn step(planner: &Planner<'_>, request: &Request, slower: &Priced, faster: &Priced) -> FrontStep {
    let extra_usd = faster.usd - slower.usd;
    let hours_saved = slower.hours() - faster.hours();
    let told_apart =
        |ratio| planner.tells_apart(request, &slower.ranked, &faster.ranked, Some(ratio));
    FrontStep {
        extra_usd,
        hours_saved,
        usd_per_hour_saved: extra_usd / hours_saved,
        hours_saved_per_usd: hours_saved / extra_usd,
        times_told_apart: told_apart(slower.hours() / faster.hours()),
        costs_told_apart: told_apart(faster.usd / slower.usd),
    }
}

/// Positions of at most `most` points of a front, given by their hours: the knee first of all,
/// then the cheapest, then the fastest, then those nearest to an even spread over the logarithm of time.
fn chosen(hours: &[f64], knee: Option<usize>, most: usize) -> Vec<usize> {
    if hours.len() <= most {
        return (0..hours.len()).collect();
    }
    let last = hours.len() - 1;
    let mut positions: Vec<usize> = match (most, knee) {
        (1, knee) => vec![knee.unwrap_or(last)],
        (_, None) => vec![0, last],
        (2, Some(knee)) => vec![0, knee],
        (_, Some(knee)) => vec![0, knee, last],
    };
    positions.dedup();
    // Each next one halves the widest gap as nearly as the points allow.
    while positions.len() < most.min(hours.len()) {
        let Some(next) = positions
            .windows(2)
            .filter_map(|pair| match *pair {
                [from, to] => middle(hours, from, to),
                _ => None,
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        else {
            break;
        };
        let at = positions.partition_point(|position| *position < next.1);
        positions.insert(at, next.1);
    }
    positions
}

/// The width of a gap, in the logarithm of time, and the point in it that is nearest to its
/// middle.
fn middle(hours: &[f64], from: usize, to: usize) -> Option<(f64, usize)> {
    let log = |position: usize| hours.get(position).copied().unwrap_or(1.0).ln();
    let center = f64::midpoint(log(from), log(to));
    let off = |position: &usize| (log(*position) - center).abs();
    let nearest = (from + 1..to).min_by(|a, b| off(a).total_cmp(&off(b)))?;
    Some(((log(from) - log(to)).abs(), nearest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ends_and_knee_are_among_those_shown(
            gaps in prop::collection::vec(1e-3..1.0_f64, 2..60), at in 0..60_usize, most in 3..70_usize,
        ) {
            let hours: Vec<f64> = gaps.iter().scan(100.0_f64, |hours, gap| {
                *hours *= 1.0 - gap / 2.0;
                Some(*hours)
            }).collect();
            let knee = (at > 0 && at + 1 < hours.len()).then_some(at);
            let positions = chosen(&hours, knee, most);
            prop_assert_eq!(positions.len(), most.min(hours.len()));
            prop_assert!(positions.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!((positions[0], *positions.last().unwrap()), (0, hours.len() - 1));
            prop_assert!(knee.is_none_or(|knee| positions.contains(&knee)));
        }
    }

    #[test]
    fn those_between_are_spread_evenly_in_logarithms() {
        let hours: Vec<f64> = (0..=64)
            .map(|step| {
                f64::from(1 << 20) / f64::from(1 << (step / 4)) / (1.0 + f64::from(step % 4) / 4.0)
            })
            .collect();
        assert_eq!(chosen(&hours, None, 5), [0, 16, 32, 48, 64]);
        assert_eq!(chosen(&hours, Some(7), 1), [7]);
        assert_eq!(chosen(&hours, None, 1), [64]);
        assert_eq!(chosen(&hours, Some(7), 2), [0, 7]);
        assert_eq!(chosen(&hours, None, 2), [0, 64]);
    }
}
