//! Configuration: the files, their layers, and where each value came from.

pub mod yaml;
