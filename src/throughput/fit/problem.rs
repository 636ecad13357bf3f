//! Rows and cells as the fit takes them, and their linear algebra.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::Start;
use super::belief::{Square, Vector};
use crate::measure::Measurement;
use crate::quantity::median;
use crate::throughput::coefficients::{COUNT, Values};
use crate::throughput::physics::Rates;
use crate::throughput::pressure;
use crate::throughput::residual::Cell;
use crate::throughput::scatter::Scatter;
use crate::throughput::spread::row_sd;
use crate::throughput::workload::Workload;

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    /// `log_step` of each time that this very run was measured.
    repeats: Vec<f64>,
    /// Seconds of a step as first measured.
    step_s: f64,
    pub(super) work: Workload,
    tokens: f64,
    grad_accum: f64,
    /// Logarithm of the measured step time, less what is known of it beforehand.
    pub(super) log_step: f64,
    pub(super) sd: f64,
    pub(super) cell: usize,
    /// By how much its logarithm of step time is expected to exceed what it would be with memory to
    /// spare.
    pub(super) slowdown: f64,
    /// Standard deviation of that.
    slowdown_sd: f64,
}

impl Observation {
    fn new(row: &Measurement, cell: usize, known: f64, scatter: Scatter) -> Self {
        let configuration = &row.configuration;
        let work = Workload::new(
            &row.setting(),
            configuration.gpus,
            configuration.seq_len,
            configuration.activation_checkpointing,
        );
        let step_s = configuration.global_batch_tokens() as f64 / row.throughput_tok_s;
        Self {
            tokens: configuration.micro_batch_tokens() as f64,
            grad_accum: configuration.grad_accum as f64,
            log_step: step_s.ln() - known,
            sd: scatter.and(row_sd(work.nodes, step_s)),
            repeats: vec![step_s.ln() - known],
            step_s,
            cell,
            work,
            slowdown: 0.0,
            slowdown_sd: 0.0,
        }
    }

    /// The same of a run that was under memory pressure, by as much as any is.
    fn under_pressure(mut self) -> Self {
        let (slowdown, sd) = pressure::log_slowdown();
        self.slowdown = slowdown;
        self.slowdown_sd = sd;
        self.log_step -= slowdown;
        self.repeats.iter_mut().for_each(|log| *log -= slowdown);
        self.sd = self.sd.hypot(sd);
        self
    }

    /// Takes one more measurement of the same run into account: the middle of all stands for them, as
    /// how uneven rows are belongs to what ran and not to how often.
    fn repeated(&mut self, other: &Self, scatter: Scatter) {
        self.repeats.extend(&other.repeats);
        let count = self.repeats.len();
        self.log_step = median(self.repeats.iter().copied()).unwrap_or(self.log_step);
        let run_sd = row_sd(self.work.nodes, self.step_s);
        // What a run is slowed down by is its own: measuring it again tells no more of others.
        let sd = scatter.and(run_sd / (count as f64).sqrt());
        self.sd = sd.hypot(self.slowdown_sd);
    }
}

/// Rows and cells of a fit.
pub(super) struct Problem {
    pub(super) rows: Vec<Observation>,
    pub(super) cells: Vec<Cell>,
    pub(super) kernel: DMatrix<f64>,
    /// The row that stands for each measurement.
    pub(super) row_of: Vec<usize>,
    /// The logarithm of each measurement's own step time, less what is known of it beforehand.
    pub(super) own_log: Vec<f64>,
}

impl Problem {
    /// Of measurements, of which some were under memory pressure.
    pub(super) fn new(measurements: &[Measurement], pressed: &[bool], start: &Start<'_>) -> Self {
        let mut cells: Vec<Cell> = Vec::new();
        let mut rows: Vec<Observation> = Vec::with_capacity(measurements.len());
        let mut row_of = Vec::with_capacity(measurements.len());
        let mut own_log = Vec::with_capacity(measurements.len());
        // The measurement that each row was made of first.
        let mut firsts: Vec<(&Measurement, bool)> = Vec::with_capacity(measurements.len());
        let pressed = pressed.iter().copied().chain(std::iter::repeat(false));
        for (row, pressed) in measurements.iter().zip(pressed) {
            let cell = Cell::new(&row.setting(), &row.configuration);
            let settled = (start.known)(&cell);
            let index = cells
                .iter()
                .position(|known| *known == cell)
                .unwrap_or_else(|| {
                    cells.push(cell);
                    cells.len() - 1
                });
            let observed = Observation::new(row, index, settled, start.scatter);
            let observed = if pressed {
                observed.under_pressure()
            } else {
                observed
            };
            own_log.push(observed.log_step);
            let again = |(first, alike): &(&Measurement, bool)| {
                start.merges_repeats && *alike == pressed && row.is_repeat_of(first)
            };
            if let Some(known) = firsts.iter().position(again) {
                rows[known].repeated(&observed, start.scatter);
                row_of.push(known);
            } else {
                row_of.push(rows.len());
                rows.push(observed);
                firsts.push((row, pressed));
            }
        }
        let kernel = start.kernel.matrix(&cells);
        Self {
            rows,
            cells,
            kernel,
            row_of,
            own_log,
        }
    }

    /// Physics of all rows: what remains of the observations, and the Jacobian.
    pub(super) fn physics(&self, values: &Values) -> (DMatrix<f64>, DMatrix<f64>) {
        let mut remainder = DMatrix::zeros(self.rows.len(), 1);
        let mut jacobian = DMatrix::zeros(self.rows.len(), COUNT);
        for (index, row) in self.rows.iter().enumerate() {
            let rates = Rates::new(&row.work, values);
            let (log_step, gradient) = rates.log_step(row.tokens, row.grad_accum);
            remainder[index] = row.log_step - log_step;
            jacobian
                .row_mut(index)
                .copy_from(&Vector::from(gradient).transpose());
        }
        (remainder, jacobian)
    }

    /// Sums rows into their cells, with weights.
    fn gather(&self, weights: &[f64], matrix: &DMatrix<f64>) -> DMatrix<f64> {
        let mut sums = DMatrix::zeros(self.cells.len(), matrix.ncols());
        for column in 0..matrix.ncols() {
            for (index, row) in self.rows.iter().enumerate() {
                sums[(row.cell, column)] += weights[index] * matrix[(index, column)];
            }
        }
        sums
    }
}

/// The rows' covariance `C = D⁻¹ + Z·K·Zᵀ` under one set of weights, with `D` the rows'
/// precisions, `K` the kernel and `Z` from rows to cells; inverted by Woodbury's identity.
pub(super) struct Weighting<'a> {
    problem: &'a Problem,
    precisions: Vec<f64>,
    /// Square root of each cell's precision, `√N` with `N = Zᵀ·D·Z`.
    roots: DVector<f64>,
    /// Factor of `I + √N·K·√N`.
    factor: Cholesky<f64, Dyn>,
}

impl<'a> Weighting<'a> {
    /// `None` when the covariance isn't positive definite, which only rounding can bring about.
    pub(super) fn new(problem: &'a Problem, weights: &[f64]) -> Option<Self> {
        let precisions: Vec<f64> = problem
            .rows
            .iter()
            .zip(weights)
            .map(|(row, weight)| weight / row.sd.powi(2))
            .collect();
        let mut by_cell = DVector::zeros(problem.cells.len());
        for (row, precision) in problem.rows.iter().zip(&precisions) {
            by_cell[row.cell] += precision;
        }
        let roots = by_cell.map(f64::sqrt);
        let matrix = DMatrix::from_fn(roots.len(), roots.len(), |i, j| {
            f64::from(u8::from(i == j)) + roots[i] * problem.kernel[(i, j)] * roots[j]
        });
        Some(Self {
            problem,
            precisions,
            roots,
            factor: Cholesky::new(matrix)?,
        })
    }

    /// `Zᵀ·C⁻¹·columns`: what the cells see of rows, noise and correction accounted for.
    pub(super) fn seen(&self, columns: &DMatrix<f64>) -> DMatrix<f64> {
        self.through_cells(&self.problem.gather(&self.precisions, columns))
    }

    /// `√N·(I + √N·K·√N)⁻¹·√N⁻¹·sums`, with `sums = Zᵀ·D·columns`.
    fn through_cells(&self, sums: &DMatrix<f64>) -> DMatrix<f64> {
        let mut scaled = sums.clone();
        for mut column in scaled.column_iter_mut() {
            column.component_div_assign(&self.roots);
        }
        self.factor.solve_mut(&mut scaled);
        for mut column in scaled.column_iter_mut() {
            column.component_mul_assign(&self.roots);
        }
        scaled
    }

    /// `aᵀ·C⁻¹·b`.
    pub(super) fn product(&self, a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
        let sums = self.problem.gather(&self.precisions, b);
        let mut shared = &sums - self.through_cells(&sums);
        for mut column in shared.column_iter_mut() {
            for (value, root) in column.iter_mut().zip(self.roots.iter()) {
                *value /= root.powi(2);
            }
        }
        let mut weighted = b.clone();
        for (mut row, precision) in weighted.row_iter_mut().zip(&self.precisions) {
            row *= *precision;
        }
        a.tr_mul(&weighted) - self.problem.gather(&self.precisions, a).tr_mul(&shared)
    }

    /// `ln det C`.
    pub(super) fn log_determinant(&self) -> f64 {
        let cells: f64 = self
            .factor
            .l_dirty()
            .diagonal()
            .iter()
            .map(|value| 2.0 * value.ln())
            .sum();
        let rows: f64 = self.precisions.iter().map(|precision| precision.ln()).sum();
        cells - rows
    }

    /// The cells' roots and factor, which the correction keeps.
    pub(super) fn into_parts(self) -> (DVector<f64>, Cholesky<f64, Dyn>) {
        (self.roots, self.factor)
    }
}

/// `ln det` of a positive definite matrix, which may itself be too large or too small for a number; `None`
/// where rounding leaves none that is.
pub(super) fn log_determinant(matrix: &Square) -> Option<f64> {
    let factor = matrix.cholesky()?;
    let diagonal = factor.l_dirty().diagonal();
    Some(diagonal.iter().map(|value| 2.0 * value.ln()).sum())
}

/// A dynamic matrix of the coefficients' size as a fixed one.
pub(super) fn square(matrix: &DMatrix<f64>) -> Square {
    Square::from_iterator(matrix.iter().copied())
}
