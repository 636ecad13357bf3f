//! The tables as written.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ladder, LadderJob, Minimise, ScheduleSettings, SiteSettings, WindowSettings};
use crate::calendar::{Due, Moment, Span};
use crate::diagnostic::{Diagnostic, Origin};
use crate::job::file::Search;
use crate::job::keys::{ModelKey, Names};
use crate::job::reader::Reader;
use crate::job::{GlobalBatch, Probability, Settings, Sourced, TokenBudget};
use crate::preset::{At, Entries, Spelled, Whole, Written, refuse_controls};
use crate::quantity::QuantityError;

/// One of several jobs: the keys of a job, and when it may run. What it leaves open, the top level
/// of the file says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with the keys of a job")]
pub(in crate::job) struct LadderTable {
    /// Name, unlike any other job's; that of its model unless given.
    name: Option<At<String>>,
    /// A model's name, or a table with its shape.
    pub(in crate::job) model: Option<At<ModelKey>>,
    /// Tokens to train on, such as "134B", or tokens per parameter, such as "20x" (the default).
    tokens: Option<At<Spelled<TokenBudget>>>,
    /// The cluster it may run on, or several.
    #[serde(alias = "clusters")]
    cluster: Option<At<Names>>,
    /// The training stack.
    stack: Option<At<String>>,
    /// Tokens per optimizer step, such as "2Mi", or a range "1M..4M".
    global_batch: Option<At<Spelled<GlobalBatch>>>,
    /// Whether configurations close to the memory limit may be chosen.
    allow_tight: Option<At<bool>>,
    /// The configurations that are tried.
    #[serde(default)]
    search: Search,
    /// When it can start, at the earliest: a date, or a length of time from the start of the calendar.
    earliest: Option<At<Spelled<Begin>>>,
    /// When it has to be done: a date, or a length of time from the start of the calendar.
    deadline: Option<At<Spelled<Due>>>,
    /// What an hour of its lateness counts; 1 unless given.
    priority: Option<At<Whole>>,
    /// Names of the jobs that have to be done before it starts.
    after: Option<At<Names>>,
}

/// The calendar that several jobs share.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table about a calendar")]
pub(in crate::job) struct ScheduleTable {
    /// When the calendar starts; plain dates are 00:00 UTC.
    start: Option<At<Spelled<Moment>>>,
    /// What is minimised; `makespan` unless given.
    minimise: Option<At<Spelled<Minimise>>>,
    /// How sure each job's duration has to be; the expected duration is booked unless given.
    probability: Option<At<Spelled<Probability>>>,
    /// What each cluster has free, by its name.
    clusters: Entries<SiteTable>,
}

/// What a cluster has free.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table about what is free")]
struct SiteTable {
    /// Nodes that the jobs share; as many as one job can have there unless given.
    capacity_nodes: Option<At<Whole>>,
    /// The same in GPUs.
    max_gpus: Option<At<Whole>>,
    /// When it is free; always unless given.
    available: Option<At<Vec<At<WindowTable>>>>,
    /// When others have it.
    booked: Vec<At<WindowTable>>,
}

/// A time from one moment to another.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a window such as { from = \"2026-12-01\", to = \"2026-12-08\", nodes = 4 }"
)]
struct WindowTable {
    /// Its first moment: a date, or a length of time from the start of the calendar.
    from: Spelled<Begin>,
    /// Its end, in the same way.
    to: Spelled<Due>,
    /// Nodes; all of them unless given.
    nodes: Option<Whole>,
}

/// When something begins: as [`Due`], but a length of time may be none at all.
#[derive(Debug, Clone, Copy)]
struct Begin(Due);

impl FromStr for Begin {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if Span::is_none_in(text) {
            return Ok(Self(Due::Within(Span::ZERO)));
        }
        text.parse().map(Self)
    }
}

impl Written for Begin {
    const EXPECTED: &'static str = Due::EXPECTED;
    const TYPES: &'static [&'static str] = Due::TYPES;
}

impl Ladder {
    /// The jobs of a file and the calendar they share; `None` when it holds a single job.
    pub(in crate::job) fn read(
        jobs: &[At<LadderTable>],
        schedule: Option<&At<ScheduleTable>>,
        origin: &Origin,
    ) -> Result<Option<Self>, Diagnostic> {
        if jobs.is_empty() {
            return match schedule {
                None => Ok(None),
                Some(at) => Err(Diagnostic::new("there is a `[schedule]`, but no `[[jobs]]`")
                    .in_text(origin.clone())
                    .at(at.span.clone(), "a calendar of no jobs")
                    .help("a table `[[jobs]]` for each job: `model = \"gpt-7b\"`, `tokens = \"20x\"`")),
            };
        }
        let file = Reader { origin };
        let jobs = jobs
            .iter()
            .map(|job| job.value.job(job, &file))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self {
            jobs,
            schedule: schedule
                .map(|at| at.value.settings(at, &file))
                .unwrap_or_default(),
        }))
    }
}

impl LadderTable {
    fn job(&self, at: &At<Self>, file: &Reader<'_>) -> Result<LadderJob, Diagnostic> {
        if let Some(name) = &self.name {
            refuse_controls(name, file.origin)?;
        }
        let mut settings = Settings {
            model: self.model.as_ref().map(|at| file.model(at)).transpose()?,
            tokens: file.spelled(self.tokens.as_ref()),
            clusters: self
                .cluster
                .as_ref()
                .map(|at| file.all(&at.value.each(&at.span))),
            stack: file.set(self.stack.as_ref()),
            global_batch: file.spelled(self.global_batch.as_ref()),
            allow_tight: file.set(self.allow_tight.as_ref()),
            ..Settings::default()
        };
        self.search.fill(&mut settings, file);
        Ok(LadderJob {
            name: file.set(self.name.as_ref()),
            place: file.at(&at.span, ()),
            settings,
            earliest: file
                .spelled(self.earliest.as_ref())
                .map(|set| set.map(|Begin(due)| due)),
            deadline: file.spelled(self.deadline.as_ref()),
            priority: file.whole(self.priority.as_ref()),
            after: self
                .after
                .as_ref()
                .map(|at| file.all(&at.value.each(&at.span)))
                .unwrap_or_default(),
        })
    }
}

impl ScheduleTable {
    fn settings(&self, at: &At<Self>, file: &Reader<'_>) -> ScheduleSettings {
        ScheduleSettings {
            place: Some(file.at(&at.span, ())),
            start: file.spelled(self.start.as_ref()),
            minimise: file.spelled(self.minimise.as_ref()),
            probability: file.spelled(self.probability.as_ref()),
            sites: self
                .clusters
                .0
                .iter()
                .map(|(name, site)| (file.at(&name.span, name.value.clone()), site.settings(file)))
                .collect(),
        }
    }
}

impl SiteTable {
    fn settings(&self, file: &Reader<'_>) -> SiteSettings {
        let windows = |tables: &[At<WindowTable>]| -> Vec<Sourced<WindowSettings>> {
            tables
                .iter()
                .map(|at| file.at(&at.span, at.value.window()))
                .collect()
        };
        SiteSettings {
            capacity_nodes: file.whole(self.capacity_nodes.as_ref()),
            max_gpus: file.whole(self.max_gpus.as_ref()),
            available: self
                .available
                .as_ref()
                .map(|at| windows(&at.value))
                .unwrap_or_default(),
            never_available: self
                .available
                .as_ref()
                .filter(|at| at.value.is_empty())
                .map(|at| file.at(&at.span, ())),
            booked: windows(&self.booked),
        }
    }
}

impl WindowTable {
    fn window(&self) -> WindowSettings {
        WindowSettings {
            from: self.from.0.0,
            to: self.to.0,
            nodes: self.nodes.map(|Whole(nodes)| nodes),
        }
    }
}

/// Keys that hold for all jobs: what a cluster costs and how often it fails doesn't depend on the job.
const SHARED_KEYS: [&str; 10] = [
    "usd_per_gpu_hour",
    "price_type",
    "provider",
    "region",
    "as_of",
    "prices",
    "reliability",
    "confidence",
    "fit",
    "presets",
];

/// Where a key belongs that is refused in `[[jobs]]`, if that is the top level of the file.
pub(in crate::job) fn misplaced(refusal: &Diagnostic) -> Option<String> {
    let unknown = refusal.message.strip_prefix("unknown key `")?;
    let unknown = unknown.strip_suffix('`')?;
    // The keys known there, which the refusal lists.
    let in_jobs = refusal
        .help
        .iter()
        .any(|help| help.ends_with("priority, after"));
    let words = match unknown {
        "reliability" => "`[reliability]` belongs".to_owned(),
        "prices" => "`[[prices]]` belong".to_owned(),
        key => format!("`{key}` belongs"),
    };
    (in_jobs && SHARED_KEYS.contains(&unknown))
        .then(|| format!("{words} at the top level of the file, for all jobs"))
}
