//! What the names of a plan stand for, refused where the plan says that they stood for something else.

use super::CompareArgs;
use crate::cli::request;
use crate::compare::{PlanFile, PlannedRun};
use crate::configuration::Setting;
use crate::diagnostic::{Diagnostic, Origin};
use crate::hardware::Cluster;
use crate::job::{ModelChoice, Sourced};
use crate::model::Model;
use crate::preset::Catalog;
use crate::stack::Stack;
use crate::throughput::Fit;

/// What the names of a plan stand for.
pub(super) struct Described {
    model: Model,
    pub(super) cluster: Cluster,
    stack: Stack,
    pub(super) catalog: Catalog,
    pub(super) fit: Fit,
}

impl Described {
    pub(super) fn setting(&self) -> Setting<'_> {
        Setting {
            shape: &self.model.shape,
            cluster: &self.cluster,
            stack: &self.stack,
        }
    }
}

/// Looks the names of a plan up.
///
/// # Errors
/// A name that isn't known, or is known of something else than the plan was made for.
pub(super) fn describe(
    args: &CompareArgs,
    plan: &PlanFile,
    planned: &PlannedRun,
    origin: &Origin,
) -> Result<Described, Diagnostic> {
    let opened = request::open(args.job.as_deref(), &args.presets, &args.fit)?;
    let fit = opened.fit()?;
    let (file, catalog) = (opened.file, opened.catalog);
    let inline = match file.and_then(|job| job.settings.model) {
        Some(Sourced {
            value: ModelChoice::Inline(model),
            ..
        }) if model.name == plan.model => Some(*model),
        _ => None,
    };
    let of_plan = |unknown: Diagnostic| {
        Diagnostic::new(format!("`{}`: {}", origin.name, unknown.message))
            .help("name the files that describe it: `--presets FILE`, or `--job JOB.toml`")
    };
    let model = match inline {
        Some(model) => model,
        None => catalog.model(&plan.model).map_err(of_plan)?.clone(),
    };
    let cluster = catalog.cluster(&planned.cluster).map_err(of_plan)?.clone();
    if let Some(other) = contradiction(plan, planned, &model, &cluster) {
        return Err(of_plan(Diagnostic::new(other)));
    }
    Ok(Described {
        model,
        cluster,
        stack: catalog.stack(&plan.stack).map_err(of_plan)?.clone(),
        catalog,
        fit,
    })
}

/// How what a plan's names stand for here differs from what it was made for.
fn contradiction(
    plan: &PlanFile,
    planned: &PlannedRun,
    model: &Model,
    cluster: &Cluster,
) -> Option<String> {
    let (name, seq_len) = (&planned.cluster, planned.configuration.seq_len);
    if let Some((params, at)) = plan.params {
        let known = model.shape.params(at.unwrap_or(seq_len));
        if known != params {
            return Some(format!(
                "its model {} has {params} parameters, but the one known here {known}",
                plan.model
            ));
        }
    }
    if let Some(gpu) = planned.gpu.as_ref().filter(|gpu| **gpu != cluster.gpu.name) {
        return Some(format!(
            "its cluster {name} has GPUs {gpu}, but the one known here {}",
            cluster.gpu.name
        ));
    }
    let nodes = cluster.nodes(planned.configuration.gpus);
    let other = planned.nodes.filter(|planned| *planned != nodes)?;
    Some(format!(
        "its {} GPUs are {other} nodes of {name}, but {nodes} of the one known here",
        planned.configuration.gpus
    ))
}

/// Refuses a run that its cluster or model can't have: the plan was made for others of that name.
///
/// # Errors
/// When it can't.
pub(super) fn check_size(
    run: &PlannedRun,
    cluster: &Cluster,
    origin: &Origin,
) -> Result<(), Diagnostic> {
    let gpus = run.configuration.gpus;
    if gpus <= cluster.max_gpus && run.configuration.seq_len <= crate::model::MAX_SEQ_LEN {
        return Ok(());
    }
    Err(Diagnostic::new(format!(
        "`{}`: rank {} has {gpus} GPUs at sequence length {}, but {} has at most {}",
        origin.name, run.rank, run.configuration.seq_len, cluster.name, cluster.max_gpus
    ))
    .help("name the file that describes the cluster it was made for: `--presets FILE`"))
}
