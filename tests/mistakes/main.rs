//! The gallery of mistakes beside this file, read as a whole: what holds of every message.
//!
//! The transcripts themselves are run by `tests/cli.rs`; each was read before it was accepted.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::collections::BTreeSet;
use std::fs;

/// Words that only programmers of this program know.
const INTERNAL: [&str; 12] = [
    "tminus::",
    "serde",
    "f64",
    "u64",
    "usize",
    "struct ",
    "Option<",
    "ParseIntError",
    "invalid digit",
    "panicked",
    "Some(",
    "Error {",
];

/// A command of the gallery.
struct Mistake {
    file: String,
    command: String,
    status: String,
    message: String,
}

fn gallery() -> Vec<Mistake> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mistakes");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "trycmd") {
            let text = fs::read_to_string(&path).unwrap();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(mistakes(&file, &text));
        }
    }
    found
}

fn mistakes(file: &str, text: &str) -> Vec<Mistake> {
    let mut found: Vec<Mistake> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push(Mistake {
                file: file.to_owned(),
                command: command.to_owned(),
                status: String::new(),
                message: String::new(),
            });
        } else if let Some(mistake) = found.last_mut().filter(|_| inside) {
            match line.strip_prefix("? ") {
                Some(status) => status.clone_into(&mut mistake.status),
                None => mistake.message.extend([line, "\n"]),
            }
        }
    }
    found
}

#[test]
fn the_gallery_is_large_and_no_mistake_stands_in_it_twice() {
    let gallery = gallery();
    let commands: BTreeSet<(&str, &str)> = gallery
        .iter()
        .map(|mistake| (mistake.file.as_str(), mistake.command.as_str()))
        .collect();
    assert_eq!(commands.len(), gallery.len());
    assert!(gallery.len() >= 100, "{} mistakes", gallery.len());
}

#[test]
fn every_message_says_what_is_wrong_and_what_to_do() {
    for Mistake {
        file,
        command,
        status,
        message,
    } in gallery()
    {
        let expected = if file == "infeasible.trycmd" {
            "1"
        } else {
            "2"
        };
        assert_eq!(status, expected, "{command}");
        assert!(message.starts_with("error: "), "{command}\n{message}");
        assert_eq!(
            message.matches("error: ").count(),
            1,
            "{command}\n{message}"
        );
        // What was found is quoted, or counted; what to do is a hint, a choice, or what was
        // expected with an example.
        let remedies = [
            "= help: ",
            "tip: ",
            "expected",
            "must be",
            "possible values",
            "such as",
            "did you mean",
            "known:",
            "required",
            "missing",
            "two ends",
            "^",
        ];
        assert!(
            remedies.iter().any(|remedy| message.contains(remedy)),
            "{command}\n{message}"
        );
        for internal in INTERNAL {
            assert!(!message.contains(internal), "{internal} in\n{message}");
        }
    }
}

/// A mistake in the text of a job or a table has file, line, column and caret.
#[test]
fn mistakes_in_a_text_have_a_place() {
    for Mistake {
        file,
        command,
        message,
        ..
    } in gallery()
    {
        if !["job.trycmd", "tables.trycmd"].contains(&file.as_str()) {
            continue;
        }
        let name = command.split_whitespace().nth(2).unwrap();
        // These are about the file as a whole, or about what it doesn't say.
        let whole = [
            "is empty",
            "holds no",
            "is not UTF-8",
            "no file",
            "no model",
            "fit file",
        ];
        if !whole.iter().any(|words| message.contains(words)) {
            let place = format!(" --> {name}:");
            assert!(
                message.contains(&place) && message.contains('^'),
                "{command}\n{message}"
            );
        }
    }
}
