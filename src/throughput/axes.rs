//! The axes on which a configuration is outside of what was measured on its GPU type.

use super::basis::Known;
use super::residual::{Cell, padded};
use crate::configuration::{Configuration, Setting, on_off};
use crate::hardware::Gpu;
use crate::measure::Measurement;
use crate::model::{FeedForward, Shape};
use crate::quantity::{display_count, display_whole};

/// An axis of numbers: of what, and how large it is in a setting and configuration.
struct Axis {
    name: &'static str,
    /// The axis that tells this one's end already where it is left itself.
    told_by: Option<&'static str>,
    /// How far beyond the range, as a share, is no other place yet.
    near: f64,
    /// What is compared.
    value: fn(&Setting<'_>, &Configuration) -> f64,
    /// What is shown.
    show: fn(&Setting<'_>, &Configuration) -> f64,
    /// How.
    print: fn(f64) -> String,
}

impl Axis {
    const fn plain(name: &'static str, value: fn(&Setting<'_>, &Configuration) -> f64) -> Self {
        Self {
            name,
            told_by: None,
            near: NEAR,
            value,
            show: value,
            print: display_count,
        }
    }

    /// An axis of whole numbers that need no telling where another is left.
    const fn part_of(
        whole: &'static str,
        name: &'static str,
        value: fn(&Setting<'_>, &Configuration) -> f64,
    ) -> Self {
        Self {
            told_by: Some(whole),
            print: display_whole,
            ..Self::plain(name, value)
        }
    }

    /// An axis of proportions, which differ a little from model to model.
    const fn proportion(
        name: &'static str,
        value: fn(&Setting<'_>, &Configuration) -> f64,
    ) -> Self {
        Self {
            near: PROPORTION,
            print: |value| format!("{value:.1}"),
            ..Self::plain(name, value)
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

const AXES: [Axis; 12] = [
    Axis {
        show: |setting, c| setting.shape.params(c.seq_len) as f64,
        ..Axis::plain("parameters", padded_params)
    },
    Axis::part_of("parameters", "layers", |setting, _| {
        setting.shape.n_layers as f64
    }),
    Axis::part_of("parameters", "model width", |setting, _| {
        setting.shape.d_model as f64
    }),
    Axis::proportion("feed-forward width over model width", |setting, _| {
        setting.shape.d_ff as f64 / setting.shape.d_model as f64
    }),
    Axis::proportion("attention width over model width", |setting, _| {
        setting.shape.attention_width() as f64 / setting.shape.d_model as f64
    }),
    Axis::plain("sequence length", |_, c| c.seq_len as f64),
    Axis::plain("tokens per micro-batch", |_, c| {
        c.micro_batch_tokens() as f64
    }),
    Axis::plain("GPUs", |_, c| c.gpus as f64),
    Axis::part_of("GPUs", "nodes", |setting, c| {
        setting.cluster.nodes(c.gpus) as f64
    }),
    Axis {
        show: |setting, _| setting.shape.vocab_size as f64,
        ..Axis::plain("vocabulary", |setting, _| {
            padded(setting.shape.vocab_size) as f64
        })
    },
    Axis::plain("head width", |setting, _| setting.shape.head_dim as f64),
    Axis::plain("query heads per key-value head", |setting, _| {
        setting.shape.n_heads as f64 / setting.shape.n_kv_heads as f64
    }),
];

/// So little beyond the range, as a share, is no other place: positions that are learned or not change a
/// model by less.
const NEAR: f64 = 0.01;

/// The same of proportions, between which no efficiency was seen to change.
const PROPORTION: f64 = 0.5;

/// The axes left, in words.
pub(super) fn axes_left(
    known: &Known<'_>,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Vec<String> {
    let (compared, strange) = Compared::with(known, setting);
    let mut axes: Vec<String> = Vec::new();
    axes.extend(strange.clone());
    if compared.rows.is_empty() {
        return axes;
    }
    axes.extend(numbers_left(&compared, setting, configuration));
    let is_new = |alike: &dyn Fn(&Measurement) -> bool| !compared.rows.iter().any(|row| alike(row));
    let gpu = compared.gpu;
    let feed_forward = setting.shape.feed_forward;
    if is_new(&|row| row.shape.feed_forward == feed_forward) {
        let kind = match feed_forward {
            FeedForward::Gated => "gated",
            FeedForward::Gelu => "plain",
        };
        axes.push(format!("{kind} feed-forward (not measured on {gpu})"));
    }
    if strange.is_none() {
        let left = links_left(&compared.rows, setting, configuration);
        axes.extend(left.filter(|_| known.shown_links.is_none()));
        axes.extend(other_links_left(known, setting, configuration));
    }
    if is_new(&|row| row.stack.is_same_as(setting.stack)) {
        let stack = &setting.stack.name;
        axes.push(format!("stack {stack} (not measured on {gpu})"));
    }
    let recomputes = configuration.activation_checkpointing;
    if is_new(&|row| row.configuration.activation_checkpointing == recomputes) {
        let choice = on_off(recomputes);
        axes.push(format!(
            "activation checkpointing {choice} (not measured on {gpu})"
        ));
    }
    axes
}

/// The rows that a setting is compared with, and what their GPU is called beside it.
struct Compared<'a> {
    rows: Vec<&'a Measurement>,
    gpu: &'a str,
}

impl<'a> Compared<'a> {
    /// Rows of the setting's GPU; where there is none, all, with the words for that.
    fn with(known: &'a Known<'a>, setting: &'a Setting<'_>) -> (Self, Option<String>) {
        let gpu = &setting.cluster.gpu.name;
        let mut rows = of_gpu(&known.speak, &setting.cluster.gpu);
        if rows.is_empty() {
            // Rows under other stacks are of that GPU all the same.
            rows = of_gpu(&known.rows, &setting.cluster.gpu);
        }
        if !rows.is_empty() {
            return (Self { rows, gpu }, None);
        }
        let mut all = known.rows.iter();
        let words = if known.other_stacks {
            format!("GPU type {gpu} (measured under other stacks only)")
        } else if all.any(|(row, _)| row.cluster.gpu.name == *gpu) {
            format!("GPU type {gpu} as described (measured with other figures)")
        } else {
            format!("GPU type {gpu} (none measured)")
        };
        let rows = known.speak.iter().map(|(row, _)| row).collect();
        let others = Self {
            rows,
            gpu: "others",
        };
        (others, Some(words))
    }
}

/// The axes of numbers left, but for those that another one tells.
fn numbers_left(
    compared: &Compared<'_>,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Vec<String> {
    let Compared { rows, gpu } = compared;
    let outside: Vec<(&Axis, String)> = AXES
        .iter()
        .filter_map(|axis| Some((axis, left(axis, rows, gpu, setting, configuration)?)))
        .collect();
    let told = |axis: &Axis| {
        let by = |(other, _): &(&Axis, String)| axis.told_by == Some(other.name);
        outside.iter().any(by)
    };
    let untold = outside.iter().filter(|(axis, _)| !told(axis));
    untold.map(|(_, words)| words.clone()).collect()
}

/// The links between nodes in words, where those that rows ran over were found to carry something else
/// than is stated of them, and that isn't believed of the setting's.
fn other_links_left(
    known: &Known<'_>,
    setting: &Setting<'_>,
    configuration: &Configuration,
) -> Option<String> {
    let several = setting.cluster.nodes(configuration.gpus) > 1;
    known.other_links.filter(|_| several).map(|share| {
        format!(
            "links between nodes as stated (where they were measured they carry {share:.2} times that)"
        )
    })
}

fn of_gpu<'a>(rows: &'a [&(Measurement, Cell)], gpu: &Gpu) -> Vec<&'a Measurement> {
    let rows = rows.iter().map(|(row, _)| row);
    rows.filter(|row| row.cluster.gpu.is_same_as(gpu)).collect()
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
    let shown = (axis.print)((axis.show)(setting, configuration));
    let (least, most) = ends(axis.show);
    let (least, most) = ((axis.print)(least), (axis.print)(most));
    let near = low / (1.0 + axis.near)..=high * (1.0 + axis.near);
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
    let over_nodes = |row: &&&Measurement| row.spans_nodes();
    let over_nodes = || on_gpu.iter().filter(over_nodes);
    let assumed = over_nodes().all(|row| !row.cluster.is_described());
    let measured: Vec<f64> = over_nodes()
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
    // Rows of a cluster that nobody described tell no link.
    let how = if assumed { "assumed" } else { "measured" };
    Some(format!(
        "links between nodes of {} Gbit/s ({how} on {}: {range})",
        gbit(link),
        setting.cluster.gpu.name
    ))
}
