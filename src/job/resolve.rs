//! Settings become a request: names are looked up, what was left open gets its default.

use super::settings::{ModelChoice, Settings, Sourced};
use super::{GlobalBatch, Request, StackChoice, TokenBudget, TokensChoice};
use crate::diagnostic::Diagnostic;
use crate::hardware::{Cluster, Gpu};
use crate::measure::{DEFAULT_STACK, LATER_DEFAULT_STACK, runs_on};
use crate::model::{MAX_SEQ_LEN, Model};
use crate::preset::Catalog;
use crate::search::Axis;
use crate::stack::Stack;

/// Clusters that a job runs on when it names none: the measured ones.
const DEFAULT_CLUSTERS: [&str; 2] = ["r7z2", "r1z1"];
/// Candidates shown unless the job says otherwise.
const DEFAULT_TOP: u64 = 10;
/// The most candidates a plan keeps: far more than anyone reads, and still little memory.
pub(crate) const MAX_TOP: u64 = 100_000;
/// The largest value an axis may hold, so that products of three stay within 128 bits.
const MAX_AXIS_VALUE: u64 = 1 << 40;

/// Looks up every name and fills in every default.
///
/// # Errors
/// No model, an unknown name, or a value out of range: with the place it was set at.
pub fn resolve(settings: Settings, catalog: &Catalog) -> Result<Request, Diagnostic> {
    let model = model(settings.model, catalog)?;
    let tokens_choice = match &settings.tokens {
        Some(_) => TokensChoice::Named,
        None => TokensChoice::Default,
    };
    let tokens = match settings.tokens {
        None => TokenBudget::COMPUTE_OPTIMAL
            .resolve(model.params())
            .map_err(|error| Diagnostic::new(error.to_string()))?,
        Some(set) => set
            .value
            .resolve(model.params())
            .map_err(|error| set.refuse(Diagnostic::new(error.to_string()), "for this model"))?,
    };
    let seq_len = match settings.seq_len {
        Some(set) if set.value != Axis::Auto => within_positions(set, &model)?,
        _ => Axis::List(vec![model.seq_len]),
    };
    let start = settings.reserve.start.as_ref().map(|set| set.value);
    let (mut prices, mut reserve) = (settings.prices, settings.reserve);
    // The day a booking is made is the day its price is asked for.
    prices.as_of = prices.as_of.or_else(|| reserve.as_of.clone());
    reserve.as_of = reserve.as_of.or_else(|| prices.as_of.clone());
    let pricing = prices.resolve(start, catalog)?;
    let mut clusters = clusters(settings.clusters, catalog)?;
    prices.put_own(&mut clusters);
    let (stack, stack_choice) = stack(settings.stack, &clusters, catalog)?;
    let is_later = clusters.iter().any(|cluster| !cluster.gpu.measured);
    let later_stack = (stack_choice == StackChoice::Default && is_later)
        .then(|| catalog.stack(LATER_DEFAULT_STACK).cloned())
        .transpose()?;
    Ok(Request {
        stack_choice,
        later_stack,
        tokens,
        tokens_choice,
        clusters,
        reliability: settings.reliability.resolve()?,
        pricing,
        stack,
        gpus: axis(settings.gpus, "GPU count", MAX_AXIS_VALUE)?,
        micro_batch: axis(settings.micro_batch, "micro-batch", MAX_AXIS_VALUE)?,
        grad_accum: axis(settings.grad_accum, "gradient accumulation", MAX_AXIS_VALUE)?,
        activation_checkpointing: settings
            .checkpointing
            .map(|set| set.value)
            .unwrap_or_default(),
        global_batch: global_batch(settings.global_batch, &model, &seq_len)?,
        seq_len,
        sort: settings.sort.map(|set| set.value).unwrap_or_default(),
        top: top(settings.top.as_ref())?,
        confidence: settings.confidence.map(|set| set.value).unwrap_or_default(),
        allow_tight: settings.allow_tight.is_some_and(|set| set.value),
        launch: settings.launch,
        reserve,
        shared: None,
        model,
    })
}

fn model(set: Option<Sourced<ModelChoice>>, catalog: &Catalog) -> Result<Model, Diagnostic> {
    let Some(set) = set else {
        return Err(Diagnostic::new("no model is named")
            .help("name one: `--model gpt-7b`, or `model = \"gpt-7b\"` in the job file")
            .help("`tminus presets models` lists those known; `tminus init` prints a job file"));
    };
    match &set.value {
        ModelChoice::Inline(model) => Ok(model.as_ref().clone()),
        ModelChoice::Named(name) => catalog.model(name).cloned().map_err(|unknown| {
            let unknown = unknown.help(
                "or describe your own in the job file: a table `[model]` with `d_model`, \
                 `n_layers`, `n_heads`, `vocab_size`, …",
            );
            set.refuse(unknown, "not known")
        }),
    }
}

/// The clusters named, each once, in the order they were named.
fn clusters(
    set: Option<Vec<Sourced<String>>>,
    catalog: &Catalog,
) -> Result<Vec<Cluster>, Diagnostic> {
    let Some(names) = set.filter(|names| !names.is_empty()) else {
        return DEFAULT_CLUSTERS
            .iter()
            .map(|name| catalog.cluster(name).cloned())
            .collect();
    };
    let mut found: Vec<Cluster> = Vec::new();
    for name in &names {
        let cluster = catalog
            .cluster(&name.value)
            .map_err(|unknown| name.refuse(unknown, "not known"))?;
        if !found.iter().any(|other| other.name == cluster.name) {
            found.push(cluster.clone());
        }
    }
    Ok(found)
}

/// The stack named, or else that of a user's own rows on the GPUs of the clusters, or else that of the
/// embedded tables.
///
/// # Errors
/// An unknown name, rows that ran on one stack here and on another there, or fp8 on a GPU without it.
fn stack(
    set: Option<Sourced<String>>,
    clusters: &[Cluster],
    catalog: &Catalog,
) -> Result<(Stack, StackChoice), Diagnostic> {
    let usual = catalog.usual_stacks(clusters);
    let (stack, choice) = match (&set, usual.as_slice()) {
        (Some(set), _) => {
            let named = catalog.stack(&set.value);
            let named = named.map_err(|unknown| set.refuse(unknown, "not known"))?;
            (named, StackChoice::Named)
        }
        (None, []) => (catalog.stack(DEFAULT_STACK)?, StackChoice::Default),
        (None, [(gpu, stack)]) => (catalog.stack(stack)?, StackChoice::OfRows(gpu.name.clone())),
        (None, several) => return Err(several_stacks(several)),
    };
    if let Some(cluster) = clusters.iter().find(|c| !runs_on(stack, &c.gpu)) {
        let refusal = Diagnostic::new(format!(
            "stack `{}` multiplies matrices in fp8, which {} of {} can't",
            stack.name, cluster.gpu.name, cluster.name
        ))
        .help("name another stack (`--stack`, `stack` in a job file), or leave that cluster out");
        return Err(match set {
            Some(set) => set.refuse(refusal, "in fp8"),
            None => refusal,
        });
    }
    Ok((stack.clone(), choice))
}

/// That rows of the GPUs asked about ran on several stacks, of which one plan can't choose one for all.
fn several_stacks(several: &[(&Gpu, &str)]) -> Diagnostic {
    let mut each: Vec<String> = several
        .iter()
        .map(|(gpu, stack)| format!("`{stack}` on {}", gpu.name))
        .collect();
    each.sort_unstable();
    Diagnostic::new(format!(
        "no stack is named, and the fit's rows ran on {}",
        each.join(", ")
    ))
    .help(
        "name the one to plan for all clusters (`--stack`, `stack` in a job file), or ask about the \
         clusters one by one, each on that of its rows",
    )
}

fn axis(set: Option<Sourced<Axis>>, what: &str, max: u64) -> Result<Axis, Diagnostic> {
    let Some(set) = set else {
        return Ok(Axis::Auto);
    };
    let refuse = |message: String| Err(set.refuse(Diagnostic::new(message), "not a usable axis"));
    let Some((low, high)) = bounds(&set.value) else {
        return match set.value {
            Axis::Auto => Ok(Axis::Auto),
            _ => refuse(format!("no {what} to try: the list is empty")),
        };
    };
    if let Axis::Stepped { step: 0, .. } = set.value {
        return refuse(format!("the step of the {what} must be at least 1"));
    }
    if low == 0 {
        return refuse(format!("the {what} must be at least 1"));
    }
    if low > high {
        return refuse(format!(
            "the {what} starts at {low}, beyond its end, {high}"
        ));
    }
    if high > max {
        let message = format!("the {what} {high} is more than {max}, the most that is supported");
        return Err(set.refuse(
            Diagnostic::new(message).help(format!("try at most {max}")),
            "too large",
        ));
    }
    Ok(set.value)
}

/// Smallest and largest value named; `None` when none is.
fn bounds(axis: &Axis) -> Option<(u64, u64)> {
    match axis {
        Axis::Auto => None,
        Axis::List(values) => values
            .iter()
            .min()
            .copied()
            .zip(values.iter().max().copied()),
        Axis::Doubling { low, high } | Axis::Stepped { low, high, .. } => Some((*low, *high)),
    }
}

/// The batch set, or the model's; one below a single sequence was meant in sequences.
fn global_batch(
    set: Option<Sourced<GlobalBatch>>,
    model: &Model,
    seq_len: &Axis,
) -> Result<GlobalBatch, Diagnostic> {
    let reference = model.global_batch.get();
    let shortest = bounds(seq_len).map_or(0, |(low, _)| low);
    match set {
        None => Ok(GlobalBatch {
            min: reference,
            max: reference,
        }),
        Some(set) if set.value.max < shortest => {
            let message = format!(
                "a global batch of {} tokens does not hold one sequence of {shortest}",
                set.value
            );
            let help = format!(
                "it is counted in tokens: that many sequences are {} tokens",
                set.value.max.saturating_mul(shortest)
            );
            let refusal = Diagnostic::new(message).help(help);
            Err(set.refuse(refusal, "less than one sequence"))
        }
        Some(set) => Ok(set.value),
    }
}

/// Refuses sequences longer than a learned position table.
fn within_positions(set: Sourced<Axis>, model: &Model) -> Result<Axis, Diagnostic> {
    let longest = bounds(&set.value).map_or(0, |(_, high)| high);
    if let Some(table) = model.shape.position_limit()
        && longest > table
    {
        let message = format!(
            "sequence length {longest} is more than the {table} learned positions of `{}`",
            model.name
        );
        let help = format!("try at most {table}, or a model with rotary or ALiBi positions");
        return Err(set.refuse(
            Diagnostic::new(message).help(help),
            "too long for the model",
        ));
    }
    axis(Some(set), "sequence length", MAX_SEQ_LEN)
}

fn top(set: Option<&Sourced<u64>>) -> Result<usize, Diagnostic> {
    let value = set.map_or(DEFAULT_TOP, |set| set.value);
    match usize::try_from(value) {
        Ok(top) if (1..=MAX_TOP).contains(&value) => Ok(top),
        _ => {
            let refusal = Diagnostic::new(format!(
                "the number of candidates to show is {value}, but must be from 1 to {MAX_TOP}"
            ));
            Err(match set {
                Some(set) => set.refuse(refusal, "out of range"),
                None => refusal,
            })
        }
    }
}
