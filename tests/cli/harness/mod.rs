//! Tests of what the other tests stand on.

mod fake_api;
mod pty;
mod sandbox;
mod secrets;
