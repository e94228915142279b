//! A provider that needs no account and knows one answer: the fake of the Messages API that the tests stand on, for people.
//! `make demo`, `scripts/onboarding.sh` and `scripts/captures.sh` start it.
//!
//! It serves until it is ended, on every address that it is given: containers reach a server of this machine at another
//! address than this machine itself does.

#[path = "../tests/support"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    reason = "an example uses only a part of what the tests stand on"
)]
mod support {
    pub mod fake_api;
    pub mod monitor;
    pub mod secrets;
}

use std::net::SocketAddr;

use clap::Parser;
use support::fake_api::{FakeApi, Script};

/// A fake provider: speaks the Messages API and always says the same
#[derive(Debug, Parser)]
struct Args {
    /// What it says
    #[arg(long, value_name = "TEXT", default_value = "pong")]
    reply: String,
    /// Where it listens
    #[arg(value_name = "ADDRESS:PORT", required = true)]
    addresses: Vec<SocketAddr>,
}

fn main() {
    let args = Args::parse();
    let start =
        |address: &SocketAddr| FakeApi::start_at(*address, "provider", Script::new().replies(&args.reply));
    let _fakes: Vec<_> = args.addresses.iter().map(start).collect();
    eprintln!("serving");
    loop {
        std::thread::park();
    }
}
