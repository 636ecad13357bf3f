//! The engine's view of the models: fit, memory, wall clock and bill behind one trait.

use crate::configuration::Setting;
use crate::forecast::{Bill, Reliability, WallClock};
use crate::job::Request;
use crate::memory::{MemoryModel, Verdict};
use crate::search::{Evaluator, Group, GroupEvaluator, Objective, Score};
use crate::throughput::{Fit, MicroBatchModel, StepModel};

const SECONDS_PER_HOUR: f64 = 3600.0;

/// What a sweep looks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// The best plan.
    Best(Objective),
    /// The global batch nearest to this many tokens.
    NearestBatch(f64),
    /// The fewest GPUs.
    FewestGpus,
}

/// Everything the configurations of a request have in common.
pub(super) struct Physics<'a> {
    pub(super) request: &'a Request,
    pub(super) fit: &'a Fit,
    pub(super) reliability: &'a Reliability,
    pub(super) goal: Goal,
}

/// Everything the configurations of one group and checkpointing choice have in common.
pub(super) struct GroupPhysics<'a> {
    steps: StepModel<'a>,
    memory: MemoryModel,
    clock: WallClock,
    bill: Bill,
    gpus: f64,
    budget_tokens: f64,
    goal: Goal,
}

impl<'a> Evaluator for Physics<'a> {
    type Group = GroupPhysics<'a>;

    fn group(&self, group: &Group<'_>, activation_checkpointing: bool) -> Self::Group {
        let &Group {
            cluster,
            gpus,
            seq_len,
            ..
        } = group;
        let shape = &self.request.model.shape;
        let setting = Setting {
            shape,
            cluster,
            stack: &self.request.stack,
        };
        GroupPhysics {
            steps: self
                .fit
                .step_model(&setting, gpus, seq_len, activation_checkpointing),
            memory: MemoryModel::new(&setting, gpus, seq_len, activation_checkpointing),
            clock: WallClock::new(self.reliability, shape.params(seq_len), cluster, gpus),
            bill: Bill::new(cluster, gpus),
            gpus: gpus as f64,
            budget_tokens: self.request.tokens.as_f64(),
            goal: self.goal,
        }
    }
}

impl GroupEvaluator for GroupPhysics<'_> {
    type MicroBatch = MicroBatchModel;

    fn verdict(&self, micro_batch: u64) -> Verdict {
        self.memory.verdict(micro_batch)
    }

    fn micro_batch(&self, micro_batch: u64) -> MicroBatchModel {
        self.steps.micro_batch(micro_batch)
    }

    fn step_s(&self, micro_batch: &MicroBatchModel, grad_accum: u64) -> f64 {
        micro_batch.step_s(grad_accum)
    }

    fn score(&self, step_s: f64, batch_tokens: f64) -> Score {
        let train_h = self.budget_tokens * (step_s / batch_tokens) / SECONDS_PER_HOUR;
        let hours = self.clock.hours(train_h);
        let objective = match self.goal {
            Goal::Best(Objective::Time) => hours,
            Goal::Best(Objective::GpuHours) => hours * self.bill.gpus,
            // What has no price ranks behind everything that has one.
            Goal::Best(Objective::Cost) => self
                .bill
                .usd_per_gpu_hour
                .map_or(f64::INFINITY, |price| hours * self.bill.gpus * price),
            Goal::Best(Objective::Throughput) => -batch_tokens / step_s,
            Goal::NearestBatch(asked) => (batch_tokens - asked).abs(),
            Goal::FewestGpus => self.gpus,
        };
        Score::new(objective, hours)
    }
}
