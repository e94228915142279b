//! Which built-in image a project seems to want, by the names in its folder.
//!
//! Names alone count, and nothing is opened: a link, or a file of somebody else's, is a name like any other. So the worst
//! that a repository can do by this is to have one of the built-in images built.

use std::path::Path;

use crate::variant::Variant;

/// A variant, and the name that spoke for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// The variant.
    pub variant: Variant,
    /// The file or folder.
    pub name: &'static str,
}

/// Names and what they speak for; the first that is there decides.
const SIGNS: [(&str, Variant); 16] = [
    ("go.mod", Variant::Go),
    ("go.sum", Variant::Go),
    ("Cargo.toml", Variant::Full),
    ("Cargo.lock", Variant::Full),
    ("package.json", Variant::Base),
    ("requirements.txt", Variant::Base),
    ("pyproject.toml", Variant::Base),
    ("Pipfile", Variant::Base),
    ("pom.xml", Variant::Full),
    ("build.gradle", Variant::Full),
    ("build.gradle.kts", Variant::Full),
    ("helm", Variant::K8s),
    ("k8s", Variant::K8s),
    ("kubernetes", Variant::K8s),
    (".aws", Variant::Cloud),
    ("terraform", Variant::Cloud),
];

/// What the names in a project's folder speak for.
pub fn detect(root: &Path) -> Option<Detected> {
    detect_by(|name| root.join(name).symlink_metadata().is_ok())
}

fn detect_by(is_there: impl Fn(&str) -> bool) -> Option<Detected> {
    let (name, variant) = SIGNS.into_iter().find(|(name, _)| is_there(name))?;
    Some(Detected { variant, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(names: &[&str]) -> Option<(&'static str, Variant)> {
        detect_by(|name| names.contains(&name)).map(|found| (found.name, found.variant))
    }

    #[test]
    fn the_first_sign_decides() {
        for (name, variant) in SIGNS {
            assert_eq!(detected(&[name]), Some((name, variant)));
        }
        assert_eq!(detected(&["package.json", "go.mod", "k8s"]), Some(("go.mod", Variant::Go)));
        assert_eq!(detected(&["terraform", "package.json"]), Some(("package.json", Variant::Base)));
        assert_eq!(detected(&["README.md", "Makefile", "GO.MOD"]), None);
    }

    #[test]
    fn a_name_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(detect(folder.path()), None);
        assert_eq!(detect(&folder.path().join("gone")), None);
        std::os::unix::fs::symlink("/nowhere", folder.path().join("Cargo.toml")).unwrap();
        let found = Some(Detected { variant: Variant::Full, name: "Cargo.toml" });
        assert_eq!(detect(folder.path()), found);
        std::fs::create_dir(folder.path().join("k8s")).unwrap();
        assert_eq!(detect(folder.path()), found);
    }
}
