//! Server-sent events: reading them out of bytes that come in pieces, and writing Anthropic's.
//!
//! An upstream may cut its bytes anywhere, in the middle of a character or of a CRLF too, so lines are put together from
//! bytes, and only a whole line is taken for text.

/// Puts lines together from pieces. Knows `\n`, `\r\n` and `\r`.
#[derive(Debug, Default)]
pub struct Lines {
    buffer: Vec<u8>,
    /// The last piece ended with `\r`: a `\n` at the beginning of the next one belongs to it.
    after_return: bool,
}

impl Lines {
    /// Takes a piece, and gives every line that is whole now to `line`, without its end.
    pub fn push(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8])) {
        if self.after_return {
            self.after_return = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = piece.split_at(end);
            if self.buffer.is_empty() {
                line(head);
            } else {
                self.buffer.extend_from_slice(head);
                line(&self.buffer);
                self.buffer.clear();
            }
            piece = match tail {
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.buffer.extend_from_slice(piece);
    }

    /// What is left when nothing comes any more: a line without an end.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// How much is waiting for its end, in bytes.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }
}

/// Reads events: the data of each, several `data:` lines joined by line ends. Comments, names and ids are passed over: all
/// of our upstreams say in the data what it is.
#[derive(Debug, Default)]
pub struct Decoder {
    lines: Lines,
    data: Vec<u8>,
    has_data: bool,
}

impl Decoder {
    /// Takes a piece, and gives the data of every event that is whole now to `event`.
    pub fn push(&mut self, piece: &[u8], mut event: impl FnMut(&[u8])) {
        let Self { lines, data, has_data } = self;
        lines.push(piece, |line| take_line(line, data, has_data, &mut event));
    }

    /// Gives what is left when nothing comes any more: an event without the empty line after it.
    pub fn finish(&mut self, mut event: impl FnMut(&[u8])) {
        let rest = self.lines.rest();
        if !rest.is_empty() {
            take_line(&rest, &mut self.data, &mut self.has_data, &mut event);
        }
        take_line(b"", &mut self.data, &mut self.has_data, &mut event);
    }

    /// How much is waiting for its end, in bytes.
    pub fn waiting(&self) -> usize {
        self.lines.waiting() + self.data.len()
    }
}

fn take_line(line: &[u8], data: &mut Vec<u8>, has_data: &mut bool, event: &mut impl FnMut(&[u8])) {
    if line.is_empty() {
        if std::mem::take(has_data) {
            event(data);
            data.clear();
        }
        return;
    }
    let Some(value) = line.strip_prefix(b"data:") else { return };
    if *has_data {
        data.push(b'\n');
    }
    data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
    *has_data = true;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Vec::new();
        let mut decoder = Decoder::default();
        let mut note = |data: &[u8]| events.push(String::from_utf8(data.to_vec()).unwrap());
        for piece in pieces {
            decoder.push(piece, &mut note);
        }
        decoder.finish(&mut note);
        events
    }

    const STREAM: &str = ": hello\r\ndata: {\"a\":\"zwölf ✓\"}\r\n\r\nevent: x\nid: 1\ndata:one\ndata: two\n\n:\n\n\rdata: last\r\rdata: cut";

    #[test]
    fn comments_line_ends_and_an_unfinished_event() {
        assert_eq!(decode(&[STREAM.as_bytes()]), ["{\"a\":\"zwölf ✓\"}", "one\ntwo", "last", "cut"]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(mut cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            cuts.sort_unstable();
            let mut pieces: Vec<&[u8]> = Vec::new();
            let mut start = 0;
            for cut in cuts {
                pieces.push(&STREAM.as_bytes()[start..cut]);
                start = cut;
            }
            pieces.push(&STREAM.as_bytes()[start..]);
            prop_assert_eq!(decode(&pieces), decode(&[STREAM.as_bytes()]));
        }
    }
}
