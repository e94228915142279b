//! The caller's side: home folders, working directory, user, environment, terminal.
//!
//! This is the only reader of the process environment. Everything else gets a [`Host`] (or a value taken from one),
//! which is what lets a test state the whole environment of a computation, and what keeps a variable of the
//! developer's shell from reaching a session by accident.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// What the computer and the caller look like at the start of the program.
#[derive(Debug, Clone)]
pub struct Host {
    /// The user's home folder.
    pub home: PathBuf,
    /// The working directory as the user sees it: `$PWD` where that names the same folder, else the resolved path.
    pub cwd: PathBuf,
    /// The caller's user id.
    pub uid: u32,
    /// The caller's primary group id.
    pub gid: u32,
    /// Whether a person sits at standard input, and whether one reads standard output and standard error.
    pub terminal: Terminal,
    vars: BTreeMap<String, String>,
}

/// Which standard streams are terminals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is one.
    pub stdin: bool,
    /// Standard output is one.
    pub stdout: bool,
    /// Standard error is one.
    pub stderr: bool,
}

impl Terminal {
    /// Whether a person can be asked: the question goes to standard error, the answer comes from standard input.
    pub fn can_ask(self) -> bool {
        self.stdin && self.stderr
    }

    /// Whether a session gets a terminal of its own.
    pub fn is_interactive(self) -> bool {
        self.stdin && self.stdout
    }
}

/// Why the surroundings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `$HOME` nor the user database names a home folder.
    #[error("your home folder is unknown: $HOME is not set, and the user database has none")]
    NoHome,
    /// The working directory was removed, or may not be read.
    #[error("the working directory cannot be read")]
    WorkingDirectory(#[source] std::io::Error),
    /// `CLAUDE_REACTOR_HOME` is not an absolute path.
    #[error("CLAUDE_REACTOR_HOME is `{0}`, which is not an absolute path")]
    RelativeHome(String),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("set HOME".to_owned()),
            Self::WorkingDirectory(_) => Some("change to a folder that exists".to_owned()),
            Self::RelativeHome(_) => {
                Some("give the full path, or unset it to use ~/.claude-reactor".to_owned())
            }
        }
    }
}

impl Host {
    /// Reads the process's surroundings. Variables that are not UTF-8 are left out: none of ours can be.
    pub fn from_process() -> Result<Self, Error> {
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value): (OsString, OsString)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            })
            .collect();
        let resolved = std::env::current_dir().map_err(Error::WorkingDirectory)?;
        let host = Self {
            home: dirs::home_dir().filter(|home| home.is_absolute()).ok_or(Error::NoHome)?,
            cwd: logical_cwd(vars.get("PWD").map(Path::new), &resolved),
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            vars,
        };
        host.reactor_home()?;
        Ok(host)
    }

    /// One variable of the process's, for what has to be known before anything else; an empty one counts as not set.
    pub fn early_var(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// A host made of stated facts, with no terminal.
    pub fn new(
        home: impl Into<PathBuf>,
        cwd: impl Into<PathBuf>,
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self {
            home: home.into(),
            cwd: cwd.into(),
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            terminal: Terminal::default(),
            vars: vars.into_iter().collect(),
        }
    }

    /// A variable of the environment; an empty one counts as not set.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The whole environment, for a program of the host's that is asked something.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where claude-reactor keeps its own state: `CLAUDE_REACTOR_HOME`, else `~/.claude-reactor`.
    pub fn reactor_home(&self) -> Result<PathBuf, Error> {
        match self.var("CLAUDE_REACTOR_HOME") {
            None => Ok(self.home.join(".claude-reactor")),
            Some(path) if Path::new(path).is_absolute() => Ok(PathBuf::from(path)),
            Some(path) => Err(Error::RelativeHome(path.to_owned())),
        }
    }

    /// An absolute path for what the user typed: `~/x` under the home folder, `x` under the working directory.
    pub fn absolute(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None if path == "~" => self.home.clone(),
            None => self.cwd.join(path),
        }
    }

    /// A path for people to read: `~/x` for what is under the home folder.
    pub fn shortened(&self, path: &str) -> String {
        match Path::new(path).strip_prefix(&self.home) {
            Ok(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.to_owned(),
        }
    }
}

/// `$PWD` keeps the symbolic links the user came through, so that a project keeps its name when its folder is reached
/// by a link; it counts only when it names the very folder the process is in.
fn logical_cwd(pwd: Option<&Path>, resolved: &Path) -> PathBuf {
    let same = |pwd: &&Path| {
        pwd.is_absolute()
            && !pwd.components().any(|part| matches!(part, std::path::Component::ParentDir))
            && same_inode(pwd, resolved)
    };
    pwd.filter(same).unwrap_or(resolved).components().collect()
}

fn same_inode(left: &Path, right: &Path) -> bool {
    let (Ok(left), Ok(right)) = (rustix::fs::stat(left), rustix::fs::stat(right)) else { return false };
    left.st_dev == right.st_dev && left.st_ino == right.st_ino
}
