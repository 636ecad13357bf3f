//! Reads a TOML text into a type, and turns what TOML says about a mistake into a [`Diagnostic`]:
//! the place, what was expected, the nearest key.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Origin, did_you_mean};

/// Reads a whole document.
///
/// # Errors
/// Bad syntax, an unknown key, a duplicate, a wrong type or a value that its type refuses.
pub(crate) fn parse<T: DeserializeOwned>(origin: &Origin) -> Result<T, Diagnostic> {
    toml::from_str(&origin.text).map_err(|error| match named_values::<T>(&error, origin) {
        Some(diagnostic) => diagnostic,
        None => translate(&error, origin),
    })
}

/// Where something else stands in the place of a name: the names that could. What they are is said
/// of a name alone, so one is put there.
fn named_values<T: DeserializeOwned>(
    error: &toml::de::Error,
    origin: &Origin,
) -> Option<Diagnostic> {
    if error.message().trim() != "wanted string or table" {
        return None;
    }
    let span = error.span()?;
    let (before, after) = (origin.text.get(..span.start)?, origin.text.get(span.end..)?);
    let named = toml::from_str::<T>(&format!("{before}\"?\"{after}")).err()?;
    let known = explain_unknown(named.message().trim(), "unknown variant", "value")?;
    let diagnostic = Diagnostic::new(format!(
        "{} is not a name in quotes",
        origin.text.get(span.clone())?
    ));
    let diagnostic = diagnostic.in_text(origin.clone()).at(span, known.label);
    Some(known.help.into_iter().fold(diagnostic, Diagnostic::help))
}

/// What a text is that is no TOML, with what to do about it; `None` where it may be meant as TOML: its
/// first line is a comment, a header, or sets a key.
fn foreign(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let first = text.lines().next()?;
    if text.starts_with('{') || first.replace(' ', "").starts_with("[{") {
        return Some((
            "JSON",
            "a key is set by a line `key = value`; `tminus schema job` and `tminus schema presets` \
             describe the keys",
        ));
    }
    if first.starts_with(['[', '#']) || first.contains('=') {
        return None;
    }
    let rows = "measured rows are for `tminus fit` and `tminus evaluate`; prices of your own are tables \
                `[[prices]]` of a job or preset file, each with `instance` (the cluster) and \
                `usd_per_gpu_hour`";
    let mut lines = text.lines();
    if lines.any(|line| line.trim_start().starts_with('|')) {
        Some(("Markdown", rows))
    } else {
        let separators = [',', ';', '\t'];
        let cells = first.contains(separators) && first.split(separators).all(is_cell);
        cells.then_some(("CSV", rows))
    }
}

/// Whether a text may be a cell of a table's header: in quotes as a whole, or without any. Other quotes
/// and brackets are those of a value whose `=` is missing.
fn is_cell(text: &str) -> bool {
    let text = text.trim();
    let unquoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    let bare = unquoted('"').or_else(|| unquoted('\'')).unwrap_or(text);
    !bare.contains(['"', '\'', '[', ']', '{', '}'])
}

fn translate(error: &toml::de::Error, origin: &Origin) -> Diagnostic {
    if let Some((form, help)) = foreign(&origin.text) {
        let start = error.span().map_or(0, |span| span.start);
        return Diagnostic::new(format!(
            "it looks like {form}, and this file is read as TOML"
        ))
        .in_text(origin.clone())
        .at(start..start, "not TOML")
        .help(help);
    }
    let message = error.message().trim();
    let explained = explain_unknown(message, "unknown field", "key")
        .or_else(|| explain_unknown(message, "unknown variant", "value"))
        .or_else(|| explain_missing(message))
        .unwrap_or_else(|| Explained {
            message: in_plain_words(message, TABLE),
            ..Explained::default()
        });
    let mut diagnostic = Diagnostic::new(explained.message).in_text(origin.clone());
    if let Some(span) = error.span() {
        diagnostic = diagnostic.at(span, explained.label);
    }
    let header = error.span().and_then(|span| origin.text.get(span));
    let dotted = error
        .span()
        .filter(|_| message.starts_with("unknown field"));
    let dotted = dotted.and_then(|span| explain_dots(&origin.text, span));
    explained
        .help
        .into_iter()
        .chain(header.and_then(explain_header))
        .chain(dotted)
        .fold(diagnostic, Diagnostic::help)
}

/// Kinds of tables that have their names in their headers.
const NAMED: [&str; 5] = ["clusters", "gpus", "models", "stacks", "products"];

/// What to write instead of the header of an unnamed table.
fn explain_header(header: &str) -> Option<String> {
    let kind = header.strip_prefix("[[")?.strip_suffix("]]")?.trim();
    NAMED
        .contains(&kind)
        .then(|| format!("one of your own has its name in the header: `[{kind}.<name>]`"))
}

/// What to write where a dot in a table's name has ended it: the unknown key is the last of a header.
fn explain_dots(text: &str, key: Range<usize>) -> Option<String> {
    let (before, after) = (text.get(..key.start)?, text.get(key.end..)?);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let before = before.get(start..)?.trim_start().strip_prefix('[')?;
    let header = format!("{before}{}", text.get(key)?);
    if !after.starts_with(']') || header.contains(['[', '"', '\'', ' ']) {
        return None;
    }
    let named = NAMED.iter().find_map(|kind| {
        let path = header.find(&format!("{kind}."))? + kind.len() + 1;
        (path == kind.len() + 1 || header.get(..path)?.starts_with("schedule.")).then_some(path)
    })?;
    let (path, name) = header.split_at(named);
    name.contains('.')
        .then(|| format!("a name with dots in it stands in quotes: `[{path}\"{name}\"]`"))
}

#[derive(Default)]
struct Explained {
    message: String,
    label: String,
    help: Vec<String>,
}

/// Serde's "unknown field … expected one of …", each name in backticks: the nearest names, then
/// all of them.
fn explain_unknown(message: &str, prefix: &str, what: &str) -> Option<Explained> {
    let quoted = quoted(message.strip_prefix(prefix)?);
    let (unknown, known) = quoted.split_first()?;
    let mut help = Vec::new();
    help.extend(did_you_mean(unknown, known.iter().copied()));
    if !known.is_empty() {
        help.push(format!("the {what}s known here: {}", known.join(", ")));
    }
    Some(Explained {
        message: format!("unknown {what} `{unknown}`"),
        label: format!("no such {what} here"),
        help,
    })
}

fn explain_missing(message: &str) -> Option<Explained> {
    let field = quoted(message.strip_prefix("missing field")?)
        .first()
        .copied()?;
    Some(Explained {
        message: format!("`{field}` is missing"),
        label: "in this table".into(),
        help: vec![format!("add a line `{field} = …`")],
    })
}

/// What TOML calls values with keys, without and with its article.
const TABLE: (&str, &str) = ("table", "a table");

/// Serde's "invalid type: map, expected f64" without the names that only programs have for types;
/// `keyed` is what the format calls values with keys, without and with its article.
pub(crate) fn in_plain_words(message: &str, keyed: (&str, &str)) -> String {
    match message {
        "u64 value was too large" => {
            return format!("the number is too large, expected at most {}", i64::MAX);
        }
        // The parser's own limit, of values and of dotted keys.
        "cannot recurse further; max recursion depth met" | "recursion limit" => {
            return "values are nested deeper than 80 levels, the most that is read".to_owned();
        }
        _ => {}
    }
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let expected = match expected {
        "f64" => "a number",
        "u8" | "u32" | "u64" | "usize" | "i64" => "a whole number",
        "a sequence" => "an array",
        "a map" => keyed.1,
        other if other.starts_with("struct ") => keyed.1,
        other => other,
    };
    let found = match found {
        "invalid type: map" => &format!("invalid type: {}", keyed.0),
        "invalid type: sequence" => "invalid type: array",
        "invalid length 0" => "it is empty",
        other => other,
    };
    let found = found.replacen(": floating point `", ": number `", 1);
    format!("{found}, expected {expected}")
}

/// The words between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_people_know_them() {
        for (said, plain) in [
            (
                "cannot recurse further; max recursion depth met",
                "values are nested deeper than 80 levels, the most that is read",
            ),
            (
                "u64 value was too large",
                "the number is too large, expected at most 9223372036854775807",
            ),
            (
                "invalid type: map, expected f64",
                "invalid type: table, expected a number",
            ),
            (
                "invalid type: string \"a, expected u32\", expected usize",
                "invalid type: string \"a, expected u32\", expected a whole number",
            ),
            (
                "invalid type: sequence, expected struct Document",
                "invalid type: array, expected a table",
            ),
            (
                "invalid value: floating point `-1.0`, expected a price",
                "invalid value: number `-1.0`, expected a price",
            ),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(in_plain_words(said, TABLE), plain);
        }
    }
}
