//! The built-in images: what is in them, which one a project gets, and the ways they come and go.

mod build;
mod detection;
mod registry;
mod variants;

use std::time::Duration;

/// Far more than the longest build takes.
const BUILD: Duration = Duration::from_secs(3600);
