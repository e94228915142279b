//! What real shells make of a Tab: the scripts, and the answers to them.

use std::ffi::OsString;
use std::path::Path;

use crate::common::{SOON, USAGE, WIDE, state, store_key};
use crate::support::invocation::Invocation;
use crate::support::pty::Pty;
use crate::support::sandbox::{Project, Sandbox};

/// Two accounts, a provider of the user's own beside ours, and a project that was used.
fn used_home() -> Sandbox {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox.write_home(".claude-reactor/client-b/my-app-76a2e845/project-path", "/home/alice/my-app\n");
    let rows = "providers:\n  acme:\n    name: Acme's own\n    base_url: https://llm.acme.example\n";
    sandbox.write_home(".claude-reactor/providers.yaml", rows);
    sandbox
}

/// Finds the program by its name, as a shell does.
fn on_path(invocation: Invocation<'_>) -> Invocation<'_> {
    let folder = Path::new(env!("CARGO_BIN_EXE_claude-reactor")).parent().expect("it lies in a folder");
    let mut path = OsString::from(folder);
    path.push(":");
    path.push(std::env::var_os("PATH").expect("PATH is set"));
    invocation.env("PATH", path)
}

/// Whether this machine has the shell. Without one, a test says so and ends well; in CI (`CI=true`) it fails.
fn has(shell: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(shell).is_file()));
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true, and there is no {shell}");
        println!("skipped: there is no {shell} here");
    }
    found
}

/// A shell with the completion loaded, at its prompt.
fn shell(project: &Project<'_>, command: &[&str], load: &str) -> Pty {
    let pty = on_path(project.command(command[0], &command[1..])).env("PS1", "$ ").on_pty(WIDE);
    pty.write_line(load);
    pty.write_line("echo load''ed");
    pty.wait_for("\nloaded", SOON);
    pty
}

/// What the line becomes by Tab. The line before is given up.
fn assert_completes(pty: &Pty, line: &str, expected: &str) {
    pty.write(format!("{line}\t"));
    pty.wait_for(expected, SOON);
    // Ctrl-U: a key like any other, so nothing that is typed next can overtake it.
    pty.write("\x15");
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let sandbox = used_home();
    let project = sandbox.project("app");
    let load = "source <(claude-reactor completion bash)";
    let bash = shell(&project, &["bash", "--norc", "--noprofile", "-i"], load);
    assert_completes(&bash, "claude-reactor compl", "claude-reactor completion ");
    assert_completes(&bash, "claude-reactor run --llm-pr", "claude-reactor run --llm-provider ");
    assert_completes(
        &bash,
        "claude-reactor run --llm-provider ac",
        "claude-reactor run --llm-provider acme ",
    );
    assert_completes(&bash, "claude-reactor --llm-provider=ac", "claude-reactor --llm-provider=acme ");
    assert_completes(
        &bash,
        "claude-reactor -m a:b --account cl",
        "claude-reactor -m a:b --account client-b ",
    );
    assert_completes(&bash, "claude-reactor exec --variant bas", "claude-reactor exec --variant base ");
    bash.write_line("exit");
    bash.wait(SOON).assert_code(0);
}

#[test]
fn bash_shows_what_there_is() {
    let sandbox = used_home();
    let script = r#"
        source <(claude-reactor completion bash)
        COMP_WORDS=(claude-reactor run --account ""); COMP_CWORD=3
        _claude_reactor claude-reactor "" --account
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let project = sandbox.project("app");
    let output = on_path(project.command("bash", &["-c", script])).run();
    output.assert_success().assert_stdout("client-b\nuser\n");
}

#[test]
fn zsh_completes_from_a_sourced_script_and_from_its_own_folder() {
    if !has("zsh") {
        return;
    }
    let sandbox = used_home();
    let project = sandbox.project("app");
    let script = on_path(project.reactor(&["completion", "zsh"])).run();
    let file = sandbox.write_home("functions/_claude-reactor", script.stdout());
    let folder = file.parent().expect("it lies in a folder").display().to_string();
    let compinit = "autoload -Uz compinit; compinit -u -D";
    for load in [
        format!("{compinit}; source <(claude-reactor completion zsh)"),
        format!("fpath=({folder} $fpath); {compinit}"),
    ] {
        let zsh = shell(&project, &["zsh", "-f", "-i"], &load);
        assert_completes(&zsh, "claude-reactor run --llm-provider ac", "--llm-provider acme");
        assert_completes(&zsh, "claude-reactor run --account=cl", "--account=client-b");
        zsh.write_line("exit");
        zsh.wait(SOON).assert_code(0);
    }
}

#[test]
fn fish_completes_with_a_word_about_each() {
    if !has("fish") {
        return;
    }
    let sandbox = used_home();
    let script = "claude-reactor completion fish | source
        complete -C 'claude-reactor run --llm-provider ac'
        complete -C 'claude-reactor run --account '
        complete -C 'claude-reactor completion po'";
    let project = sandbox.project("app");
    let output = on_path(project.command("fish", &["--no-config", "-c", script])).run();
    output.assert_success().assert_stdout("acme\tAcme's own\nclient-b\nuser\npowershell\n");
}

/// The answer to a shell that asks for the last of these words.
fn answer<'s>(project: &Project<'s>, words: &[&str]) -> Invocation<'s> {
    let words: Vec<_> = ["--", "claude-reactor"].iter().chain(words).collect();
    project
        .reactor(&words)
        .env("_CLAUDE_REACTOR_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 2).to_string())
}

#[test]
fn an_answer_changes_nothing() {
    let sandbox = used_home();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    for words in [&["run", "--llm-provider", "z"][..], &["run", "--account", ""], &[""]] {
        let output = answer(&project, words).run();
        output.assert_success();
        assert!(output.stderr().is_empty() && !output.stdout().is_empty(), "{words:?}");
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn what_is_wrong_is_not_said_in_the_middle_of_a_line() {
    let sandbox = used_home();
    let project = sandbox.project("app");
    sandbox.write_home(".claude-reactor/providers.yaml", "providers: [oh: {");
    let broken = answer(&project, &["run", "--llm-provider", "zai-"]).run();
    broken.assert_success().assert_stdout("zai-cn");
    let nowhere = answer(&project, &["run", "--account", ""]).env("CLAUDE_REACTOR_HOME", "relative").run();
    nowhere.assert_success().assert_stdout("");
    let unknown = answer(&project, &["run", ""]).env("_CLAUDE_REACTOR_COMPLETE", "nosuchshell").run();
    unknown.assert_code(1).assert_stdout("");
    for output in [broken, nowhere, unknown] {
        assert_eq!(output.stderr(), "");
    }
}

#[test]
fn every_shell_gets_a_script_and_needs_no_home_for_it() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = project.reactor(&["completion", shell]).env("CLAUDE_REACTOR_HOME", "relative").run();
        output.assert_success().assert_stdout_contains("claude-reactor");
        assert_eq!(output.stderr(), "");
    }
    project.reactor(&["completion", "tcsh"]).run().assert_code(USAGE);
}

#[test]
fn the_values_of_a_key_and_the_pages_of_the_manual_complete() {
    let sandbox = used_home();
    let script = r#"
        source <(claude-reactor completion bash)
        show() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _claude_reactor claude-reactor "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            echo "${COMPREPLY[*]}"
        }
        show claude-reactor config set llm.provider ac
        show claude-reactor config set --shared image b
        show claude-reactor config set danger t
        show claude-reactor config set limits.memory 4
        show claude-reactor man con
        show claude-reactor man config tr
    "#;
    let project = sandbox.project("app");
    let output = on_path(project.command("bash", &["-c", script])).run();
    output.assert_success().assert_stdout("acme\nbase\ntrue\n\nconfig\ntrust\n");
}
