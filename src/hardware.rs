//! GPUs, the nodes and clusters that hold them, and what an hour of one costs.

use serde::Serialize;

use crate::quantity::GIB;

/// A GPU as its datasheet describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gpu {
    /// Canonical name, such as `a100-40gb`.
    pub name: String,
    /// Dense bf16 matrix FLOP/s (no sparsity).
    pub peak_flops: f64,
    /// Memory bandwidth, bytes/s.
    pub hbm_bytes_per_s: f64,
    /// Memory a training process can use, GiB, as the driver reports it.
    pub usable_gib: f64,
    /// Link between the GPUs of one node, bytes/s in one direction per GPU.
    pub intra_node_bytes_per_s: f64,
    /// Whether its matrix units multiply fp8; `None` where nobody says.
    pub fp8: Option<bool>,
    /// Whether the embedded tables hold measurements on it; else predictions extrapolate.
    pub measured: bool,
    /// Where the figures come from.
    pub source: String,
}

impl Gpu {
    /// Whether it is of the same architecture, as its peak tells: cards that differ in memory alone
    /// are.
    #[must_use]
    pub fn same_architecture(&self, other: &Self) -> bool {
        peaks_alike(self.peak_flops, other.peak_flops)
    }

    /// Whether it is the same card to every prediction of speed: of that name, and as fast in all that a
    /// datasheet says. A card described under the name of another is none that was measured; what a process
    /// can use of its memory makes it no other.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name && figures_alike(self.figures(), other.figures())
    }

    /// Whether it is linked to the others of its node as another card is.
    pub(crate) fn is_wired_as(&self, other: &Self) -> bool {
        rounded_alike(self.intra_node_bytes_per_s, other.intra_node_bytes_per_s)
    }

    /// What it is told from others by.
    pub(crate) fn card(&self) -> Card {
        Card {
            name: self.name.clone(),
            figures: self.figures(),
        }
    }

    fn figures(&self) -> [f64; 3] {
        [
            self.peak_flops,
            self.hbm_bytes_per_s,
            self.intra_node_bytes_per_s,
        ]
    }

    /// Usable memory in bytes.
    #[must_use]
    pub fn usable_bytes(&self) -> f64 {
        self.usable_gib * GIB
    }
}

/// What tells a GPU from others that are faster or slower: two are equal where [`Gpu::is_same_as`] says so.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    name: String,
    figures: [f64; 3],
}

impl Card {
    /// Whether two are of one name, whatever is said of them.
    pub(crate) fn is_named_as(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl PartialEq for Card {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && figures_alike(self.figures, other.figures)
    }
}

/// By how much a figure may differ as it is rounded on one datasheet and another.
const ROUNDED: f64 = 0.01;

fn figures_alike(one: [f64; 3], other: [f64; 3]) -> bool {
    let mut both = one.iter().zip(&other);
    one.map(f64::to_bits) == other.map(f64::to_bits)
        || both.all(|(one, other)| rounded_alike(*one, *other))
}

/// Whichever of the two comes first.
fn rounded_alike(one: f64, other: f64) -> bool {
    (one / other).ln().abs() < ROUNDED
}

/// Whether two peaks are that of one architecture, however they were printed.
pub(crate) fn peaks_alike(one: f64, other: f64) -> bool {
    (one / other).ln().abs() < 1e-6
}

/// The most GPUs a cluster can be said to have: what one has of which nobody says so.
pub(crate) const MAX_GPUS: u64 = 1 << 24;

/// A cluster: nodes of one GPU type and the links between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    /// Canonical name, such as `r7z2`.
    pub name: String,
    /// Its GPU.
    pub gpu: Gpu,
    /// GPUs in a node.
    pub gpus_per_node: u64,
    /// The most GPUs one job can have.
    pub max_gpus: u64,
    /// Link out of a node, bytes/s in one direction for the whole node; `None` when nodes aren't
    /// linked fast enough to train across them.
    pub inter_node_bytes_per_s: Option<f64>,
    /// Prices known for it, those stated last first.
    pub prices: Vec<Price>,
    /// Where the figures come from.
    pub source: String,
}

impl Cluster {
    /// Whether it is no cluster of its own but stands for its GPU, whose name it has: that of rows
    /// that name none.
    #[must_use]
    pub fn stands_for_gpu(&self) -> bool {
        self.name == self.gpu.name
    }

    /// Whether somebody stated its size and links: of a name that isn't known, the nodes usual for its GPU
    /// are assumed.
    pub(crate) fn is_described(&self) -> bool {
        self.max_gpus < MAX_GPUS
    }

    /// Whether its nodes hold as many GPUs as another's and are linked alike: what clusters of the
    /// same GPU can differ in.
    pub(crate) fn is_linked_as(&self, other: &Self) -> bool {
        self.gpus_per_node == other.gpus_per_node
            && self.inter_node_bytes_per_s == other.inter_node_bytes_per_s
    }

    /// Nodes that hold `gpus` GPUs.
    #[must_use]
    pub fn nodes(&self, gpus: u64) -> u64 {
        gpus.div_ceil(self.gpus_per_node)
    }

    /// Nodes that one job can have whole, spares included: a last one of which it can have a part is
    /// none of them, unless it is the only one.
    #[must_use]
    pub fn whole_nodes(&self) -> u64 {
        (self.max_gpus / self.gpus_per_node.max(1)).max(1)
    }
}

/// What one GPU-hour costs, and who says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Price {
    /// Who sells it.
    pub provider: String,
    /// Product name.
    pub instance: String,
    /// `on-demand`, `spot`, `capacity-block`, …
    pub price_type: String,
    /// US dollars per GPU-hour.
    pub usd_per_gpu_hour: f64,
    /// Region it holds for.
    pub region: String,
    /// Date of the price (`2026-01-21`), or `unknown`.
    pub as_of: String,
    /// Who published it.
    pub source: String,
}

/// Where a price holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region<'a> {
    /// Everywhere its seller is.
    Anywhere,
    /// It isn't said where.
    Unsaid,
    /// In one region.
    Named(&'a str),
}

impl<'a> Region<'a> {
    /// What a text about it says.
    pub(crate) fn of(text: &'a str) -> Self {
        match text.trim() {
            name if name.eq_ignore_ascii_case("all") => Self::Anywhere,
            name if known(name) => Self::Named(name),
            _ => Self::Unsaid,
        }
    }

    /// The region, where there is one.
    pub(crate) fn name(self) -> Option<&'a str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Anywhere | Self::Unsaid => None,
        }
    }
}

/// Whether a text about a price says anything.
pub(crate) fn known(text: &str) -> bool {
    !matches!(text, "" | "-" | "unknown")
}

impl Price {
    /// What a price is called that its owner states without saying what it is for.
    pub(crate) const STATED: &'static str = "stated";

    /// One that its owner states for a cluster.
    pub(crate) fn stated(cluster: &str, usd_per_gpu_hour: f64, source: &str) -> Self {
        Self {
            provider: cluster.to_owned(),
            instance: cluster.to_owned(),
            price_type: Self::STATED.to_owned(),
            usd_per_gpu_hour,
            region: "-".to_owned(),
            as_of: "unknown".to_owned(),
            source: source.to_owned(),
        }
    }

    /// Where it holds.
    pub(crate) fn place(&self) -> Region<'_> {
        Region::of(&self.region)
    }

    /// Whether its owner states it without saying what it is for: it stands in for any that isn't known.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        self.price_type == Self::STATED
    }

    /// Who sells what on which terms, and who says so when: what is known of that.
    #[must_use]
    pub fn words(&self) -> String {
        self.words_without("")
    }

    /// The same beside a name that says already who sells it, or what.
    pub(crate) fn words_without(&self, said: &str) -> String {
        let date = format!("as of {}", self.as_of);
        let date = known(&self.as_of).then_some(date.as_str());
        let mut details: Vec<&str> = Vec::new();
        let sold = [&self.provider, &self.instance].into_iter();
        let texts = sold.filter(|text| text.as_str() != said);
        let texts = texts.chain([&self.price_type, &self.region]);
        for text in texts.filter(|text| known(text)) {
            if !details.contains(&text.as_str()) {
                details.push(text);
            }
        }
        details.extend(date);
        details.extend(known(&self.source).then_some(self.source.as_str()));
        details.join(", ")
    }
}
