//! Reading how a project's repository is laid out, and believing nothing that is not confirmed.
//!
//! Paths are followed twice: on the host, for what to mount, and as git inside will follow the same text from `/app`, for
//! where to mount it. With absolute paths the two agree; with relative ones (`worktree.useRelativePaths`, submodules) the
//! second one is elsewhere.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::spec::WORKDIR;
use super::normalised;
use crate::project::holds;
use crate::wary_file::{self, Links};

/// Far more than a path has.
const LONGEST: u64 = 16 * 1024;
/// Far more than a submodule's configuration has.
const LARGEST_CONFIG: u64 = 1024 * 1024;

/// How a project's repository is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// No repository, or one that lies in the project as a whole.
    Plain,
    /// A worktree beside others.
    Worktree {
        /// What git inside has to find.
        folders: Vec<Shown>,
        /// The names of other worktrees that are not shown, although they exist.
        unconfirmed: Vec<String>,
    },
    /// A submodule: its repository lies in the one around it.
    Submodule {
        /// What git inside has to find.
        folders: Vec<Shown>,
    },
    /// A `.git` file that cannot be followed, and why.
    Unconfirmed(String),
}

/// A folder of the host, and where git inside looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// On the host, without links.
    pub source: PathBuf,
    /// Inside.
    pub inside: PathBuf,
    /// Whether the session may write there.
    pub writable: bool,
}

/// What is never shown, whoever names it.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The caller, who has to own what is shown.
    pub uid: u32,
    /// The caller's home, which is never shown as a whole.
    pub home: &'a Path,
    /// claude-reactor's home, of which nothing is ever shown.
    pub reactor_home: &'a Path,
}

/// A folder of git's, on the host and inside.
struct GitDir {
    host: PathBuf,
    inside: PathBuf,
}

/// Reads the layout of a project's repository.
pub fn read(project: &Path, limits: Limits<'_>) -> Layout {
    let dot_git = project.join(".git");
    let Ok(meta) = dot_git.symlink_metadata() else { return Layout::Plain };
    // The common case costs one look at `.git` and one at a folder that is not there.
    let own = if meta.is_dir() {
        if !dot_git.join("worktrees").is_dir() {
            return Layout::Plain;
        }
        None
    } else {
        Some(&dot_git)
    };
    let Ok(project) = project.canonicalize() else { return Layout::Plain };
    match own {
        None => main_worktree(&project, limits),
        Some(_) => linked(&project, limits).unwrap_or_else(Layout::Unconfirmed),
    }
}

/// A repository that lies in the project, with worktrees elsewhere.
fn main_worktree(project: &Path, limits: Limits<'_>) -> Layout {
    let common = GitDir { host: project.join(".git"), inside: Path::new(WORKDIR).join(".git") };
    let (mut folders, unconfirmed) = others(&common, project, None, limits);
    if !folders.is_empty() {
        // The other worktrees name the repository by its path on the host.
        folders.push(Shown { source: project.to_owned(), inside: project.to_owned(), writable: true });
    }
    Layout::Worktree { folders, unconfirmed }
}

/// A project whose `.git` is a file.
fn linked(project: &Path, limits: Limits<'_>) -> Result<Layout, String> {
    let dot_git = project.join(".git");
    let text = git_file(&dot_git).ok_or("its .git is no file that git wrote")?;
    let host = normalised(project, &text).canonicalize();
    let host = host.map_err(|_| format!("its .git names {text}, which is not there"))?;
    let git_dir = GitDir { host, inside: normalised(Path::new(WORKDIR), &text) };
    if git_dir.host.starts_with(project) && !Path::new(&text).is_absolute() {
        return Ok(Layout::Plain);
    }
    match pointer(&git_dir.host.join("commondir")) {
        Some(common) => worktree(project, &git_dir, &common, limits),
        None => submodule(project, &git_dir, limits),
    }
}

fn worktree(project: &Path, git_dir: &GitDir, common: &str, limits: Limits<'_>) -> Result<Layout, String> {
    let host = normalised(&git_dir.host, common).canonicalize();
    let host = host.map_err(|_| format!("{} names no repository", git_dir.host.display()))?;
    let common = GitDir { host, inside: normalised(&git_dir.inside, common) };
    let shown_at = common.host.display();
    if git_dir.host.parent() != Some(&common.host.join("worktrees")) || !is_repository(&common.host) {
        return Err(format!("{shown_at} is no repository with worktrees"));
    }
    may_be_shown(&common.host, limits)?;
    let back = pointer(&git_dir.host.join("gitdir")).unwrap_or_default();
    if normalised(&git_dir.host, &back).canonicalize().ok() != Some(project.join(".git")) {
        return Err(format!(
            "{shown_at} does not know this worktree at {} (`git worktree repair` on the host mends that)",
            project.display()
        ));
    }
    let own = parent(&normalised(&git_dir.inside, &back));
    let (mut folders, unconfirmed) = others(&common, project, git_dir.host.file_name(), limits);
    folders.push(Shown { source: project.to_owned(), inside: own, writable: true });
    folders.push(Shown { source: common.host.clone(), inside: common.inside, writable: true });
    // Where it is by its own path too, for the other worktrees, and for people and scripts that know it by that.
    folders.push(Shown { source: common.host.clone(), inside: common.host, writable: true });
    Ok(Layout::Worktree { folders, unconfirmed })
}

fn submodule(project: &Path, git_dir: &GitDir, limits: Limits<'_>) -> Result<Layout, String> {
    let shown_at = git_dir.host.display();
    if !is_repository(&git_dir.host) {
        return Err(format!("its .git names {shown_at}, which is no repository"));
    }
    may_be_shown(&git_dir.host, limits)?;
    let config = wary_file::read(&git_dir.host.join("config"), Links::Refused, LARGEST_CONFIG).ok().flatten();
    let back = config.and_then(|config| core_worktree(&config.text)).unwrap_or_default();
    if back.is_empty() || normalised(&git_dir.host, &back).canonicalize().ok().as_deref() != Some(project) {
        return Err(format!("{shown_at} does not name {} as its worktree", project.display()));
    }
    let folders = vec![
        Shown { source: git_dir.host.clone(), inside: git_dir.inside.clone(), writable: true },
        Shown { source: project.to_owned(), inside: normalised(&git_dir.inside, &back), writable: true },
    ];
    Ok(Layout::Submodule { folders })
}

/// The other worktrees of a repository, and the names of those that exist but are not confirmed. One whose folder is not
/// on this host is gone, or was made inside another container: nothing can be shown of it.
fn others(
    common: &GitDir,
    project: &Path,
    own: Option<&std::ffi::OsStr>,
    limits: Limits<'_>,
) -> (Vec<Shown>, Vec<String>) {
    let (mut shown, mut unconfirmed) = (Vec::new(), Vec::new());
    let Ok(entries) = common.host.join("worktrees").read_dir() else { return (shown, unconfirmed) };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    // The same mounts for the same worktrees, in whatever order the file system lists them.
    names.sort();
    for name in names.into_iter().filter(|name| Some(name.as_os_str()) != own) {
        let below = Path::new("worktrees").join(&name);
        let git_dir = GitDir { host: common.host.join(&below), inside: common.inside.join(&below) };
        let Some(its_file) = pointer(&git_dir.host.join("gitdir")) else { continue };
        let Ok(worktree) = parent(&normalised(&git_dir.host, &its_file)).canonicalize() else { continue };
        let text = git_file(&worktree.join(".git"));
        let back = text.as_ref().and_then(|text| normalised(&worktree, text).canonicalize().ok());
        if back.is_none() && !worktree.join(".git").exists() {
            continue;
        }
        if back.as_deref() != Some(&git_dir.host) || may_be_shown(&worktree, limits).is_err() {
            unconfirmed.push(name.to_string_lossy().into_owned());
            continue;
        }
        let inside = parent(&normalised(&git_dir.inside, &its_file));
        if let Some(text) = text.filter(|text| !Path::new(text).is_absolute()) {
            // Where that worktree's own text leads, the repository has to be.
            let repository = normalised(&inside, &text).ancestors().nth(2).map(Path::to_owned);
            let repository = repository.filter(|found| *found != common.inside);
            shown.extend(repository.map(|inside| Shown {
                source: common.host.clone(),
                inside,
                writable: true,
            }));
        }
        // Below the project it can be written anyway, and is there as soon as the project is at its own path.
        let within = worktree.starts_with(project) && inside == worktree;
        let (source, inside) =
            if within { (project.to_owned(), project.to_owned()) } else { (worktree, inside) };
        shown.push(Shown { source, inside, writable: within });
    }
    (shown, unconfirmed)
}

/// Whether a folder may be shown to a session: the caller's own, and neither a home nor anything with keys.
fn may_be_shown(folder: &Path, limits: Limits<'_>) -> Result<(), String> {
    let Limits { uid, home, reactor_home } = limits;
    let own = folder.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
    if !own {
        return Err(format!("{} belongs to somebody else", folder.display()));
    }
    if holds(folder, home) || holds(folder, reactor_home) || holds(reactor_home, folder) {
        return Err(format!("{} holds your home or claude-reactor's", folder.display()));
    }
    Ok(())
}

/// What git itself asks of a folder before it takes it for a repository.
fn is_repository(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// The path in a `.git` file.
fn git_file(path: &Path) -> Option<String> {
    let text = pointer(path)?;
    text.strip_prefix("gitdir:").map(|path| path.trim().to_owned()).filter(|path| !path.is_empty())
}

/// The one line of a file.
fn pointer(path: &Path) -> Option<String> {
    let opened = wary_file::read(path, Links::Refused, LONGEST).ok().flatten()?;
    let line = opened.text.trim_end_matches(['\n', '\r']);
    (!line.is_empty() && !line.contains('\n')).then(|| line.to_owned())
}

/// `core.worktree` of a configuration as `git submodule` writes it.
fn core_worktree(config: &str) -> Option<String> {
    let mut in_core = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            in_core = line.eq_ignore_ascii_case("[core]");
        } else if let Some((name, value)) = line.split_once('=')
            && in_core
            && name.trim().eq_ignore_ascii_case("worktree")
        {
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}
