//! What a file asks for that changes nothing.

use super::{AgendaJob, Minimise};

/// Lateness without deadlines, and priorities that weigh no lateness.
pub(super) fn pointless(jobs: &[AgendaJob], minimise: Minimise) -> Vec<String> {
    let mut notes = Vec::new();
    let late = minimise == Minimise::Lateness;
    if late && jobs.iter().all(|job| job.deadline.is_none()) {
        notes.push(
            "no job has a `deadline`, so that none can be late: `minimise = \"lateness\"` finds the \
             schedule that ends soonest"
                .to_owned(),
        );
    }
    let weighed = |job: &AgendaJob| late && job.deadline.is_some();
    let idle = jobs.iter().filter(|job| job.priority != 1 && !weighed(job));
    let idle: Vec<&str> = idle.map(|job| job.name.as_str()).collect();
    if !idle.is_empty() {
        let needs = if late {
            "a `deadline` of the job"
        } else {
            "`minimise = \"lateness\"`"
        };
        notes.push(format!(
            "the `priority` of {} changes nothing: it weighs lateness, which takes {needs}",
            idle.join(", ")
        ));
    }
    notes
}
