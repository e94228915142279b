//! Engines that are reached by SSH: what is run for it, and what is said of a machine that is not this one. In the place
//! of `ssh` stands a script that writes down its arguments and answers as an engine elsewhere would.

use std::os::unix::fs::PermissionsExt;

use crate::common::{NO_ENGINE, store_key};
use crate::support::sandbox::Sandbox;

const ELSEWHERE: &str = r#"#!/bin/sh
printf '%s\n' "$@" >"$HOME/arguments"
answer() { printf 'HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10 (linux)\r\nContent-Length: %s\r\n\r\n%s' "${#1}" "$1"; }
while IFS= read -r line; do
  case $line in
    GET*) path=${line#GET }; path=${path% HTTP*} ;;
    *[!\ -~]) [ "${#line}" -gt 1 ] || case $path in
      */_ping) answer OK ;;
      */info) answer '{"Name":"build","KernelVersion":"5.10","MemTotal":1073741824,"SecurityOptions":[]}' ;;
    esac ;;
  esac
done
"#;

const REFUSED: &str = "#!/bin/sh\necho 'alice@build: Permission denied (publickey).' >&2\nexit 255\n";

fn run(sandbox: &Sandbox, ssh: &str, address: &str) -> crate::support::output::Output {
    let program = sandbox.path().join("bin/ssh");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::fs::write(&program, ssh).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    store_key(sandbox, "claude", "ANTHROPIC_API_KEY");
    let path = format!("{}/bin:{}", sandbox.path().display(), std::env::var("PATH").unwrap());
    sandbox.project("app").reactor(&["run", "--engine", address]).env("PATH", path).run()
}

#[test]
fn an_engine_on_another_machine_is_refused() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, ELSEWHERE, "ssh://alice@build:2222/run/docker.sock");
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: the container engine at ssh://alice@build:2222/run/docker.sock (--engine ssh://alice@build:2222/run/docker.sock) is on another machine: it cannot mount your project
      hint: use an engine of this machine: choose another with --engine; where that machine has the same files at the same paths, say so with CLAUDE_REACTOR_ENGINE_SHARES_FILES=true
    ");
    let arguments = std::fs::read_to_string(sandbox.home().join("arguments")).unwrap();
    assert!(arguments.contains("-l\nalice\n-p\n2222\n--\nbuild\n"), "{arguments}");
    assert!(arguments.contains("docker --host unix:///run/docker.sock system dial-stdio"), "{arguments}");
}

#[test]
fn what_ssh_says_is_passed_on() {
    let output = run(&Sandbox::new(), REFUSED, "ssh://alice@build");
    output.assert_code(NO_ENGINE);
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers for --engine ssh://alice@build; tried:
      ssh://alice@build: ssh: alice@build: Permission denied (publickey).
      hint: start that engine, or choose another with --engine
    ");
}
