//! What must hold of any text, by entry point: an answer or an error that says something, never a
//! panic, never a number that isn't finite.

use std::sync::LazyLock;

use tminus::calendar::{Due, Moment, Span, TimeOfDay};
use tminus::compare::PlanFile;
use tminus::diagnostic::{Diagnostic, Origin};
use tminus::fit_file::{FitFile, embedded_fit};
use tminus::job::{
    Agenda, GlobalBatch, JobFile, Probability, Request, Settings, TokenBudget, Usd, resolve,
    resolve_ladder,
};
use tminus::measure::{Measurement, read, to_csv};
use tminus::preset::Catalog;
use tminus::quantity::{Bytes, Confidence, MAX_COUNT, Tokens, UsdPerGpuHour};
use tminus::reserve::{Ask, Named};
use tminus::search::Axis;
use tminus::throughput::Fit;

pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
pub(super) static FIT: LazyLock<Fit> = LazyLock::new(|| embedded_fit().unwrap());

/// An error about `input` says something, and nothing that only programmers know.
fn says_something(error: &Diagnostic, input: &str) {
    assert!(!error.message.trim().is_empty());
    let labels = error.labels.iter().map(|label| &label.text);
    for text in labels.chain(&error.help).chain([&error.message]) {
        for internal in [
            "tminus::",
            "serde",
            "f64",
            "u64",
            "struct ",
            "Option<",
            "ParseIntError",
        ] {
            let quoted = input.contains(internal);
            assert!(
                quoted || !text.contains(internal),
                "internal name in: {text}"
            );
        }
    }
}

pub(super) fn quantities(text: &str) {
    if let Ok(tokens) = text.parse::<Tokens>() {
        assert_eq!(tokens.to_string().parse::<Tokens>().unwrap(), tokens);
    }
    if let Ok(bytes) = text.parse::<Bytes>() {
        assert!(bytes.as_f64().is_finite());
    }
    if let Ok(budget) = text.parse::<TokenBudget>() {
        assert_eq!(budget.to_string().parse::<TokenBudget>().unwrap(), budget);
        if let Ok(tokens) = budget.resolve(6_658_404_352) {
            assert!((1..=MAX_COUNT).contains(&tokens.get()));
        }
    }
    if let Ok(batch) = text.parse::<GlobalBatch>() {
        assert_eq!(batch.to_string().parse::<GlobalBatch>().unwrap(), batch);
    }
    if let Ok(confidence) = text.parse::<Confidence>() {
        assert!((0.01..=0.999).contains(&confidence.get()));
    }
    if let Ok(price) = text.parse::<UsdPerGpuHour>() {
        assert!(price.get().is_finite() && price.get() >= 0.0);
    }
    if let Ok(dollars) = text.parse::<Usd>() {
        assert!((0.01..=1e12).contains(&dollars.get()));
    }
    if let Ok(probability) = text.parse::<Probability>() {
        assert!(0.0 < probability.get() && probability.get() < 1.0);
    }
}

/// Dates and lengths of time: written and read again they are the same, and sums can be undone.
pub(super) fn dates(text: &str) {
    let span = text.parse::<Span>().ok();
    if let Some(span) = span {
        assert!(span > Span::ZERO && span <= Span::MAX);
        let seconds = format!("{}s", span.seconds());
        assert_eq!(seconds.parse::<Span>().unwrap(), span);
        assert!(Span::of_hours(span.hours()) <= span);
    }
    if let Ok(moment) = text.parse::<Moment>() {
        for written in [moment.to_string(), moment.rfc3339(), moment.civil()] {
            assert_eq!(written.parse::<Moment>().unwrap(), moment, "{written}");
        }
        for span in span.into_iter().chain([Span::ZERO, Span::MAX]) {
            if let Some(later) = moment.plus(span) {
                assert_eq!(later.since(moment), Some(span));
                assert_eq!(later.minus(span), Some(moment));
            }
        }
        let noon: TimeOfDay = "12:00".parse().unwrap();
        if let (Some(next), Some(last)) = (moment.next_at(noon), moment.last_at(noon)) {
            assert!(last <= moment && moment <= next);
        }
    }
    if let Ok(clock) = text.parse::<TimeOfDay>() {
        assert_eq!(clock.to_string().parse::<TimeOfDay>().unwrap(), clock);
    }
    match text.parse::<Due>() {
        Ok(Due::By(moment)) => assert_eq!(text.parse::<Moment>().ok(), Some(moment)),
        Ok(Due::Within(within)) => assert_eq!(span, Some(within)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(super) fn axes(text: &str) {
    match text.parse::<Axis>() {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(axis) => {
            assert_eq!(axis.to_string().parse::<Axis>().unwrap(), axis);
            assert!(axis.is_empty() || axis.get(axis.len() - 1).is_some());
            assert_eq!(axis.get(axis.len()), None);
        }
    }
}

/// The job file and the presets it brings along.
fn job_file(text: &str) -> Result<(JobFile, Catalog), Diagnostic> {
    let file = JobFile::parse("fuzz.toml", text)?;
    let catalog = file.extend(CATALOG.clone())?;
    Ok((file, catalog))
}

pub(super) fn resolved(text: &str) -> Result<(Request, Catalog), Diagnostic> {
    let (file, catalog) = job_file(text)?;
    let request = resolve(Settings::default().over(file.settings), &catalog)?;
    Ok((request, catalog))
}

/// A job, and what it asks of a booking.
pub(super) fn job(text: &str) {
    let asked =
        resolved(text).and_then(|(request, catalog)| Ask::new(&request, &catalog, Named::ByFlag));
    if let Err(error) = asked {
        says_something(&error, text);
    }
}

/// Several jobs on one calendar, where the file holds several.
pub(super) fn agenda(text: &str) -> Result<Option<Agenda>, Diagnostic> {
    let (file, catalog) = job_file(text)?;
    let ladder = file
        .ladder
        .map(|jobs| resolve_ladder(jobs, &file.settings, &catalog));
    ladder.transpose()
}

pub(super) fn jobs(text: &str) {
    match agenda(text) {
        Ok(Some(agenda)) => {
            let mut deadlines = agenda.jobs.iter().filter_map(|job| job.deadline);
            assert!(deadlines.all(|deadline| deadline > agenda.start));
        }
        Ok(None) => {}
        Err(error) => says_something(&error, text),
    }
}

pub(super) fn presets(text: &str) {
    if let Err(error) = CATALOG.clone().with_file("fuzz.toml", text) {
        says_something(&error, text);
    }
}

/// What was read, written and read again is the same; its numbers are numbers.
fn reads_back(rows: &[Measurement]) {
    let again = read("again.csv", &to_csv(rows), &CATALOG).unwrap().rows;
    assert_eq!(rows.len(), again.len());
    for (row, again) in rows.iter().zip(&again) {
        assert!(row.throughput_tok_s.is_finite() && row.throughput_tok_s > 0.0);
        let speeds = [row, again].map(|row| row.throughput_tok_s.to_bits());
        assert_eq!(speeds[0], speeds[1]);
        assert_eq!(row.configuration, again.configuration);
    }
}

fn table(name: &str, text: &str) {
    match read(name, text, &CATALOG) {
        Ok(table) => reads_back(&table.rows),
        Err(error) => says_something(&error, text),
    }
}

pub(super) fn csv(text: &str) {
    table("fuzz.csv", text);
}

pub(super) fn markdown(text: &str) {
    table("fuzz.md", text);
}

pub(super) fn fit_file(text: &str) {
    match FitFile::from_toml("fuzz.toml", text) {
        Ok(file) => {
            let written = file.to_toml().unwrap();
            let again = FitFile::from_toml("again.toml", &written).unwrap();
            assert_eq!(again.to_toml().unwrap(), written);
        }
        Err(error) => says_something(&error, text),
    }
}

pub(super) fn plan_file(text: &str) {
    let origin = Origin {
        name: "fuzz.json".into(),
        text: text.into(),
    };
    match PlanFile::parse(&origin) {
        Ok(plan) => {
            for run in &plan.candidates {
                for ends in [run.throughput_tok_s, run.train_h, run.time_to_budget_h] {
                    assert!(0.0 < ends.low && ends.low <= ends.expected);
                    assert!(ends.expected <= ends.high && ends.high.is_finite());
                }
            }
            if let Err(error) = plan.rank(1) {
                says_something(&error, text);
            }
        }
        Err(error) => says_something(&error, text),
    }
}
