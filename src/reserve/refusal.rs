//! Why a product can't be booked for what is asked.

use std::fmt;

use super::Goal;
use super::named::{Named, SetBy};
use super::offer::Offer;
use crate::calendar::{Moment, Span};
use crate::forecast::Stall;
use crate::quantity::{counted, display_dollars_up, display_hours};

/// Why a product can't be booked for what is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Its rules depend on the calendar, and no start was given.
    NeedsStart,
    /// On the day the booking is made, its start can't be booked yet.
    NotYet {
        /// The start.
        start: Moment,
        /// How long ahead it can be booked.
        ahead: Span,
    },
    /// It can't start before the deadline.
    StartsTooLate {
        /// Its first start.
        start: Moment,
    },
    /// More nodes than it sells.
    TooManyNodes {
        /// Nodes to book, spares included.
        wanted: u64,
        /// Spares among them.
        spares: u64,
        /// Nodes that they are sold as, in the multiples of GPUs sold.
        sold: u64,
        /// GPUs are sold in multiples of this.
        multiple: u64,
        /// The most that one booking may have.
        most: u64,
        /// The most that one booking can have, in the multiples sold.
        bookable: u64,
        /// The fewest that one booking has, in the multiples sold.
        smallest: u64,
        /// The most of all bookings together, where that is more.
        in_all: Option<u64>,
        /// Whether what trains could be had without the spares.
        without_spares: bool,
        /// What sets how many train: which setting is taken depends on the goal.
        set_by: SetBy,
    },
    /// A budget can't be held against it.
    NoPrice {
        /// The kind of price it is sold at.
        price_type: Option<String>,
        /// Where the price has to be from, in words such as ` in us-east-1`; nothing when anywhere.
        place: String,
    },
    /// The job can't be launched on that cluster.
    NothingFits {
        /// Why.
        why: String,
        /// What would help.
        help: Vec<String>,
    },
    /// No configuration uses that many nodes.
    NoSuchCount {
        /// Nodes asked for.
        nodes: u64,
        /// The nearest counts that some configuration uses.
        near: Vec<u64>,
        /// What becomes of configurations on as many, such as `10 out of memory`; empty where there
        /// are none.
        why: String,
        /// What would help on as many.
        help: Vec<String>,
    },
    /// The run hardly gets anywhere.
    Stalls {
        /// Why.
        cause: Stall,
        /// Whether it writes checkpoints before its end.
        saved: bool,
        /// Whether it could.
        savable: bool,
    },
    /// The longest booking is too short.
    TooShort {
        /// Hours needed by the fastest that can be booked.
        needed_h: f64,
        /// The longest booking.
        longest: Option<Span>,
    },
    /// No node count makes the deadline.
    TooLate {
        /// Hours from the first start needed by the fastest.
        needed_h: f64,
        /// Hours from the first start to the deadline.
        limit: Span,
    },
    /// The cheapest booking costs more than the budget.
    TooDear {
        /// What suffices for it.
        usd: f64,
        /// How surely it does; `None` where it costs just that.
        probability: Option<f64>,
    },
}

impl Reason {
    /// Whether what was asked for can't be sold, rather than that it isn't enough.
    pub(super) fn is_bad_input(&self) -> bool {
        match self {
            Self::NeedsStart
            | Self::NotYet { .. }
            | Self::TooManyNodes { .. }
            | Self::NoPrice { .. } => true,
            Self::StartsTooLate { .. }
            | Self::NothingFits { .. }
            | Self::NoSuchCount { .. }
            | Self::Stalls { .. }
            | Self::TooShort { .. }
            | Self::TooLate { .. }
            | Self::TooDear { .. } => false,
        }
    }

    /// What to do about it.
    pub(super) fn help(&self, named: Named) -> Vec<String> {
        match self {
            Self::NeedsStart => {
                vec![format!(
                    "say when it can start: {}",
                    named.text("start", "2026-12-01T09:00Z")
                )]
            }
            Self::NotYet { start, ahead } => start
                .minus(*ahead)
                .map(|from| {
                    format!(
                        "book on {} or later (`--as-of`), or start earlier",
                        from.day()
                    )
                })
                .into_iter()
                .collect(),
            Self::TooManyNodes { spares, .. } if *spares > 0 => self.fewer_spares(named),
            Self::TooManyNodes { bookable: 0, smallest, .. } => vec![format!(
                "its smallest booking has {}: book by another product ({}), or another cluster",
                counted(*smallest, "node"),
                named.option("product")
            )],
            Self::TooManyNodes { bookable, set_by, .. } => vec![format!(
                "train on at most {} ({})",
                counted(*bookable, "node"),
                set_by.words(named)
            )],
            Self::NoPrice { price_type, place } => {
                let of_type = price_type
                    .as_ref()
                    .map_or_else(String::new, |of| format!(" and `price_type = \"{of}\"`"));
                let mut help = vec![format!(
                    "state yours in the job file or a preset file: `[[prices]]` with `instance` (the \
                     cluster), `usd_per_gpu_hour`{of_type}"
                )];
                if !place.is_empty() {
                    help.push(format!("or take prices from elsewhere than{place}"));
                }
                help
            }
            Self::NothingFits { help, .. } | Self::NoSuchCount { help, .. } => help.clone(),
            Self::Stalls { savable: false, .. } => vec![
                "`checkpoint_bytes_per_param` of 0 in `[reliability]` saves nothing: leave it out".to_owned(),
            ],
            Self::Stalls {
                cause: Stall::Writes,
                ..
            } => vec![
                "write checkpoints less often, by a longer `--checkpoint-interval`, or faster \
                 (`write_gb_per_s_node` in `[reliability]`)"
                    .to_owned(),
            ],
            Self::Stalls { saved: false, .. } => vec![
                "save the work before it is lost: a shorter `--checkpoint-interval`, or without it the \
                 best one is taken"
                    .to_owned(),
            ],
            Self::Stalls { saved: true, .. } => vec![
                "fewer nodes fail less often, and checkpoints written faster lose less \
                 (`write_gb_per_s_node` in `[reliability]`)"
                    .to_owned(),
            ],
            _ => Vec::new(),
        }
    }
}

impl Reason {
    /// So many nodes to train on, and spares besides, are more than an offer sells.
    pub(super) fn too_many_nodes(
        offer: &Offer,
        goal: Goal,
        (nodes, spares): (u64, u64),
        without_spares: bool,
    ) -> Self {
        let wanted = nodes.saturating_add(spares);
        let product = &offer.product;
        Self::TooManyNodes {
            wanted,
            spares,
            sold: product.booked_nodes(wanted, offer.gpus_per_node),
            multiple: product.gpu_multiple,
            most: offer.max_nodes,
            bookable: product.most_nodes(offer.max_nodes, offer.gpus_per_node),
            smallest: product.booked_nodes(1, offer.gpus_per_node),
            in_all: offer.product.max_nodes_in_all,
            without_spares,
            set_by: match goal {
                Goal::Nodes { .. } => SetBy::Nodes,
                Goal::Deadline { .. } | Goal::Budget { .. } => SetBy::Gpus,
            },
        }
    }

    /// What to do about more nodes than are sold, some of them spares.
    fn fewer_spares(&self, named: Named) -> Vec<String> {
        let Self::TooManyNodes {
            wanted,
            spares,
            bookable,
            without_spares,
            set_by,
            ..
        } = self
        else {
            return Vec::new();
        };
        let nodes = wanted.saturating_sub(*spares);
        let set_by = set_by.words(named);
        if *without_spares {
            vec![format!(
                "`--spares none` keeps no spare, or train on fewer {set_by}"
            )]
        } else if nodes <= *bookable {
            vec![format!(
                "no configuration uses exactly {} without spares either: name other {set_by}, \
                 and fewer `--spares`",
                counted(nodes, "node")
            )]
        } else {
            Vec::new()
        }
    }

    /// How many nodes are more than are sold at once.
    fn more_than_sold(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::TooManyNodes {
            wanted,
            spares,
            sold,
            multiple,
            most,
            in_all,
            ..
        } = self
        else {
            return Ok(());
        };
        write!(f, "{}", counted(*wanted, "node"))?;
        match spares {
            0 => {}
            1 => f.write_str(", one of them the spare,")?,
            _ => write!(f, ", {spares} of them spares,")?,
        }
        let are = if *wanted == 1 { "is" } else { "are" };
        if wanted <= most {
            write!(
                f,
                " {are} sold as {sold}, since GPUs are sold in multiples of {multiple}: more than the \
                 {most} of one booking"
            )?;
        } else {
            write!(f, " {are} more than the {most} of one booking")?;
        }
        match in_all {
            Some(in_all) => write!(f, " ({in_all} in all, over several)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsStart => f.write_str("it ends at a time of day, and no start is given"),
            Self::NotYet { start, ahead } => write!(
                f,
                "a start on {start} can't be booked yet: only {ahead} ahead"
            ),
            Self::StartsTooLate { start } => {
                write!(f, "its first start, {start}, is not before the deadline")
            }
            Self::TooManyNodes { .. } => self.more_than_sold(f),
            Self::NoPrice { price_type, place } => {
                let of_type = price_type.iter().map(|of| format!("{of} "));
                let of_type: String = of_type.collect();
                write!(
                    f,
                    "no {of_type}price is known{place}, so no budget can be kept"
                )
            }
            Self::NothingFits { why, .. } => f.write_str(why),
            Self::NoSuchCount {
                nodes, near, why, ..
            } => {
                let near: Vec<String> = near.iter().map(u64::to_string).collect();
                write!(
                    f,
                    "no configuration uses exactly {}",
                    counted(*nodes, "node")
                )?;
                if !why.is_empty() {
                    write!(f, " ({why})")?;
                }
                if near.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; the nearest counts that do: {}", near.join(", "))
                }
            }
            Self::Stalls { cause, saved, .. } => {
                write!(f, "{}: when the run is done is no forecast", cause.words())?;
                if *saved {
                    Ok(())
                } else {
                    f.write_str(", since it writes no checkpoint before its end")
                }
            }
            Self::TooShort { needed_h, longest } => {
                let needed = display_hours(*needed_h);
                match longest {
                    Some(longest) => {
                        write!(
                            f,
                            "the run needs {needed}, more than the longest booking, {longest}"
                        )
                    }
                    None => write!(f, "the run needs {needed}, longer than anyone plans"),
                }
            }
            Self::TooLate { needed_h, limit } => write!(
                f,
                "the fastest that can be booked needs {}, and only {limit} are left",
                more_than(*needed_h, *limit)
            ),
            Self::TooDear { usd, probability } => {
                let usd = display_dollars_up(*usd);
                match probability {
                    None => write!(f, "the cheapest booking costs ${usd}"),
                    Some(probability) => write!(
                        f,
                        "the cheapest booking takes up to ${usd} with probability {probability}, \
                         and a budget is held against that"
                    ),
                }
            }
        }
    }
}

/// Hours in so many digits that they are seen to be more than a limit: in whole minutes, rounded up,
/// where fewer don't show it.
fn more_than(hours: f64, limit: Span) -> String {
    match Span::from_hours_up(hours) {
        Some(span) if hours < NEAR * limit.hours() => span.to_string(),
        _ => display_hours(hours),
    }
}

/// Times less than this factor apart may read alike.
const NEAR: f64 = 1.1;
