//! A built-in image: there already, pulled from the registry that was configured for it, or built now, one at a time.

use std::path::Path;

use super::build_progress::BuildProgress;
use super::{pull, run_folder};
use crate::command::lock::lock;
use crate::command::target::Target;
use crate::config::registry_use::RegistryUse;
use crate::config::{Settings, Source};
use crate::container::engine::Engine;
use crate::container::image::{self, BuildOptions, Recipe};
use crate::container::local_image::LocalImage;
use crate::container::proxies::Proxies;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::{ImageReference, RegistryPrefix};
use crate::ui;
use crate::variant::Variant;

/// Where a built-in image comes from, beside the recipe.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Certificates that a build trusts in addition.
    pub ca_file: Option<&'a Path>,
    /// Where it may be had.
    pub registry: Option<&'a RegistryPrefix>,
    /// Whether that is asked.
    pub registry_use: RegistryUse,
}

/// What a variant's image is made of, by these settings.
pub fn recipe(settings: &Settings, variant: Variant) -> Recipe {
    let claude_version = settings.claude_version.as_ref().map(|setting| setting.value);
    Recipe { variant, claude_version }
}

impl<'a> Sources<'a> {
    /// Those of a target.
    pub fn of(target: &'a Target) -> Self {
        Self {
            ca_file: target.ca_file.as_ref().map(|file| file.path.as_path()),
            registry: target.settings.registry.as_ref().map(|setting| &setting.value),
            registry_use: target.registry_use,
        }
    }

    /// The registry to ask, if one is to be asked.
    pub fn asked(&self) -> Option<&'a RegistryPrefix> {
        self.registry.filter(|_| self.registry_use != RegistryUse::Never)
    }
}

/// Makes sure that the image is there. Where it is to be pulled in any case, it is pulled; where that fails, and where there
/// is none, it is built.
pub async fn ensure(
    engine: &Engine,
    recipe: Recipe,
    sources: &Sources<'_>,
    chosen_by: &Source,
    host: &Host,
) -> Result<(), Error> {
    let is_there = async || engine.image_id(&recipe.tag()).await.map(|id| id.is_some());
    let always = sources.registry_use == RegistryUse::Always;
    if !always && is_there().await? {
        return Ok(());
    }
    // One of an image at a time: a second one would do the same work beside it, and take the machine from it. The tag is
    // part of the name, for another version of this program builds another image.
    let _lock =
        lock(&run_folder(host)?.join(lock_name(&recipe.tag())), "another build of this image").await?;
    if !always && is_there().await? {
        return Ok(());
    }
    if always && sources.registry.is_none() {
        say_no_registry();
    }
    if let Some(registry) = sources.asked()
        && pulled(engine, recipe, registry, host).await?
    {
        return Ok(());
    }
    if is_there().await? {
        return Ok(());
    }
    if let Source::Detected(name) = chosen_by
        && recipe.variant != Variant::Base
    {
        let size = ui::human::size(recipe.variant.size());
        ui::note(&format!(
            "{name}: building the image `{}`, about {size}; `--image base` stays with the small one",
            recipe.variant
        ));
    }
    build(engine, recipe, &options(sources.ca_file, host)?, host).await.map(drop)
}

/// What helps a build along on this machine.
pub fn options(ca_file: Option<&Path>, host: &Host) -> Result<BuildOptions, Error> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| Error::Io { action: "read the CA certificates", source })
    };
    Ok(BuildOptions {
        ca: ca_file.map(read).transpose()?,
        proxies: Proxies::from_host(host),
        ..BuildOptions::default()
    })
}

/// Builds the image, whether it is there or not, and returns its reference. Whoever calls holds the image's lock, where
/// others may build it too.
pub async fn build(
    engine: &Engine,
    recipe: Recipe,
    options: &BuildOptions,
    host: &Host,
) -> Result<String, Error> {
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    Ok(image::build(engine, recipe, options, &mut |progress| display.show(&progress)).await?)
}

/// Pulls the image from a registry. Says why where that is not done, which is no reason to end.
pub async fn pulled(
    engine: &Engine,
    recipe: Recipe,
    registry: &RegistryPrefix,
    host: &Host,
) -> Result<bool, Error> {
    let remote: ImageReference = match recipe.remote(registry) {
        Ok(remote) => remote,
        Err(error) => return Ok(passed_over(&error.to_string())),
    };
    match pull(engine, &remote, host).await {
        Ok(()) => {}
        Err(Error::Pull(failure)) => return Ok(passed_over(&failure.to_string())),
        Err(error) => return Err(error),
    }
    let image = LocalImage::find(engine, &remote).await?;
    let problem = match &image {
        Some(image) => recipe.differs_from(image),
        None => Some("the engine does not have it".to_owned()),
    };
    if problem.is_none() {
        let tag = recipe.tag();
        let (name, version) = tag.split_once(':').expect("it has a tag");
        engine.tag_image(remote.as_str(), name, version).await?;
    }
    if let Some(image) = image {
        // Under our own name it is all that is needed.
        engine.untag_image(&image.name).await?;
    }
    match problem {
        None => Ok(true),
        Some(problem) => Ok(passed_over(&format!("the image {remote} is not what it should be: {problem}"))),
    }
}

/// Says that there is nothing to pull from.
pub fn say_no_registry() {
    ui::warn("--pull-latest: no `registry` is configured, so there is nothing to pull");
}

fn passed_over(why: &str) -> bool {
    ui::warn(&format!("{why}\n  so the image is built here instead"));
    false
}

/// The file by which builds of an image wait for each other.
pub fn lock_name(tag: &str) -> String {
    format!("build-{}", tag.replace(['/', ':'], "-"))
}
