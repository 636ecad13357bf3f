//! Rows that the others don't lead to expect: a number mistyped, or another run than the row says.
//!
//! A fit that has seen such a row bends to it, and takes all rows for more uneven than they are, so that
//! the row lies inside of that fit's own interval or not far outside. So each row is judged by a fit made
//! without any row of its cell, by its *deletion residual* (Cook & Weisberg, *Residuals and Influence in
//! Regression*, 1982, § 2.2). One row in ten lies outside of a 90 % interval as it should; what is told is
//! beyond chance in one of two ways:
//!
//! - a single row: the chance of a run at least as far off, times the number of rows
//!   (Bonferroni), is below one in a hundred;
//! - their number: that of so many rows outside, by the binomial distribution, is.
//!
//! Where intervals are what they say, each tells something of at most one in a hundred tables without a
//! wrong row: the first whatever rows have in common, the second where they are independent.

use crate::throughput::evaluate::RowResult;

/// Share of tables without a wrong row of which something is told.
const FALSE_ALARM: f64 = 0.01;

/// The places of rows farther off than the farthest one is by chance; each is judged by a fit without it.
pub(super) fn strays(judged: &[RowResult]) -> Vec<usize> {
    let rows = judged.len() as f64;
    let far = |(_, row): &(usize, &RowResult)| row.chance * rows < FALSE_ALARM;
    let far = judged.iter().enumerate().filter(far);
    far.map(|(place, _)| place).collect()
}

/// Whether the share `coverage` of `rows` rows inside of their intervals leaves more outside than chance
/// lets be, where the share `open` of them is expected to.
pub(super) fn are_too_few_inside(coverage: f64, rows: usize, open: f64) -> bool {
    let outside = (1.0 - coverage) * rows as f64;
    let counted = (1..=rows).take_while(|count| *count as f64 - 0.5 < outside);
    are_too_many(counted.count(), rows, open)
}

/// The same by their number.
fn are_too_many(outside: usize, rows: usize, open: f64) -> bool {
    outside > 0 && binomial_tail(outside, rows, open) < FALSE_ALARM
}

/// Probability of at least `least` successes in `trials` of probability `share`.
fn binomial_tail(least: usize, trials: usize, share: f64) -> f64 {
    // Logarithms: of many rows, that none lies outside is less probable than any number there is.
    let odds = (share / (1.0 - share)).ln();
    let none = trials as f64 * (1.0 - share).ln();
    let terms = (0..trials).scan(none, |term, successes| {
        let left = (trials - successes) as f64;
        *term += odds + (left / (successes + 1) as f64).ln();
        Some(*term)
    });
    let terms = std::iter::once(none).chain(terms);
    terms.skip(least).map(f64::exp).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_textbook_one() {
        // Counted out: (1 - 0.9²⁰ - 20·0.1·0.9¹⁹) and the like.
        for (least, trials, expected) in [
            (0, 20, 1.0),
            (1, 3, 0.271),
            (2, 20, 0.608_253),
            (3, 3, 0.001),
            (4, 8, 0.005_024),
        ] {
            let tail = binomial_tail(least, trials, 0.1);
            assert!((tail - expected).abs() < 1e-6, "{least} {trials}: {tail}");
        }
        // Of many the normal law: the mean is in the middle, two standard deviations of 30 are 2.3 %.
        for (least, expected) in [(1000, 0.505), (1060, 0.0237)] {
            let tail = binomial_tail(least, 10_000, 0.1);
            assert!((tail - expected).abs() < 3e-3, "{least}: {tail}");
        }
    }

    /// Four of eight outside are told, three are not; of 200 that makes 31 and 30.
    #[test]
    fn as_many_as_chance_lets_be_are_not_too_many() {
        for (most, rows) in [(3, 8), (6, 20), (30, 200)] {
            assert!(!are_too_many(most, rows, 0.1), "{most} of {rows}");
            assert!(are_too_many(most + 1, rows, 0.1), "{most} of {rows}");
        }
        assert!(!are_too_many(0, 0, 0.1));
        // Shares of rows are not always whole numbers of them once they were divided.
        assert!(are_too_few_inside(4.0 / 8.0, 8, 0.1) && !are_too_few_inside(5.0 / 8.0, 8, 0.1));
        assert!(are_too_few_inside(13.0 / 20.0, 20, 0.1) && !are_too_few_inside(0.7, 20, 0.1));
    }
}
