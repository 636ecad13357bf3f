//! Charts as inline SVG: scales and axes apart from the drawings, colours left to the page.
//!
//! Every chart has a title, axes with units, a legend in text beside it and a description for
//! those who can't see it.

mod axis;
mod bars;
mod plots;
mod scale;
mod svg;

pub(crate) use bars::{memory_bars, time_bars};
pub(crate) use plots::{accuracy, cost_time, scaling};

use serde::Serialize;

/// A drawn chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// What it shows.
    pub(crate) title: String,
    /// The picture.
    pub(crate) svg: String,
    /// Class and name of each colour.
    pub(crate) legend: Vec<Key>,
    /// What to see in it.
    pub(crate) caption: String,
}

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Key {
    /// Class of the swatch.
    pub(crate) class: String,
    /// What it stands for.
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(class: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            name: name.into(),
        }
    }
}

/// Class of the colour of one of several series.
pub(crate) fn series(index: usize) -> String {
    format!("s{}", index % 9)
}
