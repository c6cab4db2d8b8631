//! What is printed: text or one JSON document on standard output, everything else on standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::visible::{on_one_line, visible};

/// Blanks between the columns of a table.
const GAP: u16 = 3;

/// What is in a cell of a table without a value.
pub const EMPTY_CELL: &str = "-";

/// Where the words of a step end.
const COLUMN: usize = 10;

/// The two streams of the command.
#[derive(Debug)]
pub struct Output {
    json: bool,
    colours: bool,
    closed: AtomicBool,
    failed: Mutex<Option<io::Error>>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth a look, and no fault.
    Warn,
    /// A fault.
    Fail,
    /// Not looked at.
    Skip,
}

impl Output {
    /// For text, or for one JSON document.
    pub fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let can = std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        let colours = !json && wanted && can && io::stdout().is_terminal();
        Self { json, colours, closed: AtomicBool::new(false), failed: Mutex::default() }
    }

    /// Whether a JSON document is wanted.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether colours are wanted, and can be shown.
    pub fn has_colours(&self) -> bool {
        self.colours
    }

    /// Whether nobody reads any longer, as behind a pager that was left.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Writes as it stands.
    pub fn raw(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed.store(true, Ordering::Relaxed),
            Err(error) => _ = self.failed.lock().map(|mut failed| failed.get_or_insert(error).kind()),
        }
    }

    /// A line of text.
    pub fn line(&self, text: &str) {
        self.coloured(&visible(text));
    }

    fn coloured(&self, text: &str) {
        if !self.json {
            self.raw(&format!("{text}\n"));
        }
    }

    /// A step that was done: its word, and what came of it.
    pub fn step(&self, word: &str, text: &str) {
        self.line(&format!("{word:<COLUMN$} {text}").replace('\n', &format!("\n{:1$}", "", COLUMN + 1)));
    }

    /// A step of a diagnosis: how it went, what was looked at, what was found.
    pub fn check(&self, verdict: Verdict, what: &str, text: &str) {
        let (word, colour) = match verdict {
            Verdict::Ok => ("ok", "32"),
            Verdict::Warn => ("warn", "33"),
            Verdict::Fail => ("FAIL", "31"),
            Verdict::Skip => ("-", "2"),
        };
        let word = format!("{word:<5}");
        let word = if self.colours { format!("\x1b[{colour}m{word}\x1b[0m") } else { word };
        self.coloured(&format!(
            "{word} {:<13} {}",
            visible(what),
            visible(text).replace('\n', "\n                    ")
        ));
    }

    /// Progress and hints, on standard error. Scripts have that to themselves for the one document that an error is.
    pub fn note(&self, text: &str) {
        if !self.json {
            complain(&visible(text));
        }
    }

    /// What a script is to know too, beside a successful response: on standard error, as JSON if that is wanted.
    pub fn aside(&self, text: &str) {
        match self.json {
            true => complain(&serde_json::json!({ "note": text }).to_string()),
            false => self.note(text),
        }
    }

    /// The one JSON document.
    pub fn document(&self, value: &impl Serialize) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(text) => self.raw(&format!("{text}\n")),
                Err(error) => _ = self.failed.lock().map(|mut failed| failed.get_or_insert(error.into()).kind()),
            }
        }
    }

    /// Rows below their headings, in the width of the terminal: long cells are wrapped. Columns of numbers are aligned to the right.
    pub fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        self.rows(headings, rows, terminal_width());
    }

    /// The same with every cell on one line, as wide as it is: values of a venue are not torn apart.
    pub fn wide_table(&self, headings: &[&str], rows: &[Vec<String>]) {
        self.rows(headings, rows, None);
    }

    fn rows(&self, headings: &[&str], rows: &[Vec<String>], width: Option<u16>) {
        if self.json {
            return;
        }
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let mut bounds = Vec::new();
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            bounds = bounds_of(headings, rows, width);
        }
        table.set_header(headings.iter().map(|heading| visible(heading)));
        table.add_rows(rows.iter().map(|row| row.iter().map(|cell| on_one_line(cell)).collect::<Vec<_>>()));
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, GAP));
            if let Some(Some(bound)) = bounds.get(index) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*bound)));
            }
            let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| *cell != EMPTY_CELL).peekable();
            if cells.peek().is_some() && cells.all(|cell| is_number(cell)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().for_each(|line| self.line(line.trim_end()));
    }

    /// Why a command did not succeed.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_reported() {
            return;
        }
        match self.json {
            true => complain(&failure.document().to_string()),
            false => complain(&failure.to_string()),
        }
    }

    /// What became of what was written. A reader that went away is no fault.
    pub fn finish(&self) -> Result<(), Failure> {
        match self.failed.lock().map(|mut failed| failed.take()) {
            // What was read can be read again. A command that has changed something says that itself.
            Ok(Some(error)) => Err(Failure::new(Exit::Network, format!("standard output: {error}")).code("output")),
            _ => Ok(()),
        }
    }
}

/// How narrow each column may get so that no word in it is torn apart, as far as the terminal is wide enough: the columns with the longest
/// words give way first.
fn bounds_of(headings: &[&str], rows: &[Vec<String>], width: u16) -> Vec<Option<u16>> {
    // So much of a column without a bound is left.
    const LEAST: u16 = 8;
    let longest = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
        let words = cells.chain(headings.get(index).copied()).flat_map(|text| text.split(' '));
        let longest = words.map(|word| word.chars().count()).max().unwrap_or_default();
        u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(GAP)
    };
    let mut bounds: Vec<Option<u16>> = (0..headings.len()).map(|index| Some(longest(index))).collect();
    while bounds.iter().fold(0_u16, |sum, bound| sum.saturating_add(bound.unwrap_or(LEAST))) > width {
        match bounds.iter_mut().filter(|bound| bound.is_some()).max() {
            Some(widest) => *widest = None,
            None => break,
        }
    }
    bounds
}

/// How many columns the terminal has; none where standard output is something else.
pub fn terminal_width() -> Option<u16> {
    let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    size.map(|(width, _)| width.0)
}

/// Writes to standard error. Nothing is left to do where that is closed.
fn complain(text: &str) {
    _ = writeln!(io::stderr(), "{text}");
}

/// Whether a cell is a number in digits.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_with_the_longest_word_gives_way_first() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["kalshi/local/bot", "11111111-1111-4111-8111-111111111111", "read write"])];
        let bounds = |width| bounds_of(&["stored as", "id", "scopes"], &rows, width);
        assert_eq!(bounds(100), [Some(19), Some(39), Some(9)]);
        assert_eq!(bounds(60), [Some(19), None, Some(9)]);
        assert_eq!(bounds(20), [None, None, None]);
    }
}
