//! What each cluster has free.

use super::check::{dated, ordered};
use super::{AgendaJob, ScheduleSettings, Site, SiteSettings, WindowSettings};
use crate::calendar::Moment;
use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::job::Sourced;
use crate::preset::Catalog;

/// The clusters that jobs may run on, in the order in which the jobs name them.
pub(super) fn sites(
    jobs: &[AgendaJob],
    schedule: &ScheduleSettings,
    start: Moment,
    catalog: &Catalog,
) -> Result<Vec<Site>, Diagnostic> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for cluster in jobs.iter().flat_map(|job| &job.request.clusters) {
        if !clusters.iter().any(|other| other.name == cluster.name) {
            clusters.push(cluster.clone());
        }
    }
    let mut said: Vec<Option<&SiteSettings>> = vec![None; clusters.len()];
    for (name, settings) in &schedule.sites {
        let cluster = catalog
            .cluster(&name.value)
            .map_err(|unknown| name.refuse(unknown, "not known"))?;
        let Some(place) = clusters.iter().position(|c| c.name == cluster.name) else {
            let used: Vec<&str> = clusters.iter().map(|c| c.name.as_str()).collect();
            return Err(name.refuse(
                Diagnostic::new(format!("no job may run on `{}`", name.value)).help(format!(
                    "the jobs may run on {}; name more with `clusters`",
                    used.join(", ")
                )),
                "not used",
            ));
        };
        if let Some(slot) = said.get_mut(place)
            && slot.replace(settings).is_some()
        {
            let twice = Diagnostic::new(format!("two tables speak of `{}`", clusters[place].name));
            return Err(name.refuse(twice.help("keep one of them"), "the same cluster again"));
        }
    }
    clusters
        .into_iter()
        .zip(said)
        .map(|(cluster, settings)| site(cluster, settings, start))
        .collect()
}

fn site(
    cluster: Cluster,
    settings: Option<&SiteSettings>,
    start: Moment,
) -> Result<Site, Diagnostic> {
    let most = cluster.whole_nodes();
    let Some(settings) = settings else {
        return Ok(Site {
            cluster,
            nodes: most,
            available: None,
            booked: Vec::new(),
        });
    };
    let nodes = match (&settings.capacity_nodes, &settings.max_gpus) {
        (None, None) => most,
        (Some(set), None) => set.value,
        (None, Some(set)) => match set.value / cluster.gpus_per_node {
            0 => {
                return Err(set.refuse(
                    Diagnostic::new(format!(
                        "{} GPUs are less than one node of {}, which has {}",
                        set.value, cluster.name, cluster.gpus_per_node
                    )),
                    "less than a node",
                ));
            }
            nodes => nodes,
        },
        (Some(set), Some(_)) => {
            return Err(set.refuse(
                Diagnostic::new("`capacity_nodes` and `max_gpus` both say what the jobs share")
                    .help("keep one of them"),
                "here",
            ));
        }
    };
    let windows = |set: &[Sourced<WindowSettings>], left_out: &str| {
        ordered(
            dated(set, (start, nodes), &cluster.name, left_out)?,
            &cluster.name,
        )
    };
    if let Some(never) = settings.never_available.as_ref() {
        return Err(never.refuse(
            Diagnostic::new(format!(
                "`available` holds no window, so no node of {} is ever free",
                cluster.name
            ))
            .help("leave `available` out where the nodes are free at all times, or name when they are")
            .help("leave the cluster out of `clusters` where no job is to run on it"),
            "never",
        ));
    }
    let available = windows(
        &settings.available,
        "without any window the nodes would be free at all times",
    )?;
    let booked = windows(&settings.booked, "or leave the window out")?;
    Ok(Site {
        available: (!available.is_empty()).then_some(available),
        booked,
        nodes,
        cluster,
    })
}
