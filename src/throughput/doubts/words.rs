//! Doubts in words.

use std::fmt;

use super::{Doubt, DoubtKind};
use crate::quantity::display_whole;

/// Lines that are named one by one.
const LISTED: usize = 12;

impl fmt::Display for DoubtKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DoubtKind::Units {
                unit,
                read_tok_s,
                expected_tok_s,
            } => write!(
                f,
                "units look wrong: {} where {} tokens/s over all GPUs are expected, which looks \
                 like {unit}",
                display_whole(*read_tok_s),
                display_whole(*expected_tok_s)
            ),
            DoubtKind::Speed {
                read_tok_s,
                expected_tok_s,
                by_other_rows,
            } => {
                let factor = (read_tok_s / expected_tok_s).ln().abs().exp();
                write!(
                    f,
                    "{factor:.1} times {} than expected{}: {} tokens/s over all GPUs, not {}; check \
                     the units and what ran",
                    if self.is_slow() { "slower" } else { "faster" },
                    if *by_other_rows {
                        " by the rows around"
                    } else {
                        ""
                    },
                    display_whole(*read_tok_s),
                    display_whole(*expected_tok_s)
                )
            }
            DoubtKind::Memory {
                needed_gib,
                usable_gib,
            } => write!(
                f,
                "such a run goes out of memory: it needs about {} GiB of {usable_gib:.1}; is the \
                 micro-batch that of one GPU?",
                display_whole(*needed_gib)
            ),
            DoubtKind::Repeats {
                slowest_tok_s,
                fastest_tok_s,
                more,
            } => {
                write!(
                    f,
                    "one configuration at {} and at {} tokens/s, where repeats differ by about 1 %: \
                     does something tell the runs apart that the columns read don't?",
                    display_whole(*slowest_tok_s),
                    display_whole(*fastest_tok_s)
                )?;
                match more {
                    0 => Ok(()),
                    more => write!(f, " It is so of {more} more configurations."),
                }
            }
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        match *self.lines {
            [line] => write!(f, " (line {line})"),
            [a, b] => write!(f, " (lines {a} and {b})"),
            [] => Ok(()),
            _ => {
                let listed = self.lines.iter().take(LISTED).map(ToString::to_string);
                let listed: Vec<String> = listed.collect();
                let more = self.lines.len().saturating_sub(LISTED);
                write!(f, " (lines {}", listed.join(", "))?;
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                f.write_str(")")
            }
        }
    }
}
