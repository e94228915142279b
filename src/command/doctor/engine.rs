//! The container engine: whether it answers, speaks a version of its API that is enough, may be used, and has this
//! machine's files.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::check::{Check, Subject, Told};
use crate::container::engine::about::{ApiVersion, Survey};
use crate::container::engine::facts::Kind;
use crate::container::engine::{self, Endpoint, Facts};
use crate::host::Host;
use crate::private_file::quoted;

pub(super) const ENGINE: Subject = Subject::new("engine", "container engine");
pub(super) const API: Subject = Subject::new("engine-api", "engine's API");
const RIGHTS: Subject = Subject::new("engine-rights", "engine's socket");
pub(super) const FILES: Subject = Subject::new("engine-files", "engine's files");
pub(super) const USERS: Subject = Subject::new("engine-users", "engine's users");
pub(super) const PODMAN: Subject = Subject::new("podman", "Podman");

/// The oldest API with what a container of ours takes: the name of the caller's machine inside (`host-gateway`) came with
/// Docker 20.10.
const NEEDED: ApiVersion = ApiVersion { major: 1, minor: 41 };

/// An engine that answers.
#[derive(Debug, Clone)]
pub(super) struct Answering {
    /// Which it is.
    pub(super) facts: Facts,
    /// Where it listens.
    pub(super) endpoint: Endpoint,
    /// What said so.
    pub(super) chosen_by: String,
    /// What it tells of itself.
    pub(super) survey: Survey,
    /// Whether it has the caller's files; nothing where that was not tried, as on a socket of this machine.
    pub(super) has_files: Option<bool>,
}

/// A socket, as far as the right to use it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its permission bits.
    pub(super) mode: u32,
    /// Its owner's user id.
    pub(super) owner: u32,
    /// Its group, by name where it has one.
    pub(super) group: String,
    /// Whether this login is of the group.
    pub(super) is_member: bool,
    /// Whether the next one will be: the group's list has the user.
    pub(super) is_listed: bool,
}

impl Socket {
    /// Looks at a socket.
    pub(super) fn look(path: &Path, host: &Host) -> Option<Self> {
        let meta = path.metadata().ok()?;
        let gid = meta.gid();
        let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let (name, users) = group(&groups, gid).unwrap_or_default();
        let ours = rustix::process::getgroups().unwrap_or_default();
        let user = host.var("USER").or_else(|| host.var("LOGNAME"));
        Some(Self {
            path: path.to_owned(),
            mode: meta.mode() & 0o777,
            owner: meta.uid(),
            group: if name.is_empty() { gid.to_string() } else { name },
            is_member: host.gid == gid || ours.iter().any(|group| group.as_raw() == gid),
            is_listed: user.is_some_and(|user| users.iter().any(|listed| listed == user)),
        })
    }
}

/// The name and the users of a group, by `/etc/group`.
fn group(text: &str, gid: u32) -> Option<(String, Vec<String>)> {
    text.lines().find_map(|line| {
        let parts: Vec<&str> = line.split(':').collect();
        let [name, _, id, users] = parts[..] else { return None };
        (id.parse() == Ok(gid)).then(|| (name.to_owned(), users.split(',').map(str::to_owned).collect()))
    })
}

/// The socket of an engine that runs and may not be used.
pub(super) fn denied(error: &engine::Error, host: &Host) -> Option<Socket> {
    let engine::Error::NoAnswer { tried, .. } = error else { return None };
    let denied = tried.iter().find(|tried| tried.error.kind() == std::io::ErrorKind::PermissionDenied)?;
    let Endpoint::Unix(path) = &denied.endpoint else { return None };
    Socket::look(path, host)
}

/// What is to be said where none answers.
pub(super) fn without(told: Told, denied: Option<&Socket>) -> Vec<Check> {
    let why = "no engine answers";
    let rights = denied.map_or_else(|| RIGHTS.skipped(why), no_rights);
    let rest = [API, FILES, USERS, PODMAN].map(|subject| subject.skipped(why));
    [ENGINE.failed(told), rights].into_iter().chain(rest).collect()
}

/// What is to be said of one that answers. `starts` says whether a container of the image ran; nothing where none was tried.
pub(super) fn checks(
    engine: &Answering,
    socket: Option<&Socket>,
    starts: Option<bool>,
    uid: u32,
) -> Vec<Check> {
    let Answering { facts, endpoint, chosen_by, survey, .. } = engine;
    let rootless = if facts.rootless { ", rootless" } else { "" };
    let found = format!("{} {}{rootless}, at {endpoint} (by {chosen_by})", facts.kind, survey.version);
    vec![
        ENGINE.pass(found),
        rights(engine, socket, uid),
        api(engine),
        files(engine),
        users(engine),
        podman(engine, starts),
    ]
}

fn rights(engine: &Answering, socket: Option<&Socket>, uid: u32) -> Check {
    let Some(socket) = socket else { return RIGHTS.pass(format!("reached by {}", engine.endpoint)) };
    let (path, mode) = (socket.path.display(), socket.mode);
    if mode & 0o002 != 0 {
        return RIGHTS.warn(
            format!(
                "{path} is open to everybody here (mode {mode:04o}), and who may use it is as good as root"
            ),
            format!("sudo chmod o= {}", quoted(&socket.path)),
        );
    }
    RIGHTS.pass(match (uid, socket.owner == uid, engine.facts.rootless) {
        (_, true, true) => format!("{path} is your own, and its engine has no more rights than you"),
        (0, ..) => format!("{path}, as root"),
        (_, true, false) => format!("{path} is your own"),
        _ => format!("{path}, as a member of the group {}: as good as root", socket.group),
    })
}

fn no_rights(socket: &Socket) -> Check {
    let (path, group) = (socket.path.display(), &socket.group);
    if socket.path.to_string_lossy().contains("podman") {
        let found = format!("{path} is root's; a user has a Podman of their own");
        return RIGHTS.fail(found, "systemctl --user enable --now podman.socket");
    }
    if socket.is_listed && !socket.is_member {
        let found = format!("you are in the group {group}, but this login began before you were");
        return RIGHTS.fail(found, format!("log in again, or for this shell: newgrp {group}"));
    }
    RIGHTS.fail(
        format!("{path} is open to the group {group} (mode {:04o}), which you are not in", socket.mode),
        format!("sudo usermod -aG {group} $USER, then log in again"),
    )
}

fn api(engine: &Answering) -> Check {
    let Survey { api, newest_api, oldest_api, .. } = &engine.survey;
    let newest = newest_api.unwrap_or(*api);
    if let Some(oldest) = oldest_api.filter(|oldest| oldest > api) {
        let found = format!("the engine speaks {oldest} at least, and this claude-reactor {api} at most");
        return API.fail(found, "install a newer claude-reactor");
    }
    if newest >= NEEDED {
        return API.pass(format!("{api} agreed on; the engine speaks up to {newest}"));
    }
    let found = format!("the engine speaks {newest} at most, and {NEEDED} is needed");
    match engine.facts.kind {
        Kind::Docker => API.fail(found, "install Docker 20.10 or newer"),
        Kind::Podman => API.warn(found, "install Podman 4.3 or newer"),
    }
}

fn files(engine: &Answering) -> Check {
    match engine.has_files {
        None => FILES.pass("it is on this machine"),
        Some(true) => FILES.pass("a file that was laid here was found through the engine"),
        Some(false) => FILES.fail(
            "a file that was laid here was not found through the engine, so it cannot mount your project",
            "use an engine of this machine: --engine docker, or --engine podman",
        ),
    }
}

fn users(engine: &Answering) -> Check {
    match (engine.survey.remaps_users && engine.facts.kind == Kind::Docker, engine.facts.rootless) {
        (true, false) => USERS.fail(
            "it maps all users to others (userns-remap), so a session could not write your files",
            "take userns-remap out of /etc/docker/daemon.json, then: sudo systemctl restart docker",
        ),
        _ => USERS.pass("what a session writes is yours"),
    }
}

fn podman(engine: &Answering, starts: Option<bool>) -> Check {
    // Podman 4.3 needs it on control groups v1 where CAP_SYS_RESOURCE is missing, as in a container.
    const CONFIGURATION: &str = "in /etc/containers/containers.conf: [containers] \
                                 default_ulimits=[\"nofile=1024:1024\",\"nproc=1024:1024\"] and [engine] runtime=\"runc\"";
    if engine.facts.kind != Kind::Podman {
        return PODMAN.skipped("the engine is not Podman");
    }
    let version = &engine.survey.version;
    let cgroups = engine.survey.cgroup_version.as_deref().map(|cgroups| cgroups.trim_start_matches('v'));
    let found = match cgroups {
        Some(cgroups) => format!("{version} on control groups v{cgroups}"),
        None => version.clone(),
    };
    match (cgroups, starts) {
        (Some("1"), Some(false)) => PODMAN.fail(format!("{found}, and no container starts"), CONFIGURATION),
        (Some("1"), _) if engine.facts.rootless => PODMAN.warn(
            format!("{found}, where a rootless engine cannot keep to limits"),
            "boot with systemd.unified_cgroup_hierarchy=1, or choose no limits",
        ),
        (Some("1"), None) => PODMAN.warn(found, format!("only if no container starts, {CONFIGURATION}")),
        _ => PODMAN.pass(found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{self, Fail, Pass, Skipped, Warn};
    use super::*;

    fn version(minor: usize) -> ApiVersion {
        ApiVersion { major: 1, minor }
    }

    fn answering() -> Answering {
        Answering {
            facts: Facts { kind: Kind::Docker, rootless: false, selinux: false },
            endpoint: Endpoint::Unix("/var/run/docker.sock".into()),
            chosen_by: "the default".to_owned(),
            survey: Survey {
                version: "20.10.24".to_owned(),
                api: version(41),
                newest_api: Some(version(41)),
                oldest_api: Some(version(12)),
                architecture: None,
                kernel: None,
                cgroup_version: Some("2".to_owned()),
                cgroup_driver: None,
                data_root: None,
                remaps_users: false,
            },
            has_files: None,
        }
    }

    fn socket() -> Socket {
        Socket {
            path: "/var/run/docker.sock".into(),
            mode: 0o660,
            owner: 0,
            group: "docker".to_owned(),
            is_member: true,
            is_listed: true,
        }
    }

    fn outcomes(engine: &Answering) -> Vec<Outcome> {
        checks(engine, Some(&socket()), Some(true), 1000).iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn an_engine_as_it_should_be() {
        assert_eq!(outcomes(&answering()), [Pass, Pass, Pass, Pass, Pass, Skipped]);
        let mut podman = answering();
        podman.facts.kind = Kind::Podman;
        assert_eq!(outcomes(&podman), [Pass; 6]);
        podman.survey.cgroup_version = Some("1".to_owned());
        let outcome = |engine: &Answering, starts| super::podman(engine, starts).outcome;
        assert_eq!(
            [Some(true), None, Some(false)].map(|starts| outcome(&podman, starts)),
            [Pass, Warn, Fail]
        );
        podman.facts.rootless = true;
        assert_eq!(outcome(&podman, Some(true)), Warn);
    }

    #[test]
    fn an_api_too_old_or_too_new() {
        let mut engine = answering();
        (engine.survey.api, engine.survey.newest_api) = (version(40), Some(version(40)));
        assert_eq!(api(&engine).outcome, Fail);
        engine.facts.kind = Kind::Podman;
        assert_eq!(api(&engine).outcome, Warn);
        (engine.survey.api, engine.survey.newest_api) = (version(50), Some(version(70)));
        assert_eq!(api(&engine).outcome, Pass);
        engine.survey.oldest_api = Some(version(60));
        assert_eq!(api(&engine).outcome, Fail);
    }

    #[test]
    fn files_and_users_that_are_others() {
        let mut engine = answering();
        for (has_files, outcome) in [(None, Pass), (Some(true), Pass), (Some(false), Fail)] {
            engine.has_files = has_files;
            assert_eq!(files(&engine).outcome, outcome);
        }
        engine.survey.remaps_users = true;
        assert_eq!(users(&engine).outcome, Fail);
        engine.facts.rootless = true;
        assert_eq!(users(&engine).outcome, Pass);
    }

    #[test]
    fn who_may_use_the_socket() {
        let open = Socket { mode: 0o666, ..socket() };
        assert_eq!(rights(&answering(), Some(&open), 1000).outcome, Warn);
        assert_eq!(rights(&answering(), Some(&socket()), 1000).outcome, Pass);
        let stranger = Socket { is_member: false, is_listed: false, ..socket() };
        assert!(no_rights(&stranger).remedy.unwrap().contains("usermod -aG docker"));
        let not_yet = Socket { is_member: false, ..socket() };
        assert!(no_rights(&not_yet).remedy.unwrap().contains("newgrp docker"));
        let roots = Socket { path: "/run/podman/podman.sock".into(), ..stranger };
        assert!(no_rights(&roots).remedy.unwrap().contains("--user"));
        assert_eq!(no_rights(&roots).outcome, Fail);
    }

    #[test]
    fn a_groups_name_and_users() {
        let text = "root:x:0:\ndocker:x:998:alice,bob\nbroken\n";
        assert_eq!(group(text, 998), Some(("docker".to_owned(), vec!["alice".to_owned(), "bob".to_owned()])));
        assert_eq!(group(text, 5), None);
    }

    #[test]
    fn without_an_engine_the_rest_is_skipped() {
        let told = Told { found: "none".to_owned(), remedy: None };
        let checks = without(told, None);
        assert_eq!(checks[0].outcome, Fail);
        assert!(checks[1..].iter().all(|check| check.outcome == Skipped));
        assert_eq!(checks.len(), outcomes(&answering()).len(), "every check has its line");
    }
}
