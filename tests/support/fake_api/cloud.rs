//! What the clouds do differently from Anthropic's API: where the model stands, how a stream is framed, and where a
//! token comes from.

use serde_json::{Value, json};

use super::script::Script;

/// Where a Google credential file sends its holder for a token.
pub const TOKEN: &str = "/token";
/// Where a credential file of workload identity sends its holder for what it exchanges there.
pub const SUBJECT: &str = "/subject";

/// The model of a request by its path, for the clouds that have it there: Bedrock and Vertex.
pub(super) fn model(route: &str) -> Option<&str> {
    if let Some(rest) = route.strip_prefix("/model/") {
        return rest.strip_suffix("/invoke-with-response-stream").or_else(|| rest.strip_suffix("/invoke"));
    }
    let (_, rest) = route.split_once("/publishers/anthropic/models/")?;
    let (model, _) = rest.rsplit_once(':').filter(|(_, verb)| verb.ends_with("awPredict"))?;
    (model != "count-tokens").then_some(model)
}

/// Whether the answer is a stream in AWS's own framing.
pub(super) fn wants_aws_frames(route: &str) -> bool {
    route.ends_with("/invoke-with-response-stream")
}

/// What the token endpoint says.
pub(super) fn token(script: &Script) -> Value {
    json!({
        "access_token": script.bearer().unwrap_or("a-token"),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3600,
    })
}

/// What is exchanged for a token.
pub(super) fn subject() -> Value {
    json!({ "token": "a-subject-token" })
}

/// One event of a stream in AWS's event-stream encoding: lengths, a checksum, headers, the payload, a checksum.
pub(super) fn aws_frame(event: &str) -> Vec<u8> {
    let payload = json!({ "bytes": base64(event.as_bytes()) }).to_string();
    let headers: Vec<u8> =
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")]
            .iter()
            .flat_map(|(name, value)| {
                let length = |text: &str| u8::try_from(text.len()).expect("a header is short");
                // Type 7 is a text, whose length has two bytes.
                [&[length(name)], name.as_bytes(), &[7, 0, length(value)], value.as_bytes()].concat()
            })
            .collect();
    let number = |number: usize| u32::try_from(number).expect("a frame is short").to_be_bytes();
    let mut frame = [number(16 + headers.len() + payload.len()), number(headers.len())].concat();
    frame.extend(crc32(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.as_bytes());
    frame.extend(crc32(&frame).to_be_bytes());
    frame
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        (0..4)
            .map(
                move |at| {
                    if at <= chunk.len() { char::from(DIGITS[bits >> (18 - 6 * at) & 63]) } else { '=' }
                },
            )
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
