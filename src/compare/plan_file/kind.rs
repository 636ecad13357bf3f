//! What kind of file it is that a plan is read from.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::WRITE_ONE;
use crate::diagnostic::{Diagnostic, Origin};
use crate::plan::{Predicted, SCHEMA_VERSION};

/// What tells the kinds of files apart.
#[derive(Deserialize)]
#[serde(expecting = "a plan, which is an object")]
pub(super) struct Probe {
    schema_version: Option<u64>,
    pub(super) candidates: Option<IgnoredAny>,
    throughput_tok_s: Option<IgnoredAny>,
    request: Option<IgnoredAny>,
    jobs: Option<IgnoredAny>,
    bookings: Option<IgnoredAny>,
}

impl Probe {
    /// Refuses what another version wrote.
    pub(super) fn check_version(&self, origin: &Origin) -> Result<(), Diagnostic> {
        let is_predicted = self.candidates.is_none() && self.throughput_tok_s.is_some();
        let ours = if is_predicted {
            Predicted::SCHEMA_VERSION
        } else {
            SCHEMA_VERSION
        };
        let is_other = |version: &u64| *version != u64::from(ours);
        let Some(version) = self.schema_version.filter(is_other) else {
            return Ok(());
        };
        let key = "\"schema_version\"";
        let start = origin.text.find(key).unwrap_or(0);
        Err(Diagnostic::new(format!(
            "`{}` has schema version {version}, but this version reads {ours}",
            origin.name
        ))
        .in_text(origin.clone())
        .at(start..start + key.len(), "written by another version")
        .help("plan again with this version, or compare with the one that wrote it"))
    }

    /// Refuses what is neither a plan nor a prediction, or doesn't say what of.
    pub(super) fn check_kind(&self, origin: &Origin) -> Result<(), Diagnostic> {
        if self.candidates.is_none() && self.throughput_tok_s.is_none() {
            let refusal = Diagnostic::new(format!(
                "`{}` is JSON, but neither a plan nor a prediction: it has no `candidates`",
                origin.name
            ))
            .in_text(origin.clone());
            return Err(if self.jobs.is_some() {
                refusal.help("a schedule of several jobs: plan the one that runs by itself")
            } else if self.bookings.is_some() {
                refusal.help(
                    "bookings without their plan: `tminus report JOB.toml -o plan.json`, of a job file \
                     with [reserve], writes both",
                )
            } else {
                refusal.help(WRITE_ONE)
            });
        }
        if self.request.is_none() {
            return Err(Diagnostic::new(format!(
                "`{}` doesn't say what it was made for: it has no `request`",
                origin.name
            ))
            .in_text(origin.clone())
            .help("an older `predict` left it out; predict again with this version"));
        }
        Ok(())
    }
}

/// Refuses a list, from which a struct would be read too.
pub(super) fn refuse_list(origin: &Origin) -> Result<(), Diagnostic> {
    let text = origin.text.trim_start();
    if !text.starts_with('[') {
        return Ok(());
    }
    let start = origin.text.len() - text.len();
    Err(Diagnostic::new(format!(
        "`{}` holds a list where a plan is an object",
        origin.name
    ))
    .in_text(origin.clone())
    .at(start..start + 1, "expected `{`")
    .help(WRITE_ONE))
}
