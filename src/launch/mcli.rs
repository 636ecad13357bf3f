//! A run of the `MosaicML` platform, which starts Composer with the place of each node already set.

use crate::job::{Text, Word};
use crate::shell::{Command, quoted};

use super::names::Namer;
use super::node::Map;
use super::settings::COMPOSER_STARTS;
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, llm_foundry};

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut notes = Vec::new();
    let image = llm_foundry::image(launch, &mut notes);
    let settings = launch.settings;
    let training = llm_foundry::training(launch)?;
    notes.extend(training.notes);
    notes.extend(launch.unused(&[COMPOSER_STARTS]));
    let cluster = settings.cluster.as_ref().map(Word::as_str);
    let compute = Map::new()
        .with("cluster", cluster.unwrap_or(&launch.cluster.name))
        .with("gpus", launch.candidate.gpus)
        .with("gpu_type", launch.gpu_name(Namer::Mcli)?);
    let scheduling = Map::new()
        .with_some("priority", settings.priority.as_ref().map(Word::as_str))
        .with("retry_on_system_failure", true)
        .with("max_retries", launch.retries())
        .with("max_duration", max_hours(launch));
    let variables = settings.env.iter().fold(Map::new(), |map, (name, value)| {
        map.with(name.as_str(), value.as_str())
    });
    let run = Map::new()
        .with("name", launch.slug())
        .with("image", image)
        .with("compute", compute)
        .with("scheduling", scheduling)
        .with_some("env_variables", variables.filled())
        .with("command", command(launch))
        .with("parameters", training.config);
    notes.extend(launch.stopped_for_good("the platform", max_hours(launch)));
    let head = head::comment(&head::lines(launch, &notes));
    Ok(LaunchFiles {
        files: vec![LaunchFile {
            name: "run.yaml",
            text: format!("{head}\n{}", run.yaml()?),
            executable: false,
        }],
        notes,
    })
}

/// Hours after which the platform stops the run: the user's limit, or as long as it may take.
fn max_hours(launch: &Launch<'_>) -> f64 {
    launch.settings.time_limit.map_or_else(
        || (launch.asked_minutes() as f64 / 60.0).ceil(),
        |limit| limit.minutes() as f64 / 60.0,
    )
}

fn command(launch: &Launch<'_>) -> String {
    let mut lines = vec!["set -e".to_owned()];
    lines.extend(launch.setup());
    let directory = launch.settings.workdir.as_ref();
    let directory = directory.map_or("llm-foundry/scripts", Text::as_str);
    lines.push(format!("cd -- {}", quoted(directory)));
    let composer = Command::new(["composer".into()])
        .arg([
            launch.script("train/train.py").into(),
            "/mnt/config/parameters.yaml".into(),
        ])
        .args(launch.script_args());
    lines.push(composer.render());
    lines.join("\n") + "\n"
}
