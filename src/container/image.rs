//! The built-in images: their tags, and making sure that one is there.
//!
//! The Dockerfile is part of the program, and an image's tag carries a digest of what decides its content: the stages it
//! is made of, and the version of Claude Code. So the right image is found by name alone: a new version of this program
//! with another Dockerfile builds anew what changed, and nothing else does. What only helps a build along (certificates,
//! proxies) is not part of the tag.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::build_failure::Failure;
use super::build_log::{BuildLog, Progress};
use super::dockerfile;
use super::engine::build::{self, BuildEvent, BuildRequest};
use super::engine::{self, Engine};
use super::local_image::LocalImage;
use super::name::architecture;
use super::proxies::Proxies;
use crate::claude_version::ClaudeVersion;
use crate::digest::hex;
use crate::image_choice::{ImageReference, RegistryPrefix};
use crate::variant::Variant;

/// The image's variant.
pub const LABEL_VARIANT: &str = "dev.claude-reactor.variant";
/// The version of the Claude Code CLI in the image.
pub const LABEL_CLAUDE_CODE_VERSION: &str = "dev.claude-reactor.claude-code-version";

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const VERSION_ARGUMENT: &str = "CLAUDE_CODE_VERSION";
/// The stage that asks npm for the latest version, its argument, and what its answer stands behind.
const LATEST_STAGE: &str = "latest";
const LATEST_ARGUMENT: &str = "ASKED_AT";
const LATEST_ANSWER: &str = "latest=";

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
    /// npm did not say which version is the latest.
    #[error("npm did not say which version of Claude Code is the latest")]
    NoLatest,
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Build(failure) => failure.hint(),
            Self::Missing { .. } => Some("try again, and see the engine's log".to_owned()),
            Self::NoLatest => Some(
                "try again, or name the version: `claude-reactor build --claude-version 2.1.329`".to_owned(),
            ),
        }
    }
}

/// What a built-in image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// The stage.
    pub variant: Variant,
    /// The version of Claude Code, where it is not the one that this program pins.
    pub claude_version: Option<ClaudeVersion>,
}

/// What a build is to be, beside its result.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Certificates (PEM) that a proxy on this network signs with.
    pub ca: Option<Vec<u8>>,
    /// The proxies that reach the internet.
    pub proxies: Proxies,
    /// Whether every step is done again.
    pub no_cache: bool,
    /// Whether the base image is pulled although it is there.
    pub pull: bool,
}

impl Recipe {
    /// The recipe of a variant with the version of Claude Code that this program pins.
    pub fn pinned(variant: Variant) -> Self {
        Self { variant, claude_version: None }
    }

    /// The version of Claude Code in it.
    pub fn claude_version(self) -> ClaudeVersion {
        self.claude_version.unwrap_or_else(pinned_claude_version)
    }

    /// The reference of the image: `claude-reactor/base:` and 12 hex digits.
    pub fn tag(self) -> String {
        format!("claude-reactor/{}:{}", self.variant, self.digest())
    }

    /// The reference of the image in a registry: `{registry}/claude-reactor-base:` with the same digits and the kind of
    /// machine, which one tag cannot have two of without more tools than the engine's own.
    pub fn remote(self, registry: &RegistryPrefix) -> Result<ImageReference, crate::image_choice::Error> {
        let Self { variant, .. } = self;
        format!("{registry}/claude-reactor-{variant}:{}-{}", self.digest(), architecture()).parse()
    }

    /// The labels of the image.
    pub fn labels(self) -> BTreeMap<String, String> {
        [
            (LABEL_VARIANT, self.variant.to_string()),
            (LABEL_CLAUDE_CODE_VERSION, self.claude_version().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// What an image that was pulled for this recipe is instead, if it is something else.
    pub fn differs_from(self, image: &LocalImage) -> Option<String> {
        self.labels().into_iter().find_map(|(name, wanted)| match image.labels.get(&name) {
            Some(value) if *value == wanted => None,
            Some(value) => Some(format!("its label {name} says {value:?} instead of {wanted:?}")),
            None => Some(format!("it has no label {name}")),
        })
    }

    fn digest(self) -> String {
        let Self { variant, .. } = self;
        digest(&dockerfile::stage(DOCKERFILE, variant.name()), variant.name(), &self.arguments())
    }

    fn arguments(self) -> BTreeMap<String, String> {
        [(VERSION_ARGUMENT.to_owned(), self.claude_version().to_string())].into()
    }
}

/// The version of the Claude Code CLI in the images, as the Dockerfile pins it.
pub fn pinned_claude_version() -> ClaudeVersion {
    DOCKERFILE
        .lines()
        .find_map(|line| line.strip_prefix("ARG ")?.strip_prefix(VERSION_ARGUMENT)?.strip_prefix('='))
        .and_then(|version| version.parse().ok())
        .expect("the embedded Dockerfile pins the version")
}

/// The version of Claude Code that an image says it has.
pub fn labelled_claude_version(labels: &BTreeMap<String, String>) -> Option<ClaudeVersion> {
    labels.get(LABEL_CLAUDE_CODE_VERSION)?.parse().ok()
}

/// Makes sure that the image is there, and returns its reference.
///
/// Builds it where it is missing, and then tells `progress` of it. Two programs that build at once do no harm: the
/// builder's cache and the tag make one image of it.
pub async fn ensure(
    engine: &Engine,
    recipe: Recipe,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, Error> {
    let reference = recipe.tag();
    if engine.image_id(&reference).await?.is_some() {
        return Ok(reference);
    }
    build(engine, recipe, options, progress).await
}

/// Builds the image, whether it is there or not, and returns its reference.
pub async fn build(
    engine: &Engine,
    recipe: Recipe,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, Error> {
    let reference = recipe.tag();
    progress(Progress::Started { reference: reference.clone() });
    follow(engine, request(recipe, options), progress, |_| {}).await?;
    if engine.image_id(&reference).await?.is_none() {
        return Err(Error::Missing { reference });
    }
    progress(Progress::Built);
    Ok(reference)
}

/// The latest version of Claude Code, as npm says. It is asked by a build, which has the engine's way to the network and the
/// same certificates and proxies as the build that then fetches it.
pub async fn latest_claude_version(
    engine: &Engine,
    options: &BuildOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<ClaudeVersion, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut args = options.proxies.vars().clone();
    args.insert(LATEST_ARGUMENT.to_owned(), format!("{}.{:09}", now.as_secs(), now.subsec_nanos()));
    let reference = format!("claude-reactor/npm:{}", std::process::id());
    let request = BuildRequest {
        reference: reference.clone(),
        target: LATEST_STAGE.to_owned(),
        context: context(&dockerfile::stage(DOCKERFILE, LATEST_STAGE), options.ca.as_deref()),
        args,
        labels: BTreeMap::new(),
        no_cache: false,
        pull: options.pull,
    };
    let mut said = String::new();
    let followed = follow(engine, request, progress, |text| said.push_str(text)).await;
    if let Err(error) = engine.untag_image(&reference).await {
        tracing::info!(%error, "the image that asked npm stays");
    }
    followed?;
    latest(&said).ok_or(Error::NoLatest)
}

/// The answer in what the builder said, which repeats the commands too.
fn latest(said: &str) -> Option<ClaudeVersion> {
    said.lines().filter_map(|line| line.split_once(LATEST_ANSWER)?.1.trim().parse().ok()).next_back()
}

async fn follow(
    engine: &Engine,
    request: BuildRequest,
    progress: &mut dyn FnMut(Progress),
    mut output: impl FnMut(&str),
) -> Result<(), Error> {
    let reference = request.reference.clone();
    let mut log = BuildLog::default();
    let mut events = engine.build_image(request);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if let BuildEvent::Output(text) = &event {
                    output(text);
                }
                log.push(event).into_iter().for_each(&mut *progress);
            }
            Err(build::Error::Failed(message)) => {
                return Err(Error::Build(Box::new(log.fail(&reference, &message))));
            }
            Err(build::Error::Engine(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

fn request(recipe: Recipe, options: &BuildOptions) -> BuildRequest {
    let mut args = options.proxies.vars().clone();
    args.extend(recipe.arguments());
    BuildRequest {
        reference: recipe.tag(),
        target: recipe.variant.name().to_owned(),
        context: context(&dockerfile::stage(DOCKERFILE, recipe.variant.name()), options.ca.as_deref()),
        args,
        labels: recipe.labels(),
        no_cache: options.no_cache,
        pull: options.pull,
    }
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
fn context(dockerfile: &str, ca: Option<&[u8]>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [("Dockerfile", dockerfile.as_bytes()), ("ca/extra.crt", ca.unwrap_or_default())] {
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
    fn every_variant_is_a_stage_that_runs_as_the_same_user() {
        for variant in Variant::ALL {
            let text = dockerfile::stage(DOCKERFILE, variant.name());
            let last = text.lines().rfind(|line| line.starts_with("FROM ")).unwrap();
            assert!(last.ends_with(&format!(" AS {variant}")), "{variant}: {last}");
            let user = text.lines().rfind(|line| line.starts_with("USER "));
            assert_eq!(user, Some("USER claude"), "{variant}");
        }
    }

    #[test]
    fn what_one_variant_has_more_is_no_matter_to_those_it_is_not_in() {
        let names = |variant: Variant| {
            let text = dockerfile::stage(DOCKERFILE, variant.name());
            let stages: Vec<String> =
                text.lines().filter_map(|line| Some(line.split_once(" AS ")?.1.to_owned())).collect();
            stages.join(" ")
        };
        assert_eq!(
            Variant::ALL.map(names),
            [
                "npm cli base",
                "npm cli base go",
                "npm cli base go full",
                "npm cli base go full cloud",
                "npm cli base go full k8s"
            ]
        );
    }

    #[test]
    fn packages_are_debians_and_nothing_is_best_effort() {
        for line in DOCKERFILE.lines().filter(|line| !line.starts_with('#')) {
            assert!(
                !line.contains("|| true") && !line.contains("| sh") && !line.contains("curl http"),
                "{line}"
            );
            let image = line.strip_prefix("FROM ").and_then(|rest| rest.split(' ').next());
            let ours = |name: &str| DOCKERFILE.contains(&format!(" AS {name}\n"));
            assert!(image.is_none_or(|name| name == "debian:trixie-slim" || ours(name)), "{line}");
        }
    }

    #[test]
    fn another_version_of_claude_code_is_another_image() {
        let pinned = Recipe::pinned(Variant::Go);
        let same = Recipe { claude_version: Some(pinned_claude_version()), ..pinned };
        let other = Recipe { claude_version: "2.1.0".parse().ok(), ..pinned };
        assert_eq!(pinned.tag(), same.tag());
        assert_ne!(pinned.tag(), other.tag());
        assert_eq!(other.labels()[LABEL_CLAUDE_CODE_VERSION], "2.1.0");
        assert_eq!(labelled_claude_version(&other.labels()), "2.1.0".parse().ok());
    }

    #[test]
    fn an_image_of_a_registry_is_what_its_labels_say() {
        let recipe = Recipe::pinned(Variant::Go);
        let remote = recipe.remote(&"ghcr.io/acme".parse().unwrap()).unwrap().to_string();
        let tag = recipe.tag();
        let (_, digits) = tag.split_once(':').unwrap();
        assert!(remote.starts_with(&format!("ghcr.io/acme/claude-reactor-go:{digits}-")), "{remote}");
        let image = |labels| LocalImage { labels, ..LocalImage::default() };
        assert_eq!(recipe.differs_from(&image(recipe.labels())), None);
        let other = recipe.differs_from(&image(Recipe::pinned(Variant::Base).labels())).unwrap();
        assert_eq!(other, r#"its label dev.claude-reactor.variant says "base" instead of "go""#);
        let none = recipe.differs_from(&image(BTreeMap::new())).unwrap();
        assert_eq!(none, "it has no label dev.claude-reactor.claude-code-version");
    }

    #[test]
    fn the_answer_of_npm_is_not_the_command_that_asks() {
        let said = "Step 5/5 : RUN echo \"asked: latest=$found\"\n ---> Running in 0a1b\nasked at 17.5: latest=2.1.400\n ---> 9f\n";
        assert_eq!(latest(said), "2.1.400".parse().ok());
        assert_eq!(latest("asked at 17.5: latest=\n"), None);
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
        let proxies = Proxies::from_host(&host);
        let helped = BuildOptions { ca: Some(b"PEM".to_vec()), proxies, no_cache: true, pull: true };
        let recipe = Recipe::pinned(Variant::Base);
        let (helped, alone) = (request(recipe, &helped), request(recipe, &BuildOptions::default()));
        assert_eq!(helped.reference, alone.reference);
        assert_eq!(helped.labels, alone.labels);
        assert_eq!(helped.args.get("https_proxy").map(String::as_str), Some("http://proxy:3128"));
        assert_eq!(alone.args.keys().collect::<Vec<_>>(), [VERSION_ARGUMENT]);
    }

    #[test]
    fn the_context_holds_the_dockerfile_and_the_certificates() {
        let dockerfile = ("Dockerfile".to_owned(), 0, "FROM x\n".to_owned());
        let certificates = |content: &str| ("ca/extra.crt".to_owned(), 0, content.to_owned());
        assert_eq!(entries(&context("FROM x\n", None)), [dockerfile.clone(), certificates("")]);
        assert_eq!(entries(&context("FROM x\n", Some(b"PEM"))), [dockerfile, certificates("PEM")]);
    }
}
