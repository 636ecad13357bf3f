//! Prices.

use std::str::FromStr;

use super::QuantityError;

/// US dollars per GPU-hour: greater than 0, at most 10,000.
///
/// ```
/// use tminus::quantity::UsdPerGpuHour;
/// assert_eq!("$2.50".parse::<UsdPerGpuHour>().unwrap().get(), 2.5);
/// assert!("2.5 EUR".parse::<UsdPerGpuHour>().is_err());
/// assert!("20 per node-hour".parse::<UsdPerGpuHour>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct UsdPerGpuHour(f64);

impl UsdPerGpuHour {
    /// What is expected, with an example.
    pub const EXPECTED: &'static str = "a price in US dollars per GPU-hour such as 2.5";

    /// Dollars per GPU-hour.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for UsdPerGpuHour {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = QuantityError::of(text, Self::EXPECTED);
        let written = text.trim();
        let written = written.strip_prefix('$').unwrap_or(written);
        let written = written.strip_suffix("USD").unwrap_or(written).trim();
        let price: f64 = written.parse().map_err(|_| {
            fail(
                "it must be a plain number: other currencies are not converted, and a price per \
                 node is divided by the GPUs of a node first",
            )
        })?;
        if price.is_nan() || price < 1e-4 {
            Err(fail("it must be greater than 0, at least 0.0001"))
        } else if price > 1e4 {
            Err(fail("it is more than 10,000"))
        } else {
            Ok(Self(price))
        }
    }
}
