//! The container engine that is there, seen through its own command line and its raw API.
//!
//! What claude-reactor did is judged by other eyes than its own: nothing here uses its engine client.

mod api;
mod events;
mod gate;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

pub use events::EventRecorder;
pub use gate::Gate;

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    host: String,
}

impl Engine {
    /// The label of a container of claude-reactor that holds its project's path.
    pub const PROJECT_LABEL: &'static str = "dev.claude-reactor.project";

    /// The engine of this machine. Without one, a test says so and ends well; in CI it fails, since there the engine
    /// is part of what is tested.
    ///
    /// ```ignore
    /// let Some(engine) = Engine::find() else { return };
    /// ```
    pub fn find() -> Option<Self> {
        static FOUND: OnceLock<Option<Engine>> = OnceLock::new();
        let found = FOUND.get_or_init(|| {
            let host = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
            let engine = Self { host: host.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned()) };
            let version = engine.command(&["version", "--format", "{{.Server.Version}}"]).output();
            version.is_ok_and(|output| output.status.success()).then_some(engine)
        });
        if found.is_none() {
            Self::skip("no container engine answers");
        }
        found.clone()
    }

    /// The engine at an address.
    pub fn at(host: &str) -> Self {
        Self { host: host.to_owned() }
    }

    /// Says why a test ends early. In CI (`CI=true`) that is a failure.
    #[track_caller]
    pub fn skip(why: &str) {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true, and {why}");
        println!("skipped: {why}");
    }

    /// Whether it is Podman, whose Docker API differs in places.
    pub fn is_podman(&self) -> bool {
        self.docker(&["version", "--format", "{{json .Server.Components}}"]).contains("Podman Engine")
    }

    /// The commands of the processes in a container.
    #[track_caller]
    pub fn processes(&self, container: &str) -> Vec<String> {
        const PS: [&str; 3] = ["ps", "-eo", "pid,args"];
        let listed = if self.is_podman() {
            // Podman 4.3 answers nothing to these options of `docker top`.
            self.exec(container, &PS)
        } else {
            self.docker(&["top", container, "-eo", "pid,args"])
        };
        let command = |line: &str| line.trim().split_once(' ').map(|(_, args)| args.trim().to_owned());
        listed.lines().skip(1).filter_map(command).filter(|command| *command != PS.join(" ")).collect()
    }

    /// Its address, as in `DOCKER_HOST`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its socket, when it is on this machine.
    pub fn socket(&self) -> Option<PathBuf> {
        self.host.strip_prefix("unix://").map(PathBuf::from)
    }

    /// The host's address on the default bridge: containers reach a server there, and it listens to nobody else.
    pub fn gateway(&self) -> IpAddr {
        let network: Value = serde_json::from_str(&self.docker(&["network", "inspect", "bridge"]))
            .expect("the engine describes its default network in JSON");
        let config = &network[0]["IPAM"]["Config"][0];
        let stated = config["Gateway"].as_str().and_then(|address| address.parse().ok());
        // Until the daemon has started once more, Docker 20.10 knows only the subnet; the gateway is its first address.
        let subnet = config["Subnet"].as_str().and_then(|subnet| subnet.split_once('/')?.0.parse().ok());
        stated
            .or_else(|| subnet.map(|first: Ipv4Addr| IpAddr::V4(Ipv4Addr::from_bits(first.to_bits() + 1))))
            .unwrap_or_else(|| panic!("the default network has no address: {network}"))
    }

    /// Runs the engine's own command line and gives its standard output.
    #[track_caller]
    pub fn docker(&self, args: &[&str]) -> String {
        let output = self.docker_output(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {}: {}\n{stderr}", args.join(" "), output.status);
        String::from_utf8(output.stdout).expect("the docker command line writes UTF-8")
    }

    /// Runs the engine's own command line, whatever its exit code.
    pub fn docker_output(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the docker command line is installed beside the engine")
    }

    /// The engine's own command line, about to run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", &self.host).args(args).stdin(Stdio::null());
        command
    }

    /// The newest image of a repository, as `repository:tag`.
    pub fn image(&self, repository: &str) -> Option<String> {
        let images = self.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}", repository]);
        images.lines().next().map(str::to_owned)
    }

    /// Everything `docker history` says of an image, commands in full.
    pub fn history(&self, image: &str) -> String {
        self.docker(&["history", "--no-trunc", "--format", "{{json .}}", image])
    }

    /// Everything the engine says of an image.
    pub fn inspect_image(&self, image: &str) -> Value {
        serde_json::from_str(&self.docker(&["image", "inspect", image])).expect("inspect writes JSON")
    }

    /// The containers of a project, running or not, as `docker inspect` describes them.
    pub fn containers(&self, project: &Path) -> Vec<Value> {
        let label = format!("label={}={}", Self::PROJECT_LABEL, project.display());
        let ids = self.docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
        ids.lines().map(|id| self.inspect(id)).collect()
    }

    /// Everything the engine says of a container.
    #[track_caller]
    pub fn inspect(&self, container: &str) -> Value {
        let Value::Array(mut found) =
            serde_json::from_str(&self.docker(&["container", "inspect", container])).expect("JSON")
        else {
            panic!("docker inspect writes an array");
        };
        found.remove(0)
    }

    /// Runs a command in a container as its default user and gives its standard output.
    #[track_caller]
    pub fn exec(&self, container: &str, args: &[&str]) -> String {
        self.docker(&[&["exec", container], args].concat())
    }

    /// The execs of a container that the engine still knows, as its API describes them. (No command line shows them.)
    pub fn execs(&self, container: &str) -> Vec<Value> {
        let described = self.inspect(container);
        let ids = described["ExecIDs"].as_array().cloned().unwrap_or_default();
        // The engine forgets an exec some time after its end, maybe between the list and the look.
        ids.iter().filter_map(|id| self.api(&format!("/exec/{}/json", id.as_str()?))).collect()
    }

    /// Records what the engine announces from now on.
    pub fn record_events(&self) -> EventRecorder {
        EventRecorder::start(self)
    }

    /// A way to this engine on which requests can be held up, its socket in a folder of the test's own.
    pub fn gate(&self, folder: &Path, name: &str) -> Gate {
        Gate::new(self, folder, name)
    }

    /// Removes the containers whose project lies in `folder`, whatever they are doing. Never panics: it runs while a
    /// failed test unwinds.
    pub fn remove_containers_below(&self, folder: &Path) {
        let format = format!("{{{{.ID}}}}\t{{{{.Label \"{}\"}}}}", Self::PROJECT_LABEL);
        let filter = format!("label={}", Self::PROJECT_LABEL);
        let listed = self.command(&["ps", "--all", "--filter", &filter, "--format", &format]).output();
        let Ok(listed) = listed else { return };
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            if let Some((id, project)) = line.split_once('\t')
                && Path::new(project).starts_with(folder)
            {
                let _ = self.command(&["rm", "--force", "--volumes", id]).output();
            }
        }
    }
}
