//! The built-in images: their tags, and making sure that one is there.
//!
//! The Dockerfile is part of the program, and an image's tag carries a digest of what decides its content. So the right
//! image is found by name alone: a new version of this program with another Dockerfile builds anew, and nothing else
//! does. What only helps a build along (certificates, proxies) is not part of the tag.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::build_failure::Failure;
use super::build_log::{BuildLog, Progress};
use super::engine::build::{self, BuildRequest};
use super::engine::{self, Engine};
use super::proxies::Proxies;
use crate::digest::hex;
use crate::variant::Variant;

/// The image's variant.
pub const LABEL_VARIANT: &str = "dev.claude-reactor.variant";
/// The version of the Claude Code CLI in the image.
pub const LABEL_CLAUDE_CODE_VERSION: &str = "dev.claude-reactor.claude-code-version";

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const VERSION_ARGUMENT: &str = "CLAUDE_CODE_VERSION";

/// Why an image is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine could not be asked, or was lost.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The build failed.
    #[error(transparent)]
    Build(Box<Failure>),
    /// The build ended without an error, but the image is not there.
    #[error("the engine reported the end of the build of {reference}, but does not have the image")]
    Missing {
        /// The image.
        reference: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Build(failure) => failure.hint(),
            Self::Missing { .. } => Some("try again, and see the engine's log".to_owned()),
        }
    }
}

/// What helps a build along without being part of its result.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Certificates (PEM) that a proxy on this network signs with.
    pub ca: Option<Vec<u8>>,
    /// The proxies that reach the internet.
    pub proxies: Proxies,
}

impl Variant {
    /// The reference of the variant's image: `claude-reactor/base:` and 12 hex digits.
    pub fn tag(self) -> String {
        format!("claude-reactor/{self}:{}", digest(DOCKERFILE, self.name(), &arguments()))
    }

    /// The labels of the variant's image.
    pub fn labels(self) -> BTreeMap<String, String> {
        [(LABEL_VARIANT, self.name()), (LABEL_CLAUDE_CODE_VERSION, claude_code_version())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

/// The version of the Claude Code CLI in the images, as the Dockerfile pins it.
pub fn claude_code_version() -> &'static str {
    DOCKERFILE
        .lines()
        .find_map(|line| line.strip_prefix("ARG ")?.strip_prefix(VERSION_ARGUMENT)?.strip_prefix('='))
        .expect("the embedded Dockerfile pins the version")
}

/// Makes sure that the variant's image is there, and returns its reference.
///
/// Builds it where it is missing, and then tells `progress` of it. Two programs that build at once do no harm: the
/// builder's cache and the tag make one image of it.
pub async fn ensure(
    engine: &Engine,
    variant: Variant,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, Error> {
    let reference = variant.tag();
    if engine.image_id(&reference).await?.is_some() {
        return Ok(reference);
    }
    progress(Progress::Started { reference: reference.clone() });
    let mut log = BuildLog::default();
    let mut events = engine.build_image(request(variant, options));
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => log.push(event).into_iter().for_each(&mut *progress),
            Err(build::Error::Failed(message)) => {
                return Err(Error::Build(Box::new(log.fail(&reference, &message))));
            }
            Err(build::Error::Engine(error)) => return Err(error.into()),
        }
    }
    if engine.image_id(&reference).await?.is_none() {
        return Err(Error::Missing { reference });
    }
    progress(Progress::Built);
    Ok(reference)
}

fn request(variant: Variant, options: &BuildOptions) -> BuildRequest {
    let mut args = options.proxies.vars().clone();
    args.extend(arguments());
    BuildRequest {
        reference: variant.tag(),
        target: variant.name().to_owned(),
        context: context(options.ca.as_deref()),
        args,
        labels: variant.labels(),
    }
}

fn arguments() -> BTreeMap<String, String> {
    [(VERSION_ARGUMENT.to_owned(), claude_code_version().to_owned())].into()
}

/// 12 hex digits of SHA-256. Every part goes in behind its length, so no two different inputs read the same.
fn digest(dockerfile: &str, target: &str, arguments: &BTreeMap<String, String>) -> String {
    let arguments = arguments.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let mut hash = Sha256::new();
    for part in [dockerfile, target].into_iter().chain(arguments) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..6])
}

/// The build context: the Dockerfile and `ca/extra.crt`, empty where there are no certificates to add. The same input
/// gives the same bytes.
fn context(ca: Option<&[u8]>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [("Dockerfile", DOCKERFILE.as_bytes()), ("ca/extra.crt", ca.unwrap_or_default())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, path, content).expect("writing to memory does not fail");
    }
    archive.into_inner().expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn entries(archive: &[u8]) -> Vec<(String, u64, String)> {
        tar::Archive::new(archive)
            .entries()
            .expect("a tar")
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let path = entry.path().expect("a path").display().to_string();
                let mtime = entry.header().mtime().expect("a time");
                let mut content = String::new();
                entry.read_to_string(&mut content).expect("text");
                (path, mtime, content)
            })
            .collect()
    }

    #[test]
    fn every_variant_is_a_stage() {
        for variant in Variant::ALL {
            let stage = format!("FROM debian:trixie-slim AS {variant}");
            assert!(DOCKERFILE.lines().any(|line| line == stage), "{stage}");
        }
    }

    #[test]
    fn the_version_is_pinned_to_the_last_digit() {
        let parts: Vec<_> = claude_code_version().split('.').collect();
        assert!(parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok()), "{parts:?}");
    }

    #[test]
    fn the_tag_follows_what_decides_the_content() {
        let arguments = |value: &str| BTreeMap::from([("A".to_owned(), value.to_owned())]);
        let plain = digest("FROM x", "base", &arguments("1"));
        assert!(plain.len() == 12 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()), "{plain}");
        assert_eq!(plain, digest("FROM x", "base", &arguments("1")));
        assert_ne!(plain, digest("FROM y", "base", &arguments("1")));
        assert_ne!(plain, digest("FROM x", "go", &arguments("1")));
        assert_ne!(plain, digest("FROM x", "base", &arguments("2")));
        assert_ne!(plain, digest("FROM xbase", "", &arguments("1")));
    }

    #[test]
    fn certificates_and_proxies_are_not_part_of_the_tag() {
        let vars = [("HTTPS_PROXY".to_owned(), "http://proxy:3128".to_owned())];
        let host = crate::host::Host::new("/home/alice", "/home/alice", vars);
        let helped = BuildOptions { ca: Some(b"PEM".to_vec()), proxies: Proxies::from_host(&host) };
        let helped = request(Variant::Base, &helped);
        let alone = request(Variant::Base, &BuildOptions::default());
        assert_eq!(helped.reference, alone.reference);
        assert_eq!(helped.labels, alone.labels);
        assert_eq!(helped.args.get("https_proxy").map(String::as_str), Some("http://proxy:3128"));
        assert_eq!(alone.args.keys().collect::<Vec<_>>(), [VERSION_ARGUMENT]);
    }

    #[test]
    fn the_context_holds_the_dockerfile_and_the_certificates() {
        let dockerfile = ("Dockerfile".to_owned(), 0, DOCKERFILE.to_owned());
        let certificates = |content: &str| ("ca/extra.crt".to_owned(), 0, content.to_owned());
        assert_eq!(entries(&context(None)), [dockerfile.clone(), certificates("")]);
        assert_eq!(entries(&context(Some(b"PEM"))), [dockerfile, certificates("PEM")]);
    }
}
