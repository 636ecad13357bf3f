//! The engine's view of the models: fit, memory, wall clock and bill behind one trait.

use std::ops::RangeInclusive;

use crate::forecast::{Bill, WallClock};
use crate::job::Request;
use crate::memory::Verdict;
use crate::quantity::SECONDS_PER_HOUR;
use crate::search::{Evaluator, Group, GroupEvaluator, Objective, Score};
use crate::throughput::{Fit, MicroBatchModel, SettingModel, StepModel};

/// What a sweep looks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// The best plan.
    Best(Objective),
    /// The global batch nearest to this many tokens.
    NearestBatch(f64),
    /// The fewest GPUs.
    FewestGpus,
    /// The number of GPUs nearest to this one.
    NearestGpus(f64),
}

/// Everything the configurations of a request have in common.
pub(super) struct Physics<'a> {
    request: &'a Request,
    fit: &'a Fit,
    goal: Goal,
    /// Step times on each cluster.
    steps: Vec<SettingModel<'a>>,
}

impl<'a> Physics<'a> {
    pub(super) fn new(request: &'a Request, fit: &'a Fit, goal: Goal) -> Self {
        let clusters = request.clusters.iter();
        let steps = clusters.map(|cluster| fit.setting_model(&request.setting(cluster)));
        Self {
            request,
            fit,
            goal,
            steps: steps.collect(),
        }
    }
}

/// Everything the configurations of one group and checkpointing choice have in common.
pub(super) struct GroupPhysics {
    steps: StepModel,
    clock: WallClock,
    bill: Bill,
    gpus: f64,
    budget_tokens: f64,
    goal: Goal,
}

impl Evaluator for Physics<'_> {
    type Group = GroupPhysics;

    fn group(&self, group: &Group<'_>, activation_checkpointing: bool) -> Self::Group {
        let &Group {
            cluster_index,
            cluster,
            gpus,
            seq_len,
        } = group;
        let setting = self.request.setting(cluster);
        let step_model =
            |model: &SettingModel<'_>| model.step_model(gpus, seq_len, activation_checkpointing);
        let clock = self.request.clock(cluster, gpus, seq_len);
        let price = self.request.pricing.price(cluster);
        let usd = price.map(|price| price.usd_per_gpu_hour);
        GroupPhysics {
            steps: self
                .steps
                .get(cluster_index)
                .map_or_else(|| step_model(&self.fit.setting_model(&setting)), step_model),
            bill: Bill::new(cluster, gpus, clock.spares, usd),
            clock,
            gpus: gpus as f64,
            budget_tokens: self.request.tokens.as_f64(),
            goal: self.goal,
        }
    }

    fn usd_per_hour(&self, group: &Group<'_>) -> Option<f64> {
        let price = self.request.pricing.price(group.cluster)?.usd_per_gpu_hour;
        // Spares follow from the cluster and the GPU count alone.
        let nodes = group.cluster.nodes(group.gpus);
        let spares = self.request.spares(group.cluster, nodes);
        let bill = Bill::new(group.cluster, group.gpus, spares, Some(price));
        Some(bill.gpus * price)
    }
}

impl GroupEvaluator for GroupPhysics {
    type MicroBatch = MicroBatchModel;

    fn verdict(&self, micro_batch: u64) -> Verdict {
        self.steps.verdict(micro_batch)
    }

    fn micro_batch(&self, micro_batch: u64) -> MicroBatchModel {
        self.steps.micro_batch(micro_batch)
    }

    fn step_s(&self, micro_batch: &MicroBatchModel, grad_accum: u64) -> f64 {
        micro_batch.step_s(grad_accum)
    }

    fn score(&self, step_s: f64, batch_tokens: f64) -> Score {
        let clock = self.clock.in_steps_of(step_s);
        self.score_of(step_s / batch_tokens, batch_tokens, &clock)
    }

    fn fastest_pace(&self, micro_batches: RangeInclusive<u64>, sequences: u64) -> f64 {
        self.steps.fastest_pace(micro_batches, sequences)
    }

    fn best_score(&self, least_s_per_token: f64, batch_tokens: RangeInclusive<f64>) -> Score {
        let step_s = |batch_tokens: f64| least_s_per_token * batch_tokens;
        let (shortest_s, longest_s) = (step_s(*batch_tokens.start()), step_s(*batch_tokens.end()));
        let clock = self.clock.in_steps_between(shortest_s, longest_s);
        let batch_tokens = match self.goal {
            Goal::NearestBatch(asked) => asked.clamp(*batch_tokens.start(), *batch_tokens.end()),
            Goal::Best(_) | Goal::FewestGpus | Goal::NearestGpus(_) => *batch_tokens.end(),
        };
        self.score_of(least_s_per_token, batch_tokens, &clock)
    }
}

impl GroupPhysics {
    /// The score never gets better with more seconds per token, nor with longer steps of as many
    /// tokens; only the goal of a nearest batch looks at the batch besides.
    fn score_of(&self, s_per_token: f64, batch_tokens: f64, clock: &WallClock) -> Score {
        let hours = clock.hours(self.budget_tokens * s_per_token / SECONDS_PER_HOUR);
        let objective = match self.goal {
            // A front is that of the fastest of each GPU count.
            Goal::Best(Objective::Time | Objective::Pareto) => hours,
            Goal::Best(Objective::GpuHours) => hours * self.bill.gpus,
            // What has no price ranks behind everything that has one.
            Goal::Best(Objective::Cost) => self
                .bill
                .usd_per_gpu_hour
                .map_or(f64::INFINITY, |price| hours * self.bill.gpus * price),
            Goal::Best(Objective::Throughput) => -s_per_token.recip(),
            Goal::NearestBatch(asked) => (batch_tokens - asked).abs(),
            Goal::FewestGpus => self.gpus,
            Goal::NearestGpus(asked) => (self.gpus - asked).abs(),
        };
        Score::new(objective, hours)
    }
}
