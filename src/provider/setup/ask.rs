//! The questions themselves, on standard error, and how their end is understood.

use std::io;

use dialoguer::console::Term;
use dialoguer::{Input, Password};
use secrecy::{ExposeSecret, SecretString};

use super::{Error, Interrupted, interruptible, problem};

/// A terminal that is gone reads as empty answers without end.
const MAX_EMPTY_ANSWERS: usize = 10;

/// Waits for the answer to a blocking question.
pub(super) async fn answer<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let answer = match interruptible(question).await {
        Ok(Err(Error::Input(error))) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Interrupted::BY_USER.into())
        }
        Ok(answer) => answer,
        Err(interrupted) => Err(interrupted.into()),
    };
    if matches!(answer, Err(Error::Interrupted(_))) {
        note("");
    }
    answer
}

/// Tells the user something between two questions.
pub(super) fn note(text: &str) {
    // There is nothing better to do with a message that cannot be shown.
    let _ = Term::stderr().write_line(text);
}

/// Asks for a key, without showing it, until there is one.
pub(super) fn hidden(prompt: &str) -> Result<SecretString, Error> {
    for _ in 0..MAX_EMPTY_ANSWERS {
        let answer = Password::new().with_prompt(prompt).allow_empty_password(true).report(false).interact();
        let answer = SecretString::from(answer.map_err(failed)?);
        let text = answer.expose_secret().trim();
        match problem(text) {
            None => return Ok(text.into()),
            Some(problem) => note(&format!("The key {problem}.")),
        }
    }
    Err(Error::NoAnswer)
}

/// Asks for a line; `check` says what is wrong with one. Without a default an empty answer is one.
pub(super) fn line(
    prompt: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Option<&'static str>,
) -> Result<String, Error> {
    let validate = |text: &String| check(text.trim()).map_or(Ok(()), Err);
    let input = Input::<String>::new().with_prompt(prompt).allow_empty(true).validate_with(validate);
    let input = match default {
        Some(default) => input.default(default.to_owned()),
        None => input,
    };
    input.interact_text().map(|text| text.trim().to_owned()).map_err(failed)
}

fn failed(error: dialoguer::Error) -> Error {
    Error::Input(error.into())
}
