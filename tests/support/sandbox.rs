//! A home, projects and an environment that belong to one test.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::engine::Engine;
use super::fake_api::{FakeApi, Script};
use super::invocation::Invocation;
use super::redact::Redactions;
use super::secrets::{Canary, find_in_files};

/// One test's own world. Its paths are used by no other test, so neither are the hashes, container names and labels
/// that come from them. Dropping it removes its folder, and the containers of its projects, also after a panic.
pub struct Sandbox {
    root: TempDir,
    path: PathBuf,
    engine: Option<Engine>,
    state: Mutex<State>,
}

/// What a test adds while it runs.
#[derive(Default)]
struct State {
    redactions: Redactions,
    endpoints: BTreeMap<String, String>,
}

impl Sandbox {
    /// A world without an engine: `DOCKER_HOST` names a socket that is not there, so that what a test shows does not
    /// depend on the machine it runs on.
    pub fn new() -> Self {
        Self::make(None)
    }

    /// A world on a real engine.
    pub fn on(engine: &Engine) -> Self {
        Self::make(Some(engine.clone()))
    }

    fn make(engine: Option<Engine>) -> Self {
        let root =
            tempfile::Builder::new().prefix("reactor-").tempdir().expect("a temporary folder can be made");
        // A session's own user must reach the project through the folders above it.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        // Resolved, because the program shows resolved paths and the temporary folder may lie behind a link.
        let path = root.path().canonicalize().expect("the folder exists");
        fs::create_dir(path.join("home")).expect("a folder can be made there");
        let mut state = State::default();
        state.redactions.add(path.join("home").display().to_string(), "[HOME]");
        state.redactions.add(path.display().to_string(), "[ROOT]");
        Self { root, path, engine, state: Mutex::new(state) }
    }

    /// The folder that everything of this sandbox lies in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The user's home folder.
    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// Where claude-reactor keeps its state.
    pub fn reactor_home(&self) -> PathBuf {
        self.home().join(".claude-reactor")
    }

    /// The project folder of that name, made when it is not there.
    pub fn project(&self, name: &str) -> Project<'_> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).expect("a project folder can be made");
        self.redact(project_hash(&path), &format!("[HASH:{name}]"));
        Project { sandbox: self, path }
    }

    /// A key of this sandbox. No command may show it unless it says so ([`Invocation::shows_secrets`]).
    pub fn canary(&self, label: &str) -> Canary {
        self.guard(Canary::new(label), label)
    }

    /// The same, in the form of a token of a Claude subscription.
    pub fn token(&self, label: &str) -> Canary {
        self.guard(Canary::token(label), label)
    }

    fn guard(&self, canary: Canary, label: &str) -> Canary {
        self.with_state(|state| state.redactions.add_secret(&canary, format!("[SECRET:{label}]")));
        canary
    }

    /// Shows `placeholder` for `text` in snapshots.
    pub fn redact(&self, text: impl Into<String>, placeholder: &str) {
        self.with_state(|state| state.redactions.add(text, placeholder));
    }

    /// Starts a fake of the Messages API where this sandbox's sessions reach it, and makes it the endpoint of
    /// `provider` by a row in the user's own `providers.yaml`.
    pub fn fake(&self, provider: &str, script: Script) -> FakeApi {
        let address = self.engine.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), Engine::gateway);
        let fake = FakeApi::start_on(address, provider, script);
        self.redact(fake.address().to_string(), &format!("[FAKE:{provider}]"));
        let rows = self.with_state(|state| {
            state.endpoints.insert(provider.to_owned(), fake.base_url());
            state.endpoints.iter().fold("providers:\n".to_owned(), |mut rows, (provider, url)| {
                let _ = writeln!(rows, "  {provider}:\n    base_url: {url}");
                rows
            })
        });
        self.write_home(".claude-reactor/providers.yaml", &rows);
        fake
    }

    /// Writes a file below the home folder, 0600 in folders that are 0700, as claude-reactor itself would.
    pub fn write_home(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.home().join(path);
        let folder = file.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("folders can be made at home");
        let home = self.home();
        for folder in folder.ancestors().take_while(|folder| *folder != home) {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("it is ours");
        }
        fs::write(&file, content).expect("a file can be written at home");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
        file
    }

    /// The files of this sandbox that hold the key or its last 20 characters, as paths below its root.
    pub fn files_with(&self, canary: &Canary) -> Vec<PathBuf> {
        find_in_files(&self.path, canary.tail())
            .into_iter()
            .map(|path| path.strip_prefix(&self.path).expect("the search stays inside").to_owned())
            .collect()
    }

    /// How outputs are made the same everywhere, and which keys none of them may show.
    pub fn redactions(&self) -> Redactions {
        self.with_state(|state| state.redactions.clone())
    }

    /// How long a command may take by default: on an engine, the first one may build the image.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(if self.engine.is_some() { 900 } else { 60 })
    }

    /// The environment of every command: the few variables that any login has.
    pub fn vars(&self) -> BTreeMap<OsString, OsString> {
        let nowhere = || format!("unix://{}/no-engine.sock", self.path.display());
        let engine = self.engine.as_ref().map_or_else(nowhere, |engine| engine.host().to_owned());
        let mut vars: BTreeMap<OsString, OsString> = [
            ("HOME", self.home().into_os_string()),
            ("PATH", std::env::var_os("PATH").expect("PATH is set")),
            ("TERM", "xterm-256color".into()),
            ("LANG", "C.UTF-8".into()),
            ("DOCKER_HOST", engine.into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into();
        // Builds behind a proxy that signs TLS anew need its certificate; nothing else of the machine gets in.
        if self.engine.is_some()
            && let Some(bundle) = std::env::var_os("SSL_CERT_FILE")
        {
            vars.insert("SSL_CERT_FILE".into(), bundle);
        }
        vars
    }

    /// The group that may use the engine's socket.
    pub fn socket_group(&self) -> Option<u32> {
        let socket = self.engine.as_ref()?.socket()?;
        Some(fs::metadata(socket).ok()?.gid())
    }

    /// Makes everything in the sandbox belong to a user.
    pub fn give_to(&self, uid: u32, gid: u32) {
        fn give(path: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
            std::os::unix::fs::lchown(path, Some(uid), Some(gid))?;
            if path.symlink_metadata()?.is_dir() {
                for entry in path.read_dir()? {
                    give(&entry?.path(), uid, gid)?;
                }
            }
            Ok(())
        }
        give(&self.path, uid, gid).expect("root can give its files away");
    }

    fn with_state<R>(&self, use_it: impl FnOnce(&mut State) -> R) -> R {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(engine) = &self.engine {
            engine.remove_containers_below(&self.path);
        }
    }
}

/// A project folder of a sandbox.
#[derive(Clone)]
pub struct Project<'s> {
    sandbox: &'s Sandbox,
    path: PathBuf,
}

impl<'s> Project<'s> {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first 8 hexadecimal digits of the SHA-256 of its path, as in its session dir and its container's name.
    pub fn hash(&self) -> String {
        project_hash(&self.path)
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path.join(path);
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("folders can be made");
        fs::write(&file, content).expect("a file can be written in the project");
        file
    }

    /// A call of claude-reactor in this project.
    pub fn reactor(&self, args: &[impl AsRef<OsStr>]) -> Invocation<'s> {
        self.command(env!("CARGO_BIN_EXE_claude-reactor"), args)
    }

    /// A call of any program in this project, in the same environment.
    pub fn command(&self, program: impl AsRef<OsStr>, args: &[impl AsRef<OsStr>]) -> Invocation<'s> {
        Invocation::new(self.sandbox, self.path.clone(), program, args)
    }
}

fn project_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(4).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
