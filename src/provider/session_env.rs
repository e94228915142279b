//! session_env
