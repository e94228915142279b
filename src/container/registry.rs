//! Which registry an image belongs to, and under which names its credentials are kept.

use std::fmt;

use crate::image_choice::ImageReference;

/// The registry of references that name none.
const DOCKER_HUB: &str = "docker.io";
/// The name that credentials for it are kept under, for reasons of history.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";
/// Other names it goes by in files of credentials.
const DOCKER_HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// A registry, by the name people log in to it with: `docker.io`, `ghcr.io`, `localhost:5000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry(String);

/// An image as a registry is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The registry.
    pub registry: Registry,
    /// The name of the image in full, without tag and digest: `docker.io/library/debian`.
    pub repository: String,
    /// The name as it was given, without tag and digest.
    pub name: String,
    /// The digest, else the tag, else `latest`: an engine that is told none fetches all of them.
    pub version: String,
}

impl Remote {
    /// Takes a reference apart. One with a tag and a digest means the digest.
    pub fn of(reference: &ImageReference) -> Self {
        let (rest, digest) = match reference.as_str().split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference.as_str(), None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if is_host(host) => (Registry::named(host).0, path.to_owned()),
            Some(_) => (DOCKER_HUB.to_owned(), name.to_owned()),
            None => (DOCKER_HUB.to_owned(), format!("library/{name}")),
        };
        Self {
            repository: format!("{host}/{path}"),
            registry: Registry(host),
            name: name.to_owned(),
            version: digest.or(tag).unwrap_or("latest").to_owned(),
        }
    }

    /// How well a key in a file of credentials fits this image: the length of what they share, none where the key is for
    /// another place. Docker's keys are registries, some written as URLs; Podman's may go on with a part of the name.
    pub fn fits(&self, key: &str) -> Option<usize> {
        let (key, is_url) = match key.split_once("://") {
            Some((_, rest)) => (rest, true),
            None => (key, false),
        };
        let (host, path) = key.split_once('/').unwrap_or((key, ""));
        let host = Registry::named(host).0;
        // The path of a URL says which version of the protocol it was, as do these.
        let path = if is_url || ["v1", "v2"].contains(&path.trim_end_matches('/')) { "" } else { path };
        let place = format!("{host}/{path}");
        let place = place.trim_end_matches('/');
        let rest = self.repository.strip_prefix(place)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(place.len())
    }
}

impl Registry {
    /// A registry by any of its names.
    fn named(host: &str) -> Self {
        Self(if DOCKER_HUB_ALIASES.contains(&host) { DOCKER_HUB } else { host }.to_owned())
    }

    /// The name that `docker login` takes.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name that credentials are kept under.
    pub fn server(&self) -> &str {
        if self.0 == DOCKER_HUB { DOCKER_HUB_SERVER } else { &self.0 }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the first part of a name is a registry's address: the engines' own rule.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':'])
}

/// Whether a reference says which registry it is of.
pub fn names_a_registry(reference: &ImageReference) -> bool {
    reference.as_str().split_once('/').is_some_and(|(host, _)| is_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_choice::ImageChoice;
    use proptest::prelude::*;

    fn remote(reference: &str) -> Remote {
        Remote::of(&reference.parse().unwrap())
    }

    #[test]
    fn references_are_taken_apart_as_the_engines_do_it() {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        for (reference, registry, repository, name, version) in [
            ("debian", "docker.io", "docker.io/library/debian", "debian", "latest"),
            ("debian:12", "docker.io", "docker.io/library/debian", "debian", "12"),
            ("acme/tools:1", "docker.io", "docker.io/acme/tools", "acme/tools", "1"),
            ("docker.io/acme/tools", "docker.io", "docker.io/acme/tools", "docker.io/acme/tools", "latest"),
            ("index.docker.io/a/b", "docker.io", "docker.io/a/b", "index.docker.io/a/b", "latest"),
            ("ghcr.io/x/y:latest", "ghcr.io", "ghcr.io/x/y", "ghcr.io/x/y", "latest"),
            ("localhost:5000/i", "localhost:5000", "localhost:5000/i", "localhost:5000/i", "latest"),
            ("localhost/i:2", "localhost", "localhost/i", "localhost/i", "2"),
            (&format!("reg:443/n/i:t@{digest}"), "reg:443", "reg:443/n/i", "reg:443/n/i", &digest),
        ] {
            let found = remote(reference);
            assert_eq!(
                (found.registry.name(), &*found.repository, &*found.name, &*found.version),
                (registry, repository, name, version)
            );
        }
        assert!(names_a_registry(&"localhost/i".parse().unwrap()));
        assert!(!names_a_registry(&"acme/tools".parse().unwrap()));
    }

    #[test]
    fn docker_hub_is_kept_under_its_old_name() {
        assert_eq!(remote("debian").registry.server(), "https://index.docker.io/v1/");
        assert_eq!(remote("reg:443/i").registry.server(), "reg:443");
    }

    #[test]
    fn keys_fit_their_registry_and_no_other() {
        for (reference, key, fits) in [
            ("debian", "https://index.docker.io/v1/", true),
            ("debian", "docker.io", true),
            ("debian", "ghcr.io", false),
            ("ghcr.io/acme/tools", "ghcr.io", true),
            ("ghcr.io/acme/tools", "https://ghcr.io", true),
            ("ghcr.io/acme/tools", "https://ghcr.io/v2/", true),
            ("ghcr.io/acme/tools", "ghcr.io/v2", true),
            ("ghcr.io/acme/tools", "ghcr.io/acme", true),
            ("ghcr.io/acme/tools", "ghcr.io/acme/tools", true),
            ("ghcr.io/acme/tools", "ghcr.io/acme/to", false),
            ("ghcr.io/acme/tools", "ghcr.io/other", false),
            ("ghcr.io/acme/tools", "cr.io", false),
            ("ghcr.io/acme/tools", "ghcr.io.example", false),
            ("reg:443/i", "reg", false),
            ("reg:443/i", "reg:443", true),
            ("reg:443/i", "", false),
        ] {
            assert_eq!(remote(reference).fits(key).is_some(), fits, "{reference} {key}");
        }
        let image = remote("ghcr.io/acme/tools");
        assert!(image.fits("ghcr.io/acme") > image.fits("ghcr.io"), "the nearer one wins");
    }

    proptest! {
        #[test]
        fn a_key_never_fits_another_registry(
            one in "[a-z]{1,6}[.][a-z]{2,4}(:[1-9][0-9]{2})?",
            two in "[a-z]{1,6}[.][a-z]{2,4}(:[1-9][0-9]{2})?",
        ) {
            let image = format!("{one}/acme/tools:1");
            let ImageChoice::Custom(reference) = image.parse().unwrap() else { unreachable!() };
            let remote = Remote::of(&reference);
            prop_assert!(remote.fits(&one).is_some());
            prop_assert_eq!(remote.fits(&two).is_some(), one == two);
        }
    }
}
