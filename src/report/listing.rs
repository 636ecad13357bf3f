//! Lists of named things: what `presets` says.

use serde_json::Value;

use super::{Answer, Document, Grid, Records};
use crate::quantity::without_separators;

/// A section of a list.
#[derive(Debug, Clone)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// Its table.
    pub grid: Grid,
}

/// Named things in sections.
#[derive(Debug, Clone)]
pub struct Listing {
    /// One line.
    pub title: String,
    /// Sections; one alone goes without its heading.
    pub sections: Vec<Section>,
    /// What to add below.
    pub notes: Vec<(String, String)>,
    /// Everything, for programs.
    pub json: Value,
}

impl Answer for Listing {
    fn document(&self) -> Document {
        let mut document = Document::new(&self.title);
        for section in &self.sections {
            if self.sections.len() > 1 {
                document = document.heading(&section.heading);
            }
            document = document.grid(section.grid.clone());
        }
        if self.notes.is_empty() {
            document
        } else {
            document.notes(self.notes.clone())
        }
    }

    /// The first section alone is one table with its own columns; several are flattened to what
    /// they share: section, name, and the rest by its headers.
    fn records(&self) -> Records {
        if let [section] = self.sections.as_slice() {
            return section_records(section);
        }
        let rows = self.sections.iter().flat_map(|section| {
            let Records { header, rows } = section_records(section);
            rows.into_iter().map(move |row| {
                let mut cells = header.iter().zip(row);
                let name = cells.next().map_or_else(String::new, |(_, name)| name);
                let told = cells.filter(|(_, cell)| !cell.is_empty());
                let rest: Vec<String> = told.map(|(of, cell)| format!("{of}={cell}")).collect();
                vec![section.heading.clone(), name, rest.join("; ")]
            })
        });
        Records {
            header: ["kind", "name", "summary"].map(str::to_owned).to_vec(),
            rows: rows.collect(),
        }
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.json)
    }
}

fn section_records(section: &Section) -> Records {
    let grid = &section.grid;
    Records {
        header: grid
            .columns
            .iter()
            .map(|column| column.header.replace('\n', " "))
            .collect(),
        rows: grid
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| for_programs(&cell.text)).collect())
            .collect(),
    }
}

/// A cell as programs read it: whole numbers without marks between their digits.
fn for_programs(text: &str) -> String {
    let plain = without_separators(text, &[]);
    if plain.parse::<u128>().is_ok() {
        plain
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Column;

    #[test]
    fn what_sections_do_not_share_is_labelled() {
        let section = |heading: &str, header: &str, cell: &str| Section {
            heading: heading.to_owned(),
            grid: Grid {
                columns: vec![Column::left("name"), Column::right(header)],
                rows: vec![vec!["a".into(), cell.into()]],
            },
        };
        let listing = Listing {
            title: String::new(),
            sections: vec![
                section("models", "layers", "12"),
                section("gpus", "GiB", "79.2"),
            ],
            notes: Vec::new(),
            json: Value::Null,
        };
        let rows = listing.records().rows;
        assert_eq!(rows[0], ["models", "a", "layers=12"]);
        assert_eq!(rows[1], ["gpus", "a", "GiB=79.2"]);
    }
}
