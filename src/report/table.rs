//! Text for a terminal, at most 100 columns wide.

use anstyle::{AnsiColor, Style};
use tabled::builder::Builder;
use tabled::grid::util::string::get_text_width;
use tabled::settings::formatting::AlignmentStrategy;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::style::HorizontalLine;
use tabled::settings::width::Wrap;
use tabled::settings::{Alignment, Padding, Style as Frame};

use super::{Answer, Block, Cell, Column, Grid, Report, ReportError, Tone};

/// The width everything is made to fit.
const WIDTH: usize = 100;

/// Aligned text, styled with ANSI codes (the output gate removes them where there is no colour).
#[derive(Debug, Clone, Copy, Default)]
pub struct Table;

impl Report for Table {
    fn render(&self, answer: &dyn Answer) -> Result<String, ReportError> {
        let document = answer.document();
        let mut text = styled(&document.title, Tone::Strong) + "\n";
        let mut under_heading = false;
        for block in &document.blocks {
            if !(under_heading || matches!(block, Block::Text(_))) {
                text.push('\n');
            }
            under_heading = matches!(block, Block::Heading(_));
            match block {
                Block::Heading(heading) => text += &(strong(heading) + "\n"),
                Block::Text(paragraph) => text += &(wrapped(paragraph, WIDTH) + "\n"),
                Block::Verbatim(lines) => text += &verbatim_text(lines),
                Block::Grid(grid) => text += &grid_text(&in_short(grid)),
                Block::Notes(notes) => text += &notes_text(notes),
                Block::Charts(_) => {}
            }
        }
        Ok(text)
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Caution => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
    }
}

fn styled(text: &str, tone: Tone) -> String {
    let style = style(tone);
    format!("{style}{text}{style:#}")
}

/// A heading, in as many lines as it takes.
fn strong(heading: &str) -> String {
    let lines = wrapped(heading, WIDTH);
    let lines: Vec<String> = lines.lines().map(|l| styled(l, Tone::Strong)).collect();
    lines.join("\n")
}

/// A grid with what a terminal shows of its cells.
fn in_short(grid: &Grid) -> Grid {
    let mut grid = grid.clone();
    for cell in grid.rows.iter_mut().flatten() {
        if let Some(short) = cell.short.take() {
            cell.text = short;
        }
    }
    grid
}

fn styled_cell(cell: &Cell) -> String {
    let lines: Vec<String> = cell.text.lines().map(|l| styled(l, cell.tone)).collect();
    lines.join("\n")
}

/// A table with two spaces between its columns; where it would be too wide, with one, and with
/// its last column wrapped if that holds text; where that is too wide still, with its other text in
/// several lines.
fn grid_text(grid: &Grid) -> String {
    let wide = laid_out(grid, 2);
    let excess = width(&wide).saturating_sub(WIDTH);
    if excess == 0 {
        return wide;
    }
    match grid.columns.last() {
        Some(column) if !column.right && last_width(grid) > excess + 20 => {
            laid_out(&with_last_wrapped(grid, last_width(grid) - excess), 2)
        }
        _ => folded(grid),
    }
}

/// The least characters that a column of text is narrowed to.
const NARROWEST: usize = 10;

/// A table with one space between its columns, whose texts are broken at their joints, the widest
/// column's first, until it is narrow enough or none are left.
fn folded(grid: &Grid) -> String {
    let mut grid = grid.clone();
    let mut text = laid_out(&grid, 1);
    let holds_text = |column: &Column| !column.right && !column.bars;
    let columns = grid.columns.iter().enumerate();
    let columns = columns.filter(|(_, column)| holds_text(column));
    let mut columns: Vec<usize> = columns.map(|(place, _)| place).collect();
    columns.sort_by_key(|place| std::cmp::Reverse(longest(&grid, *place)));
    for place in columns {
        let excess = width(&text).saturating_sub(WIDTH);
        if excess == 0 {
            break;
        }
        let target = longest(&grid, place).saturating_sub(excess).max(NARROWEST);
        for cell in grid.rows.iter_mut().filter_map(|row| row.get_mut(place)) {
            cell.text = at_joints(&cell.text, target);
        }
        text = laid_out(&grid, 1);
    }
    text
}

/// The width of the widest cell of a column.
fn longest(grid: &Grid, column: usize) -> usize {
    let cells = grid.rows.iter().filter_map(|row| row.get(column));
    let lengths = cells.map(|cell| get_text_width(&cell.text));
    lengths.max().unwrap_or(0)
}

/// The parts of a text between its joints, each with the one behind it. A dot is one within a name
/// (`p4de.24xlarge`), and none within a number.
fn jointed(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut before) = (0, ' ');
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        if matches!(letter, '-' | '–' | '_' | ' ') || letter == '.' && before.is_alphabetic() {
            parts.extend(text.get(start..end));
            start = end;
        }
        before = letter;
    }
    parts.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// A name, a date, a range or words in lines of at most `width` characters, as far as they have
/// joints.
fn at_joints(text: &str, width: usize) -> String {
    let length = |text: &str| get_text_width(text.trim_end());
    let mut lines: Vec<String> = vec![String::new()];
    for part in jointed(text) {
        match lines.last_mut() {
            Some(line) if line.is_empty() || get_text_width(line) + length(part) <= width => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn width(text: &str) -> usize {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.lines().map(get_text_width).max().unwrap_or(0)
}

fn last_width(grid: &Grid) -> usize {
    let cells = grid.rows.iter().filter_map(|row| row.last());
    cells
        .map(|cell| get_text_width(&cell.text))
        .max()
        .unwrap_or(0)
}

fn with_last_wrapped(grid: &Grid, width: usize) -> Grid {
    let mut grid = grid.clone();
    for cell in grid.rows.iter_mut().filter_map(|row| row.last_mut()) {
        cell.text = wrapped(&cell.text, width);
    }
    grid
}

fn laid_out(grid: &Grid, gap: usize) -> String {
    let mut builder = Builder::default();
    builder.push_record(grid.columns.iter().map(|Column { header, .. }| {
        let lines: Vec<String> = header.lines().map(|l| styled(l, Tone::Strong)).collect();
        lines.join("\n")
    }));
    for row in &grid.rows {
        builder.push_record(row.iter().map(styled_cell));
    }
    let mut table = builder.build();
    table
        .with(Frame::empty().horizontals([(1, HorizontalLine::new('─'))]))
        .with(Padding::new(gap, 0, 0, 0))
        .modify(Columns::first(), Padding::zero())
        .with(AlignmentStrategy::PerLine)
        .modify(Rows::first(), Alignment::bottom());
    for (index, column) in grid.columns.iter().enumerate() {
        if column.right {
            table.modify(Columns::one(index), Alignment::right());
        }
    }
    without_trailing_space(&table.to_string())
}

/// Lines as they are, indented.
fn verbatim_text(lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(|line| format!("  {line}\n")).collect();
    without_trailing_space(&lines.concat())
}

fn notes_text(notes: &[(String, String)]) -> String {
    let label_width = notes
        .iter()
        .map(|(label, _)| get_text_width(label) + 2)
        .max()
        .unwrap_or(0);
    let mut builder = Builder::default();
    for (label, text) in notes {
        let text = wrapped(text, WIDTH.saturating_sub(label_width));
        builder.push_record([styled(label, Tone::Faint), text]);
    }
    let mut table = builder.build();
    table
        .with(Frame::empty())
        .with(Padding::zero())
        .modify(Columns::first(), Padding::new(0, 2, 0, 0));
    without_trailing_space(&table.to_string())
}

/// Lines of at most `width` columns, broken between words.
fn wrapped(text: &str, width: usize) -> String {
    let lines = Wrap::wrap(text, width, true);
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    lines.join("\n")
}

fn without_trailing_space(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headings_break_too() {
        let text = strong(&"smallest, and cheapest ".repeat(8));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn names_break_where_they_have_joints() {
        for (name, width, text) in [
            ("r7z2", 12, "r7z2"),
            ("a2-highgpu-8g", 12, "a2-highgpu-\n8g"),
            ("gpu_8x_a100_80gb_sxm4", 12, "gpu_8x_a100_\n80gb_sxm4"),
            ("2026-12-01 09:00", 13, "2026-12-01\n09:00"),
            ("343,209–449,972", 10, "343,209–\n449,972"),
            ("0.406", 3, "0.406"),
            ("p4de.24xlarge", 12, "p4de.\n24xlarge"),
        ] {
            assert_eq!(at_joints(name, width), text, "{name}");
        }
    }

    proptest! {
        /// A table that is too wide loses no character but spaces, and is no wider than it must be.
        #[test]
        fn a_table_too_wide_is_folded(names in prop::collection::vec("[a-z]{1,9}(-[a-z]{1,9}){2,4}", 6)) {
            let columns = names.iter().map(|_| Column::left("c")).collect();
            let rows = vec![names.iter().map(|name| Cell::from(name.as_str())).collect()];
            let grid = Grid { columns, rows };
            let text = grid_text(&grid);
            let count = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            let plain = anstream::adapter::strip_str(&text).to_string();
            prop_assert_eq!(count(&plain), names.iter().map(|name| count(name)).sum::<usize>() + 6);
            prop_assert!(width(&text) <= WIDTH, "{}", plain);
        }
    }
}
