//! LLM backends: what is known of them, the user's keys for them, and what a session gets to talk to them.

pub mod base_url;
pub mod catalog;
pub mod check;
pub mod credential_files;
pub mod credentials;
pub mod env_file;
pub mod login;
pub mod session_env;
pub mod setup;
pub mod user_env;
pub mod variables;
