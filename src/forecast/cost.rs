//! What a run is billed.

use crate::hardware::Cluster;
use crate::quantity::Interval;

/// The bill of a booking: nodes are rented whole, and for as long as the run is on the wall clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    /// GPUs in the nodes booked; at least the GPUs used.
    pub gpus: f64,
    /// US dollars per GPU-hour, where a price is known.
    pub usd_per_gpu_hour: Option<f64>,
}

impl Bill {
    /// The bill for `gpus` GPUs of `cluster`, at the first of its prices.
    #[must_use]
    pub fn new(cluster: &Cluster, gpus: u64) -> Self {
        Self {
            gpus: cluster.nodes(gpus) as f64 * cluster.gpus_per_node as f64,
            usd_per_gpu_hour: cluster.prices.first().map(|price| price.usd_per_gpu_hour),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_of_a_node_is_billed_as_a_node() {
        let bill = Bill {
            gpus: 8.0,
            usd_per_gpu_hour: Some(2.5),
        };
        let hours = Interval::new(1.0, 2.0, 4.0).unwrap();
        assert_eq!(bill.usd(hours), Interval::new(20.0, 40.0, 80.0));
        let unpriced = Bill {
            usd_per_gpu_hour: None,
            ..bill
        };
        assert_eq!(unpriced.usd(hours), None);
    }
}
