//! What a project's file may say only with the user's consent.
//!
//! The file comes with a repository, and a session can write it at any time. What in it could harm the user's safety or
//! purse, or move where keys and prompts go, is a *claim*. Consent is given to all claims of a file together, by a digest
//! of them: comments and the other keys can change as they like, and a claim that changes, comes or goes asks again.

use std::fmt;

use sha2::{Digest, Sha256};

use super::file::ProjectFile;
use super::limits::Pids;
use super::yaml::Place;
use super::{EnvMode, Setting, Settings, Values};
use crate::digest::hex;
use crate::image_choice::ImageChoice;

/// One thing that needs consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key, a dotted path.
    pub key: String,
    /// What the file says.
    pub value: String,
    /// What that comes to on this machine, where the file alone does not decide it: a session could make `./data` a
    /// link to anything.
    pub means: Option<String>,
    /// File, line and column.
    pub place: Place,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, shown(&self.value))?;
        match &self.means {
            Some(means) => write!(f, " (which is {means})"),
            None => Ok(()),
        }
    }
}

/// A text out of a repository, fit for a question: nothing in it reaches the terminal as it is, so that it can neither
/// move the cursor nor turn the direction of reading, and it does not drown the rest. A plain word needs no quotes.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    const END: usize = 60;
    let count = text.chars().count();
    if (1..=LONGEST).contains(&count)
        && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'\\()".contains(&b))
    {
        return text.to_owned();
    }
    if count <= LONGEST {
        return format!("{text:?}");
    }
    let head: String = text.chars().take(LONGEST - END).collect();
    let tail: String = text.chars().skip(count - END).collect();
    format!("{head:?}…{tail:?} ({count} characters)")
}

/// The claims of a file. `mounts` and `socket` are what its mounts and its agent's socket come to on this machine.
pub fn claims(file: &ProjectFile, mounts: &[String], socket: Option<&str>) -> Vec<Claim> {
    let values = &file.choices.values;
    let mut claims = Vec::new();
    let mut claim = |key: &[&str], value: Option<String>, means: Option<&str>| {
        let Some(value) = value else { return };
        let (means, place) = (means.map(str::to_owned), file.place(key));
        claims.push(Claim { key: key.join("."), value, means, place });
    };
    let yes = |value: Option<bool>| value.filter(|on| *on).map(|on| on.to_string());
    let image = values.image.as_ref().filter(|image| matches!(image, ImageChoice::Custom(_)));
    claim(&["variant"], image.map(ToString::to_string), None);
    claim(&["danger"], yes(values.danger), None);
    claim(
        &["llm", "env"],
        values.env.filter(|mode| *mode != EnvMode::default()).map(|mode| mode.to_string()),
        None,
    );
    claim(&["llm", "export_key"], yes(values.export_key), None);
    claim(&["host_docker"], yes(values.host_docker), None);
    claim(&["host_docker_timeout"], values.host_docker_timeout.map(|timeout| timeout.to_string()), None);
    claim(&["ssh_agent"], yes(values.ssh_agent), None);
    claim(&["ssh_agent_socket"], values.ssh_agent_socket.as_ref().map(ToString::to_string), socket);
    claim(&["sudo"], yes(values.sudo), None);
    claim(&["limits", "cpus"], values.cpus.map(|cpus| cpus.to_string()), None);
    claim(&["limits", "memory"], values.memory.map(|memory| memory.to_string()), None);
    claim(&["limits", "pids"], values.pids.map(|pids| pids.to_string()), None);
    for (name, variable) in &values.variables {
        claim(&["env", name], Some(variable.value.clone()), None);
    }
    for (index, (mount, means)) in values.mounts.iter().zip(mounts).enumerate() {
        let place = file.item_place(&["mounts"], index);
        claims.push(Claim {
            key: "mounts".to_owned(),
            value: mount.given.clone(),
            means: Some(means.clone()),
            place,
        });
    }
    claims
}

/// What consent to these claims in this project is remembered by.
pub fn digest(project: &str, claims: &[Claim]) -> String {
    let content: Vec<_> = claims.iter().map(|claim| (&claim.key, &claim.value, &claim.means)).collect();
    hex(&Sha256::digest(serde_json::json!([project, content]).to_string()))
}

/// A file's values without its claims.
pub fn without_claims(values: &Values) -> Values {
    let no = |value: Option<bool>| value.filter(|on| !on);
    Values {
        image: values.image.clone().filter(|image| matches!(image, ImageChoice::BuiltIn(_))),
        provider: values.provider.clone(),
        model: values.model.clone(),
        small_model: values.small_model.clone(),
        session_persistence: values.session_persistence,
        env: values.env.filter(|mode| *mode == EnvMode::default()),
        danger: no(values.danger),
        export_key: no(values.export_key),
        host_docker: no(values.host_docker),
        ssh_agent: no(values.ssh_agent),
        sudo: no(values.sudo),
        ..Values::default()
    }
}

/// Whether claims (those to mounts aside) make a difference: what the settings are `with` them, and `without`. A claim
/// to what the user has chosen anyway, or has overruled, needs no consent; nor does a limit that only takes away.
pub fn matter(with: &Settings, without: &Settings) -> bool {
    fn differ<T: PartialEq>(one: &Setting<T>, other: &Setting<T>) -> bool {
        one.value != other.value
    }
    let variables = |settings: &Settings| -> Vec<(String, String)> {
        let variables = settings.variables.iter();
        variables.map(|(name, setting)| (name.clone(), setting.value.value.clone())).collect()
    };
    let pids = |settings: &Settings| settings.limits.pids.as_ref().map_or(Pids::DEFAULT, |pids| pids.value);
    differ(&with.image, &without.image)
        || differ(&with.danger, &without.danger)
        || differ(&with.env, &without.env)
        || differ(&with.export_key, &without.export_key)
        || differ(&with.host_docker, &without.host_docker)
        || (with.host_docker.value && differ(&with.host_docker_timeout, &without.host_docker_timeout))
        || differ(&with.ssh_agent, &without.ssh_agent)
        || (with.ssh_agent.value && differ(&with.ssh_agent_socket, &without.ssh_agent_socket))
        || differ(&with.sudo, &without.sudo)
        || looser(with.limits.cpus.as_ref(), without.limits.cpus.as_ref())
        || looser(with.limits.memory.as_ref(), without.limits.memory.as_ref())
        || pids(with) > pids(without)
        || variables(with) != variables(without)
}

/// Whether a limit lets more through than another; no limit lets everything through.
fn looser<T: PartialOrd>(limit: Option<&Setting<T>>, than: Option<&Setting<T>>) -> bool {
    match (limit, than) {
        (Some(limit), Some(than)) => limit.value > than.value,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::{self, project_choices};
    use crate::config::{Layer, Source, resolve};
    use proptest::prelude::*;
    use std::path::Path;

    fn file(text: &str) -> ProjectFile {
        project_choices(Path::new("/app/.claude-reactor"), text).unwrap()
    }

    fn all_claims(text: &str) -> Vec<Claim> {
        let file = file(text);
        let mounts = vec!["there".to_owned(); file.choices.values.mounts.len()];
        claims(&file, &mounts, None)
    }

    const FULL: &str = "\
# what a team asks for
variant: ghcr.io/acme/tools:1
danger: true
llm: {env: container, export_key: true, provider: zai, model: glm-5.2}
host_docker: true
host_docker_timeout: 5m
ssh_agent: true
ssh_agent_socket: /run/agent.sock
sudo: true
limits: {cpus: 2, memory: 4g, pids: 100}
env: {EDITOR: vim}
mounts:
  - ~/data
  - /srv/x:/x:ro
session_persistence: false
";

    #[test]
    fn every_claim_is_named_and_placed() {
        let lines: Vec<String> =
            all_claims(FULL).iter().map(|claim| format!("{} {claim}", claim.place)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn what_endangers_nobody_is_no_claim() {
        let text = "account: bob\nvariant: base\ndanger: false\nhost_docker: false\nssh_agent: false\nsudo: false\n\
                    llm: {provider: zai, model: m, small_model: s, env: session, export_key: false}\n\
                    session_persistence: false\n";
        assert_eq!(all_claims(text), []);
        let values = file(text).choices.values;
        assert_eq!(without_claims(&values), values, "it counts as it is");
    }

    #[test]
    fn without_its_claims_nothing_of_a_file_could_harm() {
        let rest = without_claims(&file(FULL).choices.values);
        let harmless = file("llm: {provider: zai, model: glm-5.2}\nsession_persistence: false\n");
        assert_eq!(rest, harmless.choices.values);
    }

    #[test]
    fn consent_is_to_the_claims_and_the_project_and_nothing_else() {
        let of = |text: &str| digest("/app", &all_claims(text));
        assert_eq!(of("danger: true\n"), of("# why not\nllm:\n  model: x\ndanger:   true\n"));
        assert_ne!(of("danger: true\n"), of("danger: true\nssh_agent: true\n"));
        assert_ne!(of("mounts: [/a]\n"), of("mounts: [/b]\n"));
        assert_ne!(of("env: {A: '1'}\n"), of("env: {A: '2'}\n"));
        let claims = all_claims("mounts: [/a]\n");
        assert_ne!(digest("/app", &claims), digest("/other", &claims));
        let elsewhere = [Claim { means: Some("elsewhere".to_owned()), ..claims[0].clone() }];
        assert_ne!(digest("/app", &claims), digest("/app", &elsewhere), "a link that leads elsewhere now");
    }

    /// Whether a project's file makes a difference beside the user's defaults and their choices for the project.
    fn matters(user: &str, project: &str, session: &str) -> bool {
        let project = file(project).choices.values;
        let layers = |project: Values| {
            let user = file::user_file(Path::new("/h/config.yaml"), user).unwrap().values;
            let session = file::choices(Path::new("/s"), session, Path::new("/app")).unwrap().values;
            let layer = |source: Source, values| Layer { source, values };
            resolve(&[
                layer(Source::UserFile("u".into()), user),
                layer(Source::ProjectFile("p".into()), project),
                layer(Source::SessionFile("s".into()), session),
            ])
        };
        matter(&layers(project.clone()), &layers(without_claims(&project)))
    }

    #[test]
    fn only_what_makes_a_difference_matters() {
        assert!(matters("", "danger: true\n", ""));
        assert!(!matters("danger: true\n", "danger: true\n", ""), "the user's own choice already");
        assert!(!matters("", "danger: true\n", "danger: false\n"), "overruled");
        assert!(!matters("danger: true\n", "danger: false\n", ""), "it takes away");
        assert!(!matters("", "sudo: true\n", ""), "it is so anyway");
        assert!(matters("sudo: false\n", "sudo: true\n", ""));
        assert!(matters("", "env: {A: b}\n", ""));
        assert!(!matters("env: {A: b}\n", "env: {A: b}\n", ""));
        assert!(matters("env: {A: c}\n", "env: {A: b}\n", ""));
        assert!(!matters("", "host_docker_timeout: 0\n", ""), "nothing is limited by it");
        assert!(matters("host_docker: true\n", "host_docker_timeout: 0\n", ""));
        assert!(matters("ssh_agent: true\n", "ssh_agent_socket: /run/x\n", ""));
        assert!(matters("", "variant: ubuntu\n", ""));
        assert!(!matters("", "variant: ubuntu\n", "variant: base\n"));
    }

    #[test]
    fn a_limit_matters_when_it_lets_more_through() {
        assert!(!matters("", "limits: {cpus: 64, memory: 900g, pids: 4096}\n", ""));
        assert!(matters("", "limits: {pids: 4097}\n", ""));
        assert!(matters("limits: {memory: 2g}\n", "limits: {memory: 4g}\n", ""));
        assert!(!matters("limits: {memory: 2g}\n", "limits: {memory: 1g}\n", ""));
        assert!(matters("limits: {cpus: 1}\n", "limits: {cpus: 1.5}\n", ""));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_one_short_line(text in any::<String>()) {
            let line = shown(&format!("\u{1b}[2J\u{202e}{text}"));
            let hostile = |c: char| c.is_control() || c == '\u{202e}';
            prop_assert!(!line.contains(hostile), "{:?}", line);
        }
    }

    #[test]
    fn a_long_value_is_cut_and_its_end_is_there() {
        let line = shown(&format!("{}rm -rf", "x".repeat(5000)));
        assert!(line.len() < 300 && line.contains("rm -rf") && line.contains("(5006 characters)"), "{line}");
    }
}
