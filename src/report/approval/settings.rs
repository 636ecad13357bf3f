//! How a job was set, where that is not the default.

use crate::configuration::on_off;
use crate::forecast::Reliability;
use crate::job::{GlobalBatch, Request, StackChoice};
use crate::measure::DEFAULT_STACK;
use crate::plan::RequestReport;
use crate::quantity::{SECONDS_PER_HOUR, display_hours};
use crate::search::{Objective, Switch};

use super::super::number::{percent, unit_price};
use super::super::ranking::by;
use super::{Approval, note};

impl Approval<'_> {
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let differing = differing(&self.plan.request, self.request);
        if differing.is_empty() {
            vec![note(
                "none",
                "every setting but the model and the tokens is the default",
            )]
        } else {
            differing
        }
    }
}

/// The settings of a job that differ from the defaults.
pub(super) fn differing(r: &RequestReport, job: &Request) -> Vec<(String, String)> {
    let batch = job.model.global_batch.get();
    // Where nobody names one, the stack taken is the default, be it that of the fit's own rows.
    let default_stack = match job.stack_choice {
        StackChoice::Named => DEFAULT_STACK.to_owned(),
        StackChoice::OfRows(_) | StackChoice::Default => r.stack.clone(),
    };
    let settings = [
        ("clusters", r.clusters.join(", "), "r7z2, r1z1".to_owned()),
        ("stack", r.stack.clone(), default_stack),
        (
            "global batch",
            job.global_batch.to_string(),
            GlobalBatch {
                min: batch,
                max: batch,
            }
            .to_string(),
        ),
        ("GPUs", r.gpus.clone(), "auto".into()),
        (
            "sequence length",
            r.seq_len.clone(),
            job.model.seq_len.to_string(),
        ),
        ("micro-batch", r.micro_batch.clone(), "auto".into()),
        ("gradient accumulation", r.grad_accum.clone(), "auto".into()),
        (
            "activation checkpointing",
            r.activation_checkpointing.to_string(),
            Switch::Auto.to_string(),
        ),
        (
            "ranked by",
            by(r.sort).to_owned(),
            by(Objective::Time).to_owned(),
        ),
        ("candidates", r.top.to_string(), "10".into()),
        ("confidence", r.confidence.to_string(), "0.9".into()),
        (
            "tight configurations",
            on_off(r.allow_tight).into(),
            "off".into(),
        ),
    ];
    let any = |text: &Option<String>| text.clone().unwrap_or_else(|| "any".to_owned());
    let prices = [
        ("price type", any(&r.price_type), "any".to_owned()),
        ("provider", any(&r.provider), "any".to_owned()),
        ("region", any(&r.region), "any".to_owned()),
    ];
    let set = reliability(&r.reliability);
    let default = reliability(&Reliability::default());
    let reliability = set.into_iter().zip(default);
    let reliability = reliability.map(|((name, set), (_, default))| (name, set, default));
    settings
        .into_iter()
        .chain(prices)
        .chain(reliability)
        .filter(|(_, set, default)| set != default)
        .map(|(name, set, default)| note(name, format!("{set} (default: {default})")))
        .chain(stated_price(job))
        .collect()
}

/// The price of a GPU-hour that the job's owner states, which takes the place of any published.
fn stated_price(job: &Request) -> Option<(String, String)> {
    let mut clusters = job.clusters.iter();
    let stated = clusters.find_map(|cluster| {
        let price = job.pricing.price(cluster)?;
        price.is_stated().then_some(price)
    })?;
    let usd = unit_price(stated.usd_per_gpu_hour);
    Some(note(
        "price",
        format!("${usd} per GPU-hour, stated (default: the one published)"),
    ))
}

/// The settings of reliability in words.
fn reliability(r: &Reliability) -> [(&'static str, String); 8] {
    let time = |seconds: f64| display_hours(seconds / SECONDS_PER_HOUR);
    let interval = r.checkpoint_interval_s.map(time);
    let share = || format!("{} %", percent(r.spare_share));
    [
        ("failure rate", r.failures_per_1000_node_days.to_string()),
        ("restart", time(r.restart_s)),
        ("start-up", time(r.start_up_s)),
        ("checkpoint bytes", r.checkpoint_bytes_per_param.to_string()),
        (
            "checkpoint GB/s",
            (r.write_bytes_per_s_node / 1e9).to_string(),
        ),
        (
            "checkpoint interval",
            interval.unwrap_or_else(|| "optimal".to_owned()),
        ),
        (
            "spare nodes",
            r.spare_nodes.map_or_else(share, |nodes| nodes.to_string()),
        ),
        ("replacement", time(r.replacement_s)),
    ]
}
