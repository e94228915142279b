//! `passwd`, `shadow`, `group` and a home for a user the image never heard of.
//!
//! An engine runs any uid, but sudo, ssh and git want a name and a home for it. They are put in between creation and
//! start, as one tar stream; without its line in `shadow`, sudo says "account validation failure".

use std::io::{self, Read};

use super::spec::User;

/// The name the session's user has inside, in place of the image's own user of that name.
const NAME: &str = "claude";

/// The files an image's user database is made of.
pub const FILES: [&str; 3] = ["/etc/passwd", "/etc/shadow", "/etc/group"];

/// The image's user database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserDatabase {
    /// The text of `/etc/passwd`.
    pub passwd: String,
    /// The text of `/etc/shadow`.
    pub shadow: String,
    /// The text of `/etc/group`.
    pub group: String,
}

impl UserDatabase {
    /// The database with this user in it, under the name `claude`. Whoever had the name or the uid before is replaced; but
    /// root stays who it is, and is only added where there is none.
    #[must_use]
    pub fn with(&self, user: User) -> Self {
        if user.uid == 0 {
            return self.with_root(user);
        }
        let User { uid, gid } = user;
        let shell = self.shell();
        let uid_text = uid.to_string();
        let gid_text = gid.to_string();
        let passwd = without(&self.passwd, |fields| {
            fields.first() == Some(&NAME) || fields.get(2) == Some(&&*uid_text)
        });
        let shadow = without(&self.shadow, |fields| fields.first() == Some(&NAME));
        let group = if self.group.lines().any(|line| line.split(':').nth(2) == Some(&gid_text)) {
            self.group.clone()
        } else {
            let others = without(&self.group, |fields| fields.first() == Some(&NAME));
            format!("{others}{NAME}:x:{gid}:\n")
        };
        Self {
            passwd: format!("{passwd}{NAME}:x:{uid}:{gid}::{}:{shell}\n", user.home()),
            shadow: format!("{shadow}{NAME}:*:19000:0:99999:7:::\n"),
            group,
        }
    }

    /// The login shell: bash, where anybody in the image has it.
    fn shell(&self) -> &'static str {
        let bash = |line: &str| line.ends_with("/bash");
        if self.passwd.lines().any(bash) { "/bin/bash" } else { "/bin/sh" }
    }

    fn with_root(&self, user: User) -> Self {
        let has = |text: &str, field: usize, value: &str| {
            text.lines().any(|line| line.split(':').nth(field) == Some(value))
        };
        let gid = user.gid.to_string();
        let mut with = self.clone();
        if !has(&with.passwd, 2, "0") {
            with.passwd = format!("root:x:0:0:root:{}:/bin/sh\n{}", user.home(), lines(&with.passwd));
        }
        if !has(&with.shadow, 0, "root") {
            with.shadow = format!("root:*:19000:0:99999:7:::\n{}", lines(&with.shadow));
        }
        if !has(&with.group, 2, &gid) {
            let name = if user.gid == 0 { "root" } else { NAME };
            with.group = format!("{}{name}:x:{gid}:\n", lines(&with.group));
        }
        with
    }

    /// The tar stream that puts the database, and a home owned by the user, into a container.
    pub fn tar(&self, user: User) -> io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, mode, text) in [
            ("etc/passwd", 0o644, &self.passwd),
            ("etc/shadow", 0o640, &self.shadow),
            ("etc/group", 0o644, &self.group),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(mode);
            header.set_uid(0);
            header.set_gid(0);
            tar.append_data(&mut header, path, text.as_bytes())?;
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(if user.uid == 0 { 0o700 } else { 0o755 });
        header.set_uid(user.uid.into());
        header.set_gid(user.gid.into());
        let home = format!("{}/", user.home().trim_start_matches('/'));
        tar.append_data(&mut header, home, io::empty())?;
        tar.into_inner()
    }
}

/// The text of the one file in a tar stream, as an engine sends it.
pub fn only_file(tar: &[u8]) -> io::Result<String> {
    let mut archive = tar::Archive::new(tar);
    let mut entry = archive.entries()?.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let mut text = String::new();
    entry.read_to_string(&mut text)?;
    Ok(text)
}

/// The text with an end to its last line.
fn lines(text: &str) -> String {
    without(text, |_| false)
}

fn without(text: &str, drop: impl Fn(&[&str]) -> bool) -> String {
    text.lines()
        .filter(|line| !drop(&line.split(':').collect::<Vec<_>>()))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> UserDatabase {
        UserDatabase {
            passwd: "root:x:0:0:root:/root:/bin/bash\ngames:x:5:60::/usr/games:/bin/sh\n\
                     claude:x:1000:1000::/home/claude:/bin/bash\n"
                .to_owned(),
            shadow: "root:*:19000::::::\nclaude:!:19000::::::\n".to_owned(),
            group: "root:x:0:\nusers:x:100:\nclaude:x:1000:\n".to_owned(),
        }
    }

    #[test]
    fn an_unknown_user_takes_the_place_of_the_images() {
        let with = image().with(User { uid: 12345, gid: 12345 });
        assert_eq!(
            with.passwd,
            "root:x:0:0:root:/root:/bin/bash\ngames:x:5:60::/usr/games:/bin/sh\n\
             claude:x:12345:12345::/home/claude:/bin/bash\n"
        );
        assert_eq!(with.shadow, "root:*:19000::::::\nclaude:*:19000:0:99999:7:::\n");
        assert_eq!(with.group, "root:x:0:\nusers:x:100:\nclaude:x:12345:\n");
    }

    #[test]
    fn an_image_without_any_of_the_files_gets_them() {
        let with = UserDatabase::default().with(User { uid: 12345, gid: 100 });
        assert_eq!(with.passwd, "claude:x:12345:100::/home/claude:/bin/sh\n");
        assert_eq!(with.shadow, "claude:*:19000:0:99999:7:::\n");
        assert_eq!(with.group, "claude:x:100:\n");
    }

    #[test]
    fn root_stays_and_is_added_only_where_there_is_none() {
        let root = User { uid: 0, gid: 0 };
        assert_eq!(image().with(root), image());
        let bare = UserDatabase { passwd: "x:x:7:7::/:/bin/sh".to_owned(), ..UserDatabase::default() };
        let with = bare.with(root);
        assert_eq!(with.passwd, "root:x:0:0:root:/root:/bin/sh\nx:x:7:7::/:/bin/sh\n");
        assert_eq!(
            (with.shadow.as_str(), with.group.as_str()),
            ("root:*:19000:0:99999:7:::\n", "root:x:0:\n")
        );
    }

    #[test]
    fn a_uid_or_group_the_image_uses_otherwise_is_taken_over_or_shared() {
        let with = image().with(User { uid: 5, gid: 100 });
        assert!(!with.passwd.contains("games"), "two names for a uid would make `whoami` lie");
        assert!(with.passwd.ends_with("claude:x:5:100::/home/claude:/bin/bash\n"));
        assert_eq!(with.group, image().group, "the group has a name already");
    }

    #[test]
    fn the_tar_stream_holds_the_files_and_a_home_of_the_users_own() {
        let user = User { uid: 12345, gid: 100 };
        let tar = image().with(user).tar(user).unwrap();
        assert!(only_file(&tar).unwrap().contains("claude:x:12345:100"));
        let mut archive = tar::Archive::new(&tar[..]);
        let entries: Vec<(String, u64, u32)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                (entry.path().unwrap().display().to_string(), header.uid().unwrap(), header.mode().unwrap())
            })
            .collect();
        let expected = [
            ("etc/passwd", 0, 0o644),
            ("etc/shadow", 0, 0o640),
            ("etc/group", 0, 0o644),
            ("home/claude/", 12345, 0o755),
        ];
        assert_eq!(entries, expected.map(|(path, uid, mode)| (path.to_owned(), uid, mode)));
    }
}
