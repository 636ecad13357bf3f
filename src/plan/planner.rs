//! From a request to a plan.

use super::candidate::{Candidate, Forecaster};
use super::error::PlanError;
use super::physics::{Goal, Physics};
use super::{FitReport, Plan, RequestReport, SCHEMA_VERSION, SpaceReport, notes, predict, remedy};
use crate::configuration::{Configuration, Setting};
use crate::forecast::Reliability;
use crate::hardware::Cluster;
use crate::job::Request;
use crate::search::{Axes, Axis, Limits, Outcome, Ranked, Space, SpaceError, Watch, sweep};
use crate::throughput::Fit;
use crate::utilization::Convention;

/// For how many GPU counts of a cluster the best configuration is shown, at most.
const SHOWN_GPU_COUNTS: u64 = 64;

/// Plans and predicts with one fit. It holds no state of its own and can be shared by threads.
#[derive(Debug, Clone)]
pub struct Planner<'a> {
    fit: &'a Fit,
    reliability: Reliability,
    convention: Convention,
    alternatives: &'a [Cluster],
    prune: bool,
}

/// Ranks the launch configurations of `request` as [`Planner::plan`] does by default.
///
/// # Errors
/// As [`Planner::plan`].
pub fn plan(request: &Request, fit: &Fit) -> Result<Plan, PlanError> {
    Planner::new(fit).plan(request)
}

/// Predicts the one configuration of `request` as [`Planner::predict`] does by default.
///
/// # Errors
/// As [`Planner::predict`].
pub fn predict_one(request: &Request, fit: &Fit) -> Result<Candidate, PlanError> {
    Planner::new(fit).predict(request)
}

impl<'a> Planner<'a> {
    /// A planner with the defaults of [`Reliability`] and [`Convention`].
    #[must_use]
    pub fn new(fit: &'a Fit) -> Self {
        Self {
            fit,
            reliability: Reliability::default(),
            convention: Convention::default(),
            alternatives: &[],
            prune: true,
        }
    }

    /// Sets what goes wrong on the clusters.
    #[must_use]
    pub fn reliability(mut self, reliability: Reliability) -> Self {
        self.reliability = reliability;
        self
    }

    /// Sets how FLOPs are counted.
    #[must_use]
    pub fn convention(mut self, convention: Convention) -> Self {
        self.convention = convention;
        self
    }

    /// Clusters to suggest when nothing fits on those asked for.
    #[must_use]
    pub fn alternatives(mut self, clusters: &'a [Cluster]) -> Self {
        self.alternatives = clusters;
        self
    }

    /// Computes the time of every configuration that can be launched, rather than drop those that
    /// a bound shows can't be among the best. The plan is the same, but for
    /// [`SpaceReport::evaluated`]; it takes longer.
    #[must_use]
    pub fn exhaustive(mut self) -> Self {
        self.prune = false;
        self
    }

    /// Ranks the launch configurations of `request`.
    ///
    /// Sweeps on the current rayon pool; the plan is the same for any number of threads.
    ///
    /// # Errors
    /// When there is no space to search, or when nothing in it can be launched: then with the
    /// smallest changes that would help.
    pub fn plan(&self, request: &Request) -> Result<Plan, PlanError> {
        self.plan_watched(request, &Watch::new())
    }

    /// [`Planner::plan`] under a [`Watch`]: how far it is, the best so far as it is found, and a
    /// way to end it early. A plan that was ended early says so in [`Plan::partial`].
    ///
    /// ```
    /// # use tminus::job::{Settings, Sourced, resolve};
    /// # use tminus::measure::{MOSAICGPT_2023, read};
    /// # use tminus::preset::Catalog;
    /// # use tminus::throughput::Fit;
    /// use tminus::plan::Planner;
    /// use tminus::search::Watch;
    /// # let catalog = Catalog::embedded();
    /// # let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &catalog)?;
    /// # let fit = Fit::new("mosaicgpt-2023", table.rows)?;
    /// # let job = tminus::job::JobFile::parse("job.toml", "model = \"gpt-1b\"\n")?;
    /// # let request = resolve(Settings::default().over(job.settings), &catalog)?;
    /// let watch = Watch::new().on_best(|best| println!("{:?}", best.configuration));
    /// let plan = std::thread::scope(|scope| {
    ///     let search = scope.spawn(|| Planner::new(&fit).plan_watched(&request, &watch));
    ///     // Here `watch.progress()` can be shown and `watch.cancel()` called.
    ///     search.join()
    /// });
    /// let plan = plan.map_err(|_| "the search panicked")??;
    /// assert!(!plan.partial);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Planner::plan`], and when the search was ended before it found anything.
    pub fn plan_watched(&self, request: &Request, watch: &Watch<'_>) -> Result<Plan, PlanError> {
        let request = &resolved(request)?;
        let limits = Limits {
            top: request.top,
            gpu_counts: SHOWN_GPU_COUNTS,
            allow_tight: request.allow_tight,
            prune: self.prune,
        };
        let outcome = self.sweep(request, Goal::Best(request.sort), limits, watch)?;
        let space = SpaceReport::new(&outcome.counts);
        if outcome.best.is_empty() && outcome.partial {
            return Err(PlanError::Cancelled { space });
        }
        if outcome.best.is_empty() {
            return Err(PlanError::NothingFeasible {
                space,
                remedies: remedy::remedies(self, request, self.alternatives),
            });
        }
        let candidates = self.candidates(request, &outcome.best)?;
        let mut by_gpu_count = outcome.best_by_gpu_count;
        by_gpu_count.sort_unstable();
        let mut best_by_gpu_count = self.candidates(request, &by_gpu_count)?;
        best_by_gpu_count.sort_by_key(|candidate| {
            let named = |cluster: &Cluster| cluster.name == candidate.cluster;
            (request.clusters.iter().position(named), candidate.gpus)
        });
        let mut notes = notes::notes(request, &space, &candidates);
        if outcome.partial {
            notes.insert(0, notes::partial(&space));
        }
        Ok(Plan {
            schema_version: SCHEMA_VERSION,
            request: RequestReport::new(request, &self.reliability),
            fit: FitReport::new(self.fit),
            space,
            notes,
            candidates,
            best_by_gpu_count,
            partial: outcome.partial,
        })
    }

    /// Predicts the one configuration that `request` describes, feasible or not.
    ///
    /// What is left on `auto` is chosen: one node, the model's sequence length, the checkpointing
    /// and the largest power-of-two micro-batch that fit, the gradient accumulation that comes
    /// nearest to the global batch.
    ///
    /// # Errors
    /// When an axis has several values, or when the configuration can't exist.
    pub fn predict(&self, request: &Request) -> Result<Candidate, PlanError> {
        let request = &resolved(request)?;
        let (cluster, configuration) = predict::single(request)?;
        let asked = (request.grad_accum == Axis::Auto).then_some(request.global_batch.min);
        self.candidate(request, cluster, &configuration, asked)
    }

    /// Sweeps the space of `request` for `goal`.
    pub(super) fn sweep(
        &self,
        request: &Request,
        goal: Goal,
        limits: Limits,
        watch: &Watch<'_>,
    ) -> Result<Outcome, SpaceError> {
        let axes = Axes {
            gpus: request.gpus.clone(),
            seq_len: request.seq_len.clone(),
            micro_batch: request.micro_batch.clone(),
            grad_accum: request.grad_accum.clone(),
            activation_checkpointing: request.activation_checkpointing,
            global_batch: request.global_batch.min..=request.global_batch.max,
        };
        let space = Space::new(axes, &request.clusters)?;
        let physics = Physics::new(request, self.fit, &self.reliability, goal);
        Ok(sweep(&space, &physics, limits, watch))
    }

    fn candidates(
        &self,
        request: &Request,
        ranked: &[Ranked],
    ) -> Result<Vec<Candidate>, PlanError> {
        let asked = Some(request.global_batch.min);
        let mut candidates: Vec<Candidate> = Vec::with_capacity(ranked.len());
        for place in ranked {
            let Some(cluster) = request.clusters.get(place.cluster) else {
                continue;
            };
            let mut candidate = self.candidate(request, cluster, &place.configuration, asked)?;
            candidate.rank = candidates.len() + 1;
            if let (Some(best), Some(first)) = (candidates.first(), ranked.first()) {
                let ratio = candidate.ratio_to(best, request.sort);
                candidate.tied_with_best = !self.tells_apart(request, place, first, ratio);
            }
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    /// Whether one ranked configuration is surely better than another, of which the figure ranked
    /// by is `ratio` times as large; without a ratio there is nothing to compare.
    fn tells_apart(
        &self,
        request: &Request,
        one: &Ranked,
        other: &Ranked,
        ratio: Option<f64>,
    ) -> bool {
        let setting = |place: &Ranked| {
            let cluster = request.clusters.get(place.cluster)?;
            Some(Setting {
                shape: &request.model.shape,
                cluster,
                stack: &request.stack,
            })
        };
        let (Some(ratio), Some(of_one), Some(of_other)) = (ratio, setting(one), setting(other))
        else {
            return true;
        };
        self.fit.tells_apart(
            (&of_one, &one.configuration),
            (&of_other, &other.configuration),
            ratio,
            request.confidence,
        )
    }

    fn candidate(
        &self,
        request: &Request,
        cluster: &Cluster,
        configuration: &Configuration,
        least_batch: Option<u64>,
    ) -> Result<Candidate, PlanError> {
        let forecaster = Forecaster {
            fit: self.fit,
            reliability: &self.reliability,
            convention: self.convention,
            confidence: request.confidence,
            tokens: request.tokens,
            least_batch,
        };
        let setting = Setting {
            shape: &request.model.shape,
            cluster,
            stack: &request.stack,
        };
        forecaster
            .candidate(&setting, configuration)
            .ok_or_else(|| PlanError::NotFinite {
                configuration: describe(cluster, configuration),
            })
    }
}

/// The configuration in words.
pub(super) fn describe(cluster: &Cluster, configuration: &Configuration) -> String {
    format!(
        "{} GPUs of {}, sequence length {}, micro-batch {}, gradient accumulation {}, \
         checkpointing {}",
        configuration.gpus,
        cluster.name,
        configuration.seq_len,
        configuration.micro_batch,
        configuration.grad_accum,
        if configuration.activation_checkpointing {
            "on"
        } else {
            "off"
        },
    )
}

/// The request with its sequence length filled in, checked for what no search can mend.
fn resolved(request: &Request) -> Result<Request, PlanError> {
    let mut request = request.clone();
    if request.seq_len == Axis::Auto {
        request.seq_len = Axis::list([request.model.seq_len]);
    }
    if request.clusters.is_empty() {
        return Err(PlanError::NoCluster);
    }
    if request.top == 0 {
        return Err(PlanError::NoCandidates);
    }
    let longest = request.seq_len.largest_up_to(u64::MAX);
    match (request.model.shape.position_limit(), longest) {
        (Some(max_positions), Some(seq_len)) if seq_len > max_positions => {
            Err(PlanError::BeyondPositions {
                model: request.model.name,
                seq_len,
                max_positions,
            })
        }
        _ => Ok(request),
    }
}

/// A planner, what it is asked and what it answers can be shared and sent between threads.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Planner<'static>>();
    shared::<Watch<'static>>();
    shared::<Request>();
    shared::<Plan>();
    shared::<PlanError>();
};
