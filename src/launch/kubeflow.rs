//! A Kubeflow `TrainJob`.

use crate::job::{Label, TimeLimit, Word};
use crate::shell::quoted;

use super::names::Namer;
use super::node::Map;
use super::trainer::Nodes;
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, llm_foundry};

/// A node's place, from the variables that the torch runtime sets.
const NODES: Nodes = Nodes {
    rank: "\"$PET_NODE_RANK\"",
    address: "\"$PET_MASTER_ADDR\"",
    endpoint: "\"$PET_MASTER_ADDR:$PET_MASTER_PORT\"",
};

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut notes = Vec::new();
    let settings = launch.settings;
    let config = llm_foundry::config_file(launch, &mut notes)?;
    let image = llm_foundry::image(launch, &mut notes);
    let limit = settings.time_limit.map(TimeLimit::minutes);
    let stopped = limit.and_then(|limit| {
        let hours = limit as f64 / 60.0;
        launch.stopped_for_good("Kubeflow", hours)
    });
    notes.extend(stopped);
    notes.push(format!(
        "a TrainJob doesn't name the GPU: the runtime's node selector has to pick the {}",
        launch.cluster.gpu.name
    ));
    let mut lines = vec!["set -e".to_owned()];
    lines.extend(launch.setup());
    if let Some(config) = &config {
        lines.push(format!(
            "printf %s {} > /tmp/train.yaml",
            quoted(&config.text)
        ));
    }
    lines.extend(launch.enter());
    let trainer = launch.trainer(NODES, "/tmp/train.yaml".into());
    lines.push(format!("exec {}", trainer.render()));

    let variables: Vec<Map> = launch
        .environment(launch.script_kind())
        .into_iter()
        .map(|(name, value)| {
            Map::new()
                .with("name", name)
                .with("value", unexpanded(&value))
        })
        .collect();
    let resource = launch.gpu_name(Namer::Kubernetes)?;
    let gpus = Map::new().with(resource, launch.gpus_per_node().to_string());
    let trainer = Map::new()
        .with("image", image)
        .with("numNodes", launch.candidate.nodes)
        .with("numProcPerNode", launch.gpus_per_node())
        .with("command", vec!["bash", "-c"])
        .with("args", vec![unexpanded(&(lines.join("\n") + "\n"))])
        .with_some("env", (!variables.is_empty()).then_some(variables))
        .with(
            "resourcesPerNode",
            Map::new()
                .with("requests", gpus.clone())
                .with("limits", gpus),
        );
    let runtime = settings.runtime.as_ref().map(Word::as_str);
    let namespace = settings.namespace.as_ref().map(Label::as_str);
    let job = Map::new()
        .with("apiVersion", "trainer.kubeflow.org/v1alpha1")
        .with("kind", "TrainJob")
        .with(
            "metadata",
            Map::new()
                .with("name", launch.slug())
                .with_some("namespace", namespace),
        )
        .with(
            "spec",
            Map::new()
                .with(
                    "runtimeRef",
                    Map::new().with("name", runtime.unwrap_or("torch-distributed")),
                )
                .with_some("activeDeadlineSeconds", limit.map(|limit| limit * 60))
                .with("trainer", trainer),
        );
    let head = head::comment(&head::lines(launch, &notes));
    Ok(LaunchFiles {
        files: vec![LaunchFile {
            name: "trainjob.yaml",
            text: format!("{head}\n{}", job.yaml()?),
            executable: false,
        }],
        notes,
    })
}

/// The text as Kubernetes hands it on: in arguments and variables it expands `$(NAME)` itself, and
/// makes one `$` of two.
fn unexpanded(text: &str) -> String {
    text.replace('$', "$$")
}
