//! What is particular to job files about the mistakes of any TOML file.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::preset::Written;
use crate::search::Axis;

/// Keys that mean the same.
const SAME: [(&str, &str); 2] = [
    ("checkpointing", "activation_checkpointing"),
    ("cluster", "clusters"),
];

/// Keys that people look for outside the table they belong to.
const SEARCH_KEYS: [&str; 4] = ["seq_len", "micro_batch", "grad_accum", "checkpointing"];

/// Adds what is particular to job files to a message about any TOML file.
pub(super) fn explain(diagnostic: Diagnostic) -> Diagnostic {
    let diagnostic = twice(diagnostic);
    let message = diagnostic.message.as_str();
    if let Some(help) = super::ladder::misplaced(&diagnostic) {
        return diagnostic.help(help);
    }
    let mut keys = SEARCH_KEYS.iter();
    if let Some(key) = keys.find(|key| message == format!("unknown key `{key}`")) {
        return diagnostic.help(format!("`{key}` belongs in the table `[search]`"));
    }
    if message.contains("named tables") {
        return match key(&diagnostic).to_owned().as_str() {
            "gpus" => diagnostic
                .help("GPU counts to try belong in the table `[search]`: `gpus = \"8..128\"`"),
            key @ ("models" | "stacks") => {
                let one = key.trim_end_matches('s');
                diagnostic
                    .help(format!("did you mean `{one}`?"))
                    .help(format!("`{key}` holds some of your own: `[{key}.<name>]`"))
            }
            _ => diagnostic,
        };
    }
    if message.contains("is not an axis") {
        return diagnostic.help(format!("expected {}", Axis::EXPECTED));
    }
    let clash = ["cannot extend", "duplicate key"]
        .iter()
        .any(|words| message.contains(words));
    if clash && marked(&diagnostic).starts_with("clusters") {
        return diagnostic.help(
            "beside tables `[clusters.<name>]`, choose with `cluster`: \
             `cluster = [\"mine\", \"r7z2\"]`",
        );
    }
    diagnostic
}

/// Two keys that mean the same: the second is at fault, wherever the table begins.
fn twice(diagnostic: Diagnostic) -> Diagnostic {
    let field = diagnostic.message.strip_prefix("duplicate field `");
    let field = field.and_then(|rest| rest.strip_suffix('`'));
    let Some((one, other)) = SAME.iter().find(|(one, _)| field == Some(*one)) else {
        return diagnostic;
    };
    let message = format!("`{one}` and `{other}` mean the same");
    let help = "keep one of them";
    let places = places(&diagnostic, &[one, other]);
    let (Some(origin), [first, .., again]) = (&diagnostic.origin, places.as_slice()) else {
        return Diagnostic {
            message,
            ..diagnostic
        }
        .help(help);
    };
    Diagnostic::new(message)
        .in_text(origin.clone())
        .at(again.clone(), "again here")
        .at(first.clone(), "first here")
        .help(help)
}

/// Where lines of the table at fault set one of `keys`.
fn places(diagnostic: &Diagnostic, keys: &[&str]) -> Vec<Range<usize>> {
    let text = diagnostic.origin.as_ref().map(|origin| &*origin.text);
    let start = diagnostic.labels.first().map(|label| label.span.start);
    let (Some(text), Some(start)) = (text, start) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    let mut at = start;
    for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
        let written = line.trim_start();
        if at > start && written.starts_with('[') {
            break;
        }
        let key = written.split(['=', ' ', '\t']).next().unwrap_or_default();
        if keys.contains(&key) {
            let from = at + line.len() - written.len();
            places.push(from..from + key.len());
        }
        at += line.len();
    }
    places
}

/// The key whose value is at fault.
fn key(diagnostic: &Diagnostic) -> &str {
    let text = diagnostic.origin.as_ref().map(|origin| &*origin.text);
    let start = diagnostic.labels.first().map(|label| label.span.start);
    let before = text.zip(start).and_then(|(text, start)| text.get(..start));
    let line = before.and_then(|before| before.lines().last());
    let key = line.and_then(|line| line.trim_end().strip_suffix('='));
    key.unwrap_or_default().trim()
}

/// The text at fault.
fn marked(diagnostic: &Diagnostic) -> &str {
    let text = diagnostic.origin.as_ref().map(|origin| &*origin.text);
    let span = diagnostic.labels.first().map(|label| label.span.clone());
    text.zip(span)
        .and_then(|(text, span)| text.get(span))
        .unwrap_or_default()
}
