//! What is particular to job files about the mistakes of any TOML file.

use crate::diagnostic::Diagnostic;
use crate::preset::Written;
use crate::search::Axis;

/// Keys that people look for outside the table they belong to.
const SEARCH_KEYS: [&str; 4] = ["seq_len", "micro_batch", "grad_accum", "checkpointing"];

/// Adds what is particular to job files to a message about any TOML file.
pub(super) fn explain(diagnostic: Diagnostic) -> Diagnostic {
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
