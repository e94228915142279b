//! From layers to settings: for every key the highest layer that has it wins, and the setting remembers which.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::agent_socket::AgentSocket;
use super::limits::{Cpus, Memory, Pids};
use super::timeout::Timeout;
use super::{MountText, Values, Variable};
use crate::claude_version::ClaudeVersion;
use crate::engine_choice::EngineChoice;
use crate::image_choice::{ImageChoice, RegistryPrefix};
use crate::name::ProviderId;

/// Where a value came from, for `config show`, the plan and error messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// Nobody said anything, and this name in the project's folder speaks for it.
    Detected(&'static str),
    /// Nobody said anything, and the container that is there has it.
    Container,
    /// The user's own defaults for everything.
    UserFile(PathBuf),
    /// The account's defaults.
    AccountFile(PathBuf),
    /// The project's file, shared through its repository.
    ProjectFile(PathBuf),
    /// This user's choices for this project.
    SessionFile(PathBuf),
    /// A `CLAUDE_REACTOR_*` variable.
    Environment,
    /// A flag of this command.
    Flag,
}

impl Source {
    /// The layer, in one word. Stable: `--json` prints it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Detected(_) => "detected",
            Self::Container => "container",
            Self::UserFile(_) => "user",
            Self::AccountFile(_) => "account",
            Self::ProjectFile(_) => "project",
            Self::SessionFile(_) => "session",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Detected(name) => write!(f, "detected: {name}"),
            Self::Container => f.write_str("the container that is there"),
            Self::UserFile(path)
            | Self::AccountFile(path)
            | Self::ProjectFile(path)
            | Self::SessionFile(path) => {
                write!(f, "{}", path.display())
            }
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The layer that gave it.
    pub source: Source,
}

/// What one layer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Which layer this is.
    pub source: Source,
    /// Its values.
    pub values: Values,
}

/// Where the session's variables are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnvMode {
    /// At each session's start, where no `inspect` shows them.
    #[default]
    Session,
    /// At the container's creation, for people who attach with other tools; `inspect` shows them.
    Container,
}

impl EnvMode {
    /// Every mode by its name in a file.
    pub const NAMES: [(&'static str, Self); 2] = [("session", Self::Session), ("container", Self::Container)];
}

impl fmt::Display for EnvMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, mode)| mode == self).map_or("session", |(name, _)| *name);
        f.write_str(name)
    }
}

/// Everything that was chosen for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which image.
    pub image: Setting<ImageChoice>,
    /// Whether Claude Code runs without asking for permission.
    pub danger: Setting<bool>,
    /// The LLM backend.
    pub provider: Setting<ProviderId>,
    /// The main model; without one the provider's row decides.
    pub model: Option<Setting<String>>,
    /// The small model; without one the provider's row decides.
    pub small_model: Option<Setting<String>>,
    /// Where the session's variables are set.
    pub env: Setting<EnvMode>,
    /// Whether the `claude` process gets the key under its own name as well.
    pub export_key: Setting<bool>,
    /// Whether the session may use the host's engine.
    pub host_docker: Setting<bool>,
    /// How long one use of the host's engine may take.
    pub host_docker_timeout: Setting<Timeout>,
    /// Whether the session gets the caller's SSH agent.
    pub ssh_agent: Setting<bool>,
    /// By which socket.
    pub ssh_agent_socket: Setting<AgentSocket>,
    /// Whether the container stays after the session.
    pub session_persistence: Setting<bool>,
    /// Host folders inside, those of all layers, the lowest layer's first.
    pub mounts: Vec<Setting<MountText>>,
    /// Variables for every process in the container; each from the highest layer that has it.
    pub variables: BTreeMap<String, Setting<Variable>>,
    /// Whether the session may become root of the container.
    pub sudo: Setting<bool>,
    /// What the container may use at most.
    pub limits: Limits,
    /// Which container engine; without one the first that answers.
    pub engine: Option<Setting<EngineChoice>>,
    /// Where the built-in images may be had.
    pub registry: Option<Setting<RegistryPrefix>>,
    /// The version of Claude Code in the built-in images; without one, the one that this program pins.
    pub claude_version: Option<Setting<ClaudeVersion>>,
    /// CA certificates to trust in addition, a PEM file.
    pub ca_file: Option<Setting<PathBuf>>,
}

/// What a container may use at most; without a limit, what the engine gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Processors.
    pub cpus: Option<Setting<Cpus>>,
    /// Main memory.
    pub memory: Option<Setting<Memory>>,
    /// Processes at once.
    pub pids: Option<Setting<Pids>>,
}

/// Merges layers, given from the lowest to the highest.
///
/// A model belongs to the provider it was chosen for: it counts only where the provider that its own layer saw is the
/// one that won, so that a one-off provider never gets another's model name.
pub fn resolve(layers: &[Layer]) -> Settings {
    let provider = pick(layers, |values| values.provider.clone())
        .unwrap_or_else(|| Setting { value: ProviderId::claude(), source: Source::Default });
    let of_provider = |read: fn(&Values) -> Option<String>| {
        let index = layers.iter().rposition(|layer| read(&layer.values).is_some())?;
        let seen = pick(&layers[..=index], |values| values.provider.clone());
        let seen = seen.map_or_else(ProviderId::claude, |setting| setting.value);
        (seen == provider.value).then(|| pick(layers, read)).flatten()
    };
    Settings {
        image: or_default(layers, |values| values.image.clone()),
        danger: or_default(layers, |values| values.danger),
        model: of_provider(|values| values.model.clone()),
        small_model: of_provider(|values| values.small_model.clone()),
        env: or_default(layers, |values| values.env),
        export_key: or_default(layers, |values| values.export_key),
        host_docker: or_default(layers, |values| values.host_docker),
        host_docker_timeout: or_default(layers, |values| values.host_docker_timeout),
        ssh_agent: or_default(layers, |values| values.ssh_agent),
        ssh_agent_socket: or_default(layers, |values| values.ssh_agent_socket.clone()),
        session_persistence: or_true(layers, |values| values.session_persistence),
        mounts: mounts(layers),
        variables: variables(layers),
        sudo: or_true(layers, |values| values.sudo),
        limits: Limits {
            cpus: pick(layers, |values| values.cpus),
            memory: pick(layers, |values| values.memory),
            pids: pick(layers, |values| values.pids),
        },
        engine: pick(layers, |values| values.engine.clone()),
        registry: pick(layers, |values| values.registry.clone()),
        claude_version: pick(layers, |values| values.claude_version),
        ca_file: pick(layers, |values| values.ca_file.clone()),
        provider,
    }
}

fn pick<T>(layers: &[Layer], read: impl Fn(&Values) -> Option<T>) -> Option<Setting<T>> {
    layers
        .iter()
        .rev()
        .find_map(|layer| Some(Setting { value: read(&layer.values)?, source: layer.source.clone() }))
}

fn or_default<T: Default>(layers: &[Layer], read: impl Fn(&Values) -> Option<T>) -> Setting<T> {
    pick(layers, read).unwrap_or_else(|| Setting { value: T::default(), source: Source::Default })
}

fn or_true(layers: &[Layer], read: impl Fn(&Values) -> Option<bool>) -> Setting<bool> {
    pick(layers, read).unwrap_or(Setting { value: true, source: Source::Default })
}

/// A mount is an addition, whichever layer says it; which of two at one place counts is said where places are known.
fn mounts(layers: &[Layer]) -> Vec<Setting<MountText>> {
    let of_layer = |layer: &Layer| {
        let source = layer.source.clone();
        layer.values.mounts.clone().into_iter().map(move |value| Setting { value, source: source.clone() })
    };
    layers.iter().flat_map(of_layer).collect()
}

fn variables(layers: &[Layer]) -> BTreeMap<String, Setting<Variable>> {
    let of_layer = |layer: &Layer| {
        let source = layer.source.clone();
        let setting = move |value| Setting { value, source: source.clone() };
        layer.values.variables.clone().into_iter().map(move |(name, value)| (name, setting(value)))
    };
    // Of one name the last one stays, and the last one is the highest layer's.
    layers.iter().flat_map(of_layer).collect()
}

#[cfg(test)]
mod tests;
