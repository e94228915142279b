//! Addresses of engines: what they look like, and what they mean.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// The port of an engine without TLS, and with it, where an address names none.
const PORTS: (u16, u16) = (2375, 2376);

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A port.
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// What both sides prove themselves with; without it, nothing is encrypted.
        tls: Option<TlsFiles>,
    },
    /// The engine of a machine that is reached by SSH.
    Ssh(SshTarget),
}

/// The files that a TLS connection is made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who may vouch for the engine; without it, whom this machine trusts.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A machine that is reached by SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    /// Who logs in there; without it, SSH's own configuration says.
    pub user: Option<String>,
    /// The machine, or a name of it in SSH's own configuration.
    pub host: String,
    /// The port; without it, SSH's own configuration says.
    pub port: Option<u16>,
    /// The engine's socket there; without it, the engine's own command line knows.
    pub socket: Option<String>,
    /// The file of the key to log in with; without it, SSH's own configuration says.
    pub key_file: Option<PathBuf>,
}

impl Endpoint {
    /// Reads an address. `tls` is used where it is one of a port.
    pub fn parse(address: &str, tls: Option<TlsFiles>) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        match scheme {
            "unix" if rest.starts_with('/') => Some(Self::Unix(PathBuf::from(rest))),
            "tcp" | "http" | "https" => {
                let default_port = if tls.is_some() || scheme == "https" { PORTS.1 } else { PORTS.0 };
                let (host, port) = host_and_port(rest.trim_end_matches('/'))?;
                let tls = if scheme == "https" { Some(tls.unwrap_or_default()) } else { tls };
                Some(Self::Tcp { host, port: port.unwrap_or(default_port), tls })
            }
            "ssh" => ssh(rest).map(Self::Ssh),
            _ => None,
        }
    }

    /// Whether the address alone says that the engine is on this machine, or on one that shows itself as this one: a
    /// socket, or a port that only this machine reaches.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
            }
            Self::Ssh(_) => false,
        }
    }

    /// Whether what is sent there, keys among it, can be read on the way: a port of another machine, without TLS.
    pub(super) fn is_readable_on_the_way(&self) -> bool {
        matches!(self, Self::Tcp { tls: None, .. }) && !self.is_local()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh(SshTarget { user, host, port, socket, .. }) => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                f.write_str(host)?;
                if let Some(port) = port {
                    write!(f, ":{port}")?;
                }
                f.write_str(socket.as_deref().unwrap_or_default())
            }
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map(str::parse).transpose().ok()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
    (!host.is_empty() && host.chars().all(is_name)).then(|| (host.to_owned(), port))
}

/// `[user@]host[:port][/path]`. Only what a shell and SSH itself take as it is: it ends up on both's command lines.
fn ssh(text: &str) -> Option<SshTarget> {
    let plain = |text: &str| {
        !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._@/+,".contains(c))
    };
    let (authority, socket) = match text.find('/') {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let socket = socket.filter(|socket| *socket != "/");
    let (user, place) = match authority.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, authority),
    };
    let (host, port) = host_and_port(place)?;
    let usable = user.is_none_or(|user| !user.is_empty() && plain(user))
        && !host.starts_with('-')
        && socket.is_none_or(plain);
    usable.then(|| SshTarget {
        user: user.map(str::to_owned),
        host,
        port,
        socket: socket.map(str::to_owned),
        key_file: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port, tls: None }
    }

    #[test]
    fn addresses() {
        let parse = |text| Endpoint::parse(text, None);
        assert_eq!(parse("unix:///run/x.sock"), Some(Endpoint::Unix("/run/x.sock".into())));
        assert_eq!(parse("tcp://127.0.0.1:2375/"), Some(tcp("127.0.0.1", 2375)));
        assert_eq!(parse("tcp://build.example"), Some(tcp("build.example", 2375)));
        assert_eq!(parse("tcp://[::1]:4000"), Some(tcp("::1", 4000)));
        let tls = Endpoint::parse("tcp://build.example", Some(TlsFiles::default()));
        assert!(matches!(tls, Some(Endpoint::Tcp { port: 2376, tls: Some(_), .. })), "{tls:?}");
        for bad in [
            "",
            "/run/x.sock",
            "unix://x.sock",
            "tcp://",
            "tcp://a:b",
            "tcp://[x]:1",
            "tcp://a b",
            "fd://",
            "ssh://",
            "ssh://-oProxyCommand=evil",
            "ssh://-l@host",
            "ssh://host/run/$(evil).sock",
            "ssh://host:port",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn machines_reached_by_ssh_read_back_as_written() {
        for text in
            ["ssh://host", "ssh://alice@host", "ssh://alice@host:2222/run/user/1000/podman/podman.sock"]
        {
            assert_eq!(Endpoint::parse(text, None).unwrap().to_string(), text);
        }
        let Some(Endpoint::Ssh(target)) = Endpoint::parse("ssh://alice@host:2222/run/p.sock", None) else {
            panic!("it is one")
        };
        assert_eq!((target.user.as_deref(), &*target.host, target.port), (Some("alice"), "host", Some(2222)));
        assert_eq!(target.socket.as_deref(), Some("/run/p.sock"));
    }

    #[test]
    fn what_an_address_says_of_the_machine() {
        let is_local = |text| Endpoint::parse(text, None).unwrap().is_local();
        for local in ["unix:///x", "tcp://localhost:1", "tcp://127.0.0.2:1", "tcp://[::1]:1"] {
            assert!(is_local(local), "{local}");
        }
        for remote in ["tcp://10.0.0.1:1", "tcp://docker:2375", "ssh://localhost"] {
            assert!(!is_local(remote), "{remote}");
        }
    }
}
