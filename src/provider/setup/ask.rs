//! The questions themselves, on standard error, and how their end is understood.

use std::io;

use dialoguer::console::Term;
use dialoguer::{Confirm, Input, Password};
use secrecy::{ExposeSecret, SecretString};

use super::{Error, interruptible, problem};
use crate::signals::EndSignal;

/// A terminal that is gone reads as empty answers without end.
const MAX_EMPTY_ANSWERS: usize = 10;

/// Waits for the answer to a blocking question.
pub(super) async fn answer<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let answer = match interruptible(question).await {
        Ok(Err(Error::Input(error))) if error.kind() == io::ErrorKind::Interrupted => {
            Err(EndSignal::Interrupt.into())
        }
        Ok(answer) => answer,
        Err(signal) => Err(signal.into()),
    };
    if matches!(answer, Err(Error::Ended(_))) {
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

/// Asks for something hidden until `check` finds nothing wrong with it.
pub(super) fn hidden_until(
    prompt: &str,
    check: impl Fn(&str) -> Option<String>,
) -> Result<SecretString, Error> {
    for _ in 0..MAX_EMPTY_ANSWERS {
        let answer = Password::new().with_prompt(prompt).allow_empty_password(true).report(false).interact();
        let answer = SecretString::from(answer.map_err(failed)?);
        let text = answer.expose_secret().trim();
        match check(text) {
            None => return Ok(text.into()),
            Some(problem) => note(&sentence(&problem)),
        }
    }
    Err(Error::NoAnswer)
}

/// Asks for a line until `check` finds nothing wrong with it. (The prompt's own check would ask in the place of the last
/// question, and take a part of what it said is wrong away with it where that is longer than a line.)
pub(super) fn line_until(
    prompt: &str,
    default: Option<&str>,
    mut check: impl FnMut(&str) -> Option<String>,
) -> Result<String, Error> {
    for _ in 0..MAX_EMPTY_ANSWERS {
        let answer = line(prompt, default)?;
        match check(&answer) {
            None => return Ok(answer),
            Some(problem) => note(&sentence(&problem)),
        }
    }
    Err(Error::NoAnswer)
}

fn sentence(problem: &str) -> String {
    let mut characters = problem.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

/// Asks for a line. Without a default an empty answer is one.
fn line(prompt: &str, default: Option<&str>) -> Result<String, Error> {
    let input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
    let input = match default {
        Some(default) => input.default(default.to_owned()),
        None => input,
    };
    input.interact_text().map(|text| text.trim().to_owned()).map_err(failed)
}

fn failed(error: dialoguer::Error) -> Error {
    Error::Input(error.into())
}

/// Asks for a yes or a no; an empty answer is a no.
pub(super) fn confirmation(question: &str) -> Result<bool, Error> {
    Confirm::new().with_prompt(question).default(false).interact().map_err(failed)
}
