//! Predictions that rest on links which no row has shown.

use super::candidate::Candidate;
use crate::job::Request;
use crate::quantity::display_whole;
use crate::throughput::Fit;

/// Share of a step from which on communication over such links is worth a word. At six tenths of their
/// rate, where nine in ten clusters are above, the step is a tenth longer then.
const WORTH_A_WORD: f64 = 0.15;

/// That much of a candidate's step is communication over links between nodes that no row of the fit ran
/// over, nor over links like them, so that their rate is a datasheet's.
#[must_use]
pub fn links_note(request: &Request, fit: &Fit, candidate: &Candidate) -> Option<String> {
    let cluster = request.cluster(&candidate.cluster)?;
    let bytes_per_s = cluster.inter_node_bytes_per_s?;
    let setting = request.setting(cluster);
    let share = fit.share_over_unshown_links(&setting, &candidate.configuration())?;
    let two_nodes = 2 * cluster.gpus_per_node;
    (share >= WORTH_A_WORD).then(|| {
        format!(
            "rests on links between nodes that no row of the fit ran across: communication over those of \
             {}, at the {} Gbit/s {} of them, is {:.0} % of its step; a run on two nodes shows what they \
             carry, and `tminus advise --max-gpus {two_nodes}` names one",
            cluster.name,
            display_whole(bytes_per_s * 8.0 / 1e9),
            if cluster.is_described() {
                "stated"
            } else {
                "assumed"
            },
            share * 100.0
        )
    })
}
