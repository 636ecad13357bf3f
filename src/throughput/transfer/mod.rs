//! From the embedded tables to a few measurements of the user's own.
//!
//! A user's rows come from another stack, another cluster or another GPU, and there are few of
//! them: three, five, ten. Refitting everything to them would throw the shared physics away.
//! Instead the coefficients fitted to the embedded tables are the starting belief, loosened in
//! the ways in which the new place may differ, and only what the rows speak about moves.
//!
//! What differs is not known beforehand. Each [`Hypothesis`] loosens something else; all are
//! fitted, and the most probable one given the rows predicts (Bayesian model choice by Laplace's
//! approximation; `MacKay`, *Information Theory, Inference, and Learning Algorithms*, chapter 28). A
//! simple one wins when it explains the rows, since it spreads its bets less. What the others predict
//! otherwise widens the interval, by how probable they are.

mod other_links;

use std::cmp::Reverse;
use std::sync::Arc;

use crate::measure::Measurement;
use crate::stack::Stack;
use crate::throughput::context::{Context, Place, Rival};
use crate::throughput::elsewhere::generations;
use crate::throughput::fit::{FitError, Start};
use crate::throughput::foretold::foretold;
use crate::throughput::hypothesis::Hypothesis;
use crate::throughput::layer::{Layer, Unknown};
use crate::throughput::links::{self, Links, LinksOf};
use crate::throughput::residual::{Cell, Kernel};
use crate::throughput::scatter::Scatter;

/// Share of the embedded tables' correction that carries over on the same GPU architecture.
pub(crate) const CORRECTION_KEPT: f64 = 0.8;

/// Odds beforehand that it is the software that differs where the stack is called otherwise,
/// against a common factor or the links alone: a few rows can look alike by chance.
const RENAMED_STACK_ODDS: f64 = 12.0;

/// Odds beforehand that what the embedded tables don't foretell ran on later software, against each
/// other difference: their own software is of 2022, and its policy's name is in use still. The second
/// where rows name the measured stack themselves. Assumptions.
const LATER_ODDS: (f64, f64) = (2.0, 0.05);

/// An account of the rows that is less probable than this isn't kept: it would move no interval.
const LEAST_SHARE: f64 = 0.01;

/// Rows by which accounts are weighed, at most.
const MOST_WEIGHED: usize = 150;

/// What the rows say under a hypothesis.
#[derive(Clone)]
struct Weighed {
    hypothesis: Hypothesis,
    /// Logarithm of their probability, with the odds beforehand.
    plausibility: f64,
    scatter: Scatter,
    links: LinksOf,
}

/// Rows of one place.
struct Group {
    place: Place,
    rows: Vec<Measurement>,
}

impl Group {
    fn all(rows: &[Measurement]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for row in rows {
            let place = Place::of(&row.setting());
            match groups
                .iter_mut()
                .find(|group| group.place.is_same_as(&place))
            {
                Some(group) => group.rows.push(row.clone()),
                None => groups.push(Self {
                    place,
                    rows: vec![row.clone()],
                }),
            }
        }
        groups
    }

    /// Whether the base was measured on the same architecture.
    fn same_architecture(&self, base: &Layer) -> bool {
        base.rows
            .iter()
            .any(|(row, _)| Place::of(&row.setting()).same_architecture(&self.place))
    }

    /// Whether all rows are of stacks and hardware that a base knows.
    fn is_at_home(&self, base: &Layer) -> bool {
        let known = |row: &Measurement| base.unknown(&row.setting()) == Unknown::NOTHING;
        self.rows.iter().all(known)
    }

    /// What can differ here from a base.
    fn hypotheses(&self, base: &Layer) -> &'static [Hypothesis] {
        if self.is_at_home(base) && foretold(base, &self.rows) {
            &[
                Hypothesis::Same,
                Hypothesis::Scale,
                Hypothesis::Network,
                Hypothesis::Stack,
            ]
        } else if self.is_at_home(base) || self.same_architecture(base) {
            &[
                Hypothesis::Scale,
                Hypothesis::Network,
                Hypothesis::Stack,
                Hypothesis::Later,
            ]
        } else {
            &[Hypothesis::Gpu]
        }
    }

    /// What runs in place of the stack that the rows name.
    fn runs(&self, hypothesis: Hypothesis) -> Option<Arc<Stack>> {
        let later = hypothesis == Hypothesis::Later;
        let stack = &self.rows.first().filter(|_| later)?.stack;
        stack.later().map(Arc::new)
    }

    /// The context of the most probable account of the rows, with its rivals.
    fn fit(&self, base: &Layer) -> Result<Context, FitError> {
        let renamed = self.rows.iter().any(|row| !base.knows_stack(&row.stack));
        let told = self.rows.iter().any(|row| row.stack_told);
        // Whoever gives a stack a name of its own knows what it gathers.
        let own = |hypothesis: &Hypothesis| {
            *hypothesis != Hypothesis::Later || !renamed && self.runs(*hypothesis).is_some()
        };
        let mut accounts: Vec<Weighed> = Vec::new();
        let mut failure = FitError::NoRows;
        let sample = self.sample();
        for hypothesis in self.hypotheses(base).iter().copied().filter(own) {
            let odds = match hypothesis {
                Hypothesis::Stack if renamed => RENAMED_STACK_ODDS.ln(),
                Hypothesis::Later if told => LATER_ODDS.1.ln(),
                Hypothesis::Later => LATER_ODDS.0.ln(),
                _ => 0.0,
            };
            for weighed in sample.weighed(hypothesis, base) {
                match weighed {
                    Ok(weighed) => accounts.push(Weighed {
                        plausibility: weighed.plausibility + odds,
                        ..weighed
                    }),
                    Err(error) => failure = error,
                }
            }
        }
        // Of equals the one named first is kept.
        accounts.sort_by(|a, b| b.plausibility.total_cmp(&a.plausibility));
        let best = accounts.first().ok_or(failure)?;
        let odds = |account: &Weighed| (account.plausibility - best.plausibility).exp();
        let total: f64 = accounts.iter().map(odds).sum();
        let mut context = self.account(best, base)?;
        for rival in accounts.iter().skip(1) {
            let share = odds(rival) / total;
            if share < LEAST_SHARE {
                break;
            }
            let account = self.account(rival, base)?;
            context.rivals.push(Rival { share, account });
        }
        Ok(context)
    }

    /// The same rows, or so many of them evenly over all kinds: enough to tell accounts apart, whose
    /// fits take time with the cube of the rows.
    fn sample(&self) -> Self {
        let mut order: Vec<&Measurement> = self.rows.iter().collect();
        if order.len() > MOST_WEIGHED {
            // In whatever order they stand; the most nodes come first, and the first is always drawn.
            order.sort_by_cached_key(|row| {
                let run = &row.configuration;
                let kind = (Reverse(row.cluster.nodes(run.gpus)), run.gpus);
                let size = (row.shape.d_model, row.shape.n_layers, run.seq_len);
                let rest = (run.micro_batch, run.grad_accum);
                (kind, size, rest, row.throughput_tok_s.to_bits())
            });
        }
        let (rows, most) = (order.len(), MOST_WEIGHED.min(order.len()));
        let drawn = (0..most).filter_map(|draw| order.get(draw * rows / most));
        Self {
            place: self.place.clone(),
            rows: drawn.map(|row| (*row).clone()).collect(),
        }
    }

    /// One account of the rows.
    fn account(&self, weighed: &Weighed, base: &Layer) -> Result<Context, FitError> {
        let hypothesis = weighed.hypothesis;
        Ok(Context {
            place: self.place.clone(),
            layer: self.fit_under((hypothesis, &weighed.links), weighed.scatter, base)?,
            hypothesis,
            kept: self.kept(hypothesis, base),
            links: weighed.links.clone(),
            runs: self.runs(hypothesis),
            rivals: Vec::new(),
        })
    }

    /// How probable the rows are under a hypothesis, and how uneven they look then: with the links
    /// between their nodes as stated, and with others where the rows may tell.
    fn weighed(&self, hypothesis: Hypothesis, base: &Layer) -> Vec<Result<Weighed, FitError>> {
        let stated = LinksOf::STATED;
        if hypothesis == Hypothesis::Same {
            let layer = self.fit_under((hypothesis, &stated), Scatter::NONE, base);
            return vec![layer.map(|layer| Weighed {
                hypothesis,
                plausibility: layer.solution.log_evidence,
                scatter: Scatter::NONE,
                links: stated,
            })];
        }
        let others = self.other_links(hypothesis, base);
        let others = others.into_iter().map(|(links, alike)| {
            let weighed = self.at_links(hypothesis, links, base)?;
            Ok(Weighed {
                plausibility: weighed.plausibility + alike,
                ..weighed
            })
        });
        let stated = self.at_links(hypothesis, stated, base);
        std::iter::once(stated).chain(others).collect()
    }

    /// The same, the links given: levels of scatter are weighed by the rows' probability under each.
    fn at_links(
        &self,
        hypothesis: Hypothesis,
        links: LinksOf,
        base: &Layer,
    ) -> Result<Weighed, FitError> {
        let levels = self.scatters(hypothesis, base);
        let (scatter, plausibility) = Scatter::weighed(levels, FitError::NoRows, |scatter| {
            let layer = self.fit_under((hypothesis, &links), scatter, base)?;
            Ok(layer.solution.log_evidence)
        })?;
        Ok(Weighed {
            hypothesis,
            plausibility: plausibility + self.log_odds(&links, self.stated_odds(hypothesis, base)),
            scatter,
            links,
        })
    }

    /// Whether a base holds rows of several nodes of this very cluster.
    fn is_over_links_of(&self, base: &Layer) -> bool {
        let here = |row: &Measurement| {
            let several = row.spans_nodes();
            several
                && self
                    .rows
                    .iter()
                    .all(|own| own.cluster.name == row.cluster.name)
        };
        base.rows.iter().any(|(row, _)| here(row))
    }

    /// Whether a row was measured over links between nodes.
    fn spans_nodes(&self) -> bool {
        let linked = |row: &Measurement| row.spans_nodes();
        self.rows.iter().any(linked)
    }

    /// Odds beforehand that links between nodes carry what is stated. Where the network is supposed to
    /// differ, or all of the hardware was never measured, that is as unsure as the rest; those that the
    /// base was measured over are no more likely to be slower there than elsewhere.
    fn stated_odds(&self, hypothesis: Hypothesis, base: &Layer) -> f64 {
        let differs = matches!(hypothesis, Hypothesis::Network | Hypothesis::Gpu);
        let suspected = differs && self.spans_nodes();
        if suspected && !self.is_over_links_of(base) {
            links::DIFFERENT_ODDS
        } else {
            links::STATED_ODDS
        }
    }

    /// Levels of scatter to compare.
    fn scatters(&self, hypothesis: Hypothesis, base: &Layer) -> &'static [(Scatter, f64)] {
        if hypothesis == Hypothesis::Later || !self.is_at_home(base) {
            &Scatter::ELSEWHERE
        } else if foretold(base, &self.rows) {
            &Scatter::AT_HOME
        } else {
            &Scatter::UNFORETOLD
        }
    }

    /// The fit under a hypothesis, with links that carry a share of what is stated of them.
    fn fit_under(
        &self,
        (hypothesis, links): (Hypothesis, &LinksOf),
        scatter: Scatter,
        base: &Layer,
    ) -> Result<Layer, FitError> {
        let runs = self.runs(hypothesis);
        let as_run = |row: &Measurement| Measurement {
            cluster: match links.of(&row.cluster.name) {
                Links::STATED => Arc::clone(&row.cluster),
                links => Arc::new(links.of(&row.cluster)),
            },
            stack: Arc::clone(runs.as_ref().unwrap_or(&row.stack)),
            ..row.clone()
        };
        let rows: Vec<Measurement> = self.rows.iter().map(as_run).collect();
        let first = rows.first().ok_or(FitError::NoRows)?;
        let belief = base.belief_at(&first.setting());
        let kept = self.kept(hypothesis, base);
        let start = Start {
            belief: belief.loosened(|coefficient| hypothesis.freedom(coefficient)),
            kernel: match hypothesis {
                Hypothesis::Same => Kernel::MEASURED,
                _ => Kernel::TRANSFERRED,
            },
            scatter,
            merges_repeats: true,
            known: &|cell: &Cell| kept * base.solution.correction.kept_mean(cell),
            bad_runs: base.solution.bad_runs,
        };
        let mut layer = Layer::new(rows, &start)?;
        for ((row, _), stated) in layer.rows.iter_mut().zip(&self.rows) {
            row.cluster = Arc::clone(&stated.cluster);
            row.stack = Arc::clone(&stated.stack);
        }
        Ok(layer)
    }

    /// Share of the base's correction that carries over.
    fn kept(&self, hypothesis: Hypothesis, base: &Layer) -> f64 {
        if hypothesis == Hypothesis::Same {
            return 1.0;
        }
        let first = self.rows.first();
        first.map_or(0.0, |row| {
            CORRECTION_KEPT * (1.0 - generations(base, &row.setting()))
        })
    }
}

/// Fits a user's rows, place by place, on top of a base: the base with the rows that are more of
/// its own kind, and a context for each place that differs.
pub(crate) fn transfer(
    base: &Layer,
    rows: &[Measurement],
) -> Result<(Layer, Vec<Context>), FitError> {
    let mut alike = Vec::new();
    let mut different = Vec::new();
    for group in Group::all(rows) {
        let context = group.fit(base)?;
        match context.hypothesis {
            Hypothesis::Same => alike.extend(group.rows),
            _ => different.push((group, context)),
        }
    }
    if alike.is_empty() {
        let contexts = different.into_iter().map(|(_, context)| context);
        return Ok((base.clone(), contexts.collect()));
    }
    let all = base.rows.iter().map(|(row, _)| row.clone()).chain(alike);
    let base = Layer::base(all.collect())?;
    let contexts = different
        .iter()
        .map(|(group, _)| group.fit(&base))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((base, contexts))
}
