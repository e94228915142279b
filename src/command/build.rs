//! `build`: the built-in images, made or pulled beforehand, and brought to a registry.

use std::process::ExitCode;
use std::time::Instant;

use super::choices::ChoiceArgs;
use super::image::build_progress::BuildProgress;
use super::image::built_in::{self, Sources, lock_name};
use super::image::kept_claude_version::{self, Wanted};
use super::image::kept_variant;
use super::image::{run_folder, transfer};
use super::lock::lock;
use super::target::Target;
use crate::claude_version::ClaudeVersion;
use crate::config::registry_use::{RegistryArgs, RegistryUse};
use crate::config::{self, Values};
use crate::container::engine::Engine;
use crate::container::image::{BuildOptions, Recipe, latest_claude_version};
use crate::container::pull_failure::Direction;
use crate::container::registry::Remote;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::{ImageChoice, ImageReference, RegistryPrefix};
use crate::signals::EndSignals;
use crate::ui;
use crate::variant::Variant;

const EXAMPLES: &str = "\
Examples:
  claude-reactor build                           this project's image
  claude-reactor build go                        another one
  claude-reactor build --all                     all of them
  claude-reactor build --no-cache --pull         anew from the newest packages
  claude-reactor build --claude-version latest   with the latest Claude Code, from now on
  claude-reactor build --claude-version pinned   with the one of this claude-reactor again
  claude-reactor build go --push ghcr.io/acme    for a team that has `registry: ghcr.io/acme`
  claude-reactor build go --push ghcr.io/acme/tools:1.2";

/// Build the built-in images
///
/// `run` builds what is missing by itself; this does it beforehand, anew, or with another version of Claude Code. Where a
/// `registry` is configured, an image that is missing is pulled from there, and built if that fails.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The image: base, go, full, cloud or k8s; by default this project's
    #[arg(value_name = "VARIANT", conflicts_with = "all")]
    pub variant: Option<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// Do every step again, for the newest packages
    #[arg(long, conflicts_with = "pull_latest")]
    pub no_cache: bool,
    /// Pull Debian's base image although it is here
    #[arg(long, conflicts_with = "pull_latest")]
    pub pull: bool,
    /// Push the image there: a registry's prefix, below which it gets its usual name, or a whole reference with a tag
    #[arg(long, value_name = "REF")]
    pub push: Option<String>,
    /// The version of Claude Code in the images: a number, `latest`, or `pinned` for the one of this claude-reactor; remembered
    #[arg(long, value_name = "VERSION")]
    pub claude_version: Option<String>,
    /// Whose settings count; not remembered
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// CA certificates (PEM) to trust in addition; by default what `SSL_CERT_FILE` names
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// The container engine for this run: docker, podman, an address (unix://, tcp://, ssh://) or a Docker context
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Whether the registry is asked.
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// A folder in which no choices lie.
const NO_PROJECT: &str = "/usr";

/// Where an image is to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Push {
    /// Below a prefix, by its usual name.
    Below(RegistryPrefix),
    /// By this name.
    As(ImageReference),
}

/// Does it.
pub async fn build(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let variant = args.variant.as_deref().map(variant).transpose()?;
    let wanted = args.claude_version.as_deref().map(kept_claude_version::parse).transpose()?;
    let push = args.push.as_deref().map(push).transpose()?;
    if let (true, Some(Push::As(reference))) = (args.all, &push) {
        return Err(usage(
            "--push",
            format!("{reference} is the name of one image, and --all builds several"),
            "give the registry's prefix, for example `ghcr.io/acme`",
        ));
    }
    let choices = ChoiceArgs {
        account: args.account.clone(),
        // A path of the working directory, whichever folder stands for it below.
        ca_file: args.ca_file.as_ref().map(|path| host.absolute(path).to_string_lossy().into_owned()),
        engine: args.engine.clone(),
        registry: args.registry,
        ..ChoiceArgs::default()
    };
    let names_images = variant.is_some() || args.all;
    let mut target = match Target::resolve(&choices, Values::default(), host) {
        // Where somebody names what to build, as on the first day in their home folder, no project is needed.
        Err(Error::Project(_)) if names_images => {
            let mut elsewhere = host.clone();
            elsewhere.cwd = NO_PROJECT.into();
            Target::resolve(&choices, Values::default(), &elsewhere)?
        }
        resolved => resolved?,
    };
    target.warnings.iter().for_each(|warning| ui::warn(warning));
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let variants = match variant {
        Some(variant) => vec![variant],
        None if args.all => Variant::ALL.to_vec(),
        None => {
            Box::pin(kept_variant::settle(&mut target, host)).await;
            vec![of_project(&target)?]
        }
    };
    signals.unless(Box::pin(build_all(args, &target, &variants, wanted, push.as_ref(), host))).await??;
    Ok(ExitCode::SUCCESS)
}

async fn build_all(
    args: &Args,
    target: &Target,
    variants: &[Variant],
    wanted: Option<Wanted>,
    push: Option<&Push>,
    host: &Host,
) -> Result<(), Error> {
    let sources = Sources::of(target);
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    let common = built_in::options(sources.ca_file, host)?;
    let options = BuildOptions { no_cache: args.no_cache, pull: args.pull, ..common };
    let version = match wanted {
        Some(Wanted::Latest) => Some(latest(&engine, &options, host).await?),
        Some(Wanted::Version(version)) => Some(version),
        Some(Wanted::Pinned) => None,
        None => target.settings.claude_version.as_ref().map(|setting| setting.value),
    };
    for variant in variants {
        let recipe = Recipe { variant: *variant, claude_version: version };
        one(args, &engine, recipe, &sources, &options, host).await?;
        if let Some(push) = push {
            push_to(&engine, recipe, push, host).await?;
        }
    }
    if let Some(wanted) = wanted {
        kept_claude_version::remember(target, wanted, version)?;
    }
    Ok(())
}

/// Has one image, and prints what it is.
async fn one(
    args: &Args,
    engine: &Engine,
    recipe: Recipe,
    sources: &Sources<'_>,
    options: &BuildOptions,
    host: &Host,
) -> Result<(), Error> {
    let started = Instant::now();
    let reference = recipe.tag();
    let _lock = lock(&run_folder(host)?.join(lock_name(&reference)), "another build of this image").await?;
    if !has(args, engine, recipe, sources, host).await? {
        built_in::build(engine, recipe, options, host).await?;
    }
    let image = engine.image(&reference).await?;
    let size = image.and_then(|image| image.size).map_or("?".to_owned(), ui::human::size);
    ui::data(&format!("{reference}  {size}  {} s\n", started.elapsed().as_secs()))
}

/// Whether the image is there, or the registry has given it: what is to be done anew is not asked for there.
async fn has(
    args: &Args,
    engine: &Engine,
    recipe: Recipe,
    sources: &Sources<'_>,
    host: &Host,
) -> Result<bool, Error> {
    let always = sources.registry_use == RegistryUse::Always;
    if args.no_cache || args.pull {
        return Ok(false);
    }
    if !always && engine.image_id(&recipe.tag()).await?.is_some() {
        ui::note(&format!("{} is there already; `--no-cache` builds it anew", recipe.tag()));
        return Ok(true);
    }
    match sources.asked() {
        Some(registry) => built_in::pulled(engine, recipe, registry, host).await,
        None if always => {
            built_in::say_no_registry();
            Ok(false)
        }
        None => Ok(false),
    }
}

/// The variant of the project's image.
fn of_project(target: &Target) -> Result<Variant, Error> {
    match &target.settings.image.value {
        ImageChoice::BuiltIn(variant) => Ok(*variant),
        ImageChoice::Custom(reference) => Err(usage(
            "build",
            format!(
                "this project's image is {reference} (from: {}), which is yours to build",
                target.settings.image.source
            ),
            &format!("name a built-in one: {}", Variant::list()),
        )),
    }
}

fn variant(text: &str) -> Result<Variant, Error> {
    text.parse().map_err(|error: crate::variant::NotBuiltIn| usage("build", error.to_string(), &error.hint()))
}

fn push(text: &str) -> Result<Push, Error> {
    // A tag follows the last slash; without one, a colon is before a registry's port.
    let has_tag = text.rsplit_once('/').is_some_and(|(_, last)| last.contains([':', '@']));
    let parsed = if has_tag { text.parse().map(Push::As) } else { text.parse().map(Push::Below) };
    let push = parsed.map_err(|error| {
        usage("--push", error.to_string(), "for example `ghcr.io/acme`, or `ghcr.io/acme/tools:1.2`")
    })?;
    match push {
        Push::As(reference) if reference.as_str().contains('@') => Err(usage(
            "--push",
            format!("{reference} names an image by its digest"),
            "a tag is what can be chosen, for example `ghcr.io/acme/tools:1.2`",
        )),
        push => Ok(push),
    }
}

fn usage(place: &str, problem: String, hint: &str) -> Error {
    config::Error::Value { place: place.to_owned(), problem, hint: Some(hint.to_owned()) }.into()
}

async fn latest(engine: &Engine, options: &BuildOptions, host: &Host) -> Result<ClaudeVersion, Error> {
    ui::note("asking npm for the latest version of Claude Code");
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    let version = latest_claude_version(engine, options, &mut |progress| display.show(&progress)).await?;
    drop(display);
    ui::note(&format!("the latest version of Claude Code is {version}"));
    Ok(version)
}

/// Pushes the image. The name that this takes goes again, unless it was there before.
async fn push_to(engine: &Engine, recipe: Recipe, push: &Push, host: &Host) -> Result<(), Error> {
    let reference = match push {
        Push::As(reference) => reference.clone(),
        Push::Below(prefix) => recipe
            .remote(prefix)
            .map_err(|error| usage("--push", error.to_string(), "give a shorter prefix"))?,
    };
    let had = engine.image_id(reference.as_str()).await?;
    let Remote { name, version, .. } = Remote::of(&reference);
    engine.tag_image(&recipe.tag(), &name, &version).await?;
    let pushed = transfer(engine, Direction::Push, &reference, host).await;
    if had.is_none() {
        engine.untag_image(reference.as_str()).await?;
    }
    pushed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_push_is_a_prefix_or_a_whole_reference() {
        for prefix in ["ghcr.io/acme", "localhost:5000", "acme", "reg.example:443/a/b/"] {
            assert!(matches!(push(prefix), Ok(Push::Below(_))), "{prefix}");
        }
        for reference in ["ghcr.io/acme/tools:1.2", "localhost:5000/tools:x", "acme/tools:1"] {
            assert!(matches!(push(reference), Ok(Push::As(_))), "{reference}");
        }
        let digest = format!("acme/tools@sha256:{}", "0".repeat(64));
        for other in ["", "https://ghcr.io/acme", "Acme", "acme/tools:", digest.as_str()] {
            assert!(push(other).is_err(), "{other}");
        }
    }
}
