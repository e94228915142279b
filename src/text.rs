//! Texts that come from elsewhere, made fit for people.

/// A text of the file system's, fit for a line: a folder's name may hold line ends and control sequences.
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}
