//! Engines without root's rights: what a session writes belongs to the user who runs the engine. `make
//! test-engine-rootless` serves such engines and names them; without that, there is nothing to test here.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

/// Their addresses, separated by blanks.
const ENGINES: &str = "CLAUDE_REACTOR_TEST_ROOTLESS";

#[test]
fn what_a_session_writes_belongs_to_the_user_and_it_is_somebody_inside() {
    let Ok(addresses) = std::env::var(ENGINES) else {
        println!("skipped: {ENGINES} names no rootless engine");
        return;
    };
    for address in addresses.split_whitespace() {
        let engine = Engine::at(address);
        let socket = engine.socket().expect("a rootless engine listens at a socket");
        // The folder, for the socket itself may belong to a group of the user's namespace.
        let folder = socket.parent().expect("it lies in a folder").metadata().expect("it is there");
        let (uid, gid) = (folder.uid(), folder.gid());
        let sandbox = Sandbox::on(&engine);
        sandbox.write_home(".claude-reactor/user/llms/claude/.env", "ANTHROPIC_API_KEY='none'\n");
        let project = sandbox.project("app");
        sandbox.give_to(uid, gid);
        let script = r#"set -e
            echo "$(id -u) $HOME"
            touch "$HOME/mine" /app/file
            sudo -n true
            git init --quiet /app/repository
            git -C /app/repository -c user.name=me -c user.email=me@example.com commit --quiet --allow-empty -m one
            ssh-keygen -q -t ed25519 -N '' -f /tmp/key
            getent hosts host.docker.internal | grep -c ."#;
        let output = project.reactor(&["exec", "--", "sh", "-c", script]).user(uid, gid).run();
        let inside =
            if address.contains("podman") { format!("{uid} /home/claude") } else { "0 /root".to_owned() };
        output.assert_success().assert_stdout(&format!("{inside}\n1\n"));
        for name in ["file", "repository/.git/HEAD"] {
            let file = project.path().join(Path::new(name)).metadata().unwrap();
            assert_eq!((file.uid(), file.gid()), (uid, gid), "{name} on {address}");
        }
        let again = project.reactor(&["--verbose", "exec", "--", "true"]).user(uid, gid).run();
        again.assert_success().assert_stderr_contains("plan=\"reuse\"");
    }
}
