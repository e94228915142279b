//! The part of the Docker command line's own configuration that says where the engine is: the contexts.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::endpoint::{Endpoint, TlsFiles};
use crate::digest::hex;
use crate::host::Host;

/// Why the configuration does not say where the engine is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A file is not what the Docker command line writes.
    #[error("{} is not as the Docker command line writes it (line {line})", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line that cannot be.
        line: usize,
    },
    /// No context has this name.
    #[error("there is no Docker context `{name}` in {}", folder.display())]
    Missing {
        /// The name.
        name: String,
        /// Where contexts are.
        folder: PathBuf,
    },
    /// The context has no engine that can be used.
    #[error("the Docker context `{name}` {problem}")]
    Unusable {
        /// The context.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The Docker command line's configuration folder.
#[derive(Debug)]
pub(super) struct DockerConfig {
    folder: PathBuf,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: std::collections::BTreeMap<String, MetaEndpoint>,
}

#[derive(Deserialize)]
struct MetaEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

impl DockerConfig {
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub(super) fn of(host: &Host) -> Self {
        let folder = host.var("DOCKER_CONFIG").map_or_else(|| host.home.join(".docker"), PathBuf::from);
        Self { folder }
    }

    /// The file with the choices.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// The context that was chosen with `docker context use`; none is the same as `default`.
    pub(super) fn current_context(&self) -> Result<Option<String>, Error> {
        let Some(text) = read(&self.file())? else { return Ok(None) };
        let file: ConfigFile = parse(&self.file(), &text)?;
        Ok(file.current_context.filter(|name| !name.is_empty() && name != "default"))
    }

    /// The engine of a context.
    pub(super) fn context(&self, name: &str) -> Result<Endpoint, Error> {
        let contexts = self.folder.join("contexts");
        let id = hex(&Sha256::digest(name));
        let path = contexts.join("meta").join(&id).join("meta.json");
        let Some(text) = read(&path)? else {
            return Err(Error::Missing { name: name.to_owned(), folder: contexts });
        };
        let meta: Meta = parse(&path, &text)?;
        let unusable = |problem: String| Error::Unusable { name: name.to_owned(), problem };
        let endpoint = meta.endpoints.get("docker").filter(|endpoint| !endpoint.host.is_empty());
        let endpoint = endpoint.ok_or_else(|| unusable("names no engine".to_owned()))?;
        if endpoint.skip_tls_verify {
            let problem = "does without checking who the engine is, which is not done here: what runs there sees \
                           your keys and files";
            return Err(unusable(problem.to_owned()));
        }
        let tls = self.folder.join("contexts/tls").join(&id).join("docker");
        Endpoint::parse(&endpoint.host, TlsFiles::of_folder(&tls)).ok_or_else(|| {
            unusable(format!("names `{}`, which is not an address that can be used", endpoint.host))
        })
    }

    /// What `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` ask for on a port.
    pub(super) fn tls_of_environment(&self, host: &Host) -> Option<TlsFiles> {
        let wanted = host.var("DOCKER_TLS_VERIFY").is_some()
            || host.var("DOCKER_TLS").is_some_and(|value| !["0", "f", "false"].contains(&value));
        let folder = host.var("DOCKER_CERT_PATH").map_or_else(|| self.folder.clone(), PathBuf::from);
        wanted.then(|| TlsFiles::of_folder(&folder).unwrap_or_default())
    }
}

impl TlsFiles {
    /// Those of `ca.pem`, `cert.pem` and `key.pem` that a folder has; none of them is no TLS.
    fn of_folder(folder: &Path) -> Option<Self> {
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let (ca, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
        let identity = match (certificate, key) {
            (None, None) => None,
            // One without the other is a mistake, which reading the other one tells.
            (certificate, key) => Some((
                certificate.unwrap_or_else(|| folder.join("cert.pem")),
                key.unwrap_or_else(|| folder.join("key.pem")),
            )),
        };
        (ca.is_some() || identity.is_some()).then_some(Self { ca, identity })
    }
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

/// The parser's own words are left out: the file may hold a registry's password.
fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Syntax { path: path.to_owned(), line: error.line() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes what `docker context create` writes.
    pub(in super::super) fn write_context(home: &Path, name: &str, host: &str) -> PathBuf {
        let id = hex(&Sha256::digest(name));
        let meta = home.join(".docker/contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        let text = format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        std::fs::write(meta.join("meta.json"), text).unwrap();
        home.join(".docker/contexts/tls").join(id).join("docker")
    }

    fn config(home: &Path) -> DockerConfig {
        DockerConfig::of(&Host::new(home, "/", []))
    }

    #[test]
    fn the_current_context() {
        let home = tempfile::tempdir().unwrap();
        let current = || config(home.path()).current_context();
        assert_eq!(current().unwrap(), None, "without a file");
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        let write = |text: &str| std::fs::write(home.path().join(".docker/config.json"), text).unwrap();
        write(r#"{"auths":{"ghcr.io":{"auth":"c2VjcmV0"}}}"#);
        assert_eq!(current().unwrap(), None);
        write(r#"{"currentContext":"default"}"#);
        assert_eq!(current().unwrap(), None);
        write(r#"{"currentContext":"colima"}"#);
        assert_eq!(current().unwrap().as_deref(), Some("colima"));
        write("{\"auths\":\n{\"ghcr.io\": c2VjcmV0");
        let problem = current().unwrap_err().to_string();
        assert!(problem.contains("config.json") && problem.contains("line 2"), "{problem}");
        assert!(!problem.contains("c2VjcmV0"), "{problem}");
    }

    #[test]
    fn the_engine_of_a_context() {
        let home = tempfile::tempdir().unwrap();
        write_context(home.path(), "rootless", "unix:///run/user/1000/docker.sock");
        write_context(home.path(), "away", "ssh://alice@build");
        write_context(home.path(), "strange", "npipe:////./pipe/docker_engine");
        let tls = write_context(home.path(), "secure", "tcp://10.0.0.7:2376");
        std::fs::create_dir_all(&tls).unwrap();
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            std::fs::write(tls.join(name), "").unwrap();
        }
        let context = |name: &str| config(home.path()).context(name);
        assert_eq!(context("rootless").unwrap().to_string(), "unix:///run/user/1000/docker.sock");
        assert_eq!(context("away").unwrap().to_string(), "ssh://alice@build");
        let expected = TlsFiles {
            ca: Some(tls.join("ca.pem")),
            identity: Some((tls.join("cert.pem"), tls.join("key.pem"))),
        };
        let secure = Endpoint::Tcp { host: "10.0.0.7".to_owned(), port: 2376, tls: Some(expected) };
        assert_eq!(context("secure").unwrap(), secure);
        assert!(matches!(context("nowhere"), Err(Error::Missing { .. })));
        assert!(matches!(context("strange"), Err(Error::Unusable { .. })));
    }
}
