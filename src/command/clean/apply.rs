//! Removing what was shown. What cannot be removed is said, and everything else goes on; what a container that stays has
//! inside stays too.

use std::path::{Path, PathBuf};

use super::cache::{is_lock, lock_of};
use super::plan::{Plan, What};
use crate::command::open_home::OpenHome;
use crate::container::engine::Engine;
use crate::error::Error;
use crate::folder_tree;
use crate::private_file;
use crate::signals::EndSignals;
use crate::ui;

/// What was done.
#[derive(Debug)]
pub(super) struct Done {
    containers: usize,
    paths: usize,
    images: usize,
    /// Whether nothing stays that was to go.
    pub(super) is_complete: bool,
}

impl Done {
    pub(super) fn words(&self) -> String {
        let count = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let parts = [
            count(self.containers, "container", "containers"),
            count(self.paths, "folder or file", "folders and files"),
            count(self.images, "image", "images"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
        format!("removed: {parts}")
    }
}

/// Does it.
pub(super) async fn apply(
    plan: &Plan,
    home: &OpenHome,
    engine: Option<&Engine>,
    signals: &mut EndSignals,
) -> Result<Done, Error> {
    let mut done = Done { containers: 0, paths: 0, images: 0, is_complete: true };
    // What containers that stay have inside.
    let mut needed: Vec<String> = Vec::new();
    for container in &plan.containers {
        let found = &container.ours.found;
        let Some(engine) = engine else { break };
        match signals.unless(remove_container(engine, &found.id, container.sessions.len())).await? {
            Ok(()) => done.containers += 1,
            Err(problem) => {
                ui::warn(&format!("the container {} stays: {problem}", found.name));
                needed.extend(found.sources());
                done.is_complete = false;
            }
        }
    }
    for to_go in &plan.paths {
        let path = to_go.path.clone();
        if needed.iter().any(|source| Path::new(source).starts_with(&path)) {
            ui::warn(&format!("{} stays: a container that stays needs it", shown(&path)));
            done.is_complete = false;
            continue;
        }
        let (root, what) = (home.reactor_home.clone(), to_go.what);
        // A folder may hold so much that a signal has to end the waiting.
        let removal = tokio::task::spawn_blocking(move || remove_path(&root, &path, what));
        match signals.unless(removal).await?.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(()) => done.paths += 1,
            Err(problem) => {
                ui::warn(&format!("{} stays: {problem}", shown(&to_go.path)));
                done.is_complete = false;
            }
        }
    }
    for image in &plan.images {
        let Some(engine) = engine else { break };
        match signals.unless(engine.remove_image(image)).await? {
            Ok(()) => done.images += 1,
            Err(error) => {
                ui::warn(&format!("the image {} stays: {error}", image.shown()));
                done.is_complete = false;
            }
        }
    }
    for folder in &plan.if_empty {
        remove_if_empty(&home.reactor_home, folder);
    }
    if done.is_complete && plan.if_empty.contains(&home.reactor_home) && home.reactor_home.exists() {
        ui::note(&format!("{} stays: there is something else in it", shown(&home.reactor_home)));
    }
    Ok(done)
}

/// Removes a container. Where more sessions are in it than were shown, nobody has agreed to their end.
async fn remove_container(engine: &Engine, id: &str, agreed: usize) -> Result<(), String> {
    if agreed == 0 {
        let inside = crate::container::apply::remove_unless_in_use(engine, id).await;
        return match inside.map_err(|error| error.to_string())? {
            0 => Ok(()),
            _ => Err("a session has come into it".to_owned()),
        };
    }
    let inside = engine.inside(id).await.map_err(|error| error.to_string())?;
    if inside.is_some_and(|inside| inside.sessions.len() > agreed) {
        return Err("another session has come into it".to_owned());
    }
    // Whoever is inside has a moment to end.
    engine.stop(id).await.map_err(|error| error.to_string())?;
    engine.remove(id).await.map_err(|error| error.to_string())
}

/// Removes a file or a folder, after one more look at whether it is where it was.
fn remove_path(home: &Path, path: &Path, what: What) -> Result<(), String> {
    let _held = if what == What::Cache && is_lock(path) && path.exists() {
        Some(lock_of(path).ok_or("somebody waits for something that is being done")?)
    } else {
        None
    };
    folder_tree::remove_below(home, path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!(
                "{error}; something in it belongs to another user: sudo rm -rf {}",
                private_file::quoted(path)
            )
        }
        _ => error.to_string(),
    })
}

/// A folder that holds something stays, and that is as it should be.
fn remove_if_empty(home: &Path, folder: &PathBuf) {
    if folder == home || folder_tree::lies_below(home, folder) {
        let _ = std::fs::remove_dir(folder);
    }
}

fn shown(path: &Path) -> String {
    ui::one_line(&path.to_string_lossy())
}
