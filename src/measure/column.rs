//! What columns hold, and what they are called.

use super::meant::GPU_WORDS;
use super::spellings::{self, recompute};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Model,
    DModel,
    NLayers,
    NHeads,
    NKvHeads,
    HeadDim,
    DFf,
    VocabSize,
    Params,
    /// Parameters that a token passes: all of them, or the row is refused.
    ActiveParams,
    SeqLen,
    Gpus,
    Nodes,
    GpusPerNode,
    Gpu,
    Cluster,
    Stack,
    Precision,
    MpMode,
    /// What parameters are gathered in.
    ParamDtype,
    /// What gradients are reduced in.
    ReduceDtype,
    /// Whether it is of bf16.
    Bf16,
    /// Whether it is of fp16.
    Fp16,
    /// What is trained in place of all parameters, or whether something is.
    Adapter,
    Optimizer,
    Sharding,
    /// How GPUs share the work, in words.
    Parallelism,
    /// Whether gathered parameters are given up until they are needed again.
    Reshard,
    ZeroStage,
    TensorParallel,
    PipelineParallel,
    ContextParallel,
    /// GPUs that share a sequence, or whether those of tensor parallelism do.
    SequenceParallel,
    ExpertParallel,
    /// Copies of the model: compared with the GPUs.
    DataParallel,
    /// Groups of GPUs that shard a copy of the model each.
    Replicas,
    /// GPUs in each of them.
    Shards,
    /// Experts of a layer: one, or the row is refused.
    Experts,
    /// Whether matrices are multiplied in fp8.
    Fp8,
    /// What was switched on, in words: fp8 and how GPUs share the work are looked for in it.
    Techniques,
    CpuOffload,
    Checkpointing,
    /// The same under a header that isn't spelled out here, or one way of it.
    Recompute,
    MicroBatch,
    GradAccum,
    GlobalBatchTokens,
    GlobalBatchSeqs,
    TokensPerS,
    TokensPerSGpu,
    SeqsPerS,
    SeqsPerSGpu,
    /// Seconds of a step.
    StepS,
    /// Milliseconds of a step.
    StepMs,
    /// Model FLOPs utilization: checked, not used.
    Mfu,
    /// Hardware FLOPs utilization: checked, not used.
    Hfu,
    /// TFLOP/s of one GPU: checked, not used.
    Tflops,
}

impl Column {
    /// The name the project's own tables use.
    pub(super) fn name(self) -> &'static str {
        spellings::all()
            .find(|(column, ..)| *column == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The column that a header stands above.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let key = normalised(header);
        if let Some(column) = Self::of_fraction(header, &key) {
            return Some(column);
        }
        let recomputed = || recompute::is_told_by(header).then_some(Self::Recompute);
        Self::spelled(&key)
            .or_else(|| Self::of_one_gpu(&key))
            .or_else(recomputed)
            .or_else(|| Self::of_setting(header))
            .or_else(|| Self::of_metric(header))
    }

    /// The column of a header that says one thing in another, where without the stroke it would be
    /// something else: `seq/s` is a speed, `seqs` a number of sequences.
    fn of_fraction(header: &str, key: &str) -> Option<Self> {
        if !header.contains('/') {
            return None;
        }
        match key {
            "seqs" => Some(Self::SeqsPerS),
            "timesteps" | "timeiters" if header.contains(['(', '[']) => Some(Self::StepS),
            "sit" | "siter" | "siteration" | "sstep" => Some(Self::StepS),
            "msit" | "msiter" | "msiteration" | "msstep" => Some(Self::StepMs),
            _ => None,
        }
    }

    /// A speed of one GPU under another word for it.
    fn of_one_gpu(key: &str) -> Option<Self> {
        let key = GPU_WORDS
            .iter()
            .fold(key.to_owned(), |key, word| key.replace(word, "gpu"));
        let found = Self::spelled(&key).or_else(|| Self::spelled(&key.replace("per", "")));
        found.filter(|column| matches!(column, Self::TokensPerSGpu | Self::SeqsPerSGpu))
    }

    /// What a metric's last name tells: a utilization (`throughput/device/mfu`), or a speed where the
    /// metrics are of that.
    fn of_metric(header: &str) -> Option<Self> {
        let (path, name) = header.rsplit_once('/')?;
        let mut groups = path.split('/').map(normalised);
        let of_speed = matches!(groups.next().as_deref(), Some("throughput" | "runtime"));
        let of_one = groups.any(|group| GPU_WORDS.contains(&group.as_str()));
        match Self::spelled(&normalised(name))? {
            told @ (Self::Mfu | Self::Hfu) => Some(told),
            Self::TokensPerS if of_speed && of_one => Some(Self::TokensPerSGpu),
            Self::SeqsPerS if of_speed && of_one => Some(Self::SeqsPerSGpu),
            told @ (Self::TokensPerS | Self::SeqsPerS) if of_speed => Some(told),
            _ => None,
        }
    }

    /// The column of that [`normalised`] header.
    pub(super) fn spelled(key: &str) -> Option<Self> {
        spellings::all()
            .find(|(_, name, others)| normalised(name) == key || others.contains(&key))
            .map(|(column, ..)| *column)
    }

    /// The column that the last names of a setting stand for, behind those of what it is set in
    /// (`fsdp_config.sharding_strategy`): only what changes the speed is told by so little, and a
    /// shape by what is set in a model (`model.d_model`).
    fn of_setting(header: &str) -> Option<Self> {
        let of_model = header
            .rsplit_once('.')
            .is_some_and(|(parts, _)| normalised(parts).contains("model"));
        let mut setting = header.split_once('.');
        while let Some((_, name)) = setting {
            let found = Self::spelled(&normalised(name));
            let found =
                found.filter(|column| column.is_setting() || of_model && column.is_of_shape());
            if found.is_some() {
                return found;
            }
            setting = name.split_once('.');
        }
        None
    }

    /// Whether its name alone tells what it is, whatever it is set in.
    fn is_setting(self) -> bool {
        matches!(
            self,
            Self::MpMode
                | Self::ParamDtype
                | Self::ReduceDtype
                | Self::Sharding
                | Self::Reshard
                | Self::ZeroStage
                | Self::TensorParallel
                | Self::PipelineParallel
                | Self::ContextParallel
                | Self::SequenceParallel
                | Self::ExpertParallel
                | Self::DataParallel
                | Self::Replicas
                | Self::Shards
                | Self::Experts
                | Self::CpuOffload
                | Self::Fp8
        )
    }

    /// Whether it tells a part of a model's shape.
    fn is_of_shape(self) -> bool {
        matches!(
            self,
            Self::DModel
                | Self::NLayers
                | Self::NHeads
                | Self::NKvHeads
                | Self::HeadDim
                | Self::DFf
                | Self::VocabSize
        )
    }

    /// Whether a table may have it more than once: `GPUType` often is repeated, once with and once
    /// without the number of GPUs, utilizations are counted in several ways, and precision,
    /// checkpointing, parallelism, offloading and experts are often told by more than one setting.
    pub(super) fn repeats(self) -> bool {
        matches!(
            self,
            Self::Gpu
                | Self::Mfu
                | Self::Hfu
                | Self::Tflops
                | Self::Checkpointing
                | Self::Recompute
                | Self::Parallelism
                | Self::Adapter
                | Self::Optimizer
                | Self::CpuOffload
                | Self::Experts
                | Self::Fp8
                | Self::Precision
                | Self::MpMode
        )
    }
}

/// A header without case, spaces and punctuation (`SeqLen (T)` and `seq_len_t` are the same).
pub(super) fn normalised(header: &str) -> String {
    header
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '*' | '%'))
        .flat_map(char::to_lowercase)
        .collect()
}
