//! A fit as one setting sees it: which rows speak for it, and what remains unknown.

use super::Fit;
use super::bad_runs::BadRuns;
use super::coefficients::{COEFFICIENTS, COUNT, Values};
use super::context::{Context, Rival};
use super::elsewhere::generations;
use super::fit::{Belief, Correction, Square, Uncertainty, Vector};
use super::layer::{Acquaintance, Layer, Unknown};
use super::links::Links;
use super::physics::Rates;
use super::residual::{Cell, Kernel, bounded, tokens_measured_near};
use super::scatter::Scatter;
use super::transfer::CORRECTION_KEPT;
use super::workload::Workload;
use crate::configuration::{Configuration, Setting};
use crate::memory::RanAs;
use crate::stack::Stack;

/// Standard deviation of the logarithm of what links between nodes carry, where none like them was
/// measured. Their rate is on a datasheet; of it a large collective reaches nine tenths where all is
/// tuned, and six tenths at the lower end of nine in ten clusters: an assumption.
const LINKS_SD: f64 = 0.25;

/// A fit as one setting sees it.
///
/// Three cases: a user's own rows speak for the setting; the embedded tables do; or nothing was
/// ever measured on its stack or GPU. Then the physics carries over with loosened coefficients,
/// and the residual correction is as wide as it is before a single row is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    layer: &'a Layer,
    /// The correction of the layer's own cells; `None` where they don't speak for the setting.
    correction: Option<&'a Correction>,
    /// Another layer's correction, and the share of it that carries over.
    inherited: Option<(&'a Correction, f64)>,
    unknown: Unknown,
    /// What the links between nodes carry.
    links: Links,
    /// What runs in place of the stack that a setting names.
    runs: Option<&'a Stack>,
}

impl Fit {
    /// This fit as a setting sees it.
    pub(super) fn view(&self, setting: &Setting<'_>) -> View<'_> {
        self.view_by(self.context(setting), setting)
    }

    /// The rows of a setting's place, and the same by the rival accounts of them, each with how probable
    /// it is. An account that doesn't speak for the setting leaves it to the base.
    pub(super) fn rival_views(
        &self,
        setting: &Setting<'_>,
    ) -> (Option<&Context>, Vec<(f64, View<'_>)>) {
        let of_place = |context: &&Context| context.is_of_place(setting);
        let context = self.contexts.iter().find(of_place);
        let rivals = context.map_or(&[][..], |context| &context.rivals);
        let mut views = Vec::with_capacity(rivals.len());
        for Rival { share, account } in rivals {
            let speaks = Some(account).filter(|account| account.covers(setting));
            views.push((*share, self.view_by(speaks, setting)));
        }
        (context, views)
    }

    fn view_by<'a>(&'a self, context: Option<&'a Context>, setting: &Setting<'_>) -> View<'a> {
        let base = &self.base;
        let correction = &base.solution.correction;
        let mut unknown = base.unknown(setting);
        if let Some(context) = context {
            let own = context.layer.unknown(setting);
            let untold = context.shows_links_of(setting.cluster).is_none();
            // Hardware that the base has measured differs from a context's as it does there.
            unknown = Unknown {
                stack: own.stack,
                gpu: own.gpu.min(unknown.gpu),
                links: own.links && unknown.links && untold,
                between_nodes: own.between_nodes && unknown.between_nodes && untold,
            };
            return View {
                layer: &context.layer,
                correction: Some(&context.layer.solution.correction),
                inherited: Some((correction, context.kept)),
                unknown,
                links: context.links_of(setting.cluster),
                runs: context.runs.as_deref(),
            };
        }
        let joined = self.joined_links(setting.cluster);
        unknown.links &= joined.is_none();
        unknown.between_nodes &= joined.is_none();
        let strange = unknown.gpu == Acquaintance::Strange;
        let measured = !unknown.stack && !strange;
        // On another architecture a correction means less the farther away it is.
        let same_gpu = 1.0 - generations(base, setting);
        let kept = if unknown.stack {
            CORRECTION_KEPT * same_gpu
        } else {
            same_gpu
        };
        View {
            layer: base,
            correction: measured.then_some(correction),
            inherited: (!measured).then_some((correction, kept)),
            unknown,
            links: joined.map_or(Links::STATED, |(_, links)| links),
            runs: None,
        }
    }
}

impl<'a> View<'a> {
    /// Bad runs as this view's rows show them.
    pub(super) fn bad_runs(&self) -> BadRuns {
        self.layer.solution.bad_runs
    }

    /// How uneven measured rows are where this view speaks.
    pub(super) fn scatter(&self) -> Scatter {
        match self.correction {
            Some(_) => self.layer.solution.scatter,
            None => Scatter::BELIEVED,
        }
    }

    /// The setting as it is run.
    pub(super) fn as_run<'s>(&self, setting: &Setting<'s>) -> Setting<'s>
    where
        'a: 's,
    {
        Setting {
            stack: self.runs.unwrap_or(setting.stack),
            ..*setting
        }
    }

    /// What runs in place of the stack that a setting names.
    pub(super) fn runs(&self) -> Option<&'a Stack> {
        self.runs
    }

    /// Bytes of memory to spare from which on runs are at full speed, as far as rows tell.
    pub(super) fn full_speed_margin(&self) -> f64 {
        self.layer.full_speed_margin.unwrap_or(f64::INFINITY)
    }

    /// Runs of a setting's kind that ran though they are estimated to be short of memory.
    pub(super) fn ran(&self, setting: &Setting<'_>) -> Vec<RanAs> {
        self.layer.ran(setting)
    }

    /// What the links between nodes carry.
    pub(super) fn links(&self) -> Links {
        self.links
    }

    /// The corrections that add up to that of the setting, each with its share.
    /// `cell` is any cell of the setting.
    pub(super) fn corrections(&self, cell: &Cell) -> impl Iterator<Item = (&'a Correction, f64)> {
        let own = self.correction.map(|correction| (correction, 1.0));
        let all = own.into_iter().chain(self.inherited);
        all.map(move |(correction, share)| (correction, share * correction.share_kept(cell)))
    }

    /// The expected correction of the log step time.
    pub(super) fn correction(&self, cell: &Cell) -> f64 {
        let own = self
            .correction
            .map_or(0.0, |correction| correction.kept_mean(cell));
        let inherited = self
            .inherited
            .map_or(0.0, |(correction, kept)| kept * correction.kept_mean(cell));
        bounded(own + inherited)
    }

    /// The logarithm of a configuration's expected seconds per step; `cell` is its own.
    pub(super) fn log_step_s(
        &self,
        setting: &Setting<'_>,
        configuration: &Configuration,
        cell: &Cell,
    ) -> f64 {
        let Configuration {
            gpus,
            seq_len,
            activation_checkpointing,
            ..
        } = *configuration;
        let run = self.as_run(setting);
        let work = self
            .links
            .workload(&run, gpus, seq_len, activation_checkpointing);
        let rates = Rates::new(&work, &self.values(setting));
        let tokens = configuration.micro_batch_tokens() as f64;
        let (log_step, _) = rates.log_step(tokens, configuration.grad_accum as f64);
        log_step + self.correction(cell)
    }

    /// The expected coefficients at a setting.
    pub(super) fn values(&self, setting: &Setting<'_>) -> Values {
        self.belief(setting).values()
    }

    /// What is believed of the coefficients at a setting: what the rows left open, loosened by
    /// what they never saw.
    pub(super) fn belief(&self, setting: &Setting<'_>) -> Belief {
        let unknown = self.unknown;
        self.layer
            .belief_at(setting)
            .loosened(|coefficient| unknown.sd(&coefficient.loosening))
    }

    /// Whether no row ran between nodes linked like the setting's.
    pub(super) fn has_unshown_links(&self) -> bool {
        self.unknown.between_nodes
    }

    /// Standard deviation of the logarithm of what links between nodes carry; `None` where rows ran
    /// over links like them.
    pub(super) fn links_sd(&self) -> Option<f64> {
        let found = self.links.sd();
        if self.unknown.between_nodes {
            Some(found.unwrap_or(0.0).hypot(LINKS_SD))
        } else {
            found
        }
    }

    /// What the correction leaves open at a cell.
    pub(super) fn uncertainty(&self, cell: &Cell) -> Uncertainty {
        match self.correction {
            Some(correction) => correction.uncertainty(cell),
            None => Uncertainty::before_any_row(&Kernel::TRANSFERRED),
        }
    }

    /// Covariance of the correction's error between two cells that this view speaks for, each with
    /// its [`View::uncertainty`].
    pub(super) fn covariance(&self, a: (&Cell, &Uncertainty), b: (&Cell, &Uncertainty)) -> f64 {
        match self.correction {
            Some(correction) => correction.covariance(a, b),
            None => Kernel::TRANSFERRED.covariance(a.0, b.0),
        }
    }

    /// Whether errors of two views come from the same rows, and so are shared.
    pub(super) fn shares_rows_with(&self, other: &View<'_>) -> bool {
        std::ptr::eq(self.layer, other.layer)
            && self.correction.is_some() == other.correction.is_some()
    }

    /// Share of matrix time that partly filled waves may waste beyond what the cells measured
    /// around a point show: kernels lose efficiency with fewer tokens, and never gain any.
    /// `more` are cells measured since.
    pub(super) fn unmeasured_waves(&self, work: &Workload, cell: &Cell, more: &[&Cell]) -> f64 {
        let own = &self.layer.solution.correction.cells;
        // The layer's cells stand in for a place that was never measured until one of its own is.
        let speaks = self.correction.is_some() || more.is_empty();
        let cells: Vec<&Cell> = own
            .iter()
            .filter(|_| speaks)
            .chain(more.iter().copied())
            .collect();
        let measured = tokens_measured_near(cell, &cells).exp2();
        let tokens = cell.at[Cell::TOKENS].exp2();
        (work.partial_wave / tokens - work.partial_wave / measured).clamp(0.0, 1.0)
    }
}

/// How far coefficients stray between configurations that one constant stands for.
pub(super) fn variation() -> Square {
    let variances: [f64; COUNT] = COEFFICIENTS.map(|coefficient| coefficient.variation.powi(2));
    Square::from_diagonal(&Vector::from(variances))
}
