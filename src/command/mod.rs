//! The commands: one file each, with the arguments (whose doc comments are the help) and a function that does it.
//!
//! `run` and `exec` share `choices` (the flags that choose), `target` (what they resolve to), `trust`, `old_home`, `keys`,
//! `settle` (all that comes before the container), `image` and `launch` (the running container). The `config` commands share
//! `sources` (what the layers say, which `target` goes by too), `scope` (which file is meant), `examined` (what is wrong with
//! one) and `choice_file` (changing one, as the remembering flags do). `list`, `stop`, `logs` and `clean` share `place`
//! (whose home, which engine) and `survey` (what there is).

pub mod about;
pub mod ask;
pub mod backend;
pub mod build;
pub mod build_progress;
pub mod built_in;
pub mod carried;
pub mod checked_images;
pub mod choice_file;
pub mod choices;
pub mod clean;
pub mod completion;
pub mod config;
pub mod config_edit;
pub mod config_get;
pub mod config_path;
pub mod config_schema;
pub mod config_set;
pub mod config_show;
pub mod config_trust;
pub mod config_unset;
pub mod config_validate;
pub mod config_values;
pub mod doctor;
pub mod dry_run;
pub mod editor;
pub mod examined;
pub mod exec;
pub mod forward;
pub mod gateway;
pub mod gateway_serve;
pub mod image;
pub mod info;
pub mod kept_claude_version;
pub mod kept_variant;
pub mod keys;
pub mod launch;
pub mod list;
pub mod llm;
pub mod lock;
pub mod logs;
pub mod man;
pub mod notices;
pub mod occupied;
pub mod old_home;
pub mod place;
pub mod rows;
pub mod run;
pub mod schema_file;
pub mod scope;
pub mod settle;
pub mod shell;
pub mod sources;
pub mod stop;
pub mod subscription;
pub mod survey;
pub mod target;
pub mod trust;
pub mod version;
