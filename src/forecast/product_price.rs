//! At which prices a product is sold, and which clusters have one.
//!
//! Hours that are billed as used are bought at what a plan is costed at: the kind of price asked for,
//! or where none is, what hours on demand cost. What is booked whole has a price of its own.

use super::price::Pricing;
use super::price_kind::{PriceKind, is_same};
use crate::hardware::{Cluster, Price};
use crate::product::{Billing, Product};

impl Pricing {
    /// Which prices a product is sold at on a cluster.
    #[must_use]
    pub fn of_product(&self, product: &Product, cluster: &Cluster) -> Self {
        let (own, asked) = (product.price_type.as_ref(), self.price_type.as_ref());
        let price_type = match product.billing {
            Billing::Used => asked
                .filter(|kind| !self.sells_whole(kind))
                .or_else(|| own.filter(|own| !self.buys_on_demand(own, cluster))),
            Billing::Upfront | Billing::Booked => own.or(asked),
        };
        let by_the_hour = product.billing == Billing::Used;
        Self {
            price_type: price_type.cloned(),
            on_demand_only: by_the_hour && own.is_some() && price_type.is_none(),
            ..self.clone()
        }
    }

    /// Whether hours of a product that is sold at a kind of price are what a plan is costed at where
    /// no kind is asked for: hours on demand, or any at what an hour is stated to cost.
    fn buys_on_demand(&self, own: &str, cluster: &Cluster) -> bool {
        let stated =
            || self.price_type.is_none() && self.price(cluster).is_some_and(Price::is_stated);
        PriceKind::is_called_on_demand(own) || (self.is_plain(own) && stated())
    }

    /// Whether a cluster has a price that a product can be billed at: one of its own kind, or where it
    /// sells hours on demand, one of the kind asked for, or that may be of such hours.
    #[must_use]
    pub fn may_price(&self, product: &Product, cluster: &Cluster) -> bool {
        let pricing = self.of_product(product, cluster);
        let may = |price: &Price| {
            let kind = &price.price_type;
            let said = pricing.price_type.is_some() || PriceKind::may_be_on_demand(kind);
            said && !price.is_stated() && pricing.is_of_kind_asked(price)
        };
        let more = sells_on_demand(product) && cluster.prices.iter().any(may);
        more || has_price_of(product, cluster)
    }
}

/// Whether a cluster has a price that is, by its name, of the kind that a product is sold at.
#[must_use]
pub fn has_price_of(product: &Product, cluster: &Cluster) -> bool {
    let mut kinds = cluster.prices.iter().map(|price| price.price_type.as_str());
    kinds.any(|kind| {
        let own = product.price_type.as_ref();
        own.is_some_and(|own| is_same(kind, own))
            || (sells_on_demand(product) && PriceKind::is_called_on_demand(kind))
    })
}

/// Whether a product sells hours to whoever asks.
#[must_use]
pub fn sells_on_demand(product: &Product) -> bool {
    let own = product.price_type.as_deref();
    product.billing == Billing::Used && own.is_some_and(PriceKind::is_called_on_demand)
}
