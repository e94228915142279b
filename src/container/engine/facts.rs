//! What an engine is, as far as it changes how a container has to be made, and what follows from it: a pure function of
//! few facts, which are found on the way.

use std::path::Path;

use bollard::models::SystemInfo;

use crate::container::spec::User;

/// Which program the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Docker, and what is made of it.
    Docker,
    /// Podman.
    Podman,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// What an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Which program.
    pub kind: Kind,
    /// Whether it runs without root's rights, as a user of its machine: root inside is that user outside.
    pub rootless: bool,
    /// Whether `SELinux` keeps its containers from files that are not labelled for them.
    pub selinux: bool,
}

/// Who a session runs as, and how its user ids are mapped to those outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUser {
    /// Who runs inside.
    pub user: User,
    /// The engine's user namespace mode, where it is not the engine's default.
    pub userns: Option<&'static str>,
}

/// Podman's mode in which the user who runs it has the same id inside.
const KEEP_ID: &str = "keep-id";

impl Facts {
    /// Who a session of `caller` runs as, so that the files it writes belong to the caller.
    pub fn session_user(&self, caller: User) -> SessionUser {
        let root = User { uid: 0, gid: 0 };
        match self {
            Self { rootless: false, .. } => SessionUser { user: caller, userns: None },
            Self { kind: Kind::Docker, .. } => SessionUser { user: root, userns: None },
            // Root is never the user that a rootless engine runs as, so there is no id to keep.
            Self { kind: Kind::Podman, .. } if caller.uid == 0 => SessionUser { user: root, userns: None },
            Self { kind: Kind::Podman, .. } => SessionUser { user: caller, userns: Some(KEEP_ID) },
        }
    }
}

/// What `GET /info` tells, of both engines.
#[derive(Debug)]
pub(super) struct Info {
    security_options: Vec<String>,
    name: String,
    kernel_version: String,
    mem_total: u64,
}

impl From<SystemInfo> for Info {
    fn from(told: SystemInfo) -> Self {
        Self {
            security_options: told.security_options.unwrap_or_default(),
            name: told.name.unwrap_or_default(),
            kernel_version: told.kernel_version.unwrap_or_default(),
            mem_total: told.mem_total.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default(),
        }
    }
}

impl Info {
    /// What an engine with these security options tells, where nothing else of it is asked.
    pub(super) fn of_options(security_options: Vec<String>) -> Self {
        Self::from(SystemInfo { security_options: Some(security_options), ..SystemInfo::default() })
    }

    pub(super) fn is_rootless(&self) -> bool {
        self.has_option("rootless")
    }

    pub(super) fn has_selinux(&self) -> bool {
        self.has_option("selinux")
    }

    /// Whether root of a container is another user outside for every container (`userns-remap` of Docker).
    pub(super) fn remaps_users(&self) -> bool {
        self.has_option("userns")
    }

    /// Whether it is of a machine.
    pub(super) fn is_of(&self, machine: &Machine) -> bool {
        !self.name.is_empty()
            && self.mem_total > 0
            && (&self.name, &self.kernel_version, self.mem_total)
                == (&machine.name, &machine.kernel, machine.memory)
    }

    fn has_option(&self, name: &str) -> bool {
        // `name=seccomp,profile=default` from Docker, the same from Podman.
        self.security_options
            .iter()
            .any(|option| option.split(',').any(|part| part.strip_prefix("name=").unwrap_or(part) == name))
    }
}

/// This machine, by what its engine would tell of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machine {
    name: String,
    kernel: String,
    memory: u64,
}

impl Machine {
    /// This one. (Where there is no `/proc`, no engine runs on the machine itself.)
    pub(super) fn here() -> Option<Self> {
        let system = rustix::system::uname();
        let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
        let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kilobytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(Self {
            name: system.nodename().to_str().ok()?.to_owned(),
            kernel: system.release().to_str().ok()?.to_owned(),
            memory: kilobytes * 1024,
        })
    }
}

/// Whether this machine's kernel has `SELinux` switched on.
pub(super) fn kernel_has_selinux() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kind: Kind, rootless: bool) -> Facts {
        Facts { kind, rootless, selinux: false }
    }

    #[test]
    fn files_belong_to_the_caller_on_every_engine() {
        let user = |uid| User { uid, gid: uid };
        let as_is = |uid| SessionUser { user: user(uid), userns: None };
        for kind in [Kind::Docker, Kind::Podman] {
            for uid in [0, 1000, 12345] {
                assert_eq!(facts(kind, false).session_user(user(uid)), as_is(uid));
            }
        }
        // Root inside is the caller outside.
        assert_eq!(facts(Kind::Docker, true).session_user(user(1000)), as_is(0));
        let kept = SessionUser { user: user(1000), userns: Some("keep-id") };
        assert_eq!(facts(Kind::Podman, true).session_user(user(1000)), kept);
        assert_eq!(facts(Kind::Podman, true).session_user(user(0)), as_is(0));
    }

    #[test]
    fn what_an_engine_tells_of_itself() {
        let info =
            |text: &str| Info::from(serde_json::from_str::<SystemInfo>(text).expect("an engine's answer"));
        let rootless = info(
            r#"{"SecurityOptions":["name=seccomp,profile=default","name=rootless","name=cgroupns"],"Name":"vm"}"#,
        );
        assert!(rootless.is_rootless() && !rootless.has_selinux() && !rootless.remaps_users());
        let remapped = info(
            r#"{"SecurityOptions":["name=selinux","name=userns"],"Name":"vm","KernelVersion":"6.1","MemTotal":5}"#,
        );
        assert!(!remapped.is_rootless() && remapped.has_selinux() && remapped.remaps_users());
        let machine = |name: &str| Machine { name: name.to_owned(), kernel: "6.1".to_owned(), memory: 5 };
        assert!(remapped.is_of(&machine("vm")) && !remapped.is_of(&machine("other")));
        assert!(!info("{}").is_of(&Machine { name: String::new(), kernel: String::new(), memory: 0 }));
    }
}
