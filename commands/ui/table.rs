//! Tables for people: no borders, headings in capitals, numbers to the right.

pub use crate::core::model::amount::{counted, thousands};
use crate::core::model::shown;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, presets};

/// How a cell stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// As it is.
    Plain,
    /// All is well.
    Good,
    /// A person should look.
    Warn,
    /// Wrong.
    Bad,
    /// Of less weight.
    Faint,
}

/// A table under construction.
pub struct Table {
    table: comfy_table::Table,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(columns: &[&str], colour: bool) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(columns.iter().map(|name| Cell::new(name.to_uppercase()).add_attribute(Attribute::Bold)));
        Self { table }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.table.add_row(cells);
    }

    /// The table's text, each line ended, without blanks at line ends.
    pub fn text(&mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.table.lines().fold(String::new(), |mut text, line| {
            text.push_str(line.trim_end());
            text.push('\n');
            text
        })
    }
}

/// A cell of text, wherever the text is from.
pub fn text(value: impl AsRef<str>) -> Cell {
    Cell::new(shown::text(value.as_ref()))
}

/// A cell of text that stands out.
pub fn toned(value: impl AsRef<str>, tone: Tone) -> Cell {
    let cell = text(value);
    match tone {
        Tone::Plain => cell,
        Tone::Good => cell.fg(Color::Green),
        Tone::Warn => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
        Tone::Faint => cell.fg(Color::DarkGrey),
    }
}

/// A number with thousands separated: `1,010,328`.
pub fn number(value: u64) -> Cell {
    Cell::new(thousands(value)).set_alignment(CellAlignment::Right)
}

/// Text to the right, for numbers with a unit.
pub fn right(value: impl AsRef<str>) -> Cell {
    text(value).set_alignment(CellAlignment::Right)
}

/// A size for people: `74.2 MB`, in powers of ten.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(value: u64) -> String {
    let mut size = value as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if size < 999.95 {
            return if unit == "B" { format!("{value} B") } else { format!("{size:.1} {unit}") };
        }
        size /= 1000.0;
    }
    format!("{size:.1} PB")
}

/// A time span for people: `0.42 s`, `12.3 s`, `4m 07s`, `2h 05m`.
pub fn span(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_010_328, "1,010,328")] {
            assert_eq!(thousands(value), shown);
        }
    }

    #[test]
    fn sizes_and_spans_are_short() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(74_200_000), "74.2 MB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(span(Duration::from_millis(420)), "0.42 s");
        assert_eq!(span(Duration::from_secs(247)), "4m 07s");
        assert_eq!(span(Duration::from_mins(125)), "2h 05m");
    }
}
