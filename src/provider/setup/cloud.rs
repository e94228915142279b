//! Getting what a cloud mode needs: several variables and files, asked one by one, or all at once from a flag's source.
//!
//! Nothing is written before everything is there. There is no try either: whether a signature or a token is right is
//! between Claude Code and the cloud.

use std::io::Read;
use std::path::Path;

use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::{Error, MAX_KEY_LENGTH, Options, Source, ask, clean, interruptible, is_asked};
use crate::host::Host;
use crate::name::AccountName;
use crate::provider::base_url;
use crate::provider::catalog::{Cloud, FileQuestion, Need, Provider, Question};
use crate::provider::credentials::{self, Credentials};
use crate::provider::session_env::cloud::row_states;
use crate::provider::{credential_files, env_file};

/// What was answered, and is stored nowhere yet.
#[derive(Debug, Default)]
struct Answers {
    vars: Vec<(String, SecretString)>,
    /// By the name each is stored under.
    files: Vec<(String, SecretBox<[u8]>)>,
}

/// Gets what the mode needs beside what is `stored`, the variables of files among it, and stores it: all or nothing.
/// Returns the folder.
pub async fn set_up_cloud(
    provider: &Provider,
    cloud: &Cloud,
    stored: &Credentials,
    account: &AccountName,
    options: &Options,
    host: &Host,
) -> Result<std::path::PathBuf, Error> {
    let home = host.reactor_home()?;
    let old = |name: &str| is_stated(stored, name) || row_states(provider, name);
    let answers = if is_asked(&options.source, host) {
        let asks_anew = !matches!(options.source, Source::Ask);
        let wanted = |name: &str| asks_anew && !row_states(provider, name) || !old(name);
        let interview = Interview::new(provider, cloud, wanted, host);
        ask::answer(move || interview.hold()).await?
    } else {
        let given = match &options.source {
            Source::Ask => {
                return Err(Error::MissingInputs {
                    provider: provider.name.clone(),
                    needs: cloud.missing(old),
                    command: options.command.clone(),
                });
            }
            Source::Argument(_) => return Err(Error::SeveralKeys(provider.name.clone())),
            Source::Environment => from_environment(cloud, host),
            Source::Stdin => {
                let read = || from_reader(std::io::stdin().lock());
                lines(provider, cloud, interruptible(read).await??)?
            }
        };
        take(provider, cloud, &given, old, options, host)?
    };
    let answers = answers.over(cloud, stored);
    let folder = credential_files::folder(&home, account, &provider.id);
    for (name, content) in &answers.files {
        credential_files::store(&home, account, &provider.id, name, content)?;
    }
    if !answers.vars.is_empty() {
        credentials::store_all(&home, account, &provider.id, &answers.vars)?;
    }
    Ok(folder.parent().unwrap_or(&folder).to_owned())
}

fn is_stated(credentials: &Credentials, name: &str) -> bool {
    credentials.states(name)
}

impl Answers {
    fn has(&self, name: &str) -> bool {
        self.vars.iter().any(|(known, _)| known == name)
    }

    /// With what was stored of other alternatives, or of an older credential of the same, emptied: what was given last
    /// is what is meant.
    fn over(mut self, cloud: &Cloud, stored: &Credentials) -> Self {
        let way = cloud.ways().into_iter().find(|way| cloud.of_way(Some(way)).any(|one| self.has(&one.var)));
        let Some(way) = way else { return self };
        let is_whole = cloud.of_way(Some(way)).all(|one| one.optional || self.has(&one.var));
        let old = cloud.questions.iter().filter(|one| match one.way.as_deref() {
            None => false,
            Some(other) => other != way || is_whole && !self.has(&one.var),
        });
        let emptied: Vec<_> =
            old.filter(|one| is_stated(stored, &one.var)).map(|one| (one.var.clone(), "".into())).collect();
        self.vars.extend(emptied);
        self
    }
}

fn from_environment(cloud: &Cloud, host: &Host) -> Vec<(String, SecretString)> {
    let names = cloud.questions.iter().map(|one| &one.var).chain(cloud.files.iter().map(|file| &file.var));
    names.filter_map(|name| Some((name.clone(), host.var(name)?.into()))).collect()
}

fn from_reader(reader: impl Read) -> Result<String, Error> {
    let mut bytes = Vec::new();
    reader.take(MAX_KEY_LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(Error::Input)?;
    let origin = "standard input";
    if bytes.len() > MAX_KEY_LENGTH {
        return Err(Error::Unusable { origin, problem: "is too long" });
    }
    String::from_utf8(bytes).map_err(|_| Error::Unusable { origin, problem: "is not text" })
}

/// The lines of standard input, in the form of a `.env`. A name that the mode does not ask for is a slip.
fn lines(provider: &Provider, cloud: &Cloud, text: String) -> Result<Vec<(String, SecretString)>, Error> {
    let text = SecretString::from(text);
    let entries = env_file::parse(text.expose_secret()).map_err(Error::Lines)?;
    match entries.iter().find(|(name, _)| !cloud.asks_for(name)) {
        Some((name, _)) => {
            let all =
                cloud.questions.iter().map(|one| &one.var).chain(cloud.files.iter().map(|file| &file.var));
            Err(Error::NotAsked {
                provider: provider.name.clone(),
                name: name.clone(),
                all: all.cloned().collect(),
            })
        }
        None => Ok(entries),
    }
}

/// Takes from what was given what the mode asks for, of alternatives the first that is whole.
fn take(
    provider: &Provider,
    cloud: &Cloud,
    given: &[(String, SecretString)],
    old: impl Fn(&str) -> bool,
    options: &Options,
    host: &Host,
) -> Result<Answers, Error> {
    let value = |name: &str| {
        let found = given.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.expose_secret().trim()).filter(|value| !value.is_empty())
    };
    let ways = cloud.ways();
    let of_way = |way: &str, name: &str| cloud.of_way(Some(way)).any(|one| one.var == name);
    let is_given = |way: &&str| cloud.of_way(Some(way)).any(|one| value(&one.var).is_some());
    let whole = ways.iter().copied().filter(is_given).find(|way| {
        cloud.way(|name| of_way(way, name) && (value(name).is_some() || old(name))) == Some(*way)
    });
    // A credential in part is not mended by another one that is stored: it would be used in its place.
    let partly = whole.is_none() && ways.iter().any(&is_given);
    let is_of_a_way = |name: &str| ways.iter().any(|way| of_way(way, name));
    let stated = |name: &str| match value(name) {
        Some(_) => true,
        None => old(name) && !(partly && is_of_a_way(name)),
    };
    let mut needs = cloud.missing(stated);
    if given.iter().all(|(name, _)| value(name).is_none()) && needs.is_empty() {
        // All is stored already, and nothing new came.
        needs = cloud.missing(|_| false);
    }
    if !needs.is_empty() {
        return Err(Error::NotGiven {
            provider: provider.name.clone(),
            origin: if matches!(options.source, Source::Stdin) {
                "standard input"
            } else {
                "the environment"
            },
            needs,
        });
    }
    let mut answers = Answers::default();
    let used = |one: &&Question| one.way.is_none() || one.way.as_deref() == whole;
    for question in cloud.questions.iter().filter(used) {
        if let Some(text) = value(&question.var) {
            if let Some(problem) = text_problem(question, text) {
                return Err(Error::Answer { name: question.var.clone(), problem });
            }
            answers.vars.push((question.var.clone(), clean("this source", text)?));
        }
    }
    for file in &cloud.files {
        if let Some(path) = value(&file.var) {
            let content = read(file, path, host)?;
            answers.files.push((file.file.clone(), content));
        }
    }
    Ok(answers)
}

fn read(file: &FileQuestion, path: &str, host: &Host) -> Result<SecretBox<[u8]>, Error> {
    let path = host.absolute(path);
    credential_files::read(&path).map_err(|problem| Error::File { name: file.var.clone(), path, problem })
}

/// Why a text cannot be the answer.
fn text_problem(question: &Question, text: &str) -> Option<String> {
    if text.contains(char::is_control) || !question.secret && text.contains(char::is_whitespace) {
        return Some("it has a space or a control character in it".to_owned());
    }
    if question.var.ends_with("_BASE_URL") {
        return base_url::check_base(text).err().map(|problem| format!("{problem}: {}", problem.hint()));
    }
    // It becomes a part of the host that the key is sent to.
    if question.var.ends_with("_RESOURCE") && !is_host_label(text) {
        return Some("it is not a resource's name alone: letters, digits and dashes".to_owned());
    }
    None
}

fn is_host_label(text: &str) -> bool {
    let label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.len() <= 63 && text.chars().all(label) && !text.starts_with('-') && !text.ends_with('-')
}

/// The questions for a person, with all that asking takes: it is done on a thread of its own.
struct Interview {
    intro: String,
    cloud: Cloud,
    /// The variables to ask for; the others are known.
    wanted: Vec<String>,
    host: Host,
}

impl Interview {
    fn new(provider: &Provider, cloud: &Cloud, wanted: impl Fn(&str) -> bool, host: &Host) -> Self {
        let names =
            cloud.questions.iter().map(|one| &one.var).chain(cloud.files.iter().map(|file| &file.var));
        let known_way = cloud.way(|name| !wanted(name));
        let is_open = |name: &str| {
            let way = cloud.questions.iter().find(|one| one.var == name).and_then(|one| one.way.as_deref());
            way.is_none() || known_way.is_none()
        };
        let url = provider.key_url.as_ref().map_or(String::new(), |url| format!(" ({url})"));
        Self {
            intro: format!("Setting up {}{url}. Ctrl-C leaves without storing anything.", provider.name),
            wanted: names.filter(|name| wanted(name) && is_open(name)).cloned().collect(),
            cloud: cloud.clone(),
            host: host.clone(),
        }
    }

    fn hold(self) -> Result<Answers, Error> {
        ask::note(&self.intro);
        let mut answers = Answers::default();
        let is_wanted = |name: &String| self.wanted.contains(name);
        let mut way: Option<String> = None;
        for question in self.cloud.questions.iter().filter(|question| is_wanted(&question.var)) {
            if let Some(of) = &question.way {
                if way.is_none() {
                    way = Some(self.choose_way()?);
                }
                if way.as_ref() != Some(of) {
                    continue;
                }
            }
            let answer = ask_for(question)?;
            if !answer.expose_secret().is_empty() {
                answers.vars.push((question.var.clone(), answer));
            }
        }
        for file in self.cloud.files.iter().filter(|file| is_wanted(&file.var)) {
            if let Some(content) = self.ask_for_file(file)? {
                answers.files.push((file.file.clone(), content));
            }
        }
        Ok(answers)
    }

    fn choose_way(&self) -> Result<String, Error> {
        let ways = self.cloud.ways();
        if let [only] = ways[..] {
            return Ok(only.to_owned());
        }
        let choices = ways.join(" or ");
        ask::line_until(&format!("Use {choices}"), ways.first().copied(), |text| {
            (!ways.contains(&text)).then(|| format!("{choices} are the choices"))
        })
    }

    fn ask_for_file(&self, file: &FileQuestion) -> Result<Option<SecretBox<[u8]>>, Error> {
        let mut content = None;
        let prompt = if file.optional { format!("{} (empty to skip)", file.ask) } else { file.ask.clone() };
        ask::line_until(&prompt, None, |path| {
            if path.is_empty() {
                return (!file.optional).then(|| "The path of a file is needed".to_owned());
            }
            match credential_files::read(Path::new(&self.host.absolute(path))) {
                Ok(read) => {
                    content = Some(read);
                    None
                }
                Err(problem) => Some(problem.to_string()),
            }
        })?;
        Ok(content)
    }
}

fn ask_for(question: &Question) -> Result<SecretString, Error> {
    let prompt =
        if question.optional { format!("{} (empty for none)", question.ask) } else { question.ask.clone() };
    let check = |text: &str| match text {
        "" => (!question.optional).then(|| "An answer is needed".to_owned()),
        text => text_problem(question, text),
    };
    if question.secret {
        return ask::hidden_until(&prompt, check);
    }
    Ok(ask::line_until(&prompt, question.default.as_deref(), check)?.into())
}

/// What is missing, as one phrase.
pub(super) fn in_words(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
