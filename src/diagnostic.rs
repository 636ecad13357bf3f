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
            group = group.element(snippet.annotations(marks));
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
