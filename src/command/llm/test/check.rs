//! What one try came to, and what to do about it.

use serde::Serialize;

use super::subject::{Subject, Way};
use crate::provider::check::{Answer, BAD_KEY, NO_MESSAGE, NoAnswer};
use crate::provider::login::State;

/// One try.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Where from: `host` or `container`.
    pub from: &'static str,
    /// Whether the endpoint answered; null where that was not tried.
    pub reached: Option<bool>,
    /// What it says of the key: `good`, `refused`, `unclear`, `not-tried`, `not-needed`; of a subscription's login, which is
    /// only looked at: `logged-in`, `expired`, `absent`.
    pub key: &'static str,
    /// What it says of the model: `found`, `not-found`, `unclear` or `not-tried`.
    pub model: &'static str,
    /// The HTTP status of its answer.
    pub status: Option<u16>,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<u64>,
    /// What is wrong; null where nothing is.
    pub problem: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Check {
    /// A try that has not come to anything yet.
    pub fn new(from: &'static str, subject: &Subject) -> Self {
        let key = match &subject.way {
            Way::Login(State::Usable) => "logged-in",
            Way::Login(State::Expired) => "expired",
            Way::Login(State::Absent) => "absent",
            Way::Ask { is_key: false, .. } => "not-needed",
            _ => "not-tried",
        };
        Self {
            from,
            reached: None,
            key,
            model: "not-tried",
            status: None,
            latency_ms: None,
            problem: None,
            remedy: None,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.problem.is_none()
    }

    /// The same with what is wrong.
    #[must_use]
    pub fn failed(self, problem: String, remedy: Option<String>) -> Self {
        Self { problem: Some(problem), remedy, ..self }
    }

    /// The same, where nobody answered.
    #[must_use]
    pub fn unreached(self, why: NoAnswer, remedy: Option<String>) -> Self {
        match why {
            NoAnswer::Key => self.failed(BAD_KEY.to_owned(), remedy),
            NoAnswer::Unreachable(why) => Self { reached: Some(false), ..self }.failed(why, remedy),
        }
    }

    /// The same, where somebody answered who was only asked whether he is there.
    #[must_use]
    pub fn reached(self, subject: &Subject, status: u16, latency_ms: u64) -> Self {
        let check = Self { reached: Some(true), status: Some(status), latency_ms: Some(latency_ms), ..self };
        let problem = match check.key {
            "expired" => "the login of your Claude subscription has expired",
            "absent" => "you have not logged in to your Claude subscription yet",
            _ => return check,
        };
        let remedy = format!(
            "log in by `claude-reactor run --llm-provider {} --interactive-login` in a terminal",
            subject.id
        );
        check.failed(problem.to_owned(), Some(remedy))
    }

    /// The same with the answer to the tiny request.
    #[must_use]
    pub fn answered(self, subject: &Subject, answer: &Answer, latency_ms: u64) -> Self {
        let status = answer.status;
        let mut check =
            Self { reached: Some(true), status: Some(status), latency_ms: Some(latency_ms), ..self };
        let has_key = check.key != "not-needed";
        let mut key = |word| {
            if has_key {
                check.key = word;
            }
        };
        let id = &subject.id;
        let names_the_model = || {
            let message = answer.message.as_deref().unwrap_or_default().to_lowercase();
            message.contains("model")
                || subject.model().is_some_and(|model| message.contains(&model.to_lowercase()))
        };
        match status {
            200..=299 if answer.is_message => {
                key("good");
                check.model = "found";
                check
            }
            401 | 403 => {
                key("refused");
                let url = subject.key_url.as_ref().map(|url| format!(" ({url})")).unwrap_or_default();
                let remedy = if has_key {
                    format!("`claude-reactor llm add {id} --key-stdin` replaces the key{url}")
                } else {
                    format!("it does want a key: `claude-reactor llm add {id} --key-stdin` stores one")
                };
                check.failed(format!("it refuses the key: {}", answer.shown()), Some(remedy))
            }
            404 | 400 | 422 if status == 404 || names_the_model() => {
                key("unclear");
                check.model = "not-found";
                let model = subject.model().unwrap_or_default();
                let remedy = format!(
                    "`claude-reactor llm use {id} --model MODEL` chooses another model; if that one exists, the base \
                     URL is wrong: /v1/messages is appended to it"
                );
                check.failed(format!("it has no model {model} there: {}", answer.shown()), Some(remedy))
            }
            _ => {
                key("unclear");
                check.model = "unclear";
                if status < 300 {
                    let remedy = "something else than this provider answers there, a login page of the network, say, or \
                                  its base_url is wrong: /v1/messages is appended to it";
                    return check.failed(
                        format!("it answers {}, {NO_MESSAGE}", answer.shown()),
                        Some(remedy.to_owned()),
                    );
                }
                let remedy = match status {
                    300..=399 => {
                        "it sends requests elsewhere, where a key would not follow: correct its base_url"
                    }
                    402 => "it wants to be paid first: look at your account there",
                    429 => "it has had too many requests of yours, or your plan is used up: try again later",
                    500.. => "the fault is at its side: try again later",
                    _ => "see what it says; `claude-reactor llm show` has what it was asked with",
                };
                check.failed(format!("it answers {}", answer.shown()), Some(remedy.to_owned()))
            }
        }
    }
}
