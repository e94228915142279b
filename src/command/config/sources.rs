//! What files and variables say about the project in the working directory, layer by layer, and where those files are.
//! Nothing here writes, and nothing is asked of the machine but these files.

use std::path::{Path, PathBuf};

use crate::config::file::{self, Kind, ProjectFile, UserFile};
use crate::config::{self, Layer, Source, legacy, vars};
use crate::error::Error;
use crate::host::Host;
use crate::name::AccountName;
use crate::private_file;
use crate::project::{Project, SessionDir};
use crate::provider::catalog::Catalog;
use crate::wary_file::{self, Links};

/// Whose files they are.
#[derive(Debug)]
pub struct Places {
    /// claude-reactor's home.
    pub reactor_home: PathBuf,
    /// The project.
    pub project: Project,
    /// Whose credentials and sessions.
    pub account: AccountName,
    /// What chose the account.
    pub account_source: Source,
    /// This account's state for this project.
    pub session_dir: SessionDir,
}

/// What they say, with the variables.
#[derive(Debug)]
pub struct Sources {
    /// Whose files they are.
    pub places: Places,
    /// The files, the lowest layer's first.
    pub files: Vec<LayerFile>,
    /// The layers of the files, and that of the variables; the lowest first.
    pub layers: Vec<Layer>,
    /// The project's file.
    pub shared: ProjectFile,
    /// What the user should know of the files.
    pub warnings: Vec<String>,
}

/// The file of a layer.
#[derive(Debug, Clone)]
pub struct LayerFile {
    /// Which layer.
    pub kind: Kind,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether it is there, and counts.
    pub exists: bool,
    /// Whether it is of the old `key=value` form.
    pub is_legacy: bool,
}

impl LayerFile {
    /// The file of a layer as it is on the disk. One that cannot be read, or counts for nothing, is not of the old form.
    pub fn at(kind: Kind, places: &Places) -> Self {
        let path = places.file(kind);
        let text = wary_file::read(&path, Links::Followed, file::LARGEST).ok().flatten();
        Self::new(kind, &path, &text.map(|opened| opened.text).unwrap_or_default())
    }

    fn new(kind: Kind, path: &Path, text: &str) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            exists: path.is_file(),
            is_legacy: kind.can_be_legacy() && legacy::is_legacy(text),
        }
    }
}

impl Places {
    /// Finds them. What decides the account has to be in order.
    pub fn find(account: Option<&AccountName>, host: &Host) -> Result<Self, Error> {
        let (reactor_home, project) = ground(host)?;
        let user = read_user(&reactor_home)?.0;
        let shared = read_shared(&project, host)?.0;
        Self::of(account, &user, shared.choices.account.as_ref(), reactor_home, project, host)
    }

    /// Finds them where a file that is wrong says nothing of the account.
    pub fn guess(account: Option<&AccountName>, host: &Host) -> Result<Self, Error> {
        let (reactor_home, project) = ground(host)?;
        let user = read_user(&reactor_home).map(|(user, _)| user).unwrap_or_default();
        let shared = read_shared(&project, host).ok().and_then(|(shared, _)| shared.choices.account);
        Self::of(account, &user, shared.as_ref(), reactor_home, project, host)
    }

    /// Those of a project, by what the files say of the account.
    pub fn of(
        account: Option<&AccountName>,
        user: &UserFile,
        shared: Option<&AccountName>,
        reactor_home: PathBuf,
        project: Project,
        host: &Host,
    ) -> Result<Self, Error> {
        let user_path = reactor_home.join("config.yaml");
        let (account, account_source) = chosen_account(account, user, &user_path, shared, &project, host)?;
        let session_dir = project.session_dir(&reactor_home, &account);
        Ok(Self { reactor_home, project, account, account_source, session_dir })
    }

    /// Where the file of a layer is, or would be.
    pub fn file(&self, kind: Kind) -> PathBuf {
        match kind {
            Kind::User => self.reactor_home.join("config.yaml"),
            Kind::Account => self.reactor_home.join(self.account.as_str()).join("config.yaml"),
            Kind::Project => self.project.file(),
            Kind::Session => self.session_dir.file(),
        }
    }

    /// The same file as the origin of a value.
    pub fn source(&self, kind: Kind) -> Source {
        let path = self.file(kind);
        match kind {
            Kind::User => Source::UserFile(path),
            Kind::Account => Source::AccountFile(path),
            Kind::Project => Source::ProjectFile(path),
            Kind::Session => Source::SessionFile(path),
        }
    }
}

impl Sources {
    /// Reads them all. A folder that cannot be a project is refused.
    pub fn read(account: Option<&AccountName>, host: &Host) -> Result<Self, Error> {
        let (reactor_home, project) = ground(host)?;
        Self::of(reactor_home, project, account, host)
    }

    /// Reads them all, in whatever folder it is.
    pub fn read_anywhere(account: Option<&AccountName>, host: &Host) -> Result<Self, Error> {
        Self::of(host.reactor_home()?, Project::find(host)?, account, host)
    }

    fn of(
        reactor_home: PathBuf,
        project: Project,
        account: Option<&AccountName>,
        host: &Host,
    ) -> Result<Self, Error> {
        // Who can change this one decides where keys go.
        private_file::refuse_changes_by_others(&Catalog::user_file(&reactor_home))?;
        let (user, user_text) = read_user(&reactor_home)?;
        let (shared, shared_text) = read_shared(&project, host)?;
        let of_shared = shared.choices.account.as_ref();
        let places = Places::of(account, &user, of_shared, reactor_home, project, host)?;

        let session_path = places.file(Kind::Session);
        let session_text = file::read_text(&session_path)?;
        let remembered = file::choices(&session_path, &session_text, Path::new(places.project.root()))?;
        let warnings = [shared.choices.warnings.clone(), remembered.warnings].concat();
        let account_path = places.file(Kind::Account);
        for decisive in [&places.reactor_home.join(places.account.as_str()), &account_path] {
            private_file::refuse_changes_by_others(decisive)?;
        }
        let account_text = file::read_text(&account_path)?;
        let of_account = file::account_file(&account_path, &account_text)?;
        let texts = [user_text, account_text, shared_text, session_text];
        let files = Kind::ALL.iter().zip(&texts);
        let files = files.map(|(kind, text)| LayerFile::new(*kind, &places.file(*kind), text)).collect();
        let layer = |kind, values| Layer { source: places.source(kind), values };
        let layers = vec![
            layer(Kind::User, user.values),
            layer(Kind::Account, of_account),
            layer(Kind::Project, shared.choices.values.clone()),
            layer(Kind::Session, remembered.values),
            Layer { source: Source::Environment, values: vars::values(host)? },
        ];
        Ok(Self { places, files, layers, shared, warnings })
    }

    /// The layers of the files alone.
    pub fn of_files(&self) -> &[Layer] {
        &self.layers[..Kind::ALL.len()]
    }
}

/// claude-reactor's home and the project.
fn ground(host: &Host) -> Result<(PathBuf, Project), Error> {
    let reactor_home = host.reactor_home()?;
    let project = Project::find(host)?;
    project.refuse_keys_inside(&reactor_home)?;
    Ok((reactor_home, project))
}

/// The user's `config.yaml`, with its text.
fn read_user(reactor_home: &Path) -> Result<(UserFile, String), Error> {
    let path = reactor_home.join("config.yaml");
    for decisive in [reactor_home, &path] {
        // Who can change these decides where keys go.
        private_file::refuse_changes_by_others(decisive)?;
    }
    let text = file::read_text(&path)?;
    Ok((file::user_file(&path, &text)?, text))
}

/// The project's file, with its text.
fn read_shared(project: &Project, host: &Host) -> Result<(ProjectFile, String), Error> {
    let path = project.file();
    let own_file = project.has_own_file(host.uid);
    let text = if own_file { file::read_project_text(&path, host.uid)? } else { String::new() };
    Ok((file::project_choices(&path, &text)?, text))
}

/// Whose the project is, and what says so.
fn chosen_account(
    chosen: Option<&AccountName>,
    user: &UserFile,
    user_path: &Path,
    shared: Option<&AccountName>,
    project: &Project,
    host: &Host,
) -> Result<(AccountName, Source), Error> {
    if let Some(account) = chosen {
        return Ok((account.clone(), Source::Flag));
    }
    if let Some(account) = vars::account(host)? {
        return Ok((account, Source::Environment));
    }
    if let Some(account) = user.project_accounts.get(project.hash()) {
        return Ok((account.clone(), Source::UserFile(user_path.to_owned())));
    }
    if let Some(account) = shared {
        return Ok((account.clone(), Source::ProjectFile(project.file())));
    }
    if let Some(account) = &user.account {
        return Ok((account.clone(), Source::UserFile(user_path.to_owned())));
    }
    let name: Result<AccountName, _> = host.var("USER").unwrap_or("user").parse();
    let account = name.map_err(|error| config::Error::Value {
        place: "your user name ($USER) cannot be the account".to_owned(),
        problem: error.to_string(),
        hint: Some("choose one with --account NAME".to_owned()),
    })?;
    Ok((account, Source::Default))
}
