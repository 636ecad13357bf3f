//! What a person is told when something they wrote can't be used: what is wrong, where, what was
//! expected, what to do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A text that was read, and the name people know it by (a path, or `--flag`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Path or name, as the person gave it.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// A mark under a piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Bytes of [`Origin::text`].
    pub span: Range<usize>,
    /// What is said there.
    pub text: String,
}

/// One message about one mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, value included.
    pub message: String,
    /// The text it is in, if it is in one.
    pub origin: Option<Origin>,
    /// Where; the first is the place at fault, the others its context.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
    /// Whether a flag is at fault, which the message then names.
    pub is_of_flag: bool,
}

impl Diagnostic {
    /// A message with no place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            origin: None,
            labels: Vec::new(),
            help: Vec::new(),
            is_of_flag: false,
        }
    }

    /// Adds the text it is about.
    #[must_use]
    pub fn in_text(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Adds a mark; the first one added is the place at fault.
    #[must_use]
    pub fn at(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// The message as shown in a terminal, with carets under the places.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let message = shortened(&self.message);
        let mut group = Group::with_title(Level::ERROR.primary_title(message));
        if let Some(origin) = &self.origin {
            let long_lines = self.labels.iter().any(|label| {
                let span = clamp(&label.span, &origin.text);
                line_length(&origin.text, span.start) > LONGEST_LINE || span.len() > LONGEST_LINE
            });
            let snippet = Snippet::source(origin.text.as_ref()).path(origin.name.as_str());
            let marks = self.labels.iter().enumerate().map(|(index, label)| {
                let kind = if index == 0 {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                kind.span(clamp(&label.span, &origin.text))
                    .label(shortened(&label.text))
            });
            let place = annotate_snippets::Origin::path(origin.name.as_str());
            group = if self.labels.is_empty() {
                group.element(place)
            } else if long_lines {
                // The line would fill the screen: its number has to do.
                let start = self.labels.first().map_or(0, |label| label.span.start);
                let before = origin.text.get(..start).unwrap_or("");
                let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                group.element(place.line(line).char_column(column))
            } else {
                group.element(snippet.annotations(marks))
            };
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(shortened(help)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
}

/// Characters of a message beyond which its middle is left out: it quotes what somebody wrote.
const LONGEST_MESSAGE: usize = 2000;
/// Bytes of a line that is still shown.
const LONGEST_LINE: usize = 2000;

/// The text as it is shown: what would steer the terminal is spelled out, and the middle of a long
/// one is left out.
fn shortened(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(steers) {
        let spelled = text.chars().map(|c| match c {
            c if steers(c) => c.escape_default().to_string(),
            c => c.to_string(),
        });
        return shortened(&spelled.collect::<String>());
    }
    let characters = text.chars().take(LONGEST_MESSAGE + 1).count();
    if characters <= LONGEST_MESSAGE {
        return text.to_owned();
    }
    let kept = LONGEST_MESSAGE / 2;
    let start: String = text.chars().take(kept).collect();
    let end: Vec<char> = text.chars().rev().take(kept).collect();
    let end: String = end.into_iter().rev().collect();
    format!("{start}… {} bytes in all …{end}", text.len())
}

/// Bytes of the line that holds the byte at `at`.
fn line_length(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let is_break = |byte: &u8| *byte == b'\n';
    let (before, after) = bytes.split_at(at.min(bytes.len()));
    let from_start = before.iter().rev().position(is_break);
    from_start.unwrap_or(before.len()) + after.iter().position(is_break).unwrap_or(after.len())
}

/// Keeps a span inside its text and on character boundaries: a wrong span must not hide a message.
fn clamp(span: &Range<usize>, text: &str) -> Range<usize> {
    let floor = |at: usize| {
        (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
    };
    let start = floor(span.start).unwrap_or(0);
    let end = floor(span.end).unwrap_or(text.len()).max(start);
    start..end
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// Bytes of a name that others are still compared with.
const LONGEST_NAME: usize = 200;

/// The names nearest to a misspelt one, best first, at most three.
#[must_use]
pub fn nearest_names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // The comparison takes time in proportion to both lengths, and no name is this long.
    let name = if name.len() <= LONGEST_NAME {
        name.to_lowercase()
    } else {
        return Vec::new();
    };
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&name, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored
        .into_iter()
        .map(|(_, candidate)| candidate)
        .take(3)
        .collect()
}

/// "did you mean …?" with the nearest known names, if any is near.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let quoted: Vec<String> = nearest_names(name, known)
        .into_iter()
        .map(|near| format!("`{near}`"))
        .collect();
    let (last, others) = quoted.split_last()?;
    if others.is_empty() {
        Some(format!("did you mean {last}?"))
    } else {
        Some(format!("did you mean {} or {last}?", others.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(text: &str) -> Origin {
        Origin {
            name: "job.toml".into(),
            text: text.into(),
        }
    }

    #[test]
    fn what_is_too_long_to_show_is_shortened() {
        let text = format!("a = 1\nb = {}", "x".repeat(1_000_000));
        let shown = Diagnostic::new(format!("unknown `{}`", "x".repeat(1_000_000)))
            .in_text(origin(&text))
            .at(10..1_000_010, "wrong")
            .to_string();
        assert!(shown.contains("job.toml:2:5"), "{shown}");
        assert!(shown.len() < 5000, "{} bytes", shown.len());
        assert!(nearest_names(&text, ["a"]).is_empty());
    }

    #[test]
    fn a_place_has_line_column_caret_and_context() {
        let text = "a = 1\nb = 22\n";
        let shown = Diagnostic::new("they disagree")
            .in_text(origin(text))
            .at(10..12, "wrong")
            .at(4..5, "because of this")
            .help("change one")
            .to_string();
        let expected = [
            "error: they disagree",
            "--> job.toml:2:5",
            "1 | a = 1",
            "- because of this",
            "2 | b = 22",
            "^^ wrong",
            "help: change one",
        ];
        let mut rest = shown.as_str();
        for part in expected {
            let at = rest
                .find(part)
                .unwrap_or_else(|| panic!("{part} not in order in:\n{shown}"));
            rest = &rest[at..];
        }
    }

    #[test]
    fn without_a_mark_the_file_is_still_named() {
        let shown = Diagnostic::new("bad")
            .in_text(origin("secret = 1\n"))
            .to_string();
        assert!(shown.contains("job.toml"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_would_steer_a_terminal_is_spelled_out() {
        let shown = Diagnostic::new("unknown `\u{1b}[31mred`\nnext")
            .help("not \u{7}")
            .to_string();
        assert!(shown.contains("`\\u{1b}[31mred`"), "{shown}");
        assert!(shown.contains("not \\u{7}"), "{shown}");
    }

    #[test]
    fn color_is_asked_for() {
        let diagnostic = Diagnostic::new("bad");
        assert!(diagnostic.render(true).contains('\u{1b}'));
        assert!(!diagnostic.render(false).contains('\u{1b}'));
    }

    #[test]
    fn nearest_names_come_best_first() {
        let known = ["r7z2", "r1z1", "p4d.24xlarge"];
        assert_eq!(nearest_names("R7Z3", known).first(), Some(&"r7z2"));
        assert!(nearest_names("zzzzzz", known).is_empty());
        let two = did_you_mean("r7z1", known).unwrap();
        assert!(
            two.starts_with("did you mean `") && two.contains("` or `"),
            "{two}"
        );
        assert_eq!(did_you_mean("zzzzzz", known), None);
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_is_shown(
            text in "[\\PC\n\r\t]{0,60}", start in 0..200_usize, length in 0..200_usize,
        ) {
            let shown = Diagnostic::new("bad value")
                .in_text(origin(&text))
                .at(start..start + length, "here")
                .at(length..start, "and there")
                .to_string();
            prop_assert!(shown.contains("bad value"));
            prop_assert!(shown.contains("job.toml"));
        }
    }
}
