//! What columns hold, and which of them a header has.

use crate::diagnostic::{Diagnostic, Origin, nearest_names};

use super::batch;
use super::checkpointing;
use super::grid::{Grid, Record};
use super::notes::Notes;
use super::row::is_no;
use super::spellings;

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
    /// What was switched on, in words: only fp8 is looked for in it.
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

/// Spellings of tokens per second that some programs print for one GPU and others for all.
const PER_GPU_ELSEWHERE: &[&str] = &["tps", "wps"];

impl Column {
    /// The name the project's own tables use.
    pub(super) fn name(self) -> &'static str {
        spellings::all()
            .find(|(column, ..)| *column == self)
            .map_or("", |(_, name, _)| name)
    }

    /// Whether a header is nearly one of those that this column has.
    pub(super) fn is_nearly(self, header: &str) -> bool {
        let own = spellings::all().filter(|(column, ..)| *column == self);
        let known = own.flat_map(|(_, name, others)| others.iter().chain([name]).copied());
        let known: Vec<String> = known.map(normalised).collect();
        !nearest_names(&normalised(header), known.iter().map(String::as_str)).is_empty()
    }

    /// The column that a header stands above.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let key = normalised(header);
        // `seq/s` is a speed, `seqs` a number of sequences.
        if key == "seqs" && header.contains('/') {
            return Some(Self::SeqsPerS);
        }
        let recompute = || checkpointing::is_told_by(header).then_some(Self::Recompute);
        Self::spelled(&key)
            .or_else(recompute)
            .or_else(|| Self::of_setting(header))
    }

    /// The column of that [`normalised`] header.
    fn spelled(key: &str) -> Option<Self> {
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

/// What a header that isn't known may hold of something that changes the speed.
const MATTERS: [&str; 9] = [
    "offload",
    "expert",
    "moe",
    "parallel",
    "fp8",
    "float8",
    "recompute",
    "ckpt",
    "checkpoint",
];

/// Headers that head something near what they stand for where a table has a column for that itself.
const NEARLY: [&str; 14] = [
    "nameorpath",
    "modelnameorpath",
    "micro",
    "seq",
    "paddedvocabsize",
    "devicebatchsize",
    "modelparallelsize",
    "numnodes",
    "nnodes",
    "nodecount",
    "maxseqlength",
    "maxsequencelength",
    "trainbatchsize",
    "kvchannels",
];

/// A header beside which `train_batch_size` is the same again, of one device, and not the batch of all.
const OF_ONE_DEVICE: &str = "perdevicetrainbatchsize";

/// Whether a header heads something near what another says by its own name.
fn gives_way(header: &Record, at: usize, column: Column) -> bool {
    let is_nearly = |text: &str| {
        let key = normalised(text);
        // The name of a setting that ends as another column is called.
        NEARLY.contains(&key.as_str()) || !column.repeats() && Column::spelled(&key).is_none()
    };
    let mut cells = header.cells.iter().enumerate();
    if column == Column::GlobalBatchSeqs
        && let Some(cell) = header.cells.get(at)
        && normalised(&cell.text) == "trainbatchsize"
        && cells.any(|(_, cell)| normalised(&cell.text) == OF_ONE_DEVICE)
    {
        return true;
    }
    let mut cells = header.cells.iter().enumerate();
    let own = header
        .cells
        .get(at)
        .is_some_and(|cell| is_nearly(&cell.text));
    own && cells.any(|(other, cell)| {
        other != at && Column::parse(&cell.text) == Some(column) && !is_nearly(&cell.text)
    })
}

/// Whether what stands in a column that isn't known may change the speed.
fn may_matter(header: &str) -> bool {
    let key = normalised(header);
    let holds = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let spoken_of = checkpointing::is_spoken_of(header);
    (spoken_of || holds(&MATTERS)) && !checkpointing::is_of_saving(header)
}

/// Whether a header has any column that tells a throughput.
pub(super) fn has_throughput(header: &Record) -> bool {
    header.cells.iter().any(|cell| {
        matches!(
            Column::parse(&cell.text),
            Some(
                Column::TokensPerS
                    | Column::TokensPerSGpu
                    | Column::SeqsPerS
                    | Column::StepS
                    | Column::StepMs
            )
        )
    })
}

/// The column of each header cell; `None` is ignored, with a note. `GPUs` heads counts and types
/// alike: `names_gpu` says whether the first cell below a header is a type.
///
/// # Errors
/// A column that appears twice.
pub(super) fn columns(
    grid: &Grid,
    names_gpu: &dyn Fn(usize) -> bool,
    origin: &Origin,
    notes: &mut Notes,
) -> Result<Vec<Option<Column>>, Diagnostic> {
    let header = &grid.header;
    let of_nano_gpt = batch::is_of_nano_gpt(header.cells.iter().map(|cell| cell.text.as_str()));
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.cells.len());
    for (at, cell) in header.cells.iter().enumerate() {
        let column = match Column::parse(&cell.text) {
            Some(Column::Gpus) if names_gpu(at) => Some(Column::Gpu),
            None if of_nano_gpt && normalised(&cell.text) == "batchsize" => {
                Some(Column::MicroBatch)
            }
            column => column.filter(|column| !gives_way(header, at, *column)),
        };
        // A bare `ckpt` is of activations or of files: what stands below it tells.
        let recomputes = || {
            checkpointing::is_told_in_short(&cell.text)
                && !grid.all_below(at, str::is_empty)
                && grid.all_below(at, checkpointing::is_on_or_off)
        };
        let column = column.or_else(|| recomputes().then_some(Column::Recompute));
        if let Some(column) = column.filter(|column| !column.repeats())
            && let Some(first) = columns.iter().position(|known| *known == Some(column))
        {
            let first = header
                .cells
                .get(first)
                .map_or(0..0, |cell| cell.span.clone());
            return Err(Diagnostic::new(format!(
                "line {}: column `{}` stands twice in the header",
                header.line,
                column.name()
            ))
            .in_text(origin.clone())
            .at(cell.span.clone(), "again here")
            .at(first, "first here")
            .help("remove or rename one of them"));
        }
        if column.is_none() && !cell.text.is_empty() {
            let text = format!("column `{}` is not used", cell.text);
            if may_matter(&cell.text) && !grid.all_below(at, is_no) {
                let why = "though it may change the speed: rows that differ in it alone are taken as \
                           alike";
                notes.warn(header.line, format!("{text}, {why}"));
            } else {
                notes.add(header.line, text);
            }
        }
        let said = match column {
            Some(Column::Recompute) => "is read as whether activations are recomputed",
            Some(Column::DataParallel) => "is not used but to compare it with the number of GPUs",
            _ => "",
        };
        if !said.is_empty() {
            notes.add(header.line, format!("column `{}` {said}", cell.text));
        }
        if column == Some(Column::Techniques) {
            let text = format!("column `{}` is searched for fp8 alone", cell.text);
            notes.add(header.line, text);
        }
        if column == Some(Column::TokensPerS)
            && PER_GPU_ELSEWHERE.contains(&&*normalised(&cell.text))
        {
            let text = format!(
                "column `{}` is read as tokens/s of all GPUs together; `tok/s/gpu` heads those of one",
                cell.text
            );
            notes.add(header.line, text);
        }
        columns.push(column);
    }
    Ok(columns)
}
