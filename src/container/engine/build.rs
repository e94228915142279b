//! Images: looking them up and building them.
