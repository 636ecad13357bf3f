//! How a setting of the booking is named to who asks: by its flag, or by its key where a command reads
//! it from the job file alone.

use std::fmt::Display;

/// How settings of the booking are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By flags, which the command takes.
    ByFlag,
    /// By keys of `[reserve]` in the job file.
    ByKey,
}

impl Named {
    /// A setting without a value: `` `--product` ``, `` `product` in [reserve] ``.
    pub(super) fn option(self, key: &str) -> String {
        match self {
            Self::ByFlag => format!("`--{key}`"),
            Self::ByKey => format!("`{key}` in [reserve]"),
        }
    }

    /// A setting whose value is a text in a file: `` `deadline = "14d"` in [reserve] ``.
    pub(super) fn text(self, key: &str, value: impl Display) -> String {
        match self {
            Self::ByFlag => format!("`--{key} {value}`"),
            Self::ByKey => format!("`{key} = \"{value}\"` in [reserve]"),
        }
    }

    /// A setting whose value is a number: `` `budget = 25000` in [reserve] ``.
    pub(super) fn number(self, key: &str, value: impl Display) -> String {
        match self {
            Self::ByFlag => format!("`--{key} {value}`"),
            Self::ByKey => format!("`{key} = {value}` in [reserve]"),
        }
    }
}

/// What sets how many nodes train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The number of nodes asked for.
    Nodes,
    /// The GPU counts that are tried, which every command that plans has a flag for.
    Gpus,
}

impl SetBy {
    pub(super) fn words(self, named: Named) -> String {
        match self {
            Self::Nodes => named.option("nodes"),
            Self::Gpus => "`--gpus`".to_owned(),
        }
    }
}
