//! Each variant has the tools that docs/images.md names, in versions of Debian trixie, for the user that sessions run as.

use super::BUILD;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

/// Which variants are built here: `all` (`make test-images`), else those that take two minutes at most. On Podman that is
/// the one of the other tests: what is in an image is the Dockerfile's, whoever builds it.
const CHOICE: &str = "CLAUDE_REACTOR_TEST_IMAGES";

/// Commands of a variant, and what their answers begin with or hold.
const BASE: &[(&str, &str)] = &[
    ("claude --version", "(Claude Code)"),
    ("git --version", "git version 2.47"),
    ("jq --version", "jq-1.7"),
    ("rg --version", "ripgrep 14."),
    ("curl --version", "curl 8."),
    ("sudo id -u", "0"),
    ("id -un", "claude"),
    ("pwd", "/app"),
];
const GO: &[(&str, &str)] = &[
    ("go version", "go version go1.24"),
    ("gopls version", "gopls"),
    ("dlv version", "Version: 1.24"),
    ("gcc --version", "gcc (Debian 14"),
    ("make --version", "GNU Make 4"),
    // With cgo, which the race detector needs.
    (
        "cd $(mktemp -d) && go mod init x >/dev/null 2>&1 && echo 'package main\nfunc main() { println(1) }' >m.go && go run -race m.go 2>&1",
        "1",
    ),
];
const FULL: &[(&str, &str)] = &[
    ("rustc --version", "rustc 1.85"),
    ("cargo --version", "cargo 1.85"),
    ("cargo fmt --version", "rustfmt 1.8"),
    ("cargo clippy --version", "clippy 0.1.85"),
    ("java -version 2>&1", "openjdk version \"21."),
    ("javac -version", "javac 21."),
    ("mvn --version", "Apache Maven 3.9"),
    ("node --version", "v20."),
    ("npm --version", "9."),
    ("python3 --version", "Python 3.13"),
    ("python3 -m venv /tmp/venv && /tmp/venv/bin/pip --version", "pip 25"),
    ("g++ --version", "g++ (Debian 14"),
    ("cmake --version", "cmake version 3.31"),
    ("gdb --version", "GNU gdb (Debian 16"),
    ("sqlite3 --version", "3.46"),
    ("psql --version", "psql (PostgreSQL) 17"),
];
const CLOUD: &[(&str, &str)] = &[("aws --version", "aws-cli/2.23"), ("az version", "\"azure-cli\": \"2.74")];
const K8S: &[(&str, &str)] = &[
    ("kubectl version --client", "Client Version: v1.32"),
    ("kustomize version >/dev/null && dpkg-query -W kustomize", "5.6.0"),
];

/// Commands, and a part of what each says of its version.
type Tools = &'static [(&'static str, &'static str)];

/// What a variant has: its own, and all of those it is made from.
const VARIANTS: [(&str, &[Tools]); 5] = [
    ("base", &[BASE]),
    ("go", &[BASE, GO]),
    ("full", &[BASE, GO, FULL]),
    ("cloud", &[BASE, GO, FULL, CLOUD]),
    ("k8s", &[BASE, GO, FULL, K8S]),
];

/// Builds a variant's image with the program, unless it is there, and gives its reference.
fn built(engine: &Engine, variant: &str) -> String {
    let sandbox = Sandbox::on(engine);
    let output = sandbox.project("app").reactor(&["build", variant]).timeout(BUILD).run();
    let line = output.assert_success().stdout().to_owned();
    println!("{line}{}", output.stderr());
    line.split_whitespace().next().expect("the reference").to_owned()
}

#[test]
fn every_tool_is_there() {
    let Some(engine) = crate::engine() else { return };
    let all = std::env::var(CHOICE).is_ok_and(|choice| choice == "all");
    let count = if all {
        VARIANTS.len()
    } else if engine.is_podman() {
        1
    } else {
        2
    };
    for (variant, tools) in &VARIANTS[..count] {
        let image = built(&engine, variant);
        let tools: Vec<_> = tools.iter().copied().flatten().collect();
        // One container for all: each answer ends at a line that no tool writes.
        let lines =
            tools.iter().map(|(command, _)| format!("( {command} ) 2>&1 </dev/null; echo \"=== $?\""));
        let script = lines.collect::<Vec<_>>().join("\n");
        let said = engine.docker(&["run", "--rm", &image, "bash", "-c", &script]);
        let mut answers = said.split("=== ");
        let mut answer = answers.next().unwrap_or_default();
        for (command, expected) in tools {
            let (code, next) = answers.next().and_then(|rest| rest.split_once('\n')).unwrap_or(("none", ""));
            assert!(
                code == "0" && answer.contains(expected),
                "{variant}: `{command}` ended with {code}, said {answer:?} and not {expected:?}"
            );
            answer = next;
        }
    }
}

/// What a base image costs whoever has Debian's: everything but Debian and the Claude Code binary. Bytes of the files, since
/// the engines' own sizes are of different things: Podman's counts the archives that layers travel in.
#[test]
fn base_adds_little_to_debian_and_the_binary() {
    let Some(engine) = crate::engine() else { return };
    let image = built(&engine, "base");
    let measured = |image: &str, script: &str| -> u64 {
        let said = engine.docker(&["run", "--rm", "--user", "0", image, "sh", "-c", script]);
        said.trim().parse().expect("a number of bytes")
    };
    // `du` also fails at what changes under it.
    let size = |image: &str| {
        measured(image, "{ du --summarize --one-file-system --bytes / 2>/dev/null || true; } | cut -f1")
    };
    let binary = measured(&image, "stat -c %s /usr/local/bin/claude");
    let added = size(&image) - size("debian:trixie-slim") - binary;
    println!("base adds {added} bytes");
    assert!(added <= 120_000_000, "{added} bytes are added to Debian's and the {binary} of the binary");
}
