//! Bookings against brute force over every node count and every length, and laws they keep.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod brute_force;
mod laws;

use std::sync::LazyLock;

use tminus::forecast::CostItem;
use tminus::job::{
    ModelChoice, ReliabilitySettings, Request, ReserveSettings, Settings, Sourced, Spares, resolve,
};
use tminus::measure::{MOSAICGPT_2023, read};
use tminus::plan::Planner;
use tminus::preset::Catalog;
use tminus::product::Billing;
use tminus::reserve::{Ask, Booking, CostParts, Named, Reservation, ReserveError, Role, reserve};
use tminus::throughput::Fit;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

static FIT: LazyLock<Fit> = LazyLock::new(|| {
    let table = read("mosaicgpt-2023.csv", MOSAICGPT_2023, &CATALOG).unwrap();
    Fit::new("embedded", table.rows).unwrap()
});

/// What is asked, as on the command line.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    model: &'a str,
    tokens: &'a str,
    cluster: &'a str,
    product: Option<&'a str>,
    start: Option<&'a str>,
    deadline: Option<&'a str>,
    budget: Option<&'a str>,
    nodes: Option<u64>,
    probability: &'a str,
    spares: u64,
}

const ASKED: Asked<'static> = Asked {
    model: "gpt-1b",
    tokens: "26B",
    cluster: "r7z2",
    product: None,
    start: None,
    deadline: None,
    budget: None,
    nodes: None,
    probability: "0.9",
    spares: 0,
};

impl Asked<'_> {
    fn request(&self) -> Request {
        let name = ModelChoice::Named(self.model.to_owned());
        let settings = Settings {
            model: Some(Sourced::flag("--model", name)),
            tokens: Some(Sourced::parse_flag("--tokens", self.tokens).unwrap()),
            clusters: Some(vec![Sourced::flag("--cluster", self.cluster.to_owned())]),
            reserve: ReserveSettings {
                deadline: self
                    .deadline
                    .map(|text| Sourced::parse_flag("--deadline", text).unwrap()),
                budget: self
                    .budget
                    .map(|text| Sourced::parse_flag("--budget", text).unwrap()),
                nodes: self.nodes.map(|nodes| Sourced::flag("--nodes", nodes)),
                start: self
                    .start
                    .map(|text| Sourced::parse_flag("--start", text).unwrap()),
                probability: Some(Sourced::parse_flag("--probability", self.probability).unwrap()),
                products: self
                    .product
                    .iter()
                    .map(|name| Sourced::flag("--product", (*name).to_owned()))
                    .collect(),
                ..ReserveSettings::default()
            },
            reliability: ReliabilitySettings {
                spares: Some(Sourced::flag("--spares", Spares::Nodes(self.spares))),
                ..ReliabilitySettings::default()
            },
            ..Settings::default()
        };
        resolve(settings, &CATALOG).unwrap()
    }

    fn answer(&self) -> Result<Reservation, ReserveError> {
        let request = self.request();
        let ask = Ask::new(&request, &CATALOG, Named::ByFlag).unwrap();
        reserve(&Planner::new(&FIT), &request, &ask)
    }

    fn booked(&self) -> Reservation {
        self.answer().unwrap()
    }

    /// What could be had instead, as typed after `flag`.
    fn advised(&self, flag: &str) -> String {
        let Err(ReserveError::NotEnough { help, .. }) = self.answer() else {
            panic!("{self:?} can be booked");
        };
        let typed = format!("`{flag} ");
        let found = help.iter().find_map(|line| {
            let (_, rest) = line.split_once(&typed)?;
            rest.split_once('`').map(|(value, _)| value.to_owned())
        });
        found.unwrap_or_else(|| panic!("no {flag} in {help:?}"))
    }
}

fn with_role(reservation: &Reservation, role: Role) -> &Booking {
    let found = reservation
        .bookings
        .iter()
        .find(|booking| booking.roles.contains(&role));
    found.unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The bill's lines are the booking's own hours and price, and one bill is all there is.
fn check_lines(booking: &Booking, usd: f64, parts: CostParts) {
    let of = |items: &[CostItem]| -> f64 {
        let lines = booking.cost_lines.iter();
        let lines = lines.filter(|line| items.contains(&line.item));
        lines.map(|line| line.usd.unwrap()).sum()
    };
    let run = [
        CostItem::Training,
        CostItem::StartUp,
        CostItem::Checkpoints,
        CostItem::Failures,
    ];
    assert!(close(of(&run), parts.run), "{booking:?}");
    assert!(close(of(&[CostItem::Spares]), parts.spares), "{booking:?}");
    assert!(close(of(&[CostItem::Idle]), parts.idle), "{booking:?}");
    let all: f64 = booking
        .cost_lines
        .iter()
        .map(|line| line.usd.unwrap())
        .sum();
    assert!(close(all, usd), "{booking:?}");
    assert!(booking.cost_lines.iter().all(|line| line.gpu_hours >= 0.0));
    let price = booking.price.as_ref().unwrap().usd_per_gpu_hour;
    let hours: f64 = booking.cost_lines.iter().map(|line| line.gpu_hours).sum();
    let billed_h = if booking.billing == Billing::Used {
        booking.run_h.expected
    } else {
        booking.booked_h
    };
    assert!(close(hours, booking.booked_gpus as f64 * billed_h));
    assert!(close(hours * price, usd));
    // The run by itself, at the same price: tokens over throughput for the training.
    let candidate = &booking.candidate;
    assert_eq!(candidate.usd_per_gpu_hour, Some(price));
    assert!(close(
        candidate.cost_usd.unwrap().expected,
        candidate.gpu_hours.expected * price
    ));
    if booking.run_h.expected <= billed_h {
        let gpu_hours = candidate.train_h.expected * (booking.nodes * 8) as f64;
        assert!(close(of(&[CostItem::Training]), gpu_hours * price));
    }
}

/// What holds of any booking.
fn check(booking: &Booking, probability: f64) {
    assert!(booking.usable_h + 1e-9 >= booking.needed_h, "{booking:?}");
    assert!(booking.probability >= probability - 1e-9, "{booking:?}");
    assert_eq!(booking.booked_nodes, booking.nodes + booking.spares);
    if let (Some(cost), Some(parts)) = (booking.cost_usd, booking.cost_parts_usd) {
        assert!(
            close(cost.expected, parts.run + parts.spares + parts.idle),
            "{booking:?}"
        );
        assert!(cost.low <= cost.expected && cost.expected <= cost.high);
        check_lines(booking, cost.expected, parts);
    }
    if let (Some(start), Some(end)) = (booking.start, booking.end) {
        assert!(close(end.since(start).unwrap().hours(), booking.booked_h));
        let usable = booking.usable_until.unwrap();
        assert!(start < usable && usable <= end);
        assert!(booking.last_checkpoint.is_none_or(|last| last < usable));
        assert!(booking.latest_start.is_none_or(|latest| latest >= start));
    }
}
