//! What the tests stand on: a home of their own, a fake of the Messages API, terminals, an engine, canary secrets.
//!
//! Both test binaries include this module by path. Everything here runs real parts: real processes, a real HTTP
//! server, a real pseudo-terminal, the engine that is there. Waiting is always for an event and always bounded;
//! nothing sleeps, and a wait that runs out shows what had happened until then.

pub mod authority;
pub mod doctor_report;
pub mod engine;
pub mod fake_api;
pub mod fake_registry;
pub mod fake_upstream;
pub mod invocation;
pub mod listening;
pub mod monitor;
pub mod old_home;
pub mod output;
pub mod process;
pub mod pty;
pub mod redact;
pub mod running;
pub mod sandbox;
pub mod secrets;
pub mod ssh_agent;
pub mod tls_proxy;
