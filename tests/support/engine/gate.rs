//! A way to the engine on which a request can be held up, or be refused in the engine's stead: what happens between two
//! requests of a command can then happen at leisure.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::Engine;
use crate::support::monitor::Monitor;

/// A socket in front of the engine's own.
pub struct Gate {
    path: PathBuf,
    state: Monitor<State>,
}

#[derive(Default)]
struct State {
    rule: Option<Rule>,
    /// How many requests stand before the gate.
    held: usize,
    /// Those that stand there go no further.
    cut: bool,
}

#[derive(Clone)]
struct Rule {
    method: &'static str,
    path: String,
    refused: bool,
}

impl Gate {
    /// A gate in front of the engine. It lets everything through.
    pub(super) fn new(engine: &Engine, folder: &Path, name: &str) -> Self {
        let path = folder.join(format!("{name}.sock"));
        let behind = engine.socket().expect("the tests' engine has a socket on this machine");
        let listener = UnixListener::bind(&path).expect("a socket can be made there");
        let state: Monitor<State> = Monitor::new(State::default());
        let here = state.clone();
        thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let Ok(engine) = UnixStream::connect(&behind) else { return };
                let state = here.clone();
                let (back, answers) = (engine.try_clone().unwrap(), caller.try_clone().unwrap());
                thread::spawn(move || pass(back, answers, |_, _| true));
                thread::spawn(move || pass(caller, engine, |bytes, caller| admit(&state, bytes, caller)));
            }
        });
        Self { path, state }
    }

    /// Its address, as in `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// Holds up requests of this method whose path has `path` in it.
    pub fn hold(&self, method: &'static str, path: &str) {
        self.set(Rule { method, path: path.to_owned(), refused: false });
    }

    /// Answers such requests with 404.
    pub fn refuse(&self, method: &'static str, path: &str) {
        self.set(Rule { method, path: path.to_owned(), refused: true });
    }

    fn set(&self, rule: Rule) {
        self.state.update(|state| *state = State { rule: Some(rule), held: 0, cut: false });
    }

    /// Waits until a request stands before the gate.
    #[track_caller]
    pub fn wait_for_held(&self, timeout: Duration) {
        let held = self.state.wait_until(timeout, |state| (state.held > 0).then_some(()));
        assert!(held.is_some(), "no such request came within {timeout:?}");
    }

    /// Lets everything through again.
    pub fn open(&self) {
        self.state.update(|state| state.rule = None);
    }

    /// Lets everything through again but what stands there: its connection ends.
    pub fn cut(&self) {
        self.state.update(|state| (state.rule, state.cut) = (None, true));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Whether bytes may go on to the engine; waits until they may. A client sends the head of a request at once.
fn admit(state: &Monitor<State>, bytes: &[u8], caller: &mut UnixStream) -> bool {
    const NEVER: Duration = Duration::from_secs(3600);
    let head = String::from_utf8_lossy(bytes);
    let line = head.lines().next().unwrap_or_default();
    let rule = state.read(|state| state.rule.clone());
    let Some(rule) = rule.filter(|rule| line.starts_with(rule.method) && line.contains(&rule.path)) else {
        return true;
    };
    if rule.refused {
        let body = r#"{"message":"No such thing"}"#;
        let head = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length:";
        let _ = caller.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
        return false;
    }
    state.update(|state| state.held += 1);
    let cut = state.wait_until(NEVER, |state| state.rule.is_none().then_some(state.cut));
    if cut == Some(false) {
        return true;
    }
    let _ = caller.shutdown(Shutdown::Both);
    false
}

fn pass(mut from: UnixStream, mut to: UnixStream, mut admitted: impl FnMut(&[u8], &mut UnixStream) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if admitted(&buffer[..count], &mut from) && to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
