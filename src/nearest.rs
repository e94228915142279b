//! The known word that an unknown one was probably meant for.

/// The nearest of `known`, where one is near enough: a third of its letters may be wrong, and one always may. Capitals are
/// no difference.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

/// What to do about a word that is none of `known`.
pub fn hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["session", "container"];
        assert_eq!(nearest("sesion", known), Some("session"));
        assert_eq!(nearest("Container", known), Some("container"));
        assert_eq!(nearest("inspect", known), None);
        assert_eq!(nearest("", known), None);
    }
}
