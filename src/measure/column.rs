//! What columns hold, and which of them a header has.

use crate::diagnostic::{Diagnostic, Origin};

use super::grid::{Grid, Record};
use super::notes::Notes;
use super::row::is_no;
use super::spellings::SPELLINGS;

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
    Nodes,
    GpusPerNode,
    Gpu,
    Cluster,
    Stack,
    Precision,
    MpMode,
    Sharding,
    ZeroStage,
    TensorParallel,
    PipelineParallel,
    ContextParallel,
    ExpertParallel,
    /// Experts of a layer: one, or the row is refused.
    Experts,
    /// Whether matrices are multiplied in fp8.
    Fp8,
    /// What was switched on, in words: only fp8 is looked for in it.
    Techniques,
    CpuOffload,
    Checkpointing,
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
        SPELLINGS
            .iter()
            .find(|(column, ..)| *column == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The column that a header stands above.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let key = normalised(header);
        // `seq/s` is a speed, `seqs` a number of sequences.
        if key == "seqs" && header.contains('/') {
            return Some(Self::SeqsPerS);
        }
        SPELLINGS
            .iter()
            .find(|(_, name, others)| normalised(name) == key || others.contains(&key.as_str()))
            .map(|(column, ..)| *column)
    }

    /// Whether a table may have it more than once: `GPUType` often is repeated, once with and once
    /// without the number of GPUs, utilizations are counted in several ways, and precision,
    /// checkpointing, offloading and experts are often told by more than one setting.
    pub(super) fn repeats(self) -> bool {
        matches!(
            self,
            Self::Gpu
                | Self::Mfu
                | Self::Hfu
                | Self::Tflops
                | Self::Checkpointing
                | Self::CpuOffload
                | Self::Experts
                | Self::Fp8
                | Self::Precision
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

/// What tells when or where something is saved, which these steps are without.
const SAVES: [&str; 6] = ["interval", "every", "path", "dir", "async", "save"];

/// Headers that head something near what they stand for where a table has a column for that itself.
const NEARLY: [&str; 6] = [
    "paddedvocabsize",
    "devicebatchsize",
    "modelparallelsize",
    "numnodes",
    "nnodes",
    "nodecount",
];

/// Whether a header heads something near what another says by its own name.
fn gives_way(header: &Record, at: usize, column: Column) -> bool {
    let is_nearly = |text: &str| NEARLY.contains(&normalised(text).as_str());
    let mut cells = header.cells.iter().enumerate();
    let own = header
        .cells
        .get(at)
        .is_some_and(|cell| is_nearly(&cell.text));
    own && cells.any(|(other, cell)| {
        other != at && Column::parse(&cell.text) == Some(column) && !is_nearly(&cell.text)
    })
}

/// Copies of the model: their number follows from the GPUs.
const COPIES: [&str; 4] = [
    "dataparallel",
    "dataparallelsize",
    "dataparalleldegree",
    "dataparallelreplicas",
];

/// Whether what stands in a column that isn't known may change the speed.
fn may_matter(header: &str) -> bool {
    let key = normalised(header);
    let holds = |words: &[&str]| words.iter().any(|word| key.contains(word));
    holds(&MATTERS) && !holds(&SAVES) && !COPIES.contains(&key.as_str())
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
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(header.cells.len());
    for (at, cell) in header.cells.iter().enumerate() {
        let column = match Column::parse(&cell.text) {
            Some(Column::Gpus) if names_gpu(at) => Some(Column::Gpu),
            column => column.filter(|column| !gives_way(header, at, *column)),
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
            let text = format!("column `{}` is not used", cell.text);
            if may_matter(&cell.text) && !grid.all_below(at, is_no) {
                let why = "though it may change the speed: rows that differ in it alone are taken as \
                           alike";
                notes.warn(header.line, format!("{text}, {why}"));
            } else {
                notes.add(header.line, text);
            }
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
