//! What an engine tells of itself and of an image: for people who look after them. No session needs any of it, so each is
//! asked only where it is shown.
//!
//! The answers are read as plain JSON (`inspect` says why), and whatever is missing in them is not known.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::facts::Info;
use super::{Engine, Error};

/// A version of the engines' API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// The part before the point.
    pub major: usize,
    /// The part after it.
    pub minor: usize,
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl ApiVersion {
    /// Reads `1.41`.
    pub fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

/// What an engine tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Its own version.
    pub version: String,
    /// The version of its API that both sides agreed on.
    pub api: ApiVersion,
    /// The newest one that it speaks.
    pub newest_api: Option<ApiVersion>,
    /// The oldest one.
    pub oldest_api: Option<ApiVersion>,
    /// What its containers are made for: `amd64`, `arm64`.
    pub architecture: Option<String>,
    /// The kernel that its containers run on.
    pub kernel: Option<String>,
    /// The version of control groups: `1` or `2`.
    pub cgroup_version: Option<String>,
    /// Who manages them: `systemd`, `cgroupfs`.
    pub cgroup_driver: Option<String>,
    /// Where it keeps images and containers, on its own machine.
    pub data_root: Option<PathBuf>,
    /// Whether it maps every user of a container to another one outside (`userns-remap`).
    pub remaps_users: bool,
}

/// What an engine knows of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDetails {
    /// Its id: the digest of what it is.
    pub id: String,
    /// What it takes on the disk, in bytes; what it shares with other images is counted in.
    pub size: u64,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Engine {
    /// What it tells of itself.
    pub async fn survey(&self) -> Result<Survey, Error> {
        let version = self.ask("say what it is", "/version").await?;
        let info = self.ask("tell about itself", "/info").await?;
        let agreed = self.docker.client_version();
        let api = ApiVersion { major: agreed.major_version, minor: agreed.minor_version };
        Ok(survey(api, &version, &info))
    }

    /// What it knows of the image that a reference names; nothing where it does not have it.
    pub async fn image_details(&self, reference: &str) -> Result<Option<ImageDetails>, Error> {
        match self.ask("look up the image", &format!("/images/{reference}/json")).await {
            Ok(told) => Ok(Some(image_details(&told))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn text(told: &Value) -> Option<String> {
    told.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn survey(api: ApiVersion, version: &Value, info: &Value) -> Survey {
    let options = info["SecurityOptions"].as_array().into_iter().flatten();
    let options: Vec<String> = options.filter_map(text).collect();
    Survey {
        version: text(&version["Version"]).unwrap_or_else(|| "unknown".to_owned()),
        api,
        newest_api: version["ApiVersion"].as_str().and_then(ApiVersion::read),
        oldest_api: version["MinAPIVersion"].as_str().and_then(ApiVersion::read),
        architecture: text(&version["Arch"]),
        kernel: text(&version["KernelVersion"]).or_else(|| text(&info["KernelVersion"])),
        cgroup_version: text(&info["CgroupVersion"]),
        cgroup_driver: text(&info["CgroupDriver"]),
        data_root: text(&info["DockerRootDir"]).map(PathBuf::from),
        remaps_users: Info::of_options(options).remaps_users(),
    }
}

fn image_details(told: &Value) -> ImageDetails {
    let labels = told["Config"]["Labels"].as_object().into_iter().flatten();
    ImageDetails {
        id: text(&told["Id"]).unwrap_or_default(),
        size: told["Size"].as_u64().unwrap_or_default(),
        created: told["Created"].as_str().and_then(|time| humantime::parse_rfc3339(time).ok()),
        labels: labels.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
    }
}

/// When a container was made, from the engine's seconds since 1970.
pub fn made_at(created: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(created).ok().filter(|seconds| *seconds > 0)?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn docker_and_podman_tell_of_themselves() {
        let api = ApiVersion { major: 1, minor: 41 };
        let docker = survey(
            api,
            &json!({
                "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Arch": "amd64",
                "KernelVersion": "6.1",
            }),
            &json!({
                "CgroupVersion": "1", "CgroupDriver": "cgroupfs", "DockerRootDir": "/var/lib/docker",
                "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
            }),
        );
        assert_eq!(docker.oldest_api, Some(ApiVersion { major: 1, minor: 12 }));
        assert_eq!(docker.data_root.as_deref(), Some(std::path::Path::new("/var/lib/docker")));
        assert!(docker.remaps_users);
        let silent = survey(api, &json!({}), &json!({ "CgroupVersion": "" }));
        assert_eq!((silent.version.as_str(), silent.cgroup_version), ("unknown", None));
        assert!(!silent.remaps_users);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(ApiVersion::read("1.9") < ApiVersion::read("1.41"));
        assert_eq!(ApiVersion::read("2"), None);
    }

    #[test]
    fn an_image() {
        let image = image_details(&json!({
            "Id": "sha256:ab", "Size": 5, "Created": "2026-11-27T21:33:44.123456789Z",
            "Config": { "Labels": { "a": "b" } },
        }));
        assert_eq!((image.size, image.labels["a"].as_str()), (5, "b"));
        assert!(image.created.is_some());
    }
}
