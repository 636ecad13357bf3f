//! Long-running fuzzing of every way in: texts that are nearly right, and what becomes of them.
//!
//! Ignored by default; ten minutes for each entry point, one after the other:
//!
//! ```sh
//! TMINUS_FUZZ_SECONDS=600 cargo test --profile fuzz --test fuzz -- --ignored --test-threads 1
//! ```
//!
//! The profile is `release` in which arithmetic that overflows is a failure too; a name after
//! `--ignored` runs one entry point alone.
//!
//! A failure prints the smallest input that still fails; it belongs into [`cases`].
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod answers;
mod cases;
mod change;
mod check;
mod seeds;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use change::{changed, changes};

/// What must hold of a text.
type Check = fn(&str);

/// How long each entry point is fuzzed.
static BUDGET: LazyLock<Duration> = LazyLock::new(|| {
    let seconds = std::env::var("TMINUS_FUZZ_SECONDS").ok();
    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(10))
});

/// An input that takes longer is a failure too.
const PATIENCE: Duration = Duration::from_secs(10);

/// A way in: the texts that are right, and what must hold of any.
struct Entry {
    name: &'static str,
    seeds: fn() -> Vec<String>,
    check: Check,
}

impl Entry {
    /// Feeds so many changed seeds to the check; panics with the smallest input that fails.
    fn run(&self, seeds: &[String], runner: &mut TestRunner) {
        let strategy = (0..seeds.len(), changes())
            .prop_map(|(seed, changes)| changed(&seeds[seed], &changes, seeds));
        let outcome = runner.run(&strategy, |input| {
            let started = Instant::now();
            (self.check)(&input);
            let took = started.elapsed();
            assert!(took < PATIENCE, "took {took:?}");
            Ok(())
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, input)) => panic!("{}: {why}\n{input}\n{input:?}", self.name),
            Err(abort) => panic!("{}: {abort}", self.name),
        }
    }

    /// Runs until the time is up.
    fn fuzz(&self) {
        let (started, mut inputs) = (Instant::now(), 0);
        let seeds = (self.seeds)();
        while started.elapsed() < *BUDGET {
            self.run(&seeds, &mut TestRunner::new(config(256)));
            inputs += 256;
        }
        let seconds = started.elapsed().as_secs();
        eprintln!("{}: {inputs} inputs in {seconds} s", self.name);
    }
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

macro_rules! entries {
    ($($room:ident: $($name:ident),+;)+) => {
        const ENTRIES: &[Entry] = &[$($(Entry {
            name: stringify!($name),
            seeds: seeds::$name,
            check: $room::$name,
        }),+),+];
        $($(
            #[test]
            #[ignore = "runs as long as TMINUS_FUZZ_SECONDS says"]
            fn $name() {
                let named = ENTRIES.iter().find(|entry| entry.name == stringify!($name));
                named.unwrap().fuzz();
            }
        )+)+
    };
}

entries!(
    check: quantities, dates, axes, job, jobs, presets, csv, markdown, fit_file, plan_file;
    answers: plans, bookings, launches, comparisons, schedules;
);

/// The seeds themselves, and the same few hundred changes to them, on every run of the tests.
#[test]
fn seeds_and_some_changes_pass() {
    for entry in ENTRIES {
        let seeds = (entry.seeds)();
        for seed in &seeds {
            (entry.check)(seed);
        }
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        entry.run(&seeds, &mut TestRunner::new_with_rng(config(200), rng));
    }
}
