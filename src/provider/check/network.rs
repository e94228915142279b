//! How a request gets out of this machine: proxy and certificates, as the caller's environment states them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use crate::host::Host;

/// The caller's way to the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// A proxy's URL may hold a password.
    https_proxy: Option<SecretString>,
    http_proxy: Option<SecretString>,
    no_proxy: String,
    cert_file: Option<PathBuf>,
    cert_dir: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

impl Network {
    /// Takes `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` (each in small letters too), `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// from the host. `ca_file` holds certificates, in PEM form, to be trusted in addition.
    pub fn of(host: &Host, ca_file: Option<PathBuf>) -> Self {
        let var = |name: &str| host.var(name).or_else(|| host.var(&name.to_ascii_lowercase()));
        Self {
            https_proxy: var("HTTPS_PROXY").map(SecretString::from),
            http_proxy: var("HTTP_PROXY").map(SecretString::from),
            no_proxy: var("NO_PROXY").unwrap_or_default().to_owned(),
            cert_file: host.var("SSL_CERT_FILE").map(PathBuf::from),
            cert_dir: host.var("SSL_CERT_DIR").map(PathBuf::from),
            ca_file,
        }
    }

    /// A client for one request to `url`. The error says what is wrong with the settings.
    pub(super) fn agent(&self, url: &Uri, timeout: Duration) -> Result<Agent, String> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // Also keeps ureq from reading the process environment.
            .proxy(self.proxy(url)?);
        if url.scheme_str() == Some("https") {
            config = config.tls_config(TlsConfig::builder().root_certs(self.roots()?).build());
        }
        Ok(config.build().new_agent())
    }

    fn proxy(&self, url: &Uri) -> Result<Option<Proxy>, String> {
        let (name, proxy) = match url.scheme_str() {
            Some("https") => ("HTTPS_PROXY", &self.https_proxy),
            _ => ("HTTP_PROXY", &self.http_proxy),
        };
        let (Some(proxy), Some(host)) = (proxy, url.host()) else { return Ok(None) };
        if is_loopback(host) || bypasses(&self.no_proxy, host) {
            return Ok(None);
        }
        // The error is dropped because the URL may hold a password.
        Proxy::new(proxy.expose_secret()).map(Some).map_err(|_| format!("{name} is not the URL of a proxy"))
    }

    /// The machine's certificates and those of `ca_file`.
    fn roots(&self) -> Result<RootCerts, String> {
        let native = match (&self.cert_file, &self.cert_dir) {
            (None, None) => rustls_native_certs::load_native_certs(),
            (file, dir) => rustls_native_certs::load_certs_from_paths(file.as_deref(), dir.as_deref()),
        };
        let mut certificates: Vec<Certificate<'static>> =
            native.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        if let Some(path) = &self.ca_file {
            certificates.extend(read_certificates(path)?);
        }
        // A machine without a store of its own, such as a bare container, still knows the public authorities.
        Ok(if certificates.is_empty() { RootCerts::WebPki } else { certificates.into() })
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let certificate =
        |item| if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None };
    let found: Vec<_> = ureq::tls::parse_pem(&pem).filter_map(certificate).collect();
    if found.is_empty() {
        return Err(format!("`{}` holds no certificate in PEM form", path.display()));
    }
    Ok(found)
}

/// A proxy elsewhere cannot reach this machine by its own name for itself.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether `NO_PROXY` names a host: `*`, the host itself, or a domain it lies in, with or without a dot or `*.`
/// before it.
fn bypasses(no_proxy: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    no_proxy.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        let below = host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
        domain == "*" || domain == host || below
    })
}

/// What kept a request from being answered, in words that hold neither the key nor a proxy's password.
pub(super) fn explain(error: &ureq::Error, url: &Uri, agent: &Agent) -> String {
    // Not the whole authority: that may hold a password.
    let host = url.host().unwrap_or("the endpoint");
    let mut host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    if agent.config().proxy().is_some() {
        host.push_str(" (through the proxy)");
    }
    let timeout = agent.config().timeouts().global.unwrap_or_default();
    match error {
        ureq::Error::Timeout(_) => format!("no answer from {host} within {} s", timeout.as_secs_f32()),
        ureq::Error::HostNotFound => format!("the name of {host} cannot be resolved"),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            format!("no secure connection to {host}: {error}; a proxy that re-signs TLS needs --ca-file")
        }
        ureq::Error::Io(error) => format!("no connection to {host}: {error}"),
        ureq::Error::ConnectProxyFailed(_) => format!("the proxy refused a connection to {host}"),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => format!("no secure connection to {host}: {error}"),
        _ => format!("no usable answer from {host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(vars: &[(&str, &str)]) -> Network {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Network::of(&Host::new("/h", "/h", vars), None)
    }

    fn proxy(vars: &[(&str, &str)], url: &str) -> Option<String> {
        network(vars).proxy(&url.parse().unwrap()).unwrap().map(|proxy| proxy.host().to_owned())
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let vars = [("HTTPS_PROXY", "http://secure:1"), ("http_proxy", "http://plain:2")];
        assert_eq!(proxy(&vars, "https://api.z.ai/x").as_deref(), Some("secure"));
        assert_eq!(proxy(&vars, "http://api.z.ai/x").as_deref(), Some("plain"));
        assert_eq!(proxy(&vars, "http://localhost:11434/x"), None);
        assert_eq!(proxy(&vars, "http://[::1]:11434/x"), None);
    }

    #[test]
    fn no_proxy_names_hosts_and_domains() {
        for entry in ["*", "api.z.ai", "z.ai", ".z.ai", "*.z.ai", "a.b, API.Z.AI"] {
            assert!(bypasses(entry, "api.z.ai"), "{entry}");
        }
        for entry in ["", ",", "i.z.ai", "xapi.z.ai", "ai.", "z.ai.example"] {
            assert!(!bypasses(entry, "api.z.ai"), "{entry}");
        }
    }

    #[test]
    fn a_proxys_password_is_not_shown() {
        let network = network(&[("HTTPS_PROXY", "http://user:canary@[broken")]);
        let error = network.proxy(&"https://api.z.ai".parse().unwrap()).unwrap_err();
        assert!(!format!("{error} {network:?}").contains("canary"));
        assert_eq!(error, "HTTPS_PROXY is not the URL of a proxy");
    }

    #[test]
    fn a_certificate_file_that_holds_none_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let network = Network { ca_file: Some(file.path().to_owned()), ..Network::default() };
        let error = network.roots().unwrap_err();
        assert_eq!(error, format!("`{}` holds no certificate in PEM form", file.path().display()));
    }
}
