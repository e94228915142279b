//! The way to the provider: its endpoint from this machine and from inside, the proxies and certificates on the way, and the
//! clocks at all ends. No key is sent.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::check::{Check, Subject};
use crate::config::Source;
use crate::container::look_inside::{Answer, Looked};
use crate::provider::check::reach::Reached;
use crate::ui::human;

pub(super) const HOST: Subject = Subject::new("endpoint", "endpoint from here");
pub(super) const INSIDE: Subject = Subject::new("endpoint-inside", "endpoint from inside");
const PROXY: Subject = Subject::new("proxy", "proxy");
pub(super) const CERTIFICATES: Subject = Subject::new("certificates", "extra certificates");
const CLOCK: Subject = Subject::new("clock", "clock");
pub(super) const CLOCK_INSIDE: Subject = Subject::new("clock-inside", "clock inside");

/// A difference that certificates and tokens do not bear any more.
const SKEWED: Duration = Duration::from_secs(5 * 60);
/// A time before this program was made, in seconds since 1970: the beginning of 2026.
const IMPOSSIBLE: Duration = Duration::from_secs(1_767_225_600);
/// The environment variables that name a proxy, in capitals.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// Whether a variable says how the network is reached, in either spelling.
pub(super) fn is_proxy(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    PROXIES.contains(&name.as_str()) || name == "NO_PROXY"
}

/// The endpoint, as this machine reaches it.
pub(super) fn from_host(endpoint: &str, reached: &Result<Reached, String>) -> Check {
    match reached {
        Ok(Reached { status: status @ 500.., .. }) => HOST
            .warn(format!("{endpoint} answers HTTP {status}"), "try again later; it is the provider's fault"),
        Ok(Reached { status: 407, .. }) => HOST.fail(
            "the proxy wants a user name and a password (HTTP 407)",
            "export HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
        ),
        Ok(Reached { status, .. }) => HOST.pass(format!("{endpoint} answers (HTTP {status} without a key)")),
        Err(why) => {
            let remedy = if why.contains("secure connection") {
                "claude-reactor doctor --ca-file company.pem; if that helps, put ca_file into ~/.claude-reactor/config.yaml"
            } else {
                "see that the machine is online, that the address is right (claude-reactor info), and that the server runs"
            };
            HOST.fail(format!("{endpoint}: {why}"), remedy)
        }
    }
}

/// The endpoint, as a container reaches it.
pub(super) fn from_inside(endpoint: &str, looked: Option<&Looked>, whence: &str) -> Check {
    let seen = match looked {
        None => {
            return INSIDE.skipped(
                "there is no container to ask from: the image is not there, or waits for your consent",
            );
        }
        Some(Looked::Seen(seen)) => seen,
        Some(Looked::TooLong | Looked::NotStarted(_)) => {
            return INSIDE.skipped("the container does not answer");
        }
    };
    let code = match seen.answer {
        None => return INSIDE.skipped("there is no curl in the image to ask with"),
        Some(Answer::Status(status @ 500..)) => {
            let found = format!("{endpoint} answers HTTP {status}");
            return INSIDE.warn(found, "try again later; it is the provider's fault");
        }
        Some(Answer::Status(status)) => {
            return INSIDE
                .pass(format!("{endpoint} answers (HTTP {status} without a key), asked from {whence}"));
        }
        Some(Answer::Failed(code)) => code,
    };
    // `man curl`, "EXIT CODES".
    let (why, remedy) = match code {
        6 => (
            "its name cannot be resolved inside",
            "set \"dns\" in the engine's configuration: /etc/docker/daemon.json",
        ),
        5 | 56 | 97 => ("the proxy does not let it through", "correct HTTPS_PROXY in the provider's .env"),
        7 if is_of_this_machine(endpoint) => (
            "nothing answers there, seen from inside",
            "inside, this machine is host.docker.internal; let the server listen on 0.0.0.0, not on 127.0.0.1 only",
        ),
        7 => ("nothing answers there", "let the engine's network out: sudo iptables -L DOCKER-USER"),
        28 => (
            "no answer within 5 s",
            "behind a proxy, add to the provider's .env: HTTPS_PROXY='http://proxy.example:3128'",
        ),
        35 | 51 | 60 | 77 => (
            "no secure connection",
            "claude-reactor doctor --ca-file company.pem; if that helps, put ca_file into ~/.claude-reactor/config.yaml",
        ),
        _ => ("it does not answer", "claude-reactor exec -- sh -c 'curl -v \"$ANTHROPIC_BASE_URL\"'"),
    };
    INSIDE.fail(format!("{endpoint}: {why} (curl's exit code {code}), asked from {whence}"), remedy)
}

/// Whether an address is this machine's, by either side's name for it.
fn is_of_this_machine(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host == "host.docker.internal" || host.starts_with("127.") || host.starts_with('[')
}

/// The proxies at both ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    /// The variables of the caller's shell.
    pub(super) of_shell: Vec<String>,
    /// Those of a session, and whether each is an address of the machine itself, which inside is another one.
    pub(super) of_session: Vec<(String, bool)>,
}

impl Proxies {
    /// Takes the names, and of the values whether they are of use inside.
    pub(super) fn new<'a>(
        of_shell: impl Iterator<Item = (&'a str, &'a str)>,
        of_session: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let is_one = |name: &str| PROXIES.contains(&name.to_ascii_uppercase().as_str());
        let local = |value: &str| {
            is_of_this_machine(value.rsplit('@').next().unwrap_or(value))
                && !value.contains("host.docker.internal")
        };
        let stated = |(name, value): &(&str, &str)| is_one(name) && !value.is_empty();
        Self {
            of_shell: of_shell.filter(stated).map(|(name, _)| name.to_owned()).collect(),
            of_session: of_session
                .filter(stated)
                .map(|(name, value)| (name.to_owned(), local(value)))
                .collect(),
        }
    }
}

/// Whether a session has the proxy that this machine needs.
pub(super) fn proxy(proxies: &Proxies, looked: Option<&Looked>) -> Check {
    let reached_inside =
        matches!(looked, Some(Looked::Seen(seen)) if matches!(seen.answer, Some(Answer::Status(_))));
    let names: Vec<&str> = proxies.of_session.iter().map(|(name, _)| name.as_str()).collect();
    if let Some((name, _)) = proxies.of_session.iter().find(|(_, is_local)| *is_local) {
        return PROXY.warn(
            format!("a session's {name} is an address of this machine, which inside is the container itself"),
            format!("in the provider's .env: {name}='http://host.docker.internal:PORT'"),
        );
    }
    match (proxies.of_shell.first(), names.is_empty()) {
        (None, true) => PROXY.pass("none, neither here nor in sessions"),
        (_, false) => PROXY.pass(format!("sessions have {}", names.join(", "))),
        (Some(_), true) if reached_inside => {
            PROXY.pass("your shell has one, and sessions reach the endpoint without")
        }
        (Some(name), true) => PROXY.warn(
            format!("your shell has {name}, and sessions do not get it from there"),
            format!("if sessions need it too, in the provider's .env: {name}='http://proxy.example:3128'"),
        ),
    }
}

/// The extra certificates: those that sessions trust, or what the caller's variable names in vain.
pub(super) fn certificates(used: Option<(&Path, &Source)>, variable: Option<&str>) -> Check {
    match (used, variable) {
        (Some((path, from)), _) => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let shown = path.display();
            match text.matches("-----BEGIN CERTIFICATE-----").count() {
                0 => CERTIFICATES.fail(
                    format!("{shown} holds no certificate in PEM form"),
                    format!(
                        "openssl x509 -inform der -in {0} -out {0}.pem",
                        crate::private_file::quoted(path)
                    ),
                ),
                1 => CERTIFICATES.pass(format!("1 in {shown} (from: {from})")),
                count => CERTIFICATES.pass(format!("{count} in {shown} (from: {from})")),
            }
        }
        (None, Some(path)) => CERTIFICATES.warn(
            format!("SSL_CERT_FILE names {}, which cannot be read", crate::ui::one_line(path)),
            "unset SSL_CERT_FILE",
        ),
        (None, None) => CERTIFICATES.pass("none, and the endpoint's are checked as usual"),
    }
}

/// The machine's clock, by the endpoint's where it told.
pub(super) fn clock(now: SystemTime, reached: Option<&Result<Reached, String>>) -> Check {
    const REMEDY: &str = "sudo timedatectl set-ntp true";
    if now < SystemTime::UNIX_EPOCH + IMPOSSIBLE {
        return CLOCK.fail(format!("it is {} by this machine's clock", human::rfc3339(now)), REMEDY);
    }
    let Some(Ok(Reached { date: Some(date), .. })) = reached else {
        return CLOCK.pass(format!("{}; nobody told another time", human::rfc3339(now)));
    };
    let apart = now.duration_since(*date).unwrap_or_else(|behind| behind.duration());
    if apart > SKEWED {
        CLOCK.warn(format!("it is {} away from the endpoint's", in_words(apart)), REMEDY)
    } else {
        CLOCK.pass("as at the endpoint")
    }
}

/// A container's clock, by this machine's.
pub(super) fn clock_inside(looked: Option<&Looked>) -> Check {
    match looked {
        Some(Looked::Seen(seen)) => match seen.skew {
            Some(skew) if skew > SKEWED => CLOCK_INSIDE.warn(
                format!("it is {} away from this machine's", in_words(skew)),
                "restart the engine, or its virtual machine",
            ),
            Some(_) => CLOCK_INSIDE.pass("as here"),
            None => CLOCK_INSIDE.skipped("the container does not tell the time"),
        },
        Some(_) => CLOCK_INSIDE.skipped("the container does not answer"),
        None => CLOCK_INSIDE.skipped("the image is not there, or waits for your consent"),
    }
}

fn in_words(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Skipped, Warn};
    use super::*;
    use crate::container::look_inside::Seen;

    const URL: &str = "https://api.z.ai/api/anthropic";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + IMPOSSIBLE + Duration::from_secs(seconds)
    }

    fn answered(answer: Option<Answer>) -> Looked {
        Looked::Seen(Seen { answer, ..Seen::default() })
    }

    #[test]
    fn from_this_machine_any_answer_of_the_endpoints_own_is_good() {
        let outcome = |status| from_host(URL, &Ok(Reached { status, date: None })).outcome;
        assert_eq!([200, 401, 404, 405, 503, 407].map(outcome), [Pass, Pass, Pass, Pass, Warn, Fail]);
        let failed = from_host(URL, &Err("no secure connection to api.z.ai".to_owned()));
        assert!(failed.outcome == Fail && failed.remedy.unwrap().contains("--ca-file"));
    }

    #[test]
    fn from_inside_each_failure_has_its_remedy() {
        let check = |endpoint, answer| from_inside(endpoint, Some(&answered(answer)), "here");
        assert_eq!(check(URL, Some(Answer::Status(401))).outcome, Pass);
        assert_eq!(check(URL, Some(Answer::Status(502))).outcome, Warn);
        assert_eq!(check(URL, None).outcome, Skipped);
        assert_eq!(from_inside(URL, None, "here").outcome, Skipped);
        assert_eq!(from_inside(URL, Some(&Looked::TooLong), "here").outcome, Skipped);
        for (endpoint, code, word) in [
            (URL, 6, "dns"),
            (URL, 7, "iptables"),
            ("http://127.0.0.1:8000", 7, "host.docker.internal"),
            ("http://host.docker.internal:11434", 7, "0.0.0.0"),
            (URL, 28, "HTTPS_PROXY"),
            (URL, 60, "--ca-file"),
            (URL, 97, "proxy"),
            (URL, 99, "curl -v"),
        ] {
            let check = check(endpoint, Some(Answer::Failed(code)));
            assert_eq!(check.outcome, Fail);
            let said = format!("{} {}", check.found, check.remedy.unwrap());
            assert!(said.to_lowercase().contains(&word.to_lowercase()), "{code}: {said}");
        }
    }

    #[test]
    fn a_proxy_of_the_shells_is_not_a_sessions() {
        let proxies = |shell: &[(&'static str, &'static str)], session: &[(&'static str, &'static str)]| {
            Proxies::new(shell.iter().copied(), session.iter().copied())
        };
        let far = ("HTTPS_PROXY", "http://user:canary@proxy:3128");
        assert_eq!(proxy(&proxies(&[], &[]), None).outcome, Pass);
        let only_here = proxies(&[("https_proxy", "http://proxy:1"), ("NO_PROXY", "x")], &[]);
        assert_eq!(proxy(&only_here, None).outcome, Warn);
        assert_eq!(proxy(&only_here, Some(&answered(Some(Answer::Status(401))))).outcome, Pass);
        assert_eq!(proxy(&only_here, Some(&answered(Some(Answer::Failed(28))))).outcome, Warn);
        let both = proxy(&proxies(&[far], &[far]), None);
        assert!(both.outcome == Pass && !both.found.contains("canary"));
        for local in ["http://127.0.0.1:3128", "http://a:b@localhost:1", "http://[::1]:1"] {
            assert_eq!(proxy(&proxies(&[], &[("HTTP_PROXY", local)]), None).outcome, Warn, "{local}");
        }
        let named = ("HTTP_PROXY", "http://host.docker.internal:3128");
        assert_eq!(proxy(&proxies(&[], &[named]), None).outcome, Pass);
    }

    #[test]
    fn certificates_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let outcome = |text: &str| {
            std::fs::write(&path, text).unwrap();
            certificates(Some((&path, &Source::Flag)), None).outcome
        };
        assert_eq!(outcome("-----BEGIN CERTIFICATE-----\n"), Pass);
        assert_eq!(outcome("nothing"), Fail);
        assert_eq!(certificates(None, Some("/nowhere")).outcome, Warn);
        assert_eq!(certificates(None, None).outcome, Pass);
    }

    #[test]
    fn a_wrong_clock() {
        let told = |date| Ok(Reached { status: 200, date });
        let outcome = |now, date| clock(now, Some(&told(date))).outcome;
        assert_eq!(outcome(at(1000), Some(at(1000))), Pass);
        assert_eq!(outcome(at(1000), Some(at(700))), Pass);
        assert_eq!(outcome(at(1000), Some(at(699))), Warn);
        assert_eq!(outcome(at(1000), Some(at(1301))), Warn);
        assert_eq!(outcome(at(1000), None), Pass);
        assert_eq!(clock(at(0), None).outcome, Pass);
        assert_eq!(clock(SystemTime::UNIX_EPOCH, None).outcome, Fail);
        let inside = |skew| {
            let seen = Seen { skew, ..Seen::default() };
            clock_inside(Some(&Looked::Seen(seen))).outcome
        };
        assert_eq!(inside(Some(Duration::from_secs(300))), Pass);
        assert_eq!(inside(Some(Duration::from_secs(301))), Warn);
        assert_eq!(inside(None), Skipped);
        assert_eq!(clock_inside(None).outcome, Skipped);
    }
}
