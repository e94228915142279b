//! The names of the built-in images. What an image is made of is the matter of `container::image`.

use std::fmt;
use std::str::FromStr;

/// A built-in image: a stage of the Dockerfile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Claude Code and the tools it leans on.
    #[default]
    Base,
    /// Go, with its language server, its debugger and a C compiler.
    Go,
    /// Go, Rust, Java, Node, Python, C and C++, and the clients of two databases.
    Full,
    /// The full one with the clouds' command lines.
    Cloud,
    /// The full one with Kubernetes' command lines.
    K8s,
}

/// A name that is no variant's. It may come from a repository's file, which must not reach the terminal unescaped.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not a built-in image", .0.escape_debug())]
pub struct NotBuiltIn(pub String);

impl NotBuiltIn {
    /// What to do about it.
    pub fn hint(&self) -> String {
        format!("the built-in images are {}", Variant::list())
    }
}

impl Variant {
    /// Every variant, the smaller before those made from it.
    pub const ALL: [Self; 5] = [Self::Base, Self::Go, Self::Full, Self::Cloud, Self::K8s];

    /// The variant's name: the user's word for it, and the Dockerfile's stage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Go => "go",
            Self::Full => "full",
            Self::Cloud => "cloud",
            Self::K8s => "k8s",
        }
    }

    /// Every name, for a message.
    pub fn list() -> String {
        Self::ALL.map(|variant| format!("`{variant}`")).join(", ")
    }

    /// How large its image is about, in bytes, as measured (docs/images.md): what somebody wants to know before it is built.
    pub fn size(self) -> u64 {
        match self {
            Self::Base => 575_000_000,
            Self::Go => 1_060_000_000,
            Self::Full => 2_290_000_000,
            Self::Cloud => 3_920_000_000,
            Self::K8s => 2_400_000_000,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = NotBuiltIn;

    fn from_str(name: &str) -> Result<Self, NotBuiltIn> {
        let found = Self::ALL.into_iter().find(|variant| variant.name() == name);
        found.ok_or_else(|| NotBuiltIn(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_variants_or_none_of_ours() {
        for variant in Variant::ALL {
            assert_eq!(variant.name().parse(), Ok(variant));
        }
        for other in ["", "Base", "ubuntu:22.04", "base ", "latest"] {
            assert_eq!(other.parse::<Variant>(), Err(NotBuiltIn(other.to_owned())));
        }
        let hostile = "\u{1b}[2J".parse::<Variant>().unwrap_err().to_string();
        assert!(!hostile.contains(char::is_control), "{hostile:?}");
    }
}
