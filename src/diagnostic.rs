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
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        if let Some(origin) = &self.origin {
            let snippet = Snippet::source(origin.text.as_ref()).path(origin.name.as_str());
            let marks = self.labels.iter().enumerate().map(|(index, label)| {
                let kind = if index == 0 {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                kind.span(clamp(&label.span, &origin.text))
                    .label(label.text.as_str())
            });
            group = if self.labels.is_empty() {
                group.element(annotate_snippets::Origin::path(origin.name.as_str()))
            } else {
                group.element(snippet.annotations(marks))
            };
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
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

/// The names nearest to a misspelt one, best first, at most three.
#[must_use]
pub fn nearest_names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
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
