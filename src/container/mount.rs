//! Host folders inside the container: the notation of `--mount`, and what may not be mounted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::spec::{CA_FILE, CLAUDE_CONFIG_DIR, WORKDIR};
use crate::host::Host;
use crate::project::holds;

/// The places the container has mounts of its own at. Claude Code's folder holds the history's.
const OURS: [&str; 3] = [WORKDIR, CLAUDE_CONFIG_DIR, CA_FILE];

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

/// Why a `--mount` cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not of the form `SRC[:DST][:ro]`.
    #[error("--mount {0}: expected SRC[:DST][:ro]")]
    Form(String),
    /// The source is neither absolute nor under the home folder.
    #[error("--mount {0}: the source must be an absolute path, or begin with ~/ or ./")]
    RelativeSource(String),
    /// The source does not exist.
    #[error("--mount {given}: {} does not exist", .path.display())]
    Missing {
        /// What was given.
        given: String,
        /// The path it stands for.
        path: PathBuf,
    },
    /// The place inside is not an absolute path, or a relative step hides in it.
    #[error("--mount {0}: the place inside the container must be an absolute path without `..`")]
    Target(String),
    /// Two mounts at one place.
    #[error("--mount {given}: {target} inside the container is taken already")]
    Taken {
        /// What was given.
        given: String,
        /// The contested place.
        target: String,
    },
    /// The source holds claude-reactor's home.
    #[error("--mount {given}: {} is where claude-reactor keeps your keys", .home.display())]
    HoldsKeys {
        /// What was given.
        given: String,
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
                Self::Taken { .. } => "give another place: `--mount SRC:/mnt/other`",
                Self::HoldsKeys { .. } => "mount a folder that has nothing to do with it",
            }
            .to_owned(),
        )
    }
}

/// Reads the values of `--mount`, in order. A source without a place inside stands at `/mnt/<its name>`.
pub fn parse_all(given: &[String], host: &Host, reactor_home: &Path) -> Result<Vec<Mount>, Error> {
    let mut taken = BTreeSet::new();
    given
        .iter()
        .map(|given| {
            let mount = parse(given, host, reactor_home)?;
            if is_ours(Path::new(&mount.target)) || !taken.insert(mount.target.clone()) {
                return Err(Error::Taken { given: given.clone(), target: mount.target });
            }
            Ok(mount)
        })
        .collect()
}

/// Whether a mount would cover a place of ours, or change what is in it. The project's folder is the user's own matter.
fn is_ours(target: &Path) -> bool {
    OURS.into_iter()
        .any(|ours| Path::new(ours).starts_with(target) || (ours != WORKDIR && target.starts_with(ours)))
}

fn parse(given: &str, host: &Host, reactor_home: &Path) -> Result<Mount, Error> {
    let (rest, read_only) = match given.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (given.strip_suffix(":rw").unwrap_or(given), false),
    };
    let (source, target) = match rest.split_once(':') {
        Some((source, target)) => (source, Some(target)),
        None => (rest, None),
    };
    if source.is_empty() || target.is_some_and(|target| target.contains(':')) {
        return Err(Error::Form(given.to_owned()));
    }
    if !["/", "~/", "./", "../"].iter().any(|start| source.starts_with(start))
        && !matches!(source, "~" | "." | "..")
    {
        return Err(Error::RelativeSource(given.to_owned()));
    }
    let path = host.absolute(source);
    // Resolved, because an engine would otherwise mount what a link points to later.
    let path = path.canonicalize().map_err(|_| Error::Missing { given: given.to_owned(), path })?;
    if holds(&path, reactor_home) || holds(reactor_home, &path) {
        return Err(Error::HoldsKeys { given: given.to_owned(), home: reactor_home.to_owned() });
    }
    let target = match target {
        Some(target) => normalised(target).ok_or_else(|| Error::Target(given.to_owned()))?,
        None => match path.file_name().and_then(|name| name.to_str()) {
            Some(name) => format!("/mnt/{name}"),
            None => return Err(Error::Form(given.to_owned())),
        },
    };
    let source = path.to_str().ok_or_else(|| Error::Form(given.to_owned()))?;
    Ok(Mount { source: source.to_owned(), target, read_only })
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
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["data", "other/data", "home/.claude-reactor"] {
            std::fs::create_dir_all(folder.path().join(inner)).unwrap();
        }
        let host = Host::new(folder.path().join("home"), folder.path(), []);
        Place { folder, host }
    }

    impl Place {
        fn parse(&self, given: &[&str]) -> Result<Vec<Mount>, Error> {
            let given: Vec<String> =
                given.iter().map(|text| text.replace("TMP", self.folder.path().to_str().unwrap())).collect();
            parse_all(&given, &self.host, &self.host.reactor_home().unwrap())
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
        ] {
            let error = place.parse(&[&format!("TMP/data:{target}")]).unwrap_err();
            assert!(matches!(error, Error::Taken { .. }), "{target}: {error}");
        }
        for target in ["/app/sub", "/home/claude/.config", "/home/claude/.claude-x", "/etc/claude"] {
            assert_eq!(place.parse(&[&format!("TMP/data:{target}")]).unwrap()[0].target, target);
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
}
