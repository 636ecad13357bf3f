use super::*;
use proptest::prelude::*;

const PLAN: &str = r#"{"schema_version": 1,
    "request": {"model": "gpt-7b", "stack": "fp32-gather", "tokens": 1000, "confidence": 0.9},
    "fit": {"name": "mine"},
    "candidates": [{"rank": 1, "cluster": "r1z1", "gpus": 8, "seq_len": 2048, "micro_batch": 4,
        "grad_accum": 32, "activation_checkpointing": false,
        "throughput_tok_s": {"low": 1.0, "expected": 2.0, "high": 3.0},
        "train_h": {"low": 1.0, "expected": 2.0, "high": 3.0},
        "time_to_budget_h": {"low": 1.0, "expected": 2.0, "high": 3.0},
        "cost_usd": null}]}"#;

fn parse(text: &str) -> Result<PlanFile, Diagnostic> {
    PlanFile::parse(&Origin {
        name: "plan.json".into(),
        text: text.into(),
    })
}

#[test]
fn a_plan_reads_back() {
    let plan = parse(PLAN).unwrap();
    assert_eq!((plan.model.as_str(), plan.candidates.len()), ("gpt-7b", 1));
    assert_eq!(plan.rank(1).unwrap().configuration.grad_accum, 32);
    assert!(plan.rank(2).unwrap_err().message.contains("no rank 2"));
}

/// A report's JSON is a plan with bookings: what its recommended booking runs was launched, unless a
/// rank says otherwise.
#[test]
fn a_report_is_compared_with_what_it_recommends() {
    let report = |recommended: &str| {
        let start = PLAN.find("[{\"rank\"").unwrap();
        let run = PLAN[start + 1..PLAN.rfind("]}").unwrap()].replace("\"gpus\": 8", "\"gpus\": 16");
        let terms =
            "\"usable_h\": 2.0, \"booked_h\": 2.0, \"booked_gpus\": 16, \"billing\": \"booked\"";
        let more = format!(
            ", \"reservation\": {{\"bookings\": [{{\"candidate\": {run}, {terms}}}]}}{recommended}}}"
        );
        format!("{}{more}", PLAN.strip_suffix('}').unwrap())
    };
    let gpus = |plan: &PlanFile, rank| plan.launched(rank).unwrap().configuration.gpus;
    let booked = parse(&report(", \"recommended_booking\": 1")).unwrap();
    assert_eq!((gpus(&booked, None), gpus(&booked, Some(1))), (16, 8));
    for none in [
        "",
        ", \"recommended_booking\": 7",
        ", \"recommended_booking\": null",
    ] {
        assert_eq!(gpus(&parse(&report(none)).unwrap(), None), 8, "{none}");
    }
}

/// The terms of a booking are read with it, and checked.
#[test]
fn a_booking_is_read_with_its_terms() {
    let run = &PLAN[PLAN.find("[{\"rank\"").unwrap() + 1..PLAN.rfind("]}").unwrap()];
    let report = |usable_h: &str| {
        format!(
            "{}, \"recommended_booking\": 1, \"reservation\": {{\"bookings\": [{{\"candidate\": {run}, \
             \"start\": \"2026-12-01T11:30:00Z\", \"usable_until\": \"2026-12-14T11:00:00Z\", \
             \"last_checkpoint\": \"2026-12-14T10:30:00Z\", \
             \"usable_h\": {usable_h}, \"booked_h\": 312.0, \"booked_gpus\": 56, \
             \"billing\": \"upfront\", \"price\": {{\"usd_per_gpu_hour\": 2.0}}, \
             \"cost_usd\": {{\"low\": 3.0, \"expected\": 3.0, \"high\": 3.0}}}}]}}}}",
            PLAN.strip_suffix('}').unwrap()
        )
    };
    let plan = parse(&report("311.5")).unwrap();
    let booking = plan.launched(None).unwrap().booking.clone().unwrap();
    assert!((booking.cost_usd.unwrap().expected - 3.0).abs() < 1e-9);
    assert_eq!(booking.usd_per_hour, Some(112.0));
    let (start, until) = (booking.start.unwrap(), booking.usable_until.unwrap());
    assert!((until.hours_after(start) - booking.usable_h).abs() < 1e-9);
    assert!(plan.launched(Some(1)).unwrap().booking.is_none());
    // What is wrong with them is no booking that isn't there.
    let wrong = parse(&report("-5.0")).unwrap_err();
    assert!(wrong.message.contains("`usable_h` must be"), "{wrong}");
    let goal = |goal: &str| {
        let asked = format!("\"reservation\": {{\"goal\": {goal}, ");
        parse(&report("311.5").replace("\"reservation\": {", &asked))
    };
    let asked = |told: &str| {
        let plan = goal(told).unwrap();
        let booking = plan.launched(None).unwrap().booking.clone().unwrap();
        (booking.within_h, booking.budget_usd)
    };
    let deadline = r#"{"kind": "deadline", "within_h": 300.0}"#;
    assert_eq!(asked(deadline), (Some(300.0), None));
    assert_eq!(
        asked(r#"{"kind": "budget", "usd": 9.0}"#),
        (None, Some(9.0))
    );
    assert_eq!(asked(r#"{"kind": "nodes", "nodes": 7}"#), (None, None));
    let wrong = goal(r#"{"kind": "budget", "usd": -9.0}"#).unwrap_err();
    assert!(wrong.message.contains("`usd` must be"), "{wrong}");
    for (from, to, expected) in [
        (
            "2026-12-14T11:00:00Z",
            "2026-12-34",
            "`usable_until`: `2026-12-34`",
        ),
        ("2026-12-14T10:30:00Z", "soon", "`last_checkpoint`: `soon`"),
    ] {
        let wrong = parse(&report("311.5").replace(from, to)).unwrap_err();
        assert!(wrong.message.contains(expected), "{wrong}");
    }
}

/// A report of a run without a booking says when it starts.
#[test]
fn a_report_says_when_its_run_starts() {
    let text = PLAN.strip_suffix('}').unwrap();
    let start = |date: &str| parse(&format!("{text}, \"start\": \"{date}\"}}"));
    let told = start("2028-01-01T00:30:00Z").unwrap().start.unwrap();
    assert_eq!(told.rfc3339(), "2028-01-01T00:30:00Z");
    assert_eq!(parse(PLAN).unwrap().start, None);
    assert!(start("soon").unwrap_err().message.contains("`start`"));
}

/// A front's knee is what its report recommends.
#[test]
fn a_front_is_compared_with_its_knee() {
    let run = &PLAN[PLAN.find("[{\"rank\"").unwrap() + 1..PLAN.rfind("]}").unwrap()];
    let second = run.replace("\"rank\": 1", "\"rank\": 2");
    let front = |knee: &str| {
        let two = PLAN.replace(run, &format!("{run}, {second}"));
        let text = two.strip_suffix('}').unwrap();
        parse(&format!("{text}, \"front\": {{\"knee_rank\": {knee}}}}}")).unwrap()
    };
    let rank = |plan: &PlanFile, asked| plan.launched(asked).unwrap().rank;
    let plan = front("2");
    assert_eq!((rank(&plan, None), rank(&plan, Some(1))), (2, 1));
    let said = plan.taken_by_default(plan.launched(None).unwrap()).unwrap();
    assert!(said.contains("rank 2") && said.contains("--rank"), "{said}");
    for none in ["null", "9"] {
        assert_eq!(rank(&front(none), None), 1, "{none}");
    }
    let alone = parse(PLAN).unwrap();
    assert_eq!(alone.taken_by_default(alone.launched(None).unwrap()), None);
}

#[test]
fn each_mistake_is_told_by_its_place() {
    for (from, to, expected) in [
        (
            "\"schema_version\": 1",
            "\"schema_version\": 7",
            "schema version 7",
        ),
        ("\"gpus\": 8", "\"gpus\": 0", "from 1 to 10^18"),
        ("\"gpus\": 8", "\"gpus\": -8", "invalid value"),
        (
            "\"gpus\": 8",
            "\"gpus\": 8e99",
            "number `8e+99`, expected a whole number",
        ),
        ("\"gpus\": 8,", "", "missing field `gpus`"),
        ("\"low\": 1.0", "\"low\": NaN", "is not JSON"),
        ("\"low\": 1.0", "\"low\": 1e999", "out of range"),
        ("\"low\": 1.0", "\"low\": 9.0", "in order"),
        ("\"low\": 1.0", "\"low\": -1.0", "positive"),
        ("\"tokens\": 1000", "\"tokens\": 0", "from 1 to"),
        ("\"confidence\": 0.9", "\"confidence\": 1.9", "from 0.01"),
        ("\"candidates\": [", "\"candidats\": [", "neither a plan"),
        ("\"request\":", "\"requests\":", "no `request`"),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let error = parse(&PLAN.replacen(from, to, 1)).unwrap_err();
        assert!(error.message.contains(expected), "{from} → {to}: {error}");
    }
    assert!(
        parse("[1, 2]")
            .unwrap_err()
            .to_string()
            .contains("plan.json:1:1")
    );
    let deep = "[".repeat(1 << 20);
    assert!(parse(&deep).is_err());
}

proptest! {
    #[test]
    fn a_plan_cut_anywhere_is_refused(at in 0..PLAN.len()) {
        let cut = PLAN.get(..at).unwrap_or("");
        prop_assert!(parse(cut).is_err());
    }
}

/// A plan alone doesn't hold the booking that its job asks for: that its first rank need not be what
/// runs is told, also where it has no other.
#[test]
fn a_plan_of_a_job_that_asks_for_a_booking_says_what_it_is_taken_for() {
    let plan = parse(&PLAN.replace("0.9}", "0.9, \"booking\": true}")).unwrap();
    let run = plan.launched(None).unwrap();
    assert_eq!(run.rank, 1);
    let taken = plan.taken_by_default(run).unwrap();
    assert!(
        taken.contains("asks for a booking") && taken.contains("rank 1"),
        "{taken}"
    );
    let plan = parse(PLAN).unwrap();
    let taken = plan.taken_by_default(plan.launched(None).unwrap());
    assert!(taken.is_none_or(|taken| !taken.contains("booking")));
}

/// What is told of failures is read as if it was typed.
#[test]
fn reliability_is_read_and_checked() {
    let told = |start_up_s: &str| {
        let none = serde_json::to_string(&Reliability::none()).unwrap();
        let told = none.replace(
            "\"start_up_s\":0.0",
            &format!("\"start_up_s\":{start_up_s}"),
        );
        parse(&PLAN.replace("0.9}", &format!("0.9, \"reliability\": {told}}}")))
    };
    assert!((told("60.0").unwrap().reliability.unwrap().start_up_s - 60.0).abs() < 1e-9);
    let refused = told("-60.0").unwrap_err();
    assert!(refused.message.contains("`reliability`"), "{refused}");
    assert_eq!(parse(PLAN).unwrap().reliability, None);
}
