//! Runs made up by changing one thing in the physics: the right cause has to be found, or its
//! ambiguity said.

mod booking;
mod law;
mod under_way;
mod verdict;

use super::*;
use crate::fit_file::embedded_fit;
use crate::preset::Catalog;
use crate::stack::Stack;
use crate::throughput::coefficients::{Id, Values};
use crate::throughput::physics::Rates;
use crate::throughput::workload::Workload;

/// A planned run in a world that can be changed.
struct World {
    catalog: Catalog,
    fit: Fit,
    model: &'static str,
    cluster: &'static str,
    configuration: Configuration,
    booking: Option<PlannedBooking>,
    reliability: Option<crate::forecast::Reliability>,
    /// Another fit that made the plan, and how many times as fast as this one it is there.
    planned_by: Option<(&'static str, f64)>,
    product: Option<Product>,
    start: Option<crate::calendar::Moment>,
    /// Tokens done of the billion planned.
    done: u64,
    /// When they were counted.
    at: Option<crate::calendar::Moment>,
}

impl World {
    fn new(model: &'static str, gpus: u64, micro_batch: u64, grad_accum: u64) -> Self {
        Self {
            catalog: Catalog::embedded(),
            fit: embedded_fit().unwrap(),
            model,
            cluster: if gpus > 8 { "r7z2" } else { "r1z1" },
            configuration: Configuration {
                gpus,
                seq_len: 2048,
                micro_batch,
                grad_accum,
                activation_checkpointing: true,
            },
            booking: None,
            reliability: None,
            planned_by: None,
            product: None,
            start: None,
            done: 250_000_000,
            at: None,
        }
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            shape: &self.catalog.model(self.model).unwrap().shape,
            cluster: self.catalog.cluster(self.cluster).unwrap(),
            stack: self.stack(),
        }
    }

    fn stack(&self) -> &Stack {
        self.catalog.stack("fp32-gather").unwrap()
    }

    fn expected(&self, configuration: &Configuration) -> Interval {
        let confidence = Confidence::default();
        self.fit
            .predict(&self.setting(), configuration, confidence)
            .throughput_tok_s
    }

    /// Tokens per second where the coefficients are others by these factors: from the physics
    /// itself.
    fn changed(&self, configuration: &Configuration, factors: &[(Id, f64)]) -> f64 {
        let work = Workload::new(
            &self.setting(),
            configuration.gpus,
            configuration.seq_len,
            configuration.activation_checkpointing,
        );
        let values = self.fit.layers().next().unwrap().values;
        let step = |values: &Values| {
            let rates = Rates::new(&work, values);
            let tokens = configuration.micro_batch_tokens() as f64;
            rates.micro_step_s(tokens) * configuration.grad_accum as f64 + rates.per_step_s()
        };
        let mut fitted = *values.fitted();
        for &(id, factor) in factors {
            fitted[id as usize] += factor.ln();
        }
        self.expected(configuration).expected * step(&values) / step(&Values::new(fitted))
    }

    fn compare(&self, tok_s: f64, related: &[(Configuration, f64)]) -> Comparison {
        self.try_compare(tok_s, related).unwrap()
    }

    fn try_compare(
        &self,
        tok_s: f64,
        related: &[(Configuration, f64)],
    ) -> Result<Comparison, FinishError> {
        let (fit, faster) = self.planned_by.unwrap_or((self.fit.name(), 1.0));
        let planned = self.expected(&self.configuration).scale(faster);
        let hours = planned.invert(1e9 / 3600.0);
        let run = PlannedRun {
            rank: 1,
            cluster: self.cluster.into(),
            configuration: self.configuration,
            gpu: None,
            nodes: None,
            spare_nodes: None,
            throughput_tok_s: planned,
            train_h: hours,
            time_to_budget_h: hours.scale(1.25),
            cost_usd: Some(hours.scale(10.0)),
            booking: self.booking.clone(),
        };
        let plan = PlanFile {
            booked: None,
            start: None,
            knee: None,
            model: self.model.into(),
            stack: "fp32-gather".into(),
            tokens: Tokens::new(1_000_000_000).unwrap(),
            confidence: Confidence::default(),
            fit: fit.into(),
            params: None,
            asks_booking: false,
            reliability: self.reliability,
            candidates: vec![run.clone()],
        };
        let rows: Vec<Measurement> = related
            .iter()
            .map(|(configuration, tok_s)| Measurement {
                model: self.model.into(),
                shape: *self.setting().shape,
                cluster: Arc::new(self.setting().cluster.clone()),
                stack: Arc::new(self.stack().clone()),
                stack_told: true,
                configuration: *configuration,
                throughput_tok_s: *tok_s,
                line: 2,
            })
            .collect();
        let launched = Launched {
            plan: &plan,
            run: &run,
            setting: self.setting(),
            measured_tok_s: tok_s,
            related: &rows.iter().collect::<Vec<_>>(),
            product: self.product.as_ref(),
            done: Tokens::new(self.done).ok(),
            start: self.start.or("2026-12-01T09:00Z".parse().ok()),
            at: self.at,
        };
        compare(&launched, &self.fit)
    }
}

const SLOW_NETWORK: &[(Id, f64)] = &[(Id::BusBandwidth, 0.4)];
const SLOW_MATMUL: &[(Id, f64)] = &[(Id::MatmulEfficiency, 0.8)];
const SLOW_LAUNCHES: &[(Id, f64)] = &[(Id::LayerOverhead, 4.0), (Id::Fixed, 4.0)];

#[test]
fn a_run_as_planned_needs_no_cause() {
    let world = World::new("gpt-7b", 8, 4, 32);
    let expected = world.expected(&world.configuration).expected;
    let found = world.compare(expected, &[]);
    assert!(found.as_planned && found.plan_agrees && found.causes.is_empty());
    assert!((found.quantile - 0.5).abs() < 0.01, "{}", found.quantile);
    let low = world.compare(world.expected(&world.configuration).low, &[]);
    assert!((low.quantile - 0.05).abs() < 1e-3, "{}", low.quantile);
}

#[test]
fn what_stands_out_is_named() {
    let small_batches = World::new("gpt-7b", 8, 1, 128);
    let large_batches = World::new("gpt-1b", 8, 16, 4);
    for (world, change, kind) in [
        (&small_batches, SLOW_NETWORK, CauseKind::Network),
        (&large_batches, SLOW_MATMUL, CauseKind::Kernels),
    ] {
        let tok_s = world.changed(&world.configuration, change);
        let found = world.compare(tok_s, &[]);
        assert!(!found.as_planned, "{kind:?}");
        let of_kind = |cause: &&ExplainedCause| cause.kind == kind;
        let probability: f64 = found
            .causes
            .iter()
            .filter(of_kind)
            .map(|cause| cause.probability)
            .sum();
        assert_eq!(found.causes[0].kind, kind, "{:#?}", found.causes);
        assert!(probability > 0.5, "{kind:?}: {:#?}", found.causes);
    }
}

/// Launches and links both cost the same however large the micro-batch: one number tells them
/// neither from each other nor from the model's error, and several do.
#[test]
fn launches_take_several_measurements() {
    let world = World::new("gpt-125m", 8, 8, 4);
    let tok_s = world.changed(&world.configuration, SLOW_LAUNCHES);
    let alone = world.compare(tok_s, &[]);
    assert!(!alone.as_planned && alone.ambiguous, "{:#?}", alone.causes);
    let others = [(1, 32), (2, 16), (4, 8)].map(|(micro_batch, grad_accum)| {
        let configuration = Configuration {
            micro_batch,
            grad_accum,
            ..world.configuration
        };
        (configuration, world.changed(&configuration, SLOW_LAUNCHES))
    });
    let found = world.compare(tok_s, &others);
    assert_eq!(
        found.causes[0].kind,
        CauseKind::LaunchBound,
        "{:#?}",
        found.causes
    );
}

#[test]
fn a_slow_day_on_several_nodes_is_taken_for_one() {
    let world = World::new("gpt-7b", 32, 8, 4);
    let change = &[(Id::MatmulEfficiency, 0.6)];
    let tok_s = world.changed(&world.configuration, change);
    let found = world.compare(tok_s, &[]);
    assert_eq!(found.causes[0].cause, Cause::BadDay, "{:#?}", found.causes);
    // The same kernels on one node as well are no bad day.
    let one_node = Configuration {
        gpus: 8,
        micro_batch: 4,
        ..world.configuration
    };
    let again = world.changed(&one_node, change);
    let found = world.compare(tok_s, &[(one_node, again)]);
    assert_ne!(found.causes[0].cause, Cause::BadDay, "{:#?}", found.causes);
}

#[test]
fn the_measurement_named_tells_the_causes_apart() {
    let world = World::new("gpt-7b", 8, 4, 32);
    for (change, cause) in [
        (&[(Id::BusBandwidth, 0.4)][..], Cause::GpuLinks),
        (&[(Id::MatmulEfficiency, 0.85)][..], Cause::Matmul),
    ] {
        let tok_s = world.changed(&world.configuration, change);
        let found = world.compare(tok_s, &[]);
        assert!(found.ambiguous, "{cause:?}: {:#?}", found.causes);
        let next = found.next.unwrap();
        assert!(next.wrong_after < next.wrong_before);
        let other = world.changed(&next.configuration, change);
        let told = next
            .expected
            .iter()
            .find(|expected| expected.cause == cause);
        let off = told.unwrap().tok_s / other - 1.0;
        assert!(off.abs() < 0.05, "{cause:?}: {off}");
        let found = world.compare(tok_s, &[(next.configuration, other)]);
        assert_eq!(found.causes[0].cause, cause, "{:#?}", found.causes);
        assert!(!found.ambiguous, "{:#?}", found.causes);
    }
}

#[test]
fn faster_than_planned_is_explained_too() {
    let world = World::new("gpt-7b", 8, 1, 128);
    let tok_s = world.changed(&world.configuration, &[(Id::BusBandwidth, 2.5)]);
    let found = world.compare(tok_s, &[]);
    assert!(!found.as_planned && found.quantile > 0.9);
    // What can only slow a run down is no cause of a fast one, of several nodes either.
    let several = World::new("gpt-125m", 32, 16, 8);
    let fast = several.compare(1.4 * several.expected(&several.configuration).high, &[]);
    for found in [&found, &fast] {
        let slows = |c: &ExplainedCause| c.probability > 0.0 && c.cause.only_slows();
        assert!(!found.causes.is_empty() && !found.causes.iter().any(slows));
    }
    let links = found.causes.iter().find(|c| c.cause == Cause::GpuLinks);
    let factor = links.unwrap().factor.unwrap();
    assert!((factor.expected * 2.5 - 1.0).abs() < 0.2, "{factor:?}");
    assert_eq!(
        found.causes[0].cause,
        Cause::GpuLinks,
        "{:#?}",
        found.causes
    );
}

#[test]
fn probabilities_add_up_and_causes_are_in_order() {
    let world = World::new("gpt-3b", 16, 4, 8);
    let expected = world.expected(&world.configuration).expected;
    for share in [1e-6, 0.3, 0.6, 0.8, 1.3, 3.0, 1e6] {
        let found = world.compare(expected * share, &[]);
        let total: f64 = found.causes.iter().map(|cause| cause.probability).sum();
        assert!((total - 1.0).abs() < 1e-9, "{share}: {total}");
        let ordered = |pair: &[ExplainedCause]| pair[0].probability >= pair[1].probability;
        assert!(found.causes.windows(2).all(ordered));
        assert!((0.0005..=0.9995).contains(&found.quantile));
    }
}

#[test]
fn the_finish_is_that_of_the_measured_speed() {
    let world = World::new("gpt-7b", 8, 4, 32);
    let half = world.expected(&world.configuration).expected / 2.0;
    let finish = world.compare(half, &[]).finish;
    let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
    assert!(close(
        finish.time_to_budget_h.expected,
        2.0 * finish.planned_h.expected
    ));
    assert!(close(
        finish.remaining_h.expected,
        1.5 * finish.planned_h.expected
    ));
    let (now, planned) = (finish.cost_usd.unwrap(), finish.planned_usd.unwrap());
    assert!(close(now.expected, 2.0 * planned.expected));
    assert_eq!(finish.remaining_tokens, 750_000_000);
    assert!(finish.finish.unwrap() > finish.planned_finish.unwrap());
}

/// What another fit than the plan's foresees otherwise is no cause of anything.
#[test]
fn a_plan_of_another_fit_is_told_no_causes() {
    let mut world = World::new("gpt-7b", 8, 4, 32);
    let half = world.expected(&world.configuration).expected / 2.0;
    assert!(!world.compare(half, &[]).causes.is_empty());
    world.planned_by = Some(("mine", 0.8));
    let found = world.compare(half, &[]);
    assert!(
        !found.as_planned && !found.plan_agrees && found.causes.is_empty() && found.next.is_none()
    );
    // One that says the same of this run, or the same one of another version, is weighed.
    for planned_by in [("mine", 1.0), ("mosaicgpt-2023", 0.8)] {
        world.planned_by = Some(planned_by);
        assert!(
            !world.compare(half, &[]).causes.is_empty(),
            "{planned_by:?}"
        );
    }
}

#[test]
fn the_row_reads_back() {
    let world = World::new("gpt-7b", 8, 4, 32);
    let found = world.compare(25_700.25, &[]);
    let table = crate::measure::read("row.csv", &found.fit_row_csv, &world.catalog).unwrap();
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.rows[0].configuration, world.configuration);
    assert_eq!(table.rows[0].throughput_tok_s.to_string(), "25700.25");
    assert_eq!(table.rows[0].shape, *world.setting().shape);
}

/// The share of a plan made with another fit is that of its own interval.
#[test]
fn a_plan_s_own_interval_tells_its_share() {
    let planned = Interval {
        low: 900.0,
        expected: 1000.0,
        high: 1150.0,
    };
    let share = |tok_s: f64| quantile_of(planned, Confidence::default(), tok_s);
    for (tok_s, expected) in [(900.0, 0.05), (1150.0, 0.95), (1000.0, 0.5)] {
        assert!((share(tok_s) - expected).abs() < 0.01, "{}", share(tok_s));
    }
    assert!(share(990.0) > share(950.0) && share(950.0) > share(800.0));
    assert!((share(100.0) - 0.0005).abs() < 1e-6 && (share(1e6) - 0.9995).abs() < 1e-6);
}
