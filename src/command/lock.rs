//! Waiting for another claude-reactor, so that the user knows and can give up.

use std::path::Path;

use crate::error::Error;
use crate::private_file::{self, Lock};
use crate::ui;

/// The lock of that name. Where somebody holds it, says what is waited for and waits on a thread of its own: holding it
/// may take minutes, and a signal has to end the waiting.
pub async fn lock(path: &Path, holder: &str) -> Result<Lock, Error> {
    if let Some(lock) = private_file::try_lock(path)? {
        return Ok(lock);
    }
    ui::note(&format!("waiting for {holder}"));
    let path = path.to_owned();
    let waiting = tokio::task::spawn_blocking(move || private_file::lock(&path)).await;
    Ok(waiting.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?)
}
