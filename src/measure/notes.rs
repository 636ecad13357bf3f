//! What a reader is told about a table that could be read: each sentence once, with its lines.

use std::fmt::Write as _;

/// Sentences in the order first met, each with the lines it is about.
#[derive(Debug, Default)]
pub(super) struct Notes {
    entries: Vec<(String, usize, usize)>,
}

impl Notes {
    /// Says `text` about the line `line`.
    pub(super) fn add(&mut self, line: usize, text: impl Into<String>) {
        let text = text.into();
        match self.entries.iter_mut().find(|(known, ..)| *known == text) {
            Some((_, _, count)) => *count += 1,
            None => self.entries.push((text, line, 1)),
        }
    }

    /// The sentences, with the line or the number of lines.
    pub(super) fn finish(self) -> Vec<String> {
        self.entries
            .into_iter()
            .map(|(mut text, line, count)| {
                // Writing to a string can't fail.
                let _ = if count == 1 {
                    write!(text, " (line {line})")
                } else {
                    write!(text, " ({count} lines, from line {line})")
                };
                text
            })
            .collect()
    }
}
