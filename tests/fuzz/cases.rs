//! Inputs that fuzzing found, kept.

use super::{Check, check};

#[test]
fn what_was_found_stays_mended() {
    let cases: [(Check, &str); 1] = [(check::axes, "1..18446744073709551615:1")];
    for (check, input) in cases {
        check(input);
    }
}
