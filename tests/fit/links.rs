//! What rows tell of links between nodes, and of which nodes that is believed.

use std::sync::Arc;

use tminus::configuration::{Configuration, Setting};
use tminus::hardware::Cluster;
use tminus::measure::Measurement;
use tminus::preset::Catalog;
use tminus::quantity::Confidence;
use tminus::throughput::Fit;

use super::{BASE, ROWS, assert_in_readme, predicted, rest_after, threes};

#[test]
fn three_rows_tell_that_the_links_between_nodes_carry_an_eighth() {
    let on_nodes = |row: &Measurement, nodes: u64| {
        let mut row = row.clone();
        row.configuration.gpus *= nodes;
        let slow = Cluster {
            inter_node_bytes_per_s: row.cluster.inter_node_bytes_per_s.map(|rate| rate / 8.0),
            ..(*row.cluster).clone()
        };
        let setting = Setting {
            cluster: &slow,
            ..row.setting()
        };
        row.throughput_tok_s = predicted(&row, &setting);
        row
    };
    let r1z1 = ROWS.iter().filter(|row| row.cluster.name == "r1z1");
    let rows: Vec<Measurement> = r1z1
        .flat_map(|row| [1, 2, 4].map(|nodes| on_nodes(row, nodes)))
        .collect();
    let errors: Vec<f64> = threes(&rows)
        .map(|few| {
            let mut place = 0;
            // The first from a single node, the next from two, the last from four.
            let few = few.map(|index| {
                place += 1;
                index - index % 3 + place - 1
            });
            let one_node: Vec<Measurement> = few
                .iter()
                .map(|index| rows[*index].clone())
                .chain(
                    rows.iter()
                        .filter(|row| row.configuration.gpus == 8)
                        .cloned(),
                )
                .collect();
            let alone = rest_after(&[0, 1, 2], &one_node).mape;
            assert!(alone < 0.04, "{few:?}: {alone}");
            rest_after(&few, &rows).mape
        })
        .collect();
    assert!(errors.iter().all(|error| *error < 0.07), "{errors:?}");
    assert_in_readme(
        "3 rows of links between nodes that carry an eighth (synthetic)",
        &errors,
    );
}

/// A cluster of `name` whose nodes hold eight A100-80GB, linked at so many Gbit/s.
fn linked(name: &str, gbit_per_s: f64) -> Arc<Cluster> {
    let catalog = Catalog::embedded();
    let r1z1 = catalog.cluster("r1z1").unwrap();
    Arc::new(Cluster {
        name: name.to_owned(),
        inter_node_bytes_per_s: Some(gbit_per_s * 1e9 / 8.0),
        ..r1z1.clone()
    })
}

/// Runs on one to eight nodes.
fn runs() -> Vec<Measurement> {
    let seq_2048 = |row: &&Measurement| {
        let run = &row.configuration;
        row.cluster.name == "r1z1" && run.seq_len == 2048
    };
    let on_nodes = |row: &Measurement, nodes: u64| {
        let run = row.configuration;
        Measurement {
            configuration: Configuration {
                gpus: nodes * run.gpus,
                grad_accum: (run.grad_accum / nodes).max(1),
                ..run
            },
            ..row.clone()
        }
    };
    let one_node = ROWS.iter().filter(seq_2048);
    one_node
        .enumerate()
        .map(|(place, row)| on_nodes(row, [1, 2, 4, 8][place % 4]))
        .collect()
}

/// These runs at the speed that they have on `links`, as rows of `cluster`.
fn over(runs: &[Measurement], links: &Arc<Cluster>, cluster: &Arc<Cluster>) -> Vec<Measurement> {
    let at_speed = |row: &Measurement| {
        let cluster_of = |cluster: &Arc<Cluster>| Measurement {
            cluster: Arc::clone(cluster),
            ..row.clone()
        };
        let run = cluster_of(links);
        Measurement {
            throughput_tok_s: predicted(&run, &run.setting()),
            ..cluster_of(cluster)
        }
    };
    runs.iter().map(at_speed).collect()
}

/// Mean error, as a share, of what a fit predicts of rows on a cluster.
fn off(fit: &Fit, rows: &[Measurement], cluster: &Cluster) -> f64 {
    let errors = rows.iter().map(|row| {
        let setting = Setting {
            cluster,
            ..row.setting()
        };
        let prediction = fit.predict(&setting, &row.configuration, Confidence::default());
        (prediction.throughput_tok_s.expected / row.throughput_tok_s - 1.0).abs()
    });
    errors.sum::<f64>() / rows.len() as f64
}

fn every(step: usize, rows: &[Measurement]) -> Vec<Measurement> {
    rows.iter().step_by(step).cloned().collect()
}

/// What is assumed of a cluster that rows don't describe says nothing of one that is described since:
/// its links are those that were measured, and not a share of what is stated.
#[test]
fn slow_links_are_counted_once_whatever_is_stated_of_them_later() {
    for (name, gbit_per_s) in [("beta", 200.0), ("beta", 100.0), ("a100-80gb", 100.0)] {
        let assumed = linked(name, 1600.0);
        let truth = linked("beta", gbit_per_s);
        let rows = over(&runs(), &truth, &assumed);
        let fit = BASE.on_top("few", &every(5, &rows)).unwrap();
        let later = off(&fit, &rows, &truth);
        assert!(later < 0.06, "{name} {gbit_per_s}: {later}");
        // Nodes that are stated to be slower than what was measured are others.
        let slower = linked("gamma", gbit_per_s / 4.0);
        let elsewhere = off(&fit, &over(&runs(), &slower, &slower), &slower);
        assert!(elsewhere < 0.12, "{name} {gbit_per_s}: {elsewhere}");
    }
}

/// Rows that are explained by what was stated of links when they were fitted show it to be so: whatever is
/// stated later is said not to count.
#[test]
fn links_that_rows_ran_over_are_theirs_whatever_is_stated_later() {
    let there = linked("mine", 1600.0);
    // Of the embedded rows' kind, and slower than these.
    for share in [1.0, 0.8] {
        let mut rows = over(&runs(), &there, &there);
        for row in &mut rows {
            row.throughput_tok_s *= share;
        }
        let fit = BASE.on_top("few", &every(5, &rows)).unwrap();
        let described = linked("mine", 200.0);
        for cluster in [&there, &described] {
            let found = off(&fit, &rows, cluster);
            assert!(found < 0.05, "{share}: {found}");
        }
        let setting = Setting {
            cluster: &described,
            ..rows[0].setting()
        };
        let said = fit.silence(&setting).unwrap_or_default();
        assert!(
            said.contains("described as 200 Gbit/s") && said.contains("ran over them as 1,600"),
            "{share}: {said}"
        );
        // Another cluster is as it is described.
        let other = linked("another", 200.0);
        let mut elsewhere = over(&runs(), &other, &other);
        for row in &mut elsewhere {
            row.throughput_tok_s *= share;
        }
        let found = off(&fit, &elsewhere, &other);
        assert!(found < 0.1, "{share}: {found}");
    }
}

/// Fitted alone, rows hold for the links that they ran over as well, and for all that they don't name.
#[test]
fn links_of_rows_fitted_alone_are_theirs_whatever_is_stated_later() {
    let there = linked("mine", 1600.0);
    let rows = over(&runs(), &there, &there);
    let fit = Fit::alone("alone", every(2, &rows)).unwrap();
    let described = linked("mine", 200.0);
    let (then, now) = (off(&fit, &rows, &there), off(&fit, &rows, &described));
    assert!((then - now).abs() < 1e-9, "{then} {now}");
    let silence = |cluster: &Cluster| {
        let setting = Setting {
            cluster,
            ..rows[0].setting()
        };
        fit.silence(&setting)
    };
    let said = silence(&described).unwrap_or_default();
    assert!(said.contains("described as 200 Gbit/s"), "{said}");
    assert_eq!(silence(&there), None);
    let other = Cluster {
        gpu: Catalog::embedded().gpu("h100").unwrap().clone(),
        ..(*linked("another", 200.0)).clone()
    };
    assert_eq!(silence(&other), None);
}

#[test]
fn each_of_two_clusters_has_links_of_its_own() {
    let (fast, slow) = (linked("alpha", 1600.0), linked("beta", 200.0));
    let taken = linked("beta", 1600.0);
    let alpha = over(&runs(), &fast, &fast);
    let beta = over(&runs(), &slow, &taken);
    let few = [every(6, &alpha), every(6, &beta)].concat();
    let fit = BASE.on_top("few", &few).unwrap();
    let (on_alpha, on_beta) = (off(&fit, &alpha, &fast), off(&fit, &beta, &taken));
    assert!(on_alpha < 0.05, "{on_alpha}");
    assert!(on_beta < 0.08, "{on_beta}");
}

/// The rate of one network card is easily stated for that of a node.
#[test]
fn links_stated_too_slow_are_found_to_be_faster() {
    let (truth, stated) = (linked("lab", 1600.0), linked("lab", 200.0));
    let rows = over(&runs(), &truth, &stated);
    let fit = BASE.on_top("few", &every(6, &rows)).unwrap();
    let found = off(&fit, &rows, &stated);
    assert!(found < 0.05, "{found}");
}
