//! A search while it runs: progress on the terminal, and Ctrl-C.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::quantity::display_thousands;
use crate::search::Watch;

/// Work that is done sooner shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks at the search.
const REDRAW: Duration = Duration::from_millis(100);
/// Resolution of the bar.
const TICKS: f64 = 1000.0;
/// What a shell reports of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Runs `work` under a watch that Ctrl-C cancels; a second Ctrl-C ends the process. Progress is
/// shown on stderr when it is a terminal, unless `quiet`.
pub(super) fn watched<T: Send>(quiet: bool, work: impl FnOnce(&Watch<'_>) -> T + Send) -> T {
    let watch = Arc::new(Watch::new());
    cancel_on_interrupt(&watch);
    if quiet || !std::io::stderr().is_terminal() {
        return work(&watch);
    }
    let (finished, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = &*watch;
        scope.spawn(move || show_progress(watch, &waiting));
        let result = work(watch);
        // Dropping the sender wakes the display, which clears itself.
        drop(finished);
        result
    })
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

fn show_progress(watch: &Watch<'_>, finished: &Receiver<()>) {
    let started = Instant::now();
    let running = |wait| finished.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
    if !running(PATIENCE) {
        return;
    }
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("searching {bar:30} {percent:>3} %  {msg}") {
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
        bar.set_message(words(progress.points, progress.share, started.elapsed()));
    }
    bar.finish_and_clear();
}

/// Points settled, at what rate, and how long the rest takes at that rate.
fn words(points: u64, share: f64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let left = if share > 0.0 {
        format!("{:.0} s left", seconds * (1.0 - share) / share)
    } else {
        "time left not known yet".to_owned()
    };
    format!(
        "{} configurations, {:.0} M/s, {left}; Ctrl-C shows the best so far",
        display_thousands(points.into()),
        points as f64 / seconds / 1e6,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_rate_and_time_left() {
        let text = words(3_000_000, 0.25, Duration::from_secs(2));
        assert_eq!(
            text,
            "3,000,000 configurations, 2 M/s, 6 s left; Ctrl-C shows the best so far"
        );
        assert!(words(0, 0.0, Duration::ZERO).contains("not known"));
    }

    #[test]
    fn work_is_done_under_the_watch() {
        assert_eq!(watched(true, |watch| (watch.is_cancelled(), 7)), (false, 7));
    }
}
