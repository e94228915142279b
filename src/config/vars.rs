//! The `CLAUDE_REACTOR_*` variables: the choices for one run that are not remembered.

use std::collections::BTreeMap;

use super::{Error, ModelId, ValueText, Values, parse_at};
use crate::host::Host;
use crate::name::AccountName;

/// Reads the values that the environment gives.
pub fn values(host: &Host) -> Result<Values, Error> {
    let image = value(host, "CLAUDE_REACTOR_VARIANT")?;
    Ok(Values {
        image: if image.is_some() { image } else { value(host, "CLAUDE_REACTOR_IMAGE")? },
        danger: value(host, "CLAUDE_REACTOR_DANGER")?,
        provider: value(host, "CLAUDE_REACTOR_LLM_PROVIDER")?,
        model: value(host, "CLAUDE_REACTOR_LLM_MODEL")?.map(|ModelId(id)| id),
        small_model: value(host, "CLAUDE_REACTOR_LLM_SMALL_MODEL")?.map(|ModelId(id)| id),
        env: value(host, "CLAUDE_REACTOR_LLM_ENV")?,
        export_key: value(host, "CLAUDE_REACTOR_LLM_EXPORT_KEY")?,
        host_docker: value(host, "CLAUDE_REACTOR_HOST_DOCKER")?,
        host_docker_timeout: value(host, "CLAUDE_REACTOR_HOST_DOCKER_TIMEOUT")?,
        ssh_agent: value(host, "CLAUDE_REACTOR_SSH_AGENT")?,
        ssh_agent_socket: value(host, "CLAUDE_REACTOR_SSH_AGENT_SOCKET")?,
        session_persistence: value(host, "CLAUDE_REACTOR_SESSION_PERSISTENCE")?,
        // Lists and mappings have no form as one text.
        mounts: Vec::new(),
        variables: BTreeMap::new(),
        sudo: value(host, "CLAUDE_REACTOR_SUDO")?,
        cpus: value(host, "CLAUDE_REACTOR_LIMITS_CPUS")?,
        memory: value(host, "CLAUDE_REACTOR_LIMITS_MEMORY")?,
        pids: value(host, "CLAUDE_REACTOR_LIMITS_PIDS")?,
        engine: value(host, "CLAUDE_REACTOR_ENGINE")?,
        registry: value(host, "CLAUDE_REACTOR_REGISTRY")?,
        claude_version: value(host, "CLAUDE_REACTOR_CLAUDE_VERSION")?,
        ca_file: host.var("CLAUDE_REACTOR_CA_FILE").map(|path| host.absolute(path)),
    })
}

/// The account that the environment gives.
pub fn account(host: &Host) -> Result<Option<AccountName>, Error> {
    value(host, "CLAUDE_REACTOR_ACCOUNT")
}

fn value<T: ValueText>(host: &Host, name: &str) -> Result<Option<T>, Error> {
    host.var(name).map(|text| parse_at(|| name.to_owned(), text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(vars: &[(&str, &str)]) -> Host {
        Host::new(
            "/home/alice",
            "/work",
            vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn variables_are_read_and_empty_ones_are_not_there() {
        let values = values(&host(&[
            ("CLAUDE_REACTOR_LLM_PROVIDER", "zai"),
            ("CLAUDE_REACTOR_DANGER", "1"),
            ("CLAUDE_REACTOR_LLM_MODEL", ""),
            ("CLAUDE_REACTOR_CA_FILE", "~/company.pem"),
        ]))
        .unwrap();
        assert_eq!(values.provider.unwrap().as_str(), "zai");
        assert_eq!((values.danger, values.model), (Some(true), None));
        assert_eq!(values.ca_file.unwrap(), std::path::Path::new("/home/alice/company.pem"));
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error = values(&host(&[("CLAUDE_REACTOR_DANGER", "yes")])).unwrap_err();
        assert_eq!(error.to_string(), r#"CLAUDE_REACTOR_DANGER: "yes" is neither true nor false"#);
    }
}
