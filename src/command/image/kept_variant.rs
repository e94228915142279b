//! The built-in image where nobody chose one: the one that the project's folder speaks for, but no other than that of the
//! container which is there. A `go.mod` that appears one day must not take what was installed in the container so far from
//! whoever works in it.
//!
//! Which variant a project came to use is noted in the session dir, with the one that its folder spoke for, so that the engine is
//! asked only where the two may differ.

use crate::command::target::Target;
use crate::config::Source;
use crate::container::engine::Engine;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::private_file;
use crate::ui;
use crate::variant::Variant;

/// Settles the variant, where nobody chose one, and says what another choice would take.
pub async fn settle(target: &mut Target, host: &Host) {
    let Some(wanted) = implied(target) else { return };
    // One that was never used has no container.
    if !target.session_dir.path().exists() || noted(target) == Some((wanted, wanted)) {
        return;
    }
    // An engine that does not answer is said where the container is to be had.
    let Ok(Some(used)) = of_container(target, wanted, host).await else { return };
    if noted(target) != Some((used, wanted)) {
        let why = match &target.settings.image.source {
            Source::Detected(name) => format!("{name} speaks for"),
            _ => "new containers would have".to_owned(),
        };
        ui::note(&format!(
            "this project's container has the image `{used}`, and is kept; {why} `{wanted}`: `--image {wanted}` changes to \
             it, `--image {used}` ends this note"
        ));
    }
    target.take_image(ImageChoice::BuiltIn(used), Source::Container);
}

/// Notes the variant of the container that is used, where nobody chose one.
pub fn record(target: &Target) -> Result<(), Error> {
    let Some(used) = implied(target) else { return Ok(()) };
    let wanted = match target.settings.image.source {
        Source::Container => target.spoken_for(),
        _ => used,
    };
    if noted(target) == Some((used, wanted)) {
        return Ok(());
    }
    Ok(private_file::write(&file(target), format!("{used} {wanted}\n").as_bytes())?)
}

/// The variant, where nobody chose the image.
fn implied(target: &Target) -> Option<Variant> {
    let image = &target.settings.image;
    match (&image.value, &image.source) {
        (ImageChoice::BuiltIn(variant), Source::Default | Source::Detected(_) | Source::Container) => {
            Some(*variant)
        }
        _ => None,
    }
}

/// The variant of the newest container of this project, account and provider, where none has the wanted one.
async fn of_container(target: &Target, wanted: Variant, host: &Host) -> Result<Option<Variant>, Error> {
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    let mut newest = None;
    for variant in Variant::ALL {
        let identity = target.identity.with_image(ImageChoice::BuiltIn(variant));
        let ours = engine.find(&identity).await?.into_iter().filter(|found| found.belongs_to(&identity.home));
        let Some(created) = ours.map(|found| found.created).max() else { continue };
        if variant == wanted {
            return Ok(None);
        }
        newest = newest.max(Some((created, variant)));
    }
    Ok(newest.map(|(_, variant)| variant))
}

/// The variant that was used last, and the one that was wanted then.
fn noted(target: &Target) -> Option<(Variant, Variant)> {
    let text = private_file::read(&file(target)).ok()??;
    let (used, wanted) = text.trim_end().split_once(' ')?;
    Some((used.parse().ok()?, wanted.parse().ok()?))
}

fn file(target: &Target) -> std::path::PathBuf {
    target.session_dir.path().join(format!("variant-{}", target.settings.provider.value))
}
