//! Finishing times against a simulation of the failures, event by event, and against runs whose
//! length was published.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

mod dice;

use std::sync::LazyLock;

use dice::Dice;
use proptest::prelude::*;
use tminus::configuration::Setting;
use tminus::fit_file::embedded_fit;
use tminus::forecast::{Failures, FinishTime, RELIABILITY_SETTINGS, Reliability, WallClock};
use tminus::hardware::Cluster;
use tminus::job::{JobFile, Request, Settings, resolve};
use tminus::plan::Planner;
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
use tminus::throughput::{Fit, StepTime};

static FIT: LazyLock<Fit> = LazyLock::new(|| embedded_fit().unwrap());
static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);

fn request(tokens: &str, gpus: u64, reliability: Reliability) -> Request {
    let job = format!(
        "model = \"gpt-7b\"\ntokens = \"{tokens}\"\ncluster = \"r1z1\"\n[search]\ngpus = {gpus}\n"
    );
    let file = JobFile::parse("job.toml", &job).unwrap();
    let request = resolve(Settings::default().over(file.settings), &CATALOG).unwrap();
    Request {
        reliability,
        ..request
    }
}

fn exponential(dice: &mut Dice, mean: f64) -> f64 {
    -(1.0 - dice.uniform()).ln() * mean
}

/// One run, event by event: cycles of work and a checkpoint; a failure throws it back to the last
/// checkpoint that was finished and takes a node away for repair; without a spare it waits for the
/// first node that comes back; a failure while it restarts makes it start over.
struct Run<'a> {
    clock: &'a WallClock,
    failures: Failures,
    repair_h: f64,
    now: f64,
    next_failure: f64,
    /// When the nodes away come back.
    away: Vec<f64>,
}

impl<'a> Run<'a> {
    fn hours(clock: &'a WallClock, repair_h: f64, train_h: f64, dice: &mut Dice) -> f64 {
        let failures = clock.course(train_h).failures;
        let mut run = Self {
            clock,
            failures,
            repair_h,
            now: clock.start_up_h,
            next_failure: 0.0,
            away: Vec::new(),
        };
        run.next_failure = run.now + exponential(dice, 1.0 / failures.per_h);
        let work_h = clock.checkpoint_interval_s.unwrap() / 3600.0;
        let write_h = clock.write_s / 3600.0;
        let mut saved = 0.0;
        while saved < train_h {
            let work = work_h.min(train_h - saved);
            // The last stretch needs no checkpoint to be done.
            let last = saved + work >= train_h;
            if run.goes_on_for(work + if last { 0.0 } else { write_h }) {
                saved += work;
            } else {
                run.recover(dice);
            }
        }
        run.now
    }

    /// Whether nothing fails for so long.
    fn goes_on_for(&mut self, hours: f64) -> bool {
        let fine = self.now + hours <= self.next_failure;
        self.now = if fine {
            self.now + hours
        } else {
            self.next_failure
        };
        fine
    }

    fn recover(&mut self, dice: &mut Dice) {
        loop {
            let back = self.now + self.repair_h;
            self.away.push(back);
            self.away.retain(|back| *back > self.now);
            if self.away.len() as u64 > self.clock.spares {
                let first = self.away.iter().copied().fold(f64::INFINITY, f64::min);
                self.now = self.now.max(first);
            }
            let per_h = self.failures.per_h;
            self.next_failure = self.now + exponential(dice, 1.0 / per_h);
            if self.goes_on_for(self.failures.restart_h) {
                break;
            }
        }
    }
}

struct Case {
    clock: WallClock,
    step: StepTime,
    finish: FinishTime,
    train_h: f64,
    repair_h: f64,
}

fn case(tokens: &str, gpus: u64, reliability: Reliability) -> Case {
    let request = request(tokens, gpus, reliability);
    let planner = Planner::new(&FIT);
    let plan = planner.plan(&request).unwrap();
    let best = &plan.candidates[0];
    let cluster = &request.clusters[0];
    let setting = Setting {
        shape: &request.model.shape,
        cluster,
        stack: &request.stack,
    };
    let params = request.model.shape.params(best.seq_len);
    let case = Case {
        clock: WallClock::new(&request.reliability, params, cluster, best.gpus),
        step: FIT.step_time(&setting, &best.configuration()),
        finish: planner.finish(&request, best).unwrap(),
        train_h: best.train_h.expected,
        repair_h: request.reliability.replacement_s / 3600.0,
    };
    // What the plan shows is an interval of this distribution.
    let shown = best.time_to_budget_h;
    let told = case.finish.interval(Confidence::default());
    for (a, b) in [
        (shown.low, told.low),
        (shown.expected, told.expected),
        (shown.high, told.high),
    ] {
        assert!((a / b - 1.0).abs() < 1e-9, "{shown:?} {told:?}");
    }
    case
}

fn failing(rate: f64, spares: u64, replacement_h: f64) -> Reliability {
    Reliability {
        failures_per_1000_node_days: rate,
        spare_nodes: Some(spares),
        replacement_s: replacement_h * 3600.0,
        ..Reliability::default()
    }
}

/// Checkpoints come later than any run ends.
fn unsaved(rate: f64) -> Reliability {
    Reliability {
        checkpoint_interval_s: Some(90.0 * 86_400.0),
        ..failing(rate, 0, 1.0)
    }
}

const RUNS: usize = 100_000;

/// The law says of every percentile of the simulated runs what share of them is done by then. The
/// simulation itself is off by less than a hundredth, its 100,000 runs being that many; half of all runs
/// is left out, where bad days leave a gap. A short run starts with all its spares and waits less often
/// than the long run's share says: there the law is on the cautious side.
#[test]
fn the_law_is_that_of_the_simulated_events() {
    for (tokens, gpus, reliability, cautious) in [
        ("13B", 8, failing(5.15, 0, 4.0), 0.03),
        ("13B", 8, failing(500.0, 0, 4.0), 0.03),
        ("134B", 64, failing(15.6, 0, 24.0), 0.03),
        ("134B", 64, failing(15.6, 1, 24.0), 0.03),
        ("134B", 128, failing(100.0, 0, 1.0), 0.03),
        ("134B", 128, failing(100.0, 2, 24.0), 0.12),
        ("1T", 128, failing(100.0, 2, 4.0), 0.03),
        ("1T", 128, failing(500.0, 4, 4.0), 0.03),
        ("1T", 128, failing(100.0, 2, 8.0), 0.03),
        ("134B", 128, unsaved(5.15), 0.03),
        ("134B", 128, unsaved(30.0), 0.03),
    ] {
        let case = case(tokens, gpus, reliability);
        let mut dice = Dice(7);
        let mut runs: Vec<f64> = (0..RUNS)
            .map(|_| {
                let log = case.step.log_quantile(dice.uniform());
                Run::hours(
                    &case.clock,
                    case.repair_h,
                    case.train_h * log.exp(),
                    &mut dice,
                )
            })
            .collect();
        runs.sort_by(f64::total_cmp);
        let errors: Vec<f64> = (1..100_u32)
            .filter(|percent| !(45..=55).contains(percent))
            .map(|percent| {
                let share = f64::from(percent) / 100.0;
                let hours = runs[RUNS / 100 * percent as usize];
                case.finish.probability_by(hours) - share
            })
            .collect();
        let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
        let most = errors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(
            least > -cautious && most < 0.03,
            "{tokens} on {gpus}, {reliability:?}: {least} to {most}"
        );
    }
}

/// With the speed fixed, the expected wall clock is the mean of the simulated ones.
#[test]
fn the_expected_value_is_the_simulated_mean() {
    for reliability in [
        failing(15.6, 0, 4.0),
        failing(200.0, 1, 4.0),
        failing(500.0, 4, 4.0),
        Reliability {
            checkpoint_interval_s: Some(3.0 * 3600.0),
            ..failing(200.0, 3, 4.0)
        },
        unsaved(0.3),
    ] {
        let case = case("1T", 128, reliability);
        let mut dice = Dice(11);
        let runs = 4_000;
        let total: f64 = (0..runs)
            .map(|_| Run::hours(&case.clock, case.repair_h, case.train_h, &mut dice))
            .sum();
        let mean = total / f64::from(runs);
        let expected = case.clock.hours(case.train_h);
        assert!(
            (mean / expected - 1.0).abs() < 0.005,
            "{reliability:?}: {mean} {expected}"
        );
    }
}

/// Failures in `days` on `nodes` nodes of eight GPUs, and the share of the time that trains.
fn run_of(nodes: u64, params: u64, days: f64, rate: Option<f64>) -> (f64, f64) {
    let cluster = Cluster {
        max_gpus: 1 << 20,
        ..CATALOG.cluster("r7z2").unwrap().clone()
    };
    let reliability = Reliability {
        failures_per_1000_node_days: rate.unwrap_or(5.15),
        ..Reliability::default()
    };
    let clock = WallClock::new(&reliability, params, &cluster, nodes * 8);
    let course = clock.course(24.0 * days);
    (course.failures.per_h * 24.0 * days, course.goodput)
}

/// The table in the module `wall_clock` of what the model says of published runs.
#[test]
fn published_runs_are_within_what_is_said_of_them() {
    // MPT-7B: 440 A100-40GB, about 9.5 days, 4 hardware failures.
    let (failures, goodput) = run_of(55, 6_649_286_656, 9.5, Some(7.7));
    assert!(
        (failures - 4.0).abs() < 0.1 && goodput > 0.98,
        "{failures} {goodput}"
    );
    // Llama 3 405B: 16,384 H100, 54 days, 419 unexpected stops, over 90 % effective time.
    let (failures, goodput) = run_of(2048, 405_000_000_000, 54.0, Some(3.8));
    assert!((failures / 419.0 - 1.0).abs() < 0.02, "{failures}");
    assert!((0.85..0.95).contains(&goodput), "{goodput}");
    // BLOOM: 384 A100, a checkpoint of 2.3 TB in 40 s, every 3 h.
    let (failures, goodput) = run_of(48, 176_000_000_000, 7.0, Some(3.0));
    assert!(
        (0.5..2.0).contains(&failures) && goodput > 0.95,
        "{failures} {goodput}"
    );
}

#[test]
fn without_reliability_only_the_speed_is_open() {
    let request = request("134B", 64, Reliability::none());
    let plan = Planner::new(&FIT).plan(&request).unwrap();
    for candidate in plan.candidates {
        let (time, train) = (candidate.time_to_budget_h, candidate.train_h);
        for (hours, of_training) in [
            (time.low, train.low),
            (time.expected, train.expected),
            (time.high, train.high),
        ] {
            assert!(
                (hours / of_training - 1.0).abs() < 1e-9,
                "{time:?} {train:?}"
            );
        }
        assert_eq!(candidate.spare_nodes, 0);
    }
}

/// One law for a run's end, also where nothing fails and some runs are done before their first
/// checkpoint.
#[test]
fn a_plan_and_a_booking_tell_the_same_interval() {
    let reliability = Reliability {
        failures_per_1000_node_days: 0.0,
        checkpoint_interval_s: Some(9.2 * 3600.0),
        write_bytes_per_s_node: 1e7,
        ..Reliability::default()
    };
    let request = request("4B", 32, reliability);
    let planner = Planner::new(&FIT);
    let candidate = planner.predict(&request).unwrap();
    let finish = planner.finish(&request, &candidate).unwrap();
    let told = finish.interval(Confidence::default());
    assert!((candidate.time_to_budget_h.high / told.high - 1.0).abs() < 1e-9);
}

/// What is shown as a setting's default, written in a job file, is the default.
#[test]
fn the_defaults_told_are_the_defaults() {
    for setting in RELIABILITY_SETTINGS {
        let default = setting.default;
        let value = default
            .parse::<f64>()
            .map_or(format!("\"{default}\""), |_| default.into());
        let job = format!(
            "model = \"gpt-7b\"\n[reliability]\n{} = {value}\n",
            setting.name
        );
        let file = JobFile::parse("job.toml", &job).unwrap();
        let request = resolve(Settings::default().over(file.settings), &CATALOG).unwrap();
        assert_eq!(
            request.reliability,
            Reliability::default(),
            "{}",
            setting.name
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn a_finishing_time_is_a_distribution(
        rate in prop_oneof![Just(0.0), 0.0..20.0_f64, 0.0..1000.0_f64],
        (tokens, nodes, spares) in (1..1000_u64, 1..16_u64, 0..4_u64),
        (restart_h, replacement_h) in (0.0..10.0_f64, 0.0..100.0_f64),
        (a, b) in (0.001..0.999_f64, 0.001..0.999_f64), stretch in 0.1..10.0_f64,
    ) {
        let reliability = Reliability {
            restart_s: restart_h * 3600.0,
            ..failing(rate, spares, replacement_h)
        };
        let request = request(&format!("{tokens}B"), nodes * 8, reliability);
        let planner = Planner::new(&FIT);
        let candidate = planner.predict(&request).unwrap();
        let finish = planner.finish(&request, &candidate).unwrap();
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(finish.hours_at(low) <= finish.hours_at(high));
        let back = finish.probability_by(finish.hours_at(a));
        prop_assert!(back >= a - 1e-6 && (back - a < 1e-6 || (0.3..0.7).contains(&a)), "{back} {a}");
        let hours = finish.expected_h() * stretch;
        let (by, later) = (finish.probability_by(hours), finish.probability_by(hours * 1.01));
        prop_assert!((0.0..=1.0).contains(&by) && by <= later);
        let narrow = finish.interval(Confidence::new(low).unwrap_or_default());
        let wide = finish.interval(Confidence::new(0.999).unwrap());
        prop_assert!(wide.low <= narrow.low && narrow.low <= narrow.expected);
        prop_assert!(narrow.expected <= narrow.high && narrow.high <= wide.high);
        let longer = planner.finish_for(&request, &candidate, "1000B".parse().unwrap()).unwrap();
        prop_assert!(longer.hours_at(a) >= finish.hours_at(a) * (1.0 - 1e-6));
    }
}

/// MPT-7B's training: 1T tokens on 440 A100-40GB in about 9.5 days with 4 hardware failures
/// (`MosaicML`, 2023). Batch and stack aren't published; four sequences a GPU is what fits.
#[test]
fn mpt_7b_took_about_as_long_as_planned() {
    for (stack, off) in [("fp32-gather", 0.10), ("bf16-gather", 0.20)] {
        let job = format!(
            r#"
            model = "mpt-7b"
            tokens = "1T"
            cluster = "bm.gpu4.8"
            stack = "{stack}"
            global_batch = 3_604_480
            [search]
            gpus = 440
            seq_len = 2048
            micro_batch = 4
            checkpointing = "on"
            [reliability]
            failures_per_1000_node_days = 7.7
            "#
        );
        let file = JobFile::parse("job.toml", &job).unwrap();
        let request = resolve(Settings::default().over(file.settings), &CATALOG).unwrap();
        let run = Planner::new(&FIT).predict(&request).unwrap();
        let days = run.time_to_budget_h;
        assert!(days.contains(9.5 * 24.0), "{stack}: {days:?}");
        assert!(
            (days.expected / (9.5 * 24.0) - 1.0).abs() < off,
            "{stack}: {days:?}"
        );
        let expected_failures = 7.7 / 1000.0 * 55.0 * days.expected / 24.0;
        assert!(
            (3.0..5.0).contains(&expected_failures),
            "{expected_failures}"
        );
    }
}
