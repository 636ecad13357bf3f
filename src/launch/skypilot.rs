//! A `SkyPilot` task.

use crate::hardware::Region;
use crate::product::Form;
use crate::shell::ShellWord;

use super::names::Namer;
use super::node::{Map, Node};
use super::settings::TIME_LIMIT;
use super::trainer::{ENDPOINT, Nodes};
use super::{Launch, LaunchError, LaunchFile, LaunchFiles, head, llm_foundry};

/// A node's place, from the variables `SkyPilot` sets.
const NODES: Nodes = Nodes {
    rank: "\"$SKYPILOT_NODE_RANK\"",
    address: "\"$MASTER_ADDR\"",
    endpoint: ENDPOINT,
};

/// `SkyPilot`'s names of those who publish prices here.
const CLOUDS: [(&str, &str); 5] = [
    ("aws", "aws"),
    ("gcp", "gcp"),
    ("azure", "azure"),
    ("oracle", "oci"),
    ("lambda", "lambda"),
];

pub(super) fn files(launch: &Launch<'_>) -> Result<LaunchFiles, LaunchError> {
    let mut notes = Vec::new();
    let config = llm_foundry::config_file(launch, &mut notes)?;
    let resources = resources(launch, &mut notes)?;
    notes.extend(reserved(launch));
    notes.extend(spot_instead(launch));
    notes.extend(launch.unused(&[TIME_LIMIT]));
    if config.is_some() {
        notes.push(
            "`./train.yaml` is looked for where `sky` is started: start it in this folder".into(),
        );
        if launch.settings.setup.is_empty() && launch.settings.image.is_none() {
            notes.push(
                "nothing here installs LLM Foundry on the nodes: `setup` or `image` in [launch] does"
                    .into(),
            );
        }
    }
    let variables = launch
        .environment(launch.script_kind())
        .into_iter()
        .fold(Map::new(), |map, (name, value)| map.with(name, value));
    let mounts = config
        .as_ref()
        .map(|_| Map::new().with("~/train.yaml", "./train.yaml"));
    let setup = launch.setup();
    let task = Map::new()
        .with("name", launch.slug())
        .with("resources", resources)
        .with("num_nodes", launch.candidate.nodes)
        .with_some("envs", variables.filled())
        .with_some("file_mounts", mounts)
        .with_some(
            "setup",
            (!setup.is_empty()).then(|| setup.join("\n") + "\n"),
        )
        .with("run", run(launch));
    let again = match launch.checkpoint_steps() {
        Some(_) => "it resumes from its last checkpoint, so `checkpoints` has to outlive the nodes",
        None => "without checkpoints it starts from nothing",
    };
    notes.push(format!(
        "`sky jobs launch` starts the task again after a failure, `sky launch` does not; {again}"
    ));
    let head = head::comment(&head::lines(launch, &notes));
    let task = LaunchFile {
        name: "task.yaml",
        text: format!("{head}\n{}", task.yaml()?),
        executable: false,
    };
    Ok(LaunchFiles {
        files: [Some(task), config].into_iter().flatten().collect(),
        notes,
    })
}

/// Where `SkyPilot` is told of a reservation: its own configuration, and no task.
fn reserved(launch: &Launch<'_>) -> Option<String> {
    let (cloud, id) = match launch.booking?.in_words.form {
        Form::CapacityBlock => ("aws", "cr-…"),
        Form::GcloudCalendar => ("gcp", "projects/…/reservations/…"),
        Form::Slurm | Form::Fields => return None,
    };
    Some(format!(
        "SkyPilot starts nodes in a reservation that its configuration names: \
         `{cloud}.specific_reservations: [{id}]` in ~/.sky/config.yaml"
    ))
}

fn resources(launch: &Launch<'_>, notes: &mut Vec<String>) -> Result<Map, LaunchError> {
    let settings = launch.settings;
    let price = launch.price;
    let known = price.into_iter().chain(&launch.cluster.prices);
    let sold_by = known.into_iter().find_map(|other| {
        let cloud = CLOUDS
            .into_iter()
            .find(|(seller, _)| *seller == other.provider)?;
        // What it is costed at is the price of one region: the booking's, where it runs on one.
        let booked = launch.booking.map(|booking| booking.price.as_ref());
        let region = match booked {
            Some(Some(booked)) => Some(booked.region.as_str()),
            Some(None) => launch.pricing.region.as_deref(),
            None => price
                .filter(|price| *price == other)
                .map(|price| price.region.as_str()),
        };
        // What is reserved in a zone is there, wherever its price is from.
        let region = launch.booked_region().or(region.and_then(region_of));
        Some(match region {
            Some(region) => format!("{}/{region}", cloud.1),
            None => cloud.1.to_owned(),
        })
    });
    let infra = settings
        .infra
        .as_ref()
        .map(|infra| infra.as_str().to_owned());
    let infra = infra.or(sold_by);
    if infra.is_none() {
        notes.push(format!(
            "SkyPilot picks where to run, because it doesn't know {}: `infra` in [launch] chooses",
            launch.cluster.name
        ));
    }
    let gpu = launch.gpu_name(Namer::Skypilot)?;
    let image = settings
        .image
        .as_ref()
        .map(|image| format!("docker:{}", image.as_str()));
    // Nodes are sold whole, and SkyPilot looks for one of exactly so many; a run on a part of one uses that.
    let of_node = launch.cluster.gpus_per_node;
    Ok(Map::new()
        .with_some("infra", infra)
        .with("accelerators", format!("{gpu}:{of_node}"))
        .with("use_spot", settings.use_spot.unwrap_or(launch.is_spot()))
        .with_some("image_id", image)
        .with_some(
            "network_tier",
            (launch.candidate.nodes > 1).then_some(Node::from("best")),
        ))
}

/// The region that a text about where a price holds names, where it is a word.
fn region_of(text: &str) -> Option<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let region = Region::of(text).name()?;
    region.chars().all(word).then_some(region)
}

/// That spot nodes are asked for beside money and time that are of nodes that stay, or the other way
/// round.
fn spot_instead(launch: &Launch<'_>) -> Option<String> {
    let spot = launch.settings.use_spot?;
    let booked = launch.booking.is_some();
    if !spot {
        return launch.is_spot().then(|| {
            "`use_spot = false` in [launch] starts nodes that stay: the cost here is of spot nodes; \
             `--price-type on-demand` plans for nodes that stay"
                .to_owned()
        });
    }
    (!launch.is_spot()).then(|| {
        format!(
            "`use_spot` in [launch] starts spot nodes, which are taken back at any time: the cost{} here \
             {} of nodes that stay; `--price-type spot` plans for spot nodes",
            if booked { " and the probability" } else { "" },
            if booked { "are" } else { "is" },
        )
    })
}

fn run(launch: &Launch<'_>) -> String {
    let mut lines = vec!["set -e".to_owned()];
    if launch.candidate.nodes > 1 {
        lines.push("MASTER_ADDR=$(echo \"$SKYPILOT_NODE_IPS\" | head -n 1)".into());
    }
    lines.extend(launch.enter());
    let config = ShellWord::expression("\"$HOME/train.yaml\"");
    lines.push(launch.trainer(NODES, config).render());
    lines.join("\n") + "\n"
}
