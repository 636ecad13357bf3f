//! The `[launch]` table: what a launch file needs to know that no plan does.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::calendar::Span;
use crate::model::Model;
use crate::quantity::{QuantityError, Tokens, display_count};

/// What a person sets about the launch itself: paths, names, accounts. What is left out gets a
/// placeholder or a default that the launch file names. Values reach the program as they are written,
/// whatever the target: nothing expands `$NAME` in them, and a path that starts with `~` is refused; a
/// shell reads `setup` alone.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table of launch settings")]
pub struct LaunchSettings {
    /// Name of the run; the model and the token budget unless given.
    pub name: Option<Text>,
    /// Container image.
    pub image: Option<Text>,
    /// Directory that the training command starts in.
    pub workdir: Option<Text>,
    /// What starts the processes of one node; `composer` unless given.
    pub launcher: Launcher,
    /// Training script, relative to `workdir`.
    pub script: Option<Text>,
    /// Further arguments of the training script.
    pub args: Vec<AnyText>,
    /// Training data.
    pub data: Option<Text>,
    /// Folder or object store that checkpoints are written to and resumed from.
    pub checkpoints: Option<Text>,
    /// Tokenizer, by its name on the Hugging Face hub or its path.
    pub tokenizer: Option<Text>,
    /// Peak learning rate; that of the nearest GPT-3 size unless given.
    pub learning_rate: Option<LearningRate>,
    /// Shell commands that run on every node before training.
    pub setup: Vec<Text>,
    /// Environment variables; an empty value is not the same as none.
    pub env: BTreeMap<Variable, AnyText>,
    /// What the target calls the GPU, where the built-in names don't apply.
    pub gpu_type: Option<Word>,
    /// Longest run the target allows, such as "2d"; the high end of the planned time unless given.
    pub time_limit: Option<TimeLimit>,
    /// Slurm partition.
    pub partition: Option<Word>,
    /// Slurm account.
    pub account: Option<Word>,
    /// Slurm quality of service.
    pub qos: Option<Word>,
    /// Slurm node features, such as `a100_80gb`.
    pub constraint: Option<Word>,
    /// Slurm reservation.
    pub reservation: Option<Word>,
    /// `SkyPilot` infrastructure, such as `aws/us-east-1` or `k8s`.
    pub infra: Option<Word>,
    /// Whether `SkyPilot` takes spot instances.
    pub use_spot: Option<bool>,
    /// `MosaicML` cluster; the plan's unless given.
    pub cluster: Option<Word>,
    /// `MosaicML` scheduling priority.
    pub priority: Option<Word>,
    /// Kubeflow training runtime; `torch-distributed` unless given.
    pub runtime: Option<Word>,
    /// Kubernetes namespace.
    pub namespace: Option<Label>,
}

impl LaunchSettings {
    /// The run's name: the one set, or else the model and its token budget.
    pub(crate) fn run_name(&self, model: &Model, tokens: Tokens) -> String {
        self.name.as_ref().map_or_else(
            || format!("{}-{}", model.name, display_count(tokens.as_f64())),
            |name| name.as_str().to_owned(),
        )
    }
}

/// What starts the processes of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Launcher {
    /// Composer's launcher, with LLM Foundry's `train.py`.
    #[default]
    Composer,
    /// `PyTorch`'s launcher, with a script of one's own.
    Torchrun,
}

/// Any text without NUL, which neither a shell nor an environment can carry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Text(#[schemars(length(min = 1))] String);

/// A name that schedulers take unquoted: letters, digits and `._,:@+=/%&|*()[]-`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Word(#[schemars(regex(pattern = r"^[A-Za-z0-9._,:@+=/%&|*()\[\]-]+$"))] String);

/// A label of DNS, as Kubernetes takes it for a namespace (RFC 1123): up to 63 lower-case letters,
/// digits and `-`, which it neither starts nor ends with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Label(
    #[schemars(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))] String,
);

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Variable(#[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))] String);

/// Any text without NUL, also none: the value of a variable, an argument.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct AnyText(String);

/// A peak learning rate, above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
pub struct LearningRate(#[schemars(range(min = 1e-9, max = 1.0))] f64);

/// A time limit in whole minutes, from one minute to 1000 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct TimeLimit(#[schemars(with = "String")] u64);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            Err("an empty text says nothing; leave the key out instead".into())
        } else {
            without_nul(text).map(Self)
        }
    }
}

/// Refuses a text that no shell or environment can carry.
fn without_nul(text: String) -> Result<String, String> {
    if text.contains('\0') {
        Err("the text holds a NUL, which no shell or environment can carry".into())
    } else {
        Ok(text)
    }
}

impl Word {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._,:@+=/%&|*()[]-".contains(c);
        if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not a name that a scheduler takes: letters, digits and \
                 `._,:@+=/%&|*()[]-`"
            ))
        }
    }
}

impl Label {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let ends = text.starts_with('-') || text.ends_with('-');
        if (1..=63).contains(&text.len()) && text.chars().all(plain) && !ends {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not a name that Kubernetes takes: up to 63 lower-case letters, digits and \
                 `-`, not at either end"
            ))
        }
    }
}

impl Variable {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Variable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if word && text.starts_with(|c: char| !c.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not the name of an environment variable: letters, digits and `_`, \
                 not starting with a digit"
            ))
        }
    }
}

impl AnyText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AnyText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        without_nul(text).map(Self)
    }
}

impl LearningRate {
    /// The rate.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for LearningRate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        if (1e-9..=1.0).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!(
                "{rate} is not a learning rate above 0 and at most 1"
            ))
        }
    }
}

impl TimeLimit {
    /// Whole minutes, at least 1.
    #[must_use]
    pub fn minutes(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for TimeLimit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = |reason: &str| {
            format!(
                "{text:?} is not a time limit: {reason}; expected are whole minutes such as \"90m\", \"12h\", \
                 \"1.5d\" or \"1w\", from one minute to 1000 days"
            )
        };
        let span: Span = text
            .parse()
            .map_err(|error: QuantityError| refuse(&error.reason))?;
        let (seconds, minutes) = (span.seconds(), span.seconds() / 60);
        if !seconds.is_multiple_of(60) {
            Err(refuse("it is no whole number of minutes"))
        } else if minutes > 1_440_000 {
            Err(refuse("it is more than 1000 days"))
        } else {
            Ok(Self(minutes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_label_of_dns() {
        let longest = "a".repeat(63);
        for name in ["a", "team-7", "0x", longest.as_str()] {
            assert!(Label::try_from(name.to_owned()).is_ok(), "{name}");
        }
        let longer = "a".repeat(64);
        for name in ["", "X_y", "Team", "a.b", "-a", "a-", "é", longer.as_str()] {
            let error = Label::try_from(name.to_owned()).unwrap_err();
            assert!(error.contains("lower-case letters"), "{error}");
        }
    }

    #[test]
    fn a_time_limit_is_any_length_of_whole_minutes() {
        let minutes = |text: &str| TimeLimit::try_from(text.to_owned()).map(TimeLimit::minutes);
        for (text, expected) in [("90m", 90), ("1.5d", 2160), ("1w", 10_080), ("120s", 2)] {
            assert_eq!(minutes(text), Ok(expected), "{text}");
        }
        for (text, reason) in [
            ("90s", "no whole number of minutes"),
            ("1001d", "more than 1000 days"),
            ("0h", "greater than zero"),
            ("soon", "must end in a unit"),
        ] {
            let error = minutes(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
