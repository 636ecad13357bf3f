//! Settings of `[launch]` that a shell would expand if it read them: they go into files of many kinds,
//! most of which no shell reads, and reach the program as they are written in all of them. The commands
//! of `setup` alone are a shell's.

use super::LaunchError;
use crate::job::{LaunchSettings, Text};

/// Settings that are paths or may be.
fn paths(settings: &LaunchSettings) -> impl Iterator<Item = (&'static str, &str)> {
    let paths = [
        ("workdir", &settings.workdir),
        ("script", &settings.script),
        ("data", &settings.data),
        ("checkpoints", &settings.checkpoints),
        ("tokenizer", &settings.tokenizer),
    ];
    let set = paths.into_iter();
    set.filter_map(|(key, path)| Some((key, path.as_ref().map(Text::as_str)?)))
}

/// Whether a shell would put a home directory in the place of a path's start.
fn is_at_home(path: &str) -> bool {
    path.starts_with('~')
}

/// Whether a shell would put something in the place of a part: `$NAME`, `${NAME}` or `$(COMMAND)`.
fn holds_variable(text: &str) -> bool {
    let mut after = text.split('$').skip(1);
    after.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)))
}

/// Refuses paths in a home directory: they would name a folder `~` of wherever the program starts, which
/// nobody means.
pub(super) fn check(settings: &LaunchSettings) -> Result<(), LaunchError> {
    match paths(settings).find(|(_, path)| is_at_home(path)) {
        Some((key, path)) => Err(LaunchError::Unexpanded {
            key,
            text: path.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Which settings hold something that a shell would expand, and here stays as it is.
pub(super) fn note(settings: &LaunchSettings) -> Option<String> {
    let variables = paths(settings).filter(|(_, path)| holds_variable(path));
    let mut keys: Vec<String> = variables.map(|(key, _)| format!("`{key}`")).collect();
    let literal = |text: &str| holds_variable(text) || is_at_home(text);
    if settings.args.iter().any(|arg| literal(arg.as_str())) {
        keys.push("`args`".into());
    }
    let env = settings.env.iter();
    let env = env.filter(|(_, value)| literal(value.as_str()));
    keys.extend(env.map(|(name, _)| format!("`env.{}`", name.as_str())));
    let verb = if keys.len() == 1 { "reaches" } else { "reach" };
    (!keys.is_empty()).then(|| {
        format!(
            "{} of [launch] {verb} the program as written: nothing puts values in the place of `$…` and `~`, so \
             write out what they stand for",
            keys.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_expand_is_told_from_other_dollars() {
        for text in ["$A/b", "/a/${B}", "/a:$_x", "$(pwd)"] {
            assert!(holds_variable(text), "{text}");
        }
        for text in ["", "$", "5 $ a", "a$", "$5", "s3://b/$-x", "~/a"] {
            assert!(!holds_variable(text), "{text}");
        }
    }
}
