mod content;
mod counts;
mod refusals;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{Catalog, EMBEDDED};

/// A GPU that is not embedded.
const OWN_GPU: &str = "[gpus.mi300x]\npeak_tflops = 1307\nhbm_tb_per_s = 5.3\n\
    usable_gib = 190\nintra_node_gb_per_s = 448\n";

/// A text with some characters from `start` on replaced.
pub(crate) fn damaged(text: &str, start: Index, length: usize, insert: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let (before, rest) = characters.split_at(start.index(characters.len()));
    let after = rest.iter().skip(length);
    before
        .iter()
        .copied()
        .chain(insert.chars())
        .chain(after.copied())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_a_catalog_or_an_error(text in "\\PC{0,200}") {
        if let Err(error) = Catalog::embedded().with_file("any.toml", &text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_damaged_file_is_a_catalog_or_an_error(
        file in 0..EMBEDDED.len(), start in any::<Index>(), length in 0..40_usize, insert in "\\PC{0,6}",
    ) {
        let text = damaged(EMBEDDED[file].1, start, length, &insert);
        if let Err(error) = Catalog::embedded().with_file("damaged.toml", &text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
