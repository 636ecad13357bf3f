//! What could make a run slower or faster than predicted, and what each cause does to a step.
//!
//! A cause changes some coefficients by one factor; what that does to the step follows from the
//! physics, so every cause has its own signature over configurations: slower links weigh on small
//! micro-batches and vanish on one GPU, slow kernels weigh on large ones, launches on small models.
//! How large a cause may plausibly be is known too: kernels and launches differ as much as those
//! of another stack do ([`Loosening`]), links by up to a factor of three either way, memory
//! pressure and bad days as the tables show them.
//!
//! [`Loosening`]: super::coefficients::Loosening

use schemars::JsonSchema;
use serde::Serialize;

use super::Fit;
use super::coefficients::{COEFFICIENTS, COUNT, Id, Values};
use super::hypothesis::FREE_NETWORK;
use super::physics::Rates;
use super::point::Point;
use super::pressure::Pressure;
use super::spread::{BadDays, normal};
use crate::configuration::{Configuration, Setting};
use crate::memory::{self, FITS_MARGIN_BYTES, MemoryEstimate, Verdict};
use crate::stack::Precision;

/// Why a run may not be as fast as predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Nothing changed: the model's own error and run-to-run noise.
    Chance,
    /// The links between nodes: bandwidth, latency, waiting for the slowest node.
    NodeLinks,
    /// The links between the GPUs of a node.
    GpuLinks,
    /// Matrix-multiplication kernels.
    Matmul,
    /// Attention kernels.
    Attention,
    /// Memory-bound kernels: norms, activations, the loss.
    MemoryBound,
    /// Kernel launches and other work of the host.
    Launch,
    /// The allocator under memory pressure, where none was predicted.
    MemoryPressure,
    /// No memory pressure, where it was predicted.
    NoMemoryPressure,
    /// A bad day: a straggling node or a slow link, as single runs of the tables have.
    BadDay,
}

/// Parts of a run that a cause belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// None.
    Chance,
    /// Network.
    Network,
    /// Kernels.
    Kernels,
    /// Launches: the host can't keep the GPU busy.
    LaunchBound,
    /// Memory.
    MemoryPressure,
    /// A bad day.
    BadDay,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Chance,
        Self::NodeLinks,
        Self::GpuLinks,
        Self::Matmul,
        Self::Attention,
        Self::MemoryBound,
        Self::Launch,
        Self::MemoryPressure,
        Self::NoMemoryPressure,
        Self::BadDay,
    ];

    /// The part of a run it belongs to.
    #[must_use]
    pub fn kind(self) -> CauseKind {
        match self {
            Self::Chance => CauseKind::Chance,
            Self::NodeLinks | Self::GpuLinks => CauseKind::Network,
            Self::Matmul | Self::Attention | Self::MemoryBound => CauseKind::Kernels,
            Self::Launch => CauseKind::LaunchBound,
            Self::MemoryPressure | Self::NoMemoryPressure => CauseKind::MemoryPressure,
            Self::BadDay => CauseKind::BadDay,
        }
    }

    /// Whether a run that is faster than expected can't have it: others may be less than expected too.
    #[must_use]
    pub fn only_slows(self) -> bool {
        matches!(self, Self::MemoryPressure | Self::BadDay)
    }

    /// Coefficients that it makes worse, and whether a larger one is the worse one.
    fn coefficients(self) -> &'static [(Id, bool)] {
        match self {
            Self::NodeLinks => &[(Id::NodeLatency, true), (Id::Synchronization, true)],
            Self::GpuLinks => &[(Id::BusBandwidth, false)],
            Self::Matmul => &[(Id::MatmulEfficiency, false)],
            Self::Attention => &[
                (Id::AttentionForward64, false),
                (Id::AttentionForward128, false),
                (Id::AttentionBackward64, false),
                (Id::AttentionBackward128, false),
            ],
            Self::MemoryBound => &[
                (Id::LayerBytes, true),
                (Id::RecomputeBytes, true),
                (Id::LossBytes, true),
            ],
            Self::Launch => &[(Id::LayerOverhead, true), (Id::Fixed, true)],
            Self::Chance | Self::MemoryPressure | Self::NoMemoryPressure | Self::BadDay => &[],
        }
    }

    /// Standard deviation of the logarithm of the factor by which it may plausibly differ.
    fn sd(self) -> f64 {
        let loosest = |id: Id| {
            COEFFICIENTS
                .iter()
                .filter(|coefficient| coefficient.id == id)
                .map(|coefficient| coefficient.loosening.stack)
                .fold(0.0, f64::max)
        };
        match self {
            Self::NodeLinks | Self::GpuLinks => FREE_NETWORK,
            _ => self
                .coefficients()
                .first()
                .map_or(0.0, |(id, _)| loosest(*id)),
        }
    }
}

/// How likely a kind of cause is before anything is measured: one run in ten is of another kind
/// than planned (intervals are made to hold nine in ten), and network, kernels and launches share
/// that evenly, since nothing says which of them goes wrong more often.
const OTHERWISE: f64 = 0.1;

/// Runs measured with as much memory to spare, none of which was under pressure; that the next one
/// is, has a chance of one in two more (Laplace's rule of succession). It is the same the other
/// way round: no run that was predicted tight ran at full speed.
const MEMORY_OUTCOMES: f64 = 120.0;

/// Standard deviation of the logarithm of the true peak of memory over the predicted one, an
/// assumption: the more memory there is to spare, the less likely is pressure.
const PEAK_SD: f64 = 0.1;

/// Steps of a grid over the sizes of a cause.
const SIZES: u32 = 801;

/// A size a cause may have, and its share of the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Logarithm of the factor; positive is slower.
    pub log: f64,
    /// Share; those of one cause add up to 1.
    pub share: f64,
}

/// One configuration under scrutiny: what is expected of it, and what each cause would do.
pub struct Scrutiny<'a> {
    point: Point<'a>,
    values: Values,
    configuration: Configuration,
    base_log_step: f64,
    memory: MemoryEstimate,
    precision: Precision,
}

impl Fit {
    /// Puts a configuration under scrutiny.
    #[must_use]
    pub fn scrutiny(&self, setting: &Setting<'_>, configuration: &Configuration) -> Scrutiny<'_> {
        let point = Point::new(self, setting, configuration);
        let view = self.view(setting);
        let (values, run) = (view.values(setting), view.as_run(setting));
        let memory = memory::estimate(&run, configuration);
        let mut scrutiny = Scrutiny {
            point,
            values,
            configuration: *configuration,
            base_log_step: 0.0,
            memory,
            precision: run.stack.precision,
        };
        scrutiny.base_log_step = scrutiny.log_step(Cause::Chance, 0.0);
        scrutiny
    }
}

impl Scrutiny<'_> {
    /// Expected tokens per second without memory pressure.
    #[must_use]
    pub fn full_speed_tok_s(&self) -> f64 {
        self.configuration.global_batch_tokens() as f64 / self.point.full_speed_step_s()
    }

    /// The logarithm of the step time that was measured over the one expected without memory
    /// pressure.
    #[must_use]
    pub fn slowdown_of(&self, measured_tok_s: f64) -> f64 {
        (self.full_speed_tok_s() / measured_tok_s).ln()
    }

    /// Whether memory pressure is predicted.
    #[must_use]
    pub fn is_tight(&self) -> bool {
        !self.point.pressure().is_none()
    }

    /// Bytes to spare, the allocator's reserve taken off.
    #[must_use]
    pub fn margin_bytes(&self) -> f64 {
        self.memory.margin_bytes
    }

    /// Whether a cause can befall it.
    #[must_use]
    pub fn can_have(&self, cause: Cause) -> bool {
        match cause {
            Cause::NodeLinks | Cause::BadDay => self.point.work.nodes > 1.0,
            Cause::GpuLinks => self.point.work.gpus > 1.0,
            Cause::MemoryPressure => !self.is_tight(),
            Cause::NoMemoryPressure => self.is_tight(),
            _ => true,
        }
    }

    /// How likely a cause is before anything is measured; those of all causes add up to 1.
    #[must_use]
    pub fn prior(&self, cause: Cause) -> f64 {
        if cause == Cause::Chance {
            let others = Cause::ALL.iter().filter(|other| **other != Cause::Chance);
            return 1.0 - others.map(|other| self.prior(*other)).sum::<f64>();
        }
        if !self.can_have(cause) {
            return 0.0;
        }
        match cause.kind() {
            CauseKind::MemoryPressure => self.prior_of_other_memory(),
            CauseKind::BadDay => self.bad_days().share(),
            kind => {
                let alike = |other: &&Cause| other.kind() == kind && self.can_have(**other);
                let of_kind = Cause::ALL.iter().filter(alike).count();
                OTHERWISE / 3.0 / of_kind as f64
            }
        }
    }

    /// How likely memory pressure is other than predicted: as in the runs measured at the limit
    /// of what fits, and less with every deviation of the peak that it would take.
    fn prior_of_other_memory(&self) -> f64 {
        let MemoryEstimate {
            peak_bytes,
            margin_bytes,
            ..
        } = self.memory;
        let spare = (margin_bytes - FITS_MARGIN_BYTES).max(0.0);
        let deviations = (spare / peak_bytes).ln_1p() / PEAK_SD;
        2.0 * normal(-deviations) / (MEMORY_OUTCOMES + 2.0)
    }

    /// The sizes that a cause may have.
    #[must_use]
    pub fn sizes(&self, cause: Cause) -> Vec<Size> {
        let middles = (0..SIZES).map(|step| (f64::from(step) + 0.5) / f64::from(SIZES));
        let sizes: Vec<Size> = match cause {
            Cause::Chance | Cause::NoMemoryPressure => vec![Size {
                log: 0.0,
                share: 1.0,
            }],
            Cause::MemoryPressure => middles
                .map(|share| Size {
                    log: -Pressure::of(Verdict::Tight, self.precision)
                        .speed(share)
                        .ln(),
                    share: 1.0,
                })
                .collect(),
            Cause::BadDay => middles
                .map(|part| Size {
                    log: part * 12.0 * self.bad_days().slowdown(),
                    share: (-12.0 * part).exp(),
                })
                .collect(),
            _ => middles
                .map(|part| (part - 0.5) * 10.0)
                .map(|deviations| Size {
                    log: deviations * cause.sd(),
                    share: (-0.5 * deviations.powi(2)).exp(),
                })
                .collect(),
        };
        let total: f64 = sizes.iter().map(|size| size.share).sum();
        let scaled = |size: Size| Size {
            share: size.share / total,
            ..size
        };
        sizes.into_iter().map(scaled).collect()
    }

    /// By how much, as a logarithm, a cause of that size slows the step down.
    #[must_use]
    pub fn effect(&self, cause: Cause, log_size: f64) -> f64 {
        match cause {
            Cause::Chance | Cause::NoMemoryPressure => 0.0,
            Cause::MemoryPressure | Cause::BadDay => log_size,
            _ => self.log_step(cause, log_size) - self.base_log_step,
        }
    }

    fn log_step(&self, cause: Cause, log_size: f64) -> f64 {
        let mut fitted: [f64; COUNT] = *self.values.fitted();
        for &(id, worse_when_larger) in cause.coefficients() {
            let sign = if worse_when_larger { 1.0 } else { -1.0 };
            if let Some(value) = fitted.get_mut(id as usize) {
                *value += sign * log_size;
            }
        }
        let mut work = self.point.work;
        if cause == Cause::NodeLinks {
            work.inter_node_bytes_per_s *= (-log_size).exp();
        }
        let rates = Rates::new(&work, &Values::new(fitted));
        let tokens = self.configuration.micro_batch_tokens() as f64;
        let (log_step, _) = rates.log_step(tokens, self.configuration.grad_accum as f64);
        log_step
    }

    /// Relative speeds that memory pressure leaves, evenly likely: at most `steps` of them; 1 alone
    /// where none is predicted.
    #[must_use]
    pub fn pressed_speeds(&self, steps: u32) -> Vec<f64> {
        if !self.is_tight() {
            return vec![1.0];
        }
        let pressure = self.point.pressure();
        (0..steps)
            .map(|step| pressure.speed((f64::from(step) + 0.5) / f64::from(steps.max(1))))
            .collect()
    }

    /// Standard deviation of the logarithm of one run's step time on the same day.
    #[must_use]
    pub fn noise_sd(&self) -> f64 {
        self.point.noise()
    }

    /// Standard deviation towards slower steps alone.
    #[must_use]
    pub fn slower_sd(&self) -> f64 {
        self.point.waves(&[])
    }

    /// Covariance of the model's errors in the logarithms of two step times; with itself, the
    /// variance.
    #[must_use]
    pub fn covariance(&self, other: &Self) -> f64 {
        if std::ptr::eq(self, other) {
            self.point.variance()
        } else {
            self.point.covariance(&other.point)
        }
    }

    fn bad_days(&self) -> BadDays {
        self.point.bad_days()
    }
}
