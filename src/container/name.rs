//! What a container is called, and the labels it is found by.
//!
//! The name is for people; identity is in the labels, because two identities can make the same name: account `bob` on
//! `zai`, and account `bob-zai` on `claude`; and because two users of one engine, each with a home of their own for
//! claude-reactor, can have the same account in the same project.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::registry::Remote;
use crate::digest::hex;
use crate::image_choice::ImageChoice;
use crate::name::{AccountName, ProviderId};
use crate::project::Project;

/// The prefix of every label of ours, as Docker asks for: a reversed domain.
pub const LABEL_PREFIX: &str = "dev.claude-reactor.";

/// How much of an image's name a container's shows, in characters.
const LONGEST_SLUG: usize = 30;

/// Whom a container belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The project's root.
    pub project: String,
    /// The project's hash.
    pub hash: String,
    /// The account.
    pub account: AccountName,
    /// The image: a variant's name, or the reference of one of the user's.
    pub image: ImageChoice,
    /// The LLM backend.
    pub provider: ProviderId,
    /// Where the account's state lies.
    pub home: Home,
}

/// One user's home of claude-reactor. An account's name says nothing outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its folder.
    pub path: String,
    /// Whose it is: two users may reach different folders by one path.
    pub uid: u32,
}

impl Home {
    /// A user's home of claude-reactor.
    pub fn new(path: &Path, uid: u32) -> Self {
        Self { path: path.to_string_lossy().into_owned(), uid }
    }

    /// 16 hex digits that no other home has: a label is for comparing, and the path is among the mounts anyway.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(format!("{}\0{}", self.uid, self.path))[..8])
    }
}

impl Identity {
    /// The identity of a project's container.
    pub fn new(
        project: &Project,
        account: &AccountName,
        image: &ImageChoice,
        provider: &ProviderId,
        home: Home,
    ) -> Self {
        Self {
            project: project.root().to_owned(),
            hash: project.hash().to_owned(),
            account: account.clone(),
            image: image.clone(),
            provider: provider.clone(),
            home,
        }
    }

    /// The same with another image.
    #[must_use]
    pub fn with_image(&self, image: ImageChoice) -> Self {
        Self { image, ..self.clone() }
    }

    /// The labels that no other container has.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels_of_any_home();
        labels.insert(home_label(), self.home.digest());
        labels
    }

    /// The labels that it shares with the same project, account and provider of another home. Containers of versions
    /// that did not tell homes apart have no others.
    pub fn labels_of_any_home(&self) -> BTreeMap<String, String> {
        let image = self.image.to_string();
        [
            ("project", self.project.as_str()),
            ("account", self.account.as_str()),
            ("provider", self.provider.as_str()),
            ("variant", image.as_str()),
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
        let Self { hash, account, image, provider, .. } = self;
        let name = format!("claude-reactor-{}-{}-{hash}-{account}", slug(image), architecture());
        if provider.is_claude() { name } else { format!("{name}-{provider}") }
    }

    /// The names to try, in order: the usual one, and what to take where another container has it. The digest in them
    /// is of what the usual name does not tell apart.
    pub fn container_names(&self) -> [String; 3] {
        let usual = self.container_name();
        let digest = format!("{}\0{}\0{}", self.account, self.provider, self.home.digest());
        let digest = hex(&Sha256::digest(digest));
        let with = |length: usize| format!("{usual}-{}", &digest[..length]);
        [usual.clone(), with(6), with(16)]
    }
}

/// The label that holds the digest of the home.
pub fn home_label() -> String {
    format!("{LABEL_PREFIX}home")
}

/// The image in a name of a container or a file: the variant's, or the last part of the reference's name and a short hash
/// of the reference, which holds characters that are not allowed there.
pub fn slug(image: &ImageChoice) -> String {
    let ImageChoice::Custom(reference) = image else { return image.to_string() };
    let name = Remote::of(reference).name;
    let last: String = name.rsplit('/').next().unwrap_or_default().chars().take(LONGEST_SLUG).collect();
    format!("{last}-{}", &hex(&Sha256::digest(reference.as_str()))[..6])
}

/// The machine's architecture in the engines' words.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::container) fn identity(account: &str, provider: &str, home: &str) -> Identity {
        let project = Project::at(Path::new("/test/project")).unwrap();
        let (account, provider) = (account.parse().unwrap(), provider.parse().unwrap());
        Identity::new(
            &project,
            &account,
            &ImageChoice::default(),
            &provider,
            Home::new(Path::new(home), 1000),
        )
    }

    #[test]
    fn claude_is_not_named_and_others_are() {
        let arch = architecture();
        let name = |provider| identity("alice", provider, "/h").container_name();
        assert_eq!(name("claude"), format!("claude-reactor-base-{arch}-43ac6f58-alice"));
        assert_eq!(name("zai"), format!("claude-reactor-base-{arch}-43ac6f58-alice-zai"));
    }

    #[test]
    fn a_home_is_its_path_and_its_user() {
        let digest = |path, uid| Home::new(Path::new(path), uid).digest();
        assert_eq!(digest("/home/a", 1000), digest("/home/a", 1000));
        assert_ne!(digest("/home/a", 1000), digest("/home/a", 1001));
        assert_ne!(digest("/home/a", 1000), digest("/home/b", 1000));
        // No digit of one can be taken for the other's.
        assert_ne!(digest("1/a", 1), digest("/a", 11));
    }

    #[test]
    fn an_image_of_the_users_has_a_slug_and_a_hash() {
        let of = |image: &str| {
            let project = Project::at(Path::new("/test/project")).unwrap();
            let image = image.parse().unwrap();
            let home = Home::new(Path::new("/h"), 1000);
            Identity::new(&project, &"alice".parse().unwrap(), &image, &ProviderId::claude(), home)
        };
        let tools = of("ghcr.io/acme/my-tools:1.2");
        assert_eq!(tools.labels()["dev.claude-reactor.variant"], "ghcr.io/acme/my-tools:1.2");
        let name = tools.container_name();
        assert!(name.starts_with("claude-reactor-my-tools-") && name.ends_with("-43ac6f58-alice"), "{name}");
        let others = ["ghcr.io/acme/my-tools:1.3", "my-tools:1.2", "ghcr.io/acme/my-tools"];
        assert!(others.iter().all(|other| of(other).container_name() != name));
        let digest = format!("reg:443/a__b@sha256:{}", "0".repeat(64));
        for image in [
            digest.as_str(),
            "base-x",
            &"a/".repeat(100).replace("a/a", "a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")[..199],
        ] {
            let name = of(image.trim_end_matches('/')).container_name();
            assert!(
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) && name.len() < 120,
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn names_are_what_an_engine_takes(account in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", provider in "[a-z0-9][a-z0-9._-]{0,20}") {
            prop_assume!(account.parse::<AccountName>().is_ok());
            for name in identity(&account, &provider, "/a b/ü").container_names() {
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
                prop_assert!(name.starts_with("claude-reactor-"));
            }
        }

        #[test]
        fn two_identities_share_the_usual_name_at_most(
            one in ("[a-c-]{1,4}", "[a-c-]{1,4}", "[ab]"),
            two in ("[a-c-]{1,4}", "[a-c-]{1,4}", "[ab]"),
        ) {
            let parse = |(account, provider, home): &(String, String, String)| {
                identity(&format!("x{account}"), &format!("x{provider}"), &format!("/{home}"))
            };
            let (one, two) = (parse(&one), parse(&two));
            prop_assume!(one != two);
            for (of_one, of_two) in one.container_names().iter().zip(two.container_names()).skip(1) {
                prop_assert_ne!(of_one, &of_two);
            }
            prop_assert_ne!(one.labels(), two.labels());
        }

        #[test]
        fn the_same_identity_has_the_same_names_and_labels(account in "[a-z]{1,8}", home in "/[a-z/]{0,8}") {
            let (one, two) = (identity(&account, "zai", &home), identity(&account, "zai", &home));
            prop_assert_eq!(one.container_names(), two.container_names());
            prop_assert_eq!(one.labels(), two.labels());
            let names = one.container_names();
            prop_assert!(names[0] != names[1] && names[1] != names[2]);
        }
    }
}
