//! How GPUs share the work, as a cell puts it in words: `FSDP 32, TP 8`, `HSDP 2x256`, `ZeRO-2 + offload`,
//! `ds_z3_config.json`.

use super::column::{Column, normalised};
use super::grid::Cell;
use super::row::{Row, is_no};
use super::variant::Sharding;

/// Ways of splitting a model, as words that a number follows: in the order of `split::COLUMNS`.
const SPLITS: [&[&str]; 4] = [
    &["tp", "tensor"],
    &["pp", "pipeline"],
    &["cp", "context", "ulysses", "ring"],
    &["ep", "expert"],
];

/// Those of them that are of other things, too.
const COMMON: [&str; 5] = ["tensor", "pipeline", "context", "ring", "expert"];

/// GPUs that a model is split over one way, at most, where a word for that may stand for something else: an
/// assumption, as many as the largest published runs have.
const MOST_WAYS: u64 = 64;

/// Words that say nothing of it.
const SILENT: [&str; 34] = [
    "parallel",
    "parallelism",
    "model",
    "data",
    "and",
    "with",
    "way",
    "of",
    "x",
    "size",
    "degree",
    "only",
    "config",
    "conf",
    "json",
    "yaml",
    "yml",
    "ds",
    "deepspeed",
    "strategy",
    "distributedtype",
    "shardingstrategy",
    "sharded",
    "shard",
    "auto",
    "wrap",
    "transformer",
    "based",
    "policy",
    "cpu",
    "gpu",
    "gpus",
    "d",
    "none",
];

/// What cells say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// Over how many GPUs a copy is split, in the order of `split::COLUMNS`; 0 where it is, but not told
    /// over how many.
    pub(super) ways: [Option<u64>; 4],
    /// Groups that shard a copy each.
    pub(super) replicas: Option<u64>,
    /// GPUs in each.
    pub(super) shards: Option<u64>,
    /// The sharding, where one is told that isn't over all GPUs.
    pub(super) sharding: Option<&'static Sharding>,
    /// Whether something is offloaded.
    pub(super) offload: bool,
    /// GPUs that share a sequence, which Megatron has those of tensor parallelism do.
    sequence: Option<u64>,
    /// The stage of `ZeRO`.
    stage: Option<u64>,
    /// Whether a sharding is told at all.
    known: bool,
}

/// What the cells of a row say, and the one that says most of it, in its column: a column of the
/// sharding comes first.
pub(super) fn told<'a>(row: &Row<'a>) -> Option<(Column, &'a Cell, Told)> {
    let sharding = row.cells(Column::Sharding);
    let sharding = sharding.map(|cell| (Column::Sharding, cell, Told::by("", &cell.text)));
    let cells = row.cells(Column::Parallelism).map(|cell| {
        let header = row.spelled(Column::Parallelism, Some(cell));
        (Column::Parallelism, cell, Told::by(header, &cell.text))
    });
    // Most techniques are none of parallelism.
    let techniques = row.cells(Column::Techniques).filter_map(|cell| {
        let told = Told::among_techniques(&cell.text);
        (!told.says_nothing()).then_some((Column::Techniques, cell, told))
    });
    let cells = sharding.chain(cells).chain(techniques);
    let (column, cell, told) = cells.reduce(|one, other| {
        let says_more = one.2.says_nothing() && !other.2.says_nothing();
        let (column, cell, _) = if says_more { other } else { one };
        (column, cell, one.2.and(other.2))
    })?;
    Some((column, cell, told.by_stage().in_sequences()))
}

impl Told {
    fn by(header: &str, text: &str) -> Self {
        let mut told = Self::default();
        if is_no(text) || matches!(text, "-" | "[]") {
            return told;
        }
        let words = words(text);
        if let [word] = words.as_slice()
            && normalised(header).starts_with("fsdp")
        {
            let count = word.parse::<u64>().ok();
            told.shards = count.filter(|shards| *shards > 1);
            told.known = count.is_some() || matches!(word.as_str(), "true" | "yes" | "on");
        }
        told.hear_all(&words)
    }

    /// What a list of techniques says of it. Each speaks for itself: what follows a comma is no number of
    /// what stands before it (`FSDP, 8-bit AdamW`).
    fn among_techniques(text: &str) -> Self {
        let items = text.split([',', ';', '+', '\n']).map(Self::technique);
        items.reduce(Self::and).unwrap_or_default().by_stage()
    }

    /// What one technique says of it: `tensor` and the like are of something else where neither `parallel`
    /// nor, at the end, a number of GPUs follows (`tensor cores`, `context 8192`).
    fn technique(text: &str) -> Self {
        let mut words = words(text);
        let ways = |word: &str| word.parse().is_ok_and(|ways: u64| ways <= MOST_WAYS);
        let mut follows = false;
        let mut last = true;
        for word in words.iter_mut().rev() {
            let speaks = word.starts_with("parallel") || (last && ways(word));
            if COMMON.contains(&&**word) && !follows {
                word.clear();
            }
            follows = speaks || word == "attention";
            last = false;
        }
        Self::default().hear_all(&words)
    }

    fn hear_all(mut self, words: &[String]) -> Self {
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            rest = self.hear(word, after);
        }
        self.by_stage()
    }

    /// A stage says what is sharded among copies that are whole otherwise (`DDP + ZeRO1`).
    fn by_stage(mut self) -> Self {
        if let Some(stage) = self.stage {
            let whole = Sharding::of_suffix("zero0");
            let other = self.sharding.filter(|sharding| Some(*sharding) != whole);
            self.sharding = other.or_else(|| Sharding::of_stage(stage));
            self.known = true;
        }
        self
    }

    /// Takes in a word, and gives what is left behind it.
    fn hear<'w>(&mut self, word: &str, after: &'w [String]) -> &'w [String] {
        let (number, behind) = count(after);
        let split = SPLITS.iter().position(|names| names.contains(&word));
        if let Some(ways) = split.and_then(|split| self.ways.get_mut(split)) {
            *ways = number.or(*ways).or(Some(0));
            return behind;
        }
        let next = after.first().map(String::as_str);
        match (word, number) {
            ("hybridshardzero", Some(2)) => {
                self.is("hsdp2");
                return behind;
            }
            ("hsdp" | "hybrid" | "hybridshard" | "mics", _) => return self.groups(after),
            ("fsdp" | "fully" | "fullshard" | "full", _) => {
                self.known = true;
                // A 2 is the version of the software.
                self.shards = number.filter(|shards| *shards > 2).or(self.shards);
                return behind;
            }
            ("zero" | "z" | "stage", Some(stage)) => {
                self.stage = Some(stage);
                return behind;
            }
            ("sp" | "sequence", _) => {
                self.sequence = number;
                return behind;
            }
            // Copies that are counted are not told to be whole.
            ("dp" | "replicate" | "replicated", Some(_)) => return behind,
            ("grad", _) if next == Some("op") => self.is("zero2"),
            ("shardgradop", _) => self.is("zero2"),
            ("no", _) if next == Some("shard") => self.is("zero0"),
            ("multi", _) if next == Some("gpu") => self.is("zero0"),
            // Shards that are copied are those of groups.
            ("replicate" | "replicated", _) if self.known => self.is("hsdp"),
            ("ddp" | "dp" | "noshard" | "replicate" | "replicated", _) => self.is("zero0"),
            ("offload" | "offloading", _) => self.offload = true,
            _ => {}
        }
        after
    }

    /// Whether neither a sharding nor a split is told.
    pub(super) fn says_nothing(&self) -> bool {
        !self.known && !self.offload && self.ways.iter().all(Option::is_none)
    }

    /// GPUs that share a sequence are others than those of tensor parallelism where there are none of these.
    fn in_sequences(mut self) -> Self {
        let [tensor, _, context, _] = &mut self.ways;
        if tensor.is_none_or(|ways| ways == 1) {
            *context = context.or(self.sequence);
        }
        self
    }

    /// What two cells say together.
    fn and(self, other: Self) -> Self {
        let mut ways = self.ways;
        for (ways, more) in ways.iter_mut().zip(other.ways) {
            *ways = ways.filter(|ways| *ways > 0).or(more).or(*ways);
        }
        Self {
            ways,
            replicas: self.replicas.or(other.replicas),
            shards: self.shards.or(other.shards),
            sharding: self.sharding.or(other.sharding),
            offload: self.offload || other.offload,
            sequence: self.sequence.or(other.sequence),
            stage: self.stage.or(other.stage),
            known: self.known || other.known,
        }
    }

    fn is(&mut self, suffix: &str) {
        self.sharding = self.sharding.or(Sharding::of_suffix(suffix));
        self.known = true;
    }

    /// `HSDP 2x256`, `hybrid_shard`, `hybrid_shard_zero2`.
    fn groups<'w>(&mut self, after: &'w [String]) -> &'w [String] {
        let after = match after {
            [shard, after @ ..] if shard == "shard" => after,
            _ => after,
        };
        if let [zero, stage, after @ ..] = after
            && zero == "zero"
            && stage == "2"
        {
            self.is("hsdp2");
            return after;
        }
        self.is("hsdp");
        if let [replicas, x, shards, after @ ..] = after
            && x == "x"
            && let (Ok(replicas), Ok(shards)) = (replicas.parse(), shards.parse())
        {
            self.replicas = Some(replicas);
            self.shards = Some(shards);
            return after;
        }
        count(after).1
    }
}

/// Words and numbers, as they follow each other: `ds_z3` is `ds`, `z` and `3`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for letter in text.to_lowercase().replace(['×', '*'], "x").chars() {
        let kind = letter.is_alphanumeric().then(|| letter.is_ascii_digit());
        match (kind, words.last_mut()) {
            (Some(_), Some(word)) if kind == last => word.push(letter),
            (Some(_), _) => words.push(letter.to_string()),
            (None, _) => {}
        }
        last = kind;
    }
    words
}

fn is_silent(word: &str) -> bool {
    SILENT.contains(&word)
}

/// The number behind a word, past what says nothing, and what follows it.
fn count(words: &[String]) -> (Option<u64>, &[String]) {
    let silent = words.iter().take_while(|word| is_silent(word)).count();
    let number = words.get(silent).and_then(|word| word.parse().ok());
    match number {
        Some(_) => (number, words.get(silent + 1..).unwrap_or_default()),
        None => (None, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_strategy_are_understood() {
        for (text, sharding, ways, groups, offload) in [
            ("FSDP", None, [0; 4], (0, 0), false),
            ("FSDP2", None, [0; 4], (0, 0), false),
            ("full_shard auto_wrap", None, [0; 4], (0, 0), false),
            ("DistributedType.FSDP", None, [0; 4], (0, 0), false),
            ("FSDP 32, TP 8", None, [8, 0, 0, 0], (0, 32), false),
            ("TP8 DP8", None, [8, 0, 0, 0], (0, 0), false),
            ("TP8 + FSDP8", None, [8, 0, 0, 0], (0, 8), false),
            (
                "tensor parallel 4, PP=2, SP",
                None,
                [4, 2, 0, 0],
                (0, 0),
                false,
            ),
            ("FSDP + Ulysses 8", None, [0, 0, 8, 0], (0, 0), false),
            ("FSDP SP8", None, [0, 0, 8, 0], (0, 0), false),
            ("HSDP 2x256", Some("hsdp"), [0; 4], (2, 256), false),
            ("HSDP (8×8)", Some("hsdp"), [0; 4], (8, 8), false),
            ("hybrid_shard", Some("hsdp"), [0; 4], (0, 0), false),
            ("HYBRID_SHARD_ZERO2", Some("hsdp2"), [0; 4], (0, 0), false),
            ("shard_grad_op", Some("zero2"), [0; 4], (0, 0), false),
            ("deepspeed_stage_2", Some("zero2"), [0; 4], (0, 0), false),
            ("ZeRO-2 + offload", Some("zero2"), [0; 4], (0, 0), true),
            ("ds_z3_offload_config.json", None, [0; 4], (0, 0), true),
            (
                "DeepSpeed ZeRO Stage 1",
                Some("zero1"),
                [0; 4],
                (0, 0),
                false,
            ),
            ("DDP", Some("zero0"), [0; 4], (0, 0), false),
            ("DDP+ZeRO1", Some("zero1"), [0; 4], (0, 0), false),
            ("DDP, ZeRO-3", None, [0; 4], (0, 0), false),
            ("replicated", Some("zero0"), [0; 4], (0, 0), false),
            ("MiCS", Some("hsdp"), [0; 4], (0, 0), false),
            ("HybridShard", Some("hsdp"), [0; 4], (0, 0), false),
            ("MULTI_GPU", Some("zero0"), [0; 4], (0, 0), false),
        ] {
            let told = Told::by("strategy", text).in_sequences();
            let suffix = told.sharding.map(|sharding| sharding.suffix);
            assert_eq!(suffix, sharding, "{text}");
            assert_eq!(told.ways.map(Option::unwrap_or_default), ways, "{text}");
            let found = (told.replicas.unwrap_or(0), told.shards.unwrap_or(0));
            assert_eq!((found, told.offload), (groups, offload), "{text}");
            assert!(!told.says_nothing(), "{text}");
        }
        for (text, ways) in [
            ("2D (FSDP 32, TP 8) + AsyncTP", [8, 0, 0, 0]),
            (
                "FSDP + pipeline parallelism 4 + torch.compile",
                [0, 4, 0, 0],
            ),
            ("FSDP 8, CP 8, Float8", [0, 0, 8, 0]),
            ("FSDP, tensor cores, data pipeline, ring buffers", [0; 4]),
            ("torch.compile, FSDP, 8-bit AdamW", [0; 4]),
            ("FSDP, 7B model", [0; 4]),
            ("FSDP + 3D rotary, 8K context", [0; 4]),
            ("FSDP, context 8192, pipeline 1F1B", [0; 4]),
            ("FSDP, tensor 8", [8, 0, 0, 0]),
        ] {
            let told = Told::among_techniques(text);
            let counted = text.contains("FSDP 32").then_some(32);
            let counted = counted.or_else(|| text.contains("FSDP 8").then_some(8));
            assert_eq!((told.shards, told.replicas), (counted, None), "{text}");
            assert_eq!(told.ways.map(Option::unwrap_or_default), ways, "{text}");
            assert!(!told.says_nothing(), "{text}");
        }
        for text in ["torch.compile + Float8", "FlashAttention 2, fused AdamW"] {
            assert!(Told::among_techniques(text).says_nothing(), "{text}");
        }
        for text in ["megatron", "auto", "ds_config.json", "3D", "none", "DP 64"] {
            assert!(Told::by("strategy", text).says_nothing(), "{text}");
        }
        assert_eq!(Told::by("fsdp", "32").shards, Some(32));
        assert!(!Told::by("fsdp", "true").says_nothing());
        assert!(Told::by("deepspeed", "true").says_nothing());
    }
}
