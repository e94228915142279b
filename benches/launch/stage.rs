//! The home, the projects and the containers that are measured.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A home with keys for two providers, and a project for each; gone when dropped.
pub(crate) struct Stage {
    root: tempfile::TempDir,
    /// The image of the containers.
    pub(crate) image: String,
}

impl Stage {
    /// Lays everything out, and has both containers made.
    pub(crate) fn set_up() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        for (provider, line) in [("zai", "ZAI_API_KEY='bench'"), ("claude", "ANTHROPIC_API_KEY='bench'")] {
            let folder = root.path().join("home/bench/llms").join(provider);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder for the key");
            let file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(".env"));
            writeln!(file.expect("a file for the key"), "{line}").expect("the key is written");
            fs::create_dir_all(root.path().join("projects").join(provider)).expect("a project");
        }
        let mut stage = Self { root, image: String::new() };
        let set_up = stage.reactor("zai", &["exec", "--llm-provider", "zai", "--", "true"]).status();
        assert!(set_up.expect("claude-reactor starts").success(), "the first container could not be made");
        assert!(
            stage
                .reactor("claude", &["exec", "--", "true"])
                .status()
                .expect("claude-reactor starts")
                .success()
        );
        stage.image = client_ok(&["inspect", "--format", "{{.Config.Image}}", &stage.container("zai")]);
        stage
    }

    /// `claude-reactor` in a project.
    pub(crate) fn reactor(&self, project: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claude-reactor"));
        let home = self.root.path().join("home");
        command.args(args).current_dir(self.project(project)).env("CLAUDE_REACTOR_HOME", home);
        command.env("CLAUDE_REACTOR_ACCOUNT", "bench").env_remove("PWD");
        command
    }

    /// The container of a project.
    pub(crate) fn container(&self, project: &str) -> String {
        let label = format!("label=dev.claude-reactor.project={}", self.project(project).display());
        client_ok(&["ps", "-aq", "--filter", &label])
    }

    /// Removes the container of a project.
    pub(crate) fn remove(&self, project: &str) {
        let container = self.container(project);
        if !container.is_empty() {
            client_ok(&["rm", "-f", &container]);
        }
    }

    fn project(&self, project: &str) -> PathBuf {
        Path::new(self.root.path()).join("projects").join(project)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for project in ["zai", "claude"] {
            self.remove(project);
        }
    }
}

/// The engine's command line.
pub(crate) fn client() -> String {
    std::env::var("CLAUDE_REACTOR_BENCH_CLIENT").unwrap_or_else(|_| "docker".to_owned())
}

/// Runs the engine's command line and returns what it prints.
pub(crate) fn client_ok(args: &[&str]) -> String {
    let output = Command::new(client()).args(args).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.expect("the engine's command line starts");
    assert!(output.status.success(), "{} {args:?}", client());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
