//! Shell scripts: every value passes through one quoting function.

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShellWord(String);

impl ShellWord {
    /// Text that reaches the command as it is, whatever it holds.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self(quoted(text.as_ref()))
    }

    /// Shell syntax, such as `"$MASTER_ADDR"`: written here, never by a user.
    pub(crate) fn expression(syntax: &'static str) -> Self {
        Self(syntax.to_owned())
    }

    /// This word with text joined to its end, which reaches the command as it is.
    pub(crate) fn and(&self, text: &str) -> Self {
        let more = if text.is_empty() {
            String::new()
        } else {
            quoted(text)
        };
        Self(format!("{}{more}", self.0))
    }

    /// `--flag=` followed by a word.
    pub(crate) fn assigned(flag: &'static str, value: &Self) -> Self {
        Self(format!("{flag}={}", value.0))
    }
}

impl<T: AsRef<str>> From<T> for ShellWord {
    fn from(text: T) -> Self {
        Self::text(text)
    }
}

/// The text as one shell word: plain where it needs no quotes, else in single quotes, within which
/// a POSIX shell takes everything but a single quote as it is. A word that starts with `=` gets
/// them too: some shells look such words up, and after `NAME=` it looks like a comparison.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(plain) {
        return text.to_owned();
    }
    // No setting holds a NUL, which no word can.
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// A command: its name, then its arguments in groups that stay on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    groups: Vec<Vec<ShellWord>>,
}

impl Command {
    /// The command's name, with what belongs to it.
    pub(crate) fn new<const N: usize>(words: [ShellWord; N]) -> Self {
        Self {
            groups: vec![words.into()],
        }
    }

    /// Adds words that belong together.
    pub(crate) fn arg<const N: usize>(mut self, words: [ShellWord; N]) -> Self {
        self.groups.push(words.into());
        self
    }

    /// Adds words, if there are any.
    pub(crate) fn arg_if<const N: usize>(self, when: bool, words: [ShellWord; N]) -> Self {
        if when { self.arg(words) } else { self }
    }

    /// The same of words that may not be there.
    pub(crate) fn arg_some<const N: usize>(self, words: Option<[ShellWord; N]>) -> Self {
        match words {
            Some(words) => self.arg(words),
            None => self,
        }
    }

    /// Adds one word after another.
    pub(crate) fn args(mut self, words: impl IntoIterator<Item = ShellWord>) -> Self {
        self.groups.extend(words.into_iter().map(|word| vec![word]));
        self
    }

    /// The command, a group of words a line where one line would be long.
    pub(crate) fn render(&self) -> String {
        let groups: Vec<String> = self
            .groups
            .iter()
            .map(|group| group.iter().map(|word| word.0.as_str()).collect::<Vec<_>>())
            .map(|words| words.join(" "))
            .collect();
        let line = groups.join(" ");
        if line.chars().count() <= 96 {
            line
        } else {
            groups.join(" \\\n    ")
        }
    }
}

/// `NAME=value`, quoted.
pub(crate) fn export(name: &str, value: &str) -> String {
    format!("export {name}={}", quoted(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command as Process;

    /// What bash makes of `printf %s WORD`.
    fn printed(word: &str) -> Vec<u8> {
        let script = format!("printf %s {word}");
        Process::new("bash")
            .args(["-c", &script])
            .output()
            .unwrap()
            .stdout
    }

    #[test]
    fn what_a_shell_would_expand_reaches_the_command_as_it_is() {
        for text in [
            "a b",
            "it's",
            "\"q\"",
            "$HOME",
            "`id`",
            "$(id)",
            "a\nb",
            "ünï çødé 日本",
            "\\",
            "*",
            "~",
            "!x",
            "-n",
            "a;b&c|d",
            "#c",
            "",
        ] {
            assert_eq!(printed(&quoted(text)), text.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn what_looks_like_another_operator_and_nothing_at_all_are_quoted() {
        assert_eq!(export("A", "="), "export A='='");
        assert_eq!(export("A", "=b"), "export A='=b'");
        assert_eq!(export("A", "b=c"), "export A=b=c");
        assert_eq!(export("A", ""), "export A=''");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_text_survives_the_shell(text in "[^\0]*") {
            prop_assert_eq!(printed(&quoted(&text)), text.as_bytes());
        }
    }
}
