//! Folders with everything in them: how much it is, and removing it. No link is followed: what a link leads to is somewhere
//! else, and somebody else's.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// The most entries that are counted: a session dir can hold more than anybody wants to wait for.
const MOST: usize = 200_000;
/// The bytes of a block, by which the system tells what a file takes.
const BLOCK: u64 = 512;

/// How much disk space something takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// In bytes.
    pub bytes: u64,
    /// Whether not all of it was counted.
    pub at_least: bool,
}

impl std::ops::Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, at_least: self.at_least || other.at_least }
    }
}

/// How much space a file or folder takes; what is not there, or may not be read, takes none that is known.
pub fn size(path: &Path) -> Size {
    let mut size = Size::default();
    let mut left = MOST;
    let mut folders = vec![path.to_owned()];
    let count = |path: &Path, size: &mut Size| {
        let Ok(meta) = path.symlink_metadata() else {
            size.at_least = true;
            return false;
        };
        size.bytes += meta.blocks() * BLOCK;
        meta.is_dir()
    };
    if !count(path, &mut size) {
        return size;
    }
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else {
            size.at_least = true;
            continue;
        };
        for entry in entries.flatten() {
            if left == 0 {
                size.at_least = true;
                return size;
            }
            left -= 1;
            let path = entry.path();
            if count(&path, &mut size) {
                folders.push(path);
            }
        }
    }
    size
}

/// Removes a file, a link itself, or a folder with everything in it. What is gone already is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => match fs::remove_dir_all(path) {
            // A tool that keeps others from changing its files (Go's modules) keeps their owner from removing them too.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                open_up(path);
                fs::remove_dir_all(path)
            }
            removed => removed,
        },
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The same for what lies in a folder of `home`; what is reached by a link on the way is refused. A link itself is removed, and
/// not what it leads to.
pub fn remove_below(home: &Path, path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(home);
    if parent != home && !lies_below(home, parent) {
        return if parent.exists() { Err(io::Error::other("it is reached by a link")) } else { Ok(()) };
    }
    remove(path)
}

/// Lets the owner write in every folder; who does not own one is told so by the removal.
fn open_up(folder: &Path) {
    let Ok(meta) = folder.symlink_metadata() else { return };
    if !meta.is_dir() {
        return;
    }
    let _ = fs::set_permissions(folder, Permissions::from_mode(meta.permissions().mode() | 0o700));
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        // By the entry's own kind, so that no link is followed.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Whether every folder on the way from `home` down to `path`, and `path` itself, is no link. `home` itself may be one.
pub fn lies_below(home: &Path, path: &Path) -> bool {
    let on_the_way = path.ancestors().take_while(|part| *part != home);
    path != home
        && path.starts_with(home)
        && !path.components().any(|part| part == std::path::Component::ParentDir)
        && on_the_way.into_iter().all(|part| part.symlink_metadata().is_ok_and(|meta| !meta.is_symlink()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_is_measured_and_removed_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("tree/deep")).unwrap();
        fs::create_dir(at("outside")).unwrap();
        fs::write(at("outside/big"), vec![1; 1_000_000]).unwrap();
        fs::write(at("tree/deep/small"), vec![1; 10_000]).unwrap();
        symlink(at("outside"), at("tree/link")).unwrap();
        symlink(at("outside/big"), at("tree/deep/file-link")).unwrap();

        let size = size(&at("tree"));
        assert!((10_000..500_000).contains(&size.bytes) && !size.at_least, "{size:?}");
        assert!(super::size(&at("gone")).at_least);

        fs::set_permissions(at("tree/deep"), Permissions::from_mode(0o500)).unwrap();
        remove(&at("tree")).unwrap();
        assert!(!at("tree").exists());
        remove(&at("tree")).unwrap();
        assert_eq!(fs::read(at("outside/big")).unwrap().len(), 1_000_000);

        symlink(at("outside"), at("link")).unwrap();
        let error = remove_below(folder.path(), &at("link/big")).unwrap_err();
        assert_eq!(error.to_string(), "it is reached by a link");
        remove_below(folder.path(), &at("none/big")).unwrap();
        remove_below(folder.path(), &at("link")).unwrap();
        assert!(at("outside/big").exists() && !at("link").is_symlink());
    }

    #[test]
    fn what_is_reached_by_a_link_does_not_lie_below() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("home/alice/app")).unwrap();
        fs::create_dir_all(at("outside/app")).unwrap();
        symlink(at("outside"), at("home/bob")).unwrap();
        symlink(at("home"), at("link")).unwrap();
        let below = |path: &str| lies_below(&at("home"), &at(path));
        assert!(below("home/alice/app"));
        assert!(lies_below(&at("link"), &at("link/alice/app")), "the home itself may be a link");
        for path in
            ["home/bob/app", "home/bob", "home", "outside/app", "home/alice/../../outside/app", "home/none"]
        {
            assert!(!below(path), "{path}");
        }
    }
}
