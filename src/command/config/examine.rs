//! All that is wrong with a configuration file on this machine: what reading it would say, and what a run would say then.

use std::path::{Path, PathBuf};

use crate::config::file::{self, Examined, Kind};
use crate::config::yaml::{Place, printable};
use crate::config::{Error, MountText, Setting, Source};
use crate::container::mount;
use crate::container::spec::CaFile;
use crate::host::Host;
use crate::provider::user_env;

/// What a file is judged against.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The project's folder.
    pub project: &'a Path,
    /// claude-reactor's home.
    pub reactor_home: &'a Path,
    /// The machine.
    pub host: &'a Host,
}

impl Surroundings<'_> {
    /// Looks for all that is wrong with a text.
    pub fn examine(&self, kind: Kind, path: &Path, text: &str) -> Examined {
        let mut examined = file::examine(kind, path, text, self.project);
        let problems = [self.variables(&examined), self.mounts(&examined), self.ca_file(&examined)].concat();
        let wrong = |Wrong { place, key, problem, hint }| Error::FileValue {
            place: Box::new(place),
            key,
            problem,
            hint,
        };
        examined.problems.extend(problems.into_iter().map(wrong));
        examined.problems.sort_by_key(|problem| problem.place().and_then(|place| place.position));
        examined
    }

    fn variables(&self, examined: &Examined) -> Vec<Wrong> {
        let _ = self;
        let names = examined.values.variables.keys();
        names
            .filter_map(|name| {
                let (problem, hint) = user_env::check(name).err()?;
                Some(Wrong::new(examined, &["env", name], problem, Some(hint)))
            })
            .collect()
    }

    fn mounts(&self, examined: &Examined) -> Vec<Wrong> {
        // Where it stands is said with the key, as of every other value.
        let given: Vec<Setting<MountText>> = examined
            .values
            .mounts
            .iter()
            .map(|mount| Setting {
                value: MountText { place: String::new(), ..mount.clone() },
                source: Source::UserFile(PathBuf::new()),
            })
            .collect();
        let mut wrong = Vec::new();
        for index in 0..given.len() {
            // With those before it, that are right, so that a place that is taken is seen.
            let right = (0..index).filter(|before| wrong.iter().all(|(index, _)| index != before));
            let mounts: Vec<_> = right.chain([index]).map(|index| given[index].clone()).collect();
            if let Err(error) = mount::parse_all(&mounts, &[], self.host, self.reactor_home) {
                wrong.push((index, error));
            }
        }
        let place = |index| {
            let document = examined.document.as_ref()?;
            Some(document.place(document.item_position(&["mounts"], index)))
        };
        wrong
            .into_iter()
            .filter_map(|(index, error)| {
                Some(Wrong {
                    place: place(index)?,
                    key: "mounts".to_owned(),
                    problem: error.to_string().trim_start().to_owned(),
                    hint: error.hint(),
                })
            })
            .collect()
    }

    fn ca_file(&self, examined: &Examined) -> Vec<Wrong> {
        let Some(file) = &examined.values.ca_file else { return Vec::new() };
        let path = self.host.absolute(&file.to_string_lossy());
        let Err(error) = CaFile::read(&path) else { return Vec::new() };
        let problem = format!("{} cannot be read: {error}", path.display());
        vec![Wrong::new(
            examined,
            &["ca_file"],
            problem,
            Some("correct the path, or leave it out".to_owned()),
        )]
    }
}

/// A value that cannot be.
#[derive(Debug, Clone)]
struct Wrong {
    place: Place,
    key: String,
    problem: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(examined: &Examined, key: &[&str], problem: String, hint: Option<String>) -> Self {
        let place = examined.document.as_ref().map(|document| document.place(document.position(key)));
        let place = place.unwrap_or(Place { path: PathBuf::new(), position: None });
        Self { place, key: printable(&key.join(".")), problem, hint }
    }
}
