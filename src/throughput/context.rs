//! What a user's rows of one place say: the account of them that is the most probable, and its rivals.

use std::sync::Arc;

use super::hypothesis::Hypothesis;
use super::layer::Layer;
use super::links::{Links, LinksOf};
use crate::configuration::Setting;
use crate::hardware::{Cluster, peaks_alike};
use crate::stack::Stack;

/// A GPU architecture under a stack: what coefficients belong to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Peak of the GPU's architecture: cards that differ in memory alone share it.
    peak_flops: f64,
    stack: String,
}

impl Place {
    pub(crate) fn of(setting: &Setting<'_>) -> Self {
        Self {
            peak_flops: setting.cluster.gpu.peak_flops,
            stack: setting.stack.name.clone(),
        }
    }

    /// Whether it is the same stack on a GPU of the same architecture.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.stack == other.stack && self.same_architecture(other)
    }

    pub(super) fn same_architecture(&self, other: &Self) -> bool {
        peaks_alike(self.peak_flops, other.peak_flops)
    }
}

/// A user's rows of one place, fitted on top of the embedded tables.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(super) place: Place,
    pub(crate) layer: Layer,
    /// What differs there, as far as the rows tell.
    pub(crate) hypothesis: Hypothesis,
    /// Share of the base's correction that holds there too.
    pub(crate) kept: f64,
    /// What the links between the nodes of its rows carry.
    pub(crate) links: LinksOf,
    /// What runs in place of the stack that its rows name; `None` where it is that.
    pub(crate) runs: Option<Arc<Stack>>,
    /// Other accounts of the same rows.
    pub(crate) rivals: Vec<Rival>,
}

/// Another account of a place's rows than the most probable one: few rows can't always tell whether
/// it is the links that are slow or the kernels, and runs unlike them differ by which it is.
#[derive(Debug, Clone)]
pub(crate) struct Rival {
    /// How probable it is, given the rows; the other accounts' shares add up to 1 with it.
    pub(crate) share: f64,
    pub(crate) account: Context,
}

impl Context {
    /// Whether its rows speak for a setting. What differs in software or GPU differs on every
    /// cluster of that GPU; what differs in the network does on the clusters it was measured on, and
    /// rows that name no cluster were measured on whichever of that GPU their owner has.
    pub(crate) fn covers(&self, setting: &Setting<'_>) -> bool {
        self.is_of_place(setting)
            && (self.hypothesis != Hypothesis::Network || self.is_linked_like(setting.cluster))
    }

    /// Whether its rows are of a setting's GPU architecture and stack.
    pub(crate) fn is_of_place(&self, setting: &Setting<'_>) -> bool {
        self.place.is_same_as(&Place::of(setting))
    }

    /// What the links between the nodes of a cluster carry: what was found where rows were measured,
    /// what is stated elsewhere.
    pub(crate) fn links_of(&self, cluster: &Cluster) -> Links {
        let found = self.measured_links(cluster);
        found.map_or(Links::STATED, |(_, links)| links)
    }

    /// The cluster, by its name in rows over several nodes, that shows what the links between those of
    /// a cluster carry, whatever is stated; `None` where that is what they carry.
    pub(crate) fn shows_links_of(&self, cluster: &Cluster) -> Option<&str> {
        let (measured, links) = self.measured_links(cluster)?;
        let found = self.links.of(&measured.name);
        (found != Links::STATED || links != Links::STATED).then_some(measured.name.as_str())
    }

    /// The share of what is stated that the links of its rows were found to carry, where that isn't
    /// believed of a cluster; `None` too where others carry what is stated and are linked like it.
    pub(crate) fn links_elsewhere(&self, cluster: &Cluster) -> Option<f64> {
        let mut shares = self.links.shares();
        let (_, share) = shares.next()?;
        let as_stated =
            |row: &Cluster| row.is_linked_as(cluster) && self.links.of(&row.name) == Links::STATED;
        let known = self.over_nodes().any(as_stated) || self.measured_links(cluster).is_some();
        (!known).then_some(share)
    }

    /// Whether rows were measured on a cluster, or on one that they don't name of its GPU.
    fn is_linked_like(&self, cluster: &Cluster) -> bool {
        self.measured_links(cluster).is_some()
    }

    /// The clusters of rows over several nodes.
    fn over_nodes(&self) -> impl Iterator<Item = &Cluster> {
        let rows = self.layer.rows.iter().map(|(row, _)| row);
        rows.filter(|row| row.spans_nodes())
            .map(|row| &*row.cluster)
    }

    /// The cluster of rows that speak for the links of another: the one of its name, or one that they
    /// don't name of its GPU, unless its links carry more than is stated of the other; and its links, as
    /// a share of that.
    fn measured_links(&self, cluster: &Cluster) -> Option<(&Cluster, Links)> {
        let all = || self.layer.rows.iter().map(|(row, _)| &*row.cluster);
        let named = |row: &&Cluster| row.name == cluster.name;
        let of_any = |row: &&Cluster| row.stands_for_gpu() && row.gpu.name == cluster.gpu.name;
        // Rows of one node tell nothing of links.
        let named_one = self.over_nodes().find(named);
        let shown = named_one.or_else(|| self.over_nodes().find(of_any));
        let measured = shown
            .or_else(|| all().find(named))
            .or_else(|| all().find(of_any))?;
        let links = self.links.of(&measured.name);
        Some((
            measured,
            links.restated((measured, shown.is_some()), cluster)?,
        ))
    }
}
