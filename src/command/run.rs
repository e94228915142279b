//! `run`: a Claude Code session in this project's container.

pub mod dry_run;
pub mod notices;

use std::process::ExitCode;

use secrecy::SecretString;

use super::choices::ChoiceArgs;
use super::image::kept_variant;
use super::keys::KeyArgs;
use super::launch::{self, Entered, Inside, Joining};
use super::settle::settle;
use super::shell;
use super::subscription::{self, Opening};
use super::target::Target;
use crate::config::{Source, Values};
use crate::container::engine::exec::ExecRequest;
use crate::container::session;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::provider::session_env::SessionEnv;
use crate::signals::EndSignals;
use crate::ui;

pub(crate) const EXAMPLES: &str = "\
Examples:
  claude-reactor run --llm-provider zai        switch this project to Z.AI; asks for the key once
  claude-reactor                               from then on: a session on Z.AI
  claude-reactor run -- -p \"what is this?\"     one answer, without a terminal
  claude-reactor run -- --resume               whatever follows `--` goes to claude
  claude-reactor run --shell                   a shell where the session would be
  claude-reactor run --dry-run                 what would be made or reused, and why
  pass show zai | claude-reactor run --llm-provider zai --key-stdin -- -p hi";

/// Start a Claude Code session in this project's container (the default)
///
/// The project is the nearest folder upwards that holds a `.claude-reactor` file, else this one. Its container is made,
/// started or reused as needed, and Claude Code runs in it on the provider this project chose.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// What is chosen.
    #[command(flatten)]
    pub choices: ChoiceArgs,
    /// Let Claude Code act without asking for permission; remembered for this project, `--danger=false` ends it
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub danger: Option<bool>,
    /// Where a key comes from.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Start a shell instead of Claude Code; it has the key under its own name as well
    #[arg(long, conflicts_with_all = ["claude_args", "interactive_login"])]
    pub shell: bool,
    /// Remove the container at the end of the session, unless another session is in it (`session_persistence: false` in a
    /// file does so every time)
    #[arg(long)]
    pub no_persist: bool,
    /// Show what would be done; write nothing and start nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: as JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,
    /// Arguments for claude
    #[arg(last = true, value_name = "CLAUDE ARGS")]
    pub claude_args: Vec<String>,
}

/// Does it, and returns the session's exit code.
pub async fn run(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let own = Values {
        danger: args.danger,
        session_persistence: args.no_persist.then_some(false),
        ..Values::default()
    };
    let mut target = Target::resolve(&args.choices, own, host)?;
    Box::pin(kept_variant::settle(&mut target, host)).await;
    let target = target;
    if args.dry_run {
        return dry_run::show(&target, args.json, host).await;
    }
    // One listener for the whole command: a signal between two waits is kept for the next one.
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let env = settle(&target, &args.key, host).await?;
    let opening = if args.shell {
        Opening::Prompt
    } else {
        subscription::opening(&target, &env, &args.claude_args, args.key.interactive_login, host)?
    };
    let request = |inside: &Inside| request(args, &target, &env, opening, inside, host);
    let entered = launch::enter(&target, &env, host, Joining::AsWanted, &mut signals, request).await?;
    let Entered { engine, container, session, forwarded: _while_it_lives, claude_version } = entered;
    ui::note(&summary(&target, &env));
    subscription::warn_of_passed_over(&target, &env);
    notices::of_older_claude(claude_version, &target.settings, &args.claude_args, host);
    let code = session::join(session, &mut signals).await;
    if !target.settings.session_persistence.value {
        match signals.unless(launch::remove_if_idle(&target, &engine, &container)).await {
            Ok(Err(error)) => ui::warn(&format!("the container stays: {error}")),
            Ok(Ok(())) => {}
            Err(signal) => ui::warn(&format!("the container stays: {signal}")),
        }
    }
    Ok(ExitCode::from(code?))
}

fn request(
    args: &Args,
    target: &Target,
    env: &SessionEnv,
    opening: Opening,
    inside: &Inside,
    host: &Host,
) -> ExecRequest {
    let (command, vars): (Vec<String>, Vec<(String, SecretString)>) = if args.shell {
        (shell::command(target, &[]), launch::owned(env.for_command()))
    } else {
        let export_key = target.settings.export_key.value;
        let command = claude_command(args, target, env, opening);
        let command = if host.terminal.is_interactive() { resumed(command) } else { command };
        (command, launch::owned(env.for_claude(export_key)))
    };
    launch::exec_request(command, vars, inside, host)
}

fn claude_command(args: &Args, target: &Target, env: &SessionEnv, opening: Opening) -> Vec<String> {
    let mut command = launch::without_own_key(target, env);
    command.push("claude".to_owned());
    if target.settings.danger.value {
        command.push("--dangerously-skip-permissions".to_owned());
    }
    command.extend(args.claude_args.iter().cloned());
    if opening == Opening::LoginScreen {
        command.push("/login".to_owned());
    }
    command
}

/// The same command with somebody who brings it back after Ctrl-Z. Claude Code suspends itself then and waits for a
/// shell's `fg`; but inside there is no shell to type it to, and what leads a session of the kernel's cannot even stop.
fn resumed(command: Vec<String>) -> Vec<String> {
    // The codes of a job that was stopped by SIGSTOP and SIGTSTP.
    const SCRIPT: &str = "set -m; \"$@\"; while code=$?; [ $code = 147 ] || [ $code = 148 ]; do fg >/dev/null; done; exit $code";
    ["sh", "-c", SCRIPT, "sh"].into_iter().map(str::to_owned).chain(command).collect()
}

/// The line before the session: who talks to whom, and what pays for it.
fn summary(target: &Target, env: &SessionEnv) -> String {
    let image = &target.settings.image;
    let mut parts = vec![
        target.account.to_string(),
        ui::one_line(target.project.name()),
        target.settings.provider.value.to_string(),
        env.model().unwrap_or("default model").to_owned(),
        env.endpoint().to_owned(),
        env.credential().to_string(),
    ];
    if let Source::Detected(_) = image.source
        && image.value != ImageChoice::default()
    {
        parts.push(format!("image {} ({})", image.value, image.source));
    }
    parts.join(" · ")
}
