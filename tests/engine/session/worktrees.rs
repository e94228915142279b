//! Projects that are one of several git worktrees, or a submodule: git inside is right, and destroys nothing.

use std::fs;
use std::path::PathBuf;

use super::Place;

impl Place {
    /// Runs git on the host, in a folder of the sandbox, and gives what it says.
    #[track_caller]
    fn git(&self, folder: &str, args: &[&str]) -> String {
        let identity =
            ["-c", "user.name=Host", "-c", "user.email=host@example.com", "-c", "protocol.file.allow=always"];
        let git = self.sandbox.project(folder).command("git", &[&identity, args].concat()).run();
        git.assert_success().stdout().to_owned()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    /// A repository `main` with a commit, and linked worktrees.
    fn with_worktrees(names: &[&str]) -> Option<Self> {
        let place = Self::new()?;
        place.git("main", &["init", "--quiet", "--initial-branch=trunk", "."]);
        fs::write(place.at("main/tracked"), "one\n").unwrap();
        place.git("main", &["add", "."]);
        place.git("main", &["commit", "--quiet", "--message", "first"]);
        for name in names {
            place.git("main", &["worktree", "add", "--quiet", "-b", name, &format!("../{name}")]);
        }
        Some(place)
    }
}

/// What an agent does in a worktree: looks, commits, tidies up.
const WORK: &str = "
    set -e
    git status --short --branch
    echo two >>tracked
    echo new >untracked
    git add untracked
    git -c user.name=Inside -c user.email=inside@example.com commit --quiet --all --message inside
    git worktree prune --verbose
    git gc --quiet --prune=now
    git status --short";

#[test]
fn in_a_linked_worktree_status_commit_and_prune_are_right() {
    let Some(place) = Place::with_worktrees(&["app", "sibling"]) else { return };
    fs::write(place.at("sibling/unsaved"), "work of the sibling\n").unwrap();
    let before = place.git("main", &["worktree", "list"]);
    assert_eq!(before.lines().count(), 3);

    place.exec(&["sh", "-c", WORK]).run().assert_success().assert_stdout("## app\n");
    assert_eq!(place.git("app", &["log", "-1", "--format=%s by %an"]), "inside by Inside\n");
    assert_eq!(place.git("app", &["status", "--short"]), "");
    assert_eq!(place.git("main", &["log", "-1", "--format=%s"]), "first\n", "the others' branches stay");
    let paths =
        |list: &str| list.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(paths(&place.git("main", &["worktree", "list"])), paths(&before));
    assert_eq!(place.git("sibling", &["status", "--short"]), "?? unsaved\n");

    let sibling = place.at("sibling").display().to_string();
    let write = format!("cat {sibling}/unsaved; touch {sibling}/made 2>/dev/null && echo written; true");
    place.exec(&["sh", "-c", &write]).run().assert_success().assert_stdout("work of the sibling\n");
    // The main worktree's files are nobody's business here.
    let files = format!("ls -A {}", place.at("main").display());
    place.exec(&["sh", "-c", &files]).run().assert_success().assert_stdout(".git\n");
}

#[test]
fn from_the_main_worktree_and_from_a_sibling_nothing_is_forgotten() {
    let Some(place) = Place::with_worktrees(&["app", "sibling"]) else { return };
    place.git("main", &["worktree", "add", "--quiet", "-b", "nested", "nested/deep"]);
    let before = place.git("main", &["worktree", "list", "--porcelain"]);
    for project in ["main", "sibling", "main/nested/deep"] {
        let prune =
            "git worktree prune --verbose && git worktree list --porcelain && git status --short --branch";
        let call = place.sandbox.project(project).reactor(&["exec", "--", "sh", "-c", prune]);
        let output = call.env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").run();
        let said = output.assert_success().stdout();
        let listed = said.matches("worktree ").count();
        assert_eq!(listed, 4, "{project}: {said}");
        assert_eq!(output.stderr(), "");
        assert_eq!(place.git("main", &["worktree", "list", "--porcelain"]), before, "after {project}");
    }
}

#[test]
fn worktrees_that_name_each_other_by_relative_paths() {
    let Some(place) = Place::with_worktrees(&["app", "sibling"]) else { return };
    for name in ["app", "sibling"] {
        fs::write(place.at(name).join(".git"), format!("gitdir: ../main/.git/worktrees/{name}\n")).unwrap();
        fs::write(
            place.at("main/.git/worktrees").join(name).join("gitdir"),
            format!("../../../../{name}/.git\n"),
        )
        .unwrap();
    }
    let before = place.git("main", &["worktree", "list"]);
    place.exec(&["sh", "-c", WORK]).run().assert_success().assert_stdout("## app\n");
    assert_eq!(place.git("app", &["log", "-1", "--format=%s by %an"]), "inside by Inside\n");
    assert_eq!(place.git("main", &["worktree", "list"]).lines().count(), before.lines().count());
}

#[test]
fn a_submodule_is_a_project_too() {
    let Some(place) = Place::with_worktrees(&[]) else { return };
    place.git("around", &["init", "--quiet", "."]);
    let source = place.at("main").display().to_string();
    place.git("around", &["submodule", "--quiet", "add", &source, "libs/app"]);
    let call = place.sandbox.project("around/libs/app").reactor(&["exec", "--", "sh", "-c", WORK]);
    let output = call.env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").run();
    output.assert_success().assert_stdout("## trunk...origin/trunk\n");
    assert_eq!(place.git("around/libs/app", &["log", "-1", "--format=%s by %an"]), "inside by Inside\n");
    assert_eq!(place.git("around/libs/app", &["status", "--short"]), "");
}

#[test]
fn a_git_file_that_nothing_confirms_is_said_and_not_followed() {
    let Some(place) = Place::with_worktrees(&["sibling"]) else { return };
    place.project().write(".git", format!("gitdir: {}\n", place.at("main/.git/worktrees/sibling").display()));
    let output = place.exec(&["ls", "-d", place.at("main").to_str().unwrap()]).run();
    output.assert_code(2).assert_stderr_contains("warning: git finds no repository inside: ");
}
