//! What is asked of a booking, with names looked up and contradictions refused.

use serde::Serialize;

use super::market::Market;
use super::named::Named;
use super::offer::Offer;
use super::ruled_out::RuledOut;
use crate::calendar::{Due, Moment, Span};
use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::job::{Request, ReserveSettings, Sourced};
use crate::names::slug;
use crate::preset::Catalog;
use crate::product::Product;
use crate::quantity::{counted, display_dollars_asked, plural};

/// What a booking has to achieve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Goal {
    /// The run is done that long after the earliest start.
    Deadline {
        /// Hours from the earliest start.
        within_h: f64,
    },
    /// The booking costs no more.
    Budget {
        /// US dollars.
        usd: f64,
    },
    /// So many nodes train.
    Nodes {
        /// Nodes.
        nodes: u64,
    },
}

/// What is asked of a booking.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What it has to achieve.
    pub goal: Goal,
    /// When it can start, at the earliest; `None` when no date was given.
    pub start: Option<Moment>,
    /// When the run has to be done, where that is a date.
    pub deadline: Option<Moment>,
    /// How long after the start it has to be done, where that was said as a length of time.
    pub within: Option<Span>,
    /// The day the booking is made, if that was given.
    pub as_of: Option<Moment>,
    /// How sure it has to be.
    pub probability: f64,
    /// What can be booked: products with the cluster they are for.
    pub offers: Vec<Offer>,
    /// Clusters of which none of the products asked for can be booked, with why.
    pub unsold: Vec<RuledOut>,
    /// What the booking is called where it needs a name.
    pub name: String,
    /// How what could be asked instead is named.
    pub named: Named,
}

impl Ask {
    /// Resolves the booking settings of `request`; what could be asked instead is `named` as who asks
    /// can set it.
    ///
    /// # Errors
    /// No goal or two of them, dates out of order, an unknown product, or one that sells none of
    /// the clusters: with the place it was set at.
    pub fn new(request: &Request, catalog: &Catalog, named: Named) -> Result<Self, Diagnostic> {
        let settings = &request.reserve;
        let start = settings.start.as_ref().map(|set| set.value);
        check_as_of(settings)?;
        let (goal, deadline) = goal(settings, named)?;
        let (offers, unsold) = offers(request, catalog)?;
        Ok(Self {
            goal,
            start,
            deadline,
            within: match settings.deadline.as_ref().map(|set| set.value) {
                Some(Due::Within(span)) => Some(span),
                Some(Due::By(_)) | None => None,
            },
            as_of: settings.as_of.as_ref().map(|set| set.value),
            probability: settings
                .probability
                .as_ref()
                .map(|set| set.value)
                .unwrap_or_default()
                .get(),
            offers,
            unsold,
            name: slug(&request.launch.run_name(&request.model, request.tokens)),
            named,
        })
    }
}

impl Ask {
    /// What is asked, in words: `finishes 134B tokens by 2026-12-15T00:00Z`.
    pub(super) fn achieves(&self, request: &Request) -> String {
        let finishes = format!(
            "finishes {} {}",
            request.tokens.rounded(),
            plural(request.tokens.get(), "token")
        );
        match self.goal {
            Goal::Deadline { .. } => match (self.deadline, self.within) {
                (Some(by), _) => format!("{finishes} by {by}"),
                (None, Some(span)) => format!("{finishes} within {span}"),
                (None, None) => finishes,
            },
            Goal::Budget { usd } => format!("{finishes} for ${}", display_dollars_asked(usd)),
            Goal::Nodes { nodes } => format!("of {} {finishes}", counted(nodes, "node")),
        }
    }
}

fn goal(settings: &ReserveSettings, named: Named) -> Result<(Goal, Option<Moment>), Diagnostic> {
    let both = |one: &str, other: Diagnostic| -> Diagnostic {
        other.help(format!("keep one of them: drop {one}, or this"))
    };
    match (&settings.deadline, &settings.budget, &settings.nodes) {
        (None, None, None) => Err(Diagnostic::new("what has the booking to achieve?")
            .help(format!(
                "be done by a date or within a time: {}, {}",
                named.text("deadline", "2026-12-15"),
                named.text("deadline", "14d")
            ))
            .help(format!(
                "or cost no more than an amount: {}",
                named.number("budget", 25000)
            ))
            .help(format!(
                "or use a number of nodes: {}",
                named.number("nodes", 16)
            ))),
        (Some(set), None, None) => deadline(set, settings.start.as_ref(), named),
        (None, Some(set), None) => Ok((
            Goal::Budget {
                usd: set.value.get(),
            },
            None,
        )),
        (None, None, Some(set)) if set.value == 0 => Err(set.refuse(
            Diagnostic::new("a booking of 0 nodes runs nothing; name at least 1"),
            "at least 1",
        )),
        (None, None, Some(set)) => Ok((Goal::Nodes { nodes: set.value }, None)),
        (Some(_), Some(set), _) => Err(both(
            "the deadline",
            set.refuse(
                Diagnostic::new("a deadline and a budget are both given"),
                "one too many",
            ),
        )),
        (Some(_), None, Some(set)) => Err(both(
            "the deadline",
            set.refuse(
                Diagnostic::new("a deadline and a number of nodes are both given"),
                "one too many",
            ),
        )),
        (None, Some(_), Some(set)) => Err(both(
            "the budget",
            set.refuse(
                Diagnostic::new("a budget and a number of nodes are both given"),
                "one too many",
            ),
        )),
    }
}

fn deadline(
    set: &Sourced<Due>,
    start: Option<&Sourced<Moment>>,
    named: Named,
) -> Result<(Goal, Option<Moment>), Diagnostic> {
    let within = |span: Span| Goal::Deadline {
        within_h: span.hours(),
    };
    let start = start.map(|set| set.value);
    match (set.value, start) {
        (Due::Within(span), None) => Ok((within(span), None)),
        (Due::Within(span), Some(start)) => {
            let by = start.plus(span).ok_or_else(|| {
                let message = format!("{span} after {start} is beyond the year 2999");
                set.refuse(Diagnostic::new(message), "too far away")
            })?;
            Ok((within(span), Some(by)))
        }
        (Due::By(by), None) => Err(set.refuse(
            Diagnostic::new(format!(
                "the deadline {by} is a date, but no start is given"
            ))
            .help(format!(
                "say when the booking can start: {}",
                named.text("start", "2026-12-01T09:00Z")
            ))
            .help(format!(
                "or give the deadline as a length of time: {}",
                named.text("deadline", "14d")
            )),
            "counted from when?",
        )),
        (Due::By(by), Some(start)) if by > start => {
            let within_h = by.hours_after(start);
            Ok((Goal::Deadline { within_h }, Some(by)))
        }
        (Due::By(by), Some(start)) => Err(set.refuse(
            Diagnostic::new(format!("the deadline {by} is not after the start, {start}"))
                .help("dates are in UTC, and a plain date is its first moment"),
            "ends before it begins",
        )),
    }
}

fn check_as_of(settings: &ReserveSettings) -> Result<(), Diagnostic> {
    if let (Some(as_of), Some(start)) = (&settings.as_of, &settings.start)
        && start.value < as_of.value
    {
        let message = format!(
            "the start, {}, is before the day the booking is made, {}",
            start.value, as_of.value
        );
        return Err(start.refuse(Diagnostic::new(message), "in the past of it"));
    }
    Ok(())
}

/// The products asked for, or else all that sell a cluster, cluster by cluster; and the clusters that
/// none of those asked for sells.
fn offers(request: &Request, catalog: &Catalog) -> Result<(Vec<Offer>, Vec<RuledOut>), Diagnostic> {
    let pricing = &request.pricing;
    let market = Market { catalog, pricing };
    let mut asked: Vec<&Product> = Vec::new();
    for name in &request.reserve.products {
        let product = catalog
            .product(&name.value)
            .map_err(|unknown| name.refuse(unknown, "not known"))?;
        if !request
            .clusters
            .iter()
            .any(|cluster| market.sells(product, cluster))
        {
            return Err(name.refuse(sells_none(request, market, product), "sells none of them"));
        }
        if asked.iter().all(|other| other.name != product.name) {
            asked.push(product);
        }
    }
    let (mut offers, mut unsold) = (Vec::new(), Vec::new());
    for (position, cluster) in request.clusters.iter().enumerate() {
        let products = if asked.is_empty() {
            market.products_of(cluster)
        } else {
            let sells = |product: &&Product| market.sells(product, cluster);
            asked.iter().copied().filter(sells).collect()
        };
        if products.is_empty() {
            unsold.extend(asked.iter().map(|product| RuledOut {
                cluster: cluster.name.clone(),
                product: product.name.clone(),
                sold: false,
                reason: not_sold(market, cluster),
            }));
        }
        offers.extend(
            products
                .into_iter()
                .map(|product| Offer::new(position, cluster, product, pricing)),
        );
    }
    Ok((offers, unsold))
}

/// That a product asked for doesn't sell a cluster, and which do.
fn not_sold(market: Market<'_>, cluster: &Cluster) -> String {
    let others = market.products_of(cluster).into_iter();
    let others: Vec<&str> = others.map(|product| product.name.as_str()).collect();
    let booked_by = if others.is_empty() {
        String::new()
    } else {
        format!(", which is booked by {}", unique(others).join(", "))
    };
    format!("it does not sell {}{booked_by}", cluster.name)
}

fn sells_none(request: &Request, market: Market<'_>, product: &Product) -> Diagnostic {
    let names: Vec<&str> = request.clusters.iter().map(|c| c.name.as_str()).collect();
    let sold: Vec<&str> = market
        .catalog
        .clusters()
        .filter(|cluster| market.sells(product, cluster))
        .map(|cluster| cluster.name.as_str())
        .collect();
    let diagnostic = Diagnostic::new(format!(
        "`{}` does not sell {}",
        product.name,
        names.join(" or ")
    ));
    let diagnostic = if sold.is_empty() {
        diagnostic.help("it sells no cluster that is known: no price of its type is")
    } else {
        diagnostic.help(format!("it sells {}", sold.join(", ")))
    };
    let others: Vec<&str> = request
        .clusters
        .iter()
        .flat_map(|cluster| market.products_of(cluster))
        .map(|product| product.name.as_str())
        .collect();
    diagnostic.help(format!(
        "these clusters are booked by {}",
        unique(others).join(", ")
    ))
}

fn unique(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}
