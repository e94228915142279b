//! Looking for what earlier versions left. Where there is nothing, it costs a handful of looks at paths.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::copy::ITEMS;
use super::old_key::{self, OldKey, Unusable};
use super::taken::Taken;
use super::{Error, Place};
use crate::name::ProviderId;
use crate::provider::credentials;
use crate::provider::variables::{API_KEY, AUTH_TOKEN, OAUTH_TOKEN};
use crate::wary_file::{self, Links};

/// Far more than a login takes.
const LARGEST_LOGIN: u64 = 256 * 1024;

/// What is there, of the old and of the new.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Found {
    /// Folders of an earlier version that others can look into, from the outermost.
    pub(super) open_folders: Vec<PathBuf>,
    /// The account's old key, or the file that should hold it.
    pub(super) key: Option<Result<OldKey, Unusable>>,
    /// Whether the account's old Claude state is there.
    pub(super) state: bool,
    /// The subscription login in the old session dir.
    pub(super) login: Option<SecretString>,
    /// What of Claude Code's own lies in the old session dir.
    pub(super) items: Vec<&'static str>,
    /// Whether the account has a key or a token for Claude by now.
    pub(super) has_key: bool,
    /// Whether the account has a subscription login by now.
    pub(super) has_login: bool,
    /// Whether its user chose to have one, which the first session may still have to bring.
    pub(super) chose_login: bool,
    /// Whether the account has a seed for the Claude state of its projects.
    pub(super) has_seed: bool,
    /// Whether this project has Claude state by now.
    pub(super) has_claude_config: bool,
    /// Whether the account was in this project before.
    pub(super) has_session_dir: bool,
    /// What was taken over before.
    pub(super) taken: Taken,
}

/// Looks at the folders that every session needs.
pub fn folders(place: &Place<'_>) -> Found {
    Found { open_folders: open_folders(place), ..Found::default() }
}

/// Looks at all there is for provider `claude`.
pub fn everything(place: &Place<'_>) -> Result<Found, Error> {
    let session_dir = place.session_dir.path();
    let has_session_dir = session_dir.is_dir();
    let has_claude_config = place.claude_config().symlink_metadata().is_ok();
    let mut found = Found {
        open_folders: open_folders(place),
        key: old_key::find(place).transpose(),
        state: is_own_file(&place.old_state(), place.uid),
        login: if has_session_dir { login(session_dir, place.uid) } else { None },
        has_seed: is_own_file(&place.state_seed(), place.uid),
        has_claude_config,
        has_session_dir,
        ..Found::default()
    };
    if has_session_dir && !has_claude_config {
        found.items =
            ITEMS.into_iter().filter(|item| session_dir.join(item).symlink_metadata().is_ok()).collect();
    }
    if found.key.is_none() && !found.state && found.login.is_none() && found.items.is_empty() {
        return Ok(found);
    }
    found.taken = Taken::load(place)?;
    found.has_login = place.login().symlink_metadata().is_ok();
    found.chose_login = place.login_folder().symlink_metadata().is_ok();
    if found.key.is_some() {
        found.has_key = has_key(place)?;
    }
    Ok(found)
}

fn has_key(place: &Place<'_>) -> Result<bool, Error> {
    let stored = credentials::load(place.reactor_home, place.account, &ProviderId::claude())?;
    let stated = |name| stored.states(name);
    Ok([API_KEY, AUTH_TOKEN, OAUTH_TOKEN].into_iter().any(stated))
}

/// The folders of the old layout on the way to the history that others can look into. What this version made is closed,
/// and one of those that was opened later is not closed in silence: nobody knows who looked into it meanwhile.
fn open_folders(place: &Place<'_>) -> Vec<PathBuf> {
    let (account_dir, session_dir) = (place.account_dir(), place.session_dir.path());
    let mut open = Vec::new();
    if is_open(&account_dir, place.uid) && !account_dir.join("llms").exists() {
        open.push(account_dir);
    }
    let history = place.session_dir.history();
    if !session_dir.join("providers").exists() {
        open.extend(
            [session_dir, &history].into_iter().filter(|path| is_open(path, place.uid)).map(Path::to_owned),
        );
    }
    open
}

/// Whether a folder of the caller's own can be read, but not changed, by others: who could change it may have put
/// something there, and that is for the user to look at.
fn is_open(path: &Path, uid: u32) -> bool {
    let open = |meta: Metadata| {
        let others = meta.permissions().mode() & 0o077;
        meta.is_dir() && meta.uid() == uid && others != 0 && others & 0o022 == 0
    };
    path.symlink_metadata().is_ok_and(open)
}

fn is_own_file(path: &Path, uid: u32) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.uid() == uid)
}

/// The login that an old session left. The old tool mounted the one of the user's own `~/.claude` over this path, for
/// which the engine made an empty file here.
pub(super) fn login(session_dir: &Path, uid: u32) -> Option<SecretString> {
    let path = session_dir.join(".credentials.json");
    let opened = wary_file::read(&path, Links::Refused, LARGEST_LOGIN).ok()??;
    let json: serde_json::Value = serde_json::from_str(&opened.text).ok()?;
    let token = json["claudeAiOauth"]["accessToken"].as_str()?;
    (opened.owner == uid && !token.is_empty()).then(|| opened.text.into())
}
