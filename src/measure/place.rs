//! Where a row ran.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::preset::Catalog;
use crate::quantity::{MAX_COUNT, display_whole};

use super::column::Column;
use super::grid::Cell;
use super::notes::Notes;
use super::row::Row;

/// A cluster met, and whether the catalog knows the name it was met by.
#[derive(Clone)]
struct Met {
    cluster: Arc<Cluster>,
    known: bool,
}

/// Clusters met so far; rows share them.
pub(super) struct Places<'a> {
    catalog: &'a Catalog,
    clusters: BTreeMap<(String, String), Met>,
}

impl<'a> Places<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            clusters: BTreeMap::new(),
        }
    }

    /// The cluster a row names, or a generic one of its GPU.
    pub(super) fn cluster(
        &mut self,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<Arc<Cluster>, Diagnostic> {
        let gpu = self.gpu_name(row)?;
        let named = row.cell(Column::Cluster);
        let key = (
            named.map(|cell| cell.text.clone()).unwrap_or_default(),
            gpu.clone().unwrap_or_default(),
        );
        let met = match self.clusters.get(&key) {
            Some(met) => met.clone(),
            None => Met {
                cluster: Arc::new(self.find_cluster(row, named, gpu.as_deref())?),
                known: named.is_none_or(|cell| self.catalog.cluster(&cell.text).is_ok()),
            },
        };
        if !met.known {
            let text = format!(
                "cluster `{}` is not known; its rows are taken as generic nodes of {}",
                key.0, met.cluster.gpu.name
            );
            notes.add(row.line(), text);
        }
        self.clusters.insert(key, met.clone());
        Ok(met.cluster)
    }

    /// Says what is assumed of the links between the nodes of a row, where its cluster isn't known.
    pub(super) fn note_links(
        &self,
        row: &Row<'_>,
        cluster: &Cluster,
        gpus: u64,
        notes: &mut Notes,
    ) {
        // A GPU's name is one of its clusters' too.
        let known = !cluster.stands_for_gpu() && self.catalog.cluster(&cluster.name).is_ok();
        let Some(rate) = cluster.inter_node_bytes_per_s.filter(|_| !known) else {
            return;
        };
        if cluster.nodes(gpus) > 1 {
            let text = format!(
                "the nodes of {} are taken to be linked at {} Gbit/s, unless rows show less: \
                 `inter_node_gbps` of a `[clusters.NAME]` in a file for `--presets`, and a `cluster` \
                 column, tell yours",
                cluster.name,
                display_whole(rate * 8.0 / 1e9)
            );
            notes.add(row.line(), text);
        }
    }

    fn find_cluster(
        &self,
        row: &Row<'_>,
        named: Option<&Cell>,
        gpu: Option<&str>,
    ) -> Result<Cluster, Diagnostic> {
        match (named, gpu) {
            (Some(cell), gpu) => match (self.catalog.cluster(&cell.text), gpu) {
                (Ok(cluster), Some(gpu)) if cluster.gpu.name != gpu => Err(row.contradiction(
                    Column::Gpu,
                    &format!(
                        "cluster `{}` has {}, not {gpu}",
                        cluster.name, cluster.gpu.name
                    ),
                    &format!("expected {}", cluster.gpu.name),
                    &[Column::Cluster],
                )),
                (Ok(cluster), _) => Ok(cluster.clone()),
                (Err(_), Some(gpu)) => {
                    let mut generic = self.catalog.generic_cluster(gpu)?;
                    generic.name.clone_from(&cell.text);
                    Ok(generic)
                }
                (Err(unknown), None) => Err(row.located(unknown, cell, Column::Cluster).help(
                    "a `gpu` column would do: unknown clusters are taken as generic nodes of it",
                )),
            },
            (None, Some(gpu)) => self.catalog.generic_cluster(gpu),
            (None, None) => Err(row.missing(Column::Gpu, "`gpu` (nor `cluster`)")),
        }
    }

    /// Canonical name of the GPU; a repeated column must name the same one.
    fn gpu_name(&self, row: &Row<'_>) -> Result<Option<String>, Diagnostic> {
        let mut found: Option<String> = None;
        for cell in row.cells(Column::Gpu) {
            let (_, name) = split_count(&cell.text);
            let gpu = self
                .catalog
                .gpu(name)
                .map_err(|unknown| row.located(unknown, cell, Column::Gpu))?;
            match &found {
                Some(first) if *first != gpu.name => {
                    let expected = format!("expected {first} as in the other GPU column");
                    return Err(row.refuse(cell, Column::Gpu, &expected));
                }
                _ => found = Some(gpu.name.clone()),
            }
        }
        Ok(found)
    }
}

/// GPUs of a row: told in a column, or in front of the GPU's name (`32xA100_40GB`).
pub(super) fn gpu_count(row: &Row<'_>) -> Result<u64, Diagnostic> {
    let mut count = row.integer(Column::Gpus, MAX_COUNT)?;
    if count.is_none()
        && let Some(nodes) = row.integer(Column::Nodes, MAX_COUNT)?
        && let Some(per_node) = row.integer(Column::GpusPerNode, MAX_COUNT)?
    {
        count = nodes
            .checked_mul(per_node)
            .filter(|gpus| *gpus <= MAX_COUNT);
    }
    for cell in row.cells(Column::Gpu) {
        match (count, split_count(&cell.text).0) {
            (Some(told), Some(prefix)) if told != prefix => {
                let expected = format!("expected {told} GPUs as told by the row");
                return Err(row.refuse(cell, Column::Gpu, &expected));
            }
            (None, Some(0)) => {
                return Err(row.refuse(cell, Column::Gpu, "expected at least one GPU"));
            }
            (told, prefix) => count = told.or(prefix),
        }
    }
    count.ok_or_else(|| row.missing(Column::Gpus, "`gpus` (nor `nodes` and `gpus_per_node`)"))
}

/// Splits `32xA100_40GB` into 32 and `A100_40GB`.
pub(super) fn split_count(text: &str) -> (Option<u64>, &str) {
    let Some((count, name)) = text.split_once(['x', 'X', '×']) else {
        return (None, text);
    };
    match count.trim().parse() {
        Ok(count) => (Some(count), name.trim()),
        Err(_) => (None, text),
    }
}
