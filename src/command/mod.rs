//! The commands: one file each, with the arguments (whose doc comments are the help) and a function that does it.
//!
//! `run` and `exec` share `choices` (the flags that choose), `target` (what they resolve to), `trust`, `old_home`, `keys`,
//! `settle` (all that comes before the container), `image` (the image before a container, with what belongs to it in a folder)
//! and `launch` (the running container). `info`, `doctor` and their like share `about` (the flags of who only looks).
//!
//! `config` has its subcommands in a folder, and with them what others use too: `config::sources` (what the layers say, which
//! `target` goes by), `config::scope` (which file is meant), `config::examine` (what is wrong with one) and
//! `config::choice_file` (changing one, as the remembering flags do); `provider_rows` changes `providers.yaml`.
//!
//! `list`, `stop`, `logs` and `clean` share `open_home` (whose home, which engine) and `survey` (what there is).

pub mod about;
pub mod ask;
pub mod backend;
pub mod build;
pub mod carried;
pub mod choices;
pub mod clean;
pub mod completion;
pub mod config;
pub mod doctor;
pub mod editor;
pub mod exec;
pub mod forward;
pub mod gateway;
pub mod gateway_serve;
pub mod image;
pub mod info;
pub mod keys;
pub mod launch;
pub mod list;
pub mod llm;
pub mod lock;
pub mod logs;
pub mod man;
pub mod occupied;
pub mod old_home;
pub mod open_home;
pub mod provider_rows;
pub mod run;
pub mod settle;
pub mod shell;
pub mod stop;
pub mod subscription;
pub mod survey;
pub mod target;
pub mod trust;
pub mod version;
