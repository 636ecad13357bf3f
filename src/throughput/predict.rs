//! Predictions: one configuration in full, or many step times for the search.

use super::basis::{Basis, BasisDetail, Known, basis};
use super::point::Point;
use super::spread::normal_reach;
use super::step_time::StepTime;
use super::{Fit, TimeParts};
use crate::configuration::{Configuration, Setting};
use crate::quantity::{Confidence, Interval};

/// A predicted configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Distribution of the seconds per optimizer step.
    pub step_time: StepTime,
    /// Seconds per optimizer step, at the confidence asked for.
    pub step_time_s: Interval,
    /// Tokens per second, all GPUs together.
    pub throughput_tok_s: Interval,
    /// Tokens per second on a bad day: what nine in ten of the runs that the network or a node
    /// slows down still reach. `None` on a single node, where the tables show no such runs.
    pub bad_day_tok_s: Option<f64>,
    /// Parts of the expected step time.
    pub time_parts_s: TimeParts,
    /// Basis.
    pub basis: Basis,
    /// Its details.
    pub basis_detail: BasisDetail,
}

/// Share of bad days that the bad-day throughput covers.
const BAD_DAY_COVERAGE: f64 = 0.9;

impl Fit {
    /// Predicts one configuration in full.
    #[must_use]
    pub fn predict(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
        confidence: Confidence,
    ) -> Prediction {
        let point = Point::new(self, setting, configuration);
        let open = point.open();
        let step_time = point.step_time(open);
        let step_time_s = step_time.interval(confidence);
        let batch = configuration.global_batch_tokens() as f64;
        let bad_day = point.spread(open).bad_day(BAD_DAY_COVERAGE).exp();
        let nearly_all = step_time.interval(Confidence::NEARLY_ALL).invert(batch);
        let known = self.known(setting);
        let (basis, basis_detail) = basis(&known, setting, configuration, nearly_all);
        Prediction {
            step_time,
            step_time_s,
            throughput_tok_s: step_time_s.invert(batch),
            bad_day_tok_s: (point.work.nodes > 1.0)
                .then_some(batch / (step_time_s.expected * bad_day)),
            time_parts_s: point.time_parts(),
            basis,
            basis_detail,
        }
    }

    /// The distribution of one configuration's step time: of [`Fit::predict`], that part alone.
    #[must_use]
    pub fn step_time(&self, setting: &Setting<'_>, configuration: &Configuration) -> StepTime {
        let point = Point::new(self, setting, configuration);
        point.step_time(point.open())
    }

    /// Share of a configuration's expected step that is communication bound by links between nodes over
    /// which, or over links like them, no row ran; `None` where rows did.
    #[must_use]
    pub fn share_over_unshown_links(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
    ) -> Option<f64> {
        Point::new(self, setting, configuration).share_over_unshown_links()
    }

    /// Whether the model can tell which of two configurations is better, when a figure
    /// proportional to their step times differs by the factor `ratio`.
    ///
    /// What the two share cancels: errors in the same coefficients, and in the correction around
    /// both. Bad days are left out, since they can befall either.
    #[must_use]
    pub fn tells_apart(
        &self,
        (setting, configuration): (&Setting<'_>, &Configuration),
        (other_setting, other_configuration): (&Setting<'_>, &Configuration),
        ratio: f64,
        confidence: Confidence,
    ) -> bool {
        let other = self.reference(other_setting, other_configuration);
        other.is_told_from(setting, configuration, ratio, confidence)
    }

    /// One configuration that many are compared with, as [`Fit::tells_apart`] compares them.
    pub(crate) fn reference(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
    ) -> Reference<'_> {
        let point = Point::new(self, setting, configuration);
        Reference {
            fit: self,
            cluster: setting.cluster.name.clone(),
            configuration: *configuration,
            variance: point.variance(),
            noise: point.noise(),
            waves: point.waves(&[]),
            point,
        }
    }

    /// What is known around a setting: a user's own rows of that place first, then the base's; those of
    /// the place speak where something differs there, else the base's do.
    fn known(&self, setting: &Setting<'_>) -> Known<'_> {
        let own = self.context(setting);
        let rows = own.into_iter().flat_map(|context| &context.layer.rows);
        let layer = own.map_or(&self.base, |context| &context.layer);
        let mut others = self.contexts.iter().flat_map(|context| &context.layer.rows);
        Known {
            rows: rows.chain(&self.base.rows).collect(),
            speak: layer.rows.iter().collect(),
            other_links: own.and_then(|context| context.links_elsewhere(setting.cluster)),
            shown_links: match own {
                Some(context) => context.shows_links_of(setting.cluster),
                None => self.joined_links(setting.cluster).map(|(name, _)| name),
            },
            other_stacks: others.any(|(row, _)| row.cluster.gpu.is_same_as(&setting.cluster.gpu)),
        }
    }
}

/// One configuration that others are compared with.
pub(crate) struct Reference<'a> {
    fit: &'a Fit,
    cluster: String,
    configuration: Configuration,
    point: Point<'a>,
    variance: f64,
    noise: f64,
    waves: f64,
}

impl Reference<'_> {
    /// Whether the model can tell which of it and another is better: [`Fit::tells_apart`].
    pub(crate) fn is_told_from(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
        ratio: f64,
        confidence: Confidence,
    ) -> bool {
        let other = Point::new(self.fit, setting, configuration);
        let otherwise_alike = Configuration {
            activation_checkpointing: !configuration.activation_checkpointing,
            ..*configuration
        };
        let full_speed = other.pressure().is_none() && self.point.pressure().is_none();
        // Whatever is open about the rest of a step, recomputing only adds to it.
        if otherwise_alike == self.configuration
            && setting.cluster.name == self.cluster
            && full_speed
        {
            return true;
        }
        let shared = other.covariance(&self.point);
        let model = (other.variance() + self.variance - 2.0 * shared).max(0.0);
        let noise = other.noise().powi(2) + self.noise.powi(2);
        let waves = other.waves(&[]).powi(2) + self.waves.powi(2);
        let sd = (model + noise + waves).sqrt();
        ratio.ln().abs() > normal_reach(confidence.get()) * sd
    }
}
