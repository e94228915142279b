//! Host folders inside the container: the notation of `--mount`, and what may not be mounted.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::managed_settings;
use super::spec::{CLAUDE_CONFIG_DIR, WORKDIR};
use crate::config::{MountText, Setting, Source};
use crate::host::Host;
use crate::project::holds;
use crate::provider::login;

/// The places the container has mounts of its own at, or in. Claude Code's folder holds the history's.
const OURS: [&str; 6] = [
    WORKDIR,
    CLAUDE_CONFIG_DIR,
    login::INSIDE,
    "/etc/claude-reactor",
    managed_settings::INSIDE,
    "/run/claude-reactor",
];

/// A host path that the container sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path on the host.
    pub source: String,
    /// Absolute path inside.
    pub target: String,
    /// Whether the container may only read.
    pub read_only: bool,
}

impl Mount {
    /// A writable mount.
    pub fn writable(source: impl Into<String>, target: impl Into<String>) -> Self {
        Self { source: source.into(), target: target.into(), read_only: false }
    }

    /// A read-only mount.
    pub fn read_only(source: impl Into<String>, target: impl Into<String>) -> Self {
        Self { source: source.into(), target: target.into(), read_only: true }
    }
}

/// A mount of a layer. A link on the way to its source is followed once, here: what is judged is what is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The mount.
    pub mount: Mount,
    /// The layer.
    pub source: Source,
    /// Whether it counts: no higher layer's stands at its place.
    pub counts: bool,
}

/// Why a mount cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not of the form `SRC[:DST][:ro]`.
    #[error("{0}: expected SRC[:DST][:ro]")]
    Form(MountText),
    /// The source is neither absolute nor under the home folder.
    #[error("{0}: the source must be an absolute path, or begin with ~/ or ./")]
    RelativeSource(MountText),
    /// The source does not exist.
    #[error("{given}: {} does not exist", .path.display())]
    Missing {
        /// What was given.
        given: MountText,
        /// The path it stands for.
        path: PathBuf,
    },
    /// The place inside is not an absolute path, or a relative step hides in it.
    #[error("{0}: the place inside the container must be an absolute path without `..`")]
    Target(MountText),
    /// Two mounts at one place.
    #[error("{given}: {target} inside the container is taken already")]
    Taken {
        /// What was given.
        given: MountText,
        /// The contested place.
        target: String,
    },
    /// The source is in the project, and a link on the way to it leads out of the project.
    #[error("{given}: a link leads from there out of the project, to {}", .path.display())]
    LeadsOut {
        /// What was given.
        given: MountText,
        /// Where it leads.
        path: PathBuf,
    },
    /// The source holds claude-reactor's home.
    #[error("{given}: {} is where claude-reactor keeps your keys", .home.display())]
    HoldsKeys {
        /// What was given.
        given: MountText,
        /// claude-reactor's home.
        home: PathBuf,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Form(_) | Self::Target(_) => "for example `--mount ~/data:/mnt/data:ro`",
                Self::RelativeSource(_) => "for example `--mount ~/data` or `--mount ./data`",
                Self::Missing { .. } => "create it first, or correct the path",
                Self::LeadsOut { .. } => {
                    "a session could have laid that link: name the folder it leads to instead"
                }
                Self::Taken { .. } => "give another place: `--mount SRC:/mnt/other`",
                Self::HoldsKeys { .. } => "mount a folder that has nothing to do with it",
            }
            .to_owned(),
        )
    }
}

/// Reads the mounts of all layers, given from the lowest to the highest. A source without a place inside stands at
/// `/mnt/<its name>`. Within a layer a place is taken once; a higher layer's mount takes the place of a lower one's. Those
/// that the project and the caller bring along (`carried`) are not covered. All are given back, in the order in which those
/// that count are mounted.
pub fn parse_all(
    given: &[Setting<MountText>],
    carried: &[Mount],
    host: &Host,
    reactor_home: &Path,
) -> Result<Vec<Resolved>, Error> {
    let mut mounts: Vec<Resolved> = Vec::new();
    for Setting { value: given, source } in given {
        let mount = parse(given, host, reactor_home)?;
        // Whoever types a flag sees the folder as it is now; a file was written when it was another, perhaps.
        if *source != Source::Flag {
            refuse_leading_out(given, &mount, host)?;
        }
        let there = mounts.iter_mut().find(|other| other.counts && other.mount.target == mount.target);
        let same_layer = there.as_ref().is_some_and(|other| other.source == *source);
        let covers = carried.iter().any(|carried| Path::new(&carried.target).starts_with(&mount.target));
        if is_ours(Path::new(&mount.target)) || covers || same_layer {
            return Err(Error::Taken { given: given.clone(), target: mount.target });
        }
        if let Some(covered) = there {
            covered.counts = false;
        }
        mounts.push(Resolved { mount, source: source.clone(), counts: true });
    }
    Ok(mounts)
}

/// Refuses a source in the folder it is relative to that a link leads out of that folder: it is the project's, and what a
/// session can write must not decide what it sees of the host.
fn refuse_leading_out(given: &MountText, mount: &Mount, host: &Host) -> Result<(), Error> {
    let (source, _, _) = split(&given.given);
    let inside = without_steps_up(&absolute(source, &given.base, host)).starts_with(&given.base);
    let stays = given.base.canonicalize().is_ok_and(|base| Path::new(&mount.source).starts_with(base));
    if inside && !stays {
        return Err(Error::LeadsOut { given: given.clone(), path: PathBuf::from(&mount.source) });
    }
    Ok(())
}

/// Whether a mount would cover a place of ours, or change what is in it. The project's folder is the user's own matter.
fn is_ours(target: &Path) -> bool {
    OURS.into_iter()
        .any(|ours| Path::new(ours).starts_with(target) || (ours != WORKDIR && target.starts_with(ours)))
}

/// Reads one mount. Whether its place inside is free is not looked at.
fn parse(given: &MountText, host: &Host, reactor_home: &Path) -> Result<Mount, Error> {
    let (source, target, read_only) = split(&given.given);
    if source.is_empty() || target.is_some_and(|target| target.contains(':')) {
        return Err(Error::Form(given.clone()));
    }
    if !["/", "~/", "./", "../"].iter().any(|start| source.starts_with(start))
        && !matches!(source, "~" | "." | "..")
    {
        return Err(Error::RelativeSource(given.clone()));
    }
    let path = absolute(source, &given.base, host);
    // A session writes in folders of ours: no link that it laid there decides what is mounted.
    let leads_through = without_steps_up(&path).ancestors().any(|part| holds(reactor_home, part));
    // Resolved, because an engine would otherwise mount what a link points to later.
    let path = path.canonicalize().map_err(|_| Error::Missing { given: given.clone(), path })?;
    if leads_through || holds(&path, reactor_home) || holds(reactor_home, &path) {
        return Err(Error::HoldsKeys { given: given.clone(), home: reactor_home.to_owned() });
    }
    let target = match target {
        Some(target) => normalised(target).ok_or_else(|| Error::Target(given.clone()))?,
        None => match path.file_name().and_then(|name| name.to_str()) {
            Some(name) => format!("/mnt/{name}"),
            None => return Err(Error::Form(given.clone())),
        },
    };
    let source = path.to_str().ok_or_else(|| Error::Form(given.clone()))?;
    Ok(Mount { source: source.to_owned(), target, read_only })
}

/// An absolute path with each `..` taken as the step up that it looks like.
fn without_steps_up(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
        path
    })
}

/// Source, place inside if given, and whether the container may only read.
fn split(text: &str) -> (&str, Option<&str>, bool) {
    let (rest, read_only) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (text.strip_suffix(":rw").unwrap_or(text), false),
    };
    match rest.split_once(':') {
        Some((source, target)) => (source, Some(target), read_only),
        None => (rest, None, read_only),
    }
}

/// The absolute path of a source: `~` is the caller's home, and the rest is below `base`.
fn absolute(source: &str, base: &Path, host: &Host) -> PathBuf {
    if source == "~" || source.starts_with("~/") { host.absolute(source) } else { base.join(source) }
}

/// The one spelling of an absolute path inside, or nothing where it is not one (or is the root itself).
fn normalised(target: &str) -> Option<String> {
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (target.starts_with('/') && !parts.is_empty() && !parts.contains(&".."))
        .then(|| format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        host: Host,
        carried: Vec<Mount>,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["data", "other/data", "home/.claude-reactor"] {
            std::fs::create_dir_all(folder.path().join(inner)).unwrap();
        }
        let host = Host::new(folder.path().join("home"), folder.path(), []);
        Place { folder, host, carried: Vec::new() }
    }

    impl Place {
        fn parse(&self, given: &[&str]) -> Result<Vec<Mount>, Error> {
            self.parse_layers(&given.iter().map(|text| (*text, Source::Flag)).collect::<Vec<_>>())
        }

        fn parse_layers(&self, given: &[(&str, Source)]) -> Result<Vec<Mount>, Error> {
            let setting = |(text, source): &(&str, Source)| Setting {
                value: MountText {
                    given: text.replace("TMP", self.folder.path().to_str().unwrap()),
                    base: self.folder.path().to_owned(),
                    place: "--mount".to_owned(),
                },
                source: source.clone(),
            };
            let given: Vec<_> = given.iter().map(setting).collect();
            let home = self.host.reactor_home().unwrap();
            let all = parse_all(&given, &self.carried, &self.host, &home)?;
            Ok(all.into_iter().filter(|mount| mount.counts).map(|mount| mount.mount).collect())
        }
    }

    #[test]
    fn forms() {
        let place = place();
        let real = place.folder.path().canonicalize().unwrap();
        let data = real.join("data").to_str().unwrap().to_owned();
        let one = |given: &str| place.parse(&[given]).unwrap().remove(0);
        assert_eq!(one("TMP/data"), Mount::writable(&data, "/mnt/data"));
        assert_eq!(one("TMP/data:ro"), Mount::read_only(&data, "/mnt/data"));
        assert_eq!(one("TMP/data:/srv//x/"), Mount::writable(&data, "/srv/x"));
        assert_eq!(one("./data:/srv:ro"), Mount::read_only(&data, "/srv"));
    }

    #[test]
    fn refusals() {
        let place = place();
        let error = |given: &[&str]| place.parse(given).unwrap_err();
        assert!(matches!(error(&["data"]), Error::RelativeSource(_)));
        assert!(matches!(error(&["TMP/none"]), Error::Missing { .. }));
        assert!(matches!(error(&["TMP/data:srv"]), Error::Target(_)));
        assert!(matches!(error(&["TMP/data:/a/../b"]), Error::Target(_)));
        assert!(matches!(error(&["TMP/data:/a:/b"]), Error::Form(_)));
        assert!(matches!(error(&["TMP/data", "TMP/other/data"]), Error::Taken { .. }));
    }

    #[test]
    fn layers_add_up_and_the_higher_one_has_a_place_that_both_want() {
        let place = place();
        let session = Source::SessionFile("s".into());
        let mounts = place
            .parse_layers(&[
                ("TMP/data", session.clone()),
                ("TMP/data:/srv", session),
                ("TMP/other/data", Source::Flag),
            ])
            .unwrap();
        let real = place.folder.path().canonicalize().unwrap();
        let (data, other) = (real.join("data"), real.join("other/data"));
        assert_eq!(
            mounts,
            [
                Mount::writable(data.to_str().unwrap(), "/srv"),
                Mount::writable(other.to_str().unwrap(), "/mnt/data")
            ]
        );
    }

    #[test]
    fn what_is_covered_is_given_back_too_and_counts_no_more() {
        let place = place();
        let of = |source: Source| Setting {
            value: MountText {
                given: "./data:/srv".to_owned(),
                base: place.folder.path().to_owned(),
                place: String::new(),
            },
            source,
        };
        let (file, flag) = (Source::ProjectFile("p".into()), Source::Flag);
        let home = place.host.reactor_home().unwrap();
        let given = [of(file.clone()), of(flag.clone())];
        let all = parse_all(&given, &[], &place.host, &home).unwrap();
        assert_eq!(all[0].mount, all[1].mount);
        let all: Vec<_> = all.into_iter().map(|mount| (mount.source, mount.counts)).collect();
        assert_eq!(all, [(file, false), (flag, true)]);
    }

    #[test]
    fn places_of_our_own_are_not_covered_or_changed() {
        let place = place();
        for target in [
            "/app",
            "/home",
            "/home/claude",
            "/home/claude/.claude",
            "/home/claude/.claude/projects",
            "/home/claude/.claude/x",
            "/etc",
            "/etc/claude-reactor/ca.pem",
            "/etc/claude-reactor/files/x",
        ] {
            let error = place.parse(&[&format!("TMP/data:{target}")]).unwrap_err();
            assert!(matches!(error, Error::Taken { .. }), "{target}: {error}");
        }
        for target in ["/app/sub", "/home/claude/.config", "/home/claude/.claude-x", "/etc/claude"] {
            assert_eq!(place.parse(&[&format!("TMP/data:{target}")]).unwrap()[0].target, target);
        }
    }

    #[test]
    fn what_a_worktree_needs_is_not_covered_and_may_hold_more() {
        let carried = vec![Mount::writable("/home/a/main/.git", "/home/a/main/.git")];
        let place = Place { carried, ..place() };
        let given = |target: &str| place.parse(&[&format!("TMP/data:{target}")]);
        for target in ["/home/a/main/.git", "/home/a/main", "/home/a"] {
            assert!(matches!(given(target), Err(Error::Taken { .. })), "{target}");
        }
        for target in ["/home/a/main/.git/hooks", "/home/a/other", "/mnt/data"] {
            assert!(given(target).is_ok(), "{target}");
        }
    }

    #[test]
    fn the_keys_are_never_mounted() {
        let place = place();
        for given in ["~", "~/.claude-reactor", "TMP", "/"] {
            let error = place.parse(&[&format!("{given}:/mnt/x")]).unwrap_err();
            assert!(matches!(error, Error::HoldsKeys { .. }), "{given}: {error}");
        }
    }

    #[test]
    fn a_link_out_of_our_own_folder_is_not_followed() {
        let place = place();
        let home = place.folder.path().join("home");
        std::os::unix::fs::symlink(place.folder.path().join("data"), home.join(".claude-reactor/out"))
            .unwrap();
        std::os::unix::fs::symlink(home.join(".claude-reactor"), place.folder.path().join("ours")).unwrap();
        for given in ["~/.claude-reactor/out", "TMP/ours/out", "TMP/data/../home/.claude-reactor/out"] {
            let error = place.parse(&[&format!("{given}:/mnt/x")]).unwrap_err();
            assert!(matches!(error, Error::HoldsKeys { .. }), "{given}: {error}");
        }
        assert!(place.parse(&["~/.claude-reactor/../../data"]).is_ok());
    }
}
