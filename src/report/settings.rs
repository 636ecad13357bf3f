//! Settings as a table: default, what was published, range.

use crate::forecast::ReliabilitySetting;

use super::listing::Section;
use super::number::significant;
use super::{Cell, Column, Grid};

/// The settings of reliability.
#[must_use]
pub fn reliability(settings: &[ReliabilitySetting]) -> Section {
    let row = |setting: &ReliabilitySetting| -> Vec<Cell> {
        vec![
            setting.name.into(),
            setting.default.into(),
            setting.published.into(),
            significant(setting.least).into(),
            significant(setting.most).into(),
            setting.unit.into(),
        ]
    };
    Section {
        heading: "reliability".to_owned(),
        grid: Grid {
            columns: vec![
                Column::left("setting"),
                Column::right("default"),
                Column::right("published"),
                Column::right("least"),
                Column::right("most"),
                Column::left("unit"),
            ],
            rows: settings.iter().map(row).collect(),
        },
    }
}
