//! Of what was trained, and where.

use super::Spelling;
use crate::measure::column::Column;

pub(super) const MODEL: &[Spelling] = &[
    (
        Column::Model,
        "model",
        &["modelname", "modelsize", "nameorpath", "modelnameorpath"],
    ),
    (
        Column::DModel,
        "d_model",
        &["hiddensize", "hiddendim", "nembd", "modeldim"],
    ),
    (
        Column::NLayers,
        "n_layers",
        &[
            "numlayers",
            "layers",
            "nlayer",
            "numhiddenlayers",
            "numberoflayers",
        ],
    ),
    (
        Column::NHeads,
        "n_heads",
        &[
            "numheads",
            "heads",
            "nhead",
            "attentionheads",
            "numattentionheads",
        ],
    ),
    (
        Column::NKvHeads,
        "n_kv_heads",
        &[
            "kvnheads",
            "kvheads",
            "numkeyvalueheads",
            "numkvheads",
            "nheadkv",
            "nheadskv",
            "nkvhead",
            "numquerygroups",
        ],
    ),
    (
        Column::HeadDim,
        "head_dim",
        &["headdimension", "headsize", "dhead", "kvchannels"],
    ),
    (
        Column::DFf,
        "d_ff",
        &[
            "ffnhiddensize",
            "intermediatesize",
            "ffndim",
            "ffdim",
            "ninner",
            "mlpdim",
            "mlphiddensize",
            "feedforwarddim",
        ],
    ),
    (
        Column::VocabSize,
        "vocab_size",
        &["vocab", "paddedvocabsize"],
    ),
    (
        Column::Params,
        "n_params",
        &[
            "paramcount",
            "numparams",
            "params",
            "parameters",
            "totalparams",
        ],
    ),
    (
        Column::ActiveParams,
        "active_params",
        &[
            "nactiveparams",
            "numactiveparams",
            "activeparameters",
            "activatedparams",
        ],
    ),
    (
        Column::SeqLen,
        "seq_len",
        &[
            "seq",
            "seqlent",
            "sequencelength",
            "seqlength",
            "maxseqlen",
            "maxseqlength",
            "maxsequencelength",
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
        Column::Nodes,
        "nodes",
        &["numnodes", "nnodes", "nodecount", "trainernumnodes"],
    ),
    (
        Column::GpusPerNode,
        "gpus_per_node",
        &[
            "gpuspernode",
            "nprocpernode",
            "ngpuspernode",
            "trainerdevices",
        ],
    ),
    (
        Column::Gpu,
        "gpu",
        &["gputype", "gpuname", "hardware", "accelerator"],
    ),
    (Column::Cluster, "cluster", &["clustername"]),
    (Column::Stack, "stack", &[]),
];
