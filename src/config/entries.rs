//! The settings as lines: every key, what it says, and which layer said it.

use serde::Serialize;

use super::{Setting, Settings, Source};

/// One setting. Field names are stable: `--json` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The key, a dotted path.
    pub key: String,
    /// Its value, as a file would say it.
    pub value: String,
    /// Where it came from, in words.
    pub source: String,
    /// Where it came from.
    #[serde(skip)]
    pub origin: Source,
}

impl Entry {
    fn new<T: ToString>(key: impl Into<String>, setting: &Setting<T>) -> Self {
        let Setting { value, source } = setting;
        Self { key: key.into(), value: value.to_string(), source: source.to_string(), origin: source.clone() }
    }

    /// Whether anybody said it.
    pub fn is_chosen(&self) -> bool {
        self.origin != Source::Default
    }
}

impl Settings {
    /// Every setting that has a value, in the order of the documentation.
    pub fn entries(&self) -> Vec<Entry> {
        fn optional<T: ToString>(key: &str, setting: Option<&Setting<T>>) -> Option<Entry> {
            setting.map(|setting| Entry::new(key, setting))
        }
        let ca_file = self.ca_file.as_ref().map(|setting| Setting {
            value: setting.value.display().to_string(),
            source: setting.source.clone(),
        });
        let mut entries =
            vec![Entry::new("variant", &self.image), Entry::new("llm.provider", &self.provider)];
        entries.extend(optional("llm.model", self.model.as_ref()));
        entries.extend(optional("llm.small_model", self.small_model.as_ref()));
        entries.extend([
            Entry::new("llm.env", &self.env),
            Entry::new("llm.export_key", &self.export_key),
            Entry::new("danger", &self.danger),
            Entry::new("host_docker", &self.host_docker),
            Entry::new("host_docker_timeout", &self.host_docker_timeout),
            Entry::new("ssh_agent", &self.ssh_agent),
            Entry::new("ssh_agent_socket", &self.ssh_agent_socket),
            Entry::new("session_persistence", &self.session_persistence),
        ]);
        let given = |setting: &Setting<super::MountText>| Setting {
            value: setting.value.given.clone(),
            source: setting.source.clone(),
        };
        entries.extend(self.mounts.iter().map(|setting| Entry::new("mounts", &given(setting))));
        entries.extend(self.variables.iter().map(|(name, setting)| Entry {
            key: format!("env.{name}"),
            value: setting.value.value.clone(),
            source: setting.source.to_string(),
            origin: setting.source.clone(),
        }));
        entries.push(Entry::new("sudo", &self.sudo));
        entries.extend(optional("limits.cpus", self.limits.cpus.as_ref()));
        entries.extend(optional("limits.memory", self.limits.memory.as_ref()));
        entries.extend(optional("limits.pids", self.limits.pids.as_ref()));
        entries.extend(optional("engine", self.engine.as_ref()));
        entries.extend(optional("registry", self.registry.as_ref()));
        entries.extend(optional("claude_version", self.claude_version.as_ref()));
        entries.extend(optional("ca_file", ca_file.as_ref()));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, file, resolve};
    use super::*;
    use std::path::Path;

    #[test]
    fn every_key_has_a_line_with_its_origin() {
        let text = "variant: ubuntu:24.04\nllm: {provider: zai, model: m, small_model: s, env: container, export_key: true}\n\
                    danger: true\nhost_docker: true\nhost_docker_timeout: 90s\nssh_agent: true\nssh_agent_socket: /a\n\
                    session_persistence: false\nsudo: false\nlimits: {cpus: 1.5, memory: 4096m, pids: 9}\n\
                    mounts: [~/x:/y:ro]\nenv: {A: b}\nengine: podman\nregistry: ghcr.io/acme\nclaude_version: 2.1.300\nca_file: /ca.pem\n";
        let values = file::user_file(Path::new("/h/config.yaml"), text).unwrap().values;
        let layer = Layer { source: Source::UserFile("/h/config.yaml".into()), values };
        let settings = resolve(std::slice::from_ref(&layer));
        assert!(settings.entries().iter().all(|entry| entry.source == "/h/config.yaml"));
        let line = |entry: Entry| format!("{} = {} ({})", entry.key, entry.value, entry.source);
        let lines: Vec<String> = settings.entries().into_iter().map(line).collect();
        insta::assert_snapshot!(lines.join("\n"));
        let untouched: Vec<String> = resolve(&[]).entries().into_iter().map(line).collect();
        insta::assert_snapshot!(untouched.join("\n"));
    }
}
