//! Homes and projects as earlier versions of the tool left them, from the trees under `tests/fixtures/old-homes`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::sandbox::{Project, Sandbox};
use super::secrets::Canary;

/// Which tool it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The one written in Go, with several accounts.
    Go,
    /// The shell script before that.
    Shell,
}

/// The old keys of a sandbox.
pub struct OldKeys {
    /// Of the account a sandbox has by default.
    pub user: Canary,
    /// Of another account.
    pub work: Canary,
}

/// Lays out what a tool left: files that everybody can read, in folders that everybody can look into. Says what the keys
/// in it are.
pub fn lay_out(generation: Generation, sandbox: &Sandbox, project: &Project<'_>) -> OldKeys {
    let keys = OldKeys { user: sandbox.canary("old-user"), work: sandbox.canary("old-work") };
    let path = project.path().display().to_string();
    let texts = [
        ("KEY_OF_user", keys.user.key()),
        ("KEY_OF_work", keys.work.key()),
        ("TAIL_OF_user", keys.user.tail()),
        ("PROJECT", &path),
        ("HASH", &project.hash()),
    ];
    let replaced = |text: &str| texts.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let tree =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/old-homes").join(match generation {
            Generation::Go => "go",
            Generation::Shell => "shell",
        });
    copy(&tree.join("home"), &sandbox.home(), &replaced);
    copy(&tree.join("project"), project.path(), &replaced);
    keys
}

fn copy(from: &Path, to: &Path, replaced: &impl Fn(&str) -> String) {
    for entry in fs::read_dir(from).expect("the fixture is there") {
        let entry = entry.expect("it can be read").path();
        let name = entry.file_name().and_then(|name| name.to_str()).expect("its names are text");
        let target = to.join(replaced(name));
        if entry.is_dir() {
            fs::create_dir_all(&target).expect("folders can be made in the sandbox");
            copy(&entry, &target, replaced);
        } else {
            let text = fs::read_to_string(&entry).expect("its files are text");
            fs::write(&target, replaced(&text)).expect("files can be written in the sandbox");
        }
        let executable = entry.metadata().expect("it was just read").permissions().mode() & 0o100 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
}
