//! Settings of `[launch]` that a target has no place for: they are named, never dropped silently.

use crate::quantity::display_hours;

use super::Launch;

/// A setting, as it is called in `[launch]`, and why it is not used.
pub(super) type Unused = (&'static str, &'static str);

/// Where nothing starts a container.
pub(super) const IMAGE: Unused = ("image", "nothing here starts a container");
/// Where nothing ends a run that goes on.
pub(super) const TIME_LIMIT: Unused = ("time_limit", "nothing here stops the run");
/// Where a plan without checkpoints leaves nothing to write.
pub(super) const CHECKPOINTS: Unused = ("checkpoints", "the plan writes none before the end");
/// Where LLM Foundry trains.
pub(super) const COMPOSER_STARTS: Unused = ("launcher", "composer starts LLM Foundry");
/// Where Accelerate does.
pub(super) const ACCELERATE_STARTS: Unused = ("launcher", "accelerate starts the processes");

impl Launch<'_> {
    /// One note on those of `settings` that are set.
    pub(super) fn unused(&self, settings: &[Unused]) -> Option<String> {
        let set = settings.iter().filter(|(key, _)| self.is_set(key));
        let set: Vec<String> = set.map(|(key, why)| format!("`{key}` ({why})")).collect();
        (!set.is_empty()).then(|| format!("not used of [launch]: {}", set.join(", ")))
    }

    fn is_set(&self, key: &str) -> bool {
        let settings = self.settings;
        match key {
            "image" => settings.image.is_some(),
            "time_limit" => settings.time_limit.is_some(),
            "checkpoints" => settings.checkpoints.is_some() && self.checkpoint_steps().is_none(),
            "launcher" => !self.is_composer(),
            _ => false,
        }
    }

    /// That `limit_h` hours, after which the run is stopped for good, are fewer than it may take.
    pub(super) fn stopped_for_good(&self, by: &str, limit_h: f64) -> Option<String> {
        let high = self.candidate.time_to_budget_h.high;
        let again = if self.is_saved() {
            "it resumes from its last checkpoint"
        } else {
            "without checkpoints it starts from nothing"
        };
        let longer = if limit_h < high {
            format!(
                "and the high end of the planned time is {}",
                display_hours(high)
            )
        } else {
            let goes_on = limit_h * 60.0 < self.booked_minutes() as f64;
            self.short_limit.filter(|_| goes_on)?;
            "before the booking ends, whose probability counts on all of it".to_owned()
        };
        Some(format!(
            "{by} stops the run for good after the time limit of {}, {longer}: submit it again until it \
             is done; {again}",
            display_hours(limit_h),
        ))
    }
}
