//! The files of `~/.ssh` for a session that has the caller's agent: known hosts, what hosts are called, public keys.
//!
//! Made anew from the caller's own files, never mounted: beside them lie private keys. Of the configuration only what
//! says where a host is and which of the agent's keys it gets; nothing that runs a program or reads another file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::wary_file::{self, Links};

/// Larger files are not somebody's own known hosts.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Larger files are no public keys.
const LARGEST_KEY: u64 = 64 * 1024;

/// What is taken over as it is.
const TAKEN: [&str; 11] = [
    "host",
    "hostname",
    "hostkeyalias",
    "user",
    "port",
    "proxyjump",
    "identitiesonly",
    "addressfamily",
    "connecttimeout",
    "serveraliveinterval",
    "serveralivecountmax",
];

/// The keys that ssh tries where a host names none.
const USUAL_KEYS: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// The files for the session, by name. A private key is never among them: what is no public key is left out.
pub fn files(host: &Host) -> BTreeMap<String, String> {
    let ssh = host.home.join(".ssh");
    let text = |path: &Path, largest| {
        wary_file::read(path, Links::Followed, largest).ok().flatten().map(|opened| opened.text)
    };
    let public = |path: &Path| text(path, LARGEST_KEY).filter(|text| is_public_key(text));
    let mut files = BTreeMap::new();
    for name in USUAL_KEYS {
        let name = format!("{name}.pub");
        let key = public(&ssh.join(&name));
        files.extend(key.map(|key| (name, key)));
    }
    let config = text(&ssh.join("config"), LARGEST).unwrap_or_default();
    let config = filter(&config, |identity| {
        let path = identity_path(identity, host)?;
        let name = path.file_name()?.to_str()?.to_owned();
        let key = public(&path)?;
        files.insert(name.clone(), key);
        Some(name)
    });
    files.extend((!config.is_empty()).then(|| ("config".to_owned(), config)));
    files.extend(text(&ssh.join("known_hosts"), LARGEST).map(|known| ("known_hosts".to_owned(), known)));
    files
}

/// The configuration, narrowed. `public_key` gives the name of the public key that lies inside for an `IdentityFile`.
fn filter(config: &str, mut public_key: impl FnMut(&str) -> Option<String>) -> String {
    let mut kept = String::new();
    let mut in_match = false;
    for line in config.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
        let (keyword, value) = line.split_at(end);
        let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        let keyword_known = keyword.to_ascii_lowercase();
        match keyword_known.as_str() {
            // Conditions may run programs, and without them the lines below would say too much.
            "match" => in_match = true,
            "host" => in_match = false,
            _ => {}
        }
        if in_match || value.is_empty() || value.contains(char::is_control) {
            continue;
        }
        let line = if TAKEN.contains(&keyword_known.as_str()) {
            Some(format!("{keyword} {value}\n"))
        } else if keyword_known == "identityfile" {
            public_key(value.trim_matches('"')).map(|name| format!("IdentityFile \"~/.ssh/{name}\"\n"))
        } else {
            None
        };
        kept.extend(line);
    }
    kept
}

/// Where the public key of an `IdentityFile` lies on the host.
fn identity_path(identity: &str, host: &Host) -> Option<PathBuf> {
    let identity = match identity.strip_prefix("%d/") {
        Some(rest) => format!("~/{rest}"),
        None => identity.to_owned(),
    };
    if identity.contains('%') || identity.contains('"') {
        return None;
    }
    let path = host.absolute(&format!("{}.pub", identity.strip_suffix(".pub").unwrap_or(&identity)));
    (identity.starts_with('/') || identity.starts_with("~/")).then_some(path)
}

fn is_public_key(text: &str) -> bool {
    let mut lines = text.trim().lines();
    let known = lines.next().is_some_and(|line| {
        ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| line.starts_with(kind)) && line.contains(' ')
    });
    known && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const CONFIG: &str = r#"
# a comment
User everywhere
Include ~/.ssh/config.d/*
Host work github.com-work
    HostName github.com
    hostname=github.example
    IdentityFile ~/.ssh/work
    IdentityFile "~/.ssh/stolen"
    IdentitiesOnly yes
    ProxyCommand nc %h %p
    LocalCommand rm -rf /
    PermitLocalCommand yes
    UserKnownHostsFile /dev/null
    ForwardAgent yes
    SetEnv TOKEN=hunter2
Match exec "true"
    ProxyCommand evil
    User evil
Host inner
    ProxyJump work
    Port 2222
    IdentityAgent ~/.1password/agent.sock
    PKCS11Provider /tmp/evil.so
    KnownHostsCommand /tmp/evil
"#;

    #[test]
    fn the_configuration_says_where_hosts_are_and_runs_nothing() {
        let public_key = |identity: &str| (identity == "~/.ssh/work").then(|| "work.pub".to_owned());
        assert_eq!(
            filter(CONFIG, public_key),
            "User everywhere\nHost work github.com-work\nHostName github.com\nhostname github.example\n\
             IdentityFile \"~/.ssh/work.pub\"\nIdentitiesOnly yes\nHost inner\nProxyJump work\nPort 2222\n"
        );
    }

    #[test]
    fn private_keys_stay() {
        const PRIVATE: &str =
            "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n";
        const PUBLIC: &str = "ssh-ed25519 AAAAC3 alice@laptop\n";
        let dir = tempfile::tempdir().unwrap();
        let ssh = dir.path().join(".ssh");
        fs::create_dir(&ssh).unwrap();
        for (name, text) in [
            ("config", CONFIG),
            ("known_hosts", "github.com ssh-ed25519 AAAA\n"),
            ("id_ed25519", PRIVATE),
            ("id_ed25519.pub", PUBLIC),
            ("id_rsa.pub", PRIVATE),
            ("work", PRIVATE),
            ("work.pub", PUBLIC),
            ("stolen.pub", PRIVATE),
        ] {
            fs::write(ssh.join(name), text).unwrap();
        }
        let files = files(&Host::new(dir.path(), dir.path(), []));
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["config", "id_ed25519.pub", "known_hosts", "work.pub"]);
        assert!(files.values().all(|text| !text.contains("hunter2")), "{files:?}");
        assert_eq!(files["work.pub"], PUBLIC);
    }

    #[test]
    fn there_may_be_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(files(&Host::new(dir.path(), dir.path(), [])), BTreeMap::new());
    }
}
