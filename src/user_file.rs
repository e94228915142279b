//! Editing files that a user keeps by hand and that hold no secret: `config.yaml`, `providers.yaml`.
//!
//! They are as open as the user made them, and may be links into a folder of dotfiles, so the rules of `private_file`
//! would only be in the way. What stays: an edit is whole or not there, and no edit of another process is lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::private_file;
use crate::wary_file::{self, Links};

/// The mode of a file that was not there: nobody else needs it.
const NEW_MODE: u32 = 0o600;
/// The same of one in a project, before the umask.
const SHARED_MODE: u32 = 0o666;
/// Far more than anybody writes.
const LARGEST: u64 = 256 * 1024;

/// Why a file could not be edited.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct Error {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => {
                Some(format!("see who owns it: ls -ld {}", private_file::quoted(&self.path)))
            }
            _ => None,
        }
    }
}

/// Reads, changes and writes a file; a missing one reads as nothing. Its mode stays, and a link stays a link. When `edit`
/// fails, or changes nothing, nothing is written.
pub fn edit<E: From<Error>>(path: &Path, edit: impl FnOnce(&str) -> Result<String, E>) -> Result<(), E> {
    // Where a link leads, so that the new file takes the place of the old one and not of the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let read = |target: &Path| match fs::read_to_string(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    };
    replace(path, &target, NEW_MODE, read, edit)
}

/// The same for a file in a folder that a session can write: no link is followed, and what is there must be a regular file
/// of the user's own. A new one is as open as the user's others.
pub fn edit_in_project<E: From<Error>>(
    path: &Path,
    uid: u32,
    edit: impl FnOnce(&str) -> Result<String, E>,
) -> Result<(), E> {
    let read = |target: &Path| match wary_file::read(target, Links::Refused, LARGEST)? {
        Some(opened) if opened.owner != uid => Err(io::Error::other("it belongs to another user")),
        opened => Ok(opened.map(|opened| opened.text).unwrap_or_default()),
    };
    replace(path, path, SHARED_MODE, read, edit)
}

fn replace<E: From<Error>>(
    path: &Path,
    target: &Path,
    new_mode: u32,
    read: impl FnOnce(&Path) -> io::Result<String>,
    edit: impl FnOnce(&str) -> Result<String, E>,
) -> Result<(), E> {
    let failed = |action| move |source| Error { action, path: path.to_owned(), source };
    let folder = target.parent().unwrap_or(Path::new("/"));
    // The folder is what is locked: the file itself is another one after every edit.
    let lock = File::open(folder).map_err(failed("open the folder of"))?;
    let locked = rustix::io::retry_on_intr(|| rustix::fs::flock(&lock, FlockOperation::LockExclusive));
    locked.map_err(|error| failed("lock the folder of")(error.into()))?;

    let before = read(target).map_err(failed("read"))?;
    let after = edit(&before)?;
    if after == before {
        return Ok(());
    }
    let mode = fs::symlink_metadata(target).ok().map(|meta| meta.permissions().mode() & 0o777);
    let write = || {
        written(folder, mode, new_mode, &after)?.persist(target)?;
        Ok(())
    };
    Ok(write().map_err(failed("write"))?)
}

/// Keeps `text`, which `path` holds, in a new file beside it: `{path}.bak`, or `{path}.bak.1` and so on where that is taken.
/// One that holds the same already is as good. Says which.
pub fn keep_copy(path: &Path, text: &str) -> Result<PathBuf, Error> {
    let mode = fs::metadata(path).map_or(NEW_MODE, |meta| meta.permissions().mode() & 0o777);
    let folder = path.parent().unwrap_or(Path::new("/"));
    for number in 0_u32.. {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(if number == 0 { ".bak".to_owned() } else { format!(".bak.{number}") });
        let copy = folder.join(name);
        let failed = |source| Error { action: "write", path: copy.clone(), source };
        let write = || {
            written(folder, Some(mode), NEW_MODE, text)?.persist_noclobber(&copy).map_err(|error| error.error)
        };
        match write() {
            Ok(_) => return Ok(copy),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            Err(_) => {
                let earlier = wary_file::read(&copy, Links::Refused, text.len() as u64);
                if earlier.is_ok_and(|earlier| earlier.is_some_and(|earlier| earlier.text == text)) {
                    return Ok(copy);
                }
            }
        }
    }
    unreachable!("a free number is found before they end")
}

/// A file of that text, on the disk, that has no name of its own yet: of this mode, or else of a new file's, which the umask
/// narrows.
fn written(
    folder: &Path,
    mode: Option<u32>,
    new_mode: u32,
    text: &str,
) -> io::Result<tempfile::NamedTempFile> {
    let new_mode = fs::Permissions::from_mode(new_mode);
    let mut file = tempfile::Builder::new().prefix(".new-").permissions(new_mode).tempfile_in(folder)?;
    if let Some(mode) = mode {
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(path: &Path) -> Result<(), Error> {
        edit(path, |text| Ok(format!("{text}line\n")))
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_made_for_its_owner_and_keeps_the_mode_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        append(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        append(&path).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("line\nline\n", 0o644));
    }

    #[test]
    fn a_link_into_a_folder_of_dotfiles_stays_one() {
        let (folder, dotfiles) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, real) = (folder.path().join("config.yaml"), dotfiles.path().join("reactor.yaml"));
        fs::write(&real, "first\n").unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        append(&path).unwrap();
        assert!(path.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "first\nline\n");
    }

    #[test]
    fn copies_are_numbered_and_none_is_made_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "new").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for (text, name) in
            [("one", "file.bak"), ("two", "file.bak.1"), ("two", "file.bak.1"), ("one", "file.bak")]
        {
            let copy = keep_copy(&path, text).unwrap();
            assert_eq!(copy, folder.path().join(name));
            assert_eq!((fs::read_to_string(&copy).unwrap().as_str(), mode(&copy)), (text, 0o644));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn in_a_project_no_link_is_followed_and_nobody_elses_file_touched() {
        let (project, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, real) = (project.path().join("file"), elsewhere.path().join("real"));
        let uid = rustix::process::getuid().as_raw();
        let append = |uid| edit_in_project(&path, uid, |text| Ok::<_, Error>(format!("{text}line\n")));
        append(uid).unwrap();
        append(uid).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "line\nline\n");
        assert!(append(uid + 1).unwrap_err().source.to_string().contains("another user"));
        fs::write(&real, "real").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        assert!(append(uid).unwrap_err().source.to_string().contains("symbolic link"));
        assert_eq!(fs::read_to_string(&real).unwrap(), "real");
    }

    #[test]
    fn a_hint_is_safe_to_paste() {
        let path = Path::new("/work/x'; rm -rf ~; '/.claude-reactor").to_owned();
        let error = Error { action: "read", path, source: io::ErrorKind::PermissionDenied.into() };
        let hint = error.hint().unwrap();
        assert_eq!(hint, r"see who owns it: ls -ld '/work/x'\''; rm -rf ~; '\''/.claude-reactor'");
    }

    #[test]
    fn an_edit_that_fails_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        let failure = Error { action: "edit", path: path.clone(), source: io::ErrorKind::Other.into() };
        assert!(edit(&path, |_| Err::<String, _>(failure)).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
