//! The axes on which a configuration is outside of what was measured on its GPU type.

use super::basis::{Known, same_stack};
use super::residual::padded;
use crate::configuration::{Configuration, Setting};
use crate::measure::Measurement;
use crate::model::{FeedForward, Shape};
use crate::quantity::display_count;

/// An axis of numbers: of what, and how large it is in a setting and configuration.
struct Axis {
    name: &'static str,
    /// What is compared.
    value: fn(&Setting<'_>, &Configuration) -> f64,
    /// What is shown.
    show: fn(&Setting<'_>, &Configuration) -> f64,
}

impl Axis {
    const fn plain(name: &'static str, value: fn(&Setting<'_>, &Configuration) -> f64) -> Self {
        Self {
            name,
            value,
            show: value,
        }
    }
}

/// Padding a vocabulary makes no other model of it.
fn padded_params(setting: &Setting<'_>, configuration: &Configuration) -> f64 {
    let shape = Shape {
        vocab_size: padded(setting.shape.vocab_size),
        ..*setting.shape
    };
    shape.params(configuration.seq_len) as f64
}

const AXES: [Axis; 7] = [
    Axis {
        name: "parameters",
        value: padded_params,
        show: |setting, c| setting.shape.params(c.seq_len) as f64,
    },
    Axis::plain("sequence length", |_, c| c.seq_len as f64),
    Axis::plain("tokens per micro-batch", |_, c| {
        c.micro_batch_tokens() as f64
    }),
    Axis::plain("GPUs", |_, c| c.gpus as f64),
    Axis {
        name: "vocabulary",
        value: |setting, _| padded(setting.shape.vocab_size) as f64,
        show: |setting, _| setting.shape.vocab_size as f64,
    },
    Axis::plain("head width", |setting, _| setting.shape.head_dim as f64),
    Axis::plain("query heads per key-value head", |setting, _| {
        setting.shape.n_heads as f64 / setting.shape.n_kv_heads as f64
    }),
];

/// So little beyond the range, as a share, is no other place: positions that are learned or not change a
/// model by less.
const NEAR: f64 = 0.01;

/// The axes left, in words.
pub(super) fn axes_left(
    known: &Known<'_>,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Vec<String> {
    let rows = &known.speak;
    let gpu = &setting.cluster.gpu.name;
    let mut on_gpu: Vec<&Measurement> = rows
        .iter()
        .map(|(row, _)| row)
        .filter(|row| row.cluster.gpu.name == *gpu)
        .collect();
    let mut axes: Vec<String> = Vec::new();
    // Where no row is of that GPU, what was measured is on others.
    let strange = on_gpu.is_empty();
    if strange {
        axes.push(if known.other_stacks {
            format!("GPU type {gpu} (measured under other stacks only)")
        } else {
            format!("GPU type {gpu} (none measured)")
        });
        on_gpu = rows.iter().map(|(row, _)| row).collect();
    }
    if on_gpu.is_empty() {
        return axes;
    }
    let gpu = if strange { "others" } else { gpu };
    let outside = AXES.iter();
    axes.extend(outside.filter_map(|axis| left(axis, &on_gpu, gpu, setting, configuration)));
    let none = |alike: &dyn Fn(&Measurement) -> bool| !on_gpu.iter().any(|row| alike(row));
    let feed_forward = setting.shape.feed_forward;
    if none(&|row| row.shape.feed_forward == feed_forward) {
        let kind = match feed_forward {
            FeedForward::Gated => "gated",
            FeedForward::Gelu => "plain",
        };
        axes.push(format!("{kind} feed-forward (not measured on {gpu})"));
    }
    if !strange {
        axes.extend(links_left(&on_gpu, setting, configuration));
        let several = setting.cluster.nodes(configuration.gpus) > 1;
        axes.extend(known.other_links.filter(|_| several).map(|share| {
            format!(
                "links between nodes as stated (where they were measured they carry {share:.2} times \
                 that)"
            )
        }));
    }
    if none(&|row| same_stack(&row.stack, setting.stack)) {
        let stack = &setting.stack.name;
        axes.push(format!("stack {stack} (not measured on {gpu})"));
    }
    let recomputes = configuration.activation_checkpointing;
    if none(&|row| row.configuration.activation_checkpointing == recomputes) {
        let choice = if recomputes { "on" } else { "off" };
        axes.push(format!(
            "activation checkpointing {choice} (not measured on {gpu})"
        ));
    }
    axes
}

/// The axis in words, where a configuration is outside the range of rows. What prints like an end
/// of the range is at it.
fn left(
    axis: &Axis,
    on_gpu: &[&Measurement],
    gpu: &str,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Option<String> {
    let ends = |of: fn(&Setting<'_>, &Configuration) -> f64| {
        let values = on_gpu
            .iter()
            .map(|row| of(&row.setting(), &row.configuration));
        values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        })
    };
    let (low, high) = ends(axis.value);
    let shown = display_count((axis.show)(setting, configuration));
    let (least, most) = ends(axis.show);
    let (least, most) = (display_count(least), display_count(most));
    let near = low * (1.0 - NEAR)..=high * (1.0 + NEAR);
    let inside = near.contains(&(axis.value)(setting, configuration));
    if inside || shown == least || shown == most {
        return None;
    }
    let range = if least == most {
        least
    } else {
        format!("{least} to {most}")
    };
    Some(format!(
        "{} {shown} (measured on {gpu}: {range})",
        axis.name
    ))
}

/// The links between nodes in words, where a configuration needs some and none as fast was
/// measured. Without a measured row of several nodes, their number tells that already.
fn links_left(
    on_gpu: &[&Measurement],
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Option<String> {
    if setting.cluster.nodes(configuration.gpus) == 1 {
        return None;
    }
    let over_nodes = |row: &&&Measurement| row.cluster.nodes(row.configuration.gpus) > 1;
    let measured: Vec<f64> = on_gpu
        .iter()
        .filter(over_nodes)
        .filter_map(|row| row.cluster.inter_node_bytes_per_s)
        .collect();
    let link = setting.cluster.inter_node_bytes_per_s?;
    let low = measured.iter().copied().reduce(f64::min)?;
    let high = measured.iter().copied().reduce(f64::max)?;
    if (low..=high).contains(&link) {
        return None;
    }
    let gbit = |bytes_per_s: f64| format!("{:.0}", bytes_per_s * 8.0 / 1e9);
    let (least, most) = (gbit(low), gbit(high));
    let range = if least == most {
        least
    } else {
        format!("{least} to {most}")
    };
    Some(format!(
        "links between nodes of {} Gbit/s (measured on {}: {range})",
        gbit(link),
        setting.cluster.gpu.name
    ))
}
