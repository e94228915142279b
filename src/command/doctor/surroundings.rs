//! What the engine has to do with this project, gathered in one go: the engine itself, the image, a look from inside, and
//! every container of ours. Each wait has an end, and a short-lived container goes whatever becomes of us.

use std::path::Path;
use std::time::Duration;

use super::check::{Check, Told};
use super::engine::{self as engine_checks, Answering, Socket};
use super::image::{self, Image};
use super::{UNSETTLED, disk, leftovers, network, program};
use crate::command::image::reference;
use crate::command::target::Target;
use crate::config::{Settings, Source};
use crate::container::engine::probe::{ProbeRequest, Reach};
use crate::container::engine::{Endpoint, Engine, Error as EngineError};
use crate::container::found::State;
use crate::container::local_image::LocalImage;
use crate::container::look_inside::{self, Looked, Question};
use crate::container::mount::Mount;
use crate::container::name::Home;
use crate::container::ours::Ours;
use crate::container::spec::User;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;

/// Why what depends on the engine is not looked at.
const NO_ENGINE: &str = "no engine answers";
/// How long the engine may take to connect, and to tell of itself.
const LIMIT: Duration = Duration::from_secs(30);
/// Where a file is laid to see whether the engine has it.
const PROBE: &str = "/tmp/.engine-probe";

/// What was gathered.
#[derive(Debug)]
pub(super) struct Surroundings {
    engine: Result<Answering, Told>,
    socket: Option<Socket>,
    image: Option<Image>,
    ours: Vec<Ours>,
    /// What a container sees; nothing where there is none to ask.
    pub(super) looked: Option<Looked>,
    /// Which container that was, in words.
    whence: &'static str,
}

impl Surroundings {
    /// Looks at the engine and what it has.
    pub(super) async fn gather(
        home: &Home,
        target: Option<&Target>,
        question: &Question,
        host: &Host,
    ) -> Self {
        let nothing = |told, socket| Self {
            engine: Err(told),
            socket,
            image: None,
            ours: Vec::new(),
            looked: None,
            whence: "",
        };
        let choice = target.and_then(|target| target.settings.engine.as_ref());
        let engine = match in_time(Engine::connect(host, choice)).await {
            Ok(engine) => engine,
            Err(Some(error)) => {
                let denied = engine_checks::denied(&error, host);
                return nothing(Error::from(error).into(), denied);
            }
            Err(None) => return nothing(late(), None),
        };
        match in_time(told(&engine, home, target, host)).await {
            Ok((answering, socket, image, ours, container)) => {
                let (looked, whence) = look(&engine, target, image.as_ref(), container, question, host).await;
                Self { engine: Ok(answering), socket, image, ours, looked, whence }
            }
            Err(Some(error)) => nothing(Error::from(error).into(), None),
            Err(None) => nothing(late(), None),
        }
    }

    fn answers(&self) -> bool {
        self.engine.is_ok()
    }

    /// What is to be said of the engine.
    pub(super) fn engine_checks(&self, uid: u32) -> Vec<Check> {
        match &self.engine {
            Ok(engine) => {
                let starts = self.looked.as_ref().map(|looked| !matches!(looked, Looked::NotStarted(_)));
                engine_checks::checks(engine, self.socket.as_ref(), starts, uid)
            }
            Err(told) => engine_checks::without(told.clone(), self.socket.as_ref()),
        }
    }

    /// What is to be said of the image.
    pub(super) fn image_checks(&self, pinned: &str) -> [Check; 2] {
        if let Some(image) = &self.image {
            return [image::image(image), image::claude(image, self.looked.as_ref(), pinned)];
        }
        let why = if self.answers() { UNSETTLED } else { NO_ENGINE };
        [image::IMAGE.skipped(why), image::CLAUDE.skipped(why)]
    }

    /// What is to be said of the endpoint, as a container reaches it.
    pub(super) fn endpoint_check(&self, url: &str) -> Check {
        match &self.engine {
            Ok(_) => network::from_inside(url, self.looked.as_ref(), self.whence),
            Err(_) => network::INSIDE.skipped(NO_ENGINE),
        }
    }

    /// What is to be said of a container's clock.
    pub(super) fn clock_check(&self) -> Check {
        match &self.engine {
            Ok(_) => network::clock_inside(self.looked.as_ref()),
            Err(_) => network::CLOCK_INSIDE.skipped(NO_ENGINE),
        }
    }

    /// What is to be said of the engine's disk.
    pub(super) fn disk_check(&self) -> [Check; 1] {
        [match &self.engine {
            Ok(engine) => {
                let is_here = cfg!(target_os = "linux") && matches!(engine.endpoint, Endpoint::Unix(_));
                disk::of_engine(engine.survey.data_root.as_ref(), is_here, program(engine.facts.kind))
            }
            Err(_) => disk::ENGINE.skipped(NO_ENGINE),
        }]
    }

    /// What is to be said of what lies about.
    pub(super) fn leftovers_check(&self) -> Check {
        match &self.engine {
            Ok(engine) => {
                let is_there = |project: &str| Path::new(project).is_dir();
                leftovers::containers(&self.ours, is_there, program(engine.facts.kind))
            }
            Err(_) => leftovers::CONTAINERS.skipped(NO_ENGINE),
        }
    }
}

type AllTold = (Answering, Option<Socket>, Option<Image>, Vec<Ours>, Option<String>);

/// What the engine tells, and this project's running container.
async fn told(
    engine: &Engine,
    home: &Home,
    target: Option<&Target>,
    host: &Host,
) -> Result<AllTold, EngineError> {
    let survey = engine.survey().await?;
    let socket = match engine.endpoint() {
        Endpoint::Unix(path) => Socket::look(path, host),
        _ => None,
    };
    let ours = engine.ours(home).await?;
    let (mut image, mut container) = (None, None);
    if let Some(target) = target {
        image = Some(image_of(engine, &target.settings).await?);
        let found = engine.find(&target.identity).await?;
        container = found
            .into_iter()
            .filter(|found| found.state == State::Running && found.belongs_to(&target.identity.home))
            .max_by_key(|found| found.created)
            .map(|found| found.id);
    }
    let has_files = match image.as_ref().filter(|image| image.details.is_some()) {
        Some(image) if engine.may_be_elsewhere() => has_files(engine, image, host).await,
        _ => None,
    };
    let answering = Answering {
        facts: engine.facts(),
        endpoint: engine.endpoint().clone(),
        chosen_by: engine.chosen_by().to_string(),
        survey,
        has_files,
    };
    Ok((answering, socket, image, ours, container))
}

/// The image that was chosen, by the name that the engine knows it under.
async fn image_of(engine: &Engine, settings: &Settings) -> Result<Image, EngineError> {
    let (reference, is_built_in) = match &settings.image.value {
        ImageChoice::BuiltIn(_) => (reference(settings), true),
        ImageChoice::Custom(reference) => {
            let found = LocalImage::find(engine, reference).await?;
            (found.map_or_else(|| reference.to_string(), |image| image.name), false)
        }
    };
    let details = engine.image_details(&reference).await?;
    Ok(Image { reference, is_built_in, details })
}

/// Whether the engine finds a file that is laid into the caller's home for it; nothing where none can be laid.
async fn has_files(engine: &Engine, image: &Image, host: &Host) -> Option<bool> {
    let file = tempfile::Builder::new().prefix(".engine-probe-").tempfile_in(&host.home).ok()?;
    let request = ProbeRequest {
        image: &image.reference,
        user: User { uid: 0, gid: 0 },
        script: "true",
        env: Vec::new(),
        reach: Reach { network: false, mounts: vec![Mount::read_only(file.path().to_string_lossy(), PROBE)] },
    };
    match engine.probe(request).await {
        Ok(probe) => probe.has_path(PROBE).await.ok(),
        // A bind's source that is not there is refused.
        Err(EngineError::Refused { .. }) => Some(false),
        Err(_) => None,
    }
}

/// Looks from this project's container where it runs, else from a short-lived one.
async fn look(
    engine: &Engine,
    target: Option<&Target>,
    image: Option<&Image>,
    container: Option<String>,
    question: &Question,
    host: &Host,
) -> (Option<Looked>, &'static str) {
    let user = engine.facts().session_user(User { uid: host.uid, gid: host.gid }).user;
    // What a repository names is started by nobody's doctor before its user has said yes to it.
    let is_unasked_for = |image: &Image| {
        let awaits = |target: &Target| {
            target.trust.is_awaited() && matches!(target.settings.image.source, Source::ProjectFile(_))
        };
        !image.is_built_in && target.is_some_and(awaits)
    };
    let image = image.filter(|image| image.details.is_some() && !is_unasked_for(image));
    let (looked, whence) = match (container, image) {
        (Some(container), _) => (
            look_inside::from_container(engine, &container, user, question).await,
            "this project's container",
        ),
        (None, Some(image)) => {
            let ca_file = target.and_then(|target| target.ca_file.as_ref()).map(|file| file.path.as_path());
            let looked = look_inside::from_image(engine, &image.reference, user, ca_file, question).await;
            (looked, "a short-lived container")
        }
        (None, None) => return (None, ""),
    };
    (Some(looked.unwrap_or_else(|error| Looked::NotStarted(Told::from(Error::from(error)).found))), whence)
}

/// Waits for the engine; nothing but the lateness is the error where it takes too long.
async fn in_time<T>(work: impl Future<Output = Result<T, EngineError>>) -> Result<T, Option<EngineError>> {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done.map_err(Some),
        Err(_) => Err(None),
    }
}

fn late() -> Told {
    Told {
        found: format!("it does not answer within {} s", LIMIT.as_secs()),
        remedy: Some("restart it: sudo systemctl restart docker".to_owned()),
    }
}
