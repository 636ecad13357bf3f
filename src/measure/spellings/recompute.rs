//! The headers that tell whether activations are recomputed, which are made of words.

use crate::measure::column::normalised;

/// What a header that tells whether consists of, longer words before those they start with.
const WORDS: [&str; 29] = [
    "recomputation",
    "recomputing",
    "recomputed",
    "recompute",
    "rematerialization",
    "remat",
    "activations",
    "activation",
    "act",
    "gradient",
    "grad",
    "checkpointing",
    "checkpointed",
    "checkpoint",
    "ckpting",
    "ckpt",
    "granularity",
    "method",
    "policy",
    "strategy",
    "selective",
    "enabled",
    "enable",
    "mode",
    "full",
    "fsdp",
    "config",
    "using",
    "use",
];

/// Whether a header speaks of recomputed activations, and not of checkpoints that are saved.
pub(in crate::measure) fn is_spoken_of(header: &str) -> bool {
    let key = normalised(header);
    let holds = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let mut words = header.split(|c: char| !c.is_alphanumeric());
    holds(&["recomput", "rematerial"])
        || words.any(|word| word.eq_ignore_ascii_case("remat"))
        || holds(&["activation", "grad", "actc"]) && holds(&["checkpoint", "ckpt"])
}

/// Whether a header says no more than that activations are recomputed or not, what stands before it
/// in the name of a setting aside (`fsdp_config.activation_checkpointing`).
pub(in crate::measure) fn is_told_by(header: &str) -> bool {
    let mut setting = Some(header);
    while let Some(name) = setting {
        if is_spoken_of(name) && is_made_of_words(&normalised(name)) {
            return true;
        }
        setting = name.split_once(['.', '/']).map(|(_, last)| last);
    }
    false
}

/// What tells when or where something is saved, which the steps of a run are without.
const SAVES: [&str; 6] = ["interval", "every", "path", "dir", "async", "save"];

/// Whether a header speaks of what is saved, or of when and where it is.
pub(in crate::measure) fn is_of_saving(header: &str) -> bool {
    let key = normalised(header);
    SAVES.iter().any(|word| key.contains(word))
}

/// Whether a header says no more than that there are checkpoints of some kind: `ckpt`, as this
/// program's own tables have it.
pub(in crate::measure) fn is_told_in_short(header: &str) -> bool {
    let key = normalised(header);
    (key.contains("ckpt") || key.contains("checkpoint")) && is_made_of_words(&key)
}

/// Whether a normalised header consists of [`WORDS`] alone.
fn is_made_of_words(key: &str) -> bool {
    let mut rest = key;
    while !rest.is_empty() {
        let Some(after) = WORDS.iter().find_map(|word| rest.strip_prefix(word)) else {
            return false;
        };
        rest = after;
    }
    true
}
