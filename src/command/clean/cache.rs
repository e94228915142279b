//! What is kept for all accounts in `.run`: looks at images, locks, and the folders through which sessions get the use of an
//! SSH agent or an engine.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::plan::{Plan, What};
use crate::command::open_home::OpenHome;
use crate::container::ours::Ours;
use crate::private_file::{self, Lock};

/// Adds what can go. `staying` are the containers that stay, if an engine could say which there are: their folders are
/// needed. `whole` is where everything of the home goes.
pub(super) fn plan(plan: &mut Plan, home: &OpenHome, staying: Option<&Vec<Ours>>, whole: bool) {
    let run = home.reactor_home.join(".run");
    let needed: Option<HashSet<PathBuf>> = staying.map(|staying| {
        let sources = staying.iter().flat_map(|ours| ours.found.sources());
        sources.filter_map(|source| entry_of(&run, Path::new(&source))).collect()
    });
    let Ok(entries) = run.read_dir() else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_folder = path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if is_folder {
            match &needed {
                Some(needed) if needed.contains(&path) => continue,
                None if !whole => {
                    plan.keep(&path, "a container may need it, and no engine can be asked");
                    continue;
                }
                _ => {}
            }
        } else if is_lock(&path) && lock_of(&path).is_none() {
            plan.keep(&path, "somebody waits for something that is being done");
            continue;
        }
        plan.add(home, path, What::Cache, None);
    }
    plan.if_empty.insert(0, run);
}

/// The entry of a folder that a path lies in.
fn entry_of(folder: &Path, path: &Path) -> Option<PathBuf> {
    let below = path.strip_prefix(folder).ok()?;
    below.components().next().map(|first| folder.join(first))
}

pub(super) fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "lock")
}

/// The lock of a lock file, unless somebody holds it. One that cannot be looked at is taken for held.
pub(super) fn lock_of(path: &Path) -> Option<Lock> {
    private_file::try_lock(&path.with_extension("")).ok().flatten()
}
