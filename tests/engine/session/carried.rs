//! What a developer carries into a session: names on commits, agents, locale, time zone, terminal.

use std::fs;

use super::{Place, SOON};
use crate::support::pty::Size;

/// A name with a condition, and beside it what must stay at home.
const GITCONFIG: &str = r#"
[user]
    name = Alice \"Al\" Ångström
    email = alice@home.example
    signingKey = ABCDEF0123456789
[credential]
    helper = "!echo password=hunter2"
[url "https://token-hunter2@example.com/"]
    insteadOf = https://example.com/
[includeIf "gitdir:**/app/"]
    path = .gitconfig-work
"#;

#[test]
fn commits_carry_the_callers_name_and_nothing_else_of_its_git_comes_along() {
    let Some(place) = Place::new() else { return };
    let home = place.sandbox.home();
    fs::write(home.join(".gitconfig"), GITCONFIG).unwrap();
    fs::write(home.join(".gitconfig-work"), "[user]\n\temail = alice@work.example\n").unwrap();
    let project = place.project();
    project.command("git", &["init", "--quiet", "."]).run().assert_success();

    let commit =
        "git commit --quiet --allow-empty --message one && git log -1 --format='%an <%ae> %cn <%ce>'";
    let committed = || place.exec(&["sh", "-c", commit]).run();
    committed().assert_success().assert_stdout(
        "Alice \"Al\" Ångström <alice@work.example> Alice \"Al\" Ångström <alice@work.example>\n",
    );
    let container = place.id();
    let known = place.exec(&["git", "config", "--list"]).run();
    for secret in ["hunter2", "credential", "ABCDEF", "insteadof"] {
        assert!(!known.assert_success().stdout().contains(secret), "{secret} in {}", known.stdout());
    }
    let reached = "grep -rl hunter2 /etc /home /root /run /tmp 2>/dev/null; true";
    place.exec(&["sh", "-c", reached]).run().assert_success().assert_stdout("");

    fs::write(home.join(".gitconfig-work"), "[user]\n\tname = Al\n\temail = al@work.example\n").unwrap();
    committed().assert_success().assert_stdout("Al <al@work.example> Al <al@work.example>\n");
    let shell = place.exec(&["sh", "-c", commit]).env("GIT_AUTHOR_NAME", "Of the Shell").run();
    shell.assert_success().assert_stdout("Of the Shell <al@work.example> Al <al@work.example>\n");
    place.exec(&["git", "config", "user.name", "Of the Repository"]).run().assert_success();
    committed()
        .assert_success()
        .assert_stdout("Of the Repository <al@work.example> Of the Repository <al@work.example>\n");
    assert_eq!(place.id(), container, "another name is no reason for another container");
}

#[test]
fn git_takes_a_project_that_belongs_to_another_user() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can give a project away");
        return;
    }
    let Some(place) = Place::new() else { return };
    let project = place.project();
    project.command("git", &["init", "--quiet", "."]).run().assert_success();
    project.write("file", "");
    for path in [project.path().to_owned(), project.path().join(".git"), project.path().join("file")] {
        std::os::unix::fs::lchown(path, Some(4242), Some(4242)).unwrap();
    }
    place.exec(&["git", "status", "--short"]).run().assert_success().assert_stdout("?? file\n");
}

#[test]
fn the_callers_agents_commands_and_skills_stand_beside_those_of_the_session() {
    let Some(place) = Place::new() else { return };
    let write = |path: &str, name: &str| {
        let text = format!("---\nname: {name}\ndescription: what {name} does\n---\nDo it.\n");
        place.sandbox.write_home(path, text);
    };
    write(".claude/agents/reviewer.md", "reviewer");
    write(".claude/skills/deploying/SKILL.md", "deploying");
    write(".claude/secret.md", "secret");
    let own = "mkdir -p $CLAUDE_CONFIG_DIR/agents && printf -- '---\\nname: own\\ndescription: own\\n---\\n' \
               >$CLAUDE_CONFIG_DIR/agents/own.md";
    place.exec(&["sh", "-c", own]).run().assert_success();
    let known = || {
        let args = ["run", "--", "-p", "hi", "--output-format", "stream-json", "--verbose"];
        let said = place.reactor(&args).run();
        let first =
            said.assert_success().stdout().lines().find(|line| line.contains("\"init\"")).unwrap().to_owned();
        serde_json::from_str::<serde_json::Value>(&first).unwrap()
    };
    let names = |list: &serde_json::Value| list.to_string();
    let before = known();
    assert!(
        names(&before["agents"]).contains("\"reviewer\"") && names(&before["agents"]).contains("\"own\"")
    );
    assert!(names(&before["skills"]).contains("\"deploying\""), "{before}");
    assert!(!names(&before["slash_commands"]).contains("\"ship\""), "{before}");

    // Of two agents of one name the caller's counts.
    let of_project = "---\nname: reviewer\ndescription: brought by the repository\n---\nDo it.\n";
    place.project().write(".claude/agents/reviewer.md", of_project);
    known();
    let asked = place.fake.messages().pop().expect("a question was asked").body.to_string();
    assert!(asked.contains("what reviewer does") && !asked.contains("brought by the repository"));

    let look = "cd /etc/claude-code/.claude && ls && ! touch agents/made 2>/dev/null";
    place.exec(&["sh", "-c", look]).run().assert_success().assert_stdout("agents\nskills\n");
    let container = place.id();
    write(".claude/agents/another.md", "another");
    assert!(names(&known()["agents"]).contains("\"another\""));
    assert_eq!(place.id(), container);

    write(".claude/commands/ship.md", "ship");
    assert!(names(&known()["slash_commands"]).contains("\"ship\""));
    assert_ne!(place.id(), container, "another folder is another mount");
}

#[test]
fn locale_and_time_zone_are_the_callers_as_far_as_the_image_goes() {
    let Some(place) = Place::new() else { return };
    let script =
        "echo \"$LANG $LANGUAGE $LC_ALL\"; date -d 2026-07-01T12:00Z +'%H %Z'; perl -e 'print qq(quiet\\n)'";
    let look = |vars: &[(&str, &str)]| {
        let call = place.exec(&["bash", "-c", script]);
        vars.iter().fold(call, |call, (name, value)| call.env(name, value)).run()
    };
    let berlin = look(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "de_DE.UTF-8"), ("TZ", "Europe/Berlin")]);
    berlin.assert_success().assert_stdout("C.UTF-8 de_DE:de C.UTF-8\n14 CEST\nquiet\n");
    assert_eq!(berlin.stderr(), "", "nothing complains about a locale that is not there");
    let container = place.id();
    let kolkata = look(&[("TZ", "<+0530>-5:30")]);
    kolkata.assert_success().assert_stdout("C.UTF-8  \n17 +0530\nquiet\n");
    assert_eq!(place.id(), container);

    // What was chosen for the session counts more than what it happens to be started from.
    let choices = format!(".claude-reactor/user/app-{}/.claude-reactor", place.project().hash());
    place.sandbox.write_home(&choices, "env: {TZ: Asia/Tokyo}\n");
    place.shell(&[], "true").run().assert_success();
    look(&[("TZ", "Europe/Berlin")]).assert_success().assert_stdout("C.UTF-8  \n21 JST\nquiet\n");
}

#[test]
fn a_terminal_that_the_image_does_not_know_is_taken_for_what_it_imitates() {
    let Some(place) = Place::new() else { return };
    for (term, inside) in
        [("xterm-kitty", "xterm-256color truecolor"), ("screen-256color", "screen-256color ")]
    {
        let script = "echo \"<$TERM $COLORTERM>\"; tput cup 1 1 >/dev/null && echo usable";
        let pty = place.exec(&["sh", "-c", script]).env("TERM", term).on_pty(Size::default());
        pty.wait_for(&format!("<{inside}>"), SOON);
        pty.wait_for("usable", SOON);
        pty.wait(SOON).assert_code(0);
    }
}
