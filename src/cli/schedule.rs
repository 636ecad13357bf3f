//! `tminus plan` of a file with `[[jobs]]`: several jobs on one calendar.

use crate::calendar::Span;
use crate::diagnostic::Diagnostic;
use crate::hardware::Cluster;
use crate::job::{Agenda, Ladder, Settings, resolve_ladder};
use crate::plan::Planner;
use crate::quantity::plural;
use crate::report::Calendar;
use crate::schedule::{Held, Hold, Schedule, ScheduleError, schedule_watched};
use crate::throughput::Fit;

use super::args::{Format, GlobalArgs};
use super::output::Output;
use super::planned::PlannedArgs;
use super::request::Opened;
use super::timing::Stopwatch;
use super::{Failure, live, threads};

/// A schedule, with the jobs it is of.
#[derive(Debug)]
pub(super) struct Scheduled {
    pub(super) schedule: Schedule,
    pub(super) agenda: Agenda,
}

pub(super) fn run(
    planned: &PlannedArgs,
    ladder: Ladder,
    opened: &Opened,
    (format, timing): (Format, bool),
    global: &GlobalArgs,
    output: &Output,
) -> Result<(), Failure> {
    let mut stopwatch = Stopwatch::start();
    let fit = opened.fit()?;
    stopwatch.lap("fit");
    let scheduled = scheduled(planned, ladder, opened, &fit, global, output)?;
    stopwatch.lap("jobs and schedule");
    output.report(
        format,
        &Calendar {
            schedule: &scheduled.schedule,
            agenda: &scheduled.agenda,
        },
    )?;
    stopwatch.lap("report");
    if timing {
        stopwatch.show(output);
    }
    Ok(())
}

/// Schedules the jobs of a file. What the flags say of time and cost holds for every job.
pub(super) fn scheduled(
    planned: &PlannedArgs,
    mut ladder: Ladder,
    opened: &Opened,
    fit: &Fit,
    global: &GlobalArgs,
    output: &Output,
) -> Result<Scheduled, Failure> {
    let flags = planned.flags()?;
    refuse_flags(&flags)?;
    let forecast = Settings {
        reliability: flags.reliability,
        prices: flags.prices,
        ..Settings::default()
    };
    for job in &mut ladder.jobs {
        job.settings = forecast.clone().over(std::mem::take(&mut job.settings));
    }
    let defaults = opened
        .file
        .as_ref()
        .map(|file| file.settings.clone())
        .unwrap_or_default();
    let agenda = resolve_ladder(ladder, &defaults, &opened.catalog)?;
    let alternatives: Vec<Cluster> = opened.catalog.clusters().cloned().collect();
    let planner = Planner::new(fit).alternatives(&alternatives);
    let pool = threads::pool(global.threads)?;
    let schedule = live::watched(global.quiet, &live::SCHEDULING, |watch| {
        pool.install(|| schedule_watched(&agenda, &planner, fit, watch))
    })?;
    if schedule.partial {
        output.note("the search was ended early: the schedule is partial");
    }
    Ok(Scheduled { schedule, agenda })
}

/// Refuses flags that say something about one job.
fn refuse_flags(flags: &Settings) -> Result<(), Diagnostic> {
    // In full, so that none is dropped that comes to be.
    let Settings {
        model,
        tokens,
        clusters,
        stack,
        gpus,
        seq_len,
        micro_batch,
        grad_accum,
        checkpointing,
        global_batch,
        sort,
        top,
        confidence,
        allow_tight,
        // These hold for every job,
        reliability: _,
        prices: _,
        // these were read with the files,
        fit: _,
        presets: _,
        // and no flag of a plan sets these.
        launch: _,
        reserve: _,
    } = flags;
    let set = [
        (model.is_some(), "--model"),
        (tokens.is_some(), "--tokens"),
        (clusters.is_some(), "--cluster"),
        (stack.is_some(), "--stack"),
        (global_batch.is_some(), "--global-batch"),
        (gpus.is_some(), "--gpus"),
        (seq_len.is_some(), "--seq-len"),
        (micro_batch.is_some(), "--micro-batch"),
        (grad_accum.is_some(), "--grad-accum"),
        (checkpointing.is_some(), "--checkpointing"),
        (sort.is_some(), "--sort"),
        (top.is_some(), "--top"),
        (confidence.is_some(), "--confidence"),
        (allow_tight.is_some(), "--allow-tight"),
    ];
    let Some((_, flag)) = set.into_iter().find(|(set, _)| *set) else {
        return Ok(());
    };
    let help = match flag {
        "--sort" => {
            "a schedule is chosen by `minimise` in `[schedule]` of the file: \"makespan\", \"cost\" or \"lateness\""
        }
        "--top" => {
            "leave it out: a schedule shows every job, each with the one configuration it runs with"
        }
        "--confidence" => {
            "set it in the file, at the top level, where it holds for all jobs: `confidence = 0.8`"
        }
        _ => "set it in the file: at the top level for all jobs, or in the `[[jobs]]` of one",
    };
    Err(Diagnostic::new(format!(
        "{flag} says something about one job, but the file holds several"
    ))
    .help(help))
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        let diagnostic = Diagnostic::new(error.to_string());
        match error {
            ScheduleError::Job { job, error } => match Self::from(*error) {
                Self::Infeasible(diagnostic) => Self::Infeasible(of_job(&job, diagnostic)),
                Self::Refused(diagnostic) => Self::Refused(of_job(&job, diagnostic)),
            },
            ScheduleError::NoRoom { needed, cluster, set, windows, .. } => {
                let wider = windows.map(|_| {
                    format!(", and a window have as many: `nodes = {needed}` in `available`, too")
                });
                Self::Infeasible(diagnostic.help(format!(
                    "let the jobs share {needed} nodes: `{set}` in \
                     `[schedule.clusters.\"{cluster}\"]`{}",
                    wider.unwrap_or_default()
                )))
            }
            ScheduleError::NarrowWindows { needed, cluster, .. } => {
                Self::Infeasible(diagnostic.help(format!(
                    "let a window have {needed} nodes: `nodes = {needed}` in `available` of \
                     `[schedule.clusters.\"{cluster}\"]`"
                )))
            }
            ScheduleError::NoWindow {
                nodes,
                cluster,
                window_h,
                held,
                ..
            } => {
                let from = held
                    .as_ref()
                    .map_or_else(String::new, |held| format!(" from {} on", held.until));
                let diagnostic = diagnostic
                    .help(format!(
                        "a window of {} on {nodes} {} of {cluster}{from} would hold it",
                        Span::from_rounded_hours_up(window_h).unwrap_or(Span::MAX),
                        plural(nodes, "node")
                    ))
                    .help("fewer `tokens` make it shorter");
                Self::Infeasible(match held.filter(|held| held.is_enough) {
                    None => diagnostic,
                    Some(Held { hold: Hold::Earliest, .. }) => diagnostic
                        .help("an earlier `earliest` lets it start in a window that would hold it"),
                    Some(Held { hold: Hold::After(before), .. }) => {
                        diagnostic.help(sooner(&before, "it"))
                    }
                })
            }
            ScheduleError::NoSchedule { longer, .. } => Self::Infeasible(match longer {
                Some(longer) => diagnostic
                    .help(format!(
                        "the last window of {} would hold them if it ended {} later: `to = \"{}\"` instead \
                         of {}",
                        longer.cluster,
                        longer.span(),
                        longer.until,
                        longer.to
                    ))
                    .help("more nodes in the windows, fewer jobs or fewer `tokens` would help too"),
                None => diagnostic
                    .help("longer windows, more nodes in them, or fewer jobs would help"),
            }),
            ScheduleError::Deadlines { late, .. } => Self::Infeasible(
                late.iter()
                    .filter_map(|job| job.hold.as_ref().map(|hold| hold_help(&job.job, hold)))
                    .fold(diagnostic, Diagnostic::help)
                    .help("deadlines bind under `makespan` and `cost`: move those that are missed")
                    .help("`gpus` in a job's `search`, such as \"8..128:8\", says which numbers of GPUs are weighed")
                    .help("`minimise = \"lateness\"` in `[schedule]` misses them by as little as can be"),
            ),
            ScheduleError::NoPrice { why, .. } => {
                Self::Refused(why.into_iter().fold(diagnostic, Diagnostic::help))
            }
            ScheduleError::TooLong => Self::Refused(
                diagnostic
                    .help("what is `booked` for good is never free, and no job starts before its `earliest`")
                    .help("fewer `tokens`, more nodes or another of the `clusters` would end it sooner"),
            ),
        }
    }
}

/// What would let a job start soon enough.
fn hold_help(job: &str, hold: &Hold) -> String {
    match hold {
        Hold::Earliest => format!("an earlier `earliest` of `{job}` would help"),
        Hold::After(before) => sooner(before, &format!("`{job}`")),
    }
}

/// What of the job before it lets one start sooner.
fn sooner(before: &str, job: &str) -> String {
    format!(
        "an earlier start of `{before}`, fewer `tokens` or more nodes for it let {job} start sooner"
    )
}

fn of_job(job: &str, mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.message = format!("job `{job}`: {}", diagnostic.message);
    diagnostic
}
