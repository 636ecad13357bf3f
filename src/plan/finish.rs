//! When a candidate is done.

use super::resolve::resolved;
use super::{Candidate, Planner};
use crate::configuration::Configuration;
use crate::forecast::{FinishTime, WallClock};
use crate::job::Request;
use crate::quantity::{SECONDS_PER_HOUR, Tokens};
use crate::throughput::StepTime;

impl Planner<'_> {
    /// When a candidate of `request` has trained on the request's tokens: the distribution that
    /// [`Candidate::time_to_budget_h`] is an interval of.
    ///
    /// `None` when the request doesn't know the candidate's cluster, or when its time isn't finite.
    #[must_use]
    pub fn finish(&self, request: &Request, candidate: &Candidate) -> Option<FinishTime> {
        self.finish_for(request, candidate, request.tokens)
    }

    /// A candidate of `request` where so many spare nodes are kept; `None` as for
    /// [`Planner::finish`].
    #[must_use]
    pub fn with_spares(
        &self,
        request: &Request,
        candidate: &Candidate,
        spares: u64,
    ) -> Option<Candidate> {
        let request = resolved(request).ok()?.keeping(spares);
        let cluster = request.cluster(&candidate.cluster)?;
        let asked = Some(request.global_batch.min);
        self.candidate(&request, cluster, &candidate.configuration(), asked)
            .ok()
    }

    /// The same for another number of tokens.
    #[must_use]
    pub fn finish_for(
        &self,
        request: &Request,
        candidate: &Candidate,
        tokens: Tokens,
    ) -> Option<FinishTime> {
        self.finisher(request, candidate)?.at(tokens)
    }

    /// When a candidate of `request` is done, whatever the tokens; `None` when the request doesn't know
    /// its cluster.
    pub(crate) fn finisher(&self, request: &Request, candidate: &Candidate) -> Option<Finisher> {
        let cluster = request.cluster(&candidate.cluster)?;
        let setting = request.setting(cluster);
        let step = self.fit().step_time(&setting, &candidate.configuration());
        let clock = request.keeping(candidate.spare_nodes).clock(
            cluster,
            candidate.gpus,
            candidate.seq_len,
        );
        Some(Finisher {
            clock: clock.in_steps_of(step.expected_s()),
            step,
            step_tokens: candidate.global_batch_tokens,
        })
    }
}

/// What tokens don't change about when a candidate is done.
pub(crate) struct Finisher {
    clock: WallClock,
    step: StepTime,
    step_tokens: u64,
}

impl Finisher {
    /// When it has trained on so many tokens; `None` when that isn't finite.
    pub(crate) fn at(&self, tokens: Tokens) -> Option<FinishTime> {
        let steps = tokens.as_f64() / self.step_tokens as f64;
        let train_h = steps * self.step.expected_s() / SECONDS_PER_HOUR;
        let finish = FinishTime::new(&self.clock, train_h, self.step);
        finish.expected_h().is_finite().then_some(finish)
    }
}

impl Candidate {
    /// The configuration it is.
    #[must_use]
    pub fn configuration(&self) -> Configuration {
        Configuration {
            gpus: self.gpus,
            seq_len: self.seq_len,
            micro_batch: self.micro_batch,
            grad_accum: self.grad_accum,
            activation_checkpointing: self.activation_checkpointing,
        }
    }
}
