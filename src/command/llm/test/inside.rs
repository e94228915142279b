//! The try from inside the container, by the image's own curl. All that it is to do comes by its standard input: its arguments
//! stand in the engine's event log, and its environment in /proc.

use secrecy::{ExposeSecret, SecretString};
use std::fmt::Write as _;

use super::check::Check;
use super::from_host::LIMIT;
use super::subject::{Subject, Way};
use crate::command::launch::{self, Entered, Inside, Joining};
use crate::command::llm::state;
use crate::command::target::Target;
use crate::command::{old_home, trust};
use crate::container::engine::exec::ExecRequest;
use crate::container::session::{self, Said};
use crate::error::Error;
use crate::host::Host;
use crate::provider::check::{Answer, NoAnswer};
use crate::provider::session_env::SessionEnv;
use crate::signals::EndSignals;

/// No file of the user's tells curl anything, and it reads what to do from its standard input.
const COMMAND: [&str; 4] = ["curl", "-q", "-K", "-"];

/// Tries it. Whatever keeps it from being tried is a part of what comes of it; an error is only that the user left.
pub async fn check(
    subject: &Subject,
    target: &Target,
    env: &SessionEnv,
    host: &Host,
) -> Result<Check, Error> {
    let check = Check::new("container", subject);
    let Ok(orders) = orders(subject) else { return Ok(check.unreached(NoAnswer::Key, None)) };
    match converse(target, env, &orders, host).await {
        Ok(said) => Ok(judged(check, subject, &said)),
        Err(error) if error.end_signal().is_some() => Err(error),
        Err(error) => {
            let alone = "--host-only tries it from this machine alone";
            let hint = error.hint().map_or(alone.to_owned(), |hint| format!("{hint}; {alone}"));
            Ok(check.failed(format!("not tried: {}", state::in_words(&error)), Some(hint)))
        }
    }
}

async fn converse(
    target: &Target,
    env: &SessionEnv,
    orders: &SecretString,
    host: &Host,
) -> Result<Said, Error> {
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    old_home::close_folders(target, host)?;
    trust::confirm_beside(target, host).await?;
    let request = |inside: &Inside| {
        let command = COMMAND.map(str::to_owned).to_vec();
        let request = launch::exec_request(command, proxies(env), inside, host);
        ExecRequest { tty: false, size: None, ..request }
    };
    let entered = launch::enter(target, env, host, Joining::AsItRuns, &mut signals, request).await?;
    let Entered { engine, container, session, forwarded: _while_it_lives, .. } = entered;
    let said = signals.unless(session::converse(session, orders.expose_secret().as_bytes())).await?;
    if !target.settings.session_persistence.value {
        launch::remove_if_idle(target, &engine, &container).await?;
    }
    Ok(said?)
}

/// The proxies that the session has. curl knows the one for `http` by its small name only.
fn proxies(env: &SessionEnv) -> Vec<(String, SecretString)> {
    let named = env.for_command().filter(|(name, _)| name.to_ascii_uppercase().ends_with("_PROXY"));
    let both = named.flat_map(|(name, value)| {
        [name.to_owned(), name.to_ascii_lowercase()].map(|name| (name, value.clone()))
    });
    let mut both: Vec<_> = both.collect();
    both.dedup_by(|one, other| one.0 == other.0);
    both
}

/// What curl is to do, in the form of its configuration file.
fn orders(subject: &Subject) -> Result<SecretString, ()> {
    let seconds = LIMIT.as_secs();
    let mut lines = format!(
        "silent\nshow-error\nproto = \"=http,https\"\nmax-time = {seconds}\nwrite-out = \"%{{stderr}}\\n%{{http_code}} %{{time_total}}\"\n"
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(lines, "{name} = \"{}\"", quoted(value));
    };
    match &subject.way {
        Way::Ask { endpoint, key, .. } => {
            line("url", endpoint.inside());
            for (name, value) in endpoint.headers(key).map_err(drop)? {
                line("header", &format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            }
            line("data-raw", &endpoint.body());
        }
        Way::Login(_) | Way::Cloud => {
            line("url", subject.address());
            line("output", "/dev/null");
        }
    }
    Ok(lines.into())
}

/// A value between double quotes, as curl reads it.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

fn judged(check: Check, subject: &Subject, said: &Said) -> Check {
    let stderr = String::from_utf8_lossy(&said.stderr);
    if matches!(said.code, 126 | 127) {
        let remedy = "install curl in that image; --host-only tries it from this machine alone";
        return check.failed("not tried: the image has no curl".to_owned(), Some(remedy.to_owned()));
    }
    if said.code != 0 {
        // `curl: (7) Failed to connect to …`
        let line = stderr.lines().find_map(|line| line.strip_prefix("curl: "));
        let words = line.map(|line| line.split_once(") ").map_or(line, |(_, words)| words));
        let why = words.map_or(format!("curl ended with code {}", said.code), str::to_owned);
        return check.unreached(NoAnswer::Unreachable(why), Some(remedy(subject, said.code)));
    }
    let Some((status, latency)) = stderr.lines().last().and_then(numbers) else {
        return check.failed("curl did not say what was answered".to_owned(), None);
    };
    match &subject.way {
        Way::Ask { key, .. } => {
            let answer = Answer::new(status, &String::from_utf8_lossy(&said.stdout), key);
            check.answered(subject, &answer, latency)
        }
        Way::Login(_) | Way::Cloud => check.reached(subject, status, latency),
    }
}

/// The HTTP status, and the time in milliseconds.
fn numbers(line: &str) -> Option<(u16, u64)> {
    let (status, seconds) = line.split_once(' ')?;
    let seconds: std::time::Duration = std::time::Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    Some((status.parse().ok()?, u64::try_from(seconds.as_millis()).ok()?))
}

/// What to do about one of curl's exit codes (curl(1), "Exit codes").
fn remedy(subject: &Subject, code: u8) -> String {
    let address = subject.address();
    let host = address.split("//").nth(1).unwrap_or(address);
    let is_loopback = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
    match code {
        _ if is_loopback => "inside, that is the container itself: this machine is host.docker.internal there".to_owned(),
        6 => "the container cannot resolve that name; behind a proxy, add HTTPS_PROXY='…' to the provider's .env".to_owned(),
        5 | 97 => format!("correct the proxy in the provider's .env: `claude-reactor llm edit {}`", subject.id),
        35 | 51 | 60 | 77 => {
            "a network that re-signs TLS needs its CA inside: --ca-file, or ca_file in ~/.claude-reactor/config.yaml"
                .to_owned()
        }
        7 | 28 if host.starts_with("host.docker.internal") => {
            "a server on this machine has to listen on more than 127.0.0.1 (for Ollama: OLLAMA_HOST=0.0.0.0), and a \
             firewall has to let containers in"
                .to_owned()
        }
        7 | 28 => "nobody answers there: does the server run, and does it listen on more than 127.0.0.1? Behind a proxy, \
                   add HTTPS_PROXY='…' to the provider's .env"
            .to_owned(),
        _ => "try it by hand: `claude-reactor exec -- sh -c 'curl -v \"$ANTHROPIC_BASE_URL\"'`".to_owned(),
    }
}
