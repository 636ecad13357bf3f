//! Inputs that fuzzing found, kept.

use super::{Check, answers, check};

#[test]
fn what_was_found_stays_mended() {
    let cases: [(Check, &str); 4] = [
        (check::axes, "1..18446744073709551615:1"),
        // "expected f64", said a table in the place of a number.
        (check::fit_file, FIT_WITH_A_DOTTED_KEY),
        // "u64 value was too large", said a number that no TOML integer holds.
        (check::fit_file, "format = 18446744073709551615"),
        // Hours of both so far apart that their ratio is infinite.
        (answers::comparisons, PLAN_FAR_APART),
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

const PLAN_FAR_APART: &str = r#"{"schema_version": 1,
    "request": {"model": "gpt-7b", "stack": "fp32-gather", "tokens": 1000, "confidence": 0.9},
    "fit": {"name": "mine"},
    "candidates": [{"rank": 1, "cluster": "r1z1", "gpus": 8, "seq_len": 2048, "micro_batch": 4,
        "grad_accum": 32, "activation_checkpointing": false,
        "throughput_tok_s": {"low": 1, "expected": 2, "high": 3},
        "train_h": {"low": 1e-300, "expected": 1e-300, "high": 3},
        "time_to_budget_h": {"low": 1, "expected": 1e300, "high": 1e300},
        "cost_usd": {"low": 1e300, "expected": 1e300, "high": 1e300}}]}
===
25000
"#;
