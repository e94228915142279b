//! Which projects of an account talk to which provider, as their files say it. What flags and variables said for one run is
//! in no file.

use std::path::Path;

use serde::Serialize;

use crate::command::target::Target;
use crate::config::{Source, file};
use crate::host::Host;
use crate::inventory::{self, KnownProject};
use crate::name::ProviderId;
use crate::project::Project;

/// A project, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectView {
    /// The folder's own name.
    pub name: String,
    /// The project's hash.
    pub hash: String,
    /// Its folder; null where nothing on the disk says it.
    pub path: Option<String>,
}

impl From<&KnownProject> for ProjectView {
    fn from(known: &KnownProject) -> Self {
        Self { name: known.name.clone(), hash: known.hash.clone(), path: known.root.clone() }
    }
}

/// The projects of the target's account, each with the provider that its next session talks to. One whose files do not
/// say it, or cannot be read, is left out.
pub fn by_provider(target: &Target, host: &Host) -> Vec<(ProviderId, KnownProject)> {
    let known = inventory::projects(&target.reactor_home, &target.account).unwrap_or_default();
    let default = default(target);
    let chosen = |known: KnownProject| {
        let provider = match own(&known).ok()? {
            Some(own) => own,
            None => teams(&known, host).ok()?.or_else(|| default.clone()).unwrap_or_else(ProviderId::claude),
        };
        Some((provider, known))
    };
    known.into_iter().filter_map(chosen).collect()
}

/// Those of one provider.
pub fn of(target: &Target, id: &ProviderId, host: &Host) -> Vec<KnownProject> {
    let all = by_provider(target, host).into_iter();
    all.filter(|(provider, _)| provider == id).map(|(_, known)| known).collect()
}

/// Nothing can be said of a project's provider.
struct Unknown;

/// What the user chose for a project.
fn own(known: &KnownProject) -> Result<Option<ProviderId>, Unknown> {
    let path = known.session_dir.file();
    let root = known.root.as_deref().unwrap_or("/");
    let choices = file::read_text(&path).and_then(|text| file::choices(&path, &text, Path::new(root)));
    Ok(choices.map_err(|_| Unknown)?.values.provider)
}

/// What the project's own file chooses. Where the folder is not known, neither is that.
fn teams(known: &KnownProject, host: &Host) -> Result<Option<ProviderId>, Unknown> {
    let root = known.root.as_ref().ok_or(Unknown)?;
    let project = Project::at(Path::new(root)).map_err(|_| Unknown)?;
    if !project.has_own_file(host.uid) {
        return Ok(None);
    }
    let path = project.file();
    let file = file::read_project_text(&path, host.uid).and_then(|text| file::project_choices(&path, &text));
    Ok(file.map_err(|_| Unknown)?.choices.values.provider)
}

/// What the account, or else the user, has as the default.
fn default(target: &Target) -> Option<ProviderId> {
    let account = target.reactor_home.join(target.account.as_str()).join("config.yaml");
    let of_account = file::read_text(&account).and_then(|text| file::account_file(&account, &text));
    let user = target.reactor_home.join("config.yaml");
    let of_user = || file::read_text(&user).and_then(|text| file::user_file(&user, &text));
    of_account.ok().and_then(|values| values.provider).or_else(|| of_user().ok()?.values.provider)
}

/// What chose the provider, for people.
pub fn chosen_by(source: &Source) -> String {
    match source {
        Source::Default | Source::Detected(_) | Source::Container => "nobody chose another".to_owned(),
        Source::Environment => "chosen by CLAUDE_REACTOR_LLM_PROVIDER".to_owned(),
        Source::Flag => "chosen by a flag".to_owned(),
        Source::UserFile(path)
        | Source::AccountFile(path)
        | Source::ProjectFile(path)
        | Source::SessionFile(path) => format!("chosen in {}", path.display()),
    }
}
