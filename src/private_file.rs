//! Files and folders that only their owner can read.
//!
//! Keys lie in plain files, so what protects them is their mode, their owner and the folder they lie in. This module
//! owns that protection: whatever goes through it is 0600 in a 0700 folder, is replaced as a whole or not at all, and
//! is refused, with the command that repairs it, once somebody has loosened it. Symbolic links are refused because
//! they would let the content land, or be taken from, where none of this holds.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER_MODE: Mode = Mode::RWXU;
const GROUP_AND_OTHERS: Mode = Mode::RWXG.union(Mode::RWXO);

/// Why a file or folder is not private, or could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path itself is a symbolic link.
    #[error("`{}` is a symbolic link, and private files are not followed through links", .0.display())]
    Symlink(PathBuf),
    /// A device, pipe, socket or folder stands where a file belongs.
    #[error("`{}` is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Something else stands where a folder belongs.
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Somebody else could put something into it at any time.
    #[error("`{}` belongs to user {owner}, not to you (user {caller})", path.display())]
    ForeignOwner {
        /// The file or folder.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// The caller's user id.
        caller: u32,
    },
    /// The mode lets the group or others in.
    #[error("`{}` is open to other users of this machine (mode {:04o})", path.display(), mode.as_raw_mode())]
    Loose {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: Mode,
        /// The bits it should have.
        wanted: Mode,
    },
    /// The content is not UTF-8.
    #[error("`{}` is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Symlink(path) => Some(format!("replace the link by what it points to: {}", quoted(path))),
            Self::NotAFile(path) | Self::NotAFolder(path) => Some(format!("move {} away", quoted(path))),
            Self::ForeignOwner { path, caller, .. } => {
                Some(format!("run as its owner, or make it yours: sudo chown {caller} {}", quoted(path)))
            }
            Self::Loose { path, wanted, .. } => {
                Some(format!("run: chmod {:o} {}", wanted.as_raw_mode(), quoted(path)))
            }
            Self::NotText(_) | Self::Io { .. } => None,
        }
    }
}

/// Reads a private file; `None` when it, or its folder, does not exist.
///
/// Refuses what others can read or change: the file and its folder must be the caller's own, closed to the group and
/// to others, and no symbolic links.
pub fn read(path: &Path) -> Result<Option<String>, Error> {
    let (folder, name) = split(path)?;
    let Some(folder) = open_folder(folder)? else { return Ok(None) };
    read_in(path, &folder, name)
}

/// Reads a file that has to be private in a folder that others may see into, because the user chose the place.
pub fn read_alone(path: &Path) -> Result<Option<String>, Error> {
    let (folder, name) = split(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::empty()) {
        Ok(folder) => read_in(path, &folder, name),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(failed("open", folder)(error.into())),
    }
}

fn read_in(path: &Path, folder: &OwnedFd, name: &std::ffi::OsStr) -> Result<Option<String>, Error> {
    let Some(file) = open_file(path, folder, name)? else { return Ok(None) };
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes).map_err(failed("read", path))?;
    String::from_utf8(bytes).map(Some).map_err(|_| Error::NotText(path.to_owned()))
}

/// Whether a private file is there. Refuses what [`read`] refuses, whatever its content.
pub fn exists(path: &Path) -> Result<bool, Error> {
    let (folder, name) = split(path)?;
    let Some(folder) = open_folder(folder)? else { return Ok(false) };
    Ok(open_file(path, &folder, name)?.is_some())
}

/// Refuses a file or folder that others can change, whoever can read it. One that is absent is fine.
pub fn refuse_changes_by_others(path: &Path) -> Result<(), Error> {
    let meta = match rustix::fs::stat(path) {
        Ok(meta) => meta,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(failed("look at", path)(error.into())),
    };
    // Of a device, say, nobody should be told to change the mode.
    if !matches!(FileType::from_raw_mode(meta.st_mode), FileType::RegularFile | FileType::Directory) {
        return Err(Error::NotAFile(path.to_owned()));
    }
    let mode = Mode::from_raw_mode(meta.st_mode & 0o7777);
    let others = Mode::WGRP | Mode::WOTH;
    if mode.intersects(others) {
        return Err(Error::Loose { path: path.to_owned(), mode, wanted: mode.difference(others) });
    }
    Ok(())
}

/// Writes a private file as a whole: a reader, or a crash, meets the old content or the new one.
///
/// A missing folder is made first. An existing one must be private, and what stands at `path` a regular file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (folder, _) = split(path)?;
    make_folder(folder)?;
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => return Err(Error::Symlink(path.to_owned())),
        Ok(meta) if !meta.is_file() => return Err(Error::NotAFile(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("look at", path)(error)),
        _ => {}
    }
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        rustix::fs::fchmod(file.as_file(), FILE_MODE)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The new name survives a power cut only once the folder is on disk as well.
        File::open(folder)?.sync_all()
    };
    write().map_err(failed("write", path))
}

/// Makes a private folder, and whatever is missing above it.
///
/// Every folder below `home` on the way to `path` must be the caller's own, closed to the group and to others, and no
/// symbolic link. `home` itself may be a link, or stricter or wider than that: where it lies is the user's choice.
pub fn create_dir(home: &Path, path: &Path) -> Result<(), Error> {
    let mut folders: Vec<&Path> =
        path.ancestors().take_while(|folder| *folder != home && folder.starts_with(home)).collect();
    if folders.is_empty() && path != home {
        folders.push(path);
    }
    make_missing(home)?;
    folders.into_iter().rev().try_for_each(make_folder)
}

/// Holds off other holders of the same lock until it is dropped, or its process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

/// Waits for the lock of a private file, which is a file of its own beside it.
///
/// It cannot be the file itself: that one is replaced by every write, and with it any lock on it. The lock file stays,
/// because removing it would let two processes hold locks on two files of the same name.
pub fn lock(path: &Path) -> Result<Lock, Error> {
    let (file, lock_path) = open_lock(path)?;
    let wait = || rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive));
    wait().map_err(|error| failed("lock", &lock_path)(error.into()))?;
    Ok(Lock { _file: file })
}

/// The lock of a private file if nobody holds it.
pub fn try_lock(path: &Path) -> Result<Option<Lock>, Error> {
    let (file, lock_path) = open_lock(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(failed("lock", &lock_path)(error.into())),
    }
}

fn open_lock(path: &Path) -> Result<(OwnedFd, PathBuf), Error> {
    let (folder, name) = split(path)?;
    make_folder(folder)?;
    let mut lock_name = name.to_owned();
    lock_name.push(".lock");
    let lock_path = folder.join(lock_name);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(&lock_path, flags, FILE_MODE) {
        Ok(file) => file,
        Err(Errno::LOOP) => return Err(Error::Symlink(lock_path)),
        Err(error) => return Err(failed("open", &lock_path)(error.into())),
    };
    vet(&lock_path, &file, FileType::RegularFile)?;
    rustix::fs::fchmod(&file, FILE_MODE)
        .map_err(|error| failed("close to others", &lock_path)(error.into()))?;
    Ok((file, lock_path))
}

/// Reads, changes and writes a private file under its lock, so that no change of another process is lost.
///
/// `edit` gets the present content, `None` when there is no file; when it fails, or changes nothing, nothing is
/// written.
pub fn update<E: From<Error>>(
    path: &Path,
    edit: impl FnOnce(Option<&str>) -> Result<String, E>,
) -> Result<(), E> {
    let _lock = lock(path)?;
    let before = read(path)?;
    let after = edit(before.as_deref())?;
    if before.as_deref() != Some(&after) {
        write(path, after.as_bytes())?;
    }
    Ok(())
}

/// The folder and the name of a file. A path that has neither cannot be a private file.
fn split(path: &Path) -> Result<(&Path, &std::ffi::OsStr), Error> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => Ok((folder, name)),
        _ => Err(Error::NotAFile(path.to_owned())),
    }
}

/// Opens a folder that must be private; `None` when there is none.
fn open_folder(path: &Path) -> Result<Option<OwnedFd>, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(None),
        // Which of the two a link gives depends on the system.
        Err(Errno::LOOP | Errno::NOTDIR) => {
            let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
            return Err(if is_link { Error::Symlink } else { Error::NotAFolder }(path.to_owned()));
        }
        Err(error) => return Err(failed("open", path)(error.into())),
    };
    vet(path, &folder, FileType::Directory)?;
    Ok(Some(folder))
}

/// Opens a file that must be private, whatever its folder is; `None` when there is none.
fn open_file(path: &Path, folder: &OwnedFd, name: &std::ffi::OsStr) -> Result<Option<OwnedFd>, Error> {
    // Without O_NONBLOCK, opening a pipe would wait for its writer before its type can be seen.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(Error::Symlink(path.to_owned())),
        Err(error) => return Err(failed("open", path)(error.into())),
    };
    vet(path, &file, FileType::RegularFile)?;
    Ok(Some(file))
}

/// Makes a folder where none is, and makes sure that it is private either way.
fn make_folder(path: &Path) -> Result<(), Error> {
    make_missing(path)?;
    open_folder(path).map(|_| ())
}

/// Makes a folder and the missing ones above it, all of them private whatever the umask.
fn make_missing(path: &Path) -> Result<(), Error> {
    if path.as_os_str().is_empty() || fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    path.parent().map_or(Ok(()), make_missing)?;
    match rustix::fs::mkdir(path, FOLDER_MODE) {
        // A umask can only have taken bits away.
        Ok(()) => rustix::fs::chmod(path, FOLDER_MODE),
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| failed("make the folder", path)(error.into()))
}

/// Checks type, owner and mode of what was opened, so that nothing can be swapped between the check and the use.
fn vet(path: &Path, file: &OwnedFd, wanted: FileType) -> Result<(), Error> {
    let stat = rustix::fs::fstat(file).map_err(|error| failed("look at", path)(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != wanted {
        let error = if wanted == FileType::Directory { Error::NotAFolder } else { Error::NotAFile };
        return Err(error(path.to_owned()));
    }
    // Files are made with the effective id, so that is who "you" are to them.
    let caller = rustix::process::geteuid().as_raw();
    let wanted = if wanted == FileType::Directory { FOLDER_MODE } else { FILE_MODE };
    private(path, stat.st_uid, caller, Mode::from_raw_mode(stat.st_mode), wanted)
}

fn private(path: &Path, owner: u32, caller: u32, mode: Mode, wanted: Mode) -> Result<(), Error> {
    if owner != caller {
        return Err(Error::ForeignOwner { path: path.to_owned(), owner, caller });
    }
    if mode.intersects(GROUP_AND_OTHERS) {
        return Err(Error::Loose { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// A path as a shell takes it back.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,=".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests;
