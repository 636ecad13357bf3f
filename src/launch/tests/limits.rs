//! What a time limit makes of a run that is longer.

use super::{JOB, Launch, LaunchFiles, Target, planned, text, written, written_on_booking};

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
    }
}

/// Seconds of a run without failures, walked through from checkpoint to checkpoint at the slow end of its
/// steps: each start takes fifteen minutes, and a limit throws away what isn't written five before it.
fn walked_s(launch: &Launch<'_>, every: u64, limit_s: f64) -> f64 {
    let (all, step_s) = (launch.candidate.steps, launch.candidate.step_time_s.high);
    let (mut done, mut before_s) = (0, 0.0);
    loop {
        let mut now_s = 900.0;
        while done < all {
            let next = every.min(all - done);
            let write_s = if next == every { launch.write_s } else { 0.0 };
            let then_s = now_s + next as f64 * step_s + write_s;
            if then_s > limit_s - 300.0 {
                break;
            }
            (done, now_s) = (done + next, then_s);
        }
        if done == all {
            return before_s + now_s;
        }
        before_s += limit_s;
    }
}

/// What stops at a limit cost is what they make the run longer by, whatever share of its planned time is
/// failures; never less than the notice and the start of each.
#[test]
fn stops_cost_what_they_make_the_run_longer_by() {
    let jobs = [
        ("gpt-7b", "134B", 64, ""),
        ("gpt-7b", "1T", 256, ""),
        ("gpt-70b", "300B", 256, ""),
        ("gpt-7b", "134B", 64, "failures_per_1000_node_days = 60\n"),
        (
            "gpt-7b",
            "134B",
            64,
            "failures_per_1000_node_days = 0\ncheckpoint_interval = \"4h\"\n",
        ),
    ];
    for (model, tokens, gpus, failures) in jobs {
        for hours in [12_u32, 24, 48, 72, 168] {
            let job = format!(
                "model = \"{model}\"\ntokens = \"{tokens}\"\ncluster = \"r1z1\"\n[search]\ngpus = {gpus}\n\
                 [reliability]\n{failures}[launch]\ntime_limit = \"{hours}h\"\n"
            );
            let (plan, request) = planned(&job);
            let launch = Launch::new(&plan.candidates[0], &request, "tminus").unwrap();
            let Some(stops) = launch.stops() else {
                panic!("{job}: nothing stops it");
            };
            let every = launch.checkpoint_steps().unwrap();
            let planned = launch.unlimited().checkpoint_steps().unwrap();
            let limited_s = walked_s(&launch, every, f64::from(hours) * 3600.0);
            let longer_s = limited_s - walked_s(&launch, planned, f64::INFINITY);
            let lost_s = stops.lost_h * 3600.0;
            // Whether a cut last cycle is written is not counted to the checkpoint.
            assert!(
                (lost_s - longer_s).abs() < 3.0 * launch.write_s + 1.0,
                "{job}: {lost_s} {longer_s}"
            );
            assert!(lost_s >= stops.times as f64 * 1200.0, "{job}: {stops:?}");
        }
    }
}

/// Minutes that a Slurm script asks for.
fn asked_minutes(files: &LaunchFiles) -> f64 {
    let script = text(files, "job.sbatch");
    let mut lines = script.lines();
    let limit = lines.find_map(|line| line.strip_prefix("#SBATCH --time="));
    let (days, clock) = limit.unwrap().split_once('-').unwrap();
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    (days.parse::<f64>().unwrap() * 24.0 + parts[0]) * 60.0 + parts[1]
}

/// The probability of a booking is that of being done within all of it, so a job on it is not stopped
/// before, at whatever confidence its interval is.
#[test]
fn a_job_may_use_all_of_its_booking() {
    for (more, saved) in [
        (
            "confidence = 0.5\n",
            "[reliability]\ncheckpoint_bytes_per_param = 0\n",
        ),
        ("", "[reliability]\ncheckpoint_interval = \"6h\"\n"),
    ] {
        let job = |launch: &str| {
            format!(
                "model = \"gpt-3b\"\ntokens = \"20B\"\ncluster = \"r1z1\"\n{more}{saved}[reserve]\n\
                 deadline = \"2d\"\nprobability = 0.99\nstart = \"2026-12-01T09:00Z\"\n{launch}"
            )
        };
        let (_, request) = planned(&job(""));
        let ask =
            super::Ask::new(&request, &super::Catalog::embedded(), super::Named::ByFlag).unwrap();
        let found = super::reserve(&super::Planner::new(&super::FIT), &request, &ask).unwrap();
        let booking = found.recommended().unwrap();
        let high_h = booking.candidate.time_to_budget_h.high;
        assert!(
            high_h + 1.0 < booking.usable_h,
            "{high_h} {}",
            booking.usable_h
        );
        let files = written_on_booking(&job(""), Target::Slurm);
        let asked = asked_minutes(&files);
        assert!(
            (asked - booking.usable_h * 60.0).abs() <= 1.0,
            "{asked} {}",
            booking.usable_h
        );
        let run = text(&written_on_booking(&job(""), Target::Mcli), "run.yaml");
        let hours = run
            .lines()
            .find_map(|line| line.trim().strip_prefix("max_duration: "));
        assert!(
            hours.unwrap().parse::<f64>().unwrap() >= booking.usable_h,
            "{hours:?}"
        );
        // A limit of the user's own within the booking is kept, and told.
        let between = ((high_h + 1.0 / 3.0).ceil(), booking.usable_h);
        assert!(between.0 < between.1);
        let limited = job(&format!("[launch]\ntime_limit = \"{}h\"\n", between.0));
        let files = written_on_booking(&limited, Target::Slurm);
        assert!((asked_minutes(&files) - between.0 * 60.0).abs() < 1e-9);
        let told = "ends before the booking does, whose probability counts on all of it: a run that \
                    takes longer";
        assert!(
            files.notes.iter().any(|note| note.contains(told)),
            "{:?}",
            files.notes
        );
    }
}

/// A run that saves nothing before its end would meet the limit that stops it again and again.
#[test]
fn a_job_that_saves_nothing_is_not_sent_back_at_its_limit() {
    let (unsaved, short) = (
        "[reliability]\ncheckpoint_bytes_per_param = 0\n",
        "tokens = \"200M\"\n",
    );
    for job in [
        format!("{JOB}[reliability]\nbase = \"none\"\n"),
        format!("{JOB}{unsaved}"),
        // One checkpoint alone, at the end.
        format!("{short}{JOB}"),
    ] {
        let (plan, _) = planned(&job);
        let high = plan.candidates[0].time_to_budget_h.high * 60.0;
        let files = written(&job, Target::Slurm).unwrap();
        let script = text(&files, "job.sbatch");
        assert!(
            !script.contains("resubmit()") && !script.contains("USR1"),
            "{script}"
        );
        // A node that fails brings it back all the same.
        assert!(script.contains("#SBATCH --requeue"), "{script}");
        assert!(
            script.contains("has lost all its work: it isn't resubmitted"),
            "{script}"
        );
        let asked = asked_minutes(&files);
        assert!(
            asked >= 2.0 * high && asked < 2.0 * high + 8.0,
            "{asked} {high}"
        );
        let run = text(&written(&job, Target::Mcli).unwrap(), "run.yaml");
        let hours = run
            .lines()
            .find_map(|line| line.trim().strip_prefix("max_duration: "));
        assert!(hours.unwrap().parse::<f64>().unwrap() * 60.0 >= 2.0 * high);
    }
    let saved = text(&written(JOB, Target::Slurm).unwrap(), "job.sbatch");
    assert!(
        saved.contains("resumes from its last checkpoint"),
        "{saved}"
    );
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

/// Nodes billed as used go when the longest booking of their product ends: no job asks for more time, and
/// the head of its file says when they do.
#[test]
fn no_job_asks_for_more_than_its_nodes_stay() {
    let job = |longest_h: u64| {
        format!(
            "model = \"gpt-3b\"\ntokens = \"20B\"\ncluster = \"r1z1\"\n[reserve]\nnodes = 2\n\
             product = \"own\"\nstart = \"2026-12-01T09:00Z\"\nprobability = 0.5\n[products.own]\n\
             title = \"own\"\nprovider = \"any\"\nbilling = \"used\"\n\
             lengths = [{{ step = \"1h\", up_to = \"{longest_h}h\" }}]\nsource = \"own\"\n"
        )
    };
    let of = |longest_h| {
        let files = written_on_booking(&job(longest_h), Target::Slurm);
        let script = text(&files, "job.sbatch");
        (asked_minutes(&files), script, files.notes)
    };
    let (free, script, _) = of(10_000);
    assert!(
        script.contains("its nodes go at 2028-01-22T01:00:00Z at the latest"),
        "{script}"
    );
    // The shortest that suffices as often as not, but not up to the high end.
    let longest_h = (1_u64..10_000)
        .find(|hours| (hours + 1) as f64 * 60.0 > free)
        .unwrap();
    let (asked, script, notes) = of(longest_h);
    assert!(
        (asked - 60.0 * longest_h as f64).abs() < 1e-9,
        "{asked} {free}"
    );
    assert!(asked < free, "{asked} {free}");
    assert!(!script.contains("without what stopping"), "{script}");
    let told = "is as long as the nodes can be had at most";
    assert!(notes.iter().any(|note| note.contains(told)), "{notes:?}");
    // A limit of the user's own beyond that is none.
    let limited = format!(
        "{}[launch]\ntime_limit = \"{}h\"\n",
        job(longest_h),
        longest_h + 2
    );
    let files = written_on_booking(&limited, Target::Slurm);
    assert!((asked_minutes(&files) - asked).abs() < 1e-9);
}

/// What Slurm gets where no limit is set is no bound of a limit of the user's own, in no target.
#[test]
fn a_limit_beyond_a_year_is_kept() {
    let job = |launch: &str| {
        format!(
            "model = \"gpt-7b\"\ntokens = \"950B\"\nclusters = \"r1z1\"\n[search]\ngpus = 8\n{launch}"
        )
    };
    let (plan, _) = planned(&job(""));
    let high = plan.candidates[0].time_to_budget_h.high * 60.0;
    assert!(high > 370.0 * 1440.0 && high < 700.0 * 1440.0, "{high}");
    let unlimited = written(&job(""), Target::Slurm).unwrap();
    assert!((asked_minutes(&unlimited) - 365.0 * 1440.0).abs() < 1e-9);
    let limited = job("[launch]\ntime_limit = \"700d\"\n");
    let asked = asked_minutes(&written(&limited, Target::Slurm).unwrap());
    assert!(asked > high && asked < high + 10.0, "{asked} {high}");
}
