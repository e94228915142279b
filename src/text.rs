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

/// A text after what stands before it, in lines of at most `width` characters: each further one begins below the first one's
/// text.
pub fn hanging(before: &str, text: &str, width: usize) -> String {
    let indent = before.chars().count();
    let (mut lines, mut column) = (before.to_owned(), indent);
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > width {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if index > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_hangs_below_itself() {
        assert_eq!(hanging("key  ", "one two three", 12), "key  one two\n     three");
        assert_eq!(hanging("key  ", "fourteenletters x", 12), "key  fourteenletters\n     x");
        assert_eq!(hanging("key  ", "", 12), "key  ");
    }
}
