//! What the name of a kind of price says of it.

/// What a kind of price, such as `commit-3y`, binds one to beyond what is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// For how many years; `None` where the kind doesn't say.
    pub years: Option<u32>,
}

impl Commitment {
    /// Hours of a year of 365 days.
    const HOURS_PER_YEAR: u32 = 8760;

    /// Hours that are paid for, used or not; `None` where the kind doesn't say, or says none.
    #[must_use]
    pub fn hours(self) -> Option<u32> {
        let years = self.years.filter(|years| *years > 0)?;
        years.checked_mul(Self::HOURS_PER_YEAR)
    }
}

/// A kind of price, by what an hour at it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PriceKind {
    /// An hour of nodes that stay, for whoever asks.
    OnDemand,
    /// An hour of nodes that are taken back at any time.
    Spot,
    /// An hour of nodes that are paid for longer than that.
    Commitment(Commitment),
    /// Nothing that the name says.
    Other,
}

/// Names of hours of nodes that stay, as whoever asks can have them.
const ON_DEMAND: [&str; 8] = [
    "on-demand",
    "ondemand",
    "pay-as-you-go",
    "payg",
    "list",
    "standard",
    "no-commitment",
    "without-commitment",
];

/// Names of prices that come with tminus, of hours of nodes that stay; whether anyone can have some
/// is not said by them.
const OF_NODES_THAT_STAY: [&str; 2] = ["as-billed", "together"];

/// What their sellers call nodes that are taken back at any time.
const SPOT: [&str; 5] = [
    "spot",
    "preemptible",
    "preemptable",
    "interruptible",
    "low-priority",
];

/// The name of a kind in the one spelling that all others of it come to.
fn spelled(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', ' '], "-")
}

/// Whether two names are of one kind, however they are spelled: `On Demand` and `on-demand`.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    spelled(one) == spelled(other)
}

impl PriceKind {
    /// Whether a kind is called by a name of hours that whoever asks can have.
    pub(super) fn is_called_on_demand(name: &str) -> bool {
        ON_DEMAND.contains(&spelled(name).as_str())
    }

    /// Whether a kind may be of hours that whoever asks can have: it is called so, or doesn't say.
    pub(super) fn may_be_on_demand(name: &str) -> bool {
        Self::is_called_on_demand(name) || Self::of(name) == Self::Other
    }

    /// By the name of a kind, however it is spelled.
    pub(super) fn of(name: &str) -> Self {
        let name = spelled(name);
        let of = |names: &[&str]| names.contains(&name.as_str());
        if of(&ON_DEMAND) || of(&OF_NODES_THAT_STAY) {
            return Self::OnDemand;
        }
        let words: Vec<&str> = name.split('-').collect();
        let says = |called: &str| {
            let called: Vec<&str> = called.split('-').collect();
            words.windows(called.len()).any(|window| window == called)
        };
        let binds = |word: &str| {
            word.starts_with("commit") || word.starts_with("reserved") || word == "cud"
        };
        // What isn't there may be money upfront or back: only a commitment that isn't, binds to nothing.
        let denied =
            |word: Option<&&str>| word.is_some_and(|word| ["no", "non", "without"].contains(word));
        let before = std::iter::once(None).chain(words.iter().map(Some));
        let bound = words
            .iter()
            .zip(before)
            .any(|(word, before)| binds(word) && !denied(before));
        if SPOT.into_iter().any(says) {
            Self::Spot
        } else if bound {
            Self::Commitment(Commitment {
                years: years(&words),
            })
        } else {
            Self::Other
        }
    }
}

/// Years among the words of a kind: `3y`, `3yr`, `3years`, `3` and `years`.
fn years(words: &[&str]) -> Option<u32> {
    let unit = |text: &str| matches!(text, "y" | "yr" | "yrs" | "year" | "years");
    let next = words.iter().skip(1).copied().chain([""]);
    words.iter().zip(next).find_map(|(word, next)| {
        let end = word
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(word.len());
        let (digits, rest) = word.split_at_checked(end)?;
        let named = unit(rest) || (rest.is_empty() && unit(next));
        digits.parse().ok().filter(|_| named)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A term of no hours would make infinitely many of them.
    #[test]
    fn a_commitment_of_no_years_has_no_hours() {
        let hours = |years| Commitment { years }.hours();
        assert_eq!(hours(Some(0)), None);
        assert_eq!(hours(None), None);
        assert_eq!(hours(Some(3)), Some(3 * 8760));
    }

    #[test]
    fn a_kind_is_known_by_its_name() {
        let bound = |years| PriceKind::Commitment(Commitment { years });
        for (name, kind) in [
            ("on-demand", PriceKind::OnDemand),
            ("On Demand", PriceKind::OnDemand),
            ("no-commitment", PriceKind::OnDemand),
            ("as-billed", PriceKind::OnDemand),
            ("spot", PriceKind::Spot),
            ("Preemptible", PriceKind::Spot),
            ("low_priority", PriceKind::Spot),
            ("spot-us", PriceKind::Spot),
            ("commit-3y", bound(Some(3))),
            ("reserved-3y-no-upfront", bound(Some(3))),
            ("commit-1y-non-refundable", bound(Some(1))),
            ("reserved3y", bound(None)),
            ("uncommitted", PriceKind::Other),
            ("commit-1yr", bound(Some(1))),
            ("committed 2 years", bound(Some(2))),
            ("reserved_1year", bound(Some(1))),
            ("commitment", bound(None)),
            ("no-commit", PriceKind::Other),
            ("unreserved", PriceKind::Other),
            ("quote", PriceKind::Other),
            ("1-click", PriceKind::Other),
        ] {
            assert_eq!(PriceKind::of(name), kind, "{name}");
        }
    }
}
