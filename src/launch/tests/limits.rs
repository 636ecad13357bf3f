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
        let (kept, all) = (written * steps, first.steps as f64);
        let (starts, times) = ((stops.times + 1) as f64, stops.times as f64);
        assert!(starts * kept >= all && times * kept < all);
        // Hours beyond those planned for the steps that are kept, to whole minutes of the whole run.
        let each_h = f64::from(hours) - first.time_to_budget_h.high * kept / all;
        assert!(
            (stops.lost_h / times - each_h).abs() < 1.0 / 60.0,
            "{stops:?}"
        );
    }
}

/// Where a checkpoint takes half as long as a step, not every step is followed by one; and stops are
/// counted by the steps that are kept, not by the time that writing them takes too.
#[test]
fn writes_are_no_progress() {
    let job = "model = \"gpt-13b\"\ntokens = \"5B\"\ncluster = \"r1z1\"\n[search]\ngpus = 8\n\
               [reliability]\nwrite_gb_per_s_node = 0.2\n[launch]\ntime_limit = \"90m\"\n";
    let (plan, request) = planned(job);
    let first = &plan.candidates[0];
    let launch = Launch::new(first, &request, "tminus").unwrap();
    let steps = launch.checkpoint_steps().unwrap() as f64;
    let cycle_s = steps * first.step_time_s.high + launch.write_s;
    let usable_s = 90.0 * 60.0 - 20.0 * 60.0;
    let kept = (usable_s / cycle_s).floor() * steps;
    assert!(kept > 3.0 && launch.write_s / cycle_s < 0.5);
    let stops = launch.stops().unwrap();
    let starts = (first.steps as f64 / kept).ceil();
    assert!((stops.times as f64 + 1.0 - starts).abs() < 1e-9);
}

/// Slurm's longest time limit stops a run of years like one that is set.
#[test]
fn a_run_of_years_is_resubmitted() {
    let job = "model = \"gpt-7b\"\ntokens = \"2T\"\ncluster = \"r1z1\"\n[search]\ngpus = 8\n";
    let (plan, request) = planned(job);
    let launch = Launch::new(&plan.candidates[0], &request, "tminus").unwrap();
    let files = launch.files(Target::Slurm).unwrap();
    assert!(
        files
            .notes
            .iter()
            .any(|note| note.contains("resubmits itself, about "))
    );
    assert!(files.files[0].text.contains("--time=365-00:00:00"));
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
            told.contains(" %, without what stopping at the time limit costs: about ")
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
