//! The form of `mode`, `ask` and `files` in a row, and their checks.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::mode::{Cloud, FileQuestion, Mode, Question};
use super::problem::Problem;
use super::row::{Fault, fault};
use crate::config::yaml::Keys;
use crate::provider::variables::{self, is_variable_name};

/// The keys of a question.
pub(super) static QUESTION: Keys = Keys::Map(&[
    ("ask", Keys::Text),
    ("secret", Keys::Bool),
    ("optional", Keys::Bool),
    ("default", Keys::Text),
    ("way", Keys::Text),
]);

/// The keys of a file.
pub(super) static FILE_QUESTION: Keys =
    Keys::Map(&[("ask", Keys::Text), ("file", Keys::Text), ("optional", Keys::Bool)]);

/// What a row says of a variable to ask for: every field may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionRow {
    ask: Option<String>,
    secret: Option<bool>,
    optional: Option<bool>,
    default: Option<String>,
    way: Option<String>,
}

/// What a row says of a file to ask for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRow {
    ask: Option<String>,
    file: Option<String>,
    optional: Option<bool>,
}

/// A mapping in the order of the file: things are asked for in the order they are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Ordered<T>(Vec<(String, T)>);

/// One of a mapping's values that goes over another of the same name.
pub(super) trait Over {
    fn over(self, base: Self) -> Self;
}

impl Over for QuestionRow {
    fn over(self, base: Self) -> Self {
        Self {
            ask: self.ask.or(base.ask),
            secret: self.secret.or(base.secret),
            optional: self.optional.or(base.optional),
            default: self.default.or(base.default),
            way: self.way.or(base.way),
        }
    }
}

impl Over for FileRow {
    fn over(self, base: Self) -> Self {
        Self {
            ask: self.ask.or(base.ask),
            file: self.file.or(base.file),
            optional: self.optional.or(base.optional),
        }
    }
}

impl<T: Over + Clone> Ordered<T> {
    /// This one with another's entries over its own; new ones come last.
    pub(super) fn overridden_by(mut self, over: Self) -> Self {
        for (name, value) in over.0 {
            match self.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, base)) => *base = value.over(base.clone()),
                None => self.0.push((name, value)),
            }
        }
        self
    }
}

impl<T> Ordered<T> {
    pub(super) fn first(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }
}

impl From<&[Question]> for Ordered<QuestionRow> {
    fn from(questions: &[Question]) -> Self {
        let row = |question: &Question| QuestionRow {
            ask: Some(question.ask.clone()),
            secret: Some(question.secret),
            optional: Some(question.optional),
            default: question.default.clone(),
            way: question.way.clone(),
        };
        Self(questions.iter().map(|question| (question.var.clone(), row(question))).collect())
    }
}

impl From<&[FileQuestion]> for Ordered<FileRow> {
    fn from(files: &[FileQuestion]) -> Self {
        let row = |file: &FileQuestion| FileRow {
            ask: Some(file.ask.clone()),
            file: Some(file.file.clone()),
            optional: Some(file.optional),
        };
        Self(files.iter().map(|file| (file.var.clone(), row(file))).collect())
    }
}

/// The cloud mode that these fields describe, if all of them hold.
pub(super) fn cloud(mode: Mode, ask: Ordered<QuestionRow>, files: Ordered<FileRow>) -> Result<Cloud, Fault> {
    let mut cloud = Cloud { mode, questions: Vec::new(), files: Vec::new() };
    for (var, row) in ask.0 {
        let at = |field: &str, problem| Err(fault(&["ask", &var, field], problem));
        if let Some(problem) = name_problem(mode, &var) {
            return Err(fault(&["ask", &var], problem));
        }
        let question = Question {
            ask: row.ask.unwrap_or_else(|| var.clone()),
            secret: row.secret.unwrap_or(false),
            optional: row.optional.unwrap_or(false),
            default: row.default,
            way: row.way,
            var: var.clone(),
        };
        if is_bad_text(&question.ask) {
            return at("ask", Problem::Text);
        }
        match &question.default {
            Some(_) if question.secret => return at("default", Problem::SecretDefault),
            Some(default) if is_bad_text(default) => return at("default", Problem::Text),
            _ => {}
        }
        if question.way.as_deref().is_some_and(|way| !is_word(way)) {
            return at("way", Problem::Way);
        }
        cloud.questions.push(question);
    }
    for (var, row) in files.0 {
        let at = |field: &str, problem| Err(fault(&["files", &var, field], problem));
        if let Some(problem) = name_problem(mode, &var) {
            return Err(fault(&["files", &var], problem));
        }
        if cloud.questions.iter().any(|question| question.var == var) {
            return Err(fault(&["files", &var], Problem::AskedTwice(var.clone())));
        }
        let Some(file) = row.file else { return Err(fault(&["files", &var], Problem::NoFileName)) };
        if !is_file_name(&file) || cloud.files.iter().any(|other| other.file == file) {
            return at("file", Problem::FileName);
        }
        let ask = row.ask.unwrap_or_else(|| format!("File for {var}"));
        if is_bad_text(&ask) {
            return at("ask", Problem::Text);
        }
        cloud.files.push(FileQuestion { ask, file, optional: row.optional.unwrap_or(false), var });
    }
    Ok(cloud)
}

/// Why a cloud mode cannot ask for a variable.
fn name_problem(mode: Mode, name: &str) -> Option<Problem> {
    let reserved = |why| Problem::Reserved { name: name.to_owned(), why };
    if !is_variable_name(name) {
        return Some(Problem::VariableName);
    }
    if name == mode.base_url() {
        return None;
    }
    if let Some(why) = variables::reserved(name).or_else(|| variables::reserved_in_modes(name)) {
        return Some(reserved(why));
    }
    variables::field_instead(name).map(|field| Problem::Field { name: name.to_owned(), field })
}

fn is_bad_text(text: &str) -> bool {
    text.is_empty() || text.trim() != text || text.contains(char::is_control)
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A plain name: it becomes part of a path, here and in the container.
fn is_file_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.len() <= 64
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(plain)
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping from names of variables")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<T>>()? {
                    entries.push((name, value.unwrap_or_default()));
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
