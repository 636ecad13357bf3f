//! Names as every scheduler takes them.

/// Characters of a name, at most, and those of the mark among them.
const LONGEST: usize = 50;
const MARK: usize = 8;

/// A name as every scheduler takes it. Names that people spell alike (`GPT_7B`, `gpt-7b`) are one;
/// one that lost anything else gets a mark of its full text, so that no run resumes another.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    let spelled: String = name
        .chars()
        .map(|c| match c {
            '.' | '_' | ' ' => '-',
            c => c.to_ascii_lowercase(),
        })
        .collect();
    // Kubernetes wants a letter first.
    let starts = slug.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && slug == spelled && slug.len() <= LONGEST {
        return slug.to_owned();
    }
    let prefix = if starts { "" } else { "run-" };
    let room = LONGEST - MARK - 1 - prefix.len();
    let kept: String = slug.chars().take(room).collect();
    let kept = format!("{prefix}{kept}");
    format!("{}-{}", kept.trim_end_matches('-'), mark(name))
}

/// A mark of a text: the first digits of its FNV-1a hash.
fn mark(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut digits = format!("{hash:016x}");
    digits.truncate(MARK);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_names_stay_different() {
        let long = "x".repeat(60);
        let names = [
            "日本",
            "模型",
            "run",
            "a(b",
            "a)b",
            "1",
            "run-1",
            "",
            "-",
            "é",
            "gpt-7b-134B",
            &format!("{long}1"),
            &format!("{long}2"),
        ];
        let slugs: BTreeSet<String> = names.iter().map(|name| slug(name)).collect();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
        for slug in &slugs {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(slug.len() <= LONGEST && slug.chars().all(plain), "{slug}");
            assert!(slug.starts_with(|c: char| c.is_ascii_lowercase()), "{slug}");
            assert!(!slug.ends_with('-'), "{slug}");
        }
        for (name, plain) in [
            ("gpt-7b-134B", "gpt-7b-134b"),
            ("llama-3.1-405b-15.6T", "llama-3-1-405b-15-6t"),
            ("My_run 2", "my-run-2"),
        ] {
            assert_eq!(slug(name), plain);
        }
    }
}
