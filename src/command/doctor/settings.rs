//! The files that choose, each by itself: one that cannot be read hides what is wrong with the next.

use std::path::{Path, PathBuf};

use super::check::{Check, Subject, Told};
use crate::command::target::Target;
use crate::command::trust;
use crate::config::{self, file, vars};
use crate::error::Error;
use crate::host::Host;
use crate::inventory;
use crate::name::AccountName;
use crate::project::Project;
use crate::provider::catalog::Catalog;
use crate::ui::one_line;

const FILES: Subject = Subject::new("config", "configuration files");
const PROVIDERS: Subject = Subject::new("providers", "providers.yaml");
const SETTINGS: Subject = Subject::new("settings", "settings of this project");

/// A file that chooses.
#[derive(Debug)]
pub(super) struct File {
    /// Which one.
    pub(super) path: PathBuf,
    /// What is wrong with it.
    pub(super) problem: Option<Told>,
    /// What its reader should know.
    pub(super) warnings: Vec<String>,
}

/// Reads every file that has a say in this project.
pub(super) fn gather(
    reactor_home: &Path,
    project: &Project,
    account: Option<&AccountName>,
    host: &Host,
) -> Vec<File> {
    let mut files = Vec::new();
    let mut look = |path: PathBuf, read: &dyn Fn(&Path) -> Result<Vec<String>, config::Error>| {
        if path.symlink_metadata().is_ok() {
            let (problem, warnings) = match read(&path) {
                Ok(warnings) => (None, warnings),
                Err(error) => (Some(Error::from(error).into()), Vec::new()),
            };
            files.push(File { path, problem, warnings });
        }
    };
    look(reactor_home.join("config.yaml"), &|path| {
        file::user_file(path, &file::read_text(path)?).map(|_| Vec::new())
    });
    for account in inventory::accounts(reactor_home).unwrap_or_default() {
        look(reactor_home.join(account.as_str()).join("config.yaml"), &|path| {
            file::account_file(path, &file::read_text(path)?).map(|_| Vec::new())
        });
    }
    if project.has_own_file(host.uid) {
        look(project.file(), &|path| {
            let file = file::project_choices(path, &file::read_project_text(path, host.uid)?)?;
            Ok(file.choices.warnings)
        });
    }
    if let Some(account) = account {
        look(project.session_dir(reactor_home, account).file(), &|path| {
            Ok(file::choices(path, &file::read_text(path)?, Path::new(project.root()))?.warnings)
        });
    }
    files
}

/// What is to be said of the files.
pub(super) fn files(files: &[File]) -> Check {
    let problems: Vec<&Told> = files.iter().filter_map(|file| file.problem.as_ref()).collect();
    if !problems.is_empty() {
        let found: Vec<&str> = problems.iter().map(|told| told.found.as_str()).collect();
        let remedy: Vec<&str> = problems.iter().filter_map(|told| told.remedy.as_deref()).collect();
        let remedy = if remedy.is_empty() { "correct that line".to_owned() } else { remedy.join("\n") };
        return FILES.fail(found.join("; "), remedy);
    }
    let warnings: Vec<&str> = files.iter().flat_map(|file| &file.warnings).map(String::as_str).collect();
    if !warnings.is_empty() {
        return FILES.warn(one_line(&warnings.join("; ")), "remove these lines");
    }
    let paths: Vec<String> = files.iter().map(|file| one_line(&file.path.display().to_string())).collect();
    FILES.pass(if paths.is_empty() {
        "there are none, and none is needed".to_owned()
    } else {
        paths.join(", ")
    })
}

/// The user's own catalogue rows.
pub(super) fn providers(reactor_home: &Path) -> Check {
    let path = Catalog::user_file(reactor_home);
    if path.symlink_metadata().is_err() {
        return PROVIDERS.pass("there is none, and none is needed");
    }
    let read = || -> Result<Catalog, Error> {
        let text = file::read_text(&path)?;
        Ok(Catalog::load(Some((&path, &text)))?)
    };
    match read() {
        Ok(catalog) => PROVIDERS.pass(format!("{} providers are known", catalog.iter().count())),
        Err(error) => PROVIDERS.failed(error.into()),
    }
}

/// What all of them come to.
pub(super) fn settings(resolved: Result<&Target, &Told>, host: &Host) -> Check {
    // A variable that cannot be is said by the whole as well; this says which, whatever else is wrong.
    if let Err(error) = vars::values(host) {
        return SETTINGS.failed(Error::from(error).into());
    }
    match resolved {
        Err(told) => SETTINGS.failed(told.clone()),
        Ok(target) => {
            let awaited = trust::awaited(target);
            if !awaited.is_empty() {
                let found = format!("this project's file waits for your consent: {}", awaited.join("; "));
                return SETTINGS.warn(one_line(&found), "claude-reactor config trust");
            }
            SETTINGS.pass(format!(
                "account {}, provider {}, image {}",
                target.account, target.settings.provider.value, target.settings.image.value
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::check::Outcome::{Fail, Pass, Warn};
    use super::*;

    #[test]
    fn every_file_is_read_whatever_is_wrong_with_another() {
        let dir = tempfile::tempdir().unwrap();
        let (home, root) = (dir.path().join("home"), dir.path().join("app"));
        fs::create_dir_all(home.join("alice/app-00000000")).unwrap();
        fs::create_dir(&root).unwrap();
        let host = Host::new(dir.path(), &root, []);
        let project = Project::at(&root).unwrap();
        let alice: AccountName = "alice".parse().unwrap();
        let look = || gather(&home, &project, Some(&alice), &host);
        assert_eq!(files(&look()).outcome, Pass);

        fs::write(home.join("config.yaml"), "acount: a\n").unwrap();
        fs::write(home.join("alice/config.yaml"), "danger: maybe\n").unwrap();
        fs::write(root.join(".claude-reactor"), "llm:\n  modle: x\n").unwrap();
        let check = files(&look());
        assert_eq!(check.outcome, Fail);
        for place in ["home/config.yaml:1:1: ", "alice/config.yaml:1:", "app/.claude-reactor:2:3: "] {
            assert!(check.found.contains(place), "{place} in {}", check.found);
        }

        for path in [home.join("config.yaml"), home.join("alice/config.yaml")] {
            fs::write(path, "").unwrap();
        }
        fs::write(root.join(".claude-reactor"), "variant=base\nfoo=bar\n").unwrap();
        assert_eq!(files(&look()).outcome, Warn);
        assert_eq!(providers(&home).outcome, Pass);
        fs::write(home.join("providers.yaml"), "providers: {x: {base_url: nope}}\n").unwrap();
        assert_eq!(providers(&home).outcome, Fail);
    }
}
