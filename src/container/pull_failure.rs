//! Why an image could not be pulled or pushed, for a person.
//!
//! The causes are read from what the engines pass on of the registry's words, which is text and nothing else.

use super::registry::{Registry, Remote};
use crate::image_choice::ImageReference;

/// What was to be done with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It was to come from its registry.
    Pull,
    /// It was to go there.
    Push,
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pull => "pulled",
            Self::Push => "pushed",
        })
    }
}

/// A pull or a push that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the image {reference} cannot be {direction}: {}\n  {message}", self.words())]
pub struct Failure {
    direction: Direction,
    reference: ImageReference,
    registry: Registry,
    message: String,
    /// Whether a credential of the caller's went along.
    with_credential: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    DiskFull,
    Platform,
    TooMany,
    Denied,
    NotFound,
    NoTls,
    Certificate,
    Network,
    Other,
}

/// How engines and registries word these causes. The first that occurs decides: Docker Hub denies what it does not have,
/// and a certificate is refused on a network that works.
const SIGNS: &[(Cause, &[&str])] = &[
    (Cause::DiskFull, &["no space left on device"]),
    (
        Cause::Platform,
        &["no matching manifest", "no image found in manifest list", "does not match the specified platform"],
    ),
    (Cause::TooMany, &["toomanyrequests", "rate limit"]),
    (
        Cause::Denied,
        &[
            "denied",
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "403 Forbidden",
            "invalid username/password",
            "incorrect username or password",
        ],
    ),
    (Cause::NotFound, &["manifest unknown", "not found", "name unknown", "repository does not exist"]),
    (Cause::NoTls, &["server gave HTTP response to HTTPS client"]),
    (Cause::Certificate, &["x509:", "certificate signed by unknown authority", "certificate verify failed"]),
    (
        Cause::Network,
        &[
            "no such host",
            "server misbehaving",
            "Temporary failure in name resolution",
            "connection refused",
            "connection reset",
            "i/o timeout",
            "timeout",
            "Client.Timeout",
            "network is unreachable",
            "no route to host",
            "EOF",
        ],
    ),
];

impl Failure {
    /// `message` is what the engine gave as the reason.
    pub fn new(
        direction: Direction,
        reference: &ImageReference,
        image: &Remote,
        message: &str,
        with_credential: bool,
    ) -> Self {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        Self {
            direction,
            reference: reference.clone(),
            registry: image.registry.clone(),
            message: message.trim().chars().map(plain).collect(),
            with_credential,
        }
    }

    fn words(&self) -> String {
        let registry = &self.registry;
        match self.cause() {
            Cause::DiskFull => "the engine's disk is full".to_owned(),
            Cause::Platform => "there is none for this engine's kind of machine".to_owned(),
            Cause::TooMany => format!("{registry} has had too many requests"),
            Cause::Denied if self.with_credential => format!("{registry} denied it to your login"),
            Cause::Denied => format!("{registry} denied it, and there is no login for {registry}"),
            Cause::NotFound => format!("{registry} does not have it"),
            Cause::NoTls => format!("{registry} speaks plain HTTP, and the engine wants TLS"),
            Cause::Certificate => format!("the engine does not trust the certificate of {registry}"),
            Cause::Network => format!("the engine cannot reach {registry}"),
            Cause::Other => "the engine says".to_owned(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let registry = &self.registry;
        Some(match self.cause() {
            Cause::DiskFull => {
                "`docker system df` shows what takes the space, `docker system prune` frees what is unused".to_owned()
            }
            Cause::Platform => "choose an image that is built for this machine as well".to_owned(),
            Cause::TooMany => format!("log in, `docker login {registry}`, or try again later"),
            Cause::Denied if self.with_credential && self.direction == Direction::Push => format!(
                "see that the name is right and that your login may write there; to log in anew: `docker login {registry}`"
            ),
            Cause::Denied if self.with_credential => format!(
                "see that the name is right and that your login may read it; to log in anew: `docker login {registry}`"
            ),
            Cause::Denied => format!("see that the name is right; where it takes a login: `docker login {registry}`"),
            Cause::NotFound if self.direction == Direction::Push => {
                "see that the name is right; some registries want a repository to be made before".to_owned()
            }
            Cause::NotFound => {
                "see that name and tag are right; an image of your own has to be built first: `docker build --tag NAME .`"
                    .to_owned()
            }
            Cause::NoTls => format!("name {registry} as an insecure registry in the engine's configuration"),
            Cause::Certificate => format!(
                "give the engine the CA of {registry}: for Docker, /etc/docker/certs.d/{registry}/ca.crt"
            ),
            Cause::Network => {
                "see that the engine has a way to the network; a proxy is set in the engine's own configuration".to_owned()
            }
            Cause::Other => return None,
        })
    }

    fn cause(&self) -> Cause {
        let said = |signs: &[&str]| signs.iter().any(|sign| self.message.contains(sign));
        SIGNS.iter().find(|(_, signs)| said(signs)).map_or(Cause::Other, |(cause, _)| *cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str, with_credential: bool) -> Failure {
        let reference = "ghcr.io/acme/tools:1".parse().unwrap();
        Failure::new(Direction::Pull, &reference, &Remote::of(&reference), message, with_credential)
    }

    #[test]
    fn causes_are_told_apart_by_the_engines_words() {
        for (message, cause) in [
            (
                "manifest for ghcr.io/acme/tools:1 not found: manifest unknown: manifest unknown",
                Cause::NotFound,
            ),
            (
                "pull access denied for x, repository does not exist or may require 'docker login': denied",
                Cause::Denied,
            ),
            ("Head \"https://ghcr.io/v2/\": unauthorized: authentication required", Cause::Denied),
            ("Get \"http://127.0.0.1:1/v2/x\": no basic auth credentials", Cause::Denied),
            (
                "no matching manifest for linux/arm64/v8 in the manifest list entries: not found",
                Cause::Platform,
            ),
            ("toomanyrequests: You have reached your pull rate limit.", Cause::TooMany),
            ("write /var/lib/docker/tmp/x: no space left on device", Cause::DiskFull),
            ("Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io: no such host", Cause::Network),
            ("Get \"https://ghcr.io/v2/\": net/http: TLS handshake timeout", Cause::Network),
            (
                "Get \"https://ghcr.io/v2/\": x509: certificate signed by unknown authority",
                Cause::Certificate,
            ),
            ("Get \"https://reg/v2/\": http: server gave HTTP response to HTTPS client", Cause::NoTls),
            ("something else", Cause::Other),
        ] {
            assert_eq!(failure(message, false).cause(), cause, "{message}");
        }
    }

    #[test]
    fn a_denial_says_whether_there_was_a_login() {
        let denied = failure("unauthorized: authentication required\n", true);
        assert_eq!(
            denied.to_string(),
            "the image ghcr.io/acme/tools:1 cannot be pulled: ghcr.io denied it to your login\n  \
             unauthorized: authentication required"
        );
        assert!(denied.hint().unwrap().contains("`docker login ghcr.io`"));
        let without = failure("denied", false);
        assert!(without.to_string().contains("there is no login for ghcr.io"), "{without}");
    }
}
