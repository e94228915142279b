//! Imports point one way: a module of the top level uses those below it only, as docs/architecture.md draws it.

use std::fmt::Write as _;
use std::path::Path;

/// The modules of the top level, from the lowest. Each may use those before it.
const ORDER: [&str; 29] = [
    "digest",
    "text",
    "nearest",
    "folder_tree",
    "claude_version",
    "host",
    "name",
    "private_file",
    "signals",
    "wary_file",
    "user_file",
    "engine_choice",
    "variant",
    "image_choice",
    "project",
    "detect",
    "config",
    "provider",
    "gateway",
    "inventory",
    "old_home",
    "container",
    "error",
    "ui",
    "removed",
    "command",
    "cli",
    "complete",
    "lib",
];

/// What uses something above it all the same, with the reason.
const EXEMPT: [(&str, &str, &str); 3] = [
    ("error", "command", "the commands' own errors meet there with all others"),
    ("command", "cli", "the manual is made of all that the command line knows"),
    ("command", "complete", "the script for a shell asks what answers it"),
];

/// The modules of this crate that a source uses, its tests and comments left out.
fn used(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let first_word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut modules = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => modules.extend(parts(list).into_iter().map(first_word)),
            None => modules.push(first_word(rest)),
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

/// What stands between the commas of a list, up to the bracket that closes it.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0_u32, 0);
    for (at, c) in list.char_indices() {
        match c {
            ',' if depth == 0 => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[begin..at]);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    parts
}

fn check(module: &str, path: &Path, problems: &mut String) {
    if path.is_dir() {
        for entry in path.read_dir().unwrap() {
            check(module, &entry.unwrap().path(), problems);
        }
        return;
    }
    if path.extension().is_none_or(|end| end != "rs")
        || path.file_name().is_some_and(|name| name == "tests.rs")
    {
        return;
    }
    let Some(place) = ORDER.iter().position(|known| *known == module) else {
        let _ = writeln!(problems, "the module {module} has no place in ORDER");
        return;
    };
    let source = std::fs::read_to_string(path).unwrap();
    for other in used(&source) {
        if EXEMPT.iter().any(|(from, to, _)| (*from, *to) == (module, other.as_str())) {
            continue;
        }
        if ORDER.iter().position(|known| **known == *other).is_some_and(|other| other > place) {
            let _ =
                writeln!(problems, "{}: `{module}` may not use `{other}`, which is above it", path.display());
        }
    }
}

#[test]
fn imports_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut problems = String::new();
    for entry in source.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module != "main" {
            check(&module, &path, &mut problems);
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn what_a_source_uses_is_seen() {
    let source = "use crate::host::Host;\n// crate::ui\nuse crate::{\n    name::{A, B},\n    old_home,\n};\nfn a(b: crate::error::Error) {}\n\
                  #[cfg(test)]\nuse crate::command;\n";
    assert_eq!(used(source), ["host", "name", "old_home", "error"]);
}
