//! Images: looking them up and building them.
//!
//! A build goes through the engine's classic builder, the one that Docker and Podman both have; the newer one would
//! need a gRPC session of its own. What the engine reports on the way becomes [`BuildEvent`]s; what they mean is
//! [`crate::container::build_log`]'s business.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;

use bollard::models::BuildInfo;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, BuilderVersion, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::{Stream, StreamExt};

use super::Engine;
use crate::container::local_image::LocalImage;

/// An image to build.
pub struct BuildRequest {
    /// The reference the finished image gets.
    pub reference: String,
    /// The stage of the Dockerfile to stop at.
    pub target: String,
    /// The build context, an uncompressed tar with the `Dockerfile` in it.
    pub context: Vec<u8>,
    /// Build arguments by name.
    pub args: BTreeMap<String, String>,
    /// Labels put on the finished image.
    pub labels: BTreeMap<String, String>,
    /// Whether every step is done again.
    pub no_cache: bool,
    /// Whether base images are pulled although they are there.
    pub pull: bool,
}

/// Values of arguments stay out: a proxy's address may hold a password.
impl fmt::Debug for BuildRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildRequest")
            .field("reference", &self.reference)
            .field("target", &self.target)
            .field("context", &format_args!("{} bytes", self.context.len()))
            .field("args", &self.args.keys())
            .field("labels", &self.labels)
            .field("no_cache", &self.no_cache)
            .field("pull", &self.pull)
            .finish()
    }
}

/// What an engine reports while it builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// Text of the builder or of a step's command. Chunks end anywhere, also within a line.
    Output(String),
    /// How far the download of a base image's layer is.
    Pull {
        /// The layer's short id; none for what concerns the whole image.
        layer: Option<String>,
        /// What is being done, in the engine's words.
        status: String,
        /// Bytes done and bytes in all, where the engine knows them.
        bytes: Option<(u64, u64)>,
    },
    /// The id of the finished image.
    Built(String),
}

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The build did not start, or the engine was lost on the way.
    #[error(transparent)]
    Engine(#[from] super::Error),
    /// A step of the build failed; the text is the builder's.
    #[error("{0}")]
    Failed(String),
}

impl Engine {
    /// The id of the image that `reference` names; none where the engine does not have it.
    pub async fn image_id(&self, reference: &str) -> Result<Option<String>, super::Error> {
        match self.docker.inspect_image(reference).await {
            Ok(image) => Ok(image.id),
            Err(source) => {
                let error = super::Error::api("look up the image", source);
                if error.is_missing() { Ok(None) } else { Err(error) }
            }
        }
    }

    /// What the engine knows of the image that `reference` names; nothing where it does not have it.
    pub async fn image(&self, reference: &str) -> Result<Option<LocalImage>, super::Error> {
        match self.docker.inspect_image(reference).await {
            Ok(image) => {
                let (env, labels) = image.config.map_or((None, None), |config| (config.env, config.labels));
                Ok(image.id.map(|id| LocalImage {
                    name: reference.to_owned(),
                    id,
                    os: image.os.filter(|os| !os.is_empty()),
                    architecture: image.architecture.filter(|architecture| !architecture.is_empty()),
                    env: env.unwrap_or_default(),
                    labels: labels.into_iter().flatten().collect(),
                    size: image.size.and_then(|bytes| bytes.try_into().ok()),
                }))
            }
            Err(source) => {
                let error = super::Error::api("look up the image", source);
                if error.is_missing() { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Gives an image one more name.
    pub async fn tag_image(&self, reference: &str, name: &str, tag: &str) -> Result<(), super::Error> {
        let options = TagImageOptionsBuilder::default().repo(name).tag(tag).build();
        let tagged = self.docker.tag_image(reference, Some(options)).await;
        tagged.map_err(|source| super::Error::api("name the image", source))
    }

    /// Takes a name from an image; with its last name, the image goes.
    pub async fn untag_image(&self, reference: &str) -> Result<(), super::Error> {
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        let removed = self.docker.remove_image(reference, Some(options), None).await;
        removed.map(drop).map_err(|source| super::Error::api("remove the image", source))
    }

    /// Builds an image and reports on it. The stream ends with the build, after the first error at the latest;
    /// dropping it ends the build.
    pub fn build_image(
        &self,
        request: BuildRequest,
    ) -> impl Stream<Item = Result<BuildEvent, Error>> + Unpin + '_ {
        let BuildRequest { reference, target, context, args, labels, no_cache, pull } = request;
        let args: HashMap<String, String> = args.into_iter().collect();
        let labels: HashMap<String, String> = labels.into_iter().collect();
        let mut options = BuildImageOptionsBuilder::default()
            .version(BuilderVersion::BuilderV1)
            .t(&reference)
            .target(&target)
            .buildargs(&args)
            .labels(&labels)
            .nocache(no_cache)
            .rm(true)
            .forcerm(true);
        if pull {
            options = options.pull("true");
        }
        let options = options.build();
        self.docker.build_image(options, None, Some(bollard::body_full(context.into()))).filter_map(
            move |report| {
                ready(match report {
                    Ok(info) => event(info).map(Ok),
                    Err(source) => Some(Err(failure(source))),
                })
            },
        )
    }
}

fn failure(source: bollard::errors::Error) -> Error {
    match source {
        bollard::errors::Error::DockerStreamError { error } => Error::Failed(error),
        source => Error::Engine(super::Error::api("build the image", source)),
    }
}

fn event(info: BuildInfo) -> Option<BuildEvent> {
    if let Some(text) = info.stream {
        return Some(BuildEvent::Output(text));
    }
    if let Some(status) = info.status {
        let bytes = info.progress_detail.and_then(|detail| {
            let (current, total) = (detail.current?, detail.total?);
            Some((u64::try_from(current).ok()?, u64::try_from(total).ok()?))
        });
        return Some(BuildEvent::Pull { layer: info.id, status, bytes });
    }
    info.aux.and_then(|image| image.id).map(BuildEvent::Built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_argument_values() {
        let request = BuildRequest {
            reference: "claude-reactor/base:0".to_owned(),
            target: "base".to_owned(),
            context: vec![0; 512],
            args: [("HTTPS_PROXY".to_owned(), "http://alice:hunter2@proxy:3128".to_owned())].into(),
            labels: BTreeMap::new(),
            no_cache: false,
            pull: false,
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("HTTPS_PROXY") && shown.contains("512 bytes"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn reports_become_events() {
        let report = |json: &str| event(serde_json::from_str(json).expect("a report of the engine"));
        assert_eq!(report(r#"{"stream":"Step 1/2"}"#), Some(BuildEvent::Output("Step 1/2".to_owned())));
        assert_eq!(
            report(r#"{"status":"Downloading","progressDetail":{"current":5,"total":9},"id":"0a1b"}"#),
            Some(BuildEvent::Pull {
                layer: Some("0a1b".to_owned()),
                status: "Downloading".to_owned(),
                bytes: Some((5, 9)),
            }),
        );
        assert_eq!(
            report(r#"{"status":"Pulling fs layer","progressDetail":{},"id":"0a1b"}"#),
            Some(BuildEvent::Pull {
                layer: Some("0a1b".to_owned()),
                status: "Pulling fs layer".to_owned(),
                bytes: None,
            }),
        );
        assert_eq!(
            report(r#"{"aux":{"ID":"sha256:f00"}}"#),
            Some(BuildEvent::Built("sha256:f00".to_owned()))
        );
        assert_eq!(report("{}"), None);
    }
}
