//! What a session may use of the host's: the SSH agent and the container engine, by its own say-so and while it lives.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Place, SOON};
use crate::support::ssh_agent::Agent;

impl Place {
    /// A private key, 0600, beside its public one.
    fn ssh_key(&self, path: &str) -> PathBuf {
        let key = self.sandbox.home().join(path);
        fs::create_dir_all(key.parent().unwrap()).unwrap();
        let args = ["-q", "-t", "ed25519", "-N", "", "-C", "key-of-the-test", "-f", key.to_str().unwrap()];
        self.project().command("ssh-keygen", &args).run().assert_success();
        key
    }

    fn agent(&self, name: &str, key: &Path) -> Agent {
        Agent::start(&self.sandbox.path().join(name)).with_key(key)
    }
}

#[test]
fn the_agent_is_there_and_its_keys_are_not() {
    let Some(place) = Place::new() else { return };
    let key = place.ssh_key(".ssh/id_ed25519");
    place.ssh_key(".ssh/work");
    let home = place.sandbox.home();
    let host_key = fs::read_to_string(home.join(".ssh/work.pub")).unwrap();
    fs::write(home.join(".ssh/known_hosts"), format!("git.example {host_key}")).unwrap();
    let config = "Host git\n  HostName git.example\n  User carol\n  ProxyCommand touch /app/ran\n  \
                  IdentityFile ~/.ssh/work\n  IdentitiesOnly yes\n";
    fs::write(home.join(".ssh/config"), config).unwrap();
    let agent = place.agent("agent", &key);

    let script = r"
        ssh-add -l | cut -d ' ' -f 3
        ssh-keygen -F git.example | grep -c found
        ssh -G git | grep -E '^(hostname|user|proxycommand|identityfile) '
        ls -A ~/.ssh
        touch ~/.ssh/made 2>/dev/null || echo read-only
        echo data >/tmp/data
        ssh-keygen -q -Y sign -n test -f ~/.ssh/id_ed25519.pub /tmp/data 2>/dev/null && head -1 /tmp/data.sig
        ssh-add -D 2>/dev/null || echo refused";
    let flags = ["exec", "--ssh-agent", "--", "sh", "-c", script];
    let output = place.reactor(&flags).env("SSH_AUTH_SOCK", agent.socket()).run();
    output.assert_success().assert_stdout(
        "key-of-the-test\n1\nuser carol\nhostname git.example\nidentityfile ~/.ssh/work.pub\n\
         config\nid_ed25519.pub\nknown_hosts\nwork.pub\nread-only\n-----BEGIN SSH SIGNATURE-----\nrefused\n",
    );
    assert!(agent.add(&["-l"]).contains("key-of-the-test"), "the agent keeps its key");

    let secret = fs::read_to_string(&key).unwrap().lines().nth(2).unwrap().to_owned();
    let search = format!("grep -rlsF '{secret}' /root /home /etc /run /tmp /app /mnt; true");
    place.exec(&["sh", "-c", &search]).env("SSH_AUTH_SOCK", agent.socket()).run().assert_stdout("");
}

#[test]
fn an_agent_that_moved_is_found_by_the_next_session_of_the_same_container() {
    let Some(place) = Place::new() else { return };
    let key = place.ssh_key("keys/one");
    let list = |agent: &Agent| place.exec(&["ssh-add", "-l"]).env("SSH_AUTH_SOCK", agent.socket()).run();
    let first = place.agent("first", &key);
    let remembered =
        place.reactor(&["exec", "--ssh-agent", "--", "true"]).env("SSH_AUTH_SOCK", first.socket());
    remembered.run().assert_success();
    let container = place.id();
    drop(first);

    let second = place.agent("second", &key);
    let output = list(&second);
    assert!(output.assert_success().stdout().contains("key-of-the-test"));
    assert_eq!(place.id(), container);

    // By the path in the setting, whatever the environment says.
    let named = format!("--ssh-agent={}", second.socket().display());
    place.reactor(&["exec", &named, "--", "ssh-add", "-l"]).run().assert_success();
    drop(second);
    let dead = place.exec(&["true"]).run();
    dead.assert_code(2).assert_stderr_contains("does not answer").assert_stderr_contains("ssh-add");

    let off = place
        .shell(&["--ssh-agent=off"], "echo \"<$SSH_AUTH_SOCK>\"; ls /run/claude-reactor 2>/dev/null; true");
    off.run()
        .assert_success()
        .assert_stdout("<>\n")
        .assert_stderr_contains("the mount /run/claude-reactor/ssh-agent is gone");
}

#[test]
fn the_sockets_go_with_their_sessions() {
    let Some(place) = Place::new() else { return };
    let key = place.ssh_key("keys/one");
    let agent = place.agent("agent", &key);
    let session = |script: &str| {
        let args = ["exec", "--ssh-agent", "--", "sh", "-c", script];
        place.reactor(&args).env("SSH_AUTH_SOCK", agent.socket())
    };
    let live = session("echo in; cat").spawn();
    live.wait_for_stdout("in", SOON);
    session("ls /run/claude-reactor/ssh-agent | wc -l").run().assert_stdout("2\n");
    live.signal(rustix::process::Signal::KILL);
    live.wait(SOON);
    session("ls /run/claude-reactor/ssh-agent | wc -l").run().assert_stdout("1\n");
    let run = place.sandbox.reactor_home().join(".run");
    let left: Vec<PathBuf> =
        fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path().join("ssh-agent")).collect();
    let sockets: usize = left.iter().filter_map(|path| path.read_dir().ok()).map(Iterator::count).sum();
    assert_eq!(sockets, 0, "{left:?}");
}

#[test]
fn without_an_agent_nothing_is_made() {
    let Some(place) = Place::new() else { return };
    let none = place.reactor(&["exec", "--ssh-agent", "--", "true"]).run();
    none.assert_code(2)
        .assert_stderr_contains("SSH_AUTH_SOCK is not set")
        .assert_stderr_contains("ssh-agent");
    assert!(place.engine.containers(place.project().path()).is_empty());
}

/// Asks the engine behind the session's own socket.
const ASK: &str = "curl -sS --unix-socket \"${DOCKER_HOST#unix://}\" http://engine/";

#[test]
fn the_hosts_engine_is_there_for_those_who_ask_for_it() {
    let Some(place) = Place::new() else { return };
    place
        .exec(&["sh", "-c", "echo \"<$DOCKER_HOST>\"; ls /run/claude-reactor 2>/dev/null; true"])
        .run()
        .assert_stdout("<>\n");
    let list = format!("{ASK}containers/json | jq -r '.[].Labels[\"dev.claude-reactor.project\"]'");
    let given = place.shell(&["--host-docker"], &list).run();
    given
        .assert_success()
        .assert_stderr_contains("warning: this session may use your machine's container engine");
    let project = place.project().path().display().to_string();
    assert!(given.stdout().lines().any(|line| line == project), "{}", given.stdout());

    // An attached command: its input ends before its output does.
    let id = place.id();
    let attach = format!(
        "exec=$({ASK}containers/{id}/exec -H 'Content-Type: application/json' -d \
         '{{\"AttachStdin\":true,\"AttachStdout\":true,\"Tty\":false,\"Cmd\":[\"sh\",\"-c\",\"cat; echo after\"]}}' | jq -r .Id)
         body='{{\"Detach\":false,\"Tty\":false}}'
         perl -MIO::Socket::UNIX -e '
            my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!;
            print $s \"POST /exec/$ARGV[1]/start HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: tcp\\r\\n\" .
                \"Content-Type: application/json\\r\\nContent-Length: \" . length($ARGV[2]) . \"\\r\\n\\r\\n$ARGV[2]\";
            $s->flush; while (<$s>) {{ last if /^\\r$/ }} print $s \"input\\n\"; $s->flush; shutdown($s, 1);
            print while <$s>;' \"${{DOCKER_HOST#unix://}}\" $exec \"$body\" | tr -cd 'a-z\\n' | tail -2"
    );
    place.shell(&[], &attach).run().assert_success().assert_stdout("input\nafter\n");

    let off = place.shell(&["--host-docker=false"], "echo \"<$DOCKER_HOST>\"").run();
    off.assert_success()
        .assert_stdout("<>\n")
        .assert_stderr_contains("the mount /run/claude-reactor/docker is gone");
}

#[test]
fn a_use_of_the_hosts_engine_ends_with_its_time() {
    let Some(place) = Place::new() else { return };
    let flags = ["--host-docker", "--host-docker-timeout", "1s"];
    // The events have no end; the next request is one of its own.
    let script = format!("{ASK}events >/dev/null 2>&1; echo ended; {ASK}_ping");
    place.shell(&flags, &script).run().assert_success().assert_stdout("ended\nOK");
}

#[test]
fn a_caller_that_the_image_does_not_know_has_the_same() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    let Some(place) = Place::new() else { return };
    let key = place.ssh_key(".ssh/id_ed25519");
    fs::write(place.sandbox.home().join(".ssh/config"), "Host git\n  HostName git.example\n").unwrap();
    place.sandbox.give_to(12345, 12345);
    let agent = Agent::start_as(12345, &place.sandbox.path().join("agent")).with_key(&key);
    let script = format!(
        "ssh -G git | grep '^hostname '; ls ~/.ssh; ssh-add -l | cut -d ' ' -f 3; {ASK}_ping; whoami"
    );
    let flags = ["exec", "--ssh-agent", "--host-docker", "--", "sh", "-c", &script];
    let output = place.reactor(&flags).env("SSH_AUTH_SOCK", agent.socket()).user(12345, 12345).run();
    output
        .assert_success()
        .assert_stdout("hostname git.example\nconfig\nid_ed25519.pub\nkey-of-the-test\nOKclaude\n");
}

#[test]
fn a_command_that_joins_a_container_has_what_its_own_flag_asks_for_or_says_so() {
    let Some(place) = Place::new() else { return };
    place.exec(&["true"]).run().assert_success();
    let made = place.id();
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    let refused = place.reactor(&["exec", "--host-docker", "--", "true"]).run();
    refused.assert_code(2).assert_stderr_contains("error: --host-docker cannot take effect");

    // Remembered by then, it is no flag of this command any more: the container is joined without it.
    let joined = place.exec(&["sh", "-c", "echo \"<$DOCKER_HOST>\""]).run();
    joined
        .assert_success()
        .assert_stdout("<>\n")
        .assert_stderr_contains("is joined as it is, although the mount /run/claude-reactor/docker is new")
        .assert_stderr_lacks("may use your machine's container engine");
    live.close_stdin();
    live.wait(SOON).assert_success();

    let version = format!("{ASK}_ping");
    let idle = place.reactor(&["exec", "--host-docker", "--", "sh", "-c", &version]).run();
    idle.assert_success().assert_stdout("OK").assert_stderr_contains("making the container anew");
    assert_ne!(place.id(), made);
}
