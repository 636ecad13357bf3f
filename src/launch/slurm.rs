//! A Slurm batch script: one task a node, resumed from its last checkpoint whenever it is stopped.

use super::names::Namer;
use super::shell::{Command, Word};
use super::trainer::{Nodes, PORT};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, llm_foundry};

/// The longest limit asked for; a longer run is resubmitted.
const MAX_MINUTES: u64 = 365 * 1440;

/// A node's place, from the variables Slurm sets for each task.
const NODES: Nodes = Nodes {
    rank: "\"$SLURM_NODEID\"",
    address: "\"$MASTER_ADDR\"",
    endpoint: "\"$MASTER_ADDR:$MASTER_PORT\"",
};

const RESUBMIT: &str = r#"# Slurm sends USR1 five minutes before the time limit: the job goes back to the queue under its own
# number and resumes from its last checkpoint.
resubmit() {
    echo "time limit: resubmitting job $SLURM_JOB_ID" >&2
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}
trap resubmit USR1
"#;

const RENDEZVOUS: &str = r#"MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_ADDR"#;

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut notes = Vec::new();
    let config = llm_foundry::config_file(launch, &mut notes)?;
    let minutes = time_limit(launch, &mut notes);
    let directives = directives(launch, minutes, &mut notes)?;
    if launch.settings.image.is_some() {
        notes.push("the container image needs Slurm's pyxis plugin".into());
    }
    let head = head::comment(&head::lines(launch, &notes));
    let mut lines = vec![format!(
        "#!/usr/bin/env bash\n{head}#\n{directives}\nset -eu\n"
    )];
    lines.push(RENDEZVOUS.into());
    lines.push(format!("export MASTER_PORT={PORT}"));
    if config.is_some() {
        lines.push("export CONFIG=\"$SLURM_SUBMIT_DIR/train.yaml\"".into());
    }
    lines.extend(launch.exports());
    lines.extend(launch.enter());
    lines.push(format!("\n{RESUBMIT}"));
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
    let trainer = launch.trainer(NODES, Word::expression("\"$CONFIG\""));
    let mut node = vec!["set -e".to_owned()];
    node.extend(launch.setup());
    node.push(format!("exec {}", trainer.render()));
    let image = launch.settings.image.as_ref();
    Command::new(["srun".into(), "--kill-on-bad-exit=1".into()])
        .args(image.map(|image| Word::assigned("--container-image", &image.as_str().into())))
        .arg(["bash".into(), "-c".into(), node.join("\n").into()])
}

/// Minutes to ask for: the user's limit, or the high end of the planned time.
fn time_limit(launch: &Launch<'_>, notes: &mut Vec<String>) -> u64 {
    let high = (launch.candidate.time_to_budget_h.high * 60.0)
        .ceil()
        .max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1; saturates"
    )]
    let high = high as u64;
    let limit = launch
        .settings
        .time_limit
        .map_or(MAX_MINUTES, crate::job::TimeLimit::minutes);
    if limit < high {
        notes.push(format!(
            "the time limit, {}, is shorter than the high end of the planned time, {}: the job \
             resubmits itself, up to {} times; each time costs a restart and the work since the \
             last checkpoint",
            slurm_time(limit),
            slurm_time(high),
            high.div_ceil(limit) - 1,
        ));
    }
    limit.min(high)
}

/// `D-HH:MM:SS`.
fn slurm_time(minutes: u64) -> String {
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    format!("{days}-{hours:02}:{minutes:02}:00")
}

fn directives(
    launch: &Launch<'_>,
    minutes: u64,
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
        ("time", slurm_time(minutes)),
        ("signal", "B:USR1@300".into()),
        ("open-mode", "append".into()),
        ("output", "%x-%j.log".into()),
    ];
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
