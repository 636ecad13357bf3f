//! Work while it runs: progress on the terminal, and Ctrl-C.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::quantity::display_thousands;
use crate::search::{Progress, Watch};

/// Work that is done sooner shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks at the search.
const REDRAW: Duration = Duration::from_millis(100);
/// Resolution of the bar.
const TICKS: f64 = 1000.0;
/// What a shell reports of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// What is being done, and how far it is after a time.
pub(super) struct Words {
    doing: &'static str,
    tell: fn(&Progress, Duration) -> String,
}

/// Configurations are being searched.
pub(super) const SEARCHING: Words = Words {
    doing: "searching",
    tell: searched,
};

/// Jobs are being put on a calendar.
pub(super) const SCHEDULING: Words = Words {
    doing: "scheduling",
    tell: scheduled,
};

/// Runs `work` under a watch that Ctrl-C cancels; a second Ctrl-C ends the process. Progress is
/// shown on stderr when it is a terminal, unless `quiet`.
pub(super) fn watched<T: Send>(
    quiet: bool,
    words: &Words,
    work: impl FnOnce(&Watch<'_>) -> T + Send,
) -> T {
    let watch = Arc::new(Watch::new());
    cancel_on_interrupt(&watch);
    if quiet || !std::io::stderr().is_terminal() {
        return work(&watch);
    }
    let (finished, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = &*watch;
        scope.spawn(move || show_progress(watch, words, &waiting));
        let result = work(watch);
        // Dropping the sender wakes the display, which clears itself.
        drop(finished);
        result
    })
}

/// Runs `work`, of which nobody knows how far it is; that it goes on is shown on stderr when it is a
/// terminal, unless `quiet`.
pub(super) fn shown<T>(quiet: bool, doing: &'static str, work: impl FnOnce() -> T) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let (finished, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || spin(doing, &waiting));
        let result = work();
        // Dropping the sender wakes the display, which clears itself.
        drop(finished);
        result
    })
}

fn spin(doing: &'static str, finished: &Receiver<()>) {
    let running = |wait| finished.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
    if !running(PATIENCE) {
        return;
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.set_message(doing);
    while running(REDRAW) {
        spinner.tick();
    }
    spinner.finish_and_clear();
}

fn cancel_on_interrupt(watch: &Arc<Watch<'static>>) {
    let watch = Arc::clone(watch);
    let handler = move || {
        if watch.is_cancelled() {
            #[expect(clippy::exit, reason = "the user asked twice")]
            std::process::exit(INTERRUPTED);
        }
        watch.cancel();
    };
    // Without a handler Ctrl-C ends the process at once, as it does anywhere else.
    let _ = ctrlc::set_handler(handler);
}

fn show_progress(watch: &Watch<'_>, words: &Words, finished: &Receiver<()>) {
    let started = Instant::now();
    let running = |wait| finished.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
    if !running(PATIENCE) {
        return;
    }
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    let template = format!("{} {{bar:30}} {{percent:>3}} %  {{msg}}", words.doing);
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    while running(REDRAW) {
        let progress = watch.progress();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 1000, from 0 to 1000"
        )]
        bar.set_position((progress.share * TICKS) as u64);
        bar.set_message((words.tell)(&progress, started.elapsed()));
    }
    bar.finish_and_clear();
}

/// Points settled, at what rate, and how long the rest takes at that rate.
fn searched(progress: &Progress, elapsed: Duration) -> String {
    format!(
        "{} configurations, {:.0} M/s, {}; Ctrl-C shows the best so far",
        display_thousands(progress.points.into()),
        progress.points as f64 / elapsed.as_secs_f64().max(1e-3) / 1e6,
        left(progress.share, elapsed),
    )
}

/// How long it takes at most: effort that a proof makes needless is not spent.
fn scheduled(progress: &Progress, elapsed: Duration) -> String {
    let most = if progress.share > 0.0 { "at most " } else { "" };
    let left = left(progress.share, elapsed);
    format!("{most}{left}; Ctrl-C shows the best so far")
}

fn left(share: f64, elapsed: Duration) -> String {
    if share > 0.0 {
        format!(
            "{:.0} s left",
            elapsed.as_secs_f64() * (1.0 - share) / share
        )
    } else {
        "time left not known yet".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_rate_and_time_left() {
        let at = |points, share| Progress { points, share };
        let text = searched(&at(3_000_000, 0.25), Duration::from_secs(2));
        assert_eq!(
            text,
            "3,000,000 configurations, 2 M/s, 6 s left; Ctrl-C shows the best so far"
        );
        assert!(searched(&at(0, 0.0), Duration::ZERO).contains("not known"));
        let text = scheduled(&at(0, 0.25), Duration::from_secs(2));
        assert_eq!(text, "at most 6 s left; Ctrl-C shows the best so far");
        let text = scheduled(&at(0, 0.0), Duration::from_secs(2));
        assert!(text.starts_with("time left not known"), "{text}");
    }

    #[test]
    fn work_is_done_under_the_watch() {
        let done = watched(true, &SEARCHING, |watch| (watch.is_cancelled(), 7));
        assert_eq!(done, (false, 7));
    }
}
