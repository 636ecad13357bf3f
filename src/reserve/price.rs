//! What a GPU-hour of a booking is billed at.

use schemars::JsonSchema;
use serde::Serialize;

use crate::hardware::{Price, Region, known};
use crate::quantity::display_unit_price;

/// A price, with its date and source.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PriceReport {
    /// US dollars per GPU-hour.
    pub usd_per_gpu_hour: f64,
    /// What kind of price.
    pub price_type: String,
    /// Region it holds for.
    pub region: String,
    /// Date of the price.
    pub as_of: String,
    /// Who published it.
    pub source: String,
}

impl PriceReport {
    /// Of a price that is known.
    pub(super) fn new(price: &Price) -> Self {
        Self {
            usd_per_gpu_hour: price.usd_per_gpu_hour,
            price_type: price.price_type.clone(),
            region: price.region.clone(),
            as_of: price.as_of.clone(),
            source: price.source.clone(),
        }
    }

    /// The price, and what is known of who says so.
    #[must_use]
    pub fn words(&self) -> String {
        let date = format!("as of {}", self.as_of);
        let date = if known(&self.as_of) {
            date.as_str()
        } else {
            ""
        };
        let kind = self.price_type.as_str();
        let region = Region::of(&self.region).name().unwrap_or_default();
        let details = [kind, region, self.source.as_str(), date];
        let details: Vec<&str> = details.into_iter().filter(|text| known(text)).collect();
        format!(
            "${} per GPU-hour ({})",
            display_unit_price(self.usd_per_gpu_hour),
            details.join(", ")
        )
    }
}
