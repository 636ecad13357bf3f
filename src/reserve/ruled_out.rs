//! What can't be booked, as the answer tells it.

use schemars::JsonSchema;
use serde::Serialize;

/// A product on a cluster that can't be booked for what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuledOut {
    /// Cluster name.
    pub cluster: String,
    /// Product name.
    pub product: String,
    /// Whether the product sells the cluster at all.
    pub sold: bool,
    /// Why, in words.
    pub reason: String,
}

impl RuledOut {
    /// In words: `r1z1, on-demand: it does not sell r1z1`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}, {}: {}", self.cluster, self.product, self.reason)
    }
}
