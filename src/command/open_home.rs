//! What the commands that look after containers and state are about. They need less than a session does, so they work
//! where one could not start: without a provider's key, with a mount that is gone, and mostly outside of any project.

use std::path::{Path, PathBuf};

use super::config::sources::Places;
use crate::config::file::{self, UserFile};
use crate::config::{Layer, Setting, Settings, Source, Values, parse_at, resolve, vars};
use crate::container::engine::Engine;
use crate::container::name::Home;
use crate::engine_choice::EngineChoice;
use crate::error::Error;
use crate::host::Host;
use crate::name::AccountName;
use crate::project::{Project, SessionDir};

/// claude-reactor's home, and what its own file says.
#[derive(Debug)]
pub struct OpenHome {
    /// The home's folder.
    pub reactor_home: PathBuf,
    /// The same, as containers are labelled with it.
    pub label: Home,
    user_path: PathBuf,
    user: UserFile,
}

impl OpenHome {
    /// Reads the home's own file.
    pub fn open(host: &Host) -> Result<Self, Error> {
        let reactor_home = host.reactor_home()?;
        let user_path = reactor_home.join("config.yaml");
        let user = file::user_file(&user_path, &file::read_text(&user_path)?)?;
        Ok(Self { label: Home::new(&reactor_home, host.uid), reactor_home, user_path, user })
    }

    /// The project of the working directory, and the account that a run would take there.
    pub fn here(&self, account: Option<&AccountName>, host: &Host) -> Result<Places, Error> {
        let project = Project::find(host)?;
        project.refuse_keys_inside(&self.reactor_home)?;
        // Whoever names the account does without the project's file, which could not be read perhaps.
        let shared = if account.is_none() && project.has_own_file(host.uid) {
            Some(shared(&project, host)?)
        } else {
            None
        };
        let shared = shared.as_ref().and_then(|shared| shared.1.as_ref());
        Places::of(account, &self.user, shared, self.reactor_home.clone(), project, host)
    }

    /// What the files choose for an account in a project, without what the environment says for one run. A project whose
    /// folder is gone, or not known, has no file.
    pub fn chosen(
        &self,
        account: &AccountName,
        root: Option<&str>,
        session_dir: &SessionDir,
        host: &Host,
    ) -> Result<Settings, Error> {
        let account_path = self.account_file(account);
        let of_account = file::account_file(&account_path, &file::read_text(&account_path)?)?;
        let project = root.map(|root| Project::at(Path::new(root))).transpose()?;
        let shared = match &project {
            Some(project) if project.has_own_file(host.uid) => Some(shared(project, host)?),
            _ => None,
        };
        let session_path = session_dir.file();
        let text = file::read_text(&session_path)?;
        let remembered = file::choices(&session_path, &text, Path::new(root.unwrap_or("/")))?;
        let mut layers = vec![
            Layer { source: Source::UserFile(self.user_path.clone()), values: self.user.values.clone() },
            Layer { source: Source::AccountFile(account_path), values: of_account },
        ];
        layers.extend(shared.map(|(layer, _)| layer));
        layers.push(Layer { source: Source::SessionFile(session_path), values: remembered.values });
        Ok(resolve(&layers))
    }

    fn account_file(&self, account: &AccountName) -> PathBuf {
        self.reactor_home.join(account.as_str()).join("config.yaml")
    }

    /// Connects to the engine that is chosen: for an account where it is one's matter, else for all.
    pub async fn connect(
        &self,
        account: Option<&AccountName>,
        flag: Option<&String>,
        host: &Host,
    ) -> Result<Engine, Error> {
        let engine: Option<EngineChoice> =
            flag.map(|text| parse_at(|| "--engine".to_owned(), text)).transpose()?;
        let mut layers = vec![Layer {
            source: Source::UserFile(self.user_path.clone()),
            values: self.user.values.clone(),
        }];
        if let Some(account) = account {
            let path = self.account_file(account);
            let values = file::account_file(&path, &file::read_text(&path)?)?;
            layers.push(Layer { source: Source::AccountFile(path), values });
        }
        layers.push(Layer { source: Source::Environment, values: vars::values(host)? });
        layers.push(Layer { source: Source::Flag, values: Values { engine, ..Values::default() } });
        let chosen: Option<Setting<EngineChoice>> = resolve(&layers).engine;
        Ok(Engine::connect(host, chosen.as_ref()).await?)
    }
}

/// What a project's own file says.
fn shared(project: &Project, host: &Host) -> Result<(Layer, Option<AccountName>), Error> {
    let path = project.file();
    let text = file::read_project_text(&path, host.uid)?;
    let choices = file::project_choices(&path, &text)?.choices;
    Ok((Layer { source: Source::ProjectFile(path), values: choices.values }, choices.account))
}
