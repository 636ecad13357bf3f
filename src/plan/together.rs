//! Several changes at once, in words: what differs from what was asked for, and nothing else.

use super::told::Told;
use crate::configuration::on_off;
use crate::job::Request;
use crate::search::{Axis, Ranked};

/// What to change of `asked` to launch what was found; empty where nothing.
pub(super) fn together_words(found: &Ranked, asked: &Request, told: Told) -> String {
    let configuration = &found.configuration;
    let mut changes: Vec<String> = Vec::new();
    let mut change = |what: String, how: String| changes.push(format!("{what} ({how})"));
    let (gpus, micro_batch) = (configuration.gpus, configuration.micro_batch);
    let grad_accum = configuration.grad_accum;
    let numbers = [
        (
            &asked.gpus,
            gpus,
            format!("{gpus} GPUs"),
            ("--gpus", "gpus"),
        ),
        (
            &asked.micro_batch,
            micro_batch,
            format!("micro-batch {micro_batch}"),
            ("--micro-batch", "micro_batch"),
        ),
        (
            &asked.grad_accum,
            grad_accum,
            format!("gradient accumulation {grad_accum}"),
            ("--grad-accum", "grad_accum"),
        ),
    ];
    for (axis, value, what, (flag, key)) in numbers {
        if *axis != Axis::Auto && !axis.contains(value) {
            change(what, told.of_search(flag, key, value));
        }
    }
    let recomputes = configuration.activation_checkpointing;
    let choices = asked.activation_checkpointing.choices();
    if !choices.contains(&recomputes) {
        let choice = on_off(recomputes);
        change(
            format!("checkpointing {choice}"),
            told.checkpointing(choice),
        );
    }
    let batch = configuration.global_batch_tokens();
    if !(asked.global_batch.min..=asked.global_batch.max).contains(&batch) {
        change(
            format!("a global batch of {batch} tokens"),
            told.of_job("--global-batch", "global_batch", batch),
        );
    }
    changes.join(", ")
}
