//! What is asked about a Claude subscription: how Claude is to be paid for, and the token that its own command prints.

use secrecy::ExposeSecret;

use super::{Error, Key, Options, Wanted, ask};
use crate::host::Host;
use crate::provider::catalog::{Provider, is_anthropic};
use crate::provider::check::Endpoint;
use crate::provider::login;
use crate::provider::variables::OAUTH_TOKEN;

/// How a person wants to pay for Claude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By an API key.
    Key,
    /// By a subscription, with a token that lasts a year.
    Token,
    /// By a subscription, logging in inside the session.
    Login,
}

const QUESTION: &str = "\
Provider claude is not set up yet. How is it to be paid for?
  1  an API key (https://platform.claude.com)
  2  a Claude subscription, by a token that lasts a year; `claude setup-token` runs in the container to make one
  3  a Claude subscription, by logging in inside the session; the login is kept for all projects of this account";

/// Asks how Claude is to be paid for.
pub async fn ask_way() -> Result<Way, Error> {
    ask::answer(|| {
        ask::note(QUESTION);
        let problem = |text: &str| way(text).is_none().then(|| "1, 2 and 3 are the choices".to_owned());
        let answer = ask::line_until("Choice", Some("1"), problem)?;
        Ok(way(&answer).unwrap_or(Way::Key))
    })
    .await
}

fn way(text: &str) -> Option<Way> {
    match text {
        "1" => Some(Way::Key),
        "2" => Some(Way::Token),
        "3" => Some(Way::Login),
        _ => None,
    }
}

/// Asks for the token that `claude setup-token` has just shown, and tries it. Writes nothing.
///
/// It is pasted, not taken from that command's output: what a full-screen program draws is the user's terminal's, cut to
/// its width, and to read a secret out of it would mean to keep all of it.
pub async fn obtain_token(provider: &Provider, options: &Options, host: &Host) -> Result<Key, Error> {
    let wanted = Wanted {
        provider: provider.name.clone(),
        prompt: "Paste the token (sk-ant-oat…)".to_owned(),
        names: vec![OAUTH_TOKEN.to_owned()],
        url: None,
    };
    let mut value = wanted.get(options, host).await?;
    for _ in 1..super::ATTEMPTS {
        if login::is_token(value.expose_secret()) {
            break;
        }
        ask::note("This is not a token of a subscription: those begin with sk-ant-oat.");
        value = wanted.get(options, host).await?;
    }
    if !login::is_token(value.expose_secret()) {
        return Err(Error::Unusable { origin: "the terminal", problem: "is no token of a subscription" });
    }
    wanted.tried(value, Endpoint::of(provider).map(Endpoint::with_token), options, host).await
}

/// Where and under which name a key of this provider is tried and stored: a subscription's token is another thing than
/// its API key, and nobody's but Anthropic's.
pub(super) fn place(
    provider: &Provider,
    value: &str,
    names: &mut Vec<String>,
) -> Result<Option<Endpoint>, Error> {
    let endpoint = Endpoint::of(provider);
    if !login::is_token(value) {
        return Ok(endpoint);
    }
    if !(provider.is_claude() && provider.endpoint().is_some_and(is_anthropic)) {
        return Err(Error::TokenElsewhere { provider: provider.id.clone() });
    }
    *names = vec![OAUTH_TOKEN.to_owned()];
    Ok(endpoint.map(Endpoint::with_token))
}
