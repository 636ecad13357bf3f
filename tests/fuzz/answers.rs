//! What must hold of answers to any text that can be asked about.

use serde::Serialize;
use serde_json::Value;
use tminus::compare::{Launched, PlanFile, Rows, compare};
use tminus::configuration::Setting;
use tminus::diagnostic::Origin;
use tminus::launch::{Launch, Target};
use tminus::measure::read;
use tminus::model::MAX_SEQ_LEN;
use tminus::plan::{PlanError, Planner};
use tminus::report::{
    Answer, Bookings, Calendar, Csv, Deviation, Markdown, Ranking, Report, Table,
};
use tminus::reserve::{Ask, Named, ReserveError, reserve};
use tminus::schedule::schedule_watched;
use tminus::search::Watch;

use super::check::{CATALOG, FIT, agenda, resolved};

/// Plans what the job asks for; spaces too large to walk are no trouble.
pub(super) fn plans(text: &str) {
    let Ok((request, _)) = resolved(text) else {
        return;
    };
    match Planner::new(&FIT).plan(&request) {
        Ok(plan) => {
            finite(&plan, text);
            let (plan, request) = (&plan, &request);
            shown(&Ranking { plan, request }, text);
            let interval = plan.candidates[0].time_to_budget_h;
            assert!(interval.low <= interval.expected && interval.expected <= interval.high);
        }
        Err(error @ PlanError::NotFinite { .. }) => panic!("{error}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(super) fn bookings(text: &str) {
    let Ok((request, catalog)) = resolved(text) else {
        return;
    };
    let Ok(ask) = Ask::new(&request, &catalog, Named::ByFlag) else {
        return;
    };
    match reserve(&Planner::new(&FIT), &request, &ask) {
        Ok(reservation) => {
            finite(&reservation, text);
            let reservation = &reservation;
            shown(&Bookings { reservation }, text);
        }
        Err(ReserveError::Plan(error @ PlanError::NotFinite { .. })) => panic!("{error}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Jobs on a calendar, by the list alone: what the solver adds is effort, not another way in.
pub(super) fn schedules(text: &str) {
    let Ok(Some(agenda)) = agenda(text) else {
        return;
    };
    if agenda.jobs.len() > MOST_JOBS {
        return;
    }
    let watch = Watch::new();
    watch.cancel();
    match schedule_watched(&agenda, &Planner::new(&FIT), &FIT, &watch) {
        Ok(schedule) => {
            finite(&schedule, text);
            let (schedule, agenda) = (&schedule, &agenda);
            shown(&Calendar { schedule, agenda }, text);
            let objective = schedule.objective;
            assert!(objective.bound <= objective.value, "{objective:?}");
            for job in &schedule.jobs {
                assert!(schedule.start <= job.start && job.start < job.end);
                assert!(job.end <= schedule.end);
                assert!(job.earliest.is_none_or(|earliest| earliest <= job.start));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// More jobs are more of the same.
const MOST_JOBS: usize = 8;

const TARGETS: [Target; 8] = [
    Target::LlmFoundry,
    Target::Slurm,
    Target::Skypilot,
    Target::Mcli,
    Target::Huggingface,
    Target::Deepspeed,
    Target::Megatron,
    Target::Kubeflow,
];

/// Launch files of the best candidate; those in JSON can be read.
pub(super) fn launches(text: &str) {
    let Ok((mut request, _)) = resolved(text) else {
        return;
    };
    request.top = 1;
    let Ok(plan) = Planner::new(&FIT).plan(&request) else {
        return;
    };
    let launch = Launch::new(&plan.candidates[0], &request, "tminus launch");
    for target in TARGETS {
        let files = match launch.as_ref().unwrap().files(target) {
            Ok(written) => written.files,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        for file in files {
            assert!(!file.text.trim().is_empty());
            if file.name.ends_with("json") {
                serde_json::from_str::<Value>(&file.text).unwrap();
            }
        }
    }
}

/// A plan, what was measured, the tokens done and the start, each after a line `===`.
pub(super) fn comparisons(text: &str) {
    let mut parts = text.split("\n===\n").map(str::trim);
    let (Some(plan), Some(measured)) = (parts.next(), parts.next()) else {
        return;
    };
    let origin = Origin {
        name: "plan.json".into(),
        text: plan.into(),
    };
    let Ok(plan) = PlanFile::parse(&origin) else {
        return;
    };
    let run = &plan.candidates[0];
    let (Ok(model), Ok(cluster), Ok(stack)) = (
        CATALOG.model(&plan.model),
        CATALOG.cluster(&run.cluster),
        CATALOG.stack(&plan.stack),
    ) else {
        return;
    };
    let configuration = &run.configuration;
    if configuration.gpus > cluster.max_gpus || configuration.seq_len > MAX_SEQ_LEN {
        return;
    }
    let shape = &model.shape;
    let setting = Setting {
        shape,
        cluster,
        stack,
    };
    let table = read("runs.csv", measured, &CATALOG);
    let table = table.as_ref().map_or(&[][..], |table| &table.rows);
    let rows = Rows::new("runs.csv", table, &plan.model, &setting, configuration).ok();
    let speed = measured.parse().ok();
    let speed = speed.filter(|speed| (1e-6..=1e18).contains(speed));
    let Some(measured_tok_s) = rows.as_ref().map(Rows::throughput_tok_s).or(speed) else {
        return;
    };
    let booked = run.booking.as_ref();
    let launched = Launched {
        plan: &plan,
        run,
        setting,
        measured_tok_s,
        related: rows.as_ref().map_or(&[], |rows| rows.related.as_slice()),
        product: booked.and_then(|booking| CATALOG.product(booking.product.as_ref()?).ok()),
        done: parts.next().and_then(|text| text.parse().ok()),
        start: parts.next().and_then(|text| text.parse().ok()),
        at: parts.next().and_then(|text| text.parse().ok()),
    };
    match compare(&launched, &FIT) {
        Ok(comparison) => {
            finite(&comparison, text);
            let (comparison, target) = (&comparison, None);
            shown(&Deviation { comparison, target }, text);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// No number of an answer is infinite or none: YAML, unlike JSON, has words for them.
fn finite(answer: &impl Serialize, input: &str) {
    let text = serde_saphyr::to_string(answer).unwrap();
    let words = [" .nan", " .inf", " -.inf"];
    let found = text
        .lines()
        .find(|line| words.iter().any(|word| line.ends_with(word)));
    let quoted = words.iter().any(|word| input.contains(word));
    assert!(found.is_none() || quoted, "{found:?}");
}

/// Every form of an answer can be written, and holds no such number either.
fn shown(answer: &dyn Answer, input: &str) {
    let has = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| {
            ["nan", "inf", "infinity"]
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name))
        })
    };
    for format in [&Table as &dyn Report, &Markdown, &Csv] {
        let text = format.render(answer).unwrap();
        assert!(!has(&text) || has(input), "{text}");
    }
}
