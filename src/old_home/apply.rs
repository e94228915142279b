//! Doing what the plan says. Each part is whole or not there, so that a run that was cut off is taken up by the next.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::old_key::OldKey;
use super::plan::{Seed, session_mark};
use super::taken::{self, Mark};
use super::{Error, News, Place, copy, look};
use crate::name::ProviderId;
use crate::private_file;
use crate::provider::credentials;
use crate::provider::setup::Key;
use crate::wary_file::{self, Links};

use secrecy::ExposeSecret;

/// Closes folders to others.
pub fn close(folders: &[PathBuf]) -> Result<Option<News>, Error> {
    for folder in folders {
        let closed = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
        closed.map_err(|source| Error::Io { action: "close to others", path: folder.clone(), source })?;
    }
    Ok((!folders.is_empty()).then(|| News::Closed(folders.to_vec())))
}

/// Stores a key that was tried, under the name it goes by, and says where.
pub fn import_key(place: &Place<'_>, old: &OldKey, tried: &Key) -> Result<PathBuf, Error> {
    let claude = ProviderId::claude();
    let path = credentials::store(place.reactor_home, place.account, &claude, &tried.name, &tried.value)?;
    forget_key(place, old)?;
    Ok(path)
}

/// Notes that a key is not to be taken any more.
pub fn forget_key(place: &Place<'_>, key: &OldKey) -> Result<(), Error> {
    taken::note(place, &Mark::Key(key.digest()))
}

/// Makes the account's old Claude state the seed for its projects.
pub fn keep_state(place: &Place<'_>) -> Result<News, Error> {
    let path = place.old_state();
    let news = match state(&path) {
        Ok(state) => {
            private_file::create_dir(place.reactor_home, &place.claude_dir())?;
            private_file::write(&place.state_seed(), text(&state).as_bytes())?;
            News::State(path)
        }
        Err(error) => News::Unusable { path, why: error.to_string() },
    };
    taken::note(place, &Mark::State)?;
    Ok(news)
}

/// Makes the login of the old session dir the account's.
pub fn import_login(place: &Place<'_>) -> Result<Option<News>, Error> {
    let Some(login) = look::login(place.session_dir.path(), place.uid) else { return Ok(None) };
    let path = place.login();
    private_file::create_dir(place.reactor_home, &place.login_folder())?;
    private_file::write(&path, login.expose_secret().as_bytes())?;
    taken::note(place, &Mark::Login)?;
    Ok(Some(News::Login(place.session_dir.path().join(".credentials.json"))))
}

/// Makes the project's Claude state. It gets its name when it is complete.
pub fn seed(place: &Place<'_>, seed: &Seed) -> Result<Vec<News>, Error> {
    let target = place.claude_config();
    let folder = target.parent().unwrap_or(place.session_dir.path());
    private_file::create_dir(place.reactor_home, folder)?;
    let failed = |source| Error::Io { action: "make", path: target.clone(), source };
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(folder).map_err(failed)?;
    fs::set_permissions(new.path(), fs::Permissions::from_mode(0o700)).map_err(failed)?;

    let from = place.session_dir.path();
    let left_out =
        if seed.items.is_empty() { Vec::new() } else { copy::copy(from, &seed.items, new.path())? };
    let own_state = new.path().join(".claude.json");
    if seed.from_account && state(&own_state).is_err() {
        // What is there instead is of no use to Claude Code either.
        if let Ok(mut state) = state(&place.state_seed()) {
            if !seed.knows_project {
                state.remove("projects");
            }
            private_file::write(&own_state, text(&state).as_bytes())?;
        }
    }
    match fs::rename(new.path(), &target) {
        // The folder has its name, so there is nothing to remove any more.
        Ok(()) => drop(new.keep()),
        // Another run was faster; what it made is as good.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut news = Vec::new();
    if !seed.items.is_empty() {
        taken::note(place, &session_mark(place))?;
        let is_there = |item: &&str| target.join(item).symlink_metadata().is_ok();
        let items: Vec<_> = seed.items.iter().copied().filter(|item| is_there(item)).collect();
        if !items.is_empty() {
            news.push(News::Session { from: from.to_owned(), items });
        }
    }
    if !left_out.is_empty() {
        news.push(News::LeftOut { from: from.to_owned(), files: left_out });
    }
    Ok(news)
}

/// Claude Code's state in a file: a JSON object.
fn state(path: &Path) -> io::Result<Map<String, Value>> {
    let opened = wary_file::read(path, Links::Refused, copy::LARGEST)?.ok_or(io::ErrorKind::NotFound)?;
    match serde_json::from_str(&opened.text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(io::Error::other("it is not a JSON object")),
    }
}

fn text(state: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(state.clone()))
}
