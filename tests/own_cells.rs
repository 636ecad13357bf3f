//! What a fit makes of single cells: copies of embedded rows, and rows that others contradict.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use tminus::fit_file::{embedded_fit, embedded_rows, without_copies};
use tminus::quantity::Confidence;
use tminus::throughput::Basis;

/// Fitted on top of themselves, rows would be judged by a fit that holds them.
#[test]
fn rows_that_stand_in_the_embedded_tables_are_left_out() {
    let mut rows = embedded_rows().unwrap();
    let all = without_copies(rows.clone()).unwrap_err();
    assert!(all.to_string().contains("nothing to fit"), "{all}");
    rows.truncate(3);
    // As much as repeats of one cell differ by.
    rows[1].throughput_tok_s *= 1.002;
    let (new, copies) = without_copies(rows.clone()).unwrap();
    assert_eq!((new.as_slice(), copies), (&rows[1..2], 2));
}

/// Some of the rows on many nodes were bad runs: what they say is shown, and that it isn't followed.
#[test]
fn rows_that_are_not_followed_are_told() {
    let fit = embedded_fit().unwrap();
    let nearly_all = Confidence::new(0.99).unwrap();
    let mut told = 0;
    for row in embedded_rows().unwrap() {
        let predict = |confidence| fit.predict(&row.setting(), &row.configuration, confidence);
        let prediction = predict(Confidence::default());
        assert_eq!(prediction.basis, Basis::Measured);
        let inside = predict(nearly_all).throughput_tok_s;
        if let Some(speed) = prediction.basis_detail.not_followed_tok_s {
            told += 1;
            assert!(!inside.contains(speed), "{speed} {inside:?}");
        }
    }
    // As many as lie outside of that by chance, or a few more.
    assert!((1..=9).contains(&told), "{told}");
}
