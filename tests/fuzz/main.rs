//! Long-running fuzzing of every way in: texts that are nearly right, and what becomes of them.
//!
//! Ignored by default; ten minutes for each entry point, one after the other:
//!
//! ```sh
//! TMINUS_FUZZ_SECONDS=600 cargo test --test fuzz -- --ignored --test-threads 1
//! ```
//!
//! Without `--release`, so that arithmetic that overflows is a failure too.
//!
//! A failure prints the smallest input that still fails; it belongs into [`cases`].
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod cases;
mod check;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Fragments that parsers stumble over.
const FRAGMENTS: [&str; 54] = [
    "0",
    "-1",
    "1",
    "NaN",
    "inf",
    "-inf",
    "1e308",
    "1e-308",
    "1e400",
    "1e-400",
    "0.0",
    "-0.0",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "1e18",
    "1_000",
    "1__0",
    "0x10",
    "..",
    "...",
    "8..128",
    "128..8",
    "1..1000000000000:1",
    "8,16",
    ",",
    ":",
    ":0",
    "20x",
    "B",
    "Ki",
    "Ei",
    "T",
    "%",
    "auto",
    "true",
    "\"",
    "\"\"\"",
    "'",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "#",
    "\n",
    "\r\n",
    "|",
    "\u{feff}",
    "\0",
    "é",
    "𝟙",
];

/// What must hold of a text.
type Check = fn(&str);

/// One change to a text.
#[derive(Debug, Clone)]
enum Change {
    /// Characters replaced by a fragment.
    Replace(Index, usize, &'static str),
    /// Characters replaced by anything.
    Garble(Index, usize, String),
    /// A stretch of the text once more.
    Repeat(Index, usize, usize),
    /// A word replaced by another word of the text.
    Swap(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (any::<Index>(), 0..8_usize, prop::sample::select(FRAGMENTS.to_vec()))
            .prop_map(|(at, length, text)| Change::Replace(at, length, text)),
        2 => (any::<Index>(), 0..30_usize, "[\\PC\n\t]{0,6}")
            .prop_map(|(at, length, text)| Change::Garble(at, length, text)),
        1 => (any::<Index>(), 0..60_usize, 1..4_usize)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Swap(from, to)),
    ];
    prop::collection::vec(change, 0..6)
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for change in changes {
        let characters = text.len() + 1;
        let place = |at: &Index| at.index(characters);
        match change {
            Change::Replace(at, length, new) => replace(&mut text, place(at), *length, new),
            Change::Garble(at, length, new) => replace(&mut text, place(at), *length, new),
            Change::Repeat(at, length, times) => {
                let start = place(at);
                let end = (start + length).min(text.len());
                let again = text[start..end].repeat(*times);
                text.splice(start..start, again);
            }
            Change::Swap(from, to) => {
                let whole: String = text.iter().collect();
                let words: Vec<&str> = whole.split_whitespace().collect();
                if !words.is_empty() {
                    let (from, to) = (words[from.index(words.len())], words[to.index(words.len())]);
                    text = whole.replacen(to, from, 1).chars().collect();
                }
            }
        }
    }
    text.into_iter().collect()
}

fn replace(text: &mut Vec<char>, start: usize, length: usize, new: &str) {
    let end = (start + length).min(text.len());
    text.splice(start..end, new.chars());
}

/// How long each entry point is fuzzed.
static BUDGET: LazyLock<Duration> = LazyLock::new(|| {
    let seconds = std::env::var("TMINUS_FUZZ_SECONDS").ok();
    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(10))
});

/// Feeds changed seeds to `check` until the time is up.
fn fuzz(name: &str, seeds: &[String], check: impl Fn(&str)) {
    let started = Instant::now();
    let mut inputs = 0_u64;
    let strategy = (0..seeds.len(), changes());
    while started.elapsed() < *BUDGET {
        let config = Config {
            cases: 256,
            failure_persistence: None,
            ..Config::default()
        };
        let outcome = TestRunner::new(config).run(&strategy, |(seed, changes)| {
            check(&changed(&seeds[seed], &changes));
            Ok(())
        });
        if let Err(failure) = outcome {
            let input = match &failure {
                proptest::test_runner::TestError::Fail(_, (seed, changes)) => {
                    changed(&seeds[*seed], changes)
                }
                proptest::test_runner::TestError::Abort(_) => String::new(),
            };
            panic!("{name}: {failure}\ninput: {input:?}");
        }
        inputs += 256;
    }
    eprintln!(
        "{name}: {inputs} inputs in {} s",
        started.elapsed().as_secs()
    );
}

macro_rules! fuzzed {
    ($($name:ident),+ $(,)?) => {$(
        #[test]
        #[ignore = "runs as long as TMINUS_FUZZ_SECONDS says"]
        fn $name() {
            fuzz(stringify!($name), &check::seeds::$name(), check::$name);
        }
    )+};
}

fuzzed!(
    quantities, axes, job, presets, csv, markdown, fit_file, plans
);

/// The seeds themselves, and the same few hundred changes to each, on every run of the tests.
#[test]
fn seeds_and_some_changes_pass() {
    let each: [(Vec<String>, Check); 8] = [
        (check::seeds::quantities(), check::quantities),
        (check::seeds::axes(), check::axes),
        (check::seeds::job(), check::job),
        (check::seeds::presets(), check::presets),
        (check::seeds::csv(), check::csv),
        (check::seeds::markdown(), check::markdown),
        (check::seeds::fit_file(), check::fit_file),
        (check::seeds::plans(), check::plans),
    ];
    for (seeds, check) in each {
        for seed in seeds {
            check(&seed);
            let config = Config {
                cases: 100,
                failure_persistence: None,
                ..Config::default()
            };
            let mut runner =
                TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
            let outcome = runner.run(&changes(), |changes| {
                check(&changed(&seed, &changes));
                Ok(())
            });
            if let Err(failure) = outcome {
                panic!("{failure}\nof: {seed}");
            }
        }
    }
}
