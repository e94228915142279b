//! A project that is one of several git worktrees, or a submodule: the mounts that git inside needs beside the project.
//!
//! Such a project's `.git` is a file that names a folder elsewhere, and that folder's files name the worktrees by their
//! paths on the host. With the project at `/app` alone, git finds no repository; with the common folder there too,
//! `git worktree prune` takes every worktree whose path it does not find for gone and deletes what it knows of it. So
//! everything git names stands inside at the very path it is named by: the common folder and the project writable, the
//! other worktrees read-only.
//!
//! A `.git` file may come from anybody. It is followed only where the folder it names points back to the project, and
//! another worktree is shown only where both sides name each other: see [`layout`].

pub mod layout;

use std::path::{Component, Path, PathBuf};

use super::mount::Mount;
use super::spec::WORKDIR;
use layout::{Layout, Shown};

/// What git inside needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The mounts, in addition to the project at `/app`.
    pub mounts: Vec<Mount>,
    /// What git inside will not find or not do, for the user to know.
    pub problems: Vec<String>,
}

/// What inside belongs to the image, the system or the other mounts. Nothing is mounted there, or over it.
const OCCUPIED: [&str; 21] = [
    WORKDIR,
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home/claude/.claude",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run/claude-reactor",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/sbin",
    "/usr/share",
];

/// Folders of the image that mounts may lie in, but not cover.
const SHARED: [&str; 9] =
    ["/home/claude", "/root", "/tmp", "/var/tmp", "/var/lib", "/opt", "/srv", "/mnt", "/media"];

/// The mounts for a layout: a pure function of what was read.
pub fn plan(layout: Layout) -> Plan {
    let mut plan = Plan::default();
    match layout {
        Layout::Plain => {}
        Layout::Unconfirmed(why) => plan.problems.push(format!("git finds no repository inside: {why}")),
        Layout::Submodule { folders } | Layout::Worktree { folders, .. } if folders.is_empty() => {}
        Layout::Submodule { folders } => plan.add(folders),
        Layout::Worktree { folders, unconfirmed } => {
            plan.problems.extend(unconfirmed.into_iter().map(|name| {
                format!(
                    "`git worktree prune` inside would forget the worktree {name}: it and its repository do not name \
                     each other (`git worktree repair` on the host mends that)"
                )
            }));
            plan.add(folders);
        }
    }
    plan
}

impl Plan {
    fn add(&mut self, folders: Vec<Shown>) {
        for Shown { source, inside, writable } in folders {
            let (Some(source), Some(target)) = (source.to_str(), inside.to_str()) else {
                self.problems.push(format!("git does not find {} inside: it is not UTF-8", source.display()));
                continue;
            };
            if is_occupied(&inside) {
                self.problems.push(format!(
                    "git does not find {source} inside: what the image has at {target} is in its place"
                ));
                continue;
            }
            let mount = Mount { source: source.to_owned(), target: target.to_owned(), read_only: !writable };
            if !self.mounts.iter().any(|other| other.target == mount.target) {
                self.mounts.push(mount);
            }
        }
    }
}

fn is_occupied(inside: &Path) -> bool {
    OCCUPIED.into_iter().any(|place| inside.starts_with(place) || Path::new(place).starts_with(inside))
        || SHARED.into_iter().any(|place| Path::new(place).starts_with(inside))
}

/// A path that git would look at, without `.` and `..`; above the root there is the root, as for the system.
fn normalised(base: &Path, path: &str) -> PathBuf {
    let mut whole = PathBuf::from("/");
    for part in base.join(path).components() {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => {
                whole.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests;
