//! How many tokens a request is, where nobody counts: a token for every four bytes of text, which errs by some ten
//! percent for English and code, and to the safe side for other scripts.

use super::message::{Block, Content, Request};

/// Bytes of text to a token.
const BYTES_PER_TOKEN: u64 = 4;
/// What a picture is, whatever its size: about the most that Anthropic's own models take for one.
const PER_IMAGE: u64 = 1600;
/// What a message is beside its text.
const PER_MESSAGE: u64 = 4;

/// About how many tokens a request is.
pub(super) fn tokens(request: &Request) -> u64 {
    let tools = request.tools.iter().map(|tool| {
        let schema = tool.input_schema.as_ref().map_or(0, |schema| schema.get().len());
        tool.name.len() + tool.description.as_ref().map_or(0, String::len) + schema
    });
    let tools = tools.sum::<usize>() as u64 / BYTES_PER_TOKEN;
    let messages: u64 = request.messages.iter().map(|message| PER_MESSAGE + of(&message.content)).sum();
    tools + of(&request.system) + messages
}

fn of(content: &Content) -> u64 {
    let block = |block: &Block| match block {
        Block::Text(text) | Block::Thinking { text, .. } => text.len() as u64 / BYTES_PER_TOKEN,
        Block::ToolUse { name, input, .. } => (name.len() + input.get().len()) as u64 / BYTES_PER_TOKEN,
        Block::ToolResult { content, .. } => of(content),
        Block::Image(_) => PER_IMAGE,
        Block::Document { source, .. } if source.kind == "text" => source.data.len() as u64 / BYTES_PER_TOKEN,
        // A page of a PDF is about 3 kB of base64, and 1500 tokens or so.
        Block::Document { source, .. } => source.data.len() as u64 / 2,
        Block::ToolReference(_) | Block::Other(_) => 0,
    };
    content.0.iter().map(block).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_tools_and_pictures_count() {
        let request: Request = serde_json::from_str(
            r#"{"model":"m","system":"12345678","messages":[{"role":"user","content":[
                {"type":"text","text":"1234"},{"type":"image","source":{"type":"base64","data":"xxxx"}}]}],
                "tools":[{"name":"abcd","input_schema":{"a":1}}]}"#,
        )
        .unwrap();
        assert_eq!(tokens(&request), 2 + (4 + 1 + PER_IMAGE) + (4 + 7) / 4);
    }
}
