//! One run, and all of it is there; another run, and nothing changed.

use std::os::unix::fs::PermissionsExt;

use super::Old;
use crate::common::{NO_ENGINE, SOON, WIDE, listing, state};
use crate::support::old_home::Generation;

#[test]
fn after_one_run_everything_of_the_go_tool_is_there() {
    let old = Old::new(Generation::Go);
    let before = old.old_files();
    let output = old.run(&["run"]);
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    closed [HOME]/.claude-reactor/user, [HOME]/.claude-reactor/user/app-[HASH:app], [HOME]/.claude-reactor/user/app-[HASH:app]/projects to other users of this machine; an earlier version had left it open
    took over the account's Claude state from [HOME]/.claude-reactor/.user-claude.json
    took over settings.json, CLAUDE.md, agents, commands, skills from [HOME]/.claude-reactor/user/app-[HASH:app]
    imported the API key in [HOME]/.claude-reactor/.claude-reactor-user-env into [HOME]/.claude-reactor/user/llms/claude/.env; others can read that file; it is not needed any more and may be deleted
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    let after = old.old_files();
    let changed: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn it_lies_where_it_belongs() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    insta::assert_snapshot!(listing(&old.sandbox), @"
    0755 /
    0644 .claude-reactor-user-env
    0644 .claude-reactor-work-env
    0644 .user-claude.json
    0644 .work-claude.json
    0600 providers.yaml
    0700 user/
    0700 user/app-[HASH:app]/
    0644 user/app-[HASH:app]/.claude-reactor
    0644 user/app-[HASH:app]/.credentials.json
    0644 user/app-[HASH:app]/CLAUDE.md
    0755 user/app-[HASH:app]/agents/
    0644 user/app-[HASH:app]/agents/reviewer.md
    0700 user/app-[HASH:app]/carried/
    0755 user/app-[HASH:app]/commands/
    0644 user/app-[HASH:app]/commands/ship.md
    0600 user/app-[HASH:app]/project-path
    0700 user/app-[HASH:app]/projects/
    0755 user/app-[HASH:app]/projects/-app/
    0644 user/app-[HASH:app]/projects/-app/3f0c8a52-6b1d-4c7e-9a45-[DIGEST].jsonl
    0700 user/app-[HASH:app]/providers/
    0700 user/app-[HASH:app]/providers/claude/
    0600 user/app-[HASH:app]/providers/claude/.claude.json
    0600 user/app-[HASH:app]/providers/claude/CLAUDE.md
    0700 user/app-[HASH:app]/providers/claude/agents/
    0600 user/app-[HASH:app]/providers/claude/agents/reviewer.md
    0700 user/app-[HASH:app]/providers/claude/commands/
    0600 user/app-[HASH:app]/providers/claude/commands/ship.md
    0700 user/app-[HASH:app]/providers/claude/projects/
    0600 user/app-[HASH:app]/providers/claude/settings.json
    0700 user/app-[HASH:app]/providers/claude/skills/
    0700 user/app-[HASH:app]/providers/claude/skills/notes/
    0600 user/app-[HASH:app]/providers/claude/skills/notes/SKILL.md
    0700 user/app-[HASH:app]/providers/claude/skills/notes/list.sh
    0644 user/app-[HASH:app]/settings.json
    0755 user/app-[HASH:app]/shell-snapshots/
    0644 user/app-[HASH:app]/shell-snapshots/snapshot-bash.sh
    0755 user/app-[HASH:app]/skills/
    0755 user/app-[HASH:app]/skills/notes/
    0644 user/app-[HASH:app]/skills/notes/SKILL.md
    0755 user/app-[HASH:app]/skills/notes/list.sh
    0755 user/app-[HASH:app]/statsig/
    0644 user/app-[HASH:app]/statsig/cache.json
    0700 user/llms/
    0700 user/llms/claude/
    0600 user/llms/claude/.env
    0600 user/llms/claude/.env.lock
    0600 user/llms/claude/.imported
    0600 user/llms/claude/.imported.lock
    0600 user/llms/claude/claude.json
    0755 work/
    0755 work/app-[HASH:app]/
    0644 work/app-[HASH:app]/.claude-reactor
    0755 work/app-[HASH:app]/projects/
    0755 work/app-[HASH:app]/projects/-app/
    0644 work/app-[HASH:app]/projects/-app/77777777-6b1d-4c7e-9a45-[DIGEST].jsonl
    ");
    insta::assert_snapshot!(old.env_file(), @"ANTHROPIC_API_KEY='[SECRET:old-user]'");
    insta::assert_snapshot!(old.read(old.session("providers/claude/.claude.json")), @r#"
    {
      "numStartups": 42,
      "installMethod": "global",
      "autoUpdates": true,
      "theme": "light-daltonized",
      "customApiKeyResponses": {
        "approved": [],
        "rejected": [
          "[DIGEST]"
        ]
      },
      "userID": "[DIGEST]",
      "hasCompletedOnboarding": true,
      "lastOnboardingVersion": "1.0.51",
      "oauthAccount": {
        "accountUuid": "11111111-2222-4333-8444-[DIGEST]",
        "emailAddress": "user@example.com",
        "organizationUuid": "66666666-7777-4888-8999-[DIGEST]"
      },
      "mcpServers": {
        "notes": {
          "command": "notes-mcp",
          "args": [
            "--read-only"
          ]
        }
      },
      "projects": {
        "/app": {
          "allowedTools": [
            "Bash(make test)"
          ],
          "hasTrustDialogAccepted": true
        }
      }
    }
    "#);
}

#[test]
fn after_one_run_everything_of_the_shell_tool_is_there() {
    let old = Old::new(Generation::Shell);
    let before = old.old_files();
    let exit = old.answering("Is it yours", "y");
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(old.sandbox.redactions().apply(exit.screen()), @"
    closed [HOME]/.claude-reactor/user, [HOME]/.claude-reactor/user/app-[HASH:app], [HOME]/.claude-reactor/user/app-[HASH:app]/projects to other users of this machine; an earlier version had left it open
    took over .claude.json, agents from [HOME]/.claude-reactor/user/app-[HASH:app]
    There is an API key in [ROOT]/app/.claude-reactor-env. Is it yours, and shall user use it from now on? yes
    imported the API key in [ROOT]/app/.claude-reactor-env into [HOME]/.claude-reactor/user/llms/claude/.env; others can read that file; it is not needed any more and may be deleted
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    insta::assert_snapshot!(listing(&old.sandbox), @"
    0755 /
    0600 providers.yaml
    0700 user/
    0700 user/app-[HASH:app]/
    0644 user/app-[HASH:app]/.claude-reactor
    0644 user/app-[HASH:app]/.claude.json
    0755 user/app-[HASH:app]/agents/
    0644 user/app-[HASH:app]/agents/tester.md
    0700 user/app-[HASH:app]/carried/
    0600 user/app-[HASH:app]/project-path
    0700 user/app-[HASH:app]/projects/
    0755 user/app-[HASH:app]/projects/-app/
    0644 user/app-[HASH:app]/projects/-app/9d8c7b6a-5f4e-4d3c-8b2a-[DIGEST].jsonl
    0700 user/app-[HASH:app]/providers/
    0700 user/app-[HASH:app]/providers/claude/
    0600 user/app-[HASH:app]/providers/claude/.claude.json
    0700 user/app-[HASH:app]/providers/claude/agents/
    0600 user/app-[HASH:app]/providers/claude/agents/tester.md
    0700 user/app-[HASH:app]/providers/claude/projects/
    0700 user/llms/
    0700 user/llms/claude/
    0600 user/llms/claude/.env
    0600 user/llms/claude/.env.lock
    0600 user/llms/claude/.imported
    0600 user/llms/claude/.imported.lock
    ");
    insta::assert_snapshot!(old.env_file(), @"ANTHROPIC_API_KEY='[SECRET:old-user]'");
    let after = old.old_files();
    let changed: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn a_second_run_changes_nothing() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    let before = state(&old.sandbox);
    let output = old.run(&["run"]);
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_eq!(state(&old.sandbox), before);

    let old = Old::new(Generation::Shell);
    old.answering("Is it yours", "y").assert_code(NO_ENGINE);
    let before = state(&old.sandbox);
    let pty = old.project().reactor(&["run"]).on_pty(WIDE);
    let exit = pty.wait(SOON);
    assert!(!exit.transcript().contains("API key"), "{}", exit.transcript());
    assert_eq!(state(&old.sandbox), before);
}

#[test]
fn every_account_has_its_own() {
    let old = Old::new(Generation::Go);
    old.run(&["--account", "work"]).assert_code(NO_ENGINE);
    let work = old.sandbox.reactor_home().join("work");
    assert_eq!(old.read(work.join("llms/claude/.env")), "ANTHROPIC_API_KEY='[SECRET:old-work]'\n");
    let state = old.read(work.join(format!("app-{}/providers/claude/.claude.json", old.project().hash())));
    assert!(state.contains("\"theme\": \"dark\"") && !state.contains("daltonized"), "{state}");
    assert!(!old.account("llms").exists(), "nobody ran as that account");
    let mode = old.account("").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o755, "and its folder is as it was");
}

#[test]
fn the_account_that_the_old_file_of_the_project_names_is_the_one() {
    let old = Old::new(Generation::Go);
    old.project().write(".claude-reactor", "variant=base\naccount=work\n");
    old.run(&["run"]).assert_code(NO_ENGINE);
    assert!(old.sandbox.reactor_home().join("work/llms/claude/.env").exists());
    assert!(!old.account("llms").exists());
}

#[test]
fn every_variant_of_the_go_tool_is_one_of_these() {
    let old = Old::new(Generation::Go);
    let project = old.project();
    project.write(".claude-reactor", "variant=full\naccount=work\n");
    let session_dir = old.sandbox.reactor_home().join(format!("work/app-{}", project.hash()));
    let session_file = session_dir.join(".claude-reactor");
    std::fs::create_dir_all(&session_dir).unwrap();
    std::fs::write(&session_file, "variant=k8s\ndanger=true\n").unwrap();

    let run = old.run(&["run"]);
    run.assert_code(NO_ENGINE).assert_stderr_lacks("the line is ignored");
    let work = old.sandbox.reactor_home().join("work");
    assert_eq!(old.read(work.join("llms/claude/.env")), "ANTHROPIC_API_KEY='[SECRET:old-work]'\n");
    assert!(!old.account("llms").exists(), "the account of the old file counts");
    let state = old.read(session_dir.join("providers/claude/.claude.json"));
    assert!(state.contains("\"theme\": \"dark\""), "{state}");
    let history = session_dir.join("projects/-app").read_dir().unwrap().count();
    assert_eq!(history, 1, "the conversations are where the session looks");
    assert_eq!(old.read(session_file.clone()), "variant=k8s\ndanger=true\n", "nothing was said");

    let kept = old.run(&["run", "--danger=false"]);
    kept.assert_code(NO_ENGINE);
    assert_eq!(old.read(session_file), "variant: k8s\ndanger: false\n");
}

#[test]
fn a_dry_run_says_what_would_be_taken_over_and_writes_nothing() {
    let old = Old::new(Generation::Go);
    let before = state(&old.sandbox);
    // The plan is shown with an engine only; that nothing is written has to hold before that.
    old.run(&["run", "--dry-run"]).assert_code(NO_ENGINE);
    assert_eq!(state(&old.sandbox), before);
    assert!(old.fake.requests().is_empty(), "no key was tried");
}
