//! The image before a container: there already, or built now, one build at a time; or, where it is one of the user's, pulled,
//! and looked at once.

use std::path::{Path, PathBuf};

use super::build_progress::BuildProgress;
use super::checked_images;
use super::lock::lock;
use crate::container::build_log::Progress;
use crate::container::engine::Engine;
use crate::container::engine::pull;
use crate::container::image::{self, BuildOptions};
use crate::container::image_check;
use crate::container::local_image::LocalImage;
use crate::container::proxies::Proxies;
use crate::container::pull_failure::Failure;
use crate::container::pull_log::PullLog;
use crate::container::registry::Remote;
use crate::container::registry_auth;
use crate::container::spec::User;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::{ImageChoice, ImageReference};
use crate::private_file;
use crate::ui;
use crate::variant::Variant;

/// The reference of the image that was chosen.
pub fn reference(choice: &ImageChoice) -> String {
    match choice {
        ImageChoice::BuiltIn(variant) => variant.tag(),
        ImageChoice::Custom(reference) => reference.to_string(),
    }
}

/// An image of the user's, pulled if the engine does not have it; nothing where a built-in one was chosen.
pub async fn of_the_users(
    engine: &Engine,
    choice: &ImageChoice,
    host: &Host,
) -> Result<Option<LocalImage>, Error> {
    let ImageChoice::Custom(reference) = choice else { return Ok(None) };
    if let Some(image) = LocalImage::find(engine, reference).await? {
        return Ok(Some(image));
    }
    pull(engine, reference, host).await?;
    match LocalImage::find(engine, reference).await? {
        Some(image) => Ok(Some(image)),
        None => Err(image::Error::Missing { reference: reference.to_string() }.into()),
    }
}

/// Whether a container can be made at once: the variant's image is there, or the one of the user's was found fit.
pub async fn is_ready(
    engine: &Engine,
    choice: &ImageChoice,
    custom: Option<&LocalImage>,
    host: &Host,
) -> Result<bool, Error> {
    match (choice, custom) {
        (ImageChoice::BuiltIn(variant), _) => Ok(engine.image_id(&variant.tag()).await?.is_some()),
        (ImageChoice::Custom(_), Some(image)) => {
            Ok(checked_images::has(&checks(host)?, &checked_images::key(image, user(engine, host))))
        }
        (ImageChoice::Custom(_), None) => Ok(false),
    }
}

/// Makes sure that a container can be made: a variant's image is built where it is missing, and one of the user's is looked
/// at where that was not done before.
pub async fn ensure(
    engine: &Engine,
    choice: &ImageChoice,
    custom: Option<&LocalImage>,
    ca_file: Option<&Path>,
    host: &Host,
) -> Result<(), Error> {
    match (choice, custom) {
        (ImageChoice::BuiltIn(variant), _) => build(engine, *variant, ca_file, host).await,
        (ImageChoice::Custom(reference), Some(image)) => check(engine, reference, image, host).await,
        (ImageChoice::Custom(_), None) => Ok(()),
    }
}

async fn build(engine: &Engine, variant: Variant, ca_file: Option<&Path>, host: &Host) -> Result<(), Error> {
    if engine.image_id(&variant.tag()).await?.is_some() {
        return Ok(());
    }
    // One build of an image at a time: a second one would do the same work beside it, and take the machine from it. The
    // tag is part of the name, for another version of this program builds another image.
    let _lock = lock(&folder(host)?.join(lock_name(&variant.tag())), "another build of this image").await?;
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| Error::Io { action: "read the CA certificates", source })
    };
    let options = BuildOptions { ca: ca_file.map(read).transpose()?, proxies: Proxies::from_host(host) };
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    image::ensure(engine, variant, &options, &mut |progress| display.show(&progress)).await?;
    Ok(())
}

/// The file by which builds of an image wait for each other.
fn lock_name(tag: &str) -> String {
    format!("build-{}", tag.replace(['/', ':'], "-"))
}

async fn pull(engine: &Engine, reference: &ImageReference, host: &Host) -> Result<(), Error> {
    let image = Remote::of(reference);
    let found = registry_auth::find(host, &image).await;
    for problem in &found.problems {
        ui::warn(&ui::one_line(&problem.to_string()));
    }
    let auth = found.credential.as_ref().map(|credential| credential.header(&image.registry));
    tracing::info!(%reference, registry = %image.registry, with_credential = auth.is_some(), "pulling");
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    let mut log = PullLog::default();
    display.show(&Progress::Pulling { reference: reference.to_string() });
    let report = |event| {
        let state = log.push(event);
        tracing::debug!(done = state.done, layers = state.layers, now = %state.now);
        display.show(&Progress::Layers(state));
    };
    match engine.pull(&image, auth.as_ref(), report).await {
        Ok(()) => {
            display.show(&Progress::Pulled);
            Ok(())
        }
        Err(pull::Error::Engine(error)) => Err(error.into()),
        Err(pull::Error::Refused(message)) => {
            Err(Box::new(Failure::new(reference, &image, &message, auth.is_some())).into())
        }
    }
}

/// Looks at an image as the session's user, once for what it is.
async fn check(
    engine: &Engine,
    reference: &ImageReference,
    image: &LocalImage,
    host: &Host,
) -> Result<(), Error> {
    let user = user(engine, host);
    ui::note(&format!("looking at the image {reference}, once"));
    let copy_line = format!("COPY --from={} /usr/local/bin/claude /usr/local/bin/", Variant::Base.tag());
    let report = image_check::check(engine, reference, image, user, &copy_line).await?;
    for warning in &report.warnings {
        ui::warn(&format!("in the image {reference} {warning}"));
    }
    checked_images::add(&checks(host)?, &checked_images::key(image, user))?;
    Ok(())
}

/// Who runs inside.
fn user(engine: &Engine, host: &Host) -> User {
    engine.facts().session_user(User { uid: host.uid, gid: host.gid }).user
}

/// The looks that were had.
fn checks(host: &Host) -> Result<PathBuf, Error> {
    Ok(folder(host)?.join("checked-images.json"))
}

/// Where what concerns all accounts is kept. No account can have its name.
fn folder(host: &Host) -> Result<PathBuf, Error> {
    let home = host.reactor_home()?;
    let folder = home.join(".run");
    private_file::create_dir(&home, &folder)?;
    Ok(folder)
}
