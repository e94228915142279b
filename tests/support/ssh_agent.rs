//! A real ssh-agent of a test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Far longer than an agent takes to listen.
const START: Duration = Duration::from_secs(60);

/// A running agent. Dropping it ends it.
pub struct Agent {
    process: Child,
    socket: PathBuf,
    user: u32,
}

impl Agent {
    /// Starts one without keys, which listens at `socket`.
    pub fn start(socket: &Path) -> Self {
        Self::start_as(rustix::process::getuid().as_raw(), socket)
    }

    /// Starts it as another user; that takes root and util-linux.
    pub fn start_as(user: u32, socket: &Path) -> Self {
        let mut process = command_as(user, "ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ssh-agent is installed");
        let deadline = Instant::now() + START;
        while std::os::unix::net::UnixStream::connect(socket).is_err() {
            assert!(Instant::now() < deadline, "the agent does not listen");
            assert_eq!(process.try_wait().expect("a child can be asked"), None, "the agent ended");
            std::thread::yield_now();
        }
        Self { process, socket: socket.to_owned(), user }
    }

    /// Gives it a private key.
    #[must_use]
    pub fn with_key(self, key: &Path) -> Self {
        let added = self.add(&[key.to_str().expect("a path of a test is text")]);
        assert!(added.contains("Identity added"), "{added}");
        self
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What `ssh-add` says on the host.
    pub fn add(&self, args: &[&str]) -> String {
        let mut command = command_as(self.user, "ssh-add");
        let output =
            command.args(args).env("SSH_AUTH_SOCK", &self.socket).output().expect("ssh-add is there");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program on the host, as another user where that is not the test's own.
fn command_as(user: u32, program: &str) -> Command {
    if user == rustix::process::getuid().as_raw() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--", program]);
    command
}
