//! What a report adds to its plan: the booking it recommends, and the point of a front.

use serde::Deserialize;

use super::{Ends, PlannedRun};
use crate::calendar::Moment;
use crate::job::Probability;
use crate::product::Billing;
use crate::quantity::Interval;

/// The booking that a run was planned on, as far as a comparison needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedBooking {
    /// When it starts, where that was known.
    pub start: Option<Moment>,
    /// When its nodes go, where that was known.
    pub usable_until: Option<Moment>,
    /// Hours of it that can be used, from its start.
    pub usable_h: f64,
    /// Hours that the longest booking of its product can be used; `None` where there is no longest, or the
    /// plan is of before it was written down.
    pub longest_usable_h: Option<f64>,
    /// Hours booked.
    pub booked_h: f64,
    /// What is billed of it.
    pub billing: Billing,
    /// Dollars planned for it; `None` when no price was known.
    pub cost_usd: Option<Interval>,
    /// Dollars for an hour of all its GPUs.
    pub usd_per_hour: Option<f64>,
    /// The product that it is of.
    pub product: Option<String>,
    /// When the run has to be done, where that was asked for as a date or with a start.
    pub deadline: Option<Moment>,
    /// Hours from the start of the booking within which it has to be done, where that was asked for.
    pub within_h: Option<f64>,
    /// What it may cost, dollars, where that was asked for.
    pub budget_usd: Option<f64>,
    /// How sure it had to be.
    pub probability: f64,
    /// When the last checkpoint has to begin that is whole before the nodes go.
    pub last_checkpoint: Option<Moment>,
    /// Whether and how it can be cancelled or changed.
    pub cancel: String,
}

/// What a report adds to its plan.
#[derive(Deserialize)]
pub(super) struct Recommended {
    reservation: Option<Reserved>,
    #[serde(rename = "recommended_booking")]
    place: Option<usize>,
    front: Option<Front>,
    start: Option<String>,
}

#[derive(Deserialize)]
struct Reserved {
    bookings: Vec<BookedRun>,
    goal: Option<Goal>,
    deadline: Option<String>,
    probability: Option<f64>,
}

/// What the booking has to achieve; more goals than these say nothing of it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
enum Goal {
    Deadline {
        within_h: f64,
    },
    Budget {
        usd: f64,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Front {
    knee_rank: Option<usize>,
}

#[derive(Deserialize)]
struct BookedRun {
    candidate: PlannedRun,
    #[serde(flatten)]
    terms: Terms,
}

/// A booking as it is written.
#[derive(Deserialize)]
#[serde(try_from = "WrittenTerms")]
struct Terms(PlannedBooking);

#[derive(Deserialize)]
struct WrittenTerms {
    start: Option<String>,
    usable_until: Option<String>,
    usable_h: f64,
    longest_usable_h: Option<f64>,
    booked_h: f64,
    booked_gpus: u64,
    billing: Billing,
    cost_usd: Option<Ends>,
    price: Option<Price>,
    last_checkpoint: Option<String>,
    #[serde(default)]
    cancel: String,
    product: Option<String>,
}

#[derive(Deserialize)]
struct Price {
    usd_per_gpu_hour: f64,
}

/// Beyond this no booking lasts, in hours, and no GPU-hour costs, in dollars.
const MOST: f64 = 1e12;

/// A moment as it is written, if it is.
fn moment(name: &str, text: Option<String>) -> Result<Option<Moment>, String> {
    let parsed = text.map(|text| text.parse::<Moment>());
    parsed
        .transpose()
        .map_err(|error| format!("`{name}`: {error}"))
}

/// A figure that isn't negative nor beyond any booking.
fn within(name: &str, value: f64) -> Result<f64, String> {
    if (0.0..=MOST).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{name}` must be from 0 to {MOST:e}"))
    }
}

impl TryFrom<WrittenTerms> for Terms {
    type Error = String;

    fn try_from(written: WrittenTerms) -> Result<Self, String> {
        let rate = written.price.map(|price| {
            let usd = within("usd_per_gpu_hour", price.usd_per_gpu_hour)?;
            Ok::<f64, String>(usd * written.booked_gpus as f64)
        });
        let booked_h = within("booked_h", written.booked_h)?;
        let longest = written.longest_usable_h;
        let longest = longest.map(|hours| within("longest_usable_h", hours));
        Ok(Self(PlannedBooking {
            start: moment("start", written.start)?,
            usable_until: moment("usable_until", written.usable_until)?,
            usable_h: within("usable_h", written.usable_h)?,
            longest_usable_h: longest.transpose()?,
            booked_h,
            product: written.product,
            deadline: None,
            within_h: None,
            budget_usd: None,
            probability: Probability::default().get(),
            billing: written.billing,
            cost_usd: written.cost_usd.map(Ends::cost).transpose()?,
            usd_per_hour: rate.transpose()?,
            last_checkpoint: moment("last_checkpoint", written.last_checkpoint)?,
            cancel: written.cancel,
        }))
    }
}

impl Recommended {
    /// When the run starts, where that was said.
    ///
    /// # Errors
    /// When that is no date.
    pub(super) fn start(&mut self) -> Result<Option<Moment>, String> {
        moment("start", self.start.take())
    }

    /// The rank of the knee of a front.
    pub(super) fn knee(&self) -> Option<usize> {
        self.front.as_ref()?.knee_rank
    }

    /// What runs on the booking recommended, with what was asked of it.
    ///
    /// # Errors
    /// A deadline that is no date, a probability that is none.
    pub(super) fn run(self) -> Result<Option<PlannedRun>, String> {
        let place = self.place.and_then(|place| place.checked_sub(1));
        let Some((place, reserved)) = place.zip(self.reservation) else {
            return Ok(None);
        };
        let deadline = moment("deadline", reserved.deadline)?;
        let (within_h, budget_usd) = match reserved.goal {
            Some(Goal::Deadline { within_h }) => (Some(within("within_h", within_h)?), None),
            Some(Goal::Budget { usd }) => (None, Some(within("usd", usd)?)),
            Some(Goal::Other) | None => (None, None),
        };
        let told = reserved.probability.map(|told| told.to_string().parse());
        let probability: Probability = told
            .transpose()
            .map_err(|error| format!("`probability`: {error}"))?
            .unwrap_or_default();
        let booked = reserved.bookings.into_iter().nth(place);
        Ok(booked.map(|BookedRun { candidate, terms }| PlannedRun {
            rank: 0,
            booking: Some(PlannedBooking {
                deadline,
                within_h,
                budget_usd,
                probability: probability.get(),
                ..terms.0
            }),
            ..candidate
        }))
    }
}
