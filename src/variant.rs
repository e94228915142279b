//! The names of the built-in images. What an image is made of is the matter of `container::image`.

use std::fmt;
use std::str::FromStr;

/// The variants to come: names of their own already, so that none is taken for an image of the user's.
const LATER: [&str; 4] = ["go", "full", "cloud", "k8s"];

/// A built-in image: a stage of the Dockerfile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Claude Code and the tools it leans on.
    #[default]
    Base,
}

/// Why a name is no variant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VariantError {
    /// A built-in variant of a later version.
    #[error("the variant `{0}` is not in this version yet")]
    Later(String),
    /// Any other name. It may come from a repository's file, which must not reach the terminal unescaped.
    #[error("`{}` is not a built-in variant", .0.escape_debug())]
    NotBuiltIn(String),
}

impl VariantError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let names = Variant::ALL.map(|variant| format!("`{variant}`")).join(", ");
        let rest = match self {
            Self::Later(_) => "; say so, name an image of your own by its reference, or leave it out",
            Self::NotBuiltIn(_) => "",
        };
        Some(format!("this version has: {names}{rest}"))
    }
}

impl Variant {
    /// Every variant of this version.
    pub const ALL: [Self; 1] = [Self::Base];

    /// The variant's name: the user's word for it, and the Dockerfile's stage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = VariantError;

    fn from_str(name: &str) -> Result<Self, VariantError> {
        match Self::ALL.into_iter().find(|variant| variant.name() == name) {
            Some(variant) => Ok(variant),
            None if LATER.contains(&name) => Err(VariantError::Later(name.to_owned())),
            None => Err(VariantError::NotBuiltIn(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_variants_later_ones_or_none_of_ours() {
        assert_eq!("base".parse(), Ok(Variant::Base));
        for later in ["go", "full", "cloud", "k8s"] {
            assert_eq!(later.parse::<Variant>(), Err(VariantError::Later(later.to_owned())));
        }
        for other in ["", "Base", "ubuntu:22.04", "base "] {
            assert_eq!(other.parse::<Variant>(), Err(VariantError::NotBuiltIn(other.to_owned())));
        }
        let hostile = "\u{1b}[2J".parse::<Variant>().unwrap_err().to_string();
        assert!(!hostile.contains(char::is_control), "{hostile:?}");
    }
}
