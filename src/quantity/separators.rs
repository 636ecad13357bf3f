//! Marks between the digits of long numbers.

/// `2,097,152` and `2_097_152` as `2097152`; a last group may end in one of `suffixes`. Separators
/// anywhere else stay, for whoever reads the number to refuse: a comma may be a decimal one.
pub(crate) fn without_separators(text: &str, suffixes: &[char]) -> String {
    let (whole, rest) = text
        .find('.')
        .map_or((text, ""), |point| text.split_at(point));
    let mut groups = whole.split([',', '_']);
    let first_is_short = groups
        .next()
        .is_some_and(|group| (1..=3).contains(&group.len()));
    let is_of_three = |group: &str| {
        let digits = group.trim_end_matches(suffixes);
        digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if first_is_short && groups.all(is_of_three) {
        whole.replace([',', '_'], "") + rest
    } else {
        text.to_owned()
    }
}
