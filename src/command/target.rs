//! What a command is about: the project, the account, the settings with their layers merged, and the provider's row.
//! Nothing here writes or asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::carried::Carried;
use super::choices::{self, ChoiceArgs, Choices};
use super::config::sources::{Places, Sources};
use super::forward::{self, Forward};
use super::trust::{Surroundings, Trust};
use crate::config::agent_socket::AgentSocket;
use crate::config::file;
use crate::config::registry_use::RegistryUse;
use crate::config::{self, Layer, Setting, Settings, Source, Values, resolve};
use crate::container::drift::Reason;
use crate::container::image_check::Error::{TooLong, Unfit};
use crate::container::mount::{self, Mount};
use crate::container::name::{Home, Identity};
use crate::container::spec::{CA_FILE, CaFile, Limits, User};
use crate::detect::{Detected, detect};
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::name::{AccountName, ProviderId};
use crate::project::{Project, SessionDir};
use crate::provider::catalog::{Catalog, Provider};
use crate::provider::user_env;
use crate::variant::Variant;

/// Everything that is settled before a key is looked at.
#[derive(Debug)]
pub struct Target {
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
    /// The merged layers.
    pub settings: Settings,
    /// What the flags chose and is to be remembered.
    pub chosen: Choices,
    /// The provider that the files alone choose: the one whose models the session dir's file holds.
    pub provider_of_files: ProviderId,
    /// All providers known.
    pub catalog: Catalog,
    /// How the user stands to what the project's file says.
    pub trust: Trust,
    /// The user's own mounts.
    pub mounts: Vec<Mount>,
    /// The places inside of those that flags asked for.
    pub mounted_by_flag: Vec<String>,
    /// What the session has of its developer.
    pub carried: Carried,
    /// Whose container it is.
    pub identity: Identity,
    /// What of the host's it may use while it lives.
    pub forward: Forward,
    /// What the project's folder speaks for, where nobody chose an image.
    pub detected: Option<Detected>,
    /// Whether the registry of the built-in images is asked.
    pub registry_use: RegistryUse,
    /// CA certificates to trust in addition.
    pub ca_file: Option<CaFile>,
    /// What the user should know of the files that were read.
    pub warnings: Vec<String>,
}

impl Target {
    /// Resolves flags, environment and files. `own` is what the flags of one command alone say.
    pub fn resolve(args: &ChoiceArgs, own: Values, host: &Host) -> Result<Self, Error> {
        let chosen = args.parse(own, host)?;
        let sources = Sources::read(chosen.account.as_ref(), host)?;
        Self::of(sources, chosen, args.registry.choice(host)?, host)
    }

    /// The same for a command that starts nothing and so may be given anywhere, in the home folder too: there is no
    /// container to mount the folder into.
    pub fn look(args: &ChoiceArgs, host: &Host) -> Result<Self, Error> {
        let chosen = args.parse(Values::default(), host)?;
        let sources = Sources::read_anywhere(chosen.account.as_ref(), host)?;
        Self::of(sources, chosen, args.registry.choice(host)?, host)
    }

    fn of(
        sources: Sources,
        mut chosen: Choices,
        registry_use: RegistryUse,
        host: &Host,
    ) -> Result<Self, Error> {
        let provider_of_files = resolve(sources.of_files()).provider.value;
        let Sources { places, mut layers, shared, warnings, .. } = sources;
        let Places { reactor_home, project, account, account_source, session_dir } = places;
        layers.push(Layer { source: Source::Flag, values: chosen.values.clone() });
        let mut settings = resolve(&layers);
        if chosen.values.provider.is_none() && settings.provider.value != provider_of_files {
            // A variable chose the provider for this run alone, so a model for it is not to be remembered either.
            chosen.values.model = None;
        }
        for (name, variable) in &settings.variables {
            user_env::check(name).map_err(|(problem, hint)| config::Error::Value {
                place: variable.value.place.clone(),
                problem,
                hint: Some(hint),
            })?;
        }
        let detected = take_detected(&mut settings, &project, host);
        let carried = Carried::find(&project, host, &reactor_home);
        let user = User { uid: host.uid, gid: host.gid };
        let taken = [carried.mounts.as_slice(), &Forward::places(&settings, user)].concat();
        let resolved = mount::parse_all(&settings.mounts, &taken, host, &reactor_home)?;
        let socket = socket(shared.choices.values.ssh_agent_socket.as_ref(), host);
        let trust = Trust::of(
            &shared,
            &Surroundings {
                layers: &layers,
                settings: &settings,
                mounts: &resolved,
                socket: socket.as_deref(),
                project: &project,
                session_dir: &session_dir,
            },
        )?;
        let chosen_socket = &mut settings.ssh_agent_socket;
        if let (Source::ProjectFile(_), Some(socket)) = (&chosen_socket.source, socket) {
            // What was judged is what is used.
            chosen_socket.value = AgentSocket::Path(socket);
        }
        let mounts: Vec<_> = resolved.into_iter().filter(|mount| mount.counts).collect();
        let by_flag = mounts.iter().filter(|mount| mount.source == Source::Flag);
        let ca_file = ca_file(&settings, host)?;
        let home = Home::new(&reactor_home, host.uid);
        let identity =
            Identity::new(&project, &account, &settings.image.value, &settings.provider.value, home);
        let forward = Forward::new(&settings, &identity, &reactor_home);
        Ok(Self {
            identity,
            catalog: catalog(&reactor_home)?,
            mounted_by_flag: by_flag.map(|mount| mount.mount.target.clone()).collect(),
            trust,
            mounts: mounts.into_iter().map(|mount| mount.mount).collect(),
            carried,
            forward,
            detected,
            registry_use,
            ca_file,
            reactor_home,
            project,
            account,
            account_source,
            session_dir,
            settings,
            chosen,
            provider_of_files,
            warnings,
        })
    }

    /// The variant that is used where nobody chose an image and there is no container: the one the project's folder speaks
    /// for, else the default.
    pub fn spoken_for(&self) -> Variant {
        self.detected.map_or_else(Variant::default, |detected| detected.variant)
    }

    /// Takes another image than was resolved.
    pub fn take_image(&mut self, image: ImageChoice, source: Source) {
        self.identity = self.identity.with_image(image.clone());
        self.settings.image = Setting { value: image, source };
        self.forward = Forward::new(&self.settings, &self.identity, &self.reactor_home);
    }

    /// What is said of an image that no session can run in: who did not name it in this command hears who did.
    pub fn unfit_image(&self, error: Error) -> Error {
        match (&self.settings.image.source, &error) {
            (Source::Flag | Source::Default | Source::Detected(_) | Source::Container, _) => error,
            (from, Error::Pull(_) | Error::ImageCheck(Unfit { .. } | TooLong { .. })) => {
                Error::NamedImage { from: from.clone(), error: Box::new(error) }
            }
            _ => error,
        }
    }

    /// Remembers what the flags chose.
    pub fn remember(&self) -> Result<(), Error> {
        choices::remember(
            &self.chosen,
            &self.provider_of_files,
            &self.project,
            &self.session_dir,
            &self.reactor_home,
        )
    }

    /// The chosen provider's row; nothing for a name that is nowhere known yet.
    pub fn provider(&self) -> Result<Option<&Provider>, Error> {
        let id = &self.settings.provider.value;
        let Some(provider) = self.catalog.get(id) else { return Ok(None) };
        self.catalog.check_usable(provider)?;
        Ok(Some(provider))
    }

    /// The user's own variables for every process inside.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let variables = self.settings.variables.iter();
        variables.map(|(name, setting)| (name.clone(), setting.value.value.clone())).collect()
    }

    /// What the container may use at most.
    pub fn limits(&self) -> Limits {
        let config::Limits { cpus, memory, pids } = &self.settings.limits;
        Limits {
            nano_cpus: cpus.as_ref().map(|setting| setting.value.nanos()),
            memory: memory.as_ref().map(|setting| setting.value.bytes()),
            pids: pids.as_ref().map(|setting| setting.value.count()),
        }
    }

    /// The flag of this command that asks for what a reason says, if one does.
    pub fn flag_behind(&self, reason: &Reason) -> Option<&'static str> {
        let ca_file = || {
            let setting = self.settings.ca_file.as_ref();
            setting.is_some_and(|setting| setting.source == Source::Flag).then_some("--ca-file")
        };
        match reason {
            Reason::Mount { target, .. } if self.mounted_by_flag.contains(target) => Some("--mount"),
            Reason::Mount { target, .. } if target == CA_FILE => ca_file(),
            Reason::Mount { target, .. } => forward::flag_of(target).filter(|flag| {
                let source = match *flag {
                    "--host-docker" => &self.settings.host_docker.source,
                    _ => &self.settings.ssh_agent.source,
                };
                *source == Source::Flag
            }),
            Reason::Field(field) if field == "ca_digest" => ca_file(),
            _ => None,
        }
    }

    /// What a project's file chose that costs money or shows prompts to somebody, as long as this account was never
    /// used in this project: the user has to have seen it once.
    pub fn unseen_choices(&self) -> Vec<String> {
        if self.session_dir.is_used() {
            return Vec::new();
        }
        let mut unseen = Vec::new();
        if matches!(self.account_source, Source::ProjectFile(_)) {
            unseen.push(format!("account {}", self.account));
        }
        if matches!(self.settings.provider.source, Source::ProjectFile(_)) {
            unseen.push(format!("provider {}", self.settings.provider.value));
        }
        unseen
    }
}

/// Takes the image that the project's folder speaks for, where nobody chose one. The home folder is no project of one
/// language: what lies there (`.aws`, say) is for all of them.
pub(super) fn take_detected(settings: &mut Settings, project: &Project, host: &Host) -> Option<Detected> {
    let root = Path::new(project.root());
    if settings.image.source != Source::Default || root == host.home {
        return None;
    }
    let detected = detect(root)?;
    let value = ImageChoice::BuiltIn(detected.variant);
    settings.image = Setting { value, source: Source::Detected(detected.name) };
    Some(detected)
}

fn catalog(reactor_home: &Path) -> Result<Catalog, Error> {
    let path = Catalog::user_file(reactor_home);
    let text = file::read_text(&path)?;
    Ok(Catalog::load(Some((&path, &text)))?)
}

/// What the socket that a project's file names is, with links followed; nothing where it is not there.
fn socket(named: Option<&AgentSocket>, host: &Host) -> Option<PathBuf> {
    match named? {
        AgentSocket::Path(path) => host.absolute(&path.to_string_lossy()).canonicalize().ok(),
        AgentSocket::Auto => None,
    }
}

/// The extra CA certificates: what was chosen, else what `SSL_CERT_FILE` names. A chosen file must be readable.
pub(super) fn ca_file(settings: &Settings, host: &Host) -> Result<Option<CaFile>, Error> {
    if let Some(setting) = &settings.ca_file {
        let path = host.absolute(&setting.value.to_string_lossy());
        let read = CaFile::read(&path).map(Some);
        return read.map_err(|source| Error::CaFile { path, from: setting.source.clone(), source });
    }
    Ok(host.var("SSL_CERT_FILE").and_then(|path| CaFile::read(&host.absolute(path)).ok()))
}
