//! The commands: one file each, with the arguments (whose doc comments are the help) and a function that does it.
//!
//! `run` and `exec` share `choices` (the flags that choose), `target` (what they resolve to), `trust`, `old_home`, `keys`,
//! `settle` (all that comes before the container), `image` and `launch` (the running container).

pub mod build_progress;
pub mod carried;
pub mod checked_images;
pub mod choices;
pub mod completion;
pub mod config;
pub mod config_trust;
pub mod dry_run;
pub mod exec;
pub mod forward;
pub mod image;
pub mod keys;
pub mod launch;
pub mod lock;
pub mod man;
pub mod old_home;
pub mod run;
pub mod settle;
pub mod subscription;
pub mod target;
pub mod trust;
pub mod version;
