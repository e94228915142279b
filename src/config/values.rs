//! What one source says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::agent_socket::AgentSocket;
use super::limits::{Cpus, Memory, Pids};
use super::timeout::Timeout;
use super::{EnvMode, MountText, Variable};
use crate::claude_version::ClaudeVersion;
use crate::engine_choice::EngineChoice;
use crate::image_choice::{ImageChoice, RegistryPrefix};
use crate::name::ProviderId;

/// What one source says; a key it does not mention is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// `variant`: which image.
    pub image: Option<ImageChoice>,
    /// `danger`: whether Claude Code runs without asking for permission.
    pub danger: Option<bool>,
    /// `llm.provider`: the LLM backend.
    pub provider: Option<ProviderId>,
    /// `llm.model`: the main model.
    pub model: Option<String>,
    /// `llm.small_model`: the small model.
    pub small_model: Option<String>,
    /// `llm.env`: where the session's variables are set.
    pub env: Option<EnvMode>,
    /// `llm.export_key`: whether the `claude` process gets the key under its own name as well.
    pub export_key: Option<bool>,
    /// `host_docker`: whether the session may use the host's engine.
    pub host_docker: Option<bool>,
    /// `host_docker_timeout`: how long one use of the host's engine may take.
    pub host_docker_timeout: Option<Timeout>,
    /// `ssh_agent`: whether the session gets the caller's SSH agent.
    pub ssh_agent: Option<bool>,
    /// `ssh_agent_socket`: by which socket.
    pub ssh_agent_socket: Option<AgentSocket>,
    /// `session_persistence`: whether the container stays after the session.
    pub session_persistence: Option<bool>,
    /// `mounts`: host folders inside, as they were written.
    pub mounts: Vec<MountText>,
    /// `env`: variables for every process in the container.
    pub variables: BTreeMap<String, Variable>,
    /// `sudo`: whether the session may become root of the container.
    pub sudo: Option<bool>,
    /// `limits.cpus`.
    pub cpus: Option<Cpus>,
    /// `limits.memory`.
    pub memory: Option<Memory>,
    /// `limits.pids`.
    pub pids: Option<Pids>,
    /// `engine`: which container engine.
    pub engine: Option<EngineChoice>,
    /// `registry`: where the built-in images may be had.
    pub registry: Option<RegistryPrefix>,
    /// `claude_version`: the version of Claude Code in the built-in images.
    pub claude_version: Option<ClaudeVersion>,
    /// `ca_file`: CA certificates to trust in addition, a PEM file; absolute, or `~/…`.
    pub ca_file: Option<PathBuf>,
}
