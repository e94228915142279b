//! What the program does: one command a file.

pub mod build_progress;
