//! The commands: one file each, with the arguments (whose doc comments are the help) and a function that does it.
//!
//! `run` and `exec` share `choices` (the flags that choose), `target` (what they resolve to), `trust`, `old_home`, `keys`,
//! `settle` (all that comes before the container), `image` and `launch` (the running container). `list`, `stop`, `logs` and
//! `clean` share `place` (whose home, which engine) and `survey` (what there is).

pub mod build_progress;
pub mod carried;
pub mod checked_images;
pub mod choices;
pub mod clean;
pub mod config;
pub mod config_trust;
pub mod dry_run;
pub mod exec;
pub mod forward;
pub mod image;
pub mod keys;
pub mod launch;
pub mod list;
pub mod lock;
pub mod logs;
pub mod occupied;
pub mod old_home;
pub mod place;
pub mod run;
pub mod settle;
pub mod shell;
pub mod stop;
pub mod subscription;
pub mod survey;
pub mod target;
pub mod trust;
