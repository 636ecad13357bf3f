//! A Slurm batch script: one task a node, resumed from its last checkpoint whenever it is stopped.

use crate::job::{Text, TimeLimit};
use crate::plan::{NOTICE, high_minutes};
use crate::shell::{Command, ShellWord};

use super::limit::{MAX_MINUTES, Stops};
use super::names::Namer;
use super::trainer::{Nodes, PORT};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, llm_foundry};

/// A node's place, from the variables Slurm sets for each task.
const NODES: Nodes = Nodes {
    rank: "\"$SLURM_NODEID\"",
    address: "\"$MASTER_ADDR\"",
    endpoint: "\"$MASTER_ADDR:$MASTER_PORT\"",
};

/// What happens at the time limit; a job that doesn't get on between two stops ends after so many.
fn resubmit(most: u64) -> String {
    format!(
        r#"# Slurm sends USR1 {NOTICE} minutes before the time limit: the job goes back to the queue under its own
# number and resumes from its last checkpoint.
resubmit() {{
    if [ "${{SLURM_RESTART_COUNT:-0}}" -ge {most} ]; then
        echo "time limit: stopped, not resubmitted after {most} restarts" >&2
        exit 1
    fi
    echo "time limit: resubmitting job $SLURM_JOB_ID" >&2
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}}
trap resubmit USR1
"#
    )
}

const CONFIG: &str = r#"export CONFIG="$SLURM_SUBMIT_DIR/train.yaml"
if [ ! -f "$CONFIG" ]; then
    echo "there is no $CONFIG: submit from the folder of this file" >&2
    exit 1
fi"#;

const RENDEZVOUS: &str = r#"MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_ADDR"#;

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut notes = Vec::new();
    let config = llm_foundry::config_file(launch, &mut notes)?;
    let limit = time_limit(launch, &mut notes);
    let directives = directives(launch, limit, &mut notes)?;
    if launch.settings.image.is_some() {
        notes.push(
            "the container image needs Slurm's pyxis plugin; mounted in it are the folder of these \
             files, and `data` and `checkpoints` where they are paths"
                .into(),
        );
    }
    if config.is_some() {
        notes.push("submit from this folder: `sbatch job.sbatch`".into());
    }
    let head = head::comment(&head::lines(launch, &notes));
    let mut lines = vec![format!(
        "#!/usr/bin/env bash\n{head}#\n{directives}\nset -eu\n"
    )];
    lines.push(RENDEZVOUS.into());
    lines.push(format!("export MASTER_PORT={PORT}"));
    if config.is_some() {
        lines.push(CONFIG.into());
    }
    lines.extend(launch.exports(launch.script_kind()));
    // A container has a working directory of its own.
    lines.extend(launch.enter().filter(|_| launch.settings.image.is_none()));
    lines.push(
        limit
            .restarts
            .map_or_else(String::new, |restarts| format!("\n{}", resubmit(restarts))),
    );
    lines.push("# Expanded on each node, not here.\n# shellcheck disable=SC2016".into());
    lines.push(format!("{} &\nwait \"$!\"\n", srun(launch).render()));
    let script = LaunchFile {
        name: "job.sbatch",
        text: lines.join("\n"),
        executable: true,
    };
    Ok(LaunchFiles {
        files: [Some(script), config].into_iter().flatten().collect(),
        notes,
    })
}

/// The job step: on each node a shell that sets up and becomes the launcher.
fn srun(launch: &Launch<'_>) -> Command {
    let trainer = launch.trainer(NODES, ShellWord::expression("\"$CONFIG\""));
    let mut node = vec!["set -e".to_owned()];
    node.extend(launch.setup());
    node.push(format!("exec {}", trainer.render()));
    Command::new(["srun".into(), "--kill-on-bad-exit=1".into()])
        .args(container(launch))
        .arg(["bash".into(), "-c".into(), node.join("\n").into()])
}

/// What tells pyxis about the container, where there is one.
fn container(launch: &Launch<'_>) -> Vec<ShellWord> {
    let settings = launch.settings;
    let Some(image) = &settings.image else {
        return Vec::new();
    };
    // A colon or a comma would end a path in the list of mounts.
    let mountable = |path: &&str| path.starts_with('/') && !path.contains([':', ',']);
    let paths = [&settings.data, &settings.checkpoints]
        .into_iter()
        .flatten();
    let paths = paths.map(Text::as_str).filter(mountable);
    let mut mounts = String::new();
    for path in paths {
        mounts.extend([",", path, ":", path]);
    }
    let folder = ShellWord::expression("\"$SLURM_SUBMIT_DIR:$SLURM_SUBMIT_DIR\"");
    let workdir = settings.workdir.as_ref();
    let workdir =
        workdir.map(|path| ShellWord::assigned("--container-workdir", &path.as_str().into()));
    [
        ShellWord::assigned("--container-image", &image.as_str().into()),
        ShellWord::assigned("--container-mounts", &folder.and(&mounts)),
    ]
    .into_iter()
    .chain(workdir)
    .collect()
}

/// A time limit, and how often a job that reaches it may start again; `None` where it would start from
/// nothing and meet the same limit, and where its reservation is over by then: back in the queue it would
/// wait for nodes that don't come, and nothing here saves on a signal what the next checkpoint would.
#[derive(Debug, Clone, Copy)]
struct Limit {
    minutes: u64,
    restarts: Option<u64>,
}

/// The user's limit, or what the run may take and the notice before the end.
fn time_limit(launch: &Launch<'_>, notes: &mut Vec<String>) -> Limit {
    let saved = launch.is_saved();
    if let Some(minutes) = launch.ends_with() {
        notes.push(format!(
            "the time limit, {}, is all of the reservation: when that ends Slurm stops the job, however \
             late it started, unless `ResvOverRun` in slurm.conf lets it go on; {} is lost, and it isn't \
             resubmitted",
            slurm_time(minutes),
            if saved {
                "what comes after its last checkpoint"
            } else {
                "a run that isn't done by then"
            },
        ));
        return Limit {
            minutes,
            restarts: None,
        };
    }
    let asked = launch.asked_minutes().saturating_add(NOTICE);
    let set = launch.settings.time_limit.map(TimeLimit::minutes);
    let minutes = launch.within_stay(set.unwrap_or(MAX_MINUTES).min(asked));
    if !saved {
        notes.push(stopped_with_nothing(launch, minutes));
        return Limit {
            minutes,
            restarts: None,
        };
    }
    let stops = launch.short_limit.map(|_| launch.stops());
    if let Some(stops) = stops {
        let told = stops.map_or_else(
            || "it is too short for the job to get on, so ask for more".to_owned(),
            Stops::words,
        );
        notes.push(format!(
            "the time limit, {}, {}: {told}",
            slurm_time(minutes),
            shorter(launch, minutes)
        ));
    }
    let times = stops.flatten().map_or(1, |stops| stops.times);
    Limit {
        minutes,
        restarts: Some(times.saturating_mul(2).saturating_add(launch.retries())),
    }
}

/// What a limit of so many minutes is shorter than.
fn shorter(launch: &Launch<'_>, minutes: u64) -> String {
    let high = high_minutes(launch.candidate);
    if launch.staying_minutes() == Some(minutes) {
        format!(
            "is as long as the nodes can be had at most, and shorter than the high end of the planned time, {}, \
             and {NOTICE} minutes of notice",
            slurm_time(high)
        )
    } else if minutes < high.saturating_add(NOTICE) {
        format!(
            "is shorter than the high end of the planned time, {}, and {NOTICE} minutes of notice",
            slurm_time(high)
        )
    } else {
        "ends before the booking does, whose probability counts on all of it".to_owned()
    }
}

/// That a run which saves nothing before its end is lost at its limit, and how long that is.
fn stopped_with_nothing(launch: &Launch<'_>, minutes: u64) -> String {
    let how_long = if launch.short_limit.is_some() {
        format!("{}: ask for more", shorter(launch, minutes))
    } else {
        let high = slurm_time(high_minutes(launch.candidate));
        format!("leaves room beyond the high end of the planned time, {high}")
    };
    format!(
        "no checkpoint is written before the end, so that a job which the time limit stops has lost all \
         its work: it isn't resubmitted; the limit, {}, {how_long}",
        slurm_time(minutes),
    )
}

/// `D-HH:MM:SS`.
fn slurm_time(minutes: u64) -> String {
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    format!("{days}-{hours:02}:{minutes:02}:00")
}

fn directives(
    launch: &Launch<'_>,
    limit: Limit,
    notes: &mut Vec<String>,
) -> Result<String, LaunchError> {
    let settings = launch.settings;
    let gpu = launch.gpu_name(Namer::Slurm)?;
    if launch.cluster.gpu.name.starts_with("a100-") && settings.constraint.is_none() {
        notes.push(format!(
            "Slurm's GPU name `{gpu}` may not tell 40 GB from 80 GB cards: `constraint` or \
             `partition` in [launch] chooses the {}",
            launch.cluster.gpu.name,
        ));
    }
    let mut options = vec![
        ("job-name", launch.slug()),
        ("nodes", launch.candidate.nodes.to_string()),
        ("ntasks-per-node", "1".into()),
        ("gpus-per-node", format!("{gpu}:{}", launch.gpus_per_node())),
        ("time", slurm_time(limit.minutes)),
    ];
    let notice = || ("signal", format!("B:USR1@{}", NOTICE * 60));
    options.extend(limit.restarts.map(|_| notice()));
    options.extend([
        ("open-mode", "append".into()),
        ("output", "%x-%j.log".into()),
    ]);
    let own = [
        ("partition", &settings.partition),
        ("account", &settings.account),
        ("qos", &settings.qos),
        ("constraint", &settings.constraint),
        ("reservation", &settings.reservation),
    ];
    let own = own
        .into_iter()
        .filter_map(|(key, set)| Some((key, set.as_ref()?)));
    options.extend(own.map(|(key, word)| (key, word.as_str().to_owned())));
    if settings.reservation.is_none() {
        let name = launch
            .slurm_reservation()
            .and_then(|booking| booking.in_words.name.clone());
        options.extend(name.map(|name| ("reservation", name)));
    }
    let mut text = String::from("#SBATCH --exclusive\n#SBATCH --requeue\n");
    for (key, value) in options {
        text.extend(["#SBATCH --", key, "=", value.as_str(), "\n"]);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_slurm_writes_them() {
        for (minutes, text) in [
            (1, "0-00:01:00"),
            (1439, "0-23:59:00"),
            (4531, "3-03:31:00"),
        ] {
            assert_eq!(slurm_time(minutes), text);
        }
    }
}
