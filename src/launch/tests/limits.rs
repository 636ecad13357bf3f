//! What a time limit makes of a run that is longer.

use super::{JOB, Launch, Target, planned, text, written_on_booking};

const LONG: &str = "model = \"gpt-7b\"\ntokens = \"134B\"\ncluster = \"r1z1\"\n";
const ONE_NODE: &str = "[search]\ngpus = 8\nmicro_batch = 8\n";

/// The last checkpoint is written just before the stop, at the slow end of the steps too: five minutes
/// of notice and a start of fifteen leave that much.
#[test]
fn a_stop_at_the_limit_throws_little_away() {
    for hours in [4_u32, 8, 12, 24, 48] {
        let job = format!("{LONG}{ONE_NODE}[launch]\ntime_limit = \"{hours}h\"\n");
        let (plan, request) = planned(&job);
        let first = &plan.candidates[0];
        let launch = Launch::new(first, &request, "tminus").unwrap();
        let steps = launch.checkpoint_steps().unwrap() as f64;
        let usable_s = f64::from(hours) * 3600.0 - 20.0 * 60.0;
        let cycle_s = steps * first.step_time_s.high + launch.write_s;
        let written = (usable_s / cycle_s).floor();
        assert!(written >= 4.0, "{hours} h: {written}");
        let lost_s = usable_s - written * cycle_s;
        // Whole steps: fewer than one of each checkpoint is lost.
        assert!(
            lost_s < written * first.step_time_s.high,
            "{hours} h: {lost_s} s of {usable_s}"
        );
        let stops = launch.stops().unwrap();
        let needed_s = first.time_to_budget_h.high * 3600.0;
        let kept_s = written * cycle_s;
        let (starts, times) = ((stops.times + 1) as f64, stops.times as f64);
        assert!(starts * kept_s >= needed_s && times * kept_s <= needed_s + 60.0);
        let each_h = f64::from(hours) - kept_s / 3600.0;
        assert!((stops.lost_h - times * each_h).abs() < 1e-6, "{stops:?}");
    }
}

/// A probability that leaves restarts out says so, and what they take.
#[test]
fn a_booking_s_probability_says_what_it_leaves_out() {
    let head = |limit: &str, target: Target, name: &str| {
        let job = format!(
            "{LONG}[reserve]\ndeadline = \"14d\"\nstart = \"2026-12-01\"\n[launch]\n{limit}"
        );
        let files = text(&written_on_booking(&job, target), name);
        let line = files.lines().find(|line| line.starts_with("# booking: "));
        line.unwrap().to_owned()
    };
    let limited = "time_limit = \"24h\"\n";
    for (target, name) in [(Target::Slurm, "job.sbatch"), (Target::Mcli, "run.yaml")] {
        let told = head(limited, target, name);
        assert!(
            told.contains(" %, without the restarts that the time limit brings: about ")
                && told.ends_with(" in all"),
            "{told}"
        );
        assert!(head("", target, name).ends_with(" %"));
    }
    // Nothing stops it there.
    assert!(head(limited, Target::Skypilot, "task.yaml").ends_with(" %"));
}

/// Three standard deviations above what is expected, and one more.
#[test]
fn retries_are_enough_for_nearly_all_runs() {
    let (plan, request) = planned(JOB);
    let mut candidate = plan.candidates[0].clone();
    for (failures, retries) in [(0.0, 1), (4.0, 11), (100.0, 131)] {
        candidate.expected_failures = failures;
        let launch = Launch::new(&candidate, &request, "tminus").unwrap();
        assert_eq!(launch.retries(), retries, "{failures}");
    }
}
