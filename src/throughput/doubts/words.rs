//! Doubts in words.

use std::fmt;

use super::{ALIKE, Doubt, DoubtKind};
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
                differ,
            } => write!(
                f,
                "units look wrong: {} where {} tokens/s over all GPUs are expected{}, which looks \
                 like {unit}",
                display_whole(*read_tok_s),
                display_whole(*expected_tok_s),
                if *differ { " on the first line" } else { "" }
            ),
            DoubtKind::Speed {
                read_tok_s,
                expected_tok_s,
                times: (least, most),
                by_other_rows,
            } => {
                let differ = *most > least * ALIKE;
                if differ {
                    write!(f, "{least:.1} to ")?;
                }
                write!(
                    f,
                    "{most:.1} times {} than expected{}: {} tokens/s over all GPUs, not {}{}; check the \
                     units and what ran",
                    if self.is_slow() { "slower" } else { "faster" },
                    if *by_other_rows {
                        " by the rows around"
                    } else {
                        ""
                    },
                    display_whole(*read_tok_s),
                    display_whole(*expected_tok_s),
                    if differ { " on the first line" } else { "" }
                )
            }
            DoubtKind::Memory {
                needed_gib: (least, most),
                usable_gib,
                of_one,
            } => {
                let range = if *most > least * ALIKE {
                    format!("{} to ", display_whole(*least))
                } else {
                    String::new()
                };
                write!(
                    f,
                    "such a run goes out of memory: it needs about {range}{} GiB of {usable_gib:.1}; {}",
                    display_whole(*most),
                    if *of_one {
                        "is the model split over GPUs in a way that no column tells?"
                    } else {
                        "is the micro-batch that of one GPU?"
                    }
                )
            }
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
