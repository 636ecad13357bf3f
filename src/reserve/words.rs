//! A booking in the provider's own words: the command that makes it, or the fields to fill in.
//!
//! Every value goes through the one function that quotes words of a shell.

use schemars::JsonSchema;
use serde::Serialize;

use super::booking::Desk;
use super::choice::Choice;
use crate::calendar::{Moment, Span};
use crate::job::Word;
use crate::product::Form;
use crate::shell::{Command, ShellWord, quoted};

/// A booking in the provider's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct InWords {
    /// How it is written down.
    pub form: Form,
    /// What it is called, where its maker names it; `null` where its seller does.
    pub name: Option<String>,
    /// Shell commands that make it and check it; `null` where it is made by filling in fields.
    pub commands: Option<String>,
    /// Fields to fill in, by the names the provider gives them.
    pub fields: Vec<Field>,
    /// What is left to set.
    pub to_set: Vec<String>,
}

/// A field to fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What to fill in.
    pub value: String,
}

impl InWords {
    pub(super) fn new(desk: &Desk<'_>, choice: &Choice<'_>, latest_start: Option<Moment>) -> Self {
        match desk.offer.product.form {
            Form::Slurm => slurm(desk, choice),
            Form::GcloudCalendar => gcloud(desk, choice),
            Form::CapacityBlock => capacity_block(desk, choice, latest_start),
            Form::Fields => fields(desk, choice),
        }
    }
}

fn field(name: &str, value: &dyn ToString) -> Field {
    Field {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

/// The instance as its seller spells it.
fn instance<'a>(desk: &'a Desk<'_>) -> &'a str {
    let spelled = desk
        .cluster
        .prices
        .iter()
        .map(|price| price.instance.as_str());
    let name = desk.cluster.name.as_str();
    spelled
        .into_iter()
        .find(|spelled| spelled.eq_ignore_ascii_case(name))
        .unwrap_or(name)
}

/// `scontrol create reservation`, with Slurm's times in UTC, and a check of what was granted.
fn slurm(desk: &Desk<'_>, choice: &Choice<'_>) -> InWords {
    let (launch, reserve) = (&desk.request.launch, &desk.request.reserve);
    let mut to_set = Vec::new();
    let start = match desk.window.start {
        Some(start) => ShellWord::from(start.civil()),
        None => ShellWord::from("now"),
    };
    let text = |name: &Word| ShellWord::from(name.as_str());
    let who = match (&reserve.users, &launch.account) {
        (Some(users), _) => ShellWord::assigned("Users", &text(users)),
        (None, Some(account)) => ShellWord::assigned("Accounts", &text(account)),
        (None, None) => {
            to_set.push(
                "`$USER` is whoever types this: name who may use it with `users` in [reserve], or \
                 `account` in [launch] of the job file"
                    .to_owned(),
            );
            ShellWord::assigned("Users", &ShellWord::expression("\"$USER\""))
        }
    };
    if launch.partition.is_none() {
        to_set.push(
            "`partition` in [launch] of the job file adds PartitionName; without it, Slurm's \
             default partition is booked"
                .to_owned(),
        );
    }
    // What the launch files are told to run in is what is made.
    let name = launch.reservation.as_ref().map(Word::as_str);
    let name = name.unwrap_or(&desk.ask.name);
    let create = Command::new([
        "TZ=UTC".into(),
        "scontrol".into(),
        "create".into(),
        "reservation".into(),
    ])
    .arg([ShellWord::assigned("ReservationName", &name.into())])
    .arg([ShellWord::assigned("StartTime", &start)])
    .arg([ShellWord::assigned(
        "Duration",
        &choice.length.slurm().into(),
    )])
    .arg([ShellWord::assigned(
        "NodeCnt",
        &choice.booked.to_string().into(),
    )])
    .args(
        launch
            .partition
            .iter()
            .map(|partition| ShellWord::assigned("PartitionName", &text(partition))),
    )
    .args(
        launch
            .constraint
            .iter()
            .map(|features| ShellWord::assigned("Features", &text(features))),
    )
    .arg([who]);
    let check = format!(
        "scontrol show reservation {} | grep -q 'NodeCnt={} ' || echo 'fewer nodes were granted'",
        quoted(name),
        choice.booked
    );
    InWords {
        form: Form::Slurm,
        name: Some(name.to_owned()),
        commands: Some(format!("{}\n{check}", create.render())),
        fields: Vec::new(),
        to_set,
    }
}

/// The region of a zone of Google's: `europe-west4` of `europe-west4-a`.
pub(crate) fn region_of_zone(zone: &str) -> &str {
    zone.rsplit_once('-').map_or(zone, |(region, _)| region)
}

/// `gcloud compute future-reservations create` in calendar mode, submitted at once.
fn gcloud(desk: &Desk<'_>, choice: &Choice<'_>) -> InWords {
    let mut to_set = Vec::new();
    let zone = if let Some(zone) = &desk.request.reserve.zone {
        ShellWord::from(zone.as_str())
    } else {
        to_set.push("replace ZONE, or set `zone` in [reserve] of the job file".to_owned());
        ShellWord::from("ZONE")
    };
    let dates = desk.window.start.zip(desk.window.at(choice.length));
    let (start, end) = if let Some((start, end)) = dates {
        (start.rfc3339(), end.rfc3339())
    } else {
        to_set.push("replace START and END, or give `--start`".to_owned());
        ("START".to_owned(), "END".to_owned())
    };
    let command = Command::new([
        "gcloud".into(),
        "compute".into(),
        "future-reservations".into(),
        "create".into(),
        ShellWord::from(&desk.ask.name),
    ])
    .arg([ShellWord::assigned(
        "--machine-type",
        &instance(desk).into(),
    )])
    .arg([ShellWord::assigned(
        "--total-count",
        &choice.booked.to_string().into(),
    )])
    .arg([ShellWord::assigned("--zone", &zone)])
    .arg([ShellWord::assigned("--start-time", &start.into())])
    .arg([ShellWord::assigned("--end-time", &end.into())])
    .arg(["--reservation-mode=CALENDAR".into()])
    // Without it the request stays a draft, which books nothing.
    .arg(["--planning-status=SUBMITTED".into()]);
    InWords {
        form: Form::GcloudCalendar,
        name: Some(desk.ask.name.clone()),
        commands: Some(command.render()),
        fields: Vec::new(),
        to_set,
    }
}

/// The fields of an EC2 Capacity Block offering. The date range is what offerings are looked for
/// in: any block within it is done in time.
fn capacity_block(desk: &Desk<'_>, choice: &Choice<'_>, latest_start: Option<Moment>) -> InWords {
    let end = latest_start
        .or(desk.window.start)
        .and_then(|start| start.plus(choice.length));
    let date = |moment: Option<Moment>| moment.map_or_else(String::new, Moment::rfc3339);
    InWords {
        form: Form::CapacityBlock,
        name: None,
        commands: None,
        fields: vec![
            field("InstanceType", &instance(desk)),
            field("InstanceCount", &choice.booked),
            // Whole hours: never fewer than are needed.
            field(
                "CapacityDurationHours",
                &choice.length.seconds().div_ceil(3600),
            ),
            field("StartDateRange", &date(desk.window.start)),
            field("EndDateRange", &date(end)),
        ],
        to_set: Vec::new(),
    }
}

/// What any seller has to be told.
fn fields(desk: &Desk<'_>, choice: &Choice<'_>) -> InWords {
    let mut fields = vec![
        field("product", &&desk.offer.product.title),
        field("instance", &instance(desk)),
        field("nodes", &choice.booked),
        field("GPUs", &(choice.booked * desk.offer.gpus_per_node)),
        length(desk, choice.length),
    ];
    let dates = desk.window.start.zip(desk.window.at(choice.length));
    if let Some((start, end)) = dates {
        fields.push(field("from", &start.rfc3339()));
        fields.push(field("until", &end.rfc3339()));
    }
    InWords {
        form: Form::Fields,
        name: None,
        commands: None,
        fields,
        to_set: Vec::new(),
    }
}

/// How long, in the largest unit that it is a whole number of; in weeks only where weeks are sold.
fn length(desk: &Desk<'_>, length: Span) -> Field {
    const WEEK: u64 = 7 * 86_400;
    let by_the_week = desk
        .offer
        .product
        .lengths
        .first()
        .is_some_and(|step| step.step.seconds() == WEEK);
    let units = [
        ("weeks", WEEK),
        ("days", 86_400),
        ("hours", 3600),
        ("minutes", 60),
        ("seconds", 1),
    ];
    let fits = |unit: u64| (unit != WEEK || by_the_week) && length.seconds().is_multiple_of(unit);
    let (name, unit) = units
        .into_iter()
        .find(|(_, unit)| fits(*unit))
        .unwrap_or(("seconds", 1));
    field(name, &(length.seconds() / unit))
}
