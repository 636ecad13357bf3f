//! Names: of the run, of GPUs as targets call them, of places that the user has yet to set.

use crate::job::{LaunchSettings, Text, Word};
use crate::model::Model;
use crate::quantity::{Tokens, display_count};

use super::{Launch, LaunchError};

/// What each target calls a GPU: ours, Slurm's usual resource name, `SkyPilot`'s, `MosaicML`'s.
const GPU_NAMES: [(&str, &str, &str, Option<&str>); 5] = [
    ("a100-40gb", "a100", "A100", Some("a100_40gb")),
    ("a100-80gb", "a100", "A100-80GB", Some("a100_80gb")),
    ("h100", "h100", "H100", Some("h100_80gb")),
    ("h200", "h200", "H200", None),
    ("b200", "b200", "B200", None),
];

/// A scheduler that names GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namer {
    Slurm,
    Skypilot,
    Mcli,
    Kubernetes,
}

impl Launch<'_> {
    /// The run's name as people write it.
    pub(super) fn name(&self) -> String {
        run_name(self.settings, self.model, self.tokens)
    }

    /// The run's name as every scheduler takes it: lower-case letters, digits and `-`, at most 50
    /// characters (an RFC 1123 label with room for what Kubernetes appends).
    pub(super) fn slug(&self) -> String {
        slug(&self.name())
    }

    /// What `namer` calls the GPU.
    pub(super) fn gpu_name(&self, namer: Namer) -> Result<String, LaunchError> {
        // Kubernetes names the vendor's resource, `amd.com/gpu`: other names are for others.
        let resource = |name: &str| namer != Namer::Kubernetes || name.contains('/');
        let set = self.settings.gpu_type.as_ref().map(Word::as_str);
        if let Some(name) = set.filter(|name| resource(name)) {
            return Ok(name.to_owned());
        }
        let gpu = &self.cluster.gpu.name;
        let known = GPU_NAMES.iter().find(|(ours, ..)| ours == gpu);
        let (target, name) = match namer {
            Namer::Slurm => ("Slurm", known.map(|names| names.1)),
            Namer::Skypilot => ("SkyPilot", known.map(|names| names.2)),
            Namer::Mcli => ("mcli", known.and_then(|names| names.3)),
            // All of those known are of one vendor.
            Namer::Kubernetes => ("Kubernetes", known.map(|_| "nvidia.com/gpu")),
        };
        name.map(str::to_owned)
            .ok_or_else(|| LaunchError::UnknownGpu {
                target,
                gpu: gpu.clone(),
            })
    }
}

/// The name set, or else the model and its token budget.
pub(crate) fn run_name(settings: &LaunchSettings, model: &Model, tokens: Tokens) -> String {
    settings.name.as_ref().map_or_else(
        || format!("{}-{}", model.name, display_count(tokens.as_f64())),
        |name| name.as_str().to_owned(),
    )
}

/// Characters of a name as schedulers take it, at most, and those of the mark among them.
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

/// Places that only the user knows; each that is not set gets a placeholder and a note.
#[derive(Debug, Default)]
pub(super) struct Places {
    missing: Vec<(&'static str, &'static str)>,
}

impl Places {
    /// The setting, or the placeholder.
    pub(super) fn get<'a>(
        &mut self,
        key: &'static str,
        set: Option<&'a Text>,
        placeholder: &'static str,
    ) -> &'a str {
        set.map_or_else(
            || {
                self.missing.push((key, placeholder));
                placeholder
            },
            Text::as_str,
        )
    }

    /// What is left to set.
    pub(super) fn notes(self) -> Vec<String> {
        self.missing
            .into_iter()
            .map(|(key, placeholder)| {
                format!("set `{key}` in [launch] of the job file, or replace {placeholder} here")
            })
            .collect()
    }
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
