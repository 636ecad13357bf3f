//! Charts as inline SVG: scales and axes apart from the drawings, colours left to the page.
//!
//! Every chart has a title, axes with units, a legend in text beside it and a description for
//! those who can't see it. Series differ in shape as well as in colour, and the colours are ones
//! that people with any common kind of colour blindness tell apart.

mod accuracy;
mod axis;
mod bars;
mod calendar;
mod cost_time;
mod scale;
mod scaling;
mod svg;

pub(crate) use accuracy::accuracy;
pub(crate) use bars::{Compared, cost_bars, memory_bars, time_bars};
pub(crate) use calendar::{Booking, Calendar, Lane, Taken, calendar, minute_after};
pub(crate) use cost_time::cost_time;
pub(crate) use scaling::{Measured, scaling};

use serde::Serialize;

use crate::plan::Candidate;

/// How many series have a colour of their own.
const COLOURS: usize = 10;

/// A drawn chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The picture: an SVG element, its texts escaped.
    pub svg: String,
    /// Class and name of each colour.
    pub legend: Vec<Key>,
    /// What to see in it.
    pub caption: String,
}

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Class of the swatch.
    pub class: String,
    /// What it stands for.
    pub name: String,
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
fn series(index: usize) -> String {
    format!("s{}", index % COLOURS)
}

/// Names of several series of points, each with its place among them.
#[derive(Debug, Default)]
struct Names(Vec<String>);

impl Names {
    /// The clusters, in order of appearance.
    fn of_clusters(candidates: &[Candidate]) -> Self {
        let mut names = Self::default();
        for candidate in candidates {
            names.index(&candidate.cluster);
        }
        names
    }

    /// The place of a name, which is added where it is new.
    fn index(&mut self, name: &str) -> usize {
        let known = self.0.iter().position(|other| other == name);
        known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    /// The place of a name that is there.
    fn of(&self, name: &str) -> usize {
        let known = self.0.iter().position(|other| other == name);
        known.unwrap_or_default()
    }

    /// Legend of points.
    fn keys(&self) -> Vec<Key> {
        let key = |(index, name): (usize, &String)| {
            Key::new(format!("dot {}", series(index)), name.as_str())
        };
        self.0.iter().enumerate().map(key).collect()
    }
}
