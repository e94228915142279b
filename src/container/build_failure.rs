//! Why a build failed, for a person: the step, its last words, and what to try.
//!
//! The causes are read from what the Dockerfile's tools and the engine said, which is text and nothing else.

use std::fmt;

use super::build_log::Step;

/// How much of an instruction an explanation shows, in characters.
const TITLE: usize = 100;

/// A build that failed: where, with what last words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    reference: String,
    step: Option<Step>,
    pub(super) lines: Vec<String>,
    message: String,
}

/// What commonly keeps an image from being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    DiskFull,
    NoVersion,
    BaseImage,
    Certificate,
    Network,
}

/// How the tools used in the Dockerfile, and the engines, word these causes. The first that occurs decides: a full disk
/// breaks downloads too, and a certificate is refused on a network that works.
const SIGNS: &[(Cause, &[&str])] = &[
    (Cause::DiskFull, &["no space left on device", "No space left on device", "ENOSPC"]),
    (Cause::NoVersion, &["No matching version found for @anthropic-ai/claude-code"]),
    (
        Cause::Certificate,
        &[
            "SELF_SIGNED_CERT_IN_CHAIN",
            "DEPTH_ZERO_SELF_SIGNED_CERT",
            "UNABLE_TO_GET_ISSUER_CERT",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "unable to get local issuer certificate",
            "self-signed certificate",
            "certificate verify failed",
        ],
    ),
    (
        Cause::Network,
        &[
            "Temporary failure resolving",
            "Temporary failure in name resolution",
            "Could not resolve",
            "Could not connect to",
            "Connection timed out",
            "Connection refused",
            "EAI_AGAIN",
            "ENOTFOUND",
            "ETIMEDOUT",
            "ECONNREFUSED",
            "ECONNRESET",
            "Network is unreachable",
        ],
    ),
];

impl Failure {
    /// `step` and `lines` are the failing step and the last it said; `message` is what the engine gave as the reason.
    pub fn new(reference: &str, step: Option<Step>, lines: Vec<String>, message: &str) -> Self {
        Self { reference: reference.to_owned(), step, lines, message: short_reason(message).to_owned() }
    }

    /// What to do about it, as far as the output tells.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.cause()? {
            Cause::DiskFull => {
                "the engine's disk is full: `docker system df` shows what takes the space, \
                 `docker system prune` frees what is unused"
            }
            Cause::NoVersion => {
                "npm has no Claude Code of that version: see `npm view @anthropic-ai/claude-code versions`, or take `latest`"
            }
            Cause::BaseImage => {
                "the base image cannot be pulled: check the network and the engine's proxy settings; where no registry \
                 can be reached, `make base-image` (scripts/base-image.sh) in claude-reactor's source folder makes it \
                 from Debian's packages"
            }
            Cause::Certificate => {
                "something on this network re-signs TLS: name its certificates with --ca-file FILE, or \
                 CLAUDE_REACTOR_CA_FILE"
            }
            Cause::Network => {
                "a download inside the build failed: check the network, and HTTP_PROXY and HTTPS_PROXY \
                 (a proxy at localhost cannot be reached from inside a build)"
            }
        };
        Some(hint.to_owned())
    }

    fn cause(&self) -> Option<Cause> {
        let said =
            |sign: &&str| self.message.contains(*sign) || self.lines.iter().any(|line| line.contains(*sign));
        let sign = SIGNS.iter().find(|(_, signs)| signs.iter().any(said)).map(|(cause, _)| *cause);
        let pulls = self.step.as_ref().is_some_and(|step| step.instruction.starts_with("FROM "));
        match sign {
            Some(Cause::DiskFull) => sign,
            _ if pulls => Some(Cause::BaseImage),
            _ => sign,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "building the image {} failed", self.reference)?;
        if let Some(step) = &self.step {
            write!(f, " in step {} of {}, `{}`", step.number, step.total, step.title(TITLE))?;
        }
        for line in &self.lines {
            write!(f, "\n    {line}")?;
        }
        write!(f, "\n  {}", self.message)
    }
}

impl std::error::Error for Failure {}

/// Docker repeats the whole command in its reason; the step's title has said it.
fn short_reason(message: &str) -> &str {
    match message
        .strip_prefix("The command '")
        .and_then(|rest| rest.rfind("' returned ").map(|at| &rest[at + 2..]))
    {
        Some(reason) => reason,
        None => message.trim_end(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "RUN if [ -s /tmp/extra.crt ]; then true; fi && npm install";

    fn failure(instruction: &str, line: &str, message: &str) -> Failure {
        let step = Step { number: 5, total: 12, instruction: instruction.to_owned() };
        Failure::new("claude-reactor/base:0", Some(step), vec![line.to_owned()], message)
    }

    #[test]
    fn a_failure_tells_the_step_its_words_and_the_way_out() {
        let message = format!("The command '/bin/sh -c {RUN}' returned a non-zero code: 1");
        let failure = failure(RUN, "npm ERR! code SELF_SIGNED_CERT_IN_CHAIN", &message);
        assert_eq!(
            failure.to_string(),
            "building the image claude-reactor/base:0 failed in step 5 of 12, \
             `RUN if [ -s /tmp/extra.crt ]; then true; fi && npm install`\n    \
             npm ERR! code SELF_SIGNED_CERT_IN_CHAIN\n  \
             returned a non-zero code: 1"
        );
        assert!(failure.hint().is_some_and(|hint| hint.contains("--ca-file")));
    }

    #[test]
    fn the_cause_is_read_from_the_failing_steps_output() {
        for (instruction, line, message, expected) in [
            (
                "FROM debian:trixie-slim",
                "",
                "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host",
                Some(Cause::BaseImage),
            ),
            ("FROM debian:trixie-slim", "", "write /x: no space left on device", Some(Cause::DiskFull)),
            ("RUN npm", "reason: unable to get local issuer certificate", "1", Some(Cause::Certificate)),
            (
                "RUN apt-get update",
                "  Temporary failure resolving 'deb.debian.org'",
                "100",
                Some(Cause::Network),
            ),
            ("RUN npm", "npm error code EAI_AGAIN", "1", Some(Cause::Network)),
            ("COPY a b", "", "write /usr/local/bin/claude: no space left on device", Some(Cause::DiskFull)),
            ("RUN false", "", "1", None),
        ] {
            assert_eq!(
                failure(instruction, line, message).cause(),
                expected,
                "{instruction} {line} {message}"
            );
        }
    }
}
