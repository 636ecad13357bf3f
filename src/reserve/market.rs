//! Which products sell a cluster.

use crate::forecast::{Pricing, has_price_of};
use crate::hardware::Cluster;
use crate::preset::Catalog;
use crate::product::{Offered, Product};

/// The products known, at the prices wanted.
#[derive(Clone, Copy)]
pub(super) struct Market<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) pricing: &'a Pricing,
}

impl<'a> Market<'a> {
    /// Whether `product` can be booked for `cluster`: it is sold so, or at a price that the cluster has,
    /// or it stands for whatever cluster one has.
    pub(super) fn sells(self, product: &Product, cluster: &Cluster) -> bool {
        match product.offered {
            Offered::Clusters(_) => self.catalog.lists(product, cluster),
            Offered::WherePriced => self.pricing.may_price(product, cluster),
            Offered::Elsewhere => true,
        }
    }

    /// The products that a cluster is booked by unless others are asked for, in the catalog's
    /// order: those that sell it, or else those for clusters that nobody sells. That somebody sells
    /// it takes a product that names it, or a price that does by its name: one's own cluster may have a
    /// price of any name.
    pub(super) fn products_of(self, cluster: &Cluster) -> Vec<&'a Product> {
        let is_sold = |product: &&Product| match product.offered {
            Offered::Clusters(_) => self.catalog.lists(product, cluster),
            Offered::WherePriced => has_price_of(product, cluster),
            Offered::Elsewhere => false,
        };
        let sold = self.catalog.products().any(|product| is_sold(&product));
        let offered = |product: &&Product| {
            (product.offered != Offered::Elsewhere) == sold && self.sells(product, cluster)
        };
        self.catalog.products().filter(offered).collect()
    }
}
