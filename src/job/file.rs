//! The job file as written, and what it sets.

use schemars::JsonSchema;
use serde::Deserialize;

use super::budget::OnOffAuto;
use super::explain::explain;
use super::keys::{ModelKey, Names, NamesOrTables};
use super::ladder::{Ladder, LadderTable, ScheduleTable};
use super::reader::Reader;
use super::reliability::ReliabilityTable;
use super::reserve::ReserveTable;
use super::settings::{ModelChoice, Settings, Sourced};
use super::{GlobalBatch, LaunchSettings, Objective, PriceSettings, TokenBudget};
use crate::calendar::Moment;
use crate::diagnostic::{Diagnostic, Origin};
use crate::model::Model;
use crate::preset::{
    At, Catalog, Entries, GpuTable, ModelTable, PriceTable, ProductTable, Spelled, StackTable,
    Tables, Whole, parse,
};
use crate::quantity::{Confidence, UsdPerGpuHour};
use crate::search::Axis;

/// A job file that was read: what it sets, and the presets it brings along.
#[derive(Debug, Clone)]
pub struct JobFile {
    /// What it sets.
    pub settings: Settings,
    /// The jobs that share a calendar, where it holds several; `settings` are then what they
    /// leave open.
    pub ladder: Option<Ladder>,
    tables: Tables,
    origin: Origin,
}

impl JobFile {
    /// Reads the text of a job file; `name` is what people know the file by.
    ///
    /// # Errors
    /// The first mistake in it, with line, column and a remedy.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostic> {
        let origin = Origin {
            name: name.to_owned(),
            text: text.into(),
        };
        if text.trim_start_matches('\u{feff}').trim().is_empty() {
            return Err(Diagnostic::new(format!("`{name}` is empty"))
                .help("a job names at least a model: `model = \"gpt-7b\"`")
                .help("`tminus init` prints a commented job file to start from"));
        }
        let written: JobTable = parse(&origin).map_err(explain)?;
        Ok(Self {
            settings: written.settings(&origin)?,
            ladder: written.ladder(&origin)?,
            tables: written.into_tables(),
            origin,
        })
    }

    /// The catalog with the presets added that stand in the job file itself. Files that it names
    /// in `presets` ([`Settings::presets`]) come before them and are for the caller to read.
    ///
    /// # Errors
    /// The first mistake in one of its tables.
    pub fn extend(&self, catalog: Catalog) -> Result<Catalog, Diagnostic> {
        catalog.with_tables(&self.tables, &self.origin)
    }

    /// The model that the file describes rather than names.
    #[must_use]
    pub fn own_model(&self) -> Option<&Model> {
        match self.settings.model.as_ref().map(|set| &set.value) {
            Some(ModelChoice::Inline(model)) => Some(model),
            _ => None,
        }
    }

    /// Whether anything of it is taken where it is read as a file of presets: what it describes, and
    /// the files of presets that it names.
    #[must_use]
    pub fn brings_presets(&self) -> bool {
        let Tables {
            prices, products, ..
        } = &self.tables;
        let sold = !prices.is_empty() || !products.0.is_empty();
        self.describes() || sold || !self.settings.presets.is_empty()
    }

    /// Whether it describes models, clusters or stacks that no other file knows.
    #[must_use]
    pub fn describes(&self) -> bool {
        let Tables {
            models,
            gpus,
            clusters,
            stacks,
            ..
        } = &self.tables;
        let tables = [
            models.0.len(),
            gpus.0.len(),
            clusters.0.len(),
            stacks.0.len(),
        ];
        self.own_model().is_some() || tables.iter().any(|count| *count > 0)
    }
}

/// A training job: what is trained, on how much, where, and which configurations are tried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Job")]
pub(super) struct JobTable {
    /// A model's name, or a table with its shape; the only one under `[models]` unless given.
    model: Option<At<ModelKey>>,
    /// Tokens to train on, such as "134B", or tokens per parameter, such as "20x" (the default).
    tokens: Option<At<Spelled<TokenBudget>>>,
    /// The cluster it may run on, or several.
    cluster: Option<At<Names>>,
    /// The clusters it may run on, by name; or tables that describe some, which are then the ones
    /// it may run on unless `cluster` says otherwise. The measured ones unless given.
    clusters: Option<At<NamesOrTables>>,
    /// The training stack; `fp32-gather` unless given.
    stack: Option<At<String>>,
    /// Tokens per optimizer step, such as "2Mi", or a range "1M..4M"; the model's unless given.
    global_batch: Option<At<Spelled<GlobalBatch>>>,
    /// What the ranking minimises; `time` unless given.
    sort: Option<At<Objective>>,
    /// How many candidates are shown; 10 unless given.
    top: Option<At<Whole>>,
    /// Confidence of every interval; 0.9 unless given.
    confidence: Option<At<Spelled<Confidence>>>,
    /// Whether configurations close to the memory limit are ranked too.
    allow_tight: Option<At<bool>>,
    /// What a GPU-hour costs on every cluster, US dollars; before every price known.
    usd_per_gpu_hour: Option<At<Spelled<UsdPerGpuHour>>>,
    /// The type of price it is costed at, such as "on-demand" or "spot"; the first known unless given.
    price_type: Option<At<String>>,
    /// Whose prices it is costed at.
    provider: Option<At<String>>,
    /// The region whose prices it is costed at.
    region: Option<At<String>>,
    /// The day that the age of prices is counted from, and that a booking is made; the planned start,
    /// or else the newest price.
    as_of: Option<At<Spelled<Moment>>>,
    /// A fit file, relative to this file.
    fit: Option<At<String>>,
    /// Preset files, relative to this file.
    presets: Option<At<Names>>,
    /// The configurations that are tried.
    #[serde(default)]
    search: Search,
    /// What launch files need to know besides the plan.
    #[serde(default)]
    launch: LaunchSettings,
    /// What goes wrong on the clusters, and what it costs.
    #[serde(default)]
    reliability: ReliabilityTable,
    /// What a booking has to achieve.
    #[serde(default)]
    reserve: ReserveTable,
    /// Several jobs that share the clusters; they take the place of `model`.
    #[serde(default)]
    jobs: Vec<At<LadderTable>>,
    /// The calendar that several jobs share.
    schedule: Option<At<ScheduleTable>>,
    /// Models by name, as in a preset file.
    #[serde(default)]
    models: Entries<ModelTable>,
    /// GPUs by name, as in a preset file.
    #[serde(default)]
    gpus: Entries<GpuTable>,
    /// Training stacks by name, as in a preset file.
    #[serde(default)]
    stacks: Entries<StackTable>,
    /// Prices of clusters, as in a preset file.
    #[serde(default)]
    prices: Vec<PriceTable>,
    /// Products that let one book nodes, as in a preset file.
    #[serde(default)]
    products: Entries<ProductTable>,
}

/// The configurations that are tried; each axis is `auto` unless given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of axes")]
pub(super) struct Search {
    /// GPU counts.
    gpus: Option<At<Spelled<Axis>>>,
    /// Sequence lengths; the model's own unless given.
    seq_len: Option<At<Spelled<Axis>>>,
    /// Sequences per GPU in one forward and backward pass.
    micro_batch: Option<At<Spelled<Axis>>>,
    /// Micro-batches per GPU and step.
    grad_accum: Option<At<Spelled<Axis>>>,
    /// Activation checkpointing.
    #[serde(alias = "activation_checkpointing")]
    checkpointing: Option<At<Spelled<OnOffAuto>>>,
}

impl Search {
    /// Adds the axes to settings that have none yet.
    pub(super) fn fill(&self, settings: &mut Settings, file: &Reader<'_>) {
        settings.gpus = file.spelled(self.gpus.as_ref());
        settings.seq_len = file.spelled(self.seq_len.as_ref());
        settings.micro_batch = file.spelled(self.micro_batch.as_ref());
        settings.grad_accum = file.spelled(self.grad_accum.as_ref());
        settings.checkpointing = file
            .spelled(self.checkpointing.as_ref())
            .map(|set| set.map(|OnOffAuto(switch)| switch));
    }
}

impl JobTable {
    fn settings(&self, origin: &Origin) -> Result<Settings, Diagnostic> {
        let file = Reader { origin };
        let mut settings = Settings {
            model: self.model(&file)?,
            tokens: file.spelled(self.tokens.as_ref()),
            clusters: self.clusters(&file)?,
            stack: file.set(self.stack.as_ref()),
            global_batch: file.spelled(self.global_batch.as_ref()),
            sort: file.set(self.sort.as_ref()),
            top: file.whole(self.top.as_ref()),
            confidence: file.spelled(self.confidence.as_ref()),
            allow_tight: file.set(self.allow_tight.as_ref()),
            fit: file.set(self.fit.as_ref()),
            presets: self
                .presets
                .as_ref()
                .map(|at| file.all(&at.value.each(&at.span)))
                .unwrap_or_default(),
            launch: self.launch.clone(),
            reliability: self.reliability.settings(&file),
            prices: PriceSettings {
                usd_per_gpu_hour: file.spelled(self.usd_per_gpu_hour.as_ref()),
                price_type: file.set(self.price_type.as_ref()),
                provider: file.set(self.provider.as_ref()),
                region: file.set(self.region.as_ref()),
                as_of: file.spelled(self.as_of.as_ref()),
            },
            reserve: self.reserve.settings(&file),
            ..Settings::default()
        };
        self.search.fill(&mut settings, &file);
        Ok(settings)
    }

    fn ladder(&self, origin: &Origin) -> Result<Option<Ladder>, Diagnostic> {
        if let (Some(model), Some(job)) = (&self.model, self.jobs.first()) {
            return Err(
                Diagnostic::new("`model` and `[[jobs]]` both say what is trained")
                    .in_text(origin.clone())
                    .at(model.span.clone(), "one job")
                    .at(job.span.clone(), "and several")
                    .help("move `model` into a table `[[jobs]]` of its own, or leave it out")
                    .help(
                        "to ask about one job alone, put it into a file of its own, without \
                         `[schedule]` and `[[jobs]]`",
                    ),
            );
        }
        Ladder::read(&self.jobs, self.schedule.as_ref(), origin)
    }

    fn model(&self, file: &Reader<'_>) -> Result<Option<Sourced<ModelChoice>>, Diagnostic> {
        match &self.model {
            Some(at) => file.model(at).map(Some),
            None => Ok(match self.models.0.as_slice() {
                [(only, _)] => Some(file.at(&only.span, ModelChoice::Named(only.value.clone()))),
                _ => None,
            }),
        }
    }

    fn clusters(&self, file: &Reader<'_>) -> Result<Option<Vec<Sourced<String>>>, Diagnostic> {
        match (&self.cluster, &self.clusters) {
            (None, None) => Ok(None),
            (
                Some(one),
                None
                | Some(At {
                    value: NamesOrTables::Tables(_),
                    ..
                }),
            ) => Ok(Some(file.all(&one.value.each(&one.span)))),
            (None, Some(At { value, span })) => Ok(Some(match value {
                NamesOrTables::Names(names) => file.all(&names.each(span)),
                NamesOrTables::Tables(tables) => {
                    let names: Vec<_> = tables.0.iter().map(|(name, _)| name.clone()).collect();
                    file.all(&names)
                }
            })),
            (Some(one), Some(many)) => {
                Err(Diagnostic::new("`cluster` and `clusters` mean the same")
                    .in_text(file.origin.clone())
                    .at(
                        one.span.start.max(many.span.start)..one.span.end.max(many.span.end),
                        "again here",
                    )
                    .at(
                        one.span.start.min(many.span.start)..one.span.end.min(many.span.end),
                        "first here",
                    )
                    .help("keep one of them"))
            }
        }
    }

    fn into_tables(self) -> Tables {
        let clusters = match self.clusters {
            Some(At {
                value: NamesOrTables::Tables(tables),
                ..
            }) => tables,
            _ => Entries::default(),
        };
        Tables {
            models: self.models,
            gpus: self.gpus,
            clusters,
            stacks: self.stacks,
            prices: self.prices,
            products: self.products,
        }
    }
}
