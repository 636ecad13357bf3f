//! The words reports share: verdicts, bases, switches.

use crate::forecast::Pricing;
use crate::hardware::Cluster;
use crate::memory::Verdict;
use crate::plan::{Candidate, MemoryReport};
use crate::schedule::Schedule;
use crate::search::Objective;
use crate::throughput::{Basis, TIGHT_SPEED};

use super::Tone;
use super::number::{thousands, unit_price};

/// The same configuration on the same cluster.
pub(super) fn same(a: &Candidate, b: &Candidate) -> bool {
    a.cluster == b.cluster && a.configuration() == b.configuration()
}

/// What a plan is ranked by, as several of them have it.
pub(super) fn ranked_by(sort: Objective) -> &'static str {
    match sort {
        Objective::Time | Objective::Pareto => "times",
        Objective::Cost => "costs",
        Objective::GpuHours => "GPU-hours",
        Objective::Throughput => "throughputs",
    }
}

/// What a reader of a schedule that was ended early has to know before anything else.
pub(super) fn partial(schedule: &Schedule) -> Option<(String, String)> {
    schedule.partial.then(|| {
        (
            "PARTIAL".to_owned(),
            "the search was ended early; a better schedule may be found".to_owned(),
        )
    })
}

/// One letter for a table's last column.
pub(super) fn basis_letter(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "m",
        Basis::Interpolated => "i",
        Basis::Extrapolated => "x",
    }
}

pub(super) fn basis_name(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "measured",
        Basis::Interpolated => "interpolated",
        Basis::Extrapolated => "extrapolated",
    }
}

pub(super) fn basis_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "the tables hold this cell, gradient accumulation aside",
        Basis::Interpolated => "inside the measured range on every axis",
        Basis::Extrapolated => "outside the measured range on at least one axis",
    }
}

pub(super) fn verdict_tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Fits => Tone::Good,
        Verdict::Tight => Tone::Caution,
        Verdict::Overflows => Tone::Bad,
    }
}

/// The verdict in a sentence, with the figures it rests on.
pub(super) fn verdict_words(memory: &MemoryReport) -> String {
    let (peak, usable) = (memory.peak_gib, memory.usable_gib);
    let (slowest, fastest) = TIGHT_SPEED;
    let of = format!("peak {peak:.1} of {usable:.1} GiB usable");
    match memory.verdict {
        Verdict::Fits => match &memory.ran_as {
            None => format!("fits in memory: {of}"),
            Some(run) => format!(
                "fits in memory, because {} was measured, and ran; estimated alone, it would not: {of}",
                run.words()
            ),
        },
        Verdict::Tight => format!(
            "tight: {of}; too near the limit to be sure: such runs went out of memory or ran at \
             {slowest} to {fastest} of the usual speed"
        ),
        Verdict::Overflows => format!(
            "overflows: {of}, and the allocator needs room beside that; this run would go out of \
             memory, so read the times below as what it would be if it had more"
        ),
    }
}

/// A global batch that is missed; `None` when it is met exactly.
pub(super) fn shortfall_words(shortfall: f64) -> Option<String> {
    (shortfall > 0.0).then(|| format!("{:.1} % below the global batch", shortfall * 100.0))
}

/// The price a cluster is costed at, with its date and who published it.
pub(super) fn price_words(pricing: &Pricing, cluster: &Cluster) -> String {
    pricing.price(cluster).map_or_else(
        || pricing.why_none(cluster).unwrap_or_default(),
        |price| {
            format!(
                "{}: ${} per GPU-hour ({})",
                cluster.name,
                unit_price(price.usd_per_gpu_hour),
                price.words_without(&cluster.name)
            )
        },
    )
}

/// That a run was measured, and isn't followed.
pub(super) fn not_followed(measured_tok_s: f64) -> (String, String) {
    let said = format!(
        "this very run was measured at {} tokens/s, which the fit takes for a bad run or a mistake: \
         other rows say otherwise",
        thousands(measured_tok_s)
    );
    ("not followed".to_owned(), said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::Price;
    use crate::preset::Catalog;

    #[test]
    fn what_is_known_of_a_price_stays_whole_beside_a_cluster_named_alike() {
        let mut cluster = Catalog::embedded().cluster("r7z2").unwrap().clone();
        let price = Price {
            provider: "acme-gpu".into(),
            instance: "gpu".into(),
            price_type: "on-demand".into(),
            usd_per_gpu_hour: 2.5,
            region: "eu-gpu".into(),
            as_of: "2026-01-21".into(),
            source: "contract of gpu, signed".into(),
        };
        cluster.name = "gpu".into();
        cluster.prices = vec![price];
        assert_eq!(
            price_words(&Pricing::default(), &cluster),
            "gpu: $2.50 per GPU-hour (acme-gpu, on-demand, eu-gpu, as of 2026-01-21, contract of gpu, \
             signed)"
        );
    }
}
