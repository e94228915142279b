//! The signature of the thought behind a call, carried in the call's id.
//!
//! Gemini 3 wants it back with the call, and refuses the conversation without. Claude Code keeps ids of calls word for word,
//! in its history on the disk too, so nothing of ours has to remember anything.

/// What stands between an id of ours and the signature in it. No id of another backend holds it.
const MARK: &str = "-sig-";

/// What Google documents for calls that come from elsewhere and have none.
pub(super) const NONE: &str = "skip_thought_signature_validator";

/// An id that carries a signature. `id` has to be unique by itself.
pub(super) fn with(id: &str, signature: &str) -> String {
    // Ids are letters, digits, `-` and `_`; so are signatures in the alphabet for URLs, without their padding.
    let in_url: String = signature
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            c => c,
        })
        .collect();
    format!("{id}{MARK}{in_url}")
}

/// The signature in an id, as Gemini gave it.
pub(super) fn of(id: &str) -> Option<String> {
    let (_, in_url) = id.split_once(MARK)?;
    let mut signature: String = in_url
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    while !signature.len().is_multiple_of(4) {
        signature.push('=');
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_signature_comes_back_as_it_was(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            let signature = base64::engine::general_purpose::STANDARD.encode(bytes);
            let id = with("toolu_1_0", &signature);
            prop_assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(of(&id), Some(signature));
        }
    }

    #[test]
    fn others_carry_none() {
        assert_eq!(of("toolu_01A09q90qw90lq917835lq9"), None);
        assert_eq!(of("call_abc-def"), None);
    }
}
