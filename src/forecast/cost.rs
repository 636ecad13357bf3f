//! What a run is billed, item by item.

use schemars::JsonSchema;
use serde::Serialize;

use super::WallClock;
use crate::hardware::Cluster;
use crate::quantity::Interval;

/// The bill of a booking: nodes are rented whole, spares too, and for as long as the run is on the
/// wall clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    /// GPUs in the nodes booked; at least the GPUs used.
    pub gpus: f64,
    /// GPUs in the spare nodes among them.
    pub spare_gpus: f64,
    /// US dollars per GPU-hour, where a price is known.
    pub usd_per_gpu_hour: Option<f64>,
}

/// Share of a run's hours that rounding may leave over.
const RESIDUE: f64 = 1e-14;

/// What GPU-hours are paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CostItem {
    /// Steps that are kept.
    Training,
    /// From the start of the booking to the first step.
    StartUp,
    /// Writing checkpoints, while training waits.
    Checkpoints,
    /// Waiting for nodes, restarts, and steps done twice.
    Failures,
    /// Spare nodes, for the whole of the run.
    Spares,
    /// What a booking is billed for after the run is done; runs by themselves have none.
    Idle,
}

impl CostItem {
    /// The item in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::StartUp => "start-up",
            Self::Checkpoints => "checkpoint writes",
            Self::Failures => "restarts and rework",
            Self::Spares => "spare nodes",
            Self::Idle => "idle at the end",
        }
    }
}

/// One line of a bill: GPU-hours × US dollars per GPU-hour = US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct CostLine {
    /// What for.
    pub item: CostItem,
    /// GPU-hours, expected.
    pub gpu_hours: f64,
    /// US dollars, expected; `null` when no price is known.
    pub usd: Option<f64>,
}

impl Bill {
    /// The bill for `gpus` GPUs of `cluster` and `spares` spare nodes, at a price if there is one.
    #[must_use]
    pub fn new(cluster: &Cluster, gpus: u64, spares: u64, usd_per_gpu_hour: Option<f64>) -> Self {
        let node = cluster.gpus_per_node as f64;
        let spare_gpus = spares as f64 * node;
        Self {
            gpus: cluster.nodes(gpus) as f64 * node + spare_gpus,
            spare_gpus,
            usd_per_gpu_hour,
        }
    }

    /// GPU-hours of a run of `hours` hours.
    #[must_use]
    pub fn gpu_hours(&self, hours: Interval) -> Interval {
        hours.scale(self.gpus)
    }

    /// Dollars for a run of `hours` hours; `None` when no price is known.
    #[must_use]
    pub fn usd(&self, hours: Interval) -> Option<Interval> {
        self.usd_per_gpu_hour
            .map(|price| self.gpu_hours(hours).scale(price))
    }

    /// The expected bill of `train_h` hours of training, item by item; the lines add up to the
    /// expected GPU-hours and dollars of the whole run.
    #[must_use]
    pub fn lines(&self, clock: &WallClock, train_h: f64) -> Vec<CostLine> {
        let course = clock.course(train_h);
        let total_h = clock.start_up_h + course.hours();
        let writes_h = course.writes_h();
        let left_h = total_h - clock.start_up_h - train_h - writes_h;
        // What rounding leaves of a run that loses nothing is no loss.
        let failures_h = if left_h > total_h * RESIDUE {
            left_h
        } else {
            0.0
        };
        let training_gpus = self.gpus - self.spare_gpus;
        [
            (CostItem::Training, train_h * training_gpus),
            (CostItem::StartUp, clock.start_up_h * training_gpus),
            (CostItem::Checkpoints, writes_h * training_gpus),
            (CostItem::Failures, failures_h * training_gpus),
            (CostItem::Spares, total_h * self.spare_gpus),
        ]
        .into_iter()
        .map(|(item, gpu_hours)| CostLine {
            item,
            gpu_hours,
            usd: self.usd_per_gpu_hour.map(|price| price * gpu_hours),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::Reliability;
    use crate::preset::Catalog;
    use proptest::prelude::*;

    #[test]
    fn part_of_a_node_is_billed_as_a_node() {
        let catalog = Catalog::embedded();
        let bill = Bill::new(catalog.cluster("r1z1").unwrap(), 5, 0, Some(2.5));
        let hours = Interval::new(1.0, 2.0, 4.0).unwrap();
        assert_eq!(bill.usd(hours), Interval::new(20.0, 40.0, 80.0));
        let unpriced = Bill {
            usd_per_gpu_hour: None,
            ..bill
        };
        assert_eq!(unpriced.usd(hours), None);
    }

    #[test]
    fn nothing_is_billed_for_failures_that_never_come() {
        let catalog = Catalog::embedded();
        let cluster = catalog.cluster("r1z1").unwrap();
        let reliability = Reliability {
            failures_per_1000_node_days: 0.0,
            checkpoint_interval_s: Some(1800.0),
            ..Reliability::default()
        };
        let clock = WallClock::new(&reliability, 7_000_000_000, cluster, 64);
        let bill = Bill::new(cluster, 64, 0, Some(2.0));
        for tenths in 1..5000_u32 {
            let lines = bill.lines(&clock, f64::from(tenths) / 10.0);
            let lost = lines.iter().find(|line| line.item == CostItem::Failures);
            assert_eq!(lost.map(|line| line.gpu_hours), Some(0.0), "{tenths}");
        }
    }

    /// The lines against what they stand for, from the settings alone; of failures the first order (Kokolis
    /// et al. 2024, arXiv 2410.21680): each costs a restart and half of what is saved at once.
    #[test]
    fn each_line_is_what_its_name_says() {
        let catalog = Catalog::embedded();
        let cluster = catalog.cluster("r1z1").unwrap();
        for (nodes, rate, interval_s, train_h) in [
            (8_u32, 5.0, 1800.0, 500.0),
            (32, 10.0, 3600.0, 2000.0),
            (1, 20.0, 900.0, 100.0),
            (16, 0.5, 600.0, 30.0),
        ] {
            let reliability = Reliability {
                failures_per_1000_node_days: rate,
                restart_s: 1200.0,
                start_up_s: 720.0,
                checkpoint_bytes_per_param: 12.0,
                write_bytes_per_s_node: 1e9,
                checkpoint_interval_s: Some(interval_s),
                spare_nodes: Some(2),
                // The next node is there at once.
                replacement_s: 0.0,
                ..Reliability::default()
            };
            let gpus = 8.0 * f64::from(nodes);
            let clock = WallClock::new(&reliability, 7_000_000_000, cluster, 8 * u64::from(nodes));
            let bill = Bill::new(cluster, 8 * u64::from(nodes), 2, None);
            let lines = bill.lines(&clock, train_h);
            let hours = |item| {
                let line = lines.iter().find(|line| line.item == item);
                line.unwrap().gpu_hours
            };
            let write_h = 7e9 * 12.0 / (f64::from(nodes) * 1e9) / 3600.0;
            let interval_h = interval_s / 3600.0;
            assert!((hours(CostItem::Training) / gpus / train_h - 1.0).abs() < 1e-12);
            assert!((hours(CostItem::StartUp) / gpus - 0.2).abs() < 1e-12);
            let writes_h = (train_h / interval_h).floor() * write_h;
            let written_h = hours(CostItem::Checkpoints) / gpus;
            assert!(
                (written_h - writes_h).abs() <= write_h,
                "{written_h} {writes_h}"
            );
            let failures = rate * f64::from(nodes) / 24_000.0 * (train_h + writes_h);
            let lost_h = failures * (1200.0 / 3600.0 + f64::midpoint(interval_h, write_h));
            let billed_h = hours(CostItem::Failures) / gpus;
            assert!(
                (billed_h / lost_h - 1.0).abs() < 0.02,
                "{billed_h} {lost_h}"
            );
            let run_h = train_h + 0.2 + written_h + billed_h;
            assert!((hours(CostItem::Spares) / 16.0 / run_h - 1.0).abs() < 1e-12);
        }
    }

    /// Writes that would take longer than the run is given don't cost more than the whole of it.
    #[test]
    fn a_run_that_stalls_is_billed_for_no_more_than_it_takes() {
        let catalog = Catalog::embedded();
        let cluster = catalog.cluster("r1z1").unwrap();
        let reliability = Reliability {
            checkpoint_interval_s: Some(1.0),
            write_bytes_per_s_node: 1e6,
            ..Reliability::default()
        };
        let clock = WallClock::new(&reliability, 7_000_000_000, cluster, 8);
        let bill = Bill::new(cluster, 8, 0, None);
        let lines = bill.lines(&clock, 1000.0);
        let hours: f64 = lines.iter().map(|line| line.gpu_hours).sum();
        assert!(
            (hours / (clock.hours(1000.0) * 8.0) - 1.0).abs() < 1e-12,
            "{lines:?}"
        );
        let of = |item| {
            lines
                .iter()
                .find(|line| line.item == item)
                .unwrap()
                .gpu_hours
        };
        assert!(
            of(CostItem::Checkpoints) > of(CostItem::Failures),
            "{lines:?}"
        );
        assert!(of(CostItem::Failures) > 0.0, "{lines:?}");
    }

    proptest! {
        #[test]
        fn the_lines_add_up(
            rate in 0.0..1000.0_f64, nodes in 1..32_u64, spares in 0..4_u64, train_h in 0.01..1e5_f64,
            interval_s in prop::option::of(1.0..1e6_f64), log_write in 6.0..12.0_f64,
        ) {
            let catalog = Catalog::embedded();
            let cluster = catalog.cluster("r1z1").unwrap();
            let reliability = Reliability {
                failures_per_1000_node_days: rate,
                checkpoint_interval_s: interval_s,
                write_bytes_per_s_node: 10.0_f64.powf(log_write),
                spare_nodes: Some(spares),
                ..Reliability::default()
            };
            let clock = WallClock::new(&reliability, 7_000_000_000, cluster, nodes * 8);
            let bill = Bill::new(cluster, nodes * 8, spares, Some(2.5));
            let lines = bill.lines(&clock, train_h);
            let hours: f64 = lines.iter().map(|line| line.gpu_hours).sum();
            let usd: f64 = lines.iter().filter_map(|line| line.usd).sum();
            let total = clock.hours(train_h) * bill.gpus;
            prop_assert!((hours / total - 1.0).abs() < 1e-12);
            prop_assert!((usd / (total * 2.5) - 1.0).abs() < 1e-12);
            prop_assert!(lines.iter().all(|line| line.gpu_hours >= 0.0));
        }
    }
}
