//! Room on the disks: the engine's, and the home's.

use std::path::{Path, PathBuf};

use super::check::{Check, Subject};
use crate::private_file::quoted;
use crate::ui::human;

pub(super) const ENGINE: Subject = Subject::new("disk-engine", "disk of the engine");
const HOME: Subject = Subject::new("disk-home", "disk of your home");

/// Below this a session still runs, but the next image may not fit: one takes between one and a few gigabytes.
pub(super) const LITTLE: u64 = 5_000_000_000;
/// Below this a session can hardly write what it works on.
pub(super) const TOO_LITTLE: u64 = 1_000_000_000;

/// The bytes that the caller may still write where a path is; nothing where that cannot be told.
pub(super) fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The home's disk.
pub(super) fn of_home(reactor_home: &Path) -> Check {
    let remedy = format!("du -sh {}/*/*", quoted(reactor_home));
    judge(HOME, reactor_home, free(reactor_home), &remedy)
}

/// The engine's disk, where the engine keeps what it has on this machine.
pub(super) fn of_engine(data_root: Option<&PathBuf>, is_here: bool, program: &str) -> Check {
    match data_root {
        Some(root) if is_here => {
            judge(ENGINE, root, free(root), &format!("{program} system df, then {program} image prune"))
        }
        Some(_) => ENGINE.skipped("it is not a disk of this machine"),
        None => ENGINE.skipped("the engine does not say where it keeps its data"),
    }
}

fn judge(subject: Subject, path: &Path, free: Option<u64>, remedy: &str) -> Check {
    let Some(free) = free else {
        return subject.skipped(format!("the disk of {} cannot be looked at", path.display()));
    };
    let found = format!("{} free at {}", human::size(free), path.display());
    match free {
        ..TOO_LITTLE => subject.fail(found, remedy),
        TOO_LITTLE..LITTLE => subject.warn(found, remedy),
        _ => subject.pass(found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Skipped, Warn};
    use super::*;

    #[test]
    fn the_thresholds() {
        let outcome = |free| judge(HOME, Path::new("/h"), free, "r").outcome;
        assert_eq!(outcome(None), Skipped);
        assert_eq!(outcome(Some(0)), Fail);
        assert_eq!(outcome(Some(TOO_LITTLE - 1)), Fail);
        assert_eq!(outcome(Some(TOO_LITTLE)), Warn);
        assert_eq!(outcome(Some(LITTLE - 1)), Warn);
        assert_eq!(outcome(Some(LITTLE)), Pass);
    }

    #[test]
    fn what_is_not_there_yet_is_judged_by_the_folder_it_will_be_in() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free(&dir.path().join("a/b")).is_some());
        assert_eq!(of_engine(Some(&PathBuf::from("/x")), false, "docker").outcome, Skipped);
        assert_eq!(of_engine(None, true, "docker").outcome, Skipped);
    }
}
