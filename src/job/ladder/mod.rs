//! Several jobs in one file: the `[[jobs]]` and the `[schedule]` they share.

mod check;
mod file;
mod notes;
mod resolve;
mod site;

pub(super) use file::{LadderTable, ScheduleTable, misplaced};
pub use resolve::resolve_ladder;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Probability, Request, Settings, Sourced};
use crate::calendar::{Due, Moment};
use crate::hardware::Cluster;
use crate::preset::Written;
use crate::quantity::QuantityError;

/// What a schedule minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Minimise {
    /// The time until the last job is done.
    #[default]
    Makespan,
    /// The dollars of all jobs together.
    Cost,
    /// The hours by which jobs miss their deadlines, each times the job's priority.
    Lateness,
}

impl fmt::Display for Minimise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Makespan => "makespan",
            Self::Cost => "cost",
            Self::Lateness => "lateness",
        })
    }
}

impl FromStr for Minimise {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Makespan, Self::Cost, Self::Lateness]
            .into_iter()
            .find(|aim| aim.to_string() == text.trim())
            .ok_or_else(|| QuantityError {
                text: text.to_owned(),
                expected: "what a schedule minimises",
                reason: "known are makespan, cost and lateness".into(),
            })
    }
}

impl Written for Minimise {
    const EXPECTED: &'static str = "\"makespan\", \"cost\" or \"lateness\"";
    const TYPES: &'static [&'static str] = &["string"];
}

/// Jobs of a file that share a calendar, as written.
#[derive(Debug, Clone)]
pub struct Ladder {
    /// The jobs, in the order of the file.
    pub jobs: Vec<LadderJob>,
    /// The calendar they share.
    pub schedule: ScheduleSettings,
}

/// One of several jobs, as written; what it leaves open, the file's top level says.
#[derive(Debug, Clone)]
pub struct LadderJob {
    /// Its name; that of its model unless given.
    pub name: Option<Sourced<String>>,
    /// Where its table stands.
    pub place: Sourced<()>,
    /// What any job can set.
    pub settings: Settings,
    /// When it can start, at the earliest; a span counts from the start of the calendar.
    pub earliest: Option<Sourced<Due>>,
    /// When it has to be done; a span counts from the start of the calendar.
    pub deadline: Option<Sourced<Due>>,
    /// What an hour of its lateness counts.
    pub priority: Option<Sourced<u64>>,
    /// Names of the jobs that have to be done before it starts.
    pub after: Vec<Sourced<String>>,
}

/// The `[schedule]` table, as written.
#[derive(Debug, Clone, Default)]
pub struct ScheduleSettings {
    /// Where its table stands, if there is one.
    pub place: Option<Sourced<()>>,
    /// When the calendar starts.
    pub start: Option<Sourced<Moment>>,
    /// What is minimised.
    pub minimise: Option<Sourced<Minimise>>,
    /// How sure each job's duration has to be.
    pub probability: Option<Sourced<Probability>>,
    /// What each cluster has free.
    pub sites: Vec<(Sourced<String>, SiteSettings)>,
}

/// What a cluster has free, as written.
#[derive(Debug, Clone, Default)]
pub struct SiteSettings {
    /// Nodes that the jobs share.
    pub capacity_nodes: Option<Sourced<u64>>,
    /// The same in GPUs.
    pub max_gpus: Option<Sourced<u64>>,
    /// When it is free; always unless given.
    pub available: Vec<Sourced<WindowSettings>>,
    /// Where it is said to be free at no time.
    pub never_available: Option<Sourced<()>>,
    /// When others have it.
    pub booked: Vec<Sourced<WindowSettings>>,
}

/// A time from one moment to another, and how many nodes it is about; all unless given. Spans count
/// from the start of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// Its first moment.
    pub from: Due,
    /// Its end.
    pub to: Due,
    /// Nodes.
    pub nodes: Option<u64>,
}

/// The keys of a file, of which one says what the jobs share of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedKey {
    /// `capacity_nodes`, also where none is set: it is the one to add.
    CapacityNodes,
    /// `max_gpus`.
    MaxGpus,
}

impl SharedKey {
    /// The key set so that the jobs share so many nodes of a cluster, as a line of the file.
    #[must_use]
    pub fn set(self, nodes: u64, cluster: &Cluster) -> String {
        match self {
            Self::CapacityNodes => format!("{self} = {nodes}"),
            Self::MaxGpus => format!("{self} = {}", nodes.saturating_mul(cluster.gpus_per_node)),
        }
    }
}

impl fmt::Display for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CapacityNodes => "capacity_nodes",
            Self::MaxGpus => "max_gpus",
        })
    }
}

/// Jobs and the calendar they share, with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Agenda {
    /// The jobs, in the order of the file.
    pub jobs: Vec<AgendaJob>,
    /// Where they may run, and what is free there.
    pub sites: Vec<Site>,
    /// When the calendar starts.
    pub start: Moment,
    /// What is minimised.
    pub minimise: Minimise,
    /// How sure each job's duration has to be; the expected one where that is `None`.
    pub probability: Option<Probability>,
    /// What a reader should know of how it was read.
    pub notes: Vec<String>,
}

/// One of several jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct AgendaJob {
    /// Its name, unlike any other's.
    pub name: String,
    /// What is trained, on how much, where it may run.
    pub request: Request,
    /// When it can start, at the earliest.
    pub earliest: Option<Moment>,
    /// When it has to be done.
    pub deadline: Option<Moment>,
    /// What an hour of its lateness counts.
    pub priority: u64,
    /// The jobs that have to be done before it starts, by their places.
    pub after: Vec<usize>,
}

/// A cluster and what the jobs may have of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The cluster.
    pub cluster: Cluster,
    /// Nodes that the jobs share.
    pub nodes: u64,
    /// The key that says so, or would.
    pub shared_key: SharedKey,
    /// When it is free, in order of time; always where this is `None`.
    pub available: Option<Vec<Window>>,
    /// Whether every window in which it is free names its own `nodes`, so that none gets wider when the
    /// jobs share more.
    pub windows_are_fixed: bool,
    /// When others have it, in order of time.
    pub booked: Vec<Window>,
}

impl Site {
    /// The most nodes that are ever free at once, as far as single windows tell.
    #[must_use]
    pub fn widest(&self) -> u64 {
        let widest = |windows: &Vec<Window>| windows.iter().map(|window| window.nodes).max();
        let windows = self.available.as_ref().map(widest);
        windows.map_or(self.nodes, Option::unwrap_or_default)
    }
}

/// So many nodes from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Window {
    /// Its first moment.
    #[schemars(with = "String")]
    pub from: Moment,
    /// Its end.
    #[schemars(with = "String")]
    pub to: Moment,
    /// Nodes.
    pub nodes: u64,
}
