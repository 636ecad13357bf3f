//! `--timing`: what took how long.

use std::time::{Duration, Instant};

use super::output::Output;

/// Times the phases of a command, one after the other.
#[derive(Debug)]
pub(super) struct Stopwatch {
    started: Instant,
    last: Instant,
    phases: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            last: now,
            phases: Vec::new(),
        }
    }

    /// Ends a phase.
    pub(super) fn lap(&mut self, phase: &'static str) {
        let now = Instant::now();
        self.phases.push((phase, now - self.last));
        self.last = now;
    }

    /// Says on stderr what each phase took.
    pub(super) fn show(&self, output: &Output) {
        let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let phases: Vec<String> = self
            .phases
            .iter()
            .map(|(phase, time)| format!("{phase} {}", milliseconds(*time)))
            .collect();
        output.aside(&format!(
            "timing: {}; total {}",
            phases.join(", "),
            milliseconds(self.last - self.started)
        ));
    }
}
