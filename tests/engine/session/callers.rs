//! Whoever calls is at home inside: name, home, sudo, git, ssh; and what a session writes belongs to them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Place;
use crate::support::fake_api::Script;

/// Root, the image's own user, and one the image has never heard of.
const CALLERS: [(u32, u32); 3] = [(0, 0), (1000, 1000), (12345, 12345)];

/// Fails on the first file or folder below `path`, itself included, that is somebody else's.
fn assert_owned(path: &Path, owner: (u32, u32)) {
    let meta = path.symlink_metadata().expect("it exists");
    assert_eq!((meta.uid(), meta.gid()), owner, "{}", path.display());
    if meta.is_dir() {
        for entry in path.read_dir().expect("root reads everything") {
            assert_owned(&entry.expect("root reads everything").path(), owner);
        }
    }
}

/// Runs a test as each of the callers, in a place of its own.
fn as_each_caller(test: impl Fn(&Place, (u32, u32))) {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    for caller in CALLERS {
        let Some(place) = Place::new() else { return };
        test(&place, caller);
    }
}

#[test]
fn a_tool_writes_files_of_the_callers_own() {
    as_each_caller(|place, (uid, gid)| {
        place.fake.follow(Script::new().writes_file("/app/made/by-tool.txt", "line ✓\n"));
        let args = ["run", "--", "-p", "write it", "--permission-mode", "acceptEdits"];
        let output = place.reactor(&args).user(uid, gid).run();
        output.assert_success().assert_stdout("pong from fake-zai\n");

        let app = place.project().path().to_owned();
        assert_eq!(fs::read_to_string(app.join("made/by-tool.txt")).unwrap(), "line ✓\n");
        assert_owned(&app, (uid, gid));
        assert_owned(&place.sandbox.reactor_home(), (uid, gid));
        let history = place.session_dir().join("projects");
        assert!(history.read_dir().unwrap().next().is_some(), "the conversation is kept");
    });
}

#[test]
fn a_caller_is_somebody_inside() {
    let script = r#"
        set -e
        echo "$(id -u):$(id -g) $(whoami) $(cd && pwd) $HOME"
        echo >"$HOME/mine"
        sudo -n true
        cd /app
        git init --quiet .
        git -c user.name=me -c user.email=me@example.com commit --quiet --allow-empty --message one
        git log --format=%s
        ssh-keygen -q -t ed25519 -N '' -f /tmp/key
        cut -d ' ' -f 3 /tmp/key.pub | cut -d @ -f 1
        cd / && ls -d "$CLAUDE_CONFIG_DIR/projects"
    "#;
    as_each_caller(|place, (uid, gid)| {
        let (name, home) = if uid == 0 { ("root", "/root") } else { ("claude", "/home/claude") };
        let expected =
            format!("{uid}:{gid} {name} {home} {home}\none\n{name}\n/home/claude/.claude/projects\n");
        place.exec(&["sh", "-c", script]).user(uid, gid).run().assert_success().assert_stdout(&expected);
        assert_owned(place.project().path(), (uid, gid));
    });
}
