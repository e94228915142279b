//! Copying Claude Code's own files out of an old session dir.
//!
//! Old sessions could write all of it, so nothing is trusted: every file is opened by its folder and never through a
//! link, what is no regular file is left out, and there is an end to how much is copied.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::Error;

/// What is taken over: what the user made, chose or may want to look up again. Not the history, which stays where it is;
/// not the login, which has a place of its own; and not what Claude Code makes again by itself.
pub(super) const ITEMS: [&str; 16] = [
    ".claude.json",
    "settings.json",
    "settings.local.json",
    "keybindings.json",
    "CLAUDE.md",
    "agents",
    "commands",
    "skills",
    "output-styles",
    "rules",
    "hooks",
    "plugins",
    "plans",
    "todos",
    "file-history",
    "history.jsonl",
];

/// The largest file that is copied, in bytes. Claude Code's own state can grow to some megabytes.
pub(super) const LARGEST: u64 = 32 * 1024 * 1024;
/// How much is copied in all, in bytes.
const LARGEST_TOTAL: u64 = 256 * 1024 * 1024;
/// How many files and folders are copied in all.
const MOST_ENTRIES: usize = 20_000;
/// How deep folders are followed.
const DEEPEST: usize = 24;

/// Copies these entries of a folder into another one, which is ours. What is left out comes back, with the reasons.
pub(super) fn copy(from: &Path, items: &[&str], to: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    let failed = |source: Errno| Error::Io { action: "open", path: from.to_owned(), source: source.into() };
    let folder = open(CWD, from, OFlags::DIRECTORY).map_err(failed)?;
    let mut copying = Copying { bytes: 0, entries: 0, left_out: Vec::new() };
    for item in items {
        copying.entry(folder.as_fd(), Path::new(item), Path::new(item), to, 0)?;
    }
    Ok(copying.left_out)
}

struct Copying {
    bytes: u64,
    entries: usize,
    left_out: Vec<(PathBuf, String)>,
}

impl Copying {
    /// One entry, which is called `name` in its folder and `path` below the outermost one.
    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &Path,
        path: &Path,
        to: &Path,
        depth: usize,
    ) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES || depth > DEEPEST {
            return self.leave_out(path, "it is one of too many");
        }
        let entry = match open(folder, name, OFlags::empty()) {
            Ok(entry) => entry,
            Err(Errno::NOENT) => return Ok(()),
            Err(Errno::LOOP) => return self.leave_out(path, "it is a symbolic link"),
            Err(Errno::NXIO) => return self.leave_out(path, "it is no regular file"),
            Err(error) => return self.leave_out(path, &io::Error::from(error).to_string()),
        };
        let failed = |source| Error::Io { action: "copy", path: path.to_owned(), source };
        let stat = rustix::fs::fstat(&entry).map_err(|error| failed(error.into()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.folder(&entry, path, to, depth),
            FileType::RegularFile => {
                let executable = Mode::from_raw_mode(stat.st_mode).contains(Mode::XUSR);
                self.file(entry, path, &to.join(path), if executable { 0o700 } else { 0o600 })
            }
            _ => self.leave_out(path, "it is no regular file"),
        }
    }

    fn folder(&mut self, folder: &OwnedFd, path: &Path, to: &Path, depth: usize) -> Result<(), Error> {
        let failed = |source| Error::Io { action: "copy", path: path.to_owned(), source };
        DirBuilder::new().mode(0o700).create(to.join(path)).map_err(failed)?;
        let entries = Dir::read_from(folder).map_err(|error| failed(error.into()))?;
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in entries.take(MOST_ENTRIES + 2) {
            let entry = entry.map_err(|error| failed(error.into()))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.into());
            }
        }
        names.sort();
        for name in names {
            self.entry(folder.as_fd(), &name, &path.join(&name), to, depth + 1)?;
        }
        Ok(())
    }

    fn file(&mut self, file: OwnedFd, path: &Path, target: &Path, mode: u32) -> Result<(), Error> {
        let failed = |source| Error::Io { action: "copy", path: path.to_owned(), source };
        let limit = LARGEST.min(LARGEST_TOTAL.saturating_sub(self.bytes));
        let mut new =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(target).map_err(failed)?;
        // One byte more tells a file that is too large, and one that grows meanwhile has an end too.
        let copied = io::copy(&mut File::from(file).take(limit + 1), &mut new).map_err(failed)?;
        if copied > limit {
            fs::remove_file(target).map_err(failed)?;
            return self.leave_out(path, "it is too large");
        }
        self.bytes += copied;
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the end of everything that leaves something out")]
    fn leave_out(&mut self, path: &Path, why: &str) -> Result<(), Error> {
        self.left_out.push((path.to_owned(), why.to_owned()));
        Ok(())
    }
}

fn open(folder: impl AsFd, name: &Path, more: OFlags) -> Result<OwnedFd, Errno> {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_come_closed_and_what_is_no_file_stays() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |name: &str| from.path().join(name);
        fs::create_dir_all(path("skills/pdf")).unwrap();
        fs::write(path("skills/pdf/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(path("skills/pdf/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(path("skills/pdf/logo.png"), b"\x89PNG\xff").unwrap();
        fs::write(path("settings.json"), "{}").unwrap();
        fs::write(path("other"), "not asked for").unwrap();
        fs::write(from.path().join("secret"), "canary").unwrap();
        symlink(path("secret"), path("skills/link")).unwrap();
        symlink(from.path(), path("agents")).unwrap();
        let pipe_mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mkfifoat(CWD, path("skills/pipe"), pipe_mode).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("skills/socket")).unwrap();
        File::create(path("history.jsonl")).unwrap().set_len(LARGEST + 1).unwrap();

        let items = ["settings.json", "agents", "skills", "history.jsonl", "commands"];
        let left_out = copy(from.path(), &items, to.path()).unwrap();
        let left_out: Vec<_> =
            left_out.iter().map(|(path, why)| (path.to_str().unwrap(), why.as_str())).collect();
        assert_eq!(
            left_out,
            [
                ("agents", "it is a symbolic link"),
                ("skills/link", "it is a symbolic link"),
                ("skills/pipe", "it is no regular file"),
                ("skills/socket", "it is no regular file"),
                ("history.jsonl", "it is too large"),
            ]
        );
        let new = |name: &str| to.path().join(name);
        assert_eq!(fs::read(new("skills/pdf/logo.png")).unwrap(), b"\x89PNG\xff");
        assert_eq!((mode(&new("skills/pdf")), mode(&new("skills/pdf/run.sh"))), (0o700, 0o700));
        assert_eq!((mode(&new("skills/pdf/logo.png")), mode(&new("settings.json"))), (0o600, 0o600));
        let mut entries: Vec<_> =
            fs::read_dir(to.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        entries.sort();
        assert_eq!(entries, ["settings.json", "skills"]);
    }

    #[test]
    fn there_is_an_end_to_depth() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let deep = ["agents"; DEEPEST + 3].iter().collect::<PathBuf>();
        fs::create_dir_all(from.path().join(deep)).unwrap();
        let left_out = copy(from.path(), &["agents"], to.path()).unwrap();
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].1, "it is one of too many");
    }
}
