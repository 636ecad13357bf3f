//! The kinds of preset.

use std::fmt;

/// A kind of preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
