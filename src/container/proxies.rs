//! The caller's HTTP proxies, as variables for a build.

use std::collections::BTreeMap;
use std::fmt;

use crate::host::Host;

const VARIABLES: [(&str, &str); 3] =
    [("HTTP_PROXY", "http_proxy"), ("HTTPS_PROXY", "https_proxy"), ("NO_PROXY", "no_proxy")];

/// The proxies the caller's environment names.
///
/// Under both spellings, whichever of them the caller set: apt reads the small one of `http_proxy` only, other tools the
/// large one of the rest. Engines know these names as build arguments that no Dockerfile declares, and keep them out of an
/// image's history.
#[derive(Clone, Default)]
pub struct Proxies(BTreeMap<String, String>);

impl Proxies {
    /// What the caller's environment says; the small spelling wins, as it does for curl.
    pub fn from_host(host: &Host) -> Self {
        let named = VARIABLES.into_iter().filter_map(|(large, small)| {
            let value = host.var(small).or_else(|| host.var(large))?;
            Some([large, small].map(|name| (name.to_owned(), value.to_owned())))
        });
        Self(named.flatten().collect())
    }

    /// Names and values.
    pub fn vars(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// Names only: an address may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxies").field(&self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Proxies {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Proxies::from_host(&Host::new("/home/alice", "/home/alice", vars))
    }

    #[test]
    fn either_spelling_sets_both() {
        let found = proxies(&[
            ("HTTPS_PROXY", "http://large:1"),
            ("https_proxy", "http://small:1"),
            ("NO_PROXY", "localhost"),
            ("http_proxy", ""),
            ("ALL_PROXY", "socks5://x"),
        ]);
        let found: Vec<_> =
            found.vars().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("HTTPS_PROXY", "http://small:1"),
                ("NO_PROXY", "localhost"),
                ("https_proxy", "http://small:1"),
                ("no_proxy", "localhost"),
            ]
        );
    }

    #[test]
    fn debug_shows_names_only() {
        let shown = format!("{:?}", proxies(&[("HTTP_PROXY", "http://alice:hunter2@proxy:3128")]));
        assert!(shown.contains("http_proxy") && !shown.contains("hunter2"), "{shown}");
    }
}
