//! Reading a file that somebody else may have put there: a session writes its project's folder and Claude Code's own,
//! and may swap a file for a link to a key, or for a pipe that never ends, at any moment. So nothing is asked of the
//! path before it is opened; what counts is what was opened.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Whether the path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As for a file of the user's own, which a dotfile manager may have put there.
    Followed,
    /// As for a file in a folder that a session can write.
    Refused,
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its text.
    pub text: String,
    /// The id of the user it belongs to.
    pub owner: u32,
}

/// Reads a regular file of at most `largest` bytes; nothing where there is none.
///
/// # Errors
///
/// A link where none is followed, anything that is not a regular file, a larger file, and text that is not UTF-8.
pub fn read(path: &Path, links: Links, largest: u64) -> io::Result<Option<Opened>> {
    // Opening a pipe would otherwise wait for somebody to write.
    let mut flags = OFlags::NONBLOCK;
    flags.set(OFlags::NOFOLLOW, links == Links::Refused);
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if links == Links::Refused && error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(io::Error::other("it is a symbolic link"));
        }
        opened => opened?,
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        let problem = format!("it is larger than {} KiB", largest / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok(Some(Opened { text, owner: meta.uid() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn problem(path: &Path, links: Links) -> String {
        read(path, links, 4).unwrap_err().to_string()
    }

    #[test]
    fn a_regular_file_and_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        assert_eq!(read(&file, Links::Refused, 4).unwrap(), None);
        std::fs::write(&file, "1234").unwrap();
        let opened = read(&file, Links::Refused, 4).unwrap().unwrap();
        assert_eq!((opened.text.as_str(), opened.owner), ("1234", rustix::process::getuid().as_raw()));
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(problem(&file, Links::Refused), "it is larger than 0 KiB");
        std::fs::write(&file, b"\xff").unwrap();
        assert_eq!(problem(&file, Links::Refused), "it is not UTF-8 text");
    }

    #[test]
    fn a_link_is_followed_only_where_it_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "1234").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(problem(&link, Links::Refused), "it is a symbolic link");
        assert_eq!(read(&link, Links::Followed, 4).unwrap().unwrap().text, "1234");
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_a_device_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/zero")] {
            for links in [Links::Followed, Links::Refused] {
                assert_eq!(problem(path, links), "it is not a regular file", "{}", path.display());
            }
        }
    }
}
