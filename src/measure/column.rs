//! Columns, in the spellings of published tables.

use crate::diagnostic::{Diagnostic, Origin};

use super::grid::Record;
use super::notes::Notes;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Model,
    DModel,
    NLayers,
    NHeads,
    NKvHeads,
    DFf,
    VocabSize,
    Params,
    SeqLen,
    Gpus,
    Gpu,
    Cluster,
    Stack,
    Precision,
    MpMode,
    Sharding,
    ZeroStage,
    TensorParallel,
    PipelineParallel,
    CpuOffload,
    Checkpointing,
    MicroBatch,
    GradAccum,
    GlobalBatchTokens,
    GlobalBatchSeqs,
    TokensPerS,
    TokensPerSGpu,
    SeqsPerS,
    /// Model FLOPs utilization: checked, not used.
    Mfu,
    /// Hardware FLOPs utilization: checked, not used.
    Hfu,
    /// TFLOP/s of one GPU: checked, not used.
    Tflops,
}

/// Canonical name, then other spellings, all as [`normalised`].
const SPELLINGS: &[(Column, &str, &[&str])] = &[
    (Column::Model, "model", &["modelname", "modelsize"]),
    (Column::DModel, "d_model", &["hiddensize", "hiddendim"]),
    (
        Column::NLayers,
        "n_layers",
        &["numlayers", "layers", "nlayer"],
    ),
    (Column::NHeads, "n_heads", &["numheads", "heads", "nhead"]),
    (
        Column::NKvHeads,
        "n_kv_heads",
        &["kvnheads", "kvheads", "numkeyvalueheads"],
    ),
    (Column::DFf, "d_ff", &["ffnhiddensize", "intermediatesize"]),
    (Column::VocabSize, "vocab_size", &["vocab"]),
    (
        Column::Params,
        "n_params",
        &["paramcount", "numparams", "params", "parameters"],
    ),
    (
        Column::SeqLen,
        "seq_len",
        &[
            "seqlent",
            "sequencelength",
            "seqlength",
            "maxseqlen",
            "contextlength",
            "contextlen",
            "blocksize",
        ],
    ),
    (
        Column::Gpus,
        "gpus",
        &[
            "numgpus",
            "ngpus",
            "ngpu",
            "gpucount",
            "numberofgpus",
            "worldsize",
        ],
    ),
    (
        Column::Gpu,
        "gpu",
        &["gputype", "gpuname", "hardware", "accelerator"],
    ),
    (Column::Cluster, "cluster", &["clustername"]),
    (Column::Stack, "stack", &[]),
    (Column::Precision, "precision", &[]),
    (
        Column::MpMode,
        "mp_mode",
        &["mixedprecision", "mixedprecisionmode"],
    ),
    (Column::Sharding, "sharding_strategy", &["sharding"]),
    (Column::ZeroStage, "zero_stage", &["zero"]),
    (
        Column::TensorParallel,
        "tensor_parallel",
        &[
            "tp",
            "tpsize",
            "tensorparallelsize",
            "tensormodelparallelsize",
        ],
    ),
    (
        Column::PipelineParallel,
        "pipeline_parallel",
        &[
            "pp",
            "ppsize",
            "pipelineparallelsize",
            "pipelinemodelparallelsize",
        ],
    ),
    (Column::CpuOffload, "cpu_offload", &["activationcpuoffload"]),
    (
        Column::Checkpointing,
        "activation_checkpointing",
        &[
            "activationcheckpoint",
            "checkpointing",
            "actckpt",
            "ac",
            "gradientcheckpointing",
            "gradcheckpointing",
            "activationrecompute",
            "activationrecomputation",
            "recompute",
        ],
    ),
    (
        Column::MicroBatch,
        "micro_batch",
        &[
            "microbatchsize",
            "microbatchsizes",
            "devicemicrobatchsize",
            "devicetrainmicrobatchsize",
            "perdevicetrainbatchsize",
            "localbatchsize",
            "mbs",
        ],
    ),
    (
        Column::GradAccum,
        "grad_accum",
        &[
            "gradaccumulation",
            "gradientaccumulation",
            "gradientaccumulationsteps",
            "gradaccumsteps",
            "ga",
            "gas",
        ],
    ),
    (
        Column::GlobalBatchTokens,
        "global_batch_tokens",
        &["globalbatchsizet", "globalbatchsizetokens"],
    ),
    (
        Column::GlobalBatchSeqs,
        "global_batch_seqs",
        &[
            "globalbatchsizes",
            "globalbatchsizeseq",
            "globalbatchsize",
            "globaltrainbatchsize",
        ],
    ),
    (
        Column::TokensPerS,
        "throughput_tok_s",
        &[
            "throughputts",
            "throughput",
            "throughputtokenss",
            "toks",
            "tokenss",
            "tokenspersecond",
            "throughputtokenssec",
            "tokenssec",
            "tokenspersec",
            "tps",
            "wps",
        ],
    ),
    (
        Column::TokensPerSGpu,
        "throughput_tok_s_gpu",
        &[
            "gputhroughputtsgpu",
            "throughputtsgpu",
            "gputhroughput",
            "toksgpu",
            "tokenssgpu",
            "tokenssecgpu",
            "tokenspersecondpergpu",
            "tokenspersecpergpu",
            "throughputtokenssgpu",
            "throughputtokenssecgpu",
            "tpsgpu",
        ],
    ),
    (
        Column::SeqsPerS,
        "throughput_seq_s",
        &[
            "throughputss",
            "throughputsampless",
            "sampless",
            "samplespersecond",
            "samplessec",
            "samplespersec",
            "throughputsamplessec",
        ],
    ),
    (Column::Mfu, "mfu", &["mfu%", "mfustar", "mfu*"]),
    (Column::Hfu, "hfu", &["hfu%", "hfustar", "hfu*"]),
    (
        Column::Tflops,
        "model_tflop",
        &[
            "modeltflops",
            "tflopsgpu",
            "tflopssgpu",
            "tflopspergpu",
            "tflopgpu",
        ],
    ),
];

/// Spellings of tokens per second that some programs print for one GPU and others for all.
const PER_GPU_ELSEWHERE: &[&str] = &["tps", "wps"];

impl Column {
    /// The name the project's own tables use.
    pub(super) fn name(self) -> &'static str {
        SPELLINGS
            .iter()
            .find(|(column, ..)| *column == self)
            .map_or("", |(_, name, _)| name)
    }

    fn parse(header: &str) -> Option<Self> {
        let key = normalised(header);
        SPELLINGS
            .iter()
            .find(|(_, name, others)| normalised(name) == key || others.contains(&key.as_str()))
            .map(|(column, ..)| *column)
    }

    /// Whether a table may have it more than once: `GPUType` often is repeated, once with and once
    /// without the number of GPUs, and utilizations are counted in several ways.
    fn repeats(self) -> bool {
        matches!(self, Self::Gpu | Self::Mfu | Self::Hfu | Self::Tflops)
    }
}

/// A header without case, spaces and punctuation (`SeqLen (T)` and `seq_len_t` are the same).
fn normalised(header: &str) -> String {
    header
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '*' | '%'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a header has any column that tells a throughput.
pub(super) fn has_throughput(header: &Record) -> bool {
    header.cells.iter().any(|cell| {
        matches!(
            Column::parse(&cell.text),
            Some(Column::TokensPerS | Column::TokensPerSGpu | Column::SeqsPerS)
        )
    })
}

/// The column of each header cell; `None` is ignored, with a note. `GPUs` heads counts and types
/// alike: `names_gpu` says whether the first cell below a header is a type.
///
/// # Errors
/// A column that appears twice.
pub(super) fn columns(
    header: &Record,
    names_gpu: &dyn Fn(usize) -> bool,
    origin: &Origin,
    notes: &mut Notes,
) -> Result<Vec<Option<Column>>, Diagnostic> {
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.cells.len());
    for (at, cell) in header.cells.iter().enumerate() {
        let column = match Column::parse(&cell.text) {
            Some(Column::Gpus) if names_gpu(at) => Some(Column::Gpu),
            column => column,
        };
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
            notes.add(header.line, format!("column `{}` is not used", cell.text));
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
