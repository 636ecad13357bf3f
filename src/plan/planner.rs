//! From a request to a plan.

use rayon::prelude::*;

use super::candidate::{Candidate, Forecaster};
use super::error::{PlanError, check_priced, check_priced_at_all};
use super::every_node;
use super::front::{self, Shown};
use super::links_note::links_note;
use super::physics::{Goal, Physics};
use super::resolve::{axes, left_out, resolved};
use super::{FitReport, Plan, RequestReport, SCHEMA_VERSION, SpaceReport, notes, remedy};
use crate::configuration::{Configuration, on_off};
use crate::hardware::Cluster;
use crate::job::Request;
use crate::quantity::plural;
use crate::search::{
    Counts, Limits, Objective, Outcome, Ranked, Space, SpaceError, Watch, sweep, sweep_front,
};
use crate::throughput::Fit;
use crate::utilization::Convention;

/// For how many GPU counts of a cluster the best configuration is shown, at most.
pub(crate) const SHOWN_GPU_COUNTS: u64 = 64;

/// Plans and predicts with one fit. It holds no state of its own and can be shared by threads.
#[derive(Debug, Clone)]
pub struct Planner<'a> {
    fit: &'a Fit,
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

impl<'a> Planner<'a> {
    /// A planner with the default [`Convention`].
    #[must_use]
    pub fn new(fit: &'a Fit) -> Self {
        Self {
            fit,
            convention: Convention::default(),
            alternatives: &[],
            prune: true,
        }
    }

    /// Sets how FLOPs are counted.
    #[must_use]
    pub fn convention(mut self, convention: Convention) -> Self {
        self.convention = convention;
        self
    }

    pub(crate) fn fit(&self) -> &Fit {
        self.fit
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
        let resolved = resolved(request)?;
        let mut plan = self.plan_resolved(&resolved, watch)?;
        plan.notes.extend(left_out(request));
        Ok(plan)
    }

    fn plan_resolved(&self, request: &Request, watch: &Watch<'_>) -> Result<Plan, PlanError> {
        let limits = Limits {
            top: request.top,
            gpu_counts: SHOWN_GPU_COUNTS,
            allow_tight: request.allow_tight,
            prune: self.prune,
        };
        if request.sort == Objective::Pareto {
            return self.plan_front(request, limits, watch);
        }
        let outcome = self.sweep(request, Goal::Best(request.sort), limits, watch)?;
        self.check_found(
            request,
            &outcome.counts,
            outcome.best.is_empty(),
            outcome.partial,
        )?;
        if request.sort == Objective::Cost {
            check_priced(request, &outcome.best)?;
        }
        let candidates = self.candidates(request, &outcome.best, request.sort)?;
        let seen = Seen {
            counts: outcome.counts,
            best_by_gpu_count: outcome.best_by_gpu_count,
            partial: outcome.partial,
        };
        let mut plan = self.assemble(request, candidates, seen, request.sort)?;
        let best = plan.candidates.first().filter(|_| !plan.partial);
        let note = best.and_then(|best| every_node::note(self, request, best));
        plan.notes.extend(note);
        Ok(plan)
    }

    /// The plan whose candidates are the time–cost front.
    fn plan_front(
        &self,
        request: &Request,
        limits: Limits,
        watch: &Watch<'_>,
    ) -> Result<Plan, PlanError> {
        let space = Space::of_every_node(axes(request), &request.clusters)?;
        let goal = Goal::Best(Objective::Pareto);
        let physics = Physics::new(request, self.fit, goal);
        let outcome = sweep_front(&space, &physics, limits, watch);
        let nothing = outcome.points.is_empty() && outcome.unpriced.is_empty();
        self.check_found(request, &outcome.counts, nothing, outcome.partial)?;
        if outcome.points.is_empty() {
            check_priced(request, &outcome.unpriced)?;
        }
        let Shown { candidates, report } = front::shown(self, request, &outcome)?;
        let seen = Seen {
            counts: outcome.counts,
            best_by_gpu_count: outcome.best_by_gpu_count,
            partial: outcome.partial,
        };
        let plan = self.assemble(request, candidates, seen, Objective::Time)?;
        Ok(Plan {
            front: Some(report),
            ..plan
        })
    }

    /// Why nothing can be launched on `cluster`, and what would help; `None` when something can.
    #[must_use]
    pub fn why_nothing_fits(&self, request: &Request, cluster: &Cluster) -> Option<PlanError> {
        let request = Request {
            clusters: vec![cluster.clone()],
            ..request.clone()
        };
        self.plan(&request).err()
    }

    /// Refuses a search that found nothing.
    fn check_found(
        &self,
        request: &Request,
        counts: &Counts,
        nothing: bool,
        partial: bool,
    ) -> Result<(), PlanError> {
        let space = SpaceReport::new(counts);
        match (nothing, partial) {
            (false, _) => Ok(()),
            (true, true) => Err(PlanError::Cancelled { space }),
            (true, false) => check_priced_at_all(request).and(Err(PlanError::NothingFeasible {
                space,
                remedies: remedy::remedies(self, request, self.alternatives),
            })),
        }
    }

    /// The plan of these candidates; those of each GPU count are ranked by `order`.
    fn assemble(
        &self,
        request: &Request,
        candidates: Vec<Candidate>,
        seen: Seen,
        order: Objective,
    ) -> Result<Plan, PlanError> {
        let space = SpaceReport::new(&seen.counts);
        let mut by_gpu_count = seen.best_by_gpu_count;
        by_gpu_count.sort_unstable();
        let mut best_by_gpu_count = self.candidates(request, &by_gpu_count, order)?;
        best_by_gpu_count.sort_by_key(|candidate| {
            let named = |cluster: &Cluster| cluster.name == candidate.cluster;
            (request.clusters.iter().position(named), candidate.gpus)
        });
        let mut notes: Vec<String> = notes::tokens_note(request, request.global_batch.min)
            .into_iter()
            .collect();
        notes.extend(notes::fit_notes(request, self.fit));
        notes.extend(notes::notes(request, &space, &candidates));
        notes.extend(candidates.iter().find_map(|candidate| {
            let note = links_note(request, self.fit, candidate)?;
            Some(format!("rank {} {note}", candidate.rank))
        }));
        let shown: [&[Candidate]; 2] = [&candidates, &best_by_gpu_count];
        notes.extend(notes::price_notes(request, &shown));
        if seen.partial {
            notes.insert(0, notes::partial(&space));
        }
        Ok(Plan {
            schema_version: SCHEMA_VERSION,
            request: RequestReport::new(request),
            fit: FitReport::new(self.fit),
            space,
            notes,
            candidates,
            best_by_gpu_count,
            partial: seen.partial,
            front: None,
        })
    }

    /// Sweeps the space of `request` for `goal`.
    pub(super) fn sweep(
        &self,
        request: &Request,
        goal: Goal,
        limits: Limits,
        watch: &Watch<'_>,
    ) -> Result<Outcome, SpaceError> {
        let space = Space::new(axes(request), &request.clusters)?;
        let physics = Physics::new(request, self.fit, goal);
        Ok(sweep(&space, &physics, limits, watch))
    }

    /// The candidates of `ranked`, best first, and whether each can be told apart from the first
    /// by the figure that `order` ranks by.
    pub(super) fn candidates(
        &self,
        request: &Request,
        ranked: &[Ranked],
        order: Objective,
    ) -> Result<Vec<Candidate>, PlanError> {
        let asked = Some(request.global_batch.min);
        let places: Vec<(&Ranked, &Cluster)> = ranked
            .iter()
            .filter_map(|place| Some((place, request.clusters.get(place.cluster)?)))
            .collect();
        // Its intervals make a candidate thousands of times as dear as a point of the search.
        let predicted: Vec<Result<Candidate, PlanError>> = places
            .par_iter()
            .map(|(place, cluster)| self.candidate(request, cluster, &place.configuration, asked))
            .collect();
        let mut candidates = predicted.into_iter().collect::<Result<Vec<_>, _>>()?;
        let first = places.first().map(|(first, cluster)| {
            let setting = request.setting(cluster);
            self.fit.reference(&setting, &first.configuration)
        });
        let tied: Vec<bool> = places
            .par_iter()
            .zip(&candidates)
            .enumerate()
            .map(|(index, ((place, cluster), candidate))| {
                let (Some(best), Some(first), true) = (candidates.first(), &first, index > 0)
                else {
                    return candidate.tied_with_best;
                };
                // Without a ratio there is nothing to compare.
                candidate.ratio_to(best, order).is_some_and(|ratio| {
                    let setting = request.setting(cluster);
                    let confidence = request.confidence;
                    !first.is_told_from(&setting, &place.configuration, ratio, confidence)
                })
            })
            .collect();
        for (index, (candidate, tied)) in candidates.iter_mut().zip(tied).enumerate() {
            candidate.rank = index + 1;
            candidate.tied_with_best = tied;
        }
        Ok(candidates)
    }

    /// Whether one ranked configuration is surely better than another, of which the figure ranked
    /// by is `ratio` times as large; without a ratio there is nothing to compare.
    pub(super) fn tells_apart(
        &self,
        request: &Request,
        one: &Ranked,
        other: &Ranked,
        ratio: Option<f64>,
    ) -> bool {
        let setting = |place: &Ranked| Some(request.setting(request.clusters.get(place.cluster)?));
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

    pub(super) fn candidate(
        &self,
        request: &Request,
        cluster: &Cluster,
        configuration: &Configuration,
        least_batch: Option<u64>,
    ) -> Result<Candidate, PlanError> {
        let forecaster = Forecaster {
            fit: self.fit,
            request,
            convention: self.convention,
            least_batch,
        };
        forecaster
            .candidate(cluster, configuration)
            .ok_or_else(|| PlanError::NotFinite {
                configuration: describe(cluster, configuration),
            })
    }
}

/// What a search has seen besides its candidates.
struct Seen {
    counts: Counts,
    best_by_gpu_count: Vec<Ranked>,
    partial: bool,
}

/// The configuration in words.
pub(super) fn describe(cluster: &Cluster, configuration: &Configuration) -> String {
    format!(
        "{} {} of {}, sequence length {}, micro-batch {}, gradient accumulation {}, \
         checkpointing {}",
        configuration.gpus,
        plural(configuration.gpus, "GPU"),
        cluster.name,
        configuration.seq_len,
        configuration.micro_batch,
        configuration.grad_accum,
        on_off(configuration.activation_checkpointing),
    )
}

/// All of these can be shared and sent between threads.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<(Planner<'static>, Watch<'static>)>();
    shared::<(Request, Plan, PlanError)>();
};
