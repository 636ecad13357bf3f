//! How a setting to change is named: by its flag, or in a file of several jobs, where no flag says
//! which job it is about, by its key.

use std::fmt::Display;

use crate::job::Request;

/// Who is told what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Somebody with a single job.
    ByFlags,
    /// Somebody with a file of several.
    ByKeys,
}

impl Told {
    pub(super) fn to(request: &Request) -> Self {
        match request.shared {
            None => Self::ByFlags,
            Some(_) => Self::ByKeys,
        }
    }

    /// A setting without a value: `` `--stack` ``, `` `stack` ``.
    pub(super) fn option(self, flag: &str, key: &str) -> String {
        match self {
            Self::ByFlags => format!("`{flag}`"),
            Self::ByKeys => format!("`{key}`"),
        }
    }

    /// A cluster that it may run on too: others stay named, since the calendar speaks of them.
    pub(super) fn cluster(self, asked: &Request, name: &str) -> String {
        match self {
            Self::ByFlags => format!("`--cluster {name}`"),
            Self::ByKeys => {
                let own = asked.clusters.iter().map(|cluster| cluster.name.as_str());
                let names = own.chain([name]).map(|name| format!("\"{name}\""));
                format!(
                    "`clusters = [{}]` in its `[[jobs]]`",
                    names.collect::<Vec<String>>().join(", ")
                )
            }
        }
    }

    /// A setting with a value that is a text in a file: `` `stack = "bf16-gather"` ``.
    pub(super) fn value(self, flag: &str, key: &str, value: impl Display) -> String {
        match self {
            Self::ByFlags => format!("`{flag} {value}`"),
            Self::ByKeys => format!("`{key} = \"{value}\"`"),
        }
    }

    /// A setting of the job itself: `` `global_batch = "2Mi"` in its `[[jobs]]` ``.
    pub(super) fn of_job(self, flag: &str, key: &str, value: impl Display) -> String {
        match self {
            Self::ByFlags => self.value(flag, key, value),
            Self::ByKeys => format!("{} in its `[[jobs]]`", self.value(flag, key, value)),
        }
    }

    /// A setting of its search that is a number: `` `gpus = 64` in its `[jobs.search]` ``.
    pub(super) fn of_search(self, flag: &str, key: &str, value: impl Display) -> String {
        match self {
            Self::ByFlags => format!("`{flag} {value}`"),
            Self::ByKeys => format!("`{key} = {value}` in its `[jobs.search]`"),
        }
    }

    /// Checkpointing, `on` or `off`.
    pub(super) fn checkpointing(self, choice: &str) -> String {
        match self {
            Self::ByFlags => format!("`--checkpointing {choice}`"),
            Self::ByKeys => format!("`checkpointing = \"{choice}\"` in its `[jobs.search]`"),
        }
    }
}
