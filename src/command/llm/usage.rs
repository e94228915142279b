//! Which projects of an account talk to which provider, as their files say it. What flags and variables said for one run is
//! in no file.

use serde::Serialize;

use crate::command::open_home::OpenHome;
use crate::command::target::Target;
use crate::config::Source;
use crate::host::Host;
use crate::inventory::{self, KnownProject};
use crate::name::ProviderId;

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
    let Ok(home) = OpenHome::open(host) else { return Vec::new() };
    let known = inventory::projects(&target.reactor_home, &target.account).unwrap_or_default();
    let chosen = |known: KnownProject| {
        let root = known.root.as_deref();
        let provider = home.chosen(&target.account, root, &known.session_dir, host).ok()?.provider;
        // Where the folder is not known, neither is what its own file says.
        let is_known = root.is_some() || matches!(provider.source, Source::SessionFile(_));
        is_known.then_some((provider.value, known))
    };
    known.into_iter().filter_map(chosen).collect()
}

/// Those of one provider.
pub fn of(target: &Target, id: &ProviderId, host: &Host) -> Vec<KnownProject> {
    let all = by_provider(target, host).into_iter();
    all.filter(|(provider, _)| provider == id).map(|(_, known)| known).collect()
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
