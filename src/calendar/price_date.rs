//! When a price was known.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// The date of a price: a day, or a month of which the last day counts.
///
/// ```
/// use tminus::calendar::PriceDate;
/// let december: PriceDate = "2024-12".parse().unwrap();
/// assert!(december.is_over_a_year_before("2026-01-01".parse().unwrap()));
/// assert!(!december.is_over_a_year_before("2025-12-31".parse().unwrap()));
/// assert!("last year".parse::<PriceDate>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceDate {
    day: Date,
    whole_month: bool,
}

impl PriceDate {
    /// Whether it is more than a year before another.
    #[must_use]
    pub fn is_over_a_year_before(self, other: Self) -> bool {
        // Dates of four digits have a day a year later, but for the last.
        let year = jiff::Span::new().years(1);
        self.day
            .checked_add(year)
            .is_ok_and(|anniversary| anniversary < other.day)
    }
}

/// `2026-01-21` or `2024-12`.
impl FromStr for PriceDate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("`{text}` is not the date of a price such as 2026-01-21 or 2026-01");
        let digits = |c: char| c.is_ascii_digit() || c == '-';
        if !text.chars().all(digits) {
            return Err(refuse());
        }
        let (day, whole_month) = match text.len() {
            10 => (text.parse::<Date>().map_err(|_| refuse())?, false),
            7 => {
                let first: Date = format!("{text}-01").parse().map_err(|_| refuse())?;
                (first.last_of_month(), true)
            }
            _ => return Err(refuse()),
        };
        Ok(Self { day, whole_month })
    }
}

impl fmt::Display for PriceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.day.to_string();
        f.pad(if self.whole_month {
            day.get(..7).unwrap_or(&day)
        } else {
            &day
        })
    }
}
