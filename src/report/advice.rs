//! Advice on what to measure next.

use crate::advise::{Advice, Pick};
use crate::configuration::on_off;
use crate::measure::to_blank_csv;
use crate::quantity::display_count;

use super::number::half_width_share;
use super::{Answer, Cell, Column, Document, Grid, Records};

/// What a fit was made from: rows are fitted all together, so that its tables have to be named again
/// beside new ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fitted<'a> {
    /// Its name; `None` for the embedded fit.
    pub name: Option<&'a str>,
    /// Its tables, as a person would type them.
    pub tables: &'a [String],
    /// Whether it was made without the embedded tables.
    pub alone: bool,
}

/// What to measure to narrow a plan's answer.
#[derive(Debug, Clone, Copy)]
pub struct ToMeasure<'a> {
    /// The advice.
    pub advice: &'a Advice,
    /// What it is for: a model's name, or a table's.
    pub subject: &'a str,
    /// What the fit that it was given by was made from.
    pub fitted: Fitted<'a>,
    /// Files that describe models, clusters or stacks of its rows, as a person would type them.
    pub presets: &'a [String],
}

impl ToMeasure<'_> {
    /// The flags that name the files describing its rows, each after a space.
    fn presets_flags(&self) -> String {
        let files = self.presets.iter();
        files.fold(String::new(), |flags, file| flags + " --presets " + file)
    }

    /// How the rows are fitted once they are filled in.
    fn then(&self) -> String {
        let Fitted {
            name,
            tables,
            alone,
        } = self.fitted;
        let own = tables.iter().map(|table| table.clone() + " ");
        let own: String = own.collect();
        let alone = if alone { " --alone" } else { "" };
        let again = name.map_or_else(String::new, |name| {
            format!(" together with the rows of {name}, whose tables are named again")
        });
        format!(
            "`--format csv -o measured.csv` writes these rows to fill in; `tminus fit {own}measured.csv\
             {}{alone} -o my.fit.toml` then fits them{again}",
            self.presets_flags()
        )
    }

    fn told(&self) -> impl Iterator<Item = (String, String)> {
        let notes = self.advice.notes.iter();
        notes.map(|note| ("note".to_owned(), note.clone()))
    }

    fn answer_line(&self) -> String {
        let Advice {
            answer,
            answer_cluster,
            answer_is_knee,
            answer_tok_s,
            half_width,
            half_width_floor,
            rows,
            ..
        } = self.advice;
        let which = if *answer_is_knee {
            "the knee of the plan's front"
        } else {
            "the plan's first configuration"
        };
        let subject = match (answer, answer_cluster, answer_tok_s) {
            (Some(answer), Some(cluster), Some(tok_s)) => format!(
                "{which}, {} GPUs of {cluster}, micro-batch {} × \
                 grad-accum {}, is predicted at {} tokens/s",
                answer.gpus,
                answer.micro_batch,
                answer.grad_accum,
                display_count(tok_s.expected),
            ),
            _ => format!(
                "half of the {} rows are predicted within",
                rows.unwrap_or(0)
            ),
        };
        format!(
            "{subject} {}; with nothing left to learn about the model it would be {}, from \
             run-to-run noise and bad days as they are believed now: rows may show fewer",
            half_width_share(*half_width),
            half_width_share(*half_width_floor),
        )
    }
}

impl Answer for ToMeasure<'_> {
    fn document(&self) -> Document {
        let title = format!("What to measure to narrow the answer for {}", self.subject);
        let document = Document::new(title).text(self.answer_line());
        if self.advice.picks.is_empty() {
            return document
                .text("no single measurement within the limits would narrow that")
                .notes(self.told().collect());
        }
        let mut notes = vec![
            (
                "then".to_owned(),
                "half-width of the answer's interval after this row and those above".to_owned(),
            ),
            ("table".to_owned(), self.then()),
        ];
        notes.extend(self.told());
        document.grid(grid(self.advice)).notes(notes)
    }

    fn besides(&self) -> Vec<String> {
        self.advice.notes.clone()
    }

    fn records(&self) -> Records {
        Records::of_csv(&to_blank_csv(&self.advice.table))
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self.advice)
    }
}

fn grid(advice: &Advice) -> Grid {
    let columns = vec![
        Column::right("#"),
        Column::left("model"),
        Column::left("cluster"),
        Column::right("GPUs"),
        Column::right("seq"),
        Column::right("micro\nbatch"),
        Column::right("grad\naccum"),
        Column::left("ckpt"),
        Column::right("minutes"),
        Column::right("predicted\ntok/s"),
        Column::right("then"),
    ];
    let rows = advice
        .picks
        .iter()
        .enumerate()
        .map(|(index, pick)| row(index + 1, pick));
    Grid {
        columns,
        rows: rows.collect(),
    }
}

fn row(number: usize, pick: &Pick) -> Vec<Cell> {
    let checkpointing = on_off(pick.activation_checkpointing);
    [
        number.to_string(),
        format!("{} ({} layers)", pick.model, pick.n_layers),
        pick.cluster.clone(),
        pick.gpus.to_string(),
        pick.seq_len.to_string(),
        pick.micro_batch.to_string(),
        pick.grad_accum.to_string(),
        checkpointing.to_owned(),
        format!("{:.0}", pick.minutes.ceil()),
        display_count(pick.throughput_tok_s.expected),
        half_width_share(pick.half_width_after),
    ]
    .map(Cell::from)
    .to_vec()
}
