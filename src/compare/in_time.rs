//! How likely a run is done in the time there is.

use crate::throughput::normal;

/// The probability that a run takes no more than `share` of the hours expected of it, where runs stray
/// by `sd`, as a logarithm.
pub(super) fn in_time(share: f64, sd: f64) -> f64 {
    if share > 0.0 {
        normal(share.ln() / sd.max(f64::MIN_POSITIVE))
    } else {
        0.0
    }
}
