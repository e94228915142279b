use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::config::file::CHOICES_KEYS;
use crate::config::yaml::Document;

const PATH: &str = "/p/.claude-reactor";

fn converted(text: &str) -> Converted {
    to_yaml(Path::new(PATH), text).unwrap().unwrap_or_else(|| panic!("{text:?} is not of the old form"))
}

/// What the YAML says.
fn read(yaml: &str) -> BTreeMap<String, Option<String>> {
    #[derive(serde::Deserialize)]
    struct All(BTreeMap<String, Option<String>>);
    let document = Document::parse(Path::new(PATH), yaml, &CHOICES_KEYS);
    let document = document.unwrap_or_else(|error| panic!("{yaml:?}: {error}"));
    document.read::<All>().unwrap_or_else(|error| panic!("{yaml:?}: {error}")).0
}

/// What the old tools understood.
fn model(text: &str) -> BTreeMap<String, Option<String>> {
    let mut values = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let value = match kind(key) {
            Some(Kind::Flag) => Some((value == "true").to_string()),
            Some(Kind::Text) => (!value.is_empty()).then(|| value.to_owned()),
            _ => continue,
        };
        values.insert(key.to_owned(), value);
    }
    values
}

#[test]
fn every_line_becomes_a_line() {
    let text = "# mine\nvariant=base\n\n  danger = true  \naccount=\nvariant=a b # c\ncontainer_id=0a1b\ntheme=dark\nhello\n";
    let Converted { yaml, warnings } = converted(text);
    assert_eq!(
        yaml,
        "# mine\n# variant=base\n\ndanger: true\naccount:\nvariant: \"a b # c\"\n# container_id=0a1b\n# theme=dark\n# hello\n"
    );
    assert_eq!(
        warnings,
        [
            "/p/.claude-reactor:8: `theme` is no key of the old key=value form; the line is ignored",
            "/p/.claude-reactor:9: neither key=value nor a comment; the line is ignored",
        ]
    );
}

#[test]
fn the_variants_of_earlier_versions_are_those_of_this_one() {
    for variant in ["base", "go", "full", "cloud", "k8s"] {
        let Converted { yaml, warnings } = converted(&format!(" variant = {variant} \n"));
        assert_eq!((yaml, warnings), (format!("variant: {variant}\n"), vec![]));
        assert!(variant.parse::<crate::variant::Variant>().is_ok());
    }
}

#[test]
fn only_true_is_true() {
    for (value, flag) in
        [("true", true), ("True", false), ("1", false), ("yes", false), ("", false), ("true # x", false)]
    {
        assert_eq!(converted(&format!("danger={value}")).yaml, format!("danger: {flag}\n"));
    }
}

#[test]
fn a_text_that_yaml_would_take_for_something_else_gets_quotes() {
    for value in [
        "true",
        "null",
        "~",
        "1e3",
        "0",
        "[a]",
        "a: b",
        "- a",
        "a\"b\\",
        "é\u{2028}\u{7}",
        "*a",
        "#a",
        "a #b",
        "@x",
        "0x1F",
    ] {
        let yaml = converted(&format!("account={value}")).yaml;
        assert_eq!(read(&yaml)["account"].as_deref(), Some(value), "{yaml:?}");
    }
    assert_eq!(converted("variant=ghcr.io/x/y:latest\r\n").yaml, "variant: ghcr.io/x/y:latest\n");
}

#[test]
fn yaml_is_not_of_the_old_form() {
    for yaml in [
        "",
        "\n# only this, a=b\n",
        "variant: base\n",
        "variant : a=b\n",
        "llm:\n  model: a=b\n",
        "{variant: a=b}\n",
        "{danger=true}",
        "---\nvariant: base\n",
        "%YAML 1.2\n---\nvariant: base\n",
        "\"variant\": a=b\n",
        "? variant\n: a=b\n",
        "&a\nvariant: a=b\n",
        "- a=b\n",
        "variant:\n",
        "variant:\nx=y\n",
        "just a text\n",
    ] {
        assert!(!is_legacy(yaml), "{yaml:?}");
        assert_eq!(to_yaml(Path::new(PATH), yaml).unwrap(), None);
    }
    for old in
        ["a=", "\u{feff}# x\n\n\tvariant=a: b", "garbage\nvariant = go", "variant==", "danger=true\r\n"]
    {
        assert!(is_legacy(old), "{old:?}");
    }
}

#[test]
fn a_line_of_yaml_in_the_old_form_is_not_ignored() {
    for text in
        ["variant=base\nllm:\n  provider: zai\n", "danger=true\nvariant: go\n", "a=b\n{danger: true}\n"]
    {
        let error = to_yaml(Path::new(PATH), text).unwrap_err();
        let wanted = "/p/.claude-reactor:2: a line of YAML in a file of the old key=value form";
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn not_every_one_of_many_lines_is_named() {
    let text = (0..100).fold(String::new(), |text, index| text + &format!("key{index}=x\n"));
    let warnings = converted(&text).warnings;
    assert_eq!(warnings.len(), MOST_WARNINGS + 1);
    assert_eq!(warnings.last().unwrap(), "/p/.claude-reactor: 95 more such lines");
}

proptest! {
    #[test]
    fn what_the_old_tools_understood_is_what_the_yaml_says(
        lines in proptest::collection::vec(
            prop_oneof![
                ("(variant|account|danger|ssh_agent|ssh_agent_socket|theme|last_session_id)", " ?= ?", r"(true|[ -~]{0,12}|[^\r\n]{0,8})")
                    .prop_map(|(key, equals, value)| format!("{key}{equals}{value}")),
                "variant=(go|full|cloud|k8s|base)",
                r"[ \t]{0,2}#[^\r\n]{0,12}",
                "[ \t]{0,3}",
                "[a-z ]{0,6}",
            ],
            1..8,
        ),
    ) {
        let text = lines.join("\n");
        prop_assume!(is_legacy(&text));
        let Ok(Some(Converted { yaml, .. })) = to_yaml(Path::new(PATH), &text) else { return Ok(()) };
        prop_assert_eq!(yaml.lines().count(), text.lines().count());
        prop_assert_eq!(read(&yaml), model(&text), "{:?}", yaml);
        prop_assert!(!is_legacy(&yaml), "{:?}", yaml);
    }

    #[test]
    fn any_text_is_taken_without_a_panic(text in any::<String>()) {
        let _ = to_yaml(Path::new(PATH), &text);
    }
}
