//! The commands: one file each, with the arguments (whose doc comments are the help) and a function that does it.
//!
//! `choices`, `target`, `keys` and `launch` are what `run` and `exec` share: the flags that choose, what they resolve
//! to, the key, and the running container.

pub mod build_progress;
pub mod choices;
pub mod dry_run;
pub mod exec;
pub mod keys;
pub mod launch;
pub mod lock;
pub mod run;
pub mod target;
