use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A home, and the path of a private file that was written below it.
fn written() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("alice/llms/zai/.env");
    write(&path, b"A='1'\n").unwrap();
    (home, path)
}

/// This test program, to run one ignored test of this module in a process of its own.
fn this_program(test: &str) -> Vec<String> {
    let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let name = format!("private_file::tests::{test}");
    [&program, "--exact", &name, "--ignored", "--nocapture"].map(str::to_owned).into()
}

#[test]
fn what_was_written_is_read_back_and_what_is_not_there_is_none() {
    let (home, path) = written();
    assert_eq!(read(&path).unwrap().as_deref(), Some("A='1'\n"));
    assert_eq!(read(&path.with_file_name("other")).unwrap(), None);
    assert_eq!(read(&home.path().join("nobody/.env")).unwrap(), None);
}

#[test]
fn modes_hold_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let out = Command::new("sh").arg("-c").arg(script).args(this_program("modes_here")).output().unwrap();
        assert!(out.status.success(), "umask {umask}: {}", String::from_utf8_lossy(&out.stdout));
    }
}

#[test]
#[ignore = "another test runs it, in a process that has another umask"]
fn modes_here() {
    let (home, path) = written();
    let _lock = lock(&path).unwrap();
    let made = home.path().join("bob/project");
    create_dir(home.path(), &made).unwrap();
    let below = |name: &str| mode(&home.path().join(name));
    for folder in ["alice", "alice/llms", "alice/llms/zai", "bob", "bob/project"] {
        assert_eq!(below(folder), 0o700, "{folder}");
    }
    for file in ["alice/llms/zai/.env", "alice/llms/zai/.env.lock"] {
        assert_eq!(below(file), 0o600, "{file}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_closes_it() {
    let (_home, path) = written();
    for loose in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610] {
        chmod(&path, loose);
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains(&format!("(mode {loose:04o})")), "{error}");
        assert_eq!(error.hint().unwrap(), format!("run: chmod 600 {}", path.display()));
    }
    chmod(&path, 0o400);
    assert!(read(&path).is_ok());
}

#[test]
fn a_folder_that_others_can_enter_is_refused_with_the_command_that_closes_it() {
    let (home, path) = written();
    let folder = path.parent().unwrap();
    chmod(folder, 0o755);
    let refusals = [
        read(&path).unwrap_err(),
        write(&path, b"x").unwrap_err(),
        lock(&path).unwrap_err(),
        create_dir(home.path(), folder).unwrap_err(),
    ];
    for error in refusals {
        assert_eq!(error.hint().unwrap(), format!("run: chmod 700 {}", folder.display()));
    }
    assert_eq!(fs::read(&path).unwrap(), b"A='1'\n");
}

#[test]
fn a_folder_between_home_and_the_new_one_is_checked_too() {
    let (home, path) = written();
    chmod(&home.path().join("alice"), 0o750);
    let error = create_dir(home.path(), path.parent().unwrap()).unwrap_err();
    assert_eq!(error.hint().unwrap(), format!("run: chmod 700 {}", home.path().join("alice").display()));
    chmod(&home.path().join("alice"), 0o700);
    chmod(home.path(), 0o755);
    create_dir(home.path(), path.parent().unwrap()).unwrap();
}

#[test]
fn links_are_refused_and_what_they_point_to_is_untouched() {
    let (home, path) = written();
    let target = home.path().join("target");
    fs::write(&target, "theirs").unwrap();
    chmod(&target, 0o600);
    fs::remove_file(&path).unwrap();
    symlink(&target, &path).unwrap();
    assert!(matches!(read(&path), Err(Error::Symlink(_))));
    assert!(matches!(write(&path, b"x"), Err(Error::Symlink(_))));
    assert_eq!(fs::read(&target).unwrap(), b"theirs");

    let folder = home.path().join("link");
    symlink(path.parent().unwrap(), &folder).unwrap();
    assert!(matches!(read(&folder.join(".env")), Err(Error::Symlink(_))));
    assert!(matches!(create_dir(home.path(), &folder), Err(Error::Symlink(_))));

    symlink(&target, path.with_file_name("b.lock")).unwrap();
    assert!(matches!(lock(&path.with_file_name("b")), Err(Error::Symlink(_))));
}

#[test]
fn only_regular_files_are_read_and_replaced() {
    let (_home, path) = written();
    let folder = path.with_file_name("folder");
    rustix::fs::mkdir(&folder, FOLDER_MODE).unwrap();
    assert!(matches!(read(&folder), Err(Error::NotAFile(_))));
    assert!(matches!(write(&folder, b"x"), Err(Error::NotAFile(_))));
    // A pipe without a writer would keep a careless reader waiting for good.
    let pipe = path.with_file_name("pipe");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&pipe).status().unwrap().success());
    assert!(matches!(read(&pipe), Err(Error::NotAFile(_))));
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let error = private(Path::new("/h/it's"), 1000, 1001, FILE_MODE, FILE_MODE).unwrap_err();
    assert_eq!(error.to_string(), "`/h/it's` belongs to user 1000, not to you (user 1001)");
    assert!(error.hint().unwrap().ends_with(r"sudo chown 1001 '/h/it'\''s'"));
}

#[test]
fn a_write_leaves_nothing_but_the_file() {
    let (_home, path) = written();
    write(&path, b"second").unwrap();
    let names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [".env"]);
}

#[test]
fn no_update_is_lost() {
    let (_home, path) = written();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for turn in 0..20 {
                    let edit =
                        |text: Option<&str>| Ok(format!("{}{thread}-{turn}\n", text.unwrap_or_default()));
                    update::<Error>(path, edit).unwrap();
                }
            });
        }
    });
    assert_eq!(read(&path).unwrap().unwrap().lines().count(), 1 + 8 * 20);
}

#[test]
fn a_failed_edit_writes_nothing() {
    let (home, _) = written();
    let path = home.path().join("bob/.env");
    let edit = |_: Option<&str>| Err(Error::NotText("x".into()));
    assert!(update::<Error>(&path, edit).is_err());
    assert!(!path.exists());
}

#[test]
fn a_killed_holder_blocks_nobody() {
    let (_home, path) = written();
    let program = this_program("holds_the_lock");
    let mut holder = Command::new(&program[0])
        .args(&program[1..])
        .env("PRIVATE_FILE_TEST", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("locked")));

    let file = File::open(path.with_file_name(".env.lock")).unwrap();
    let attempt = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
    assert_eq!(attempt, Err(Errno::WOULDBLOCK));
    holder.kill().unwrap();
    holder.wait().unwrap();
    drop(lock(&path).unwrap());
}

#[test]
#[ignore = "another test runs it, in a process that it kills"]
fn holds_the_lock() {
    let _lock = lock(Path::new(&std::env::var_os("PRIVATE_FILE_TEST").unwrap())).unwrap();
    println!("locked");
    io::stdin().read_line(&mut String::new()).unwrap();
}
