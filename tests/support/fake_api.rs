//! A fake of the Messages API: a real HTTP server in this process that says what its script says and records what
//! arrives.
//!
//! It answers as Anthropic's API does, as far as Claude Code looks: streamed and whole messages, tool calls, token
//! counts, the model list, errors in their envelope. It never checks less than a backend would: where a script names
//! a credential, a request without it gets a 401.

mod answer;
mod cloud;
mod message;
mod recorded;
mod script;
mod server;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::monitor::Monitor;

pub use recorded::Recorded;
pub use script::{Credential, Failure, Script};

/// A running fake. Dropping it closes its port and cuts its connections.
pub struct FakeApi {
    name: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the server and the test both hold.
struct Shared {
    script: Monitor<Script>,
    requests: Monitor<Vec<Recorded>>,
    hold: watch::Sender<Hold>,
}

/// Where an answer stops until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Nowhere,
    BeforeTheAnswer,
    InTheMiddle,
}

impl FakeApi {
    /// Starts a fake that processes of this machine reach.
    pub fn start(name: &str, script: Script) -> Self {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST), name, script)
    }

    /// Starts a fake on one address of this machine, on a free port. The name is in what it says by default:
    /// `pong from fake-{name}`.
    pub fn start_on(address: IpAddr, name: &str, script: Script) -> Self {
        Self::start_at(SocketAddr::from((address, 0)), name, script)
    }

    /// Starts a fake on one address of this machine, on this very port.
    pub fn start_at(address: SocketAddr, name: &str, script: Script) -> Self {
        let listener = std::net::TcpListener::bind(address)
            .unwrap_or_else(|error| panic!("no server can listen on {address}: {error}"));
        listener.set_nonblocking(true).expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let name = format!("fake-{name}");
        let shared = Arc::new(Shared {
            script: Monitor::new(script.or_replies(&format!("pong from {name}"))),
            requests: Monitor::new(Vec::new()),
            hold: watch::Sender::new(Hold::Nowhere),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || server::run(listener, &shared, stopped)
        });
        Self { name, address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://ADDRESS:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it replies in the end.
    pub fn text(&self) -> String {
        self.shared.script.read(|script| script.text().to_owned())
    }

    /// Says something else from the next request on, a key that was rotated for instance.
    pub fn follow(&self, script: Script) {
        let script = script.or_replies(&format!("pong from {}", self.name));
        self.shared.script.update(|current| *current = script);
    }

    /// Lets every answer wait from now on, before its first byte, until [`Self::release`].
    pub fn hold(&self) {
        self.shared.hold.send_replace(Hold::BeforeTheAnswer);
    }

    /// Lets every streamed message stop after its first half from now on, until [`Self::release`].
    pub fn hold_in_the_middle(&self) {
        self.shared.hold.send_replace(Hold::InTheMiddle);
    }

    /// Lets every waiting and every later answer go out.
    pub fn release(&self) {
        self.shared.hold.send_replace(Hold::Nowhere);
    }

    /// Every request so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.read(Clone::clone)
    }

    /// The requests for a message among them.
    pub fn messages(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(Recorded::is_message).collect()
    }

    /// Waits for a request of which `wanted` is true; one that came before counts. `what` names it in the failure.
    #[track_caller]
    pub fn await_request(
        &self,
        what: &str,
        timeout: Duration,
        wanted: impl Fn(&Recorded) -> bool,
    ) -> Recorded {
        let find = |requests: &Vec<Recorded>| requests.iter().find(|request| wanted(request)).cloned();
        self.shared.requests.wait_until(timeout, find).unwrap_or_else(|| {
            let seen: Vec<_> = self.requests().iter().map(Recorded::line).collect();
            panic!("{} did not get {what} within {timeout:?}, only {seen:#?}", self.name)
        })
    }

    /// Waits for a request for a message.
    #[track_caller]
    pub fn await_message(&self, timeout: Duration) -> Recorded {
        self.await_request("a request for a message", timeout, Recorded::is_message)
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server of {} failed", self.name);
        }
    }
}
