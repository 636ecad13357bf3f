//! Which prices a job is costed at: the user's own, or a choice among those known.

use super::settings::{SetAt, Sourced};
use crate::calendar::Moment;
use crate::calendar::PriceDate;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::forecast::{Pricing, Reference, is_same, sells_on_demand};
use crate::hardware::{Cluster, Price};
use crate::preset::Catalog;
use crate::product::Billing;
use crate::quantity::UsdPerGpuHour;

/// What is set about prices, each left open until it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PriceSettings {
    /// What a GPU-hour costs, on every cluster.
    pub usd_per_gpu_hour: Option<Sourced<UsdPerGpuHour>>,
    /// `on-demand`, `spot`, …
    pub price_type: Option<Sourced<String>>,
    /// Who sells it.
    pub provider: Option<Sourced<String>>,
    /// Region.
    pub region: Option<Sourced<String>>,
    /// The day that the age of prices is counted from.
    pub as_of: Option<Sourced<Moment>>,
}

impl PriceSettings {
    /// These settings, and where they leave something open, the other's.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        Self {
            usd_per_gpu_hour: self.usd_per_gpu_hour.or(other.usd_per_gpu_hour),
            price_type: self.price_type.or(other.price_type),
            provider: self.provider.or(other.provider),
            region: self.region.or(other.region),
            as_of: self.as_of.or(other.as_of),
        }
    }

    /// Which prices are taken; `start` is when the run is planned to start.
    ///
    /// # Errors
    /// A price type, provider or region that no price known has.
    pub(super) fn resolve(
        &self,
        start: Option<Moment>,
        catalog: &Catalog,
    ) -> Result<Pricing, Diagnostic> {
        let known = |set: &Option<Sourced<String>>, what, of: fn(&Price) -> &str, same| {
            set.as_ref()
                .map(|set| one_of(set, what, (of, same), catalog))
                .transpose()
        };
        let in_any_case: Same = str::eq_ignore_ascii_case;
        let day = |moment: Moment| moment.day().to_string().parse::<PriceDate>().ok();
        let as_of = self.as_of.as_ref().and_then(|set| day(set.value));
        let newest = catalog
            .prices()
            .filter_map(|(_, price)| price.as_of.parse::<PriceDate>().ok())
            .max();
        Ok(Pricing {
            price_type: known(
                &self.price_type,
                "price type",
                |price| &price.price_type,
                is_same,
            )?,
            provider: known(
                &self.provider,
                "provider",
                |price| &price.provider,
                in_any_case,
            )?,
            region: known(
                &self.region,
                "region",
                |price| price.place().name().unwrap_or("-"),
                in_any_case,
            )?,
            whole_only: whole_only(catalog),
            hourly: hourly(catalog),
            on_demand_only: false,
            states_own: self.states_own(),
            reference: as_of
                .map(Reference::AsOf)
                .or_else(|| start.and_then(day).map(Reference::Start))
                .or_else(|| newest.map(Reference::Newest)),
        })
    }

    /// Whether the user's own price holds for whatever is asked for: not where a flag asks for a kind
    /// or a place of what the file prices.
    fn states_own(&self) -> bool {
        let flags = [&self.price_type, &self.provider, &self.region];
        let mut flags = flags.into_iter().flatten().map(|set| &set.place);
        let asked_anew = flags.any(|place| matches!(place, SetAt::Flag(_)));
        self.usd_per_gpu_hour
            .as_ref()
            .is_some_and(|own| matches!(own.place, SetAt::Flag(_)) || !asked_anew)
    }

    /// Puts the user's own price before all others.
    pub(super) fn put_own(&self, clusters: &mut [Cluster]) {
        let Some(own) = &self.usd_per_gpu_hour else {
            return;
        };
        for cluster in clusters {
            let price = Price::stated(&cluster.name, own.value.get(), "for this plan");
            cluster.prices.insert(0, price);
        }
    }
}

/// Kinds of price of products that bill whole bookings, and of no other.
fn whole_only(catalog: &Catalog) -> Vec<String> {
    let of = |whole: bool| {
        let products = catalog.products();
        let products = products.filter(move |product| (product.billing != Billing::Used) == whole);
        products.filter_map(|product| product.price_type.clone())
    };
    let by_the_hour: Vec<String> = of(false).collect();
    of(true)
        .filter(|kind| !by_the_hour.iter().any(|other| is_same(other, kind)))
        .collect()
}

/// Kinds of price that products which sell hours have for themselves, and which aren't those of hours on
/// demand.
fn hourly(catalog: &Catalog) -> Vec<String> {
    let products = catalog.products();
    let own = products
        .filter(|product| product.billing == Billing::Used && !sells_on_demand(product))
        .filter_map(|product| product.price_type.clone());
    own.collect()
}

/// Whether two names are of the same.
type Same = fn(&str, &str) -> bool;

/// The value, if some price has it.
fn one_of(
    set: &Sourced<String>,
    what: &str,
    (of, same): (fn(&Price) -> &str, Same),
    catalog: &Catalog,
) -> Result<String, Diagnostic> {
    let mut known: Vec<&str> = catalog
        .prices()
        .map(|(_, price)| of(price))
        .filter(|name| !["-", Price::STATED].contains(name))
        .collect();
    known.sort_unstable();
    known.dedup();
    let wanted = set.value.trim();
    if let Some(found) = known.iter().find(|name| same(name, wanted)) {
        return Ok((*found).to_owned());
    }
    let refusal = Diagnostic::new(format!("no price has the {what} `{wanted}`"));
    let refusal = did_you_mean(wanted, known.iter().copied())
        .into_iter()
        .fold(refusal, Diagnostic::help)
        .help(format!("known are {}", known.join(", ")))
        .help("`tminus presets prices` lists all; `[[prices]]` in a job or preset file adds yours");
    Err(set.refuse(refusal, "no such price"))
}
