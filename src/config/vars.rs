//! The `CLAUDE_REACTOR_*` variables: the choices for one run that are not remembered.

use std::collections::BTreeMap;

use super::mount_text::MountText;
use super::{Error, ModelId, ValueText, Values, parse_at};
use crate::host::Host;
use crate::name::AccountName;
use crate::text::{hanging, one_line};

/// What the names of all variables begin with.
pub const PREFIX: &str = "CLAUDE_REACTOR_";

/// A variable that is read.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name behind the prefix.
    short: &'static str,
    /// What it says, for the help.
    about: &'static str,
}

const fn variable(short: &'static str, about: &'static str) -> Variable {
    Variable { short, about }
}

/// Every variable, as the help lists them.
pub const ALL: [Variable; 30] = [
    variable("ACCOUNT", "as --account"),
    variable("LLM_PROVIDER", "as --llm-provider"),
    variable("LLM_MODEL", "as --llm-model"),
    variable("LLM_SMALL_MODEL", "the model for small tasks"),
    variable("LLM_ENV", "`container` gives the key to the container, not to each session"),
    variable("LLM_EXPORT_KEY", "true: Claude Code sees the key under its own name as well"),
    variable("VARIANT", "as --image, which is another name for it"),
    variable("IMAGE", "the same; VARIANT wins"),
    variable("DANGER", "as --danger: true or false"),
    variable("MOUNTS", "as --mount; several are divided by commas"),
    variable("HOST_DOCKER", "as --host-docker: true or false"),
    variable("HOST_DOCKER_TIMEOUT", "as --host-docker-timeout"),
    variable("SSH_AGENT", "as --ssh-agent: true or false"),
    variable("SSH_AGENT_SOCKET", "the agent's socket, or `auto`"),
    variable("SESSION_PERSISTENCE", "false: as --no-persist"),
    variable("SUDO", "false: no sudo in the container"),
    variable("LIMITS_CPUS", "how many CPUs the container may use"),
    variable("LIMITS_MEMORY", "how much memory (`8g`)"),
    variable("LIMITS_PIDS", "how many processes"),
    variable("ENGINE", "as --engine"),
    variable("ENGINE_SHARES_FILES", "true: an engine elsewhere sees this machine's files (docs/engines.md)"),
    variable("REGISTRY", "where built-in images are pulled from, before they are built here"),
    variable("USE_REGISTRY", "false: build images here, whatever registry is configured"),
    variable("CLAUDE_VERSION", "the version of Claude Code in the built-in images"),
    variable("CA_FILE", "as --ca-file"),
    variable("NO_VERIFY", "true: as --no-verify"),
    variable("VERBOSE", "true: as --verbose"),
    variable("DEBUG", "true: as --debug"),
    variable("HOME", "where accounts, keys and history are kept (default: ~/.claude-reactor)"),
    // Not for the user to set: the mark of a session's processes. Whoever runs the program inside of one has it.
    variable("SESSION", ""),
];

/// Variables of an earlier claude-reactor, and what takes their place.
const REMOVED: [(&str, &str); 3] = [
    ("TAG", "an image's tag follows from its content"),
    ("ENABLE_CUSTOM_IMAGES", "`--image` takes any image"),
    ("LOG_LEVEL", "use CLAUDE_REACTOR_VERBOSE or CLAUDE_REACTOR_DEBUG"),
];

/// Columns that the help has everywhere but in a narrow terminal.
const HELP_WIDTH: usize = 100;

/// The part of the help that lists the variables.
pub fn help() -> String {
    let mut text = "Environment, for one run and not remembered:".to_owned();
    for Variable { short, about } in ALL.iter().filter(|variable| !variable.about.is_empty()) {
        let name = format!("{PREFIX}{short}");
        text.push('\n');
        text.push_str(&hanging(&format!("  {name:<35} "), about, HELP_WIDTH));
    }
    text.push_str("\n  DOCKER_HOST, DOCKER_CONTEXT, CONTAINER_HOST\n");
    let about = "where no --engine chooses: the container engine (default: the first that answers)";
    text.push_str(&hanging(&" ".repeat(38), about, HELP_WIDTH));
    text
}

/// The variables with our prefix that are not read, each with what to say of it: misspelt ones, and those of an earlier
/// version.
pub fn unknown(host: &Host) -> Vec<(String, String)> {
    let ours = host.vars().filter_map(|(name, _)| name.strip_prefix(PREFIX));
    let unknown = ours.filter(|short| ALL.iter().all(|variable| variable.short != *short));
    unknown.map(|short| (format!("{PREFIX}{}", one_line(short)), warning(short))).collect()
}

fn warning(short: &str) -> String {
    let name = format!("{PREFIX}{}", one_line(short));
    if let Some((_, instead)) = REMOVED.iter().find(|(removed, _)| *removed == short) {
        return format!("{name} is not read any more: {instead}");
    }
    let distance = |variable: &Variable| strsim::damerau_levenshtein(short, variable.short);
    let near = ALL.iter().filter(|variable| !variable.about.is_empty()).min_by_key(|known| distance(known));
    match near.filter(|near| distance(near) <= (short.len() / 3).max(1)) {
        Some(near) => format!("{name} is not read; did you mean {PREFIX}{}?", near.short),
        None => format!("{name} is not read; `claude-reactor --help` lists the variables that are"),
    }
}

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
        mounts: mounts(host),
        // A mapping has no form as one text.
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

/// Whether a key is stored even if the provider refuses it.
pub fn no_verify(host: &Host) -> Result<bool, Error> {
    Ok(value(host, "CLAUDE_REACTOR_NO_VERIFY")?.unwrap_or(false))
}

fn mounts(host: &Host) -> Vec<MountText> {
    const NAME: &str = "CLAUDE_REACTOR_MOUNTS";
    let mount =
        |given: &str| MountText { given: given.to_owned(), base: host.cwd.clone(), place: NAME.to_owned() };
    let texts = host.var(NAME).unwrap_or_default().split(',').map(str::trim);
    texts.filter(|text| !text.is_empty()).map(mount).collect()
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

    #[test]
    fn mounts_are_divided_by_commas() {
        let values = values(&host(&[("CLAUDE_REACTOR_MOUNTS", "~/a:ro, b:/data,")])).unwrap();
        let mounts: Vec<_> = values.mounts.iter().map(|mount| (mount.given.as_str(), &mount.place)).collect();
        let name = "CLAUDE_REACTOR_MOUNTS".to_owned();
        assert_eq!(mounts, [("~/a:ro", &name), ("b:/data", &name)]);
    }

    #[test]
    fn a_variable_that_is_not_read_is_warned_about_with_the_one_that_was_meant() {
        let warnings = |name| -> Vec<String> {
            unknown(&host(&[(name, "x")])).into_iter().map(|(_, warning)| warning).collect()
        };
        assert_eq!(
            warnings("CLAUDE_REACTOR_LLM_PROVIDR"),
            ["CLAUDE_REACTOR_LLM_PROVIDR is not read; did you mean CLAUDE_REACTOR_LLM_PROVIDER?"]
        );
        assert!(warnings("CLAUDE_REACTOR_FROBNICATE")[0].contains("--help"));
        assert!(warnings("CLAUDE_REACTOR_TAG")[0].contains("not read any more"));
        assert!(warnings("CLAUDE_REACTOR_SESSION").is_empty() && warnings("REACTOR_X").is_empty());
        for Variable { short, .. } in ALL {
            let name = format!("{PREFIX}{short}");
            assert!(unknown(&host(&[(&name, "x")])).is_empty(), "{name}");
        }
    }

    /// A variable that the code reads and nobody is told of, or the other way round, is a fault.
    #[test]
    fn the_variables_listed_are_those_that_the_code_reads() {
        fn read(folder: &std::path::Path, into: &mut String) {
            for entry in folder.read_dir().unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, into);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    into.push_str(&std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut code = String::new();
        read(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut code);
        let is_of_a_name = |c: char| c.is_ascii_uppercase() || c == '_';
        let quote = format!("\"{PREFIX}");
        let quoted = code.split(&quote).skip(1).filter_map(|rest| {
            let (name, _) = rest.split_once('"')?;
            (!name.is_empty() && name.chars().all(is_of_a_name)).then_some(name)
        });
        let in_code: std::collections::BTreeSet<_> = quoted
            .filter(|name| !name.starts_with("BUILD_"))
            .filter(|name| !["LLM_PROVIDR", "FROBNICATE", "TAG"].contains(name))
            .collect();
        let listed: std::collections::BTreeSet<_> = ALL.iter().map(|variable| variable.short).collect();
        assert_eq!(in_code, listed);
    }

    /// A new flag of `run` needs a variable, or a reason to have none.
    #[test]
    fn every_flag_that_makes_sense_has_a_variable() {
        use clap::Args as _;
        // What one command does, where a key comes from at that moment, and how the answer looks; and the flags of the
        // Go tool, which had a variable for all three.
        const NONE: [&str; 10] = [
            "apikey",
            "dev",
            "dry-run",
            "interactive-login",
            "json",
            "key-from-env",
            "key-stdin",
            "pull-latest",
            "registry-off",
            "shell",
        ];
        let run = crate::command::run::Args::augment_args(clap::Command::new("run"));
        for flag in run.get_arguments().filter_map(clap::Arg::get_long) {
            let said = |variable: &Variable| {
                let words = variable.about.split([' ', ':', ';', ',']);
                words.into_iter().any(|word| word.strip_prefix("--") == Some(flag))
            };
            assert!(ALL.iter().any(said) != NONE.contains(&flag), "--{flag}");
        }
    }
}
