//! Which addresses are tried for an engine, and what chose them. Reads the Docker command line's configuration where
//! nothing above it decides; nothing is connected to here.

use std::fmt;
use std::path::{Path, PathBuf};

use super::docker_config::{self, DockerConfig};
use super::endpoint::Endpoint;
use super::facts::Kind;
use crate::config::{Setting, Source};
use crate::engine_choice::EngineChoice;
use crate::host::Host;

/// What said where the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenBy {
    /// `--engine`, `CLAUDE_REACTOR_ENGINE` or `engine` in a file, and its value.
    Setting(Source, String),
    /// A variable that Docker's or Podman's own command line reads.
    Variable(&'static str),
    /// `docker context use`, by the file that remembers it.
    CurrentContext(PathBuf, String),
    /// Nothing: the usual sockets are tried.
    Default,
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(Source::Flag, value) => write!(f, "--engine {value}"),
            Self::Setting(Source::Environment, value) => write!(f, "CLAUDE_REACTOR_ENGINE={value}"),
            Self::Setting(source, value) => write!(f, "`engine: {value}` in {source}"),
            Self::Variable(name) => f.write_str(name),
            Self::CurrentContext(path, name) => {
                write!(f, "the current Docker context `{name}` of {}", path.display())
            }
            Self::Default => f.write_str("the default"),
        }
    }
}

/// Where to look for the engine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// What said so.
    pub(super) chosen_by: ChosenBy,
    /// The addresses, the first that answers is it.
    pub(super) endpoints: Vec<Endpoint>,
    /// Which engine it has to be.
    pub(super) kind: Option<Kind>,
}

/// Why there is nothing to try.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address is of no form that is known.
    #[error(
        "{chosen_by}: the address `{address}` is not of the form unix:///PATH, tcp://HOST[:PORT] or ssh://[USER@]HOST"
    )]
    Address {
        /// Where it stands.
        chosen_by: ChosenBy,
        /// The address.
        address: String,
    },
    /// A port of another machine, without TLS.
    #[error("{chosen_by}: the connection to {endpoint} would not be encrypted, and your keys go over it")]
    InClear {
        /// Where it stands.
        chosen_by: ChosenBy,
        /// The address.
        endpoint: Box<Endpoint>,
    },
    /// The Docker command line's configuration does not say where the engine is.
    #[error("{chosen_by} does not lead to a container engine")]
    Context {
        /// What asked for it.
        chosen_by: ChosenBy,
        /// What is wrong.
        #[source]
        source: docker_config::Error,
    },
    /// The Docker command line's configuration cannot be read.
    #[error("whether a Docker context is chosen cannot be told")]
    Config(#[source] docker_config::Error),
}

/// Finds out where to look. A choice of ours comes first, then what the engines' own command lines go by: `DOCKER_HOST`,
/// `DOCKER_CONTEXT`, the current context, `CONTAINER_HOST`; then the usual sockets. An address to which keys would go in
/// clear text is refused, whoever chose it.
pub(super) fn search(host: &Host, choice: Option<&Setting<EngineChoice>>) -> Result<Search, Error> {
    let Search { chosen_by, endpoints, kind } = chosen(host, choice)?;
    match endpoints.iter().find(|endpoint| endpoint.is_readable_on_the_way()) {
        Some(endpoint) => Err(Error::InClear { chosen_by, endpoint: Box::new(endpoint.clone()) }),
        None => Ok(Search { chosen_by, endpoints, kind }),
    }
}

fn chosen(host: &Host, choice: Option<&Setting<EngineChoice>>) -> Result<Search, Error> {
    let config = DockerConfig::of(host);
    let context = |chosen_by: ChosenBy, name: &str| match name {
        "default" => Ok(Search { chosen_by, endpoints: usual_sockets(host, None), kind: None }),
        name => match config.context(name) {
            Ok(endpoint) => Ok(Search { chosen_by, endpoints: vec![endpoint], kind: None }),
            Err(source) => Err(Error::Context { chosen_by, source }),
        },
    };
    let address = |chosen_by: ChosenBy, address: &str| match Endpoint::parse(
        address,
        config.tls_of_environment(host),
    ) {
        Some(endpoint) => Ok(Search { chosen_by, endpoints: vec![endpoint], kind: None }),
        None => Err(Error::Address { chosen_by, address: address.to_owned() }),
    };
    let kind = match choice {
        None => None,
        Some(Setting { value, source }) => {
            let chosen_by = ChosenBy::Setting(source.clone(), value.to_string());
            match value {
                EngineChoice::Address(text) => return address(chosen_by, text),
                EngineChoice::Context(name) => return context(chosen_by, name),
                EngineChoice::Docker => Some((Kind::Docker, chosen_by)),
                EngineChoice::Podman => Some((Kind::Podman, chosen_by)),
            }
        }
    };
    let wanted = kind.as_ref().map(|(kind, _)| *kind);
    let of_kind = |search: Search| Search { kind: wanted, ..search };
    if wanted != Some(Kind::Podman) {
        if let Some(text) = host.var("DOCKER_HOST") {
            return address(ChosenBy::Variable("DOCKER_HOST"), text).map(of_kind);
        }
        if let Some(name) = host.var("DOCKER_CONTEXT") {
            return context(ChosenBy::Variable("DOCKER_CONTEXT"), name).map(of_kind);
        }
        if let Some(name) = config.current_context().map_err(Error::Config)? {
            return context(ChosenBy::CurrentContext(config.file(), name.clone()), &name).map(of_kind);
        }
    }
    if wanted != Some(Kind::Docker)
        && let Some(text) = host.var("CONTAINER_HOST")
    {
        return podmans_address(host, text).map(of_kind);
    }
    let chosen_by = kind.map_or(ChosenBy::Default, |(_, chosen_by)| chosen_by);
    Ok(Search { chosen_by, endpoints: usual_sockets(host, wanted), kind: wanted })
}

/// `CONTAINER_HOST`, with the key that Podman would log in with.
fn podmans_address(host: &Host, text: &str) -> Result<Search, Error> {
    let chosen_by = ChosenBy::Variable("CONTAINER_HOST");
    let Some(mut endpoint) = Endpoint::parse(text, None) else {
        return Err(Error::Address { chosen_by, address: text.to_owned() });
    };
    if let (Endpoint::Ssh(target), Some(key)) = (&mut endpoint, host.var("CONTAINER_SSHKEY")) {
        target.key_file = Some(PathBuf::from(key));
    }
    Ok(Search { chosen_by, endpoints: vec![endpoint], kind: None })
}

/// The sockets that Docker, rootless Docker, Docker Desktop and Podman open by default.
fn usual_sockets(host: &Host, kind: Option<Kind>) -> Vec<Endpoint> {
    let runtime_dir = host.var("XDG_RUNTIME_DIR").map_or_else(
        // Where a login sets it, it is this one; `su` and `sudo` do not.
        || (host.uid != 0).then(|| PathBuf::from(format!("/run/user/{}", host.uid))),
        |dir| Some(PathBuf::from(dir)),
    );
    let in_runtime_dir = |name: &str| runtime_dir.as_ref().map(|dir: &PathBuf| dir.join(name));
    let mut sockets = Vec::new();
    if kind != Some(Kind::Podman) {
        sockets.push(PathBuf::from("/var/run/docker.sock"));
        sockets.extend(in_runtime_dir("docker.sock"));
        sockets.push(host.home.join(".docker/run/docker.sock"));
        sockets.push(host.home.join(".docker/desktop/docker.sock"));
    }
    if kind != Some(Kind::Docker) {
        sockets.extend(in_runtime_dir("podman/podman.sock"));
        sockets.push(PathBuf::from("/run/podman/podman.sock"));
    }
    sockets.into_iter().map(Endpoint::Unix).collect()
}

/// Whether a program is installed, by `PATH`.
pub fn is_installed(host: &Host, program: &str) -> bool {
    host.var("PATH").is_some_and(|path| std::env::split_paths(path).any(|dir| is_program(&dir.join(program))))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::super::docker_config::tests::write_context;
    use super::*;

    fn host(home: &Path, vars: &[(&str, &str)]) -> Host {
        Host::new(home, "/", vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn setting(text: &str) -> Setting<EngineChoice> {
        Setting { value: text.parse().unwrap(), source: Source::Flag }
    }

    fn found(host: &Host, choice: Option<&str>) -> (String, String) {
        let choice = choice.map(setting);
        let search = search(host, choice.as_ref()).unwrap();
        (search.chosen_by.to_string(), search.endpoints[0].to_string())
    }

    #[test]
    fn what_is_said_nearest_to_the_run_wins() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        write_context(home, "one", "unix:///one.sock");
        write_context(home, "two", "unix:///two.sock");
        std::fs::write(home.join(".docker/config.json"), r#"{"currentContext":"one"}"#).unwrap();
        let mut vars = vec![
            ("DOCKER_HOST", "unix:///variable.sock"),
            ("DOCKER_CONTEXT", "two"),
            ("CONTAINER_HOST", "unix:///podman.sock"),
        ];
        let pair = |by: &str, at: &str| (by.to_owned(), at.to_owned());
        let flag = Some("unix:///flag.sock");
        assert_eq!(found(&host(home, &vars), flag), pair("--engine unix:///flag.sock", "unix:///flag.sock"));
        assert_eq!(found(&host(home, &vars), Some("one")), pair("--engine one", "unix:///one.sock"));
        assert_eq!(found(&host(home, &vars), None), pair("DOCKER_HOST", "unix:///variable.sock"));
        vars.remove(0);
        assert_eq!(found(&host(home, &vars), None), pair("DOCKER_CONTEXT", "unix:///two.sock"));
        vars.remove(0);
        let file = home.join(".docker/config.json");
        let by = format!("the current Docker context `one` of {}", file.display());
        assert_eq!(found(&host(home, &vars), None), pair(&by, "unix:///one.sock"));
        std::fs::remove_file(file).unwrap();
        assert_eq!(found(&host(home, &vars), None), pair("CONTAINER_HOST", "unix:///podman.sock"));
        vars.remove(0);
        assert_eq!(found(&host(home, &vars), None), pair("the default", "unix:///var/run/docker.sock"));
    }

    #[test]
    fn an_engines_name_narrows_the_search_to_its_own_ways() {
        let folder = tempfile::tempdir().unwrap();
        let vars = [("DOCKER_HOST", "unix:///d.sock"), ("CONTAINER_HOST", "unix:///p.sock")];
        let host = host(folder.path(), &vars);
        assert_eq!(found(&host, Some("docker")).1, "unix:///d.sock");
        assert_eq!(found(&host, Some("podman")).1, "unix:///p.sock");
        let bare = Host::new("/home/alice", "/", [("XDG_RUNTIME_DIR".to_owned(), "/run/user/7".to_owned())]);
        let sockets = |choice: &str| {
            let search = search(&bare, Some(&setting(choice))).unwrap();
            search.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            sockets("podman"),
            ["unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"]
        );
        assert!(sockets("docker").iter().all(|socket| socket.ends_with("docker.sock")));
        assert_eq!(sockets("default").len(), 6);
    }

    #[test]
    fn what_leads_nowhere_says_what_chose_it() {
        let folder = tempfile::tempdir().unwrap();
        let problem =
            |vars: &[(&str, &str)]| search(&host(folder.path(), vars), None).unwrap_err().to_string();
        assert!(problem(&[("DOCKER_HOST", "fd://")]).starts_with("DOCKER_HOST: the address `fd://`"));
        assert!(problem(&[("DOCKER_CONTEXT", "gone")]).starts_with("DOCKER_CONTEXT does not lead"));
    }

    #[test]
    fn keys_go_to_no_other_machine_in_clear_text() {
        let folder = tempfile::tempdir().unwrap();
        write_context(folder.path(), "far", "tcp://10.0.0.7:2375");
        let search = |vars: &[(&str, &str)], choice: Option<&str>| {
            search(&host(folder.path(), vars), choice.map(setting).as_ref())
                .map_err(|error| error.to_string())
        };
        let shares = ("CLAUDE_REACTOR_ENGINE_SHARES_FILES", "true");
        let far = "tcp://build.example:2375";
        for (vars, choice, chosen_by) in [
            (&[("DOCKER_HOST", far)][..], None, "DOCKER_HOST: "),
            (&[("DOCKER_HOST", far), shares], None, "DOCKER_HOST: "),
            (&[("CONTAINER_HOST", far)], None, "CONTAINER_HOST: "),
            (&[("DOCKER_CONTEXT", "far")], None, "DOCKER_CONTEXT: "),
            (&[], Some(far), "--engine tcp://build.example:2375: "),
        ] {
            let problem = search(vars, choice).unwrap_err();
            assert!(problem.starts_with(chosen_by) && problem.contains("not be encrypted"), "{problem}");
        }
        for near in ["tcp://localhost:1", "tcp://127.0.0.1:1", "tcp://[::1]:1", "ssh://build.example"] {
            assert!(search(&[("DOCKER_HOST", near)], None).is_ok(), "{near}");
        }
        assert!(search(&[("DOCKER_HOST", far), ("DOCKER_TLS_VERIFY", "1")], None).is_ok());
    }

    #[test]
    fn podmans_key_is_used_for_podmans_address() {
        let vars = [("CONTAINER_HOST", "ssh://a@b/run/p.sock"), ("CONTAINER_SSHKEY", "/home/alice/.ssh/pod")];
        let found = search(&host(Path::new("/nowhere"), &vars), None).unwrap();
        let [Endpoint::Ssh(target)] = &found.endpoints[..] else { panic!("{found:?}") };
        assert_eq!(target.key_file.as_deref(), Some(Path::new("/home/alice/.ssh/pod")));
    }
}
