//! What people read, before it is a terminal's text, Markdown or a page.

use super::chart::Chart;

/// A titled sequence of blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// One line.
    pub title: String,
    /// What follows it.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A document with a title and nothing else yet.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            blocks: Vec::new(),
        }
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    /// Adds a heading.
    #[must_use]
    pub fn heading(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Heading(text.into()));
        self
    }

    /// Adds a table.
    #[must_use]
    pub fn grid(mut self, grid: Grid) -> Self {
        self.blocks.push(Block::Grid(grid));
        self
    }

    /// Adds lines that keep their characters: commands, fields to copy, drawings.
    #[must_use]
    pub fn verbatim(mut self, lines: impl Into<String>) -> Self {
        self.blocks.push(Block::Verbatim(lines.into()));
        self
    }

    /// Adds charts.
    #[must_use]
    pub fn charts(mut self, charts: Vec<Chart>) -> Self {
        self.blocks.push(Block::Charts(charts));
        self
    }

    /// Adds notes: each a label and what is to be said about it.
    #[must_use]
    pub fn notes(mut self, notes: Vec<(String, String)>) -> Self {
        self.blocks.push(Block::Notes(notes));
        self
    }
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Starts a section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Lines that stand as they are: to copy, or drawn in characters of one width.
    Verbatim(String),
    /// A table.
    Grid(Grid),
    /// Labels and what is to be said about each.
    Notes(Vec<(String, String)>),
    /// Charts, which a page alone can show: their figures stand in other blocks too.
    Charts(Vec<Chart>),
}

/// A table: columns with their alignment, rows of cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// Columns, left to right.
    pub columns: Vec<Column>,
    /// Rows, top to bottom, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column's header and where its cells stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Header, with the unit; `\n` breaks it in a terminal.
    pub header: String,
    /// Whether cells are numbers, aligned on the right.
    pub right: bool,
    /// Whether cells are bars, which say nothing that other columns don't: left out of Markdown.
    pub bars: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub fn left(header: impl Into<String>) -> Self {
        Self {
            header: header.into(),
            right: false,
            bars: false,
        }
    }

    /// A column of bars made of characters, without a header.
    #[must_use]
    pub fn bars() -> Self {
        Self {
            header: String::new(),
            right: false,
            bars: true,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(header: impl Into<String>) -> Self {
        Self {
            header: header.into(),
            right: true,
            bars: false,
        }
    }
}

/// A cell: its text says everything; the tone only helps the eye.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// What a terminal shows of it, where that is less.
    pub short: Option<String>,
    /// Tone.
    pub tone: Tone,
}

impl Cell {
    /// The same, of which a terminal shows less.
    #[must_use]
    pub fn short(mut self, short: impl Into<String>) -> Self {
        self.short = Some(short.into());
        self
    }

    /// The same text in another tone.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            short: None,
            tone: Tone::Plain,
        }
    }
}

/// How a cell looks where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As everything else.
    #[default]
    Plain,
    /// The answer.
    Strong,
    /// Less important.
    Faint,
    /// Fine.
    Good,
    /// To be careful about.
    Caution,
    /// Won't work.
    Bad,
}
