//! The built-in images: variants, tags, the build context and its progress.
