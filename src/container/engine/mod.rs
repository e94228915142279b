//! The container engine, Docker or Podman, through its HTTP API.
//!
//! This folder is the only importer of bollard: what the rest of the program knows of the engine are the types here.

pub mod build;

/// A connection to a container engine.
#[derive(Debug)]
pub struct Engine {
    docker: bollard::Docker,
}
