//! TLS to an engine: the files it takes, and the connection made with them.
//!
//! The engine always has to prove who it is: what runs there sees the user's keys and files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::endpoint::TlsFiles;

/// What a TLS connection is made with, read and checked.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// The connector holds the key.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there, or not as it should be. What it holds is not shown.
    #[error("{} cannot be used for TLS to the engine: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The host has no name that a certificate could be for.
    #[error("`{0}` is not a host that a certificate can be for")]
    Name(String),
    /// The files do not fit each other.
    #[error("the certificate and the key for TLS to the engine cannot be used")]
    Material(#[source] rustls::Error),
}

/// One side does not believe the other, or does not speak TLS at all.
#[derive(Debug, thiserror::Error)]
#[error("{words} ({source})")]
pub(super) struct Mistrust {
    words: &'static str,
    #[source]
    source: rustls::Error,
}

impl Mistrust {
    /// What is behind the failure of a connection, where it is that. An engine that wants a certificate may say so only
    /// after it was asked something.
    pub(super) fn behind(error: &io::Error) -> Option<Self> {
        use AlertDescription as Alert;
        let source = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        let words = match source {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    "the engine's certificate is for another host"
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the engine's certificate has expired"
                }
                _ => "the engine's certificate is by no authority that you trust, ca.pem",
            },
            rustls::Error::AlertReceived(Alert::CertificateRequired) => {
                "the engine demands a certificate of yours, cert.pem and key.pem"
            }
            // Before version 1.3 of TLS, one that is missing is a bad one, too.
            rustls::Error::AlertReceived(
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::DecryptError,
            ) => "the engine demands another certificate of yours, cert.pem and key.pem",
            rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS",
            _ => return None,
        };
        Some(Self { words, source: source.clone() })
    }
}

impl Tls {
    /// Reads the files.
    pub(super) fn read(host: &str, files: &TlsFiles) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Name(host.to_owned()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Material)?
            .with_root_certificates(roots(files.ca.as_deref())?);
        let config = match &files.identity {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let key_der = PrivateKeyDer::from_pem_slice(&content(key)?)
                    .map_err(|_| Error::File { path: key.clone(), problem: "no private key in PEM form" })?;
                config.with_client_auth_cert(certificates(certificate)?, key_der).map_err(Error::Material)?
            }
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Makes a connection a TLS connection.
    pub(super) async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(Error::Material)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&content(path)?).collect();
    let found = read.ok().filter(|found| !found.is_empty());
    found.ok_or(Error::File { path: path.to_owned(), problem: "no certificate in PEM form" })
}

fn content(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::File {
        path: path.to_owned(),
        problem: match error.kind() {
            io::ErrorKind::NotFound => "there is no such file",
            io::ErrorKind::PermissionDenied => "you may not read it",
            _ => "it cannot be read",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_one_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "sk-secret").unwrap();
        let missing = folder.path().join("cert.pem");
        let read = |files| Tls::read("build.example", &files).unwrap_err().to_string();
        let problem = read(TlsFiles { ca: Some(path.clone()), identity: None });
        assert!(problem.contains("ca.pem") && problem.contains("no certificate"), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
        let problem = read(TlsFiles { ca: None, identity: Some((missing.clone(), missing)) });
        assert!(problem.contains("cert.pem") && problem.contains("no such file"), "{problem}");
    }
}
