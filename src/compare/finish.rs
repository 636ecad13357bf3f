//! When a run is done and what it costs, if it goes on as measured.
//!
//! Training takes the tokens over the measured throughput; the wall clock and the bill keep the
//! plan's proportion to it, since checkpoints, failures and prices don't change with the speed.

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use super::Launched;
use crate::calendar::Span;
use crate::quantity::{Interval, Tokens, display_count};

const SECONDS_PER_HOUR: f64 = 3600.0;

/// When a run is done and what it costs if it goes on as measured; intervals hold run-to-run noise
/// alone.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finish {
    /// Tokens still to train: all, where it isn't known how many are done.
    pub remaining_tokens: u64,
    /// Hours on the wall clock from the first token to the last.
    pub time_to_budget_h: Interval,
    /// Hours still to go.
    pub remaining_h: Interval,
    /// Hours planned for the whole run.
    pub planned_h: Interval,
    /// Dollars for the whole run; `null` when the plan knew no price.
    pub cost_usd: Option<Interval>,
    /// Dollars still to come.
    pub remaining_usd: Option<Interval>,
    /// Dollars planned.
    pub planned_usd: Option<Interval>,
    /// When it started, where that was told.
    pub start: Option<String>,
    /// When it is done, from that start.
    pub finish: Option<String>,
    /// When it was planned to be done, from that start.
    pub planned_finish: Option<String>,
}

/// Why there is no finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FinishError {
    /// Nothing is left to train.
    #[error(
        "{} tokens are done, but the plan is for {}: nothing is left to train",
        display_count(*.done as f64),
        display_count(*.tokens as f64)
    )]
    Done {
        /// Tokens done.
        done: u64,
        /// Tokens of the plan.
        tokens: u64,
    },
    /// A finish beyond every calendar.
    #[error("from that start the run ends beyond the year 2999")]
    BeyondCalendar,
}

/// The finish; `noise` is how far a run strays at the plan's confidence, as a logarithm.
pub(super) fn finish(launched: &Launched<'_>, noise: f64) -> Result<Finish, FinishError> {
    let run = launched.run;
    let tokens = launched.plan.tokens.get();
    let done = launched.done.map_or(0, Tokens::get);
    if done >= tokens {
        return Err(FinishError::Done { done, tokens });
    }
    let wall_clock = run.time_to_budget_h.expected / run.train_h.expected;
    let hours = |tokens: u64| {
        let expected = tokens as f64 / launched.measured_tok_s / SECONDS_PER_HOUR * wall_clock;
        Interval {
            low: expected * (-noise).exp(),
            expected,
            high: expected * noise.exp(),
        }
    };
    let (whole, remaining) = (hours(tokens), hours(tokens - done));
    let usd_per_hour = run
        .cost_usd
        .map(|cost| cost.expected / run.time_to_budget_h.expected);
    let usd = |hours: Interval| usd_per_hour.map(|price| hours.scale(price));
    let date = |hours: f64| -> Result<Option<String>, FinishError> {
        let Some(start) = launched.start else {
            return Ok(None);
        };
        let end = Span::from_hours_up(hours).and_then(|span| start.plus(span));
        let end = end.ok_or(FinishError::BeyondCalendar)?;
        Ok(Some(end.to_string()))
    };
    Ok(Finish {
        remaining_tokens: tokens - done,
        time_to_budget_h: whole,
        remaining_h: remaining,
        planned_h: run.time_to_budget_h,
        cost_usd: usd(whole),
        remaining_usd: usd(remaining),
        planned_usd: run.cost_usd,
        start: launched.start.map(|start| start.to_string()),
        finish: date(whole.expected)?,
        planned_finish: date(run.time_to_budget_h.expected)?,
    })
}
