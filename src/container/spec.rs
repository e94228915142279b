//! What a container is to look like: a pure function of the choices, and a digest to compare it by.
//!
//! Everything that a running container cannot change is here, and nothing else: a rotated key or another model travels
//! with the session and needs no new container.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mount::Mount;
use super::name::{Identity, LABEL_PREFIX};
use crate::config::limits::Pids;
use crate::digest::hex;

/// Where the project is inside.
pub const WORKDIR: &str = "/app";
/// Claude Code's own folder inside: state, settings and history of this provider.
pub const CLAUDE_CONFIG_DIR: &str = "/home/claude/.claude";
/// The extra CA certificates inside.
pub(super) const CA_FILE: &str = "/etc/claude-reactor/ca.pem";
/// The image's CA certificates and the extra ones in one file, for programs that take one file only. The container's
/// main process writes it, as the session's user, so it lies where everyone may write.
pub(super) const CA_BUNDLE: &str = "/tmp/.claude-reactor-ca.pem";
/// The user the image has.
const IMAGE_USER: User = User { uid: 1000, gid: 1000 };

/// Who runs inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The caller's user id.
    pub uid: u32,
    /// The caller's group id.
    pub gid: u32,
}

impl User {
    /// The home folder inside.
    pub fn home(self) -> &'static str {
        if self.uid == 0 { "/root" } else { "/home/claude" }
    }

    /// Whether the built-in images have this user. For any other, `passwd` and a home of its own are put in.
    pub fn is_known_to_image(self) -> bool {
        self.uid == 0 || self == IMAGE_USER
    }
}

/// A container to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The image's reference; a built-in image's tag carries a digest of what made it.
    pub image: String,
    /// Who runs inside.
    pub user: User,
    /// The engine's user namespace mode, where it is not the engine's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userns: Option<String>,
    /// Host folders inside.
    pub mounts: Vec<Mount>,
    /// Variables every process inside gets. No secret is among them.
    pub env: BTreeMap<String, String>,
    /// With `llm.env: container`, a digest of the session's variables, which are then set at creation too.
    pub session_env_digest: Option<String>,
    /// A digest of the extra CA certificates: a mounted file keeps its old content once another takes its name.
    pub ca_digest: Option<String>,
    /// What keeps the container up.
    pub command: Vec<String>,
    /// Names of hosts the container knows in addition, as the engines write them.
    pub extra_hosts: Vec<String>,
    /// Capabilities taken away from the engine's default set.
    pub cap_drop: Vec<String>,
    /// The most processes at once; a fork bomb ends there.
    pub pids_limit: i64,
    /// The most processors, in billionths of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nano_cpus: Option<i64>,
    /// The most memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Options of the engine's that make the container safer, as the engines write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_opt: Vec<String>,
}

/// What a container may use at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Processors, in billionths of one.
    pub nano_cpus: Option<i64>,
    /// Memory, in bytes.
    pub memory: Option<i64>,
    /// Processes at once.
    pub pids: Option<i64>,
}

/// Extra CA certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFile {
    /// The PEM file, absolute and without links.
    pub path: PathBuf,
    /// The SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

impl CaFile {
    /// Finds and reads a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let digest = hex(&Sha256::digest(std::fs::read(&path)?));
        Ok(Self { path, digest })
    }
}

/// What a spec is made of.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    /// The image's reference.
    pub image: &'a str,
    /// Who runs inside.
    pub user: User,
    /// The project's folder.
    pub project: &'a str,
    /// The folder that becomes `CLAUDE_CONFIG_DIR`.
    pub claude_config: &'a str,
    /// The conversation history.
    pub history: &'a str,
    /// CA certificates to trust in addition.
    pub ca_file: Option<&'a CaFile>,
    /// The user's own mounts.
    pub mounts: Vec<Mount>,
    /// The user's own variables for every process inside. What claude-reactor sets itself wins.
    pub variables: BTreeMap<String, String>,
    /// Whether `sudo` works inside.
    pub sudo: bool,
    /// What the container may use at most.
    pub limits: Limits,
    /// With `llm.env: container`, a digest of the session's variables.
    pub session_env_digest: Option<String>,
}

impl ContainerSpec {
    /// The spec for these parts.
    pub fn new(parts: Parts<'_>) -> Self {
        let mut mounts = vec![
            Mount::writable(parts.project, WORKDIR),
            Mount::writable(parts.claude_config, CLAUDE_CONFIG_DIR),
            Mount::writable(parts.history, format!("{CLAUDE_CONFIG_DIR}/projects")),
        ];
        let mut env = parts.variables;
        for (name, value) in [("HOME", parts.user.home()), ("CLAUDE_CONFIG_DIR", CLAUDE_CONFIG_DIR)] {
            env.insert(name.to_owned(), value.to_owned());
        }
        if parts.user.uid == 0 {
            // Claude Code refuses danger mode to root anywhere else.
            env.insert("IS_SANDBOX".to_owned(), "1".to_owned());
        }
        let mut command = vec!["sleep".to_owned(), "infinity".to_owned()];
        if let Some(ca_file) = parts.ca_file {
            mounts.push(Mount::read_only(ca_file.path.to_string_lossy(), CA_FILE));
            env.extend(ca_variables());
            command = vec![
                "sh".to_owned(),
                "-c".to_owned(),
                // Renamed into place, so that it is never there in part.
                format!(
                    "cat /etc/ssl/certs/ca-certificates.crt {CA_FILE} >{CA_BUNDLE}.new && \
                     mv {CA_BUNDLE}.new {CA_BUNDLE}; exec sleep infinity"
                ),
            ];
        }
        mounts.extend(parts.mounts);
        Self {
            image: parts.image.to_owned(),
            user: parts.user,
            userns: None,
            mounts,
            env,
            session_env_digest: parts.session_env_digest,
            ca_digest: parts.ca_file.map(|ca_file| ca_file.digest.clone()),
            command,
            extra_hosts: vec!["host.docker.internal:host-gateway".to_owned()],
            cap_drop: ["MKNOD", "NET_ADMIN", "NET_RAW"].map(str::to_owned).to_vec(),
            pids_limit: parts.limits.pids.unwrap_or(Pids::DEFAULT.count()),
            nano_cpus: parts.limits.nano_cpus,
            memory: parts.limits.memory,
            // The image's user becomes root by sudo alone, and sudo is nothing without this.
            security_opt: if parts.sudo { Vec::new() } else { vec!["no-new-privileges".to_owned()] },
        }
    }

    /// The spec as text, the same for equal specs.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a spec is plain data")
    }

    /// What specs are compared by.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.to_json()))
    }

    /// The labels the container gets: those it is found by, and the spec it was made from.
    pub fn labels(&self, identity: &Identity) -> BTreeMap<String, String> {
        let mut labels = identity.labels();
        labels.insert(spec_label(), self.to_json());
        labels.insert(spec_digest_label(), self.digest());
        labels
    }
}

/// The label that holds the spec, so that a difference can be named.
pub fn spec_label() -> String {
    format!("{LABEL_PREFIX}spec")
}

/// The label that holds the spec's digest.
pub fn spec_digest_label() -> String {
    format!("{LABEL_PREFIX}spec-digest")
}

/// The variables by which the usual programs find extra certificates. `NODE_EXTRA_CA_CERTS` adds to the built-in ones;
/// the others replace them, hence the bundle.
fn ca_variables() -> impl Iterator<Item = (String, String)> {
    let bundle = [
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "REQUESTS_CA_BUNDLE",
        "PIP_CERT",
        "CARGO_HTTP_CAINFO",
        "AWS_CA_BUNDLE",
    ];
    bundle
        .into_iter()
        .map(|name| (name.to_owned(), CA_BUNDLE.to_owned()))
        .chain([("NODE_EXTRA_CA_CERTS".to_owned(), CA_FILE.to_owned())])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::container) fn spec(uid: u32) -> ContainerSpec {
        ContainerSpec::new(parts(uid))
    }

    pub(in crate::container) fn parts(uid: u32) -> Parts<'static> {
        Parts {
            image: "claude-reactor/base:0123456789ab",
            user: User { uid, gid: uid },
            project: "/home/alice/my-app",
            claude_config: "/home/alice/.claude-reactor/alice/my-app-76a2e845/providers/zai",
            history: "/home/alice/.claude-reactor/alice/my-app-76a2e845/projects",
            ca_file: None,
            mounts: Vec::new(),
            variables: BTreeMap::new(),
            sudo: true,
            limits: Limits::default(),
            session_env_digest: None,
        }
    }

    #[test]
    fn limits_variables_and_the_lack_of_sudo_are_in_it_only_where_they_were_chosen() {
        let limits = Limits { nano_cpus: Some(1_500_000_000), memory: Some(4 << 30), pids: Some(200) };
        let variables = [("EDITOR", "vim"), ("HOME", "/elsewhere")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let spec = ContainerSpec::new(Parts { variables, sudo: false, limits, ..parts(1000) });
        assert_eq!((spec.nano_cpus, spec.memory, spec.pids_limit), (Some(1_500_000_000), Some(4 << 30), 200));
        assert_eq!(spec.security_opt, ["no-new-privileges"]);
        assert_eq!((spec.env["EDITOR"].as_str(), spec.env["HOME"].as_str()), ("vim", "/home/claude"));
        let untouched = super::tests::spec(1000).to_json();
        for field in ["nano_cpus", "memory", "security_opt"] {
            assert!(!untouched.contains(field), "it would make every container anew for nothing: {field}");
        }
    }

    #[test]
    fn the_whole_spec() {
        insta::assert_json_snapshot!(spec(1000));
    }

    #[test]
    fn extra_certificates_are_mounted_and_named() {
        let mut parts = spec(1000);
        let with_ca = ContainerSpec::new(Parts {
            image: &parts.image.clone(),
            user: parts.user,
            project: "/p",
            claude_config: "/c",
            history: "/h",
            ca_file: Some(&CaFile { path: "/etc/company.pem".into(), digest: "c0ffee".to_owned() }),
            mounts: vec![Mount::read_only("/data", "/mnt/data")],
            variables: BTreeMap::new(),
            sudo: true,
            limits: Limits::default(),
            session_env_digest: None,
        });
        assert!(with_ca.mounts.contains(&Mount::read_only("/etc/company.pem", CA_FILE)));
        assert!(with_ca.mounts.contains(&Mount::read_only("/data", "/mnt/data")));
        assert_eq!(with_ca.ca_digest.as_deref(), Some("c0ffee"));
        assert_eq!(with_ca.env["NODE_EXTRA_CA_CERTS"], CA_FILE);
        assert_eq!(with_ca.env["GIT_SSL_CAINFO"], CA_BUNDLE);
        parts.env.clear();
        assert_ne!(parts.digest(), spec(1000).digest(), "every field counts");
    }

    #[test]
    fn root_is_at_home_and_in_a_sandbox() {
        let root = spec(0);
        assert_eq!(root.env["HOME"], "/root");
        assert_eq!(root.env["IS_SANDBOX"], "1");
        assert!(!spec(12345).env.contains_key("IS_SANDBOX"));
        assert!(root.user.is_known_to_image());
        assert!(!spec(12345).user.is_known_to_image());
    }

    #[test]
    fn a_spec_reads_back_as_itself() {
        let spec = spec(12345);
        let back: ContainerSpec = serde_json::from_str(&spec.to_json()).unwrap();
        assert_eq!(back, spec);
        assert_eq!(back.digest(), spec.digest());
    }
}
