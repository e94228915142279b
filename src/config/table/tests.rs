use std::collections::BTreeSet;
use std::path::Path;

use super::super::file::{ACCOUNT_KEYS, CHOICES_KEYS, USER_KEYS, user_file};
use super::super::limits::Pids;
use super::super::{Layer, Source, Values, resolve, vars};
use super::*;
use crate::host::Host;

/// A value that every key of the kind takes, and that is no default.
fn sample(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "true",
        Kind::EnvMode => "container",
        Kind::Image => "ubuntu:24.04",
        Kind::Name | Kind::Text | Kind::Variables => "x",
        Kind::Duration => "90s",
        Kind::Cpus => "1.5",
        Kind::Memory => "4g",
        Kind::Pids => "9",
        Kind::Mounts => "[~/x]",
        Kind::AgentSocket => "/a",
        Kind::Engine => "podman",
        Kind::Registry => "ghcr.io/acme",
        Kind::ClaudeVersion => "2.1.300",
        Kind::Path => "/ca.pem",
    }
}

#[test]
fn the_files_have_the_keys_of_the_table_and_no_others() {
    let in_files = |keys: &Keys| -> BTreeSet<String> { leaves(keys).into_iter().collect() };
    let in_table = |valid_in: &[&str]| -> BTreeSet<String> {
        let keys = all().filter(|key| valid_in.contains(&key.valid_in));
        let path = |path: &str| path.replace("{name}", "*").replace("{hash}", "*");
        keys.flat_map(|key| [Some(path(key.path)), key.alias.map(str::to_owned)]).flatten().collect()
    };
    let [account, user] = ["project, your `config.yaml`", "your `config.yaml`"];
    assert_eq!(in_files(&CHOICES_KEYS), in_table(&[MINE, account]));
    assert_eq!(in_files(&ACCOUNT_KEYS), in_table(&[MINE, CONFIGS]));
    assert_eq!(in_files(&USER_KEYS), in_table(&[MINE, CONFIGS, account, user]));
}

#[test]
fn a_key_takes_in_a_file_what_the_table_says() {
    for leaf in leaves(&USER_KEYS) {
        let key = find(&leaf).unwrap();
        let parts: Vec<&str> = leaf.split('.').collect();
        let expected = match key.kind {
            Kind::Bool => matches!(USER_KEYS.at(&parts), Some(Keys::Bool)),
            Kind::Mounts => matches!(USER_KEYS.at(&parts), Some(Keys::List)),
            _ => matches!(USER_KEYS.at(&parts), Some(Keys::Text)),
        };
        assert!(expected, "{leaf}");
    }
}

#[test]
fn every_key_has_a_line_in_what_is_shown_and_every_default_is_right() {
    let text: String = TABLE.iter().fold(String::new(), |text, key| {
        let path = key.path.replace("{name}", "A");
        match path.split_once('.') {
            // Sections stand together in the table.
            Some((section, name)) => {
                let head = format!("{section}:\n");
                let head = if text.contains(&head) { String::new() } else { head };
                format!("{text}{head}  {name}: {}\n", sample(key.kind))
            }
            None => format!("{text}{path}: {}\n", sample(key.kind)),
        }
    });
    let values = user_file(Path::new("/h/config.yaml"), &text).unwrap().values;
    let source = Source::UserFile("/h/config.yaml".into());
    let settings = resolve(&[Layer { source, values }]);
    let shown: Vec<_> = settings.entries().into_iter().map(|entry| entry.key).collect();
    let paths = TABLE.iter().map(|key| key.path.replace("{name}", "A"));
    // The account is resolved before the layers.
    assert_eq!(shown, paths.filter(|path| path != "account").collect::<Vec<_>>());

    for entry in resolve(&[]).entries() {
        assert_eq!(
            find(&entry.key).unwrap().default,
            Default::Value(&*entry.value.clone().leak()),
            "{}",
            entry.key
        );
    }
    let pids = Pids::DEFAULT.to_string();
    assert_eq!(find("limits.pids").unwrap().default, Default::Value(&*pids.leak()));
}

#[test]
fn the_variables_of_the_table_are_read_and_in_the_help() {
    for key in &TABLE {
        for name in key.variables() {
            let host = Host::new("/home/alice", "/work", [(name.clone(), sample(key.kind).to_owned())]);
            let read =
                vars::values(&host).unwrap() != Values::default() || vars::account(&host).unwrap().is_some();
            assert!(read && vars::help().contains(&name), "{name}");
        }
    }
}

#[test]
fn a_key_is_found_by_its_path_and_its_other_name() {
    assert_eq!(find("image").unwrap().path, "variant");
    assert_eq!(find("env.FOO").unwrap().path, "env.{name}");
    assert_eq!(find("projects.76a2e845.account").unwrap().path, "projects.{hash}.account");
    for unknown in ["", "llm", "env", "env.", "llm.provider.x"] {
        assert!(find(unknown).is_none(), "{unknown}");
    }
    assert_eq!(find("llm.env").unwrap().words(), ["session", "container"]);
    assert!(paths().any(|path| path == "env."));
}

/// With `UPDATE_DOCS` the documentation is written anew instead of compared.
#[test]
fn the_reference_in_the_documentation_is_generated() {
    const BEGIN: &str = "<!-- keys:begin (generated: make docs-generated) -->\n\n";
    const END: &str = "\n<!-- keys:end -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the mark of the beginning is there");
    let (found, after) = rest.split_once(END).expect("the mark of the end is there");
    let table = markdown();
    if found == table {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, [before, BEGIN, &table, END, after].concat()).unwrap();
        return;
    }
    panic!(
        "the table of keys in docs/configuration.md is not the code's: `make docs-generated` writes it anew"
    );
}
