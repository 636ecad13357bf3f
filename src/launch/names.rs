//! Names: of the run, of GPUs as targets call them, of places that the user has yet to set.

use crate::job::{Text, Word};
use crate::names::slug;

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
        self.settings.run_name(self.model, self.tokens)
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
