//! Names as people spell them: `gpt-7b`, `gpt7b`, `GPT_7B` and `EleutherAI/pythia-6.9b` all find
//! what they mean.

use super::value::At;
use crate::diagnostic::{Diagnostic, Origin};

/// The form in which two spellings of one name are equal.
///
/// Lower case; the publisher before a `/` is dropped, and so are `-`, `_` and spaces. A dot is
/// dropped too, except between digits: `gpt-1.3b` must not find `gpt-13b`.
pub(super) fn normalised(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let mut key = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let keep = match character {
            '-' | '_' => false,
            '.' => {
                let after_digit = key.ends_with(|c: char| c.is_ascii_digit());
                after_digit && characters.peek().is_some_and(char::is_ascii_digit)
            }
            other => !other.is_whitespace(),
        };
        if keep {
            key.push(character);
        }
    }
    key
}

/// Refuses a name that would break a line of what is shown, or steer the terminal that shows it.
pub(crate) fn refuse_controls(name: &At<String>, origin: &Origin) -> Result<(), Diagnostic> {
    if name.value.contains(char::is_control) {
        return Err(Diagnostic::new(format!(
            "{:?} is no name: it holds a control character",
            name.value
        ))
        .in_text(origin.clone())
        .at(name.span.clone(), "leave out line ends, tabs and escapes"));
    }
    Ok(())
}

/// Two spellings of one name in one file: TOML sees two keys, the catalog would keep one.
pub(super) fn refuse_repeats<'a>(
    names: impl Iterator<Item = &'a At<String>>,
    origin: &Origin,
) -> Result<(), Diagnostic> {
    let mut seen: Vec<(String, &At<String>)> = Vec::new();
    for at in names {
        refuse_controls(at, origin)?;
        let key = normalised(&at.value);
        if key.is_empty() {
            return Err(Diagnostic::new(format!("`{}` is no name", at.value))
                .in_text(origin.clone())
                .at(at.span.clone(), "nothing to find it by"));
        }
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == key) {
            return Err(Diagnostic::new(format!(
                "`{}` and `{}` are two spellings of one name",
                first.value, at.value
            ))
            .in_text(origin.clone())
            .at(at.span.clone(), "named again here")
            .at(first.span.clone(), "named first here"));
        }
        seen.push((key, at));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (one, other) in [
            ("gpt-7b", "GPT_7B"),
            ("gpt-7b", "gpt 7b"),
            ("a100-40gb", "A100_40GB"),
            ("pythia-6.9b", "EleutherAI/pythia-6.9b"),
            ("p4d.24xlarge", "p4d-24xlarge"),
            ("bm.gpu4.8", "BM.GPU4.8"),
        ] {
            assert_eq!(normalised(one), normalised(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_decimal_point_is_part_of_the_name() {
        assert_ne!(normalised("gpt-1.3b"), normalised("gpt-13b"));
        assert_ne!(normalised("llama-3.1-8b"), normalised("llama-3-18b"));
    }
}
