//! What `tminus presets` shows of the catalog: every name with one line about it.

use std::fmt;

use serde::Serialize;

use super::Catalog;
use crate::quantity::display_count;

/// A kind of preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Models.
    Models,
    /// GPUs.
    Gpus,
    /// Clusters.
    Clusters,
    /// Training stacks.
    Stacks,
    /// Prices.
    Prices,
    /// Products that let one book nodes.
    Products,
}

impl Kind {
    /// Every kind, in the order they are listed.
    pub const ALL: [Self; 6] = [
        Self::Models,
        Self::Gpus,
        Self::Clusters,
        Self::Stacks,
        Self::Prices,
        Self::Products,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Models => "models",
            Self::Gpus => "gpus",
            Self::Clusters => "clusters",
            Self::Stacks => "stacks",
            Self::Prices => "prices",
            Self::Products => "products",
        })
    }
}

/// One preset in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Its kind.
    pub kind: Kind,
    /// Its canonical name; of a price, its cluster's.
    pub name: String,
    /// One line about it.
    pub summary: String,
    /// Where its figures come from.
    pub source: String,
}

impl Catalog {
    /// Every preset of a kind with one line about it, in the catalog's order.
    #[must_use]
    pub fn list(&self, kind: Kind) -> Vec<Listing> {
        match kind {
            Kind::Models => self.list_models(),
            Kind::Gpus => self.list_gpus(),
            Kind::Clusters => self.list_clusters(),
            Kind::Stacks => self.list_stacks(),
            Kind::Prices => self.list_prices(),
            Kind::Products => self.list_products(),
        }
    }

    fn list_models(&self) -> Vec<Listing> {
        self.models()
            .map(|model| Listing {
                kind: Kind::Models,
                name: model.name.clone(),
                summary: format!(
                    "{} parameters, {} layers of width {}, {} heads, sequence {}, global batch {}",
                    display_count(model.params() as f64),
                    model.shape.n_layers,
                    model.shape.d_model,
                    model.shape.n_heads,
                    model.seq_len,
                    model.global_batch,
                ),
                source: model.source.clone(),
            })
            .collect()
    }

    fn list_gpus(&self) -> Vec<Listing> {
        self.gpus()
            .map(|gpu| Listing {
                kind: Kind::Gpus,
                name: gpu.name.clone(),
                summary: format!(
                    "{:.0} TFLOP/s dense bf16, {:.3} TB/s, {} GiB usable, {}",
                    gpu.peak_flops / 1e12,
                    gpu.hbm_bytes_per_s / 1e12,
                    gpu.usable_gib,
                    measured(gpu.measured),
                ),
                source: gpu.source.clone(),
            })
            .collect()
    }

    fn list_clusters(&self) -> Vec<Listing> {
        self.clusters()
            .map(|cluster| {
                let link = cluster
                    .inter_node_bytes_per_s
                    .map_or_else(String::new, |link| {
                        format!(", {:.0} Gbit/s a node", link * 8.0 / 1e9)
                    });
                let price = cluster.prices.first().map_or_else(
                    || "no price".to_owned(),
                    |price| format!("${:.3}/GPU-hour", price.usd_per_gpu_hour),
                );
                Listing {
                    kind: Kind::Clusters,
                    name: cluster.name.clone(),
                    summary: format!(
                        "{}, {} a node, up to {}{link}, {price}",
                        cluster.gpu.name, cluster.gpus_per_node, cluster.max_gpus,
                    ),
                    source: cluster.source.clone(),
                }
            })
            .collect()
    }

    fn list_stacks(&self) -> Vec<Listing> {
        self.stacks()
            .map(|stack| Listing {
                kind: Kind::Stacks,
                name: stack.name.clone(),
                summary: format!("{} ({})", stack.description, measured(stack.measured)),
                source: stack.source.clone(),
            })
            .collect()
    }

    fn list_products(&self) -> Vec<Listing> {
        self.products()
            .map(|product| Listing {
                kind: Kind::Products,
                name: product.name.clone(),
                summary: format!("{}: {}", product.title, product.lengths_words()),
                source: product.source.clone(),
            })
            .collect()
    }

    fn list_prices(&self) -> Vec<Listing> {
        self.prices()
            .map(|(cluster, price)| Listing {
                kind: Kind::Prices,
                name: cluster.name.clone(),
                summary: format!(
                    "${:.3}/GPU-hour, {}, {} {}, {}, as of {}",
                    price.usd_per_gpu_hour,
                    price.price_type,
                    price.provider,
                    price.instance,
                    price.region,
                    price.as_of,
                ),
                source: price.source.clone(),
            })
            .collect()
    }
}

fn measured(measured: bool) -> &'static str {
    if measured { "measured" } else { "not measured" }
}
