//! The command that every node runs, and the learning rate that no plan knows.

use crate::job::{Launcher, Text};
use crate::shell::{Command, ShellWord, export, quoted};

use super::Launch;

/// As a literal, which expressions can be made of.
macro_rules! port {
    () => {
        "29500"
    };
}

/// Port of the first node that the others find it by.
pub(super) const PORT: &str = port!();

/// The same after its address, where a variable holds that.
pub(super) const ENDPOINT: &str = concat!("\"$MASTER_ADDR:", port!(), "\"");

/// Peak learning rates of GPT-3 by parameters (Brown et al. 2020, arXiv 2005.14165, table 2.1).
const GPT3_RATES: [(f64, f64); 8] = [
    (125e6, 6e-4),
    (356e6, 3e-4),
    (760e6, 2.5e-4),
    (1.3e9, 2e-4),
    (2.7e9, 1.6e-4),
    (6.7e9, 1.2e-4),
    (13e9, 1e-4),
    (175e9, 0.6e-4),
];

/// Shell expressions by which a node knows its place among several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) rank: &'static str,
    pub(super) address: &'static str,
    pub(super) endpoint: &'static str,
}

/// How a training script learns the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// By the trainer's own files or flags.
    Told,
    /// By variables of the environment.
    Own,
}

impl Launch<'_> {
    /// The peak learning rate, and where it comes from unless the user set it.
    pub(super) fn learning_rate(&self) -> (f64, Option<String>) {
        if let Some(rate) = self.settings.learning_rate {
            return (rate.get(), None);
        }
        let params = self.model.params() as f64;
        let distance = |size: f64| (size / params).ln().abs();
        let nearest = GPT3_RATES
            .into_iter()
            .min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
        let (_, rate) = nearest.unwrap_or((6.7e9, 1.2e-4));
        let note = format!(
            "learning rate {rate:e} is GPT-3's at the nearest size (arXiv 2005.14165, table 2.1), \
             not part of the plan; `learning_rate` in [launch] sets yours"
        );
        (rate, Some(note))
    }

    /// Whether LLM Foundry trains, by its own configuration file.
    pub(super) fn is_composer(&self) -> bool {
        self.settings.launcher == Launcher::Composer
    }

    /// The command of one node; `config` is a word for LLM Foundry's configuration file.
    pub(super) fn trainer(&self, nodes: Nodes, config: ShellWord) -> Command {
        if self.is_composer() {
            self.composer(nodes, config)
        } else {
            self.torchrun(nodes)
        }
    }

    /// Composer's launcher with LLM Foundry's script.
    pub(super) fn composer(&self, nodes: Nodes, config: ShellWord) -> Command {
        let several = self.candidate.nodes > 1;
        Command::new(["composer".into()])
            .arg(["-n".into(), self.gpus_per_node().to_string().into()])
            .arg_if(
                several,
                [
                    "--world_size".into(),
                    self.candidate.gpus.to_string().into(),
                ],
            )
            .arg_if(
                several,
                ["--node_rank".into(), ShellWord::expression(nodes.rank)],
            )
            .arg_if(
                several,
                ["--master_addr".into(), ShellWord::expression(nodes.address)],
            )
            .arg_if(several, ["--master_port".into(), PORT.into()])
            .arg([self.script("train/train.py").into(), config])
            .args(self.script_args())
    }

    /// `PyTorch`'s launcher with the user's script.
    fn torchrun(&self, nodes: Nodes) -> Command {
        Self::torchrun_for(
            self.candidate.nodes,
            self.gpus_per_node(),
            &self.slug(),
            nodes,
        )
        .arg([self.script("train.py").into()])
        .args(self.script_args())
    }

    /// `torchrun` up to the script.
    pub(super) fn torchrun_for(nodes: u64, gpus: u64, id: &str, places: Nodes) -> Command {
        let command = Command::new(["torchrun".into()])
            .arg([ShellWord::assigned("--nnodes", &nodes.to_string().into())])
            .arg([ShellWord::assigned(
                "--nproc-per-node",
                &gpus.to_string().into(),
            )]);
        if nodes == 1 {
            return command.arg(["--standalone".into()]);
        }
        command
            .arg(["--rdzv-backend=c10d".into()])
            .arg([ShellWord::assigned("--rdzv-id", &id.into())])
            .arg([ShellWord::assigned(
                "--rdzv-endpoint",
                &ShellWord::expression(places.endpoint),
            )])
    }

    pub(super) fn script(&self, default: &'static str) -> &str {
        self.settings.script.as_ref().map_or(default, Text::as_str)
    }

    pub(super) fn script_args(&self) -> impl Iterator<Item = ShellWord> {
        self.settings
            .args
            .iter()
            .map(|arg| ShellWord::text(arg.as_str()))
    }

    /// What a script learns the plan from, where the processes are started on every node.
    pub(super) fn script_kind(&self) -> Script {
        if self.is_composer() {
            Script::Told
        } else {
            Script::Own
        }
    }

    /// The plan and the settings of the training, as a script of the user's own learns them.
    fn told(&self) -> Vec<(String, String)> {
        let (c, settings) = (self.candidate, self.settings);
        let plan = [
            ("SEQ_LEN", c.seq_len),
            ("MICRO_BATCH", c.micro_batch),
            ("GRAD_ACCUM", c.grad_accum),
            ("STEPS", c.steps),
            (
                "ACTIVATION_CHECKPOINTING",
                c.activation_checkpointing.into(),
            ),
        ];
        let plan = plan.map(|(name, value)| (name, Some(value.to_string())));
        let interval = self.checkpoint_steps().map(|steps| steps.to_string());
        let text = |set: &Option<Text>| set.as_ref().map(|text| text.as_str().to_owned());
        let rate = settings.learning_rate.map(|rate| rate.get().to_string());
        let training = [
            ("CHECKPOINT_STEPS", interval),
            ("DATA", text(&settings.data)),
            ("CHECKPOINTS", text(&settings.checkpoints)),
            ("TOKENIZER", text(&settings.tokenizer)),
            ("LEARNING_RATE", rate),
        ];
        let all = plan.into_iter().chain(training);
        all.filter_map(|(name, value)| Some((format!("TMINUS_{name}"), value?)))
            .collect()
    }

    /// Environment variables: the user's, and the plan's where a script of the user's own has no
    /// other way to learn it.
    pub(super) fn environment(&self, script: Script) -> Vec<(String, String)> {
        let mut variables = match script {
            Script::Own => self.told(),
            Script::Told => Vec::new(),
        };
        let own = self.settings.env.iter();
        variables.extend(own.map(|(name, value)| (name.as_str().into(), value.as_str().into())));
        variables
    }

    /// Lines of a script that set those variables.
    pub(super) fn exports(&self, script: Script) -> Vec<String> {
        let variables = self.environment(script);
        variables
            .iter()
            .map(|(name, value)| export(name, value))
            .collect()
    }

    /// The line that enters the working directory, if one is set.
    pub(super) fn enter(&self) -> Option<String> {
        let directory = self.settings.workdir.as_ref()?;
        Some(format!("cd -- {}", quoted(directory.as_str())))
    }

    /// The user's own commands, as they wrote them.
    pub(super) fn setup(&self) -> Vec<String> {
        self.settings
            .setup
            .iter()
            .map(|line| line.as_str().to_owned())
            .collect()
    }

    /// What a script of the user's own has to do.
    pub(super) fn trainer_notes(&self) -> Vec<String> {
        if self.is_composer() {
            return Vec::new();
        }
        let resumes = match self.checkpoint_steps() {
            Some(_) => "; it has to resume from its last checkpoint",
            None => "",
        };
        let mut notes = vec![format!("{}{resumes}", self.environment_note())];
        notes.extend(self.fp8_by_script());
        notes
    }

    /// Which variables tell a script of the user's own what was planned and set.
    pub(super) fn environment_note(&self) -> String {
        let names: Vec<String> = self.told().into_iter().map(|(name, _)| name).collect();
        let names = names.join(", ");
        let names = names.replace("CHECKPOINTING", "CHECKPOINTING (0 or 1)");
        format!("the script learns the plan from the environment: {names}")
    }
}

/// A script that one machine starts by hand, on each of several nodes: its head, its lines.
pub(super) fn by_hand(launch: &Launch<'_>, head: &str, command: &str, script: Script) -> String {
    let mut lines = vec![format!("#!/usr/bin/env bash\n{head}\nset -euo pipefail\n")];
    if launch.candidate.nodes > 1 {
        let last = launch.candidate.nodes - 1;
        if command.contains("$NODE_RANK") {
            lines.push(format!(
                ": \"${{NODE_RANK:?set it to the number of this node, from 0 to {last}}}\""
            ));
        }
        lines.push(": \"${MASTER_ADDR:?set it to the address of node 0}\"".into());
    }
    if command.contains("$here") {
        lines.push("here=$(cd -- \"$(dirname -- \"${BASH_SOURCE[0]}\")\" && pwd)".into());
    }
    lines.extend(launch.exports(script));
    lines.extend(launch.enter());
    lines.extend(launch.setup());
    lines.push(format!("\n{command}\n"));
    lines.join("\n")
}

/// Nodes started by hand.
pub(super) const BY_HAND: Nodes = Nodes {
    rank: "\"$NODE_RANK\"",
    address: "\"$MASTER_ADDR\"",
    endpoint: ENDPOINT,
};
