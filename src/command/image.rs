//! The image before a container: a built-in one (`built_in`), or one of the user's, which is pulled where it is absent, and
//! looked at once.

pub mod build_progress;
pub mod built_in;
pub mod checked;
pub mod kept_claude_version;
pub mod kept_variant;

use std::path::PathBuf;

use self::build_progress::BuildProgress;
use self::built_in::Sources;
use super::target::Target;
use crate::config::Settings;
use crate::container::build_log::Progress;
use crate::container::engine::Engine;
use crate::container::engine::transfer;
use crate::container::image::{self, Recipe};
use crate::container::image_check;
use crate::container::local_image::LocalImage;
use crate::container::pull_failure::{Direction, Failure};
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
pub fn reference(settings: &Settings) -> String {
    match &settings.image.value {
        ImageChoice::BuiltIn(variant) => built_in::recipe(settings, *variant).tag(),
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
    settings: &Settings,
    custom: Option<&LocalImage>,
    host: &Host,
) -> Result<bool, Error> {
    match (&settings.image.value, custom) {
        (ImageChoice::BuiltIn(_), _) => Ok(engine.image_id(&reference(settings)).await?.is_some()),
        (ImageChoice::Custom(_), Some(image)) => {
            Ok(checked::has(&checks(host)?, &checked::key(image, user(engine, host))))
        }
        (ImageChoice::Custom(_), None) => Ok(false),
    }
}

/// Makes sure that a container can be made: a variant's image is pulled or built where it is missing, and one of the user's
/// is looked at where that was not done before.
pub async fn ensure(
    engine: &Engine,
    target: &Target,
    custom: Option<&LocalImage>,
    host: &Host,
) -> Result<(), Error> {
    let settings = &target.settings;
    match (&settings.image.value, custom) {
        (ImageChoice::BuiltIn(variant), _) => {
            let recipe = built_in::recipe(settings, *variant);
            built_in::ensure(engine, recipe, &Sources::of(target), &settings.image.source, host).await
        }
        (ImageChoice::Custom(reference), Some(image)) => check(engine, reference, image, host).await,
        (ImageChoice::Custom(_), None) => Ok(()),
    }
}

/// Pulls an image with the caller's own login for its registry.
pub(super) async fn pull(engine: &Engine, reference: &ImageReference, host: &Host) -> Result<(), Error> {
    transfer(engine, Direction::Pull, reference, host).await
}

/// Pulls or pushes an image with the caller's own login for its registry.
pub(super) async fn transfer(
    engine: &Engine,
    direction: Direction,
    reference: &ImageReference,
    host: &Host,
) -> Result<(), Error> {
    let image = Remote::of(reference);
    let found = registry_auth::find(host, &image).await;
    for problem in &found.problems {
        ui::warn(&ui::one_line(&problem.to_string()));
    }
    let auth = found.credential.as_ref().map(|credential| credential.header(&image.registry));
    tracing::info!(%reference, registry = %image.registry, with_credential = auth.is_some(), %direction, "to be");
    let mut display = BuildProgress::stderr(host.terminal.stderr);
    let mut log = PullLog::default();
    display.show(&match direction {
        Direction::Pull => Progress::Pulling { reference: reference.to_string() },
        Direction::Push => Progress::Pushing { reference: reference.to_string() },
    });
    let report = |event| {
        let state = log.push(event);
        tracing::debug!(done = state.done, layers = state.layers, now = %state.now);
        display.show(&Progress::Layers(state));
    };
    let done = match direction {
        Direction::Pull => engine.pull(&image, auth.as_ref(), report).await,
        Direction::Push => engine.push(&image, auth.as_ref(), report).await,
    };
    match done {
        Ok(()) => {
            display.show(&match direction {
                Direction::Pull => Progress::Pulled,
                Direction::Push => Progress::Pushed,
            });
            Ok(())
        }
        Err(transfer::Error::Engine(error)) => Err(error.into()),
        Err(transfer::Error::Refused(message)) => {
            Err(Box::new(Failure::new(direction, reference, &image, &message, auth.is_some())).into())
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
    let copy_line =
        format!("COPY --from={} /usr/local/bin/claude /usr/local/bin/", Recipe::pinned(Variant::Base).tag());
    let report = image_check::check(engine, reference, image, user, &copy_line).await?;
    for warning in &report.warnings {
        ui::warn(&format!("in the image {reference} {warning}"));
    }
    checked::add(&checks(host)?, &checked::key(image, user))?;
    Ok(())
}

/// Who runs inside.
fn user(engine: &Engine, host: &Host) -> User {
    engine.facts().session_user(User { uid: host.uid, gid: host.gid }).user
}

/// The looks that were had.
fn checks(host: &Host) -> Result<PathBuf, Error> {
    Ok(run_folder(host)?.join("checked-images.json"))
}

/// Where what concerns all accounts is kept. No account can have its name.
pub(super) fn run_folder(host: &Host) -> Result<PathBuf, Error> {
    let home = host.reactor_home()?;
    let folder = home.join(".run");
    private_file::create_dir(&home, &folder)?;
    Ok(folder)
}
