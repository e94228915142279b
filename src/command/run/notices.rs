//! What is worth saying now and then, and not every time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::claude_version::ClaudeVersion;
use crate::command::image::run_folder;
use crate::config::{Settings, Source};
use crate::container::image::{Recipe, pinned_claude_version};
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::private_file;
use crate::ui;
use crate::variant::Variant;

/// How long nothing is said of the same thing.
const PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// Says once a day that the image has an older Claude Code than this program pins. Only to a person at a terminal, and by
/// what is known already.
pub fn of_older_claude(
    found: Option<ClaudeVersion>,
    settings: &Settings,
    claude_args: &[String],
    host: &Host,
) {
    let Some(found) = found.filter(|found| *found < pinned_claude_version()) else { return };
    let is_print = claude_args.iter().any(|arg| arg == "-p" || arg == "--print");
    if is_print || !host.terminal.stderr {
        return;
    }
    // What cannot be noted would be said every time.
    let Ok(folder) = run_folder(host) else { return };
    if is_due(&folder.join("said-older-claude"), SystemTime::now()) {
        ui::note(&older_claude(found, settings));
    }
}

fn older_claude(found: ClaudeVersion, settings: &Settings) -> String {
    let pinned = pinned_claude_version();
    match (&settings.image.value, &settings.claude_version) {
        (ImageChoice::Custom(reference), _) => format!(
            "the image {reference} has Claude Code {found}, and {pinned} is the one of this claude-reactor: pull or build it \
             anew, for example with `COPY --from={}`",
            Recipe::pinned(Variant::Base).tag()
        ),
        (ImageChoice::BuiltIn(_), Some(setting)) if setting.source == Source::Environment => format!(
            "CLAUDE_REACTOR_CLAUDE_VERSION says Claude Code {found}, and {pinned} is the one of this claude-reactor"
        ),
        (ImageChoice::BuiltIn(_), _) => format!(
            "the image has Claude Code {found}, as chosen by `claude_version`, and {pinned} is the one of this claude-reactor: \
             `claude-reactor build --claude-version pinned` takes that"
        ),
    }
}

/// Whether it is to be said again; if so, that is noted.
fn is_due(file: &Path, now: SystemTime) -> bool {
    let said = file.symlink_metadata().and_then(|meta| meta.modified()).ok();
    // A time to come is a clock that was put right.
    let rests = said.is_some_and(|said| now.duration_since(said).is_ok_and(|passed| passed < PAUSE));
    !rests && private_file::write(file, b"").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Setting, resolve};

    #[test]
    fn the_same_is_said_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run/said");
        let now = SystemTime::now();
        assert!(is_due(&file, now));
        assert!(!is_due(&file, now + Duration::from_secs(60)));
        assert!(is_due(&file, now + PAUSE + Duration::from_secs(60)));
        assert!(is_due(&file, now - PAUSE), "a clock that was put right");
    }

    #[test]
    fn the_way_out_is_the_one_of_the_image() {
        let found = "2.1.0".parse().unwrap();
        let mut settings = resolve(&[]);
        settings.claude_version = Some(Setting { value: found, source: Source::UserFile("f".into()) });
        assert!(older_claude(found, &settings).contains("`claude-reactor build --claude-version pinned`"));
        settings.image.value = "ghcr.io/acme/tools:1".parse().unwrap();
        let custom = older_claude(found, &settings);
        assert!(custom.starts_with("the image ghcr.io/acme/tools:1 has Claude Code 2.1.0, and "), "{custom}");
    }
}
