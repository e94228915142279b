//! What a container is called, and the labels it is found by.
//!
//! The name is for people; identity is in the labels, because two identities can make the same name: account `bob` on
//! `zai`, and account `bob-zai` on `claude`.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::name::{AccountName, ProviderId};
use crate::project::Project;
use crate::variant::Variant;

/// The prefix of every label of ours, as Docker asks for: a reversed domain.
pub const LABEL_PREFIX: &str = "dev.claude-reactor.";

/// Whom a container belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The project's root.
    pub project: String,
    /// The project's hash.
    pub hash: String,
    /// The account.
    pub account: AccountName,
    /// The built-in image.
    pub variant: Variant,
    /// The LLM backend.
    pub provider: ProviderId,
}

impl Identity {
    /// The identity of a project's container.
    pub fn new(project: &Project, account: &AccountName, variant: Variant, provider: &ProviderId) -> Self {
        Self {
            project: project.root().to_owned(),
            hash: project.hash().to_owned(),
            account: account.clone(),
            variant,
            provider: provider.clone(),
        }
    }

    /// The labels that no other container has.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            ("project", self.project.as_str()),
            ("account", self.account.as_str()),
            ("provider", self.provider.as_str()),
            ("variant", self.variant.name()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{LABEL_PREFIX}{key}"), value.to_owned()))
        .collect()
    }

    /// Short, and different for any two identities.
    pub fn digest(&self) -> String {
        let text = self
            .labels()
            .into_iter()
            .fold(String::new(), |all, (key, value)| all + &key + "\0" + &value + "\0");
        hex(&Sha256::digest(text))[..12].to_owned()
    }

    /// The usual name: `claude-reactor-{variant}-{arch}-{hash}-{account}`, with `-{provider}` for any but `claude`.
    pub fn container_name(&self) -> String {
        let Self { hash, account, variant, provider, .. } = self;
        let name = format!("claude-reactor-{}-{}-{hash}-{account}", variant.name(), architecture());
        if provider.is_claude() { name } else { format!("{name}-{provider}") }
    }

    /// The name to take where another identity has the usual one.
    pub fn container_name_when_taken(&self) -> String {
        let digest = Sha256::digest(format!("{}\0{}", self.account, self.provider));
        format!("{}-{}", self.container_name(), &hex(&digest)[..6])
    }
}

/// The machine's architecture in the engines' words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    fn identity(account: &str, provider: &str) -> Identity {
        let project = Project::at(Path::new("/test/project")).unwrap();
        Identity::new(&project, &account.parse().unwrap(), Variant::default(), &provider.parse().unwrap())
    }

    #[test]
    fn claude_is_not_named_and_others_are() {
        let arch = architecture();
        assert_eq!(
            identity("alice", "claude").container_name(),
            format!("claude-reactor-base-{arch}-43ac6f58-alice")
        );
        assert_eq!(
            identity("alice", "zai").container_name(),
            format!("claude-reactor-base-{arch}-43ac6f58-alice-zai")
        );
    }

    proptest! {
        #[test]
        fn names_are_what_an_engine_takes(account in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", provider in "[a-z0-9][a-z0-9._-]{0,20}") {
            prop_assume!(account.parse::<AccountName>().is_ok());
            let name = identity(&account, &provider).container_name_when_taken();
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
            prop_assert!(name.starts_with("claude-reactor-"));
        }

        #[test]
        fn two_identities_never_share_both_names(
            one in ("[a-c-]{1,4}", "[a-c-]{1,4}"),
            two in ("[a-c-]{1,4}", "[a-c-]{1,4}"),
        ) {
            let parse = |(account, provider): &(String, String)| {
                let (account, provider) = (format!("x{account}"), format!("x{provider}"));
                identity(&account, &provider)
            };
            let (one, two) = (parse(&one), parse(&two));
            prop_assume!(one != two);
            prop_assert_ne!(one.container_name_when_taken(), two.container_name_when_taken());
            prop_assert_ne!(one.labels(), two.labels());
        }
    }
}
