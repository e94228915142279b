//! Tables as people read them: a line of headings, columns as wide as their widest cell, no frames.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::{STRONG, one_line, styled};

/// What stands between two columns.
const GAP: &str = "  ";

/// A table, row by row.
#[derive(Debug, Clone)]
pub struct Table<const COLUMNS: usize> {
    head: Option<[&'static str; COLUMNS]>,
    rows: Vec<[Cell; COLUMNS]>,
}

/// One cell: a line of text, and how it looks.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: one_line(&text.into()), style: Style::new() }
    }
}

impl Cell {
    /// The same text in a style.
    #[must_use]
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table under headings.
    pub fn new(head: [&'static str; COLUMNS]) -> Self {
        Self { head: Some(head), rows: Vec::new() }
    }

    /// A table without headings: names and what they stand for.
    pub fn plain() -> Self {
        Self { head: None, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, for [`super::shown`]. Nothing stands behind a row's last cell.
    pub fn render(&self) -> String {
        let head = self.head.map(|head| head.map(|text| Cell::from(text).styled(STRONG)));
        let rows = || head.iter().chain(&self.rows);
        let widths: [usize; COLUMNS] =
            std::array::from_fn(|column| rows().map(|row| row[column].text.width()).max().unwrap_or(0));
        let mut lines = String::new();
        for row in rows() {
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            for (column, cell) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
                lines.push_str(&styled(cell.style, &cell.text));
                if Some(column) != last {
                    lines.extend(std::iter::repeat_n(' ', widths[column] - cell.text.width()));
                    lines.push_str(GAP);
                }
            }
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::BAD;
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_script_and_the_style() {
        let mut table = Table::new(["NAME", "STATE", "NOTE"]);
        table.row(["日本".into(), Cell::from("gone").styled(BAD), "".into()]);
        table.row(["longest".into(), "".into(), "x\u{1b}[2J".into()]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        let expected = "NAME     STATE  NOTE\n日本     gone\nlongest         x\\u{1b}[2J\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn without_headings_there_is_no_line_for_them() {
        let mut table = Table::plain();
        assert!(table.is_empty());
        table.row(["a".into(), "b".into()]);
        assert_eq!(anstream::adapter::strip_str(&table.render()).to_string(), "a  b\n");
    }
}
