//! The catalog: embedded presets, and user files that add to them or override them.
//!
//! A file of presets is TOML with tables `[models.<name>]`, `[gpus.<name>]`, `[clusters.<name>]`,
//! `[stacks.<name>]`, `[products.<name>]` and `[[prices]]`; the embedded ones under `presets/` are
//! written in it too.
//! A table whose name is already known takes that preset's place.
//!
//! ```
//! use tminus::preset::Catalog;
//! let catalog = Catalog::embedded()
//!     .with_file("mine.toml", "[clusters.lab]\ngpu = \"h100\"\nmax_gpus = 8\n")
//!     .unwrap();
//! assert_eq!(catalog.cluster("lab").unwrap().gpu.peak_flops, 989e12);
//! assert_eq!(catalog.model("GPT_7B").unwrap().name, "gpt-7b");
//! ```

mod document;
mod hardware;
mod kind;
mod model;
mod name;
mod product;
mod shelf;
mod tables;
mod usual;
mod value;

#[cfg(test)]
pub(crate) mod tests;

pub use kind::Kind;

pub(crate) use document::{in_plain_words, parse};
pub(crate) use name::refuse_controls;
pub(crate) use product::ProductTable;
pub(crate) use tables::{ClusterTable, GpuTable, ModelTable, PriceTable, StackTable, Tables};
pub(crate) use value::{At, Entries, Spelled, Whole, Written};

use crate::diagnostic::{Diagnostic, Origin};
use crate::hardware::{Cluster, Gpu, MAX_GPUS, Price};
use crate::model::Model;
use crate::product::{Offered, Product};
use crate::stack::Stack;
use name::refuse_repeats;
use shelf::Shelf;

/// The embedded files, in an order in which each finds what it names.
const EMBEDDED: [(&str, &str); 6] = [
    (
        "presets/models.toml",
        include_str!("../../presets/models.toml"),
    ),
    ("presets/gpus.toml", include_str!("../../presets/gpus.toml")),
    (
        "presets/clusters.toml",
        include_str!("../../presets/clusters.toml"),
    ),
    (
        "presets/stacks.toml",
        include_str!("../../presets/stacks.toml"),
    ),
    (
        "presets/prices.toml",
        include_str!("../../presets/prices.toml"),
    ),
    (
        "presets/products.toml",
        include_str!("../../presets/products.toml"),
    ),
];

/// Link out of a node where no known cluster of that GPU says: that of the measured clusters,
/// 8 × 200 Gbit/s.
const GENERIC_INTER_NODE_BYTES_PER_S: f64 = 200e9;

/// Everything that can be named in a job.
#[derive(Debug, Clone)]
pub struct Catalog {
    models: Shelf<Model>,
    gpus: Shelf<Gpu>,
    clusters: Shelf<Cluster>,
    stacks: Shelf<Stack>,
    products: Shelf<Product>,
    /// GPUs that a user's own rows were measured on, each with the stack of most of them.
    usual: Vec<(Gpu, String)>,
}

impl Catalog {
    /// The presets embedded in the program.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the text is part of the program, and no input reaches it"
    )]
    pub fn embedded() -> Self {
        EMBEDDED
            .into_iter()
            .try_fold(Self::empty(), |catalog, (name, text)| {
                catalog.with_file(name, text)
            })
            .expect("the embedded presets are valid")
    }

    fn empty() -> Self {
        Self {
            models: Shelf::new("model", "models"),
            gpus: Shelf::new("GPU", "gpus"),
            clusters: Shelf::new("cluster", "clusters"),
            stacks: Shelf::new("stack", "stacks"),
            products: Shelf::new("product", "products"),
            usual: Vec::new(),
        }
    }

    /// The catalog with a preset file added; `name` is what people know the file by.
    ///
    /// # Errors
    /// The first mistake in the file, with its line, column and a remedy.
    pub fn with_file(self, name: &str, text: &str) -> Result<Self, Diagnostic> {
        let origin = Origin {
            name: name.to_owned(),
            text: text.into(),
        };
        let tables = parse(&origin)?;
        self.with_tables(&tables, &origin)
    }

    /// The catalog with the tables of a file added.
    pub(crate) fn with_tables(
        mut self,
        tables: &Tables,
        origin: &Origin,
    ) -> Result<Self, Diagnostic> {
        self.add_gpus(tables, origin)?;
        self.add_clusters(tables, origin)?;
        self.add_prices(tables, origin)?;
        refuse_repeats(tables.models.0.iter().map(|(name, _)| name), origin)?;
        // What a model is found by, where a `name` of its own replaces that of its table.
        let built = tables.models.0.iter();
        let built = built.map(|(name, table)| table.name.as_ref().unwrap_or(name));
        refuse_repeats(built, origin)?;
        for (name, table) in &tables.models.0 {
            let mut aliases = table.aliases.clone();
            aliases.extend(table.name.is_some().then(|| name.value.clone()));
            self.models.put(table.build(name, origin)?, &aliases);
        }
        refuse_repeats(tables.stacks.0.iter().map(|(name, _)| name), origin)?;
        for (name, table) in &tables.stacks.0 {
            self.stacks.put(table.build(&name.value), &table.aliases);
        }
        self.add_products(tables, origin)?;
        Ok(self)
    }

    fn add_gpus(&mut self, tables: &Tables, origin: &Origin) -> Result<(), Diagnostic> {
        refuse_repeats(tables.gpus.0.iter().map(|(name, _)| name), origin)?;
        for (name, table) in &tables.gpus.0 {
            let gpu = table.build(&name.value);
            let key = name::normalised(&gpu.name);
            for cluster in self.clusters.iter_mut() {
                if name::normalised(&cluster.gpu.name) == key {
                    cluster.gpu = gpu.clone();
                }
            }
            self.gpus.put(gpu, &table.aliases);
        }
        Ok(())
    }

    fn add_clusters(&mut self, tables: &Tables, origin: &Origin) -> Result<(), Diagnostic> {
        refuse_repeats(tables.clusters.0.iter().map(|(name, _)| name), origin)?;
        for (name, table) in &tables.clusters.0 {
            let gpu = self.gpu(&table.gpu.value).map_err(|unknown| {
                unknown
                    .in_text(origin.clone())
                    .at(table.gpu.span.clone(), "not known")
            })?;
            let mut cluster = table.build(&name.value, gpu.clone(), origin)?;
            // A price is a cluster's by its name; that of another GPU would mislead.
            if let Some(old) = self.clusters.get(&name.value)
                && old.gpu.name == cluster.gpu.name
            {
                cluster.prices.extend(old.prices.iter().cloned());
            }
            self.clusters.put(cluster, &table.aliases);
        }
        Ok(())
    }

    /// Prices of one file go before those known earlier, in the file's order.
    fn add_prices(&mut self, tables: &Tables, origin: &Origin) -> Result<(), Diagnostic> {
        for table in tables.prices.iter().rev() {
            let at = &table.instance;
            let located = |unknown: Diagnostic| {
                unknown
                    .in_text(origin.clone())
                    .at(at.span.clone(), "a price belongs to a cluster by its name")
            };
            self.clusters.find(&at.value).map_err(located)?;
            if let Some(cluster) = self.clusters.get_mut(&at.value) {
                cluster.prices.insert(0, table.build());
            }
        }
        Ok(())
    }

    fn add_products(&mut self, tables: &Tables, origin: &Origin) -> Result<(), Diagnostic> {
        refuse_repeats(tables.products.0.iter().map(|(name, _)| name), origin)?;
        for (name, table) in &tables.products.0 {
            for at in &table.clusters {
                self.clusters.find(&at.value).map_err(|unknown| {
                    unknown
                        .in_text(origin.clone())
                        .at(at.span.clone(), "a product sells clusters by their names")
                })?;
            }
            let product = table.build(name, origin)?;
            self.products.put(product, &table.aliases);
        }
        Ok(())
    }

    /// The catalog with a model added, in the place of one of the same name if there is one.
    #[must_use]
    pub fn with_model(mut self, model: Model) -> Self {
        self.models.put(model, &[]);
        self
    }

    /// The model of that name or alias, in any of the spellings in use (`gpt-7b`, `gpt7b`).
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn model(&self, name: &str) -> Result<&Model, Diagnostic> {
        self.models.find(name)
    }

    /// The GPU of that name or alias (`a100-40gb`, `a100_40gb`).
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn gpu(&self, name: &str) -> Result<&Gpu, Diagnostic> {
        let own = self.gpus.get(name);
        match own.or_else(|| self.gpus.get(without_vendor(name)?)) {
            Some(gpu) => Ok(gpu),
            None => self.gpus.find(name),
        }
    }

    /// The cluster of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones; the name of a GPU, with the clusters of it.
    pub fn cluster(&self, name: &str) -> Result<&Cluster, Diagnostic> {
        self.clusters.find(name).map_err(|unknown| {
            if name.contains(',') {
                return unknown.help(
                    "name several one by one: `--cluster` again for each, or `cluster = [\"r1z1\", \
                     \"r7z2\"]` in a job file",
                );
            }
            let Some(gpu) = self.gpus.get(name) else {
                return unknown;
            };
            let of_it: Vec<&str> = self
                .clusters()
                .filter(|cluster| cluster.gpu.name == gpu.name)
                .map(|cluster| cluster.name.as_str())
                .collect();
            Diagnostic::new(format!("`{name}` is a GPU, not a cluster"))
                .help(format!("clusters of it: {}", of_it.join(", ")))
                .help("`tminus presets clusters` lists all")
        })
    }

    /// The cluster that stands for a GPU when a measured row or a request names none: the nodes
    /// and links of the first known cluster of that GPU, or else nodes of eight linked as the
    /// measured clusters are; no prices, and no limit on its size but what is accepted anywhere.
    ///
    /// # Errors
    /// An unknown GPU, with the nearest known ones.
    pub fn generic_cluster(&self, gpu: &str) -> Result<Cluster, Diagnostic> {
        let gpu = self.gpu(gpu)?;
        let known = self.clusters().find(|cluster| {
            cluster.gpu.name == gpu.name && cluster.inter_node_bytes_per_s.is_some()
        });
        let inter_node = known
            .and_then(|cluster| cluster.inter_node_bytes_per_s)
            .unwrap_or(GENERIC_INTER_NODE_BYTES_PER_S);
        Ok(Cluster {
            name: gpu.name.clone(),
            gpu: gpu.clone(),
            gpus_per_node: known.map_or(hardware::GPUS_PER_NODE, |cluster| cluster.gpus_per_node),
            max_gpus: MAX_GPUS,
            inter_node_bytes_per_s: Some(inter_node),
            prices: Vec::new(),
            source: known.map_or_else(
                || "assumed to be linked as the measured clusters are".to_owned(),
                |cluster| format!("nodes and links as in {}", cluster.name),
            ),
        })
    }

    /// The stack of that name.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn stack(&self, name: &str) -> Result<&Stack, Diagnostic> {
        self.stacks.find(name)
    }

    /// The product of that name or alias.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn product(&self, name: &str) -> Result<&Product, Diagnostic> {
        self.products.find(name)
    }

    /// Whether `product` names `cluster`, by any of its names, among those that it sells.
    #[must_use]
    pub fn lists(&self, product: &Product, cluster: &Cluster) -> bool {
        let Offered::Clusters(names) = &product.offered else {
            return false;
        };
        names.iter().any(|name| {
            let sold = self.clusters.get(name);
            sold.is_some_and(|sold| sold.name == cluster.name)
        })
    }

    /// All products, in the order they were added.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.iter()
    }

    /// All models, in the order they were added.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// All GPUs, in the order they were added.
    pub fn gpus(&self) -> impl Iterator<Item = &Gpu> {
        self.gpus.iter()
    }

    /// All clusters, in the order they were added.
    pub fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter()
    }

    /// All stacks, in the order they were added.
    pub fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.stacks.iter()
    }

    /// All prices with the cluster each belongs to.
    pub fn prices(&self) -> impl Iterator<Item = (&Cluster, &Price)> {
        self.clusters()
            .flat_map(|cluster| cluster.prices.iter().map(move |price| (cluster, price)))
    }
}

/// A GPU's name without that of who makes it; `None` where it has none.
fn without_vendor(name: &str) -> Option<&str> {
    let (vendor, rest) = name.trim().split_once([' ', '-', '_'])?;
    vendor.eq_ignore_ascii_case("nvidia").then_some(rest)
}

/// JSON Schema of a preset file.
#[must_use]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(Tables)
}
