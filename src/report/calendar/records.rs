//! A row a job, for spreadsheets.

use std::fmt::Display;

use crate::calendar::Moment;
use crate::schedule::ScheduledJob;

use super::super::Records;
use super::super::candidate::{self, Flat};

pub(super) fn records(jobs: &[ScheduledJob]) -> Records {
    let mut records = Records::default();
    for job in jobs {
        let (header, row) = fields(job).into_iter().unzip();
        records.header = header;
        records.rows.push(row);
    }
    records
}

/// Every field of a job as a column, and then those of the candidate it runs with.
fn fields(job: &ScheduledJob) -> Vec<(String, String)> {
    let mut flat = Flat::default();
    flat.put("job", &job.name);
    flat.put("model", &job.model);
    flat.put("tokens", job.tokens);
    flat.put("start", job.start.rfc3339());
    flat.put("end", job.end.rfc3339());
    flat.put("hours", job.hours);
    flat.put("gpu_hours", job.gpu_hours);
    flat.put("cost_usd", or_empty(job.cost_usd));
    flat.put("expected_cost_usd", or_empty(job.expected_cost_usd));
    let moment = |moment: Option<Moment>| or_empty(moment.map(Moment::rfc3339));
    flat.put("earliest", moment(job.earliest));
    flat.put("deadline", moment(job.deadline));
    flat.put("late_h", or_empty(job.late_h));
    flat.put("done_by_end", job.done_by_end);
    flat.put("done_by_deadline", or_empty(job.done_by_deadline));
    flat.put("nodes_until", moment(job.nodes_until));
    flat.put("done_by_nodes_until", or_empty(job.done_by_nodes_until));
    flat.put("priority", job.priority);
    flat.put("after", job.after.join("; "));
    flat.put("ways", job.ways);
    flat.0.extend(candidate::fields(&job.candidate));
    flat.0
}

fn or_empty(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::candidate::leaves;
    use crate::report::fixture::scheduled_job;

    #[test]
    fn every_json_field_is_a_column() {
        let mut job = scheduled_job();
        job.candidate.stall = Some(crate::forecast::Stall::Writes);
        let mut json = serde_json::to_value(&job).unwrap();
        let own = json.as_object_mut().unwrap();
        let candidate = own.remove("candidate").unwrap();
        let mut expected = leaves(&json);
        expected.extend(leaves(&candidate));
        let name = expected.iter_mut().find(|leaf| *leaf == "name").unwrap();
        "job".clone_into(name);
        let columns = fields(&job).into_iter();
        let mut found: Vec<String> = columns.map(|(name, _)| name).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}
