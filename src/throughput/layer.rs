//! One fitted layer: coefficients and correction for the rows of one place.

use super::bad_runs::BadRuns;
use super::coefficients::{Id, Link, Loosening};
use super::elsewhere::expected_change;
use super::fit::{Belief, FitError, Solution, Start, solve};
use super::residual::{Cell, Kernel};
use super::room::{Short, is_of_one_kind, may_need_less, short_of_memory};
use super::scatter::Scatter;
use crate::configuration::Setting;
use crate::measure::Measurement;
use crate::memory::RanAs;
use crate::stack::Stack;

/// What the model knows of one place: its rows, and coefficients and correction fitted to them.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) rows: Vec<(Measurement, Cell)>,
    pub(crate) solution: Solution,
    /// Bytes of memory to spare from which on rows ran at full speed; `None` where none is nearer to
    /// the limit than what fits.
    pub(crate) full_speed_margin: Option<f64>,
    /// Runs that were measured though they are estimated to be short of memory, by their rows.
    ran: Vec<(Measurement, RanAs)>,
}

/// The more probable of two accounts of rows: that all ran as with memory to spare, or that the slow ones
/// among those short of it were under pressure, which says next to nothing of their speed without. Rows
/// that don't tell their stack may be of one that needs less memory, and later stacks run at full speed.
fn solve_under_pressure(
    rows: &[Measurement],
    margins: &[Option<f64>],
    start: &Start<'_>,
) -> Result<Solution, FitError> {
    let as_any = solve(rows, &[], start);
    let short: Vec<bool> = margins.iter().map(Option::is_some).collect();
    if !short.contains(&true) {
        return as_any;
    }
    let Ok(by_others) = solve(rows, &short, start) else {
        return as_any;
    };
    let slow = by_others.slower.iter().map(|slower| *slower > PRESSED);
    let pressed: Vec<bool> = short.iter().zip(slow).map(|(a, b)| *a && b).collect();
    if !pressed.contains(&true) {
        return as_any;
    }
    let under_pressure = if pressed == short {
        by_others
    } else {
        match solve(rows, &pressed, start) {
            Ok(under_pressure) => under_pressure,
            Err(_) => return as_any,
        }
    };
    let of_pressed = rows.iter().zip(&pressed).filter(|(_, pressed)| **pressed);
    let seldom = of_pressed.filter(|(row, _)| may_need_less(row)).count();
    let likelier = under_pressure.log_evidence + seldom as f64 * SELDOM.ln();
    let as_any = as_any.ok().filter(|as_any| as_any.log_evidence >= likelier);
    Ok(as_any.unwrap_or(under_pressure))
}

/// A row may be of a run under pressure that is by so much slower than the others let expect, as a
/// logarithm: such runs reach nine tenths of the speed at most.
const PRESSED: f64 = 0.1;

/// Odds beforehand that a run short of memory is under pressure where that isn't expected: an assumption.
const SELDOM: f64 = 0.1;

/// What a setting has that the rows of a layer don't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) stack: bool,
    pub(crate) gpu: Acquaintance,
    /// No row is of nodes linked so.
    pub(crate) links: bool,
    /// No row ran between nodes linked so: rows of one node show nothing of what links out of it carry.
    pub(crate) between_nodes: bool,
}

/// How well rows know a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Acquaintance {
    /// They were measured on it.
    Known,
    /// They were measured on another card of its architecture.
    Sibling,
    /// They were measured on other architectures.
    Strange,
}

impl Acquaintance {
    /// Share of the freedom of another GPU that is left open.
    fn open(self) -> f64 {
        match self {
            Self::Known => 0.0,
            Self::Sibling => SIBLING,
            Self::Strange => 1.0,
        }
    }
}

/// Share of what another GPU leaves open that another card of the same architecture does: cards
/// such as the A100's two differ in their memory, whose datasheet is known, and hardly in clocks
/// and links. An assumption.
const SIBLING: f64 = 0.1;

impl Unknown {
    /// Everything was measured.
    pub(crate) const NOTHING: Self = Self {
        stack: false,
        gpu: Acquaintance::Known,
        links: false,
        between_nodes: false,
    };

    /// Standard deviation that what is unknown adds to a coefficient, on its fitted scale.
    pub(crate) fn sd(self, loosening: &Loosening) -> f64 {
        [
            (self.stack, loosening.stack),
            (true, self.gpu.open() * loosening.gpu),
            (self.links, loosening.cluster),
        ]
        .iter()
        .filter(|(unknown, _)| *unknown)
        .map(|(_, sd)| sd.powi(2))
        .sum::<f64>()
        .sqrt()
    }
}

impl Layer {
    /// Fits a layer to rows.
    pub(crate) fn new(rows: Vec<Measurement>, start: &Start<'_>) -> Result<Self, FitError> {
        let margins = short_of_memory(&rows);
        let solution = solve_under_pressure(&rows, &margins, start)?;
        let short = Short::new(&rows, &margins, &solution.slower);
        let (full_speed_margin, ran) = (short.full_speed_margin(), short.ran());
        let rows = rows
            .into_iter()
            .map(|row| {
                let cell = Cell::new(&row.setting(), &row.configuration);
                (row, cell)
            })
            .collect();
        Ok(Self {
            rows,
            solution,
            full_speed_margin,
            ran,
        })
    }

    /// What ran of a setting's model, stack and GPU though it is estimated to be short of memory.
    pub(crate) fn ran(&self, setting: &Setting<'_>) -> Vec<RanAs> {
        let of_kind = |(row, _): &&(Measurement, RanAs)| is_of_one_kind(&row.setting(), setting);
        let runs = self.ran.iter().filter(of_kind);
        runs.map(|(_, run)| *run).collect()
    }

    /// The layer of the stack and the hardware the physics was made for.
    pub(crate) fn base(rows: Vec<Measurement>) -> Result<Self, FitError> {
        Self::by_itself(rows, Scatter::NONE, false)
    }

    /// The same of rows that may be less even.
    pub(crate) fn alone(rows: Vec<Measurement>) -> Result<Self, FitError> {
        let (scatter, _) = Scatter::weighed(&Scatter::UNFORETOLD, FitError::NoRows, |scatter| {
            let layer = Self::by_itself(rows.clone(), scatter, true)?;
            Ok(layer.solution.log_evidence)
        })?;
        Self::by_itself(rows, scatter, true)
    }

    fn by_itself(
        rows: Vec<Measurement>,
        scatter: Scatter,
        merges_repeats: bool,
    ) -> Result<Self, FitError> {
        let start = Start {
            belief: Belief::prior(),
            kernel: Kernel::MEASURED,
            scatter,
            merges_repeats,
            known: &|_: &Cell| 0.0,
            bad_runs: BadRuns::PRIOR,
        };
        Self::new(rows, &start)
    }

    fn any(&self, same: impl Fn(&Measurement) -> bool) -> bool {
        self.rows.iter().any(|(row, _)| same(row))
    }

    /// What a setting has that no row of this layer had.
    pub(crate) fn unknown(&self, setting: &Setting<'_>) -> Unknown {
        let gpu = if self.any(|row| row.cluster.gpu.is_same_as(&setting.cluster.gpu)) {
            Acquaintance::Known
        } else if self.any(|row| row.cluster.gpu.same_architecture(&setting.cluster.gpu)) {
            Acquaintance::Sibling
        } else {
            Acquaintance::Strange
        };
        // A card of the architecture whose own links are others takes part in other collectives.
        let wired = gpu != Acquaintance::Sibling
            || self.any(|row| row.cluster.gpu.is_wired_as(&setting.cluster.gpu));
        let linked_so = |row: &Measurement| row.cluster.is_linked_as(setting.cluster);
        Unknown {
            stack: !self.knows_stack(setting.stack),
            gpu,
            links: !wired || !self.any(linked_so),
            between_nodes: !wired || !self.any(|row| linked_so(row) && row.spans_nodes()),
        }
    }

    /// Whether a row was measured on that stack, and not on one that its name stood for then.
    pub(crate) fn knows_stack(&self, stack: &Stack) -> bool {
        self.any(|row| row.stack.is_same_as(stack))
    }

    /// The belief about the coefficients at a setting: what the rows say, moved by what is
    /// expected of later software and GPUs, and by what the stack's description says of it.
    pub(crate) fn belief_at(&self, setting: &Setting<'_>) -> Belief {
        let mut belief = self.solution.belief.clone();
        belief.mean += expected_change(self, setting);
        if let Some(overlap) = setting.stack.overlap
            && !self.knows_stack(setting.stack)
        {
            belief.mean[Id::Overlap as usize] = Link::Logit.fitted(overlap);
        }
        belief
    }
}
