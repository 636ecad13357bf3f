//! Inputs that fuzzing found, kept.

use super::{Check, check};

#[test]
fn what_was_found_stays_mended() {
    let cases: [(Check, &str); 2] = [
        (check::axes, "1..18446744073709551615:1"),
        // "expected f64", said a table in the place of a number.
        (check::fit_file, FIT_WITH_A_DOTTED_KEY),
    ];
    for (check, input) in cases {
        check(input);
    }
}

const FIT_WITH_A_DOTTED_KEY: &str = r#"
format = 1
program = "tminus"
name = "own"
sha256 = ""
[[fits]]
rows = 3
steps = 17
last_change = 0.1
condition = 1.0
[fits.coefficients]
0.0matmul_efficiency = 0.8
[rows]
csv = ""
"#;
