//! What a container is to look like: a pure function of the choices, and a digest to compare it by.
//!
//! Everything that a running container cannot change is here, and nothing else: a rotated key or another model travels
//! with the session and needs no new container.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::carried;
use super::image_check::CA_BUNDLES;
use super::local_image::LocalImage;
use super::managed_settings;
use super::mount::Mount;
use super::name::{Identity, LABEL_PREFIX};
use crate::config::limits::Pids;
use crate::digest::hex;
use crate::provider::{credential_files, login};

/// Where the project is inside.
pub const WORKDIR: &str = "/app";
/// Claude Code's own folder inside: state, settings and history of this provider.
pub const CLAUDE_CONFIG_DIR: &str = "/home/claude/.claude";
/// The extra CA certificates inside.
pub const CA_FILE: &str = "/etc/claude-reactor/ca.pem";
/// Names of hosts that a session knows in addition, as the engines write them.
pub(super) const HOST_NAMES: [&str; 1] = ["host.docker.internal:host-gateway"];
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
    /// With `llm.env: container`, a digest of each of the session's variables, which are then set at creation too.
    pub session_env: BTreeMap<String, String>,
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
    /// The id of an image of the user's, whose reference may name another one tomorrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// Variables of an image of the user's that no process inside gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
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

/// The folders of an account's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFolders {
    /// The login itself, which Claude Code writes.
    pub login: String,
    /// The settings that protect it.
    pub policy: String,
}

/// What a spec is made of.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    /// The image's reference.
    pub image: &'a str,
    /// An image of the user's.
    pub custom: Option<&'a LocalImage>,
    /// Who runs inside.
    pub user: User,
    /// The project's folder.
    pub project: &'a str,
    /// The folder that becomes `CLAUDE_CONFIG_DIR`.
    pub claude_config: &'a str,
    /// The conversation history.
    pub history: &'a str,
    /// What a session has of its developer, in files.
    pub carried: &'a str,
    /// The provider's credential files, where it has any.
    pub credential_files: Option<&'a str>,
    /// Where the session logs in by the account's subscription.
    pub login: Option<LoginFolders>,
    /// CA certificates to trust in addition.
    pub ca_file: Option<&'a CaFile>,
    /// The user's own mounts, and those that follow from the project and the caller.
    pub mounts: Vec<Mount>,
    /// The user's own variables for every process inside. What claude-reactor sets itself wins.
    pub variables: BTreeMap<String, String>,
    /// Whether `sudo` works inside.
    pub sudo: bool,
    /// What the container may use at most.
    pub limits: Limits,
    /// With `llm.env: container`, a digest of each of the session's variables.
    pub session_env: BTreeMap<String, String>,
}

impl ContainerSpec {
    /// The spec for these parts.
    pub fn new(parts: Parts<'_>) -> Self {
        let mut mounts = vec![
            Mount::writable(parts.project, WORKDIR),
            Mount::writable(parts.claude_config, CLAUDE_CONFIG_DIR),
            Mount::writable(parts.history, format!("{CLAUDE_CONFIG_DIR}/projects")),
            Mount::read_only(parts.carried, carried::FOLDER),
        ];
        mounts
            .extend(parts.credential_files.map(|folder| Mount::read_only(folder, credential_files::INSIDE)));
        if let Some(LoginFolders { login, policy }) = parts.login {
            mounts.push(Mount::writable(login, login::INSIDE));
            mounts.push(Mount::read_only(policy, managed_settings::INSIDE));
        }
        let mut env = parts.variables;
        for (name, value) in [
            ("HOME", parts.user.home()),
            ("CLAUDE_CONFIG_DIR", CLAUDE_CONFIG_DIR),
            ("GIT_CONFIG_SYSTEM", carried::GIT_CONFIG),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
        if parts.user.uid == 0 {
            // Claude Code refuses danger mode to root anywhere else.
            env.insert("IS_SANDBOX".to_owned(), "1".to_owned());
        }
        if parts.custom.is_some() {
            // As in the built-in images: an update inside would be gone with the container.
            env.entry("DISABLE_AUTOUPDATER".to_owned()).or_insert_with(|| "1".to_owned());
        }
        let mut command = vec!["sleep".to_owned(), "infinity".to_owned()];
        if let Some(ca_file) = parts.ca_file {
            mounts.push(Mount::read_only(ca_file.path.to_string_lossy(), CA_FILE));
            env.extend(ca_variables());
            command = vec!["sh".to_owned(), "-c".to_owned(), ca_script(parts.custom.is_some())];
        }
        mounts.extend(parts.mounts);
        // In whatever order they were given, they are the same mounts; the engines put a place before what is in it.
        mounts.sort_by(|one, two| one.target.cmp(&two.target));
        let mut unset = parts.custom.map(LocalImage::unset).unwrap_or_default();
        unset.retain(|name| !env.contains_key(name));
        Self {
            image: parts.custom.map_or(parts.image, |image| &image.name).to_owned(),
            image_id: parts.custom.map(|image| image.id.clone()),
            unset,
            user: parts.user,
            userns: None,
            mounts,
            env,
            session_env: parts.session_env,
            ca_digest: parts.ca_file.map(|ca_file| ca_file.digest.clone()),
            command,
            extra_hosts: HOST_NAMES.map(str::to_owned).to_vec(),
            cap_drop: ["MKNOD", "NET_ADMIN", "NET_RAW"].map(str::to_owned).to_vec(),
            pids_limit: parts.limits.pids.unwrap_or(Pids::DEFAULT.count()),
            nano_cpus: parts.limits.nano_cpus,
            memory: parts.limits.memory,
            // The image's user becomes root by sudo alone, and sudo is nothing without this.
            security_opt: if parts.sudo { Vec::new() } else { vec!["no-new-privileges".to_owned()] },
        }
    }

    /// Whether its user has a name and a home in the image; where not, they are put in. An image of the user's may have
    /// anybody.
    pub fn knows_user(&self) -> bool {
        self.image_id.is_none() && self.user.is_known_to_image()
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

/// Puts the certificates of the image and the extra ones together, and then keeps the container up. What is renamed into
/// place is never there in part.
fn ca_script(any_image: bool) -> String {
    let together = if any_image {
        // Not every distribution keeps its own in the same place, and not every image has any.
        let places = CA_BUNDLES.join(" ");
        format!("{{ for file in {places}; do [ -r $file ] && cat $file && break; done; cat {CA_FILE}; }}")
    } else {
        format!("cat /etc/ssl/certs/ca-certificates.crt {CA_FILE}")
    };
    format!("{together} >{CA_BUNDLE}.new && mv {CA_BUNDLE}.new {CA_BUNDLE}; exec sleep infinity")
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
pub(super) fn ca_variables() -> impl Iterator<Item = (String, String)> {
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
            custom: None,
            user: User { uid, gid: uid },
            project: "/home/alice/my-app",
            claude_config: "/home/alice/.claude-reactor/alice/my-app-76a2e845/providers/zai",
            history: "/home/alice/.claude-reactor/alice/my-app-76a2e845/projects",
            carried: "/home/alice/.claude-reactor/alice/my-app-76a2e845/carried",
            credential_files: None,
            login: None,
            ca_file: None,
            mounts: Vec::new(),
            variables: BTreeMap::new(),
            sudo: true,
            limits: Limits::default(),
            session_env: BTreeMap::new(),
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
    fn extra_certificates_and_a_login_are_mounted_and_named() {
        let mut parts = spec(1000);
        let with_ca = ContainerSpec::new(Parts {
            image: &parts.image.clone(),
            custom: None,
            user: parts.user,
            project: "/p",
            claude_config: "/c",
            history: "/h",
            carried: "/d",
            credential_files: Some("/f"),
            login: Some(LoginFolders { login: "/l".to_owned(), policy: "/p".to_owned() }),
            ca_file: Some(&CaFile { path: "/etc/company.pem".into(), digest: "c0ffee".to_owned() }),
            mounts: vec![Mount::read_only("/data", "/mnt/data")],
            variables: BTreeMap::new(),
            sudo: true,
            limits: Limits::default(),
            session_env: BTreeMap::new(),
        });
        assert!(with_ca.mounts.contains(&Mount::read_only("/etc/company.pem", CA_FILE)));
        assert!(with_ca.mounts.contains(&Mount::read_only("/data", "/mnt/data")));
        assert!(with_ca.mounts.contains(&Mount::read_only("/f", "/etc/claude-reactor/files")));
        assert!(with_ca.mounts.contains(&Mount::writable("/l", login::INSIDE)));
        assert!(with_ca.mounts.contains(&Mount::read_only("/p", managed_settings::INSIDE)));
        assert_eq!(with_ca.ca_digest.as_deref(), Some("c0ffee"));
        assert_eq!(with_ca.env["NODE_EXTRA_CA_CERTS"], CA_FILE);
        assert_eq!(with_ca.env["GIT_SSL_CAINFO"], CA_BUNDLE);
        parts.env.clear();
        assert_ne!(parts.digest(), spec(1000).digest(), "every field counts");
    }

    #[test]
    fn the_order_of_mounts_makes_no_difference() {
        let (one, two) = (Mount::writable("/a", "/mnt/a"), Mount::writable("/b", "/mnt/b"));
        let with = |mounts: [&Mount; 2]| {
            ContainerSpec::new(Parts { mounts: mounts.map(Clone::clone).to_vec(), ..parts(1000) })
        };
        assert_eq!(with([&one, &two]).digest(), with([&two, &one]).digest());
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
