//! Says to the program what it was built for and from: the platform, and the commit where a repository tells it.
//!
//! Git itself is not asked: it may be missing, and a folder of another owner it refuses to read. An archive without a
//! repository builds as well; who makes packages from one can state the commit (`CLAUDE_REACTOR_BUILD_COMMIT`). Builds for
//! development name none: they are made from whatever lies there, and every commit would have all of it compiled anew.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const COMMIT: &str = "CLAUDE_REACTOR_BUILD_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let var = |name: &str| env::var(name).expect("cargo sets it");
    println!("cargo::rustc-env=CLAUDE_REACTOR_BUILD_TARGET={}", var("TARGET"));
    let stated = env::var(COMMIT).ok().filter(|commit| is_commit(commit));
    let is_release = var("PROFILE") == "release";
    let found = || is_release.then(|| commit(Path::new(&var("CARGO_MANIFEST_DIR"))))?;
    if let Some(commit) = stated.or_else(found) {
        println!("cargo::rustc-env={COMMIT}={commit}");
    }
}

/// The commit that is checked out in a folder.
fn commit(root: &Path) -> Option<String> {
    let git = git_dir(root)?;
    let head = read(&git.join("HEAD"))?;
    // A branch's own file may not be there yet when the next commit is made; this one is.
    read(&git.join("logs/HEAD"));
    let Some(reference) = head.strip_prefix("ref: ") else {
        return Some(head).filter(|head| is_commit(head));
    };
    // The branches of a linked worktree lie with the repository that it belongs to.
    let common = read(&git.join("commondir")).map_or_else(|| git.clone(), |path| git.join(path));
    read(&common.join(reference))
        .or_else(|| packed(&common.join("packed-refs"), reference))
        .filter(|commit| is_commit(commit))
}

/// `.git`, or where a linked worktree's `.git` file says that its own is.
fn git_dir(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    Some(root.join(read(&git)?.strip_prefix("gitdir: ")?))
}

fn packed(file: &Path, reference: &str) -> Option<String> {
    let text = read(file)?;
    let of_reference = |line: &str| Some(line.strip_suffix(reference)?.trim_end().to_owned());
    text.lines().find_map(of_reference)
}

/// A file's text without the end of its line. What it says may change, and then this has to run again.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Some(text.trim_end().to_owned())
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
