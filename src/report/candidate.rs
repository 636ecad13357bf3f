//! The fields of a candidate, flat: what CSV holds.

use std::fmt::Display;

use serde::Serialize;

use crate::plan::{Candidate, FrontPoint, FrontStep};
use crate::quantity::Interval;

/// Column names and values gathered side by side, so that they can't come apart.
#[derive(Default)]
pub(super) struct Flat(pub(super) Vec<(String, String)>);

impl Flat {
    pub(super) fn put(&mut self, name: impl Into<String>, value: impl Display) {
        self.0.push((name.into(), value.to_string()));
    }

    pub(super) fn interval(&mut self, name: &str, interval: Option<Interval>) {
        let ends = [
            ("low", interval.map(|i| i.low)),
            ("expected", interval.map(|i| i.expected)),
            ("high", interval.map(|i| i.high)),
        ];
        for (end, value) in ends {
            let value = value.map_or_else(String::new, |value| value.to_string());
            self.put(format!("{name}_{end}"), value);
        }
    }
}

/// The name a value has in JSON (`fits`, `measured`).
pub(super) fn json_name(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Every field of a candidate as a column; nested names are joined with `_`.
pub(super) fn fields(candidate: &Candidate) -> Vec<(String, String)> {
    let c = candidate;
    let mut flat = Flat::default();
    flat.put("rank", c.rank);
    flat.put("cluster", &c.cluster);
    flat.put("gpu", &c.gpu);
    flat.put("gpus", c.gpus);
    flat.put("nodes", c.nodes);
    flat.put("spare_nodes", c.spare_nodes);
    flat.put("seq_len", c.seq_len);
    flat.put("micro_batch", c.micro_batch);
    flat.put("grad_accum", c.grad_accum);
    flat.put("global_batch_seqs", c.global_batch_seqs);
    flat.put("global_batch_tokens", c.global_batch_tokens);
    flat.put("global_batch_shortfall", c.global_batch_shortfall);
    flat.put("activation_checkpointing", c.activation_checkpointing);
    flat.put("steps", c.steps);
    flat.interval("step_time_s", Some(c.step_time_s));
    flat.interval("throughput_tok_s", Some(c.throughput_tok_s));
    flat.interval("throughput_tok_s_gpu", Some(c.throughput_tok_s_gpu));
    flat.put(
        "bad_day_tok_s",
        c.bad_day_tok_s
            .map_or_else(String::new, |tok_s| tok_s.to_string()),
    );
    flat.put("mfu_star", c.mfu_star);
    flat.put("mfu", c.mfu);
    flat.put("hfu_star", c.hfu_star);
    flat.put("hfu", c.hfu);
    flat.put("utilization_convention", &c.utilization_convention);
    memory(&mut flat, c);
    flat.interval("train_h", Some(c.train_h));
    flat.interval("time_to_budget_h", Some(c.time_to_budget_h));
    flat.put("goodput", c.goodput);
    flat.put("stall", c.stall.map_or_else(String::new, json_name));
    flat.put("expected_failures", c.expected_failures);
    let or_empty = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    flat.put("checkpoint_interval_s", or_empty(c.checkpoint_interval_s));
    flat.interval("gpu_hours", Some(c.gpu_hours));
    flat.interval("cost_usd", c.cost_usd);
    flat.put("usd_per_gpu_hour", or_empty(c.usd_per_gpu_hour));
    flat.put("price_source", &c.price_source);
    for line in &c.cost_lines {
        let item = json_name(line.item).replace('-', "_");
        flat.put(format!("cost_lines_{item}_gpu_hours"), line.gpu_hours);
        flat.put(format!("cost_lines_{item}_usd"), or_empty(line.usd));
    }
    flat.put("basis", json_name(c.basis));
    flat.put("basis_detail_axes", c.basis_detail.axes.join("; "));
    flat.put("basis_detail_nearest", nearest(c));
    let not_followed = or_empty(c.basis_detail.not_followed_tok_s);
    flat.put("basis_detail_not_followed_tok_s", not_followed);
    flat.put("tied_with_best", c.tied_with_best);
    time_parts(&mut flat, c);
    if let Some(point) = &c.pareto {
        front_point(&mut flat, point);
    }
    flat.0
}

fn front_point(flat: &mut Flat, point: &FrontPoint) {
    flat.put("pareto_knee", point.knee);
    let step = point.step;
    let number = |value: fn(&FrontStep) -> f64| {
        step.as_ref()
            .map_or_else(String::new, |step| value(step).to_string())
    };
    let flag = |value: fn(&FrontStep) -> bool| {
        step.as_ref()
            .map_or_else(String::new, |step| value(step).to_string())
    };
    flat.put("pareto_step_extra_usd", number(|step| step.extra_usd));
    flat.put("pareto_step_hours_saved", number(|step| step.hours_saved));
    flat.put(
        "pareto_step_usd_per_hour_saved",
        number(|step| step.usd_per_hour_saved),
    );
    flat.put(
        "pareto_step_hours_saved_per_usd",
        number(|step| step.hours_saved_per_usd),
    );
    flat.put(
        "pareto_step_times_told_apart",
        flag(|step| step.times_told_apart),
    );
    flat.put(
        "pareto_step_costs_told_apart",
        flag(|step| step.costs_told_apart),
    );
}

fn memory(flat: &mut Flat, c: &Candidate) {
    flat.put("memory_peak_gib", c.memory.peak_gib);
    flat.put("memory_usable_gib", c.memory.usable_gib);
    flat.put("memory_headroom_gib", c.memory.headroom_gib);
    flat.put("memory_verdict", json_name(c.memory.verdict));
    let parts = c.memory.parts;
    for (name, value) in [
        ("states", parts.states_gib),
        ("gathered", parts.gathered_gib),
        ("activations", parts.activations_gib),
        ("logits", parts.logits_gib),
        ("workspace", parts.workspace_gib),
    ] {
        flat.put(format!("memory_parts_{name}_gib"), value);
    }
}

fn time_parts(flat: &mut Flat, c: &Candidate) {
    let parts = c.time_parts_s;
    for (name, value) in [
        ("matmul", parts.matmul),
        ("attention", parts.attention),
        ("memory_bound", parts.memory_bound),
        ("communication", parts.communication),
        ("layer_overhead", parts.layer_overhead),
        ("optimizer", parts.optimizer),
        ("synchronization", parts.synchronization),
        ("fixed", parts.fixed),
        ("residual", parts.residual),
        ("memory_pressure", parts.memory_pressure),
    ] {
        flat.put(format!("time_parts_s_{name}"), value);
    }
}

/// The nearest measured rows in one cell: `gpt-7b 8xa100-40gb seq 2048 mb 4 ga 32 = 25701.2 tok/s`.
fn nearest(c: &Candidate) -> String {
    let rows: Vec<String> = c
        .basis_detail
        .nearest
        .iter()
        .map(|row| {
            format!(
                "{} {}x{} seq {} mb {} ga {} = {} tok/s at distance {}",
                row.model,
                row.gpus,
                row.gpu,
                row.seq_len,
                row.micro_batch,
                row.grad_accum,
                row.measured_tok_s,
                row.distance
            )
        })
        .collect();
    rows.join("; ")
}

/// Names of all the leaves of a JSON value; a list counts as one leaf, but for the lines of the
/// bill, which are told apart by their items.
#[cfg(test)]
pub(super) fn leaves(value: &serde_json::Value) -> Vec<String> {
    use serde_json::Value;

    fn add(prefix: &str, value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let name = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}_{key}")
                    };
                    add(&name, value, out);
                }
            }
            Value::Array(lines) if prefix == "cost_lines" => {
                for line in lines {
                    let item = line["item"].as_str().unwrap().replace('-', "_");
                    out.push(format!("cost_lines_{item}_gpu_hours"));
                    out.push(format!("cost_lines_{item}_usd"));
                }
            }
            _ => out.push(prefix.to_owned()),
        }
    }
    let mut names = Vec::new();
    add("", value, &mut names);
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::candidate;

    #[test]
    fn every_json_field_is_a_column() {
        let candidate = Candidate {
            stall: Some(crate::forecast::Stall::Writes),
            ..candidate()
        };
        let mut expected = leaves(&serde_json::to_value(&candidate).unwrap());
        let mut found: Vec<String> = fields(&candidate)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}
