//! Files and folders that only their owner can read.
