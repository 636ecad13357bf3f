//! Names of jobs, cut to what a table in a terminal has room for.

use std::collections::BTreeMap;

use tabled::grid::util::string::{get_char_width, get_text_width};

use super::super::Cell;
use crate::schedule::Schedule;

/// Columns that a name may take, and how many of them show its beginning: names of a ladder tend to
/// begin alike, so that most show the end. The others are for names that look alike when cut so.
const CUTS: [(usize, usize); 6] = [(20, 6), (20, 12), (20, 16), (28, 9), (28, 18), (28, 24)];

/// What jobs are called in a table: different names stay different.
#[derive(Debug)]
pub(super) struct Names<'a>(BTreeMap<&'a str, String>);

impl<'a> Names<'a> {
    pub(super) fn of(schedule: &'a Schedule) -> Self {
        Self::new(schedule.jobs.iter().map(|job| job.name.as_str()))
    }

    fn new(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let mut short: Vec<String> = names.iter().map(|name| cut(name, CUTS[0])).collect();
        for place in 0..short.len() {
            let (alike, others): (Vec<usize>, Vec<usize>) =
                (0..short.len()).partition(|other| short[*other] == short[place]);
            if alike.len() == 1 {
                continue;
            }
            let all_cut = |at: (usize, usize)| -> Vec<String> {
                alike.iter().map(|name| cut(names[*name], at)).collect()
            };
            let apart = |shown: &Vec<String>| {
                are_distinct(shown) && !others.iter().any(|other| shown.contains(&short[*other]))
            };
            let whole = || alike.iter().map(|name| names[*name].to_owned()).collect();
            let shown = CUTS.into_iter().map(all_cut).find(apart);
            for (name, shown) in alike.iter().zip(shown.unwrap_or_else(whole)) {
                short[*name] = shown;
            }
        }
        if !are_distinct(&short) {
            // Some name holds the very sign of a cut.
            short = names.iter().map(|name| (*name).to_owned()).collect();
        }
        Self(names.into_iter().zip(short).collect())
    }

    /// The whole name, with what a terminal shows of it.
    pub(super) fn cell(&self, name: &str) -> Cell {
        let cell = Cell::from(name);
        match self.0.get(name) {
            Some(short) if short != name => cell.short(short.as_str()),
            _ => cell,
        }
    }
}

fn are_distinct(names: &[String]) -> bool {
    let rest = |place: usize| names.iter().skip(place + 1);
    let mut places = names.iter().enumerate();
    places.all(|(place, name)| rest(place).all(|other| other != name))
}

/// A name with its middle cut out where it is wider than that.
fn cut(name: &str, (width, front): (usize, usize)) -> String {
    if get_text_width(name) <= width {
        return name.to_owned();
    }
    let start: String = within(name.chars(), front).collect();
    let end: Vec<char> = within(name.chars().rev(), width - 1 - front).collect();
    let end: String = end.into_iter().rev().collect();
    format!("{start}…{end}")
}

/// The first characters that fit so many columns.
fn within(chars: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut left = width;
    chars.map_while(move |c| {
        left = left.checked_sub(get_char_width(c))?;
        Some(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str]) -> Vec<String> {
        let all = Names::new(names.iter().copied());
        let cells = names.iter().map(|name| all.cell(name));
        cells.map(|cell| cell.short.unwrap_or(cell.text)).collect()
    }

    #[test]
    fn different_names_stay_different() {
        let twins = [
            "ablation-lr1e-4-warmup-2000-steps",
            "ablation-lr3e-4-warmup-2000-steps",
        ];
        assert_eq!(shown(&twins[..1]), ["ablati…up-2000-steps"]);
        assert_eq!(
            shown(&twins),
            ["ablation-lr1…0-steps", "ablation-lr3…0-steps"]
        );
        // What no cut tells apart is shown whole.
        let one = format!("{}1{}", "a".repeat(40), "b".repeat(40));
        let other = format!("{}2{}", "a".repeat(40), "b".repeat(40));
        assert_eq!(shown(&[&one, "c", &other]), [one.as_str(), "c", &other]);
        // So is what others are called as already.
        let names = ["ablati…up-2000-steps", twins[0]];
        assert!(are_distinct(&shown(&names)), "{:?}", shown(&names));
    }

    #[test]
    fn wide_characters_count_twice() {
        let name = "日本語の名前のとても長いジョブ、二番目のもの";
        let short = shown(&[name]).remove(0);
        assert_eq!(short, "日本語…二番目のもの");
        assert!(get_text_width(&short) <= 20);
    }
}
