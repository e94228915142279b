//! What of ours an engine has: the containers of a home with whom they belong to, who is in them, and the built-in images.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::found::Found;
use super::image::LABEL_VARIANT;
use super::name::{Home, LABEL_PREFIX};
use crate::name::{AccountName, ProviderId};
use crate::project::Project;

/// A container of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// What the engine says of it.
    pub found: Found,
    /// The project it belongs to.
    pub project: Project,
    /// The account it belongs to.
    pub account: AccountName,
    /// The LLM backend it is for.
    pub provider: ProviderId,
    /// The image it was made for: a variant's name, or the reference of one of the user's.
    pub image: String,
}

impl Ours {
    /// A container as one of ours; nothing where it does not belong to the home, or says what we would not have said.
    pub fn of(found: Found, labels: &BTreeMap<String, String>, home: &Home) -> Option<Self> {
        let label = |key: &str| labels.get(&format!("{LABEL_PREFIX}{key}")).map(String::as_str);
        let root = Path::new(label("project")?);
        if !root.is_absolute() || !found.belongs_to(home) {
            return None;
        }
        Some(Self {
            project: Project::at(root).ok()?,
            account: label("account")?.parse().ok()?,
            provider: label("provider")?.parse().ok()?,
            image: label("variant")?.to_owned(),
            found,
        })
    }
}

/// The label that every container of ours has.
pub fn project_label() -> String {
    format!("{LABEL_PREFIX}project")
}

/// What goes on in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// When it was last started.
    pub started: Option<SystemTime>,
    /// The program of each command that runs beside the main process: sessions, ours or another tool's.
    pub sessions: Vec<String>,
}

/// The program that a command runs, without what we put around it. Its arguments are nobody else's business: a prompt
/// may be among them.
pub fn program(command: &[&str]) -> String {
    let own = match command {
        // `run`: a shell that brings Claude Code back after Ctrl-Z.
        ["sh", "-c", _, "sh", own @ ..] if !own.is_empty() => own,
        all => all,
    };
    let own = match own {
        ["env", rest @ ..] => {
            let mut rest = rest;
            while let ["-u", _, after @ ..] = rest {
                rest = after;
            }
            if rest.is_empty() { own } else { rest }
        }
        all => all,
    };
    own.first().copied().unwrap_or("?").to_owned()
}

/// A built-in image that the engine has, of whatever version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurImage {
    /// The engine's id.
    pub id: String,
    /// The names that we gave it.
    pub names: Vec<String>,
    /// The names that somebody else gave it.
    pub other_names: Vec<String>,
    /// What it takes, in bytes. Layers that it shares with other images count in each.
    pub size: u64,
}

impl OurImage {
    /// An image of the engine's list; nothing where it is not one that we built. An image that somebody made of ours
    /// has our label as well, but a name of its own.
    pub fn of(id: &str, names: &[&str], labels: &BTreeMap<String, String>, size: u64) -> Option<Self> {
        let variant = labels.get(LABEL_VARIANT)?;
        // What a build leaves that takes the name away from an older image.
        let tags = names.iter().filter(|name| !name.starts_with("<none>")).map(|name| (*name).to_owned());
        let (names, other_names): (Vec<_>, Vec<_>) = tags.partition(|name| is_own_name(name, variant));
        (other_names.is_empty() || !names.is_empty()).then(|| Self {
            id: id.to_owned(),
            names,
            other_names,
            size,
        })
    }

    /// What to call it.
    pub fn shown(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| {
            let id = self.id.strip_prefix("sha256:").unwrap_or(&self.id);
            format!("{} (without a name)", &id[..id.len().min(12)])
        })
    }
}

/// Whether it is a name that `Variant::tag` gives, with `localhost/` before it on Podman.
fn is_own_name(name: &str, variant: &str) -> bool {
    let name = name.strip_prefix("localhost/").unwrap_or(name);
    let tag =
        name.strip_prefix("claude-reactor/").and_then(|name| name.strip_prefix(variant)?.strip_prefix(':'));
    tag.is_some_and(|tag| tag.len() == 12 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::super::found::State;
    use super::super::found::tests::{HOME, found};
    use super::super::image::Recipe;
    use super::super::name::tests::identity;
    use super::super::spec::tests::spec;
    use super::*;
    use crate::variant::Variant;

    #[test]
    fn a_container_says_whose_it_is() {
        let identity = identity("bob-zai", "claude", HOME);
        let spec = spec(1000);
        let labels = spec.labels(&identity);
        let ours = Ours::of(found(&spec, State::Paused), &labels, &identity.home).unwrap();
        assert_eq!((ours.account.as_str(), ours.provider.as_str()), ("bob-zai", "claude"));
        assert_eq!((ours.project.root(), ours.image.as_str()), ("/test/project", "base"));

        let theirs =
            super::super::name::tests::identity("bob-zai", "claude", "/home/carol/.claude-reactor").home;
        assert_eq!(Ours::of(found(&spec, State::Paused), &labels, &theirs), None);
        for (label, value) in [("project", "no/path"), ("account", "../x"), ("provider", "")] {
            let mut wrong = labels.clone();
            wrong.insert(format!("{LABEL_PREFIX}{label}"), value.to_owned());
            assert_eq!(Ours::of(found(&spec, State::Paused), &wrong, &identity.home), None, "{label}");
        }
    }

    #[test]
    fn a_session_is_named_by_its_program() {
        for (command, name) in [
            (&["claude", "-p", "a secret"][..], "claude"),
            (&["sh", "-c", "…", "sh", "env", "-u", "ZAI_API_KEY", "claude"], "claude"),
            (&["bash", "-l"], "bash"),
            (&["sh", "-c", "make"], "sh"),
            (&["env"], "env"),
            (&[], "?"),
        ] {
            assert_eq!(program(command), name);
        }
    }

    #[test]
    fn an_image_is_ours_by_its_label_and_its_name() {
        let labels: BTreeMap<_, _> = Recipe::pinned(Variant::Base).labels();
        let tag = Recipe::pinned(Variant::Base).tag();
        let of = |names: &[&str]| OurImage::of("sha256:c0ffee", names, &labels, 7);
        assert_eq!(of(&[&tag]).unwrap().names, [tag.as_str()]);
        let podmans = format!("localhost/{tag}");
        assert_eq!(of(&[&podmans, "mine:1"]).unwrap().other_names, ["mine:1"]);
        assert_eq!(of(&["<none>:<none>"]).unwrap().shown(), "c0ffee (without a name)");
        for theirs in ["mine:1", "claude-reactor/base:latest", "claude-reactor/go:0123456789ab"] {
            assert_eq!(of(&[theirs]), None, "an image that somebody made of ours");
        }
        assert_eq!(OurImage::of("sha256:c0ffee", &[&tag], &BTreeMap::new(), 7), None);
    }
}
