//! What holds for an edit of any document a person may have written.

use std::path::Path;

use proptest::prelude::*;
use serde_yaml::{Mapping, Value};

use super::{Document, Keys, Scalar};

static KEYS: Keys = Keys::Free;

fn document(text: &str) -> Document {
    Document::parse(Path::new("f"), text, &KEYS).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Comments and blank lines, as they stand between keys.
fn between(indent: usize) -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        "# [a-z:#é'\"\\[{ -]{0,12}".prop_map(move |comment| format!("{:indent$}{comment}", "")),
    ];
    prop::collection::vec(line, 0..3).prop_map(|lines| lines.into_iter().map(|line| line + "\n").collect())
}

/// A value as a person writes it, with what follows it in its line.
fn value(indent: usize) -> impl Strategy<Value = String> {
    let end = prop_oneof![Just(""), Just("  "), Just(" # c: 'x' [y"), Just("\t# t")];
    let scalar = prop_oneof![
        "[a-z][a-z0-9./:-]{0,8}[a-z0-9]".boxed(),
        "'[a-z #:{]{0,8}'".boxed(),
        "\"[a-z #:{é]{0,8}\"".boxed(),
        "[1-9][0-9]{0,4}".boxed(),
        prop_oneof![Just("true"), Just("~"), Just("''"), Just("1e3"), Just("[a, 'b']"), Just("[]")]
            .prop_map(str::to_owned)
            .boxed(),
    ];
    prop_oneof![
        8 => (scalar, end).prop_map(|(scalar, end)| format!(" {scalar}{end}\n")),
        1 => Just(format!(" |\n{0:1$}a # b\n\n{0:1$}c: d\n", "", indent + 2)),
        1 => Just(format!(" >-\n{0:1$}a\n{0:1$}b\n", "", indent + 2)),
        1 => Just(format!("\n{0:1$}- a # b\n{0:1$}- c\n", "", indent + 2)),
    ]
}

/// What a section holds: nothing, a flow mapping, or a block of keys from `a` to `d`.
fn section() -> impl Strategy<Value = String> {
    let block = (prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4).prop_shuffle(), 1..4_usize);
    let block = block.prop_flat_map(|(names, indent)| {
        let entries: Vec<_> = names
            .into_iter()
            .map(|name| {
                (between(indent), value(indent))
                    .prop_map(move |(before, value)| format!("{before}{:indent$}{name}:{value}", ""))
            })
            .collect();
        (entries, between(indent)).prop_map(|(entries, after)| format!("\n{}{after}", entries.concat()))
    });
    prop_oneof![
        1 => prop_oneof![Just("\n"), Just(" ~\n"), Just(" {}\n"), Just(" # c\n")].prop_map(str::to_owned),
        1 => prop_oneof![Just(" {a: 1, c: 'x # y'} # d\n"), Just(" { b: [1, 2] ,c: }\n")].prop_map(str::to_owned),
        4 => block,
    ]
}

/// Documents with the sections `s` and `t` and the plain keys `p` and `q`, or some of them.
fn text() -> impl Strategy<Value = String> {
    let names = prop::sample::subsequence(vec!["p", "s", "q", "t"], 0..=4).prop_shuffle();
    let body = names.prop_flat_map(|names| {
        names
            .into_iter()
            .map(|name| {
                let value = if matches!(name, "s" | "t") { section().boxed() } else { value(0).boxed() };
                (between(0), value).prop_map(move |(before, value)| format!("{before}{name}:{value}"))
            })
            .collect::<Vec<_>>()
    });
    let start = prop_oneof![3 => Just(""), 1 => Just("---\n"), 1 => Just("# top\n--- # start\n")];
    (start, body, between(0), any::<bool>(), any::<bool>()).prop_map(|(start, body, after, crlf, cut)| {
        let mut text = format!("{start}{}{after}", body.concat());
        // Without its line end a block text means something else, so nothing could be put after it.
        if cut && text.ends_with('\n') && !text.contains(['|', '>']) {
            text.pop();
        }
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

fn key() -> impl Strategy<Value = Vec<&'static str>> {
    let section = prop::sample::select(vec!["s", "t", "u"]);
    let name = prop::sample::select(vec!["a", "b", "c", "d", "12345678", "e f"]);
    prop_oneof![
        1 => prop::sample::select(vec!["p", "q", "r"]).prop_map(|name| vec![name]),
        3 => (section, name).prop_map(|(section, name)| vec![section, name]),
    ]
}

/// Bits of YAML in no order.
fn odd_parts() -> impl Strategy<Value = Vec<&'static str>> {
    let bits = vec![
        "s",
        "a",
        "p: ",
        "s: ",
        "s:\n  ",
        "a: ",
        ":",
        ": ",
        " ",
        "  ",
        "\n",
        "\n  ",
        "\r\n",
        "\t",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        " # ",
        "'",
        "\"",
        "&x ",
        "*x",
        "|\n",
        ">-\n",
        "? ",
        "!t ",
        "!!map ",
        "---\n",
        "...\n",
        "<<: ",
        "%YAML 1.2\n",
        "~",
        "é",
        "\u{feff}",
        "\u{85}",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(bits), 0..16)
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        prop::sample::select(vec!["0", "9", "4096", "0.5", "1.50", "007", "1e3", ".5"])
            .prop_map(|text| Scalar::Number(text.to_owned())),
        "[a-z][a-z0-9-]{0,10}".prop_map(Scalar::Text),
        "[ -~é]{0,10}".prop_map(Scalar::Text),
        any::<String>().prop_map(Scalar::Text),
        prop::sample::select(vec![
            "true", "123", "null", "~", "1e3", "a #b", "a: b", "*a", "&a", "- a", "<<", "yes"
        ])
        .prop_map(|text| Scalar::Text(text.to_owned())),
    ]
}

fn meaning(text: &str) -> Value {
    match serde_yaml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).unwrap() {
        Value::Null => Value::Mapping(Mapping::new()),
        value => value,
    }
}

/// The value the text has to have after the key was set, or taken away.
fn expected(text: &str, key: &[&str], new: Option<&Scalar>) -> Value {
    with_value(text, key, new.map(value_of))
}

fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Text(text) => Value::from(text.as_str()),
        Scalar::Bool(flag) => Value::from(*flag),
        Scalar::Number(text) => match text.as_str() {
            "0" | "9" | "4096" => Value::from(text.parse::<u64>().unwrap()),
            "0.5" => Value::from(0.5),
            text => Value::from(text),
        },
    }
}

fn with_value(text: &str, key: &[&str], new: Option<Value>) -> Value {
    let mut root = meaning(text);
    match (key, new) {
        ([name], Some(new)) => root[*name] = new,
        ([section, name], Some(new)) => root[*section][*name] = new,
        ([name], None) => drop(root.as_mapping_mut().unwrap().shift_remove(*name)),
        ([section, name], None) => {
            if let Some(held) = root.get_mut(*section).and_then(Value::as_mapping_mut)
                && held.shift_remove(*name).is_some()
                && held.is_empty()
            {
                root.as_mapping_mut().unwrap().shift_remove(*section);
            }
        }
        _ => unreachable!("keys have one part or two"),
    }
    root
}

/// The lines of `before` that are not in `after`, if the two differ in one run of lines only.
fn replaced<'t>(before: &'t str, after: &str) -> Vec<&'t str> {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[same..], &after[same..]);
    let same = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    before[..before.len() - same].to_vec()
}

/// The lines of `after` that are no lines of `before`, or stand in another order there.
fn lines_not_of<'t>(before: &str, after: &'t str) -> Vec<&'t str> {
    let mut rest = before.lines();
    let mut new = Vec::new();
    for line in after.lines() {
        let here = rest.clone();
        if !rest.any(|old| old == line) {
            new.push(line);
            rest = here;
        }
    }
    new
}

/// Whether the line ends are those of Windows, if they are all alike.
fn crlf(text: &str) -> Option<bool> {
    let (windows, all) = (text.matches("\r\n").count(), text.matches('\n').count());
    if windows == 0 { Some(false) } else { (windows == all).then_some(true) }
}

proptest! {
    #[test]
    fn a_list_is_what_it_was_set_to_and_nothing_else_changes(
        text in text(),
        key in key(),
        first in prop::collection::vec("[ -~é]{1,8}", 1..4),
        second in prop::collection::vec("[a-z~/:]{1,8}", 0..4),
    ) {
        let before = document(&text);
        let set = before.set_list(&key, &first).unwrap();
        prop_assert_eq!(set.list(&key), &first[..]);
        let again = set.set_list(&key, &second).unwrap();
        prop_assert_eq!(again.list(&key), &second[..]);
        let list = |items: &[String]| Some(Value::from(items.to_vec())).filter(|_| !items.is_empty());
        prop_assert_eq!(meaning(set.text()), with_value(&text, &key, list(&first)));
        prop_assert_eq!(meaning(again.text()), with_value(set.text(), &key, list(&second)));
    }

    #[test]
    fn setting_a_key_changes_its_line_and_its_value_only(text in text(), key in key(), scalar in scalar()) {
        let before = document(&text);
        let after = before.set(&key, &scalar).unwrap();
        prop_assert_eq!(meaning(after.text()), expected(&text, &key, Some(&scalar)));

        let touched = replaced(&text, after.text());
        match before.position(&key) {
            // Its value may have had lines of its own.
            Some(position) if !touched.is_empty() => {
                prop_assert_eq!(touched[0], text.lines().nth(position.line - 1).unwrap());
            }
            Some(_) => {}
            // A section that was empty, or is in braces, is continued in its line.
            None => prop_assert!(touched.len() <= 1, "{:?}\n{}", touched, after.text()),
        }
        for line in touched.iter().skip(1) {
            prop_assert!(line.trim_start().starts_with(['a', 'b', 'c', '-']) || line.trim().is_empty(), "{:?}", touched);
        }
        let multiline = matches!(&scalar, Scalar::Text(text) if text.contains('\n'));
        if text.contains('\n') && after.text().contains('\n') && !multiline {
            prop_assert_eq!(crlf(&text), crlf(after.text()));
        }
        let again = after.set(&key, &scalar).unwrap();
        prop_assert_eq!(again.text(), after.text());
    }

    #[test]
    fn unsetting_a_key_takes_its_lines_away_and_no_comment_line(text in text(), key in key()) {
        let after = document(&text).unset(&key).unwrap();
        prop_assert_eq!(meaning(after.text()), expected(&text, &key, None));
        prop_assert_eq!(after.position(&key), None);
        let new = lines_not_of(&text, after.text());
        // After a block text, the comments of a section that is no more would be lines of that text: they are moved to
        // the margin, or go.
        let has_block_text = text.contains(['|', '>']);
        let accounted = |line: &&str| line.contains('{') || (has_block_text && line.starts_with('#'));
        prop_assert!(new.iter().all(accounted), "{:?}\n{}", new, after.text());
        if !has_block_text {
            let comments = |text: &str| text.lines().filter(|line| line.trim().starts_with('#')).count();
            prop_assert_eq!(comments(&text), comments(after.text()), "{}", after.text());
        }
    }

    #[test]
    fn unsetting_what_was_set_restores_the_meaning(text in text(), key in key(), scalar in scalar()) {
        let restored = document(&text).set(&key, &scalar).unwrap().unset(&key).unwrap();
        let mut without = expected(&text, &key, None);
        if let [section, _] = key[..] {
            // One that was empty to begin with has gone too.
            let left = without.get(section).is_some_and(|held| held.as_mapping().is_none_or(Mapping::is_empty));
            if left {
                without.as_mapping_mut().unwrap().shift_remove(section);
            }
        }
        prop_assert_eq!(meaning(restored.text()), without);
    }

    #[test]
    fn no_text_is_too_odd_to_be_read_or_refused(parts in odd_parts(), key in key()) {
        let text = parts.concat();
        if let Ok(odd) = Document::parse(Path::new("f"), &text, &KEYS) {
            let held = |document: &Document| {
                key.iter().try_fold(meaning(document.text()), |value, name| value.get(*name).cloned())
            };
            if let Ok(after) = odd.set(&key, &Scalar::Bool(true)) {
                prop_assert_eq!(held(&after), Some(Value::Bool(true)));
            }
            if let Ok(after) = odd.unset(&key) {
                prop_assert_eq!(held(&after), None);
            }
        }
    }
}
