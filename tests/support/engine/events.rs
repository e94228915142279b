//! What the engine announces to everyone who listens: a place where a secret must never be.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::Engine;
use crate::support::monitor::Monitor;
use crate::support::process::Process;

/// A listener on `docker events`.
pub struct EventRecorder {
    engine: Engine,
    lines: Monitor<Vec<String>>,
    _listener: Process,
}

impl EventRecorder {
    pub(super) fn start(engine: &Engine) -> Self {
        let mut listener = engine
            .command(&["events", "--format", "{{json .}}"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the docker command line starts");
        let output = BufReader::new(listener.stdout.take().expect("standard output is a pipe"));
        let lines = Monitor::new(Vec::new());
        let heard = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                heard.update(|lines: &mut Vec<String>| lines.push(line));
            }
        });
        let recorder = Self { engine: engine.clone(), lines, _listener: Process::new(listener) };
        recorder.catch_up();
        recorder
    }

    /// Every event since the start, a line of JSON each; also those of other tests that run meanwhile.
    pub fn lines(&self) -> Vec<String> {
        self.catch_up();
        self.lines.read(Clone::clone)
    }

    /// Waits for an event of which `wanted` is true; one that came before counts. `what` names it in the failure.
    #[track_caller]
    pub fn wait_for(&self, what: &str, timeout: Duration, wanted: impl Fn(&Value) -> bool) {
        let find = |lines: &Vec<String>| {
            let parse = |line: &String| serde_json::from_str(line).expect("an event is JSON");
            lines.iter().any(|line| wanted(&parse(line))).then_some(())
        };
        assert!(
            self.lines.wait_until(timeout, find).is_some(),
            "{what} was not announced within {timeout:?}"
        );
    }

    /// Waits until the listener has heard all that happened before: it hears a mark that is set now, and the engine
    /// announces things in their order. The first marks may come before it listens at all, so they are repeated.
    fn catch_up(&self) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("event-mark-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let heard = (0..60).any(|_| {
            self.engine.docker(&["volume", "create", &mark]);
            self.engine.docker(&["volume", "rm", &mark]);
            let hears = |lines: &Vec<String>| lines.iter().any(|line| line.contains(&mark)).then_some(());
            self.lines.wait_until(Duration::from_secs(1), hears).is_some()
        });
        assert!(heard, "`docker events` stays silent");
    }
}
