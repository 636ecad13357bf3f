//! The `[reliability]` table and its flags: what goes wrong on a cluster, and what it costs.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::settings::Sourced;
use crate::calendar::Span;
use crate::diagnostic::Diagnostic;
use crate::forecast::{Reliability, ReliabilitySetting};
use crate::preset::{At, Spelled, Written};

/// What the settings start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReliabilityBase {
    /// The documented defaults.
    Default,
    /// Nothing fails, nothing is written, nothing is spare: pure training time.
    None,
}

impl FromStr for ReliabilityBase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "default" => Ok(Self::Default),
            "none" => Ok(Self::None),
            other => Err(format!("`{other}` is not `default` or `none`")),
        }
    }
}

/// A plain number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(f64);

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value: Option<f64> = text.trim().parse().ok();
        value
            .filter(|value| value.is_finite())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not {}", Self::EXPECTED))
    }
}

impl Written for Number {
    const EXPECTED: &'static str = "a number";
    const TYPES: &'static [&'static str] = &["number"];
}

/// A length of time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length(f64);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" || Span::is_none_in(text) {
            return Ok(Self(0.0));
        }
        text.parse()
            .map(|span: Span| Self(span.seconds() as f64))
            .map_err(|error| error.to_string())
    }
}

impl Written for Length {
    const EXPECTED: &'static str = "a length of time such as \"15m\" or \"4h\"";
    const TYPES: &'static [&'static str] = &["string"];
}

/// When checkpoints are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CheckpointInterval {
    /// As often as costs the least time.
    Optimal,
    /// After so many seconds of training.
    Every(f64),
}

impl FromStr for CheckpointInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "optimal" {
            return Ok(Self::Optimal);
        }
        text.parse()
            .map(|span: Span| Self::Every(span.seconds() as f64))
            .map_err(|error| format!("{error}; or `optimal`"))
    }
}

impl Written for CheckpointInterval {
    const EXPECTED: &'static str = "\"optimal\", or a length of time such as \"30m\"";
    const TYPES: &'static [&'static str] = &["string"];
}

/// Nodes booked beside those that train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spares {
    /// So many.
    Nodes(u64),
    /// A share of those that train, rounded down.
    Share(f64),
}

impl FromStr for Spares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let written = text.trim();
        let refuse = || format!("`{text}` is not {}", Self::EXPECTED);
        if written == "none" {
            return Ok(Self::Nodes(0));
        }
        let Some(percent) = written.strip_suffix('%') else {
            return written.parse().map(Self::Nodes).map_err(|_| refuse());
        };
        let percent: f64 = percent.trim().parse().map_err(|_| refuse())?;
        if (0.0..=100.0).contains(&percent) {
            Ok(Self::Share(percent / 100.0))
        } else {
            Err(format!("{percent} % of the nodes is not from 0 to 100 %"))
        }
    }
}

impl Written for Spares {
    const EXPECTED: &'static str =
        "a number of nodes such as 2, a share such as \"5%\", or \"none\"";
    const TYPES: &'static [&'static str] = &["integer", "string"];
}

/// The settings of reliability, each left open until it is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReliabilitySettings {
    /// What the rest starts from.
    pub base: Option<Sourced<ReliabilityBase>>,
    /// Failures that stop the job, per 1000 days of one node of eight GPUs.
    pub failures_per_1000_node_days: Option<Sourced<Number>>,
    /// From a failure until training goes on.
    pub restart: Option<Sourced<Length>>,
    /// From the start of the booking to the first step.
    pub start_up: Option<Sourced<Length>>,
    /// Bytes of a checkpoint per parameter.
    pub checkpoint_bytes_per_param: Option<Sourced<Number>>,
    /// GB of a checkpoint that one node writes per second.
    pub write_gb_per_s_node: Option<Sourced<Number>>,
    /// Training time between two checkpoints.
    pub checkpoint_interval: Option<Sourced<CheckpointInterval>>,
    /// Nodes booked beside those that train.
    pub spares: Option<Sourced<Spares>>,
    /// Until a failed node is replaced.
    pub replacement: Option<Sourced<Length>>,
}

impl ReliabilitySettings {
    /// These settings, and where they leave something open, the other's.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        // `--reliability none` means it: single settings of the file don't come back through it.
        let other = if self.base.is_some() {
            Self::default()
        } else {
            other
        };
        Self {
            base: self.base.or(other.base),
            failures_per_1000_node_days: self
                .failures_per_1000_node_days
                .or(other.failures_per_1000_node_days),
            restart: self.restart.or(other.restart),
            start_up: self.start_up.or(other.start_up),
            checkpoint_bytes_per_param: self
                .checkpoint_bytes_per_param
                .or(other.checkpoint_bytes_per_param),
            write_gb_per_s_node: self.write_gb_per_s_node.or(other.write_gb_per_s_node),
            checkpoint_interval: self.checkpoint_interval.or(other.checkpoint_interval),
            spares: self.spares.or(other.spares),
            replacement: self.replacement.or(other.replacement),
        }
    }

    /// The settings with every default filled in.
    ///
    /// # Errors
    /// A value out of its range, with the range and the place it was set at.
    pub fn resolve(&self) -> Result<Reliability, Diagnostic> {
        let base = self.base.as_ref().map(|set| set.value);
        let mut resolved = match base {
            Some(ReliabilityBase::None) => Reliability::none(),
            Some(ReliabilityBase::Default) | None => Reliability::default(),
        };
        let number = |set: &Option<Sourced<Number>>, setting| {
            set.as_ref()
                .map(|set| within(set, set.value.0, setting))
                .transpose()
        };
        let length = |set: &Option<Sourced<Length>>, setting| {
            set.as_ref()
                .map(|set| within(set, set.value.0, setting))
                .transpose()
        };
        let put = |place: &mut f64, value: Option<f64>| *place = value.unwrap_or(*place);
        put(
            &mut resolved.failures_per_1000_node_days,
            number(
                &self.failures_per_1000_node_days,
                &ReliabilitySetting::FAILURES,
            )?,
        );
        put(
            &mut resolved.restart_s,
            length(&self.restart, &ReliabilitySetting::RESTART)?,
        );
        put(
            &mut resolved.start_up_s,
            length(&self.start_up, &ReliabilitySetting::START_UP)?,
        );
        put(
            &mut resolved.replacement_s,
            length(&self.replacement, &ReliabilitySetting::REPLACEMENT)?,
        );
        put(
            &mut resolved.checkpoint_bytes_per_param,
            number(
                &self.checkpoint_bytes_per_param,
                &ReliabilitySetting::CHECKPOINT_BYTES,
            )?,
        );
        put(
            &mut resolved.write_bytes_per_s_node,
            number(&self.write_gb_per_s_node, &ReliabilitySetting::WRITE)?.map(|gb| gb * 1e9),
        );
        if let Some(set) = &self.checkpoint_interval {
            resolved.checkpoint_interval_s = match set.value {
                CheckpointInterval::Optimal => None,
                CheckpointInterval::Every(seconds) => Some(within(
                    set,
                    seconds,
                    &ReliabilitySetting::CHECKPOINT_INTERVAL,
                )?),
            };
        }
        if let Some(set) = &self.spares {
            match set.value {
                Spares::Share(share) => {
                    (resolved.spare_share, resolved.spare_nodes) = (share, None);
                }
                Spares::Nodes(nodes) => {
                    within(set, nodes as f64, &ReliabilitySetting::SPARES)?;
                    (resolved.spare_share, resolved.spare_nodes) = (0.0, Some(nodes));
                }
            }
        }
        Ok(resolved)
    }
}

/// The value, if the setting accepts it.
fn within<T>(
    set: &Sourced<T>,
    value: f64,
    setting: &ReliabilitySetting,
) -> Result<f64, Diagnostic> {
    if (setting.least..=setting.most).contains(&value) {
        return Ok(value);
    }
    let refusal = Diagnostic::new(format!(
        "`{}` is {value} {unit}, but must be from {} to {} {unit}",
        setting.name,
        setting.least,
        setting.most,
        unit = setting.unit
    ))
    .help(format!(
        "it is {}; default: {}",
        setting.meaning, setting.default
    ));
    Err(set.refuse(refusal, "out of range"))
}

/// What goes wrong on a cluster and what it costs; `tminus presets reliability` lists defaults,
/// ranges and sources.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table about reliability")]
pub(super) struct ReliabilityTable {
    /// What the settings left out are: `default`, or `none` for pure training time.
    base: Option<At<ReliabilityBase>>,
    /// Failures that stop the job, per 1000 days of one node of eight GPUs; 5.15 unless given.
    failures_per_1000_node_days: Option<At<Spelled<Number>>>,
    /// From a failure until training goes on, lost work not included; "15m" unless given.
    restart: Option<At<Spelled<Length>>>,
    /// From the start of the booking to the first step; "5m" unless given.
    start_up: Option<At<Spelled<Length>>>,
    /// Bytes of a checkpoint per parameter; 14 unless given, 0 for no checkpoints.
    checkpoint_bytes_per_param: Option<At<Spelled<Number>>>,
    /// GB of a checkpoint that one node writes per second; 1.2 unless given.
    write_gb_per_s_node: Option<At<Spelled<Number>>>,
    /// Training time between two checkpoints; the optimal one unless given.
    checkpoint_interval: Option<At<Spelled<CheckpointInterval>>>,
    /// Nodes booked beside those that train; "5%" of them, rounded down, unless given.
    spares: Option<At<Spelled<Spares>>>,
    /// Until a failed node is replaced or repaired; "4h" unless given.
    replacement: Option<At<Spelled<Length>>>,
}

impl ReliabilityTable {
    pub(super) fn settings(&self, file: &Reader<'_>) -> ReliabilitySettings {
        ReliabilitySettings {
            base: file.set(self.base.as_ref()),
            failures_per_1000_node_days: file.spelled(self.failures_per_1000_node_days.as_ref()),
            restart: file.spelled(self.restart.as_ref()),
            start_up: file.spelled(self.start_up.as_ref()),
            checkpoint_bytes_per_param: file.spelled(self.checkpoint_bytes_per_param.as_ref()),
            write_gb_per_s_node: file.spelled(self.write_gb_per_s_node.as_ref()),
            checkpoint_interval: file.spelled(self.checkpoint_interval.as_ref()),
            spares: file.spelled(self.spares.as_ref()),
            replacement: file.spelled(self.replacement.as_ref()),
        }
    }
}
