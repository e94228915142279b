//! The image: whether it is there, and whether its Claude Code runs.

use super::check::{Check, Subject};
use crate::container::engine::about::ImageDetails;
use crate::container::image_check::{OLDEST, parse_version};
use crate::container::look_inside::{Looked, Ran};
use crate::ui::{human, one_line};

pub(super) const IMAGE: Subject = Subject::new("image", "image");
pub(super) const CLAUDE: Subject = Subject::new("claude-code", "Claude Code");

/// The image of this project.
#[derive(Debug, Clone)]
pub(super) struct Image {
    /// Its reference.
    pub(super) reference: String,
    /// Whether it is one of ours.
    pub(super) is_built_in: bool,
    /// What the engine knows of it; nothing where it does not have it.
    pub(super) details: Option<ImageDetails>,
}

/// Whether it is there.
pub(super) fn image(image: &Image) -> Check {
    let reference = &image.reference;
    match (&image.details, image.is_built_in) {
        (Some(details), _) => IMAGE.pass(format!("{reference}, {}", human::size(details.size))),
        (None, true) => {
            IMAGE.warn(format!("{reference} is not there; the next run builds it"), "claude-reactor build")
        }
        (None, false) => IMAGE
            .warn(format!("{reference} is not there; the next run pulls it"), "claude-reactor exec -- true"),
    }
}

/// Whether its Claude Code runs, and is the one that this version of the program goes with.
pub(super) fn claude(image: &Image, looked: Option<&Looked>, pinned: &str) -> Check {
    let rebuild = if image.is_built_in {
        "claude-reactor build --no-cache".to_owned()
    } else {
        "put the Claude Code CLI into that image (docs/images.md)".to_owned()
    };
    let ran = match looked {
        None => return CLAUDE.skipped("the image is not there, or waits for your consent"),
        Some(Looked::NotStarted(message)) => {
            let found = format!("the engine does not start a container of the image: {}", one_line(message));
            return CLAUDE
                .fail(found, "see the engine's log: journalctl -u docker, or journalctl --user -u podman");
        }
        Some(Looked::TooLong) => {
            return CLAUDE.fail("a container of the image does not answer", rebuild);
        }
        Some(Looked::Seen(seen)) => seen.claude.as_ref(),
    };
    let Some(Ran { code, said }) = ran else {
        return CLAUDE.fail("there is no program claude in it", rebuild);
    };
    let said = one_line(said);
    match parse_version(&said).filter(|_| *code == 0) {
        None => CLAUDE.fail(format!("claude --version ends with exit code {code} ({said})"), rebuild),
        Some(version) if version < OLDEST => CLAUDE.fail(
            format!("{version}, and before {OLDEST} it may not keep to the provider that was chosen"),
            rebuild,
        ),
        Some(version) if Some(version) < parse_version(&format!("{pinned} (Claude Code)")) => {
            CLAUDE.warn(format!("{version}, and this claude-reactor goes with {pinned}"), rebuild)
        }
        Some(version) => CLAUDE.pass(format!("{version}; this claude-reactor goes with {pinned}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Skipped, Warn};
    use super::*;
    use crate::container::look_inside::Seen;

    fn of(is_built_in: bool) -> Image {
        Image { reference: "claude-reactor/base:0".to_owned(), is_built_in, details: None }
    }

    #[test]
    fn an_image_that_is_not_there_is_made_by_the_next_run() {
        let details = ImageDetails {
            id: "i".to_owned(),
            size: 5,
            created: None,
            labels: std::collections::BTreeMap::new(),
        };
        assert_eq!(image(&Image { details: Some(details), ..of(true) }).outcome, Pass);
        assert!(
            image(&of(true)).found.ends_with("builds it") && image(&of(false)).found.ends_with("pulls it")
        );
        assert_eq!(image(&of(true)).outcome, Warn);
    }

    #[test]
    fn claude_code_runs_and_is_new_enough() {
        let seen = |code, said: &str| {
            let claude = Some(Ran { code, said: said.to_owned() });
            Looked::Seen(Seen { claude, ..Seen::default() })
        };
        let outcome = |looked: Option<Looked>| claude(&of(true), looked.as_ref(), "2.1.329").outcome;
        assert_eq!(outcome(Some(seen(0, "2.1.329 (Claude Code)"))), Pass);
        assert_eq!(outcome(Some(seen(0, "2.1.400 (Claude Code)"))), Pass);
        assert_eq!(outcome(Some(seen(0, "2.1.200 (Claude Code)"))), Warn);
        assert_eq!(outcome(Some(seen(0, "2.0.1 (Claude Code)"))), Fail);
        assert_eq!(outcome(Some(seen(0, "something else"))), Fail);
        assert_eq!(outcome(Some(seen(127, "no loader"))), Fail);
        assert_eq!(outcome(Some(Looked::Seen(Seen::default()))), Fail);
        assert_eq!(outcome(Some(Looked::TooLong)), Fail);
        assert_eq!(outcome(Some(Looked::NotStarted("no".to_owned()))), Fail);
        assert_eq!(outcome(None), Skipped);
    }
}
