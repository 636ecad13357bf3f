//! What a reader is told about a table that could be read: each sentence once, with its lines.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

/// A sentence, and the lines it is about.
#[derive(Debug)]
struct Entry {
    text: String,
    /// Whether a number may not be what it says.
    warns: bool,
    line: usize,
    last: usize,
    count: usize,
}

/// Sentences in the order first met, those that warn before the others, each with the lines it is
/// about.
#[derive(Debug, Default)]
pub(super) struct Notes {
    entries: Vec<Entry>,
    /// Where the sentence on each subject stands: a table may have one for each row.
    subjects: FxHashMap<String, usize>,
}

impl Notes {
    /// Says `text` about the line `line`.
    pub(super) fn add(&mut self, line: usize, text: impl Into<String>) {
        let text = text.into();
        self.enter((line, false), text.clone(), || text);
    }

    /// Warns of `text` on the line `line`.
    pub(super) fn warn(&mut self, line: usize, text: impl Into<String>) {
        let text = text.into();
        self.enter((line, true), text.clone(), || text);
    }

    /// Warns of something on the line `line`, in the words of the first line of the same subject.
    pub(super) fn warn_once(
        &mut self,
        line: usize,
        subject: String,
        text: impl FnOnce() -> String,
    ) {
        self.enter((line, true), subject, text);
    }

    fn enter(
        &mut self,
        (line, warns): (usize, bool),
        subject: String,
        text: impl FnOnce() -> String,
    ) {
        let known = self.subjects.get(&subject);
        if let Some(entry) = known.and_then(|at| self.entries.get_mut(*at)) {
            entry.count += usize::from(entry.last != line);
            entry.last = line;
        } else {
            self.subjects.insert(subject, self.entries.len());
            self.entries.push(Entry {
                text: text(),
                warns,
                line,
                last: line,
                count: 1,
            });
        }
    }

    /// The sentences, with the line or the number of lines.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.entries.sort_by_key(|entry| !entry.warns);
        self.entries
            .into_iter()
            .map(|entry| {
                let Entry {
                    mut text,
                    line,
                    count,
                    ..
                } = entry;
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
