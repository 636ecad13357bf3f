//! The job file and the flags, resolved into one request.
//!
//! Both fill the same [`Settings`], in which every value knows where it was set; [`resolve`] looks
//! up the names and fills in what was left open. Flags override the job file, which overrides the
//! defaults.
//!
//! ```
//! use tminus::job::{JobFile, Settings, Sourced, resolve};
//! use tminus::preset::Catalog;
//! let file = JobFile::parse("job.toml", "model = \"gpt-7b\"\ntokens = \"134B\"\n").unwrap();
//! let catalog = file.extend(Catalog::embedded()).unwrap();
//! let flags = Settings {
//!     tokens: Some(Sourced::parse_flag("--tokens", "20x").unwrap()),
//!     ..Settings::default()
//! };
//! let request = resolve(flags.over(file.settings), &catalog).unwrap();
//! assert_eq!(request.tokens.get(), 20 * request.model.params());
//! ```

mod budget;
mod explain;
mod file;
mod keys;
mod ladder;
mod launch;
mod pricing;
mod reader;
mod reliability;
mod reserve;
mod resolve;
mod settings;

#[cfg(test)]
mod tests;

pub use budget::TokenBudget;
pub use file::JobFile;
pub use ladder::{
    Agenda, AgendaJob, Ladder, LadderJob, Minimise, ScheduleSettings, SharedKey, Site,
    SiteSettings, Window, WindowSettings, resolve_ladder,
};
pub use launch::{
    AnyText, Label, LaunchSettings, Launcher, LearningRate, Text, TimeLimit, Variable, Word,
};
pub use pricing::PriceSettings;
pub use reliability::{
    CheckpointInterval, Length, Number, ReliabilityBase, ReliabilitySettings, Spares,
};
pub use reserve::{Probability, ReserveSettings, Usd};
pub(crate) use resolve::MAX_TOP;
pub use resolve::resolve;
pub use settings::{ModelChoice, SetAt, Settings, Sourced};

use crate::configuration::Setting;
use crate::forecast::{Pricing, Reliability, WallClock};
use crate::hardware::Cluster;
use crate::model::Model;
use crate::quantity::{Confidence, Tokens};
use crate::search::{Axis, Objective, Switch};
use crate::stack::Stack;

/// Tokens per optimizer step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalBatch {
    /// The fewest accepted.
    pub min: u64,
    /// The most accepted; equal to `min` when one number was asked for.
    pub max: u64,
}

/// A job with every default filled in: all that the planner needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is trained.
    pub model: Model,
    /// On how many tokens.
    pub tokens: Tokens,
    /// Who chose them.
    pub tokens_choice: TokensChoice,
    /// Where it may run.
    pub clusters: Vec<Cluster>,
    /// With which stack.
    pub stack: Stack,
    /// Who chose it.
    pub stack_choice: StackChoice,
    /// What runs today on one of its clusters at the least, where nobody named the stack and it is that
    /// of tables measured long before.
    pub later_stack: Option<Stack>,
    /// GPU counts to try.
    pub gpus: Axis,
    /// Sequence lengths to try.
    pub seq_len: Axis,
    /// Micro-batches to try.
    pub micro_batch: Axis,
    /// Gradient accumulations to try.
    pub grad_accum: Axis,
    /// Activation checkpointing choices to try.
    pub activation_checkpointing: Switch,
    /// Tokens per optimizer step.
    pub global_batch: GlobalBatch,
    /// What the ranking minimises.
    pub sort: Objective,
    /// How many candidates are shown.
    pub top: usize,
    /// Confidence of every interval.
    pub confidence: Confidence,
    /// Whether `tight` configurations are ranked too.
    pub allow_tight: bool,
    /// What goes wrong on the clusters, and what it costs.
    pub reliability: Reliability,
    /// Which prices it is costed at.
    pub pricing: Pricing,
    /// What launch files need to know besides.
    pub launch: LaunchSettings,
    /// What is asked of a booking, names not yet looked up.
    pub reserve: ReserveSettings,
    /// What it shares with the other jobs of its file; `None` where it is the only one.
    pub shared: Option<Shared>,
}

impl Request {
    /// The cluster of that name; `None` when it isn't one of those it may run on.
    #[must_use]
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// What runs, on one of its clusters.
    #[must_use]
    pub fn setting<'a>(&'a self, cluster: &'a Cluster) -> Setting<'a> {
        Setting {
            shape: &self.model.shape,
            cluster,
            stack: &self.stack,
        }
    }

    /// The same where so many spare nodes are kept.
    #[must_use]
    pub fn keeping(&self, spares: u64) -> Self {
        let mut request = self.clone();
        request.reliability.spare_nodes = Some(spares);
        request
    }

    /// Nodes of one of its clusters that it may have at once: of what its file's jobs share, all.
    #[must_use]
    pub fn most_nodes(&self, cluster: &Cluster) -> u64 {
        let shared = self.shared.iter().flat_map(|shared| &shared.nodes);
        let mut shared = shared.filter(|(name, _)| *name == cluster.name);
        let all = cluster.whole_nodes();
        shared.next().map_or(all, |(_, nodes)| all.min(*nodes))
    }

    /// Spare nodes booked beside `nodes` of one of its clusters: those asked for, or else as many of
    /// those that are wanted as are left.
    #[must_use]
    pub fn spares(&self, cluster: &Cluster, nodes: u64) -> u64 {
        let spares = self.reliability.spares(cluster, nodes);
        match self.reliability.spare_nodes {
            Some(_) => spares,
            None => spares.min(self.most_nodes(cluster).saturating_sub(nodes)),
        }
    }

    /// The wall clock of its model on so many GPUs of one of its clusters.
    #[must_use]
    pub fn clock(&self, cluster: &Cluster, gpus: u64, seq_len: u64) -> WallClock {
        let params = self.model.shape.params(seq_len);
        let reliability = Reliability {
            spare_nodes: Some(self.spares(cluster, cluster.nodes(gpus))),
            ..self.reliability
        };
        WallClock::new(&reliability, params, cluster, gpus)
    }
}

/// What a job shares with others of its file. What to change about it is said by keys of the file,
/// since no flag says which job it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Nodes that they may have at once of each cluster, by its name.
    pub nodes: Vec<(String, u64)>,
}

/// Who chose how many tokens a job trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensChoice {
    /// The job names them.
    Named,
    /// Nobody: they are [`TokenBudget::COMPUTE_OPTIMAL`].
    Default,
}

/// Who chose a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackChoice {
    /// The job names it.
    Named,
    /// It is that of most of a user's own rows on this GPU.
    OfRows(String),
    /// Nobody: it is that of the embedded tables.
    Default,
}

/// A commented job file to start from: it plans gpt-7b on 134B tokens as it stands.
#[must_use]
pub fn template() -> &'static str {
    include_str!("template.toml")
}

/// JSON Schema of a job file.
#[must_use]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(file::JobTable)
}
