//! The middle of several numbers.

/// The two values in the middle, which are one of an odd number; `None` of nothing.
pub(crate) fn middle_two(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    let upper = values.get(values.len() / 2)?;
    Some((*lower, *upper))
}

/// The median: of an even number, the mean of the two in the middle; `None` of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    middle_two(values).map(|(lower, upper)| f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(middle_two([4.0, 1.0, 2.0].into_iter()), Some((2.0, 2.0)));
    }
}
