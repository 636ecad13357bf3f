//! Which rows an evaluation holds out.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Measurement;

/// Which rows are held out, and which are judged.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Nothing is held out; every row is judged.
    InSample,
    /// Each model in turn, all its rows on every cluster.
    LeaveModel,
    /// Each sequence length in turn.
    LeaveSeq,
    /// Each GPU count in turn.
    LeaveGpus,
}

impl Protocol {
    /// All protocols, in the order they are shown.
    pub const ALL: [Self; 4] = [
        Self::InSample,
        Self::LeaveModel,
        Self::LeaveSeq,
        Self::LeaveGpus,
    ];

    /// Its name, as flags spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InSample => "in-sample",
            Self::LeaveModel => "leave-model",
            Self::LeaveSeq => "leave-seq",
            Self::LeaveGpus => "leave-gpus",
        }
    }

    /// The group a row is held out with; rows of one group have equal keys.
    pub(crate) fn group(self, row: &Measurement) -> String {
        match self {
            Self::InSample => String::new(),
            Self::LeaveModel => row.model.clone(),
            Self::LeaveSeq => row.configuration.seq_len.to_string(),
            Self::LeaveGpus => row.configuration.gpus.to_string(),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == text)
            .ok_or_else(|| format!("`{text}` is not a protocol"))
    }
}
