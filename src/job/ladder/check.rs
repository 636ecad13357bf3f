//! What no calendar can make sense of: names that are taken, jobs that wait for each other,
//! windows that end before they begin or overlap.

use super::{AgendaJob, SharedKey, Window, WindowSettings};
use crate::calendar::{Due, Moment};
use crate::diagnostic::Diagnostic;
use crate::job::{SetAt, Sourced};

/// Refuses two jobs of one name.
pub(super) fn distinct(names: &[Sourced<String>]) -> Result<(), Diagnostic> {
    for (index, name) in names.iter().enumerate() {
        let earlier = names
            .iter()
            .take(index)
            .find(|other| other.value == name.value);
        if let Some(earlier) = earlier {
            let refusal = Diagnostic::new(format!("two jobs are called `{}`", name.value))
                .help("give each a `name` of its own; a job without one is called as its model");
            return Err(also(
                name.refuse(refusal, "here again"),
                &earlier.place,
                "first here",
            ));
        }
    }
    Ok(())
}

/// Refuses jobs that wait for each other; names them in the order in which they wait.
pub(super) fn cycle(jobs: &[AgendaJob], names: &[Sourced<String>]) -> Option<Diagnostic> {
    // Jobs are taken away as long as all their predecessors are gone; what is left has a cycle.
    let mut left: Vec<bool> = vec![true; jobs.len()];
    let waits = |left: &[bool], job: &AgendaJob| {
        let is_left = |place: &usize| left.get(*place).copied().unwrap_or(false);
        job.after.iter().copied().find(is_left)
    };
    while let Some(free) =
        (0..jobs.len()).find(|index| left[*index] && waits(&left, &jobs[*index]).is_none())
    {
        left[free] = false;
    }
    let mut at = left.iter().position(|left| *left)?;
    let mut path: Vec<usize> = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        at = waits(&left, &jobs[at])?;
    }
    let first = path.iter().position(|place| *place == at)?;
    let mut called: Vec<&str> = path[first..]
        .iter()
        .map(|place| jobs[*place].name.as_str())
        .collect();
    called.push(&jobs[at].name);
    let message = if called.len() == 2 {
        format!("`{}` waits for itself", called[0])
    } else {
        format!("jobs wait for each other: {}", called.join(" after "))
    };
    let refusal = Diagnostic::new(message).help("leave one of them out of an `after`");
    Some(names[at].refuse(refusal, "one of them"))
}

/// The windows with their dates, spans counted from the start; `left_out` says what it means to leave
/// one out.
///
/// # Errors
/// One that ends before or when it begins or beyond the dates there are, or is about more nodes than
/// there are.
pub(super) fn dated(
    windows: &[Sourced<WindowSettings>],
    (start, nodes, shared_key): (Moment, u64, SharedKey),
    cluster: &str,
    left_out: &str,
) -> Result<Vec<Sourced<Window>>, Diagnostic> {
    let all = windows.iter().map(|set| {
        let date = |due: Due| {
            let refusal = || Diagnostic::new("the window reaches beyond the year 2999");
            due.after(start)
                .ok_or_else(|| set.refuse(refusal(), "too late"))
        };
        let (from, to) = (date(set.value.from)?, date(set.value.to)?);
        if to == from {
            return Err(set.refuse(
                Diagnostic::new(format!("the window begins and ends at {from}"))
                    .help("`to` is its end: name a later moment, for a whole day the next day")
                    .help(left_out),
                "no time in it",
            ));
        }
        if to < from {
            return Err(set.refuse(
                Diagnostic::new(format!(
                    "the window ends at {to}, before it begins, at {from}"
                ))
                .help("exchange `from` and `to`"),
                "no time in it",
            ));
        }
        let free = set.value.nodes.unwrap_or(nodes);
        if free > nodes {
            return Err(set.refuse(
                Diagnostic::new(format!(
                    "the window is about {free} nodes, but the jobs share {nodes} of {cluster}"
                ))
                .help(format!(
                    "raise `{shared_key}`, or name fewer nodes in the window"
                )),
                "more than there are",
            ));
        }
        Ok(set.clone().map(|_| Window {
            from,
            to,
            nodes: free,
        }))
    });
    all.collect()
}

/// Refuses a window that is over when the calendar starts: the first of those.
pub(super) fn over(
    windows: &[Sourced<Window>],
    start: Moment,
    left_out: &str,
) -> Result<(), Diagnostic> {
    let mut windows = windows.iter();
    windows
        .find(|set| set.value.to < start)
        .map_or(Ok(()), |set| {
            let refusal = Diagnostic::new(format!(
                "the window ends at {}, before the calendar starts, at {start}",
                set.value.to
            ));
            let refusal = refusal.help("correct its dates").help(left_out);
            Err(set.refuse(refusal, "in the past"))
        })
}

/// The windows in order of time.
///
/// # Errors
/// One that overlaps another.
pub(super) fn ordered(
    mut windows: Vec<Sourced<Window>>,
    (cluster, nodes): (&str, u64),
) -> Result<Vec<Window>, Diagnostic> {
    windows.sort_by_key(|set| (set.value.from, set.value.to));
    for pair in windows.windows(2) {
        if let [one, next] = pair
            && next.value.from < one.value.to
        {
            let refusal = Diagnostic::new(format!(
                "windows of {cluster} overlap: one ends at {}, the next begins at {}",
                one.value.to, next.value.from
            ))
            .help(format!(
                "write instead, with their nodes added up where both hold and no more than the {nodes} \
                 there are: {}",
                apart(one.value, next.value, nodes)
            ));
            return Err(also(
                next.refuse(refusal, "this one"),
                &one.place,
                "and this one",
            ));
        }
    }
    Ok(windows.into_iter().map(|set| set.value).collect())
}

/// Two windows that overlap as windows that don't, in the words of a job file.
fn apart(one: Window, next: Window, most: u64) -> String {
    let (sooner, last) = if one.to < next.to {
        (one, next)
    } else {
        (next, one)
    };
    let both = one.nodes.saturating_add(next.nodes).min(most);
    let mut windows: Vec<Window> = Vec::new();
    for (from, to, nodes) in [
        (one.from, next.from, one.nodes),
        (next.from, sooner.to, both),
        (sooner.to, last.to, last.nodes),
    ] {
        match windows.last_mut() {
            _ if from == to => {}
            Some(before) if before.nodes == nodes => before.to = to,
            _ => windows.push(Window { from, to, nodes }),
        }
    }
    let written = windows.iter().map(|Window { from, to, nodes }| {
        format!("{{ from = \"{from}\", to = \"{to}\", nodes = {nodes} }}")
    });
    written.collect::<Vec<String>>().join(", ")
}

/// The diagnostic with a second mark, where both are in one file.
pub(super) fn also(diagnostic: Diagnostic, place: &SetAt, label: &str) -> Diagnostic {
    match place {
        SetAt::File { span, .. } if diagnostic.origin.is_some() => {
            diagnostic.at(span.clone(), label)
        }
        _ => diagnostic,
    }
}
