//! What has to be known of a plan beside its launch files, whatever they are for.

use super::{Launch, literal};
use crate::forecast::{Pricing, is_same};
use crate::hardware::Price;
use crate::product::{Billing, Form};
use crate::quantity::{counted, display_thousands};
use crate::reserve::{Booking, PriceReport};

impl Launch<'_> {
    /// What the files don't do of what time and money are planned for, and what those leave out.
    pub(super) fn cautions(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.booking.and_then(booked_apart).into_iter().collect();
        notes.extend(self.apart.clone());
        notes.extend(self.missed_batch());
        notes.extend(self.spares());
        notes.extend(self.prices());
        notes.extend(literal::note(self.settings));
        notes
    }

    /// That it trains at another global batch than the one asked for, whose learning rate may be another.
    fn missed_batch(&self) -> Option<String> {
        let shortfall = self.candidate.global_batch_shortfall;
        (shortfall > 0.0).then(|| {
            format!(
                "a step trains {} tokens, {:.1} % below the global batch asked for, which {} can't share \
                 evenly: check that the learning rate is meant for it",
                display_thousands(self.candidate.global_batch_tokens.into()),
                shortfall * 100.0,
                counted(self.candidate.gpus, "GPU"),
            )
        })
    }

    /// That spare nodes are planned for, which no file asks for; a booking tells of its own.
    fn spares(&self) -> Option<String> {
        let spares = self.candidate.spare_nodes;
        (self.booking.is_none() && spares > 0).then(|| {
            format!(
                "time and cost count on {} beside the {} here, which nothing here asks for: keep {} at hand \
                 for nodes that fail, or plan with `--spares none`",
                counted(spares, "spare node"),
                display_thousands(self.candidate.nodes.into()),
                if spares == 1 { "it" } else { "them" },
            )
        })
    }

    /// What has to be said of the price that it is costed at.
    fn prices(&self) -> Vec<String> {
        let Some(booking) = self.booking else {
            return self.pricing.notes(self.cluster);
        };
        // What is booked whole stays, and its price is the product's.
        if booking.billing != Billing::Used {
            return Vec::new();
        }
        let price = booking.price.as_ref();
        let price = price.and_then(|report| self.cluster.prices.iter().find(|p| is_of(p, report)));
        price.map_or_else(Vec::new, |price| {
            let kind = &price.price_type;
            let mut pricing = self.pricing.clone();
            // What is a product's own kind is asked for with the product.
            if pricing.hourly.iter().any(|own| is_same(own, kind)) {
                pricing = Pricing {
                    price_type: Some(kind.clone()),
                    ..pricing
                };
            }
            pricing.notes_of(price, &format!("price of {}", self.cluster.name))
        })
    }
}

/// Whether a price is the one reported.
fn is_of(price: &Price, report: &PriceReport) -> bool {
    price.price_type == report.price_type
        && price.region == report.region
        && (price.usd_per_gpu_hour - report.usd_per_gpu_hour).abs() < f64::EPSILON
}

/// That nodes have to be started in a reservation that is made beforehand.
fn booked_apart(booking: &Booking) -> Option<String> {
    let reserved = matches!(
        booking.in_words.form,
        Form::CapacityBlock | Form::GcloudCalendar
    );
    reserved.then(|| {
        format!(
            "nothing here names the {} that is paid for: start the nodes in it, by the id of its \
             reservation; nodes started outside of it are billed besides",
            booking.product_title
        )
    })
}
