//! Process tests without an engine: every command runs in a home and an environment of its own.
//!
//! One file a topic. Where a command has all it needs, it gets as far as the engine and ends with 125, which is how a
//! test here sees that everything before was in order.

#[path = "../support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of what both stand on")]
mod support;

mod cloud_modes;
mod common;
mod harness;

mod build;
mod clean;
mod completion;
mod config_files;
mod config_set;
mod config_show;
mod config_validate;
mod doctor;
mod earlier_versions;
mod env_files;
mod first_time;
mod forwarding;
mod gateway;
mod given_keys;
mod help;
mod imports;
mod info;
mod key_check;
mod layers;
mod list;
mod llm_add;
mod llm_list;
mod llm_test;
mod manual;
mod mounts;
mod names;
mod new_provider;
mod no_engine;
mod old_choices;
mod old_homes;
mod projects;
mod prompted_keys;
mod providers;
mod quiet;
mod remembered;
mod ssh_engines;
mod stored_keys;
mod subscription;
mod troubleshooting;
mod trust;
