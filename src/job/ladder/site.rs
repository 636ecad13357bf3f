//! What each cluster has free.

use super::check::{dated, ordered, over};
use super::{AgendaJob, ScheduleSettings, SharedKey, Site, SiteSettings, Window, WindowSettings};
use crate::calendar::Moment;
use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::job::Sourced;
use crate::preset::Catalog;

/// The clusters that jobs may run on, in the order in which the jobs name them, and what is to be said of
/// their windows.
pub(super) fn sites(
    jobs: &[AgendaJob],
    schedule: &ScheduleSettings,
    start: Moment,
    catalog: &Catalog,
) -> Result<(Vec<Site>, Vec<String>), Diagnostic> {
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
    let (mut sites, mut notes) = (Vec::new(), Vec::new());
    for (cluster, settings) in clusters.into_iter().zip(said) {
        let (site, of_site) = site(cluster, settings, start)?;
        sites.push(site);
        notes.extend(of_site);
    }
    Ok((sites, notes))
}

/// A cluster as the jobs may have it, and what is to be said of its windows.
fn site(
    cluster: Cluster,
    settings: Option<&SiteSettings>,
    start: Moment,
) -> Result<(Site, Vec<String>), Diagnostic> {
    let most = cluster.whole_nodes();
    let Some(settings) = settings else {
        let site = Site {
            cluster,
            nodes: most,
            shared_key: SharedKey::CapacityNodes,
            available: None,
            windows_are_fixed: false,
            booked: Vec::new(),
        };
        return Ok((site, Vec::new()));
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
    let shared_key = match settings.max_gpus {
        Some(_) => SharedKey::MaxGpus,
        None => SharedKey::CapacityNodes,
    };
    let name = cluster.name.clone();
    let windows = |set: &[Sourced<WindowSettings>], left_out: &str| {
        dated(set, (start, nodes, shared_key), &name, left_out)
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
    let always = "without any window the nodes would be free at all times";
    let never = "or leave the window out";
    let available = windows(&settings.available, always)?;
    let booked = windows(&settings.booked, never)?;
    // Calendars keep what is over; but dates of which none is to come are those of another year.
    if none_left(&available, start) {
        over(&available, start, always)?;
    }
    if available.is_empty() && none_left(&booked, start) {
        over(&booked, start, never)?;
    }
    let set = settings.available.iter().zip(&available);
    let mut to_come = set.filter(|(_, dated)| dated.value.to >= start);
    let windows_are_fixed =
        !available.is_empty() && to_come.all(|(set, _)| set.value.nodes.is_some());
    let mut notes = Vec::new();
    let mut coming = |windows: Vec<Sourced<Window>>, what: &str| {
        let (past, coming): (Vec<_>, Vec<_>) =
            windows.into_iter().partition(|set| set.value.to < start);
        notes.extend(past.iter().map(|set| {
            let Window { from, to, .. } = set.value;
            format!(
                "the window from {from} to {to}, in which {name} is {what}, is over at the start and \
                 left out"
            )
        }));
        ordered(coming, (&name, nodes))
    };
    let available = coming(available, "available")?;
    let booked = coming(booked, "booked")?;
    let site = Site {
        windows_are_fixed,
        available: (!available.is_empty()).then_some(available),
        booked,
        shared_key,
        nodes,
        cluster,
    };
    Ok((site, notes))
}

/// Whether there are windows, all of which are over.
fn none_left(windows: &[Sourced<Window>], start: Moment) -> bool {
    !windows.is_empty() && windows.iter().all(|set| set.value.to < start)
}
