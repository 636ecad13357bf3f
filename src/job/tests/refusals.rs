//! What is refused, and how it is said.

use super::{planned, planned_with};
use crate::forecast::RELIABILITY_SETTINGS;
use crate::job::{JobFile, Settings, Sourced, TokenBudget, resolve_ladder};
use crate::preset::Catalog;
use crate::search::Axis;

fn refusal(text: &str) -> String {
    match planned(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(diagnostic) => diagnostic.to_string(),
    }
}

#[test]
fn a_misspelt_key_shows_the_nearest() {
    insta::assert_snapshot!(refusal("modle = \"gpt-7b\"\ntokens = \"134B\"\n"));
}

#[test]
fn a_bad_token_budget_shows_its_place() {
    insta::assert_snapshot!(refusal("model = \"gpt-7b\"\ntokens = \"134Q\"\n"));
}

#[test]
fn an_empty_file_says_what_a_job_needs() {
    insta::assert_snapshot!(refusal(" \n\n"));
}

/// A job, the place its mistake is shown at, and words of the message.
const REFUSED: &[(&str, &str, &str)] = &[
    ("tokens = '134B'", "", "no model is named"),
    ("model = 'gpt-8b'", "job.toml:1:9", "`gpt-7b`"),
    ("model = 7", "job.toml:1:9", "a model's name"),
    (
        "model = 'gpt-7b'\nmodel = 'gpt-3b'",
        "job.toml:2:1",
        "duplicate key",
    ),
    (
        "model = 'gpt-7b'\ntokens = 0",
        "job.toml:2:10",
        "greater than zero",
    ),
    (
        "model = 'gpt-7b'\ntokens = -5",
        "job.toml:2:10",
        "greater than zero",
    ),
    (
        "model = 'gpt-7b'\ntokens = '1e9x'",
        "job.toml:2:10",
        "before `x`",
    ),
    (
        "model = 'gpt-7b'\ntokens = '0x'",
        "job.toml:2:10",
        "greater than zero",
    ),
    (
        "model = 'gpt-7b'\ntokens = '99999999999x'",
        "job.toml:2:10",
        "1000000000000000000",
    ),
    (
        "model = 'gpt-7b'\ntokens = true",
        "job.toml:2:10",
        "20 per parameter",
    ),
    (
        "model = 'gpt-7b'\nclusters = ['r7z2', 'r1z2']",
        "job.toml:2:21",
        "`r1z1`",
    ),
    (
        "model = 'gpt-7b'\nclusters = []",
        "job.toml:2:12",
        "at least one",
    ),
    (
        "model = 'gpt-7b'\nclusters = [7]",
        "job.toml:2:13",
        "expected a string",
    ),
    (
        "model = 'gpt-7b'\ncluster = 'h200'\nclusters = ['r7z2']",
        "job.toml:3:12",
        "keep one",
    ),
    (
        "model = 'gpt-7b'\nclusters = ['r7z2']\n[clusters.x]\n",
        "job.toml:3:",
        "choose with `cluster`",
    ),
    (
        "model = 'gpt-7b'\nstack = 'bf16'",
        "job.toml:2:9",
        "`bf16-gather`",
    ),
    (
        "model = 'gpt-7b'\nsort = 'tim'",
        "job.toml:2:8",
        "did you mean `time`",
    ),
    ("model = 'gpt-7b'\ntop = 0", "job.toml:2:7", "at least 1"),
    (
        "model = 'gpt-7b'\ntop = 99999999",
        "job.toml:2:7",
        "from 1 to 100000",
    ),
    (
        "model = 'gpt-7b'\nconfidence = 1.5",
        "job.toml:2:14",
        "0.01 to 0.999",
    ),
    (
        "model = 'gpt-7b'\nconfidence = nan",
        "job.toml:2:14",
        "confidence",
    ),
    (
        "model = 'gpt-7b'\nglobal_batch = 512",
        "job.toml:2:16",
        "that many sequences are 1048576 tokens",
    ),
    (
        "model = 'gpt-7b'\n[clusters]\nmax_gpus = 8",
        "job.toml:3:12",
        "the keys of a cluster",
    ),
    (
        "model = 'gpt-7b'\n[search]\nseq_len = '1k..'",
        "job.toml:3:11",
        "(doubling)",
    ),
    (
        "model = 'gpt-7b'\nglobal_batch = '4M..1M'",
        "job.toml:2:16",
        "more than its end",
    ),
    (
        "model = 'gpt-7b'\nseq_len = 4096",
        "job.toml:2:1",
        "table `[search]`",
    ),
    (
        "model = 'gpt-7b'\ngpus = 8",
        "job.toml:2:8",
        "table `[search]`",
    ),
    ("model = 'gpt-7b'\n[search]\ngpus = 0", "job.toml:3:8", ""),
    (
        "model = 'gpt-7b'\n[search]\ngpus = []",
        "job.toml:3:8",
        "expected",
    ),
    (
        "model = 'gpt-7b'\n[search]\ngpus = [8, -8]",
        "job.toml:3:12",
        "at least 1",
    ),
    (
        "model = 'gpt-7b'\n[search]\ngpus = '8..'",
        "job.toml:3:8",
        "8..",
    ),
    (
        "model = 'gpt-7b'\n[search]\nmicro_batches = 8",
        "job.toml:3:1",
        "`micro_batch`",
    ),
    (
        "model = 'gpt-7b'\n[search]\ncheckpointing = 'yes'",
        "job.toml:3:17",
        "\"on\"",
    ),
    (
        "model = 'gpt2'\n[search]\nseq_len = 2048",
        "job.toml:3:11",
        "1024 learned positions",
    ),
    (
        "[model]\nd_model = 4096\nn_layers = 2\nn_heads = 30\nvocab_size = 9",
        "job.toml:4:11",
        "32 divides 4096",
    ),
    (
        "[model]\nd_model = 4096\nn_layers = 2\nn_head = 30\nvocab_size = 9",
        "job.toml:4:1",
        "`n_heads`",
    ),
    ("model = 'gpt-7b", "job.toml:1:", ""),
    (
        "[schedule.clusters.p4d.24xlarge]\ncapacity_nodes = 4",
        "job.toml:1:24",
        "`[schedule.clusters.\"p4d.24xlarge\"]`",
    ),
    (
        "model = 'gpt-7b'\n[clusters.p4d.24xlarge]\ngpu = 'h100'",
        "job.toml:2:15",
        "`[clusters.\"p4d.24xlarge\"]`",
    ),
];

#[test]
fn refusals_name_place_and_remedy() {
    let mut wrong = Vec::new();
    for (text, place, expected) in REFUSED {
        let message = refusal(text);
        if !message.contains(place) || !message.contains(expected) {
            wrong.push(format!(
                "\n{text}\nlacks {place} or {expected}:\n{message}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn a_bad_flag_is_named() {
    let error = Sourced::<TokenBudget>::parse_flag("--tokens", "134Q").unwrap_err();
    assert!(error.to_string().contains("--tokens: `134Q`"), "{error}");
    let flags = Settings {
        clusters: Some(vec![Sourced::flag("--cluster", "r7z3".to_owned())]),
        ..Settings::default()
    };
    let error = planned_with(flags, "model = 'gpt-7b'").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("--cluster: unknown cluster `r7z3`"),
        "{error}"
    );
}

#[test]
fn axes_that_flags_could_build_are_checked() {
    for axis in [
        Axis::List(vec![]),
        Axis::List(vec![0, 8]),
        Axis::Doubling { low: 0, high: 8 },
        Axis::Doubling { low: 16, high: 8 },
        Axis::Stepped {
            low: 1,
            high: 8,
            step: 0,
        },
        Axis::Doubling {
            low: 1,
            high: u64::MAX,
        },
    ] {
        let flags = Settings {
            micro_batch: Some(Sourced::flag("--micro-batch", axis.clone())),
            ..Settings::default()
        };
        let error = planned_with(flags, "model = 'gpt-7b'").unwrap_err();
        assert!(
            error.to_string().contains("--micro-batch"),
            "{axis:?}: {error}"
        );
    }
}

/// What a cluster has free is held against what it has, and against time.
#[test]
fn what_several_jobs_share_makes_sense() {
    let refusal = |site: &str| {
        let text = format!(
            "clusters = [\"r7z2\"]\n[schedule]\nstart = \"2028-02-28\"\n\
             [schedule.clusters.r7z2]\n{site}\n[[jobs]]\nmodel = \"gpt-350m\"\n"
        );
        let file = JobFile::parse("job.toml", &text).unwrap();
        let agenda = resolve_ladder(file.ladder.unwrap(), &file.settings, &Catalog::embedded());
        agenda.map(|_| ()).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(refusal("capacity_nodes = 16"), Ok(()));
    let twice = refusal("[schedule.clusters.R7Z2]\ncapacity_nodes = 16").unwrap_err();
    assert!(
        twice.contains("two tables speak of `r7z2`") && twice.contains("job.toml:5:20"),
        "{twice}"
    );
    let past = "{ from = \"2028-02-26\", to = \"2028-02-27\" }";
    for (site, place, said) in [
        (
            "booked = [{ from = \"2028-03-01\", to = \"2028-03-01\" }]",
            "job.toml:5:11",
            "begins and ends at 2028-03-01T00:00Z",
        ),
        (
            "available = []",
            "job.toml:5:13",
            "no node of r7z2 is ever free",
        ),
        (
            &format!("available = [{past}]"),
            "job.toml:5:14",
            "without any window the nodes would be free at all times",
        ),
    ] {
        let told = refusal(site).unwrap_err();
        assert!(
            told.contains(place) && told.contains(said),
            "{site}: {told}"
        );
    }
}

#[test]
fn each_limit_of_reliability_refuses() {
    for setting in RELIABILITY_SETTINGS {
        let beyond = match setting.unit {
            "s" => vec![format!("'{}d'", setting.most / 86_400.0 + 1.0)],
            "nodes" => vec![(setting.most + 1.0).to_string()],
            _ => vec![
                (setting.least - 5e-4).to_string(),
                (setting.most * 2.0).to_string(),
            ],
        };
        let range = format!(
            "must be from {} to {} {}",
            setting.least, setting.most, setting.unit
        );
        for value in beyond {
            let name = setting.name;
            let set = format!("[reliability]\n{name} = {value}");
            let told = refusal(&format!("model = 'gpt-7b'\ntokens = '134B'\n{set}"));
            assert!(
                told.contains(&format!("`{name}`")) && told.contains(&range),
                "{told}"
            );
        }
    }
}

/// Two names of one key: the second is marked, with the first beside it.
#[test]
fn keys_that_mean_the_same_are_marked_where_they_stand() {
    let text = "model = \"gpt-1b\"\n[search]\ngpus = 8\ncheckpointing = \"on\"\n\
                activation_checkpointing = \"off\"\n[launch]\nname = \"a\"\n";
    let refusal = planned(text).unwrap_err();
    assert_eq!(
        refusal.message,
        "`checkpointing` and `activation_checkpointing` mean the same"
    );
    let marked: Vec<&str> = refusal
        .labels
        .iter()
        .map(|l| &text[l.span.clone()])
        .collect();
    assert_eq!(marked, ["activation_checkpointing", "checkpointing"]);
}
