//! Where a row ran.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::hardware::Cluster;
use crate::preset::Catalog;
use crate::quantity::{counted, display_whole};

use super::column::Column;
use super::grid::Cell;
use super::nodes::{Gpus, split_count};
use super::notes::Notes;
use super::row::Row;

/// What tells a card from another of the same name that is known here, with more of everything.
const VARIANTS: [&str; 5] = ["pcie", "nvl", "nvl72", "mig", "max"];

/// What to do where no column tells the GPU.
const NO_GPU: &str = "say in a column `gpu` which GPU each row ran on, such as `h100` (`tminus presets gpus` \
                      lists them), or in a column `cluster` on which cluster (`tminus presets clusters`)";

/// Whether a word of a GPU's name tells its memory or its socket.
fn is_detail(word: &str) -> bool {
    word.starts_with("sxm") || word.starts_with("hbm")
}

/// The refusal of more GPUs than a cluster that is known by its name has.
fn too_many(row: &Row<'_>, cluster: &Cluster, gpus: u64) -> Diagnostic {
    let most = counted(cluster.max_gpus, "GPU");
    let message = format!("cluster `{}` has at most {most}, not {gpus}", cluster.name);
    let refusal = row.contradiction(
        Column::Cluster,
        &message,
        &format!("expected a cluster of {} or more", counted(gpus, "GPU")),
        &[Column::Gpus, Column::Nodes],
    );
    refusal.help(format!(
        "name the cluster it ran on, or leave the cell empty for nodes of {}; where it is this one, \
         `max_gpus` of `[clusters.{}]` in a file for `--presets` says how large yours is",
        cluster.gpu.name, cluster.name
    ))
}

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
    /// Those whose rows tell other nodes than the cluster's, by its name, its GPU (a name that isn't
    /// known may be of several) and the GPUs in them.
    of_other_nodes: BTreeMap<(String, String, u64), Arc<Cluster>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            clusters: BTreeMap::new(),
            of_other_nodes: BTreeMap::new(),
        }
    }

    /// The cluster a row names, or a generic one of its GPU, and how many of its GPUs the row ran on.
    pub(super) fn cluster(
        &mut self,
        row: &Row<'_>,
        notes: &mut Notes,
    ) -> Result<(Arc<Cluster>, u64), Diagnostic> {
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
        let gpus = Gpus::read(row, met.cluster.gpus_per_node, notes)?;
        if met.known && gpus.count > met.cluster.max_gpus {
            return Err(too_many(row, &met.cluster, gpus.count));
        }
        let cluster = match gpus.per_node {
            Some(per_node) => {
                self.of_other_nodes(row, (&met, named), gpus.count, per_node, notes)?
            }
            None => met.cluster,
        };
        Ok((cluster, gpus.count))
    }

    /// The cluster of rows that tell other nodes than those it is known or taken to have: one of its
    /// own.
    ///
    /// # Errors
    /// Other nodes than those of a cluster that is known by its name.
    fn of_other_nodes(
        &mut self,
        row: &Row<'_>,
        (met, named): (&Met, Option<&Cell>),
        gpus: u64,
        per_node: u64,
        notes: &mut Notes,
    ) -> Result<Arc<Cluster>, Diagnostic> {
        let usual = &met.cluster;
        if met.known && named.is_some() {
            let message = format!(
                "nodes of {}, but those of cluster `{}` have {}",
                counted(per_node, "GPU"),
                usual.name,
                usual.gpus_per_node
            );
            let expected = format!(
                "expected {} of it for {}",
                counted(usual.nodes(gpus), "node"),
                counted(gpus, "GPU")
            );
            let column = match row.cell(Column::Nodes) {
                Some(_) => Column::Nodes,
                None => Column::GpusPerNode,
            };
            let context = [Column::Cluster, Column::Gpus, Column::GpusPerNode];
            let refusal = row.contradiction(column, &message, &expected, &context);
            return Err(refusal.help(format!(
                "other nodes are another cluster: `gpus_per_node = {per_node}` of a `[clusters.NAME]` in \
                 a file for `--presets` describes it"
            )));
        }
        let name = format!("{}-nodes-of-{per_node}", usual.name);
        let text = format!(
            "nodes of {}, not of the usual {}, are taken as a cluster of their own, `{name}`, whose links carry \
             as much for each GPU; a `cluster` column and `[clusters.NAME]` in a file for `--presets` tell \
             yours",
            counted(per_node, "GPU"),
            usual.gpus_per_node
        );
        notes.add(row.line(), text);
        let share = per_node as f64 / usual.gpus_per_node.max(1) as f64;
        let key = (usual.name.clone(), usual.gpu.name.clone(), per_node);
        let known = self.of_other_nodes.entry(key);
        let cluster = known.or_insert_with(|| {
            Arc::new(Cluster {
                name,
                gpus_per_node: per_node,
                inter_node_bytes_per_s: usual.inter_node_bytes_per_s.map(|rate| rate * share),
                source: format!(
                    "nodes of {} as a table tells them",
                    counted(per_node, "GPU")
                ),
                ..(**usual).clone()
            })
        });
        Ok(Arc::clone(cluster))
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
            (None, None) => Err(row.missing(Column::Gpu, "`gpu` or `cluster`").help(NO_GPU)),
        }
    }

    /// The error for a GPU that isn't known. Where it is plainly another card than any that is, none
    /// of these is offered instead: a fit would hold another GPU's speeds.
    fn unknown_gpu(&self, name: &str, unknown: Diagnostic) -> Diagnostic {
        let words = |name: &str| -> Vec<String> {
            let words = name.split(|c: char| !c.is_alphanumeric());
            let words = words.filter(|word| !word.is_empty());
            words.map(str::to_lowercase).collect()
        };
        let known: Vec<String> = self
            .catalog
            .gpus()
            .flat_map(|gpu| words(&gpu.name))
            .collect();
        let named = words(name);
        let of_a_kind = |word: &String| {
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.contains(|c: char| c.is_ascii_digit())
                && !is_detail(word)
        };
        let is_variant = named.iter().any(|word| VARIANTS.contains(&word.as_str()));
        let is_known = named
            .iter()
            .any(|word| known.contains(word) && of_a_kind(word));
        let is_other = named
            .iter()
            .any(|word| of_a_kind(word) && !known.contains(word));
        if !is_variant && is_known {
            // Other memory or another socket of one of these, and no other architecture.
            let alike = self.catalog.gpus().filter(|gpu| {
                let mut words = words(&gpu.name).into_iter();
                words.any(|word| of_a_kind(&word) && named.contains(&word))
            });
            let alike = alike.map(|gpu| gpu.name.as_str());
            return did_you_mean(name, alike)
                .into_iter()
                .fold(
                    Diagnostic::new(format!("unknown GPU `{name}`")),
                    Diagnostic::help,
                )
                .help("`tminus presets gpus` lists all");
        }
        if !is_variant && !is_other {
            return unknown;
        }
        let key = named.join("-");
        Diagnostic::new(format!("unknown GPU `{name}`")).help(format!(
            "another card than those of `tminus presets gpus`: describe it as `[gpus.{key}]` in a \
                 file for `--presets`"
        ))
    }

    /// Canonical name of the GPU; a repeated column must name the same one.
    fn gpu_name(&self, row: &Row<'_>) -> Result<Option<String>, Diagnostic> {
        let mut found: Option<String> = None;
        for cell in row.cells(Column::Gpu) {
            let (_, name) = split_count(&cell.text);
            let gpu = self.catalog.gpu(name).map_err(|unknown| {
                row.located(self.unknown_gpu(name, unknown), cell, Column::Gpu)
            })?;
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
