//! A container that the engine has under our labels, and whether it is ours at all.
//!
//! Labels alone do not prove it: `docker commit` keeps them, so a container that somebody started from such a picture
//! of ours carries every one of them. What it does not have is our mounts, and our image.

use super::name::Home;
use super::spec::ContainerSpec;

/// A container with the labels of an identity, as the engine reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The engine's id.
    pub id: String,
    /// Its name, without the engines' leading slash.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// The image it was made from: the reference, or an id where the reference means another image by now.
    pub image: String,
    /// Where host folders stand inside.
    pub mounted: Vec<String>,
    /// The digest of the home it belongs to, by its label; older versions gave none.
    pub home: Option<String>,
    /// The digest of the spec it was made from, by its label.
    pub spec_digest: String,
    /// The spec it was made from, by its label.
    pub spec: String,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The engine does not know, or says something that is not known here.
    Unknown,
    /// The engine tried to remove it and could not.
    Dead,
    /// The engine is removing it.
    Removing,
    /// Its main process ends as soon as the engine starts it, again and again.
    Restarting,
    /// It was made, and never started: what a launch that was ended half-way leaves.
    NeverStarted,
    /// It ran and can run again.
    Stopped,
    /// Its processes are frozen.
    Paused,
    /// Its main process runs.
    Running,
}

impl State {
    /// The state in a word, for people and for `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Dead => "dead",
            Self::Removing => "removing",
            Self::Restarting => "restarting",
            Self::NeverStarted => "created",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Running => "running",
        }
    }

    /// Whether there are processes in it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

impl Found {
    /// Whether it is ours: made by us, and for this home.
    pub fn belongs_to(&self, home: &Home) -> bool {
        let Ok(made_from) = serde_json::from_str::<serde_json::Value>(&self.spec) else {
            // A label that cannot be read is no reason to make a second container beside this one.
            return self.home.as_ref() == Some(&home.digest());
        };
        let ours = match &self.home {
            Some(label) => *label == home.digest(),
            None => texts(&made_from, "source").any(|source| is_below(source, &home.path)),
        };
        ours && texts(&made_from, "target").all(|target| self.mounted.iter().any(|there| there == target))
            && made_from["image"].as_str().is_none_or(|image| self.is_of_image(image))
    }

    /// The folders of this machine that it has inside, by its label.
    pub fn sources(&self) -> Vec<String> {
        let made_from = serde_json::from_str::<serde_json::Value>(&self.spec).unwrap_or_default();
        texts(&made_from, "source").map(str::to_owned).collect()
    }

    /// Whether it was made from this image. Engines put a registry's name before a reference, and show an id where the
    /// reference has moved to another image.
    fn is_of_image(&self, reference: &str) -> bool {
        let id = self.image.strip_prefix("sha256:").unwrap_or(&self.image);
        let is_id = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id || self.image == reference || self.image.ends_with(&format!("/{reference}"))
    }

    /// How well it serves: one that is as wanted before one that is not, one that runs before one that does not, the
    /// younger one before the older.
    pub(super) fn rank(&self, wanted: &ContainerSpec) -> impl Ord + use<> {
        (self.home.is_some() && self.spec_digest == wanted.digest(), self.state, self.created)
    }
}

/// A part of each mount of a spec.
fn texts<'a>(made_from: &'a serde_json::Value, key: &'static str) -> impl Iterator<Item = &'a str> {
    made_from["mounts"].as_array().into_iter().flatten().filter_map(move |mount| mount[key].as_str())
}

fn is_below(path: &str, folder: &str) -> bool {
    std::path::Path::new(path).starts_with(folder)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::name::tests::identity;
    use super::super::spec::tests::spec;
    use super::*;

    pub(in crate::container) const HOME: &str = "/home/alice/.claude-reactor";

    pub(in crate::container) fn found(spec: &ContainerSpec, state: State) -> Found {
        Found {
            id: "c0ffee".to_owned(),
            name: "claude-reactor-base-amd64-76a2e845-alice".to_owned(),
            state,
            created: 1,
            image: spec.image.clone(),
            mounted: spec.mounts.iter().map(|mount| mount.target.clone()).collect(),
            home: Some(identity("alice", "zai", HOME).home.digest()),
            spec_digest: spec.digest(),
            spec: spec.to_json(),
        }
    }

    #[test]
    fn what_carries_our_labels_is_ours_only_with_our_mounts_and_image() {
        let home = identity("alice", "zai", HOME).home;
        let ours = found(&spec(1000), State::Running);
        assert!(ours.belongs_to(&home));
        for image in [format!("localhost/{}", ours.image), "sha256:33b06f2bc1b886c3".to_owned()] {
            assert!(Found { image, ..ours.clone() }.belongs_to(&home));
        }
        assert!(!Found { mounted: Vec::new(), ..ours.clone() }.belongs_to(&home));
        assert!(!Found { image: "picture:latest".to_owned(), ..ours.clone() }.belongs_to(&home));
        let mut more = ours.clone();
        more.mounted.push("/mnt/more".to_owned());
        assert!(more.belongs_to(&home), "a mount more is for the comparison");
    }

    #[test]
    fn a_container_of_another_home_is_not_ours_and_one_of_an_older_version_where_its_mounts_lie_in_it() {
        let (mine, theirs) =
            (identity("alice", "zai", HOME).home, identity("alice", "zai", "/home/alice/.claude").home);
        let now = found(&spec(1000), State::Running);
        let before = Found { home: None, ..now.clone() };
        for container in [now, before] {
            assert!(container.belongs_to(&mine));
            assert!(!container.belongs_to(&theirs));
        }
    }
}
