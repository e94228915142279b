//! Layouts as the real git makes them, and as somebody with bad intentions would.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::layout::{Limits, read};
use super::*;

/// A home with a repository `main` that has one commit.
struct Place {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("home/.claude-reactor")).unwrap();
        let place = Self { _dir: dir, root };
        place.git("", &["init", "--quiet", "main"]);
        place.git("main", &["commit", "--quiet", "--allow-empty", "--message", "one"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn git(&self, folder: &str, args: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(self.path(folder))
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .status()
            .unwrap();
        assert!(status.success(), "git {args:?}");
    }

    fn worktree(&self, name: &str) {
        let path = self.text(name);
        self.git("main", &["worktree", "add", "--quiet", "--detach", &path]);
    }

    fn plan_as(&self, project: &str, uid: u32) -> Plan {
        let (home, reactor_home) = (self.path("home"), self.path("home/.claude-reactor"));
        plan(read(&self.path(project), Limits { uid, home: &home, reactor_home: &reactor_home }))
    }

    fn plan(&self, project: &str) -> Plan {
        self.plan_as(project, rustix::process::getuid().as_raw())
    }

    /// The mounts in a short form: `w` or `r`, the source below the root, and the target where it is another.
    fn mounts(&self, project: &str) -> Vec<String> {
        let plan = self.plan(project);
        assert_eq!(plan.problems, Vec::<String>::new());
        let below = |path: &str| {
            let path = Path::new(path);
            path.strip_prefix(&self.root)
                .map_or_else(|_| path.display().to_string(), |p| p.display().to_string())
        };
        let mut mounts: Vec<String> = plan
            .mounts
            .iter()
            .map(|mount| {
                let access = if mount.read_only { "r" } else { "w" };
                let at = if mount.source == mount.target {
                    String::new()
                } else {
                    format!(" at {}", mount.target)
                };
                format!("{access} {}{at}", below(&mount.source))
            })
            .collect();
        mounts.sort();
        mounts
    }

    #[track_caller]
    fn problem(&self, project: &str) -> String {
        let Plan { mounts, mut problems } = self.plan(project);
        assert_eq!((mounts, problems.len()), (Vec::new(), 1));
        problems.remove(0)
    }
}

#[test]
fn a_repository_of_its_own_needs_nothing() {
    let place = Place::new();
    fs::create_dir(place.path("main/part")).unwrap();
    for project in ["main", "main/part", "home"] {
        assert_eq!(place.mounts(project), Vec::<String>::new(), "{project}");
    }
}

#[test]
fn a_linked_worktree_gets_the_repository_itself_and_the_others() {
    let place = Place::new();
    for name in ["one", "two", "gone"] {
        place.worktree(name);
    }
    fs::remove_dir_all(place.path("gone")).unwrap();
    assert_eq!(place.mounts("one"), ["r two", "w main/.git", "w one"]);
    assert_eq!(place.mounts("main"), ["r one", "r two", "w main"]);
}

#[test]
fn worktrees_within_the_project_come_with_it() {
    let place = Place::new();
    place.worktree("main/.worktrees/one");
    assert_eq!(place.mounts("main"), ["w main"]);
    place.worktree("main/.worktrees/two");
    assert_eq!(place.mounts("main"), ["w main"], "no other container for another one");
    assert_eq!(
        place.mounts("main/.worktrees/one"),
        ["r main/.worktrees/two", "w main/.git", "w main/.worktrees/one"]
    );
}

#[test]
fn a_bare_repository_and_its_worktrees() {
    let place = Place::new();
    place.git("", &["clone", "--quiet", "--bare", "main", "proj/.bare"]);
    for name in ["one", "two"] {
        let path = place.text(&format!("proj/{name}"));
        place.git("proj/.bare", &["worktree", "add", "--quiet", "--detach", &path]);
    }
    assert_eq!(place.mounts("proj/one"), ["r proj/two", "w proj/.bare", "w proj/one"]);
    fs::write(place.path("proj/.git"), "gitdir: ./.bare\n").unwrap();
    assert_eq!(place.mounts("proj"), Vec::<String>::new());
}

/// Rewrites the two files that name each other as `git worktree add --relative-paths` does.
fn make_relative(place: &Place, name: &str) {
    fs::write(place.path(name).join(".git"), format!("gitdir: ../main/.git/worktrees/{name}\n")).unwrap();
    fs::write(
        place.path(&format!("main/.git/worktrees/{name}/gitdir")),
        format!("../../../../{name}/.git\n"),
    )
    .unwrap();
}

#[test]
fn relative_paths_are_followed_from_where_the_project_is_inside() {
    let place = Place::new();
    for name in ["one", "two"] {
        place.worktree(name);
        make_relative(&place, name);
    }
    assert_eq!(
        place.mounts("one"),
        ["r two at /two", "w main/.git", "w main/.git at /main/.git", "w one at /one"]
    );
    assert_eq!(
        place.mounts("main"),
        ["r one at /one", "r two at /two", "w main", "w main/.git at /main/.git"]
    );
}

#[test]
fn a_submodule_gets_its_own_repository_only() {
    let place = Place::new();
    place.git("", &["init", "--quiet", "around"]);
    place.git("around", &["submodule", "--quiet", "add", &place.text("main"), "libs/inner"]);
    assert_eq!(
        place.mounts("around/libs/inner"),
        [
            "w around/.git/modules/libs/inner at /.git/modules/libs/inner",
            "w around/libs/inner at /libs/inner",
        ]
    );
    assert_eq!(place.mounts("around"), Vec::<String>::new());
}

#[test]
fn a_git_file_that_nothing_confirms_is_not_followed() {
    let place = Place::new();
    place.worktree("one");
    fs::create_dir_all(place.path("home/.ssh")).unwrap();
    fs::create_dir(place.path("evil")).unwrap();
    for (text, problem) in [
        (format!("gitdir: {}", place.text("home/.ssh")), "is no repository"),
        (format!("gitdir: {}", place.text("nowhere")), "is not there"),
        (format!("gitdir: {}", place.text("main/.git")), "does not name"),
        (format!("gitdir: {}", place.text("main/.git/worktrees/one")), "does not know this worktree"),
        ("something else".to_owned(), "no file that git wrote"),
    ] {
        fs::write(place.path("evil/.git"), format!("{text}\n")).unwrap();
        let found = place.problem("evil");
        assert!(found.contains(problem), "{text}: {found}");
    }
    fs::remove_file(place.path("evil/.git")).unwrap();
    symlink(place.path("main/.git"), place.path("evil/.git")).unwrap();
    place.problem("evil");
}

#[test]
fn a_repository_shows_no_folder_that_does_not_name_it() {
    let place = Place::new();
    place.worktree("one");
    place.worktree("two");
    fs::create_dir_all(place.path("home/.ssh")).unwrap();
    for (named, why) in [("home/.ssh", "no .git"), ("home", "no .git")] {
        let forged = place.path("main/.git/worktrees/two/gitdir");
        fs::write(&forged, format!("{}/.git\n", place.text(named))).unwrap();
        assert_eq!(place.mounts("one"), ["w main/.git", "w one"], "{named}: {why}");
    }

    // Even where it names it: a home is not shown, and neither is anything with keys.
    for named in ["home", "home/.claude-reactor"] {
        fs::write(place.path("main/.git/worktrees/two/gitdir"), format!("{}/.git\n", place.text(named)))
            .unwrap();
        let back = format!("gitdir: {}\n", place.text("main/.git/worktrees/two"));
        fs::write(place.path(named).join(".git"), back).unwrap();
        let plan = place.plan("one");
        assert!(plan.mounts.iter().all(|mount| !mount.source.contains("home")), "{plan:?}");
        assert!(plan.problems[0].contains("the worktree two"), "{plan:?}");
    }
}

#[test]
fn what_belongs_to_somebody_else_is_not_shown() {
    let place = Place::new();
    place.worktree("one");
    let plan = place.plan_as("one", rustix::process::getuid().as_raw() + 1);
    assert_eq!(plan.mounts, []);
    assert!(plan.problems[0].contains("belongs to somebody else"), "{plan:?}");
}

#[test]
fn what_the_image_has_is_not_covered() {
    let shown = |inside: &str| Shown { source: "/src/x".into(), inside: inside.into(), writable: true };
    for inside in
        ["/", "/usr", "/usr/bin", "/etc/x", "/app", "/app/x", "/home/claude", "/home", "/tmp", "/run"]
    {
        let plan = plan(Layout::Submodule { folders: vec![shown(inside)] });
        assert_eq!((plan.mounts.len(), plan.problems.len()), (0, 1), "{inside}");
    }
    for inside in
        ["/home/alice/x", "/root/x", "/tmp/x", "/usr/src/x", "/x", "/.git/modules/x", "/run/user/1/x"]
    {
        let plan = plan(Layout::Submodule { folders: vec![shown(inside)] });
        assert_eq!((plan.mounts.len(), plan.problems.len()), (1, 0), "{inside}");
    }
}
