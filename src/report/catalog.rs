//! The catalog's presets as tables for people and objects for programs.

use serde_json::{Map, Value, json};

use crate::forecast::Pricing;
use crate::hardware::{Cluster, Gpu, Price};
use crate::model::Model;
use crate::preset::{Catalog, Kind};
use crate::product::Product;
use crate::quantity::{display_thousands, without_separators};
use crate::stack::Stack;

use super::listing::Section;
use super::number::{significant, unit_price};
use super::{Cell, Column, Grid};

/// One kind of preset, all of them or the ones named so.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The table.
    pub section: Section,
    /// Everything, for programs.
    pub json: Value,
    /// Where the figures of each shown preset come from.
    pub sources: Vec<(String, String)>,
}

/// Presets of a kind whose name `keep` accepts.
///
/// # Errors
/// When a preset has no JSON form.
pub fn shelf(
    catalog: &Catalog,
    kind: Kind,
    keep: impl Fn(&str) -> bool,
) -> Result<Shelf, serde_json::Error> {
    let mut shelf = Shelf {
        section: Section {
            heading: kind.to_string(),
            grid: Grid {
                columns: columns(kind),
                rows: Vec::new(),
            },
        },
        json: Value::Null,
        sources: Vec::new(),
    };
    let mut items = Vec::new();
    let mut add = |name: &str, source: &str, row: Vec<Cell>, item: Value| {
        shelf.section.grid.rows.push(row);
        shelf.sources.push((name.to_owned(), source.to_owned()));
        items.push(item);
    };
    match kind {
        Kind::Models => {
            for model in catalog.models().filter(|model| keep(&model.name)) {
                let params = json!(model.params());
                let item = with(model, "n_params", params)?;
                add(&model.name, &model.source, model_row(model), item);
            }
        }
        Kind::Gpus => {
            for gpu in catalog.gpus().filter(|gpu| keep(&gpu.name)) {
                add(
                    &gpu.name,
                    &gpu.source,
                    gpu_row(gpu),
                    serde_json::to_value(gpu)?,
                );
            }
        }
        Kind::Clusters => {
            for cluster in catalog.clusters().filter(|cluster| keep(&cluster.name)) {
                let item = serde_json::to_value(cluster)?;
                add(&cluster.name, &cluster.source, cluster_row(cluster), item);
            }
        }
        Kind::Stacks => {
            for stack in catalog.stacks().filter(|stack| keep(&stack.name)) {
                let item = serde_json::to_value(stack)?;
                add(&stack.name, &stack.source, stack_row(stack), item);
            }
        }
        Kind::Prices => {
            for (cluster, price) in catalog.prices().filter(|(c, _)| keep(&c.name)) {
                let item = with(price, "cluster", json!(cluster.name))?;
                add(
                    &cluster.name,
                    &price.source,
                    price_row(cluster, price),
                    item,
                );
            }
        }
        Kind::Products => {
            for product in catalog.products().filter(|product| keep(&product.name)) {
                let item = serde_json::to_value(product)?;
                add(&product.name, &product.source, product_row(product), item);
            }
        }
    }
    shelf.json = Value::Array(items);
    Ok(shelf)
}

/// An object with one more field.
fn with(item: impl serde::Serialize, key: &str, value: Value) -> Result<Value, serde_json::Error> {
    let mut map: Map<String, Value> = match serde_json::to_value(item)? {
        Value::Object(map) => map,
        other => return Ok(other),
    };
    map.insert(key.to_owned(), value);
    Ok(Value::Object(map))
}

fn columns(kind: Kind) -> Vec<Column> {
    let (left, right): (&[&str], &[&str]) = match kind {
        Kind::Models => (
            &["model"],
            &[
                "parameters",
                "layers",
                "width",
                "heads",
                "kv heads",
                "vocabulary",
                "seq",
                "batch",
            ],
        ),
        Kind::Gpus => (
            &["GPU", "measured"],
            &["bf16 TFLOP/s", "HBM TB/s", "usable GiB", "node link GB/s"],
        ),
        Kind::Clusters => (
            &["cluster", "GPU"],
            &["GPUs/node", "max GPUs", "link Gbit/s a node", "$/GPU-hour"],
        ),
        Kind::Stacks => (&["stack", "measured", "what it is"], &[]),
        Kind::Prices => (
            &["cluster", "provider", "type", "region", "as of"],
            &["$/GPU-hour"],
        ),
        Kind::Products => (
            &[
                "product", "provider", "lengths", "nodes", "ends UTC", "billed",
            ],
            &[],
        ),
    };
    let left = left.iter().copied().map(Column::left);
    left.chain(right.iter().copied().map(Column::right))
        .collect()
}

fn model_row(model: &Model) -> Vec<Cell> {
    let shape = &model.shape;
    let count = |value: u64| Cell::from(display_thousands(value.into()));
    vec![
        model.name.as_str().into(),
        count(model.params()),
        count(shape.n_layers),
        count(shape.d_model),
        count(shape.n_heads),
        count(shape.n_kv_heads),
        count(shape.vocab_size),
        model.seq_len.to_string().into(),
        model.global_batch.to_string().into(),
    ]
}

fn gpu_row(gpu: &Gpu) -> Vec<Cell> {
    vec![
        gpu.name.as_str().into(),
        yes_no(gpu.measured),
        figure(gpu.peak_flops / 1e12),
        figure(gpu.hbm_bytes_per_s / 1e12),
        Cell::from(gpu.usable_gib.to_string()).short(format!("{:.1}", gpu.usable_gib)),
        figure(gpu.intra_node_bytes_per_s / 1e9),
    ]
}

fn cluster_row(cluster: &Cluster) -> Vec<Cell> {
    let link = cluster.inter_node_bytes_per_s;
    let price = Pricing::default().price(cluster);
    vec![
        cluster.name.as_str().into(),
        cluster.gpu.name.as_str().into(),
        cluster.gpus_per_node.to_string().into(),
        display_thousands(cluster.max_gpus.into()).into(),
        link.map_or_else(|| "–".into(), |link| figure(link * 8.0 / 1e9)),
        price
            .map_or_else(
                || "–".to_owned(),
                |price| unit_price(price.usd_per_gpu_hour),
            )
            .into(),
    ]
}

fn stack_row(stack: &Stack) -> Vec<Cell> {
    vec![
        stack.name.as_str().into(),
        yes_no(stack.measured),
        stack.description.as_str().into(),
    ]
}

fn price_row(cluster: &Cluster, price: &Price) -> Vec<Cell> {
    vec![
        cluster.name.as_str().into(),
        price.provider.as_str().into(),
        price.price_type.as_str().into(),
        price.region.as_str().into(),
        price.as_of.as_str().into(),
        unit_price(price.usd_per_gpu_hour).into(),
    ]
}

fn product_row(product: &Product) -> Vec<Cell> {
    let nodes = product
        .max_nodes
        .map_or_else(|| "–".to_owned(), |most| format!("1–{most}"));
    let ends = product
        .ends_at
        .map_or_else(|| "–".to_owned(), |clock| clock.to_string());
    vec![
        product.name.as_str().into(),
        product.provider.as_str().into(),
        product.lengths_words().into(),
        nodes.into(),
        ends.into(),
        product.billing.to_string().into(),
    ]
}

/// A datasheet's figure, in full where it is more than shown.
fn figure(value: f64) -> Cell {
    let (short, full) = (significant(value), value.to_string());
    if without_separators(&short, &[]) == full {
        short.into()
    } else {
        Cell::from(full).short(short)
    }
}

fn yes_no(yes: bool) -> Cell {
    if yes { "yes" } else { "no" }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_figure_is_rounded_for_programs() {
        let catalog = Catalog::embedded();
        let gpus = shelf(&catalog, Kind::Gpus, |_| true).unwrap();
        let at = |header: &str| {
            let columns = &gpus.section.grid.columns;
            let at = columns.iter().position(|column| column.header == header);
            at.unwrap()
        };
        let (bandwidth, usable) = (at("HBM TB/s"), at("usable GiB"));
        for (row, gpu) in gpus.section.grid.rows.iter().zip(catalog.gpus()) {
            let told = |at: usize| row[at].text.parse::<f64>().unwrap();
            assert!(
                (told(bandwidth) * 1e12 - gpu.hbm_bytes_per_s).abs() < 1.0,
                "{}",
                gpu.name
            );
            assert!((told(usable) - gpu.usable_gib).abs() < 1e-9, "{}", gpu.name);
        }
    }

    #[test]
    fn every_preset_has_a_source_and_something_in_each_column() {
        let catalog = Catalog::embedded();
        for kind in Kind::ALL {
            let shelf = shelf(&catalog, kind, |_| true).unwrap();
            let Grid { columns, rows } = &shelf.section.grid;
            assert!(!rows.is_empty(), "{kind}");
            assert_eq!(shelf.sources.len(), rows.len(), "{kind}");
            for (row, (name, source)) in rows.iter().zip(&shelf.sources) {
                assert!(source.len() > 5, "{kind} {name} has no source");
                assert_eq!(row.len(), columns.len(), "{kind} {name}");
                let said = row.iter().all(|cell| !cell.text.is_empty());
                assert!(said, "{kind} {name}: {row:?}");
            }
        }
    }
}
