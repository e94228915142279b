//! `llm test`: whether a provider answers, from this machine and from where its sessions are.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::state::CredentialView;
use crate::command::image::kept_variant;
use crate::command::keys;
use crate::command::launch;
use crate::command::target::Target;
use crate::error::Error;
use crate::host::Host;
use crate::provider::catalog::Provider;
use crate::provider::setup;
use crate::provider::variables::{AUTH_TOKEN, OAUTH_TOKEN};
use crate::ui::table::{Cell, Table};
use crate::ui::{self, BAD, FAINT, GOOD, HINT};

pub mod check;
pub mod from_host;
pub mod inside;
pub mod subject;

use check::Check;
use subject::Subject;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm test                       this project's provider
  claude-reactor llm test zai                   another one, which the project need not use
  claude-reactor llm test --host-only           without a container
  claude-reactor llm test --json | jq '.checks[] | select(.problem)'

Exit codes: 0 all is well, 1 something is not, 2 the provider is not known or not set up";

/// Try a provider: one tiny request from this machine, and one from inside the container
///
/// Each says whether the endpoint is reached, takes the key and knows the model, and how long that took; what fails, with what
/// to do. The container is this project's for that provider, made or started if need be. A Claude subscription's login is
/// only looked at, and of a cloud only the endpoint is tried: nothing is spent.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: super::Which,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Only from this machine; needs no engine
    #[arg(long)]
    host_only: bool,
    /// The container engine
    #[arg(long, value_name = "ENGINE", conflicts_with = "host_only")]
    engine: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    /// The provider.
    provider: String,
    /// What people call it.
    name: String,
    /// Whose key.
    account: String,
    /// Where the requests went.
    endpoint: String,
    /// The model that was asked; null where none was.
    model: Option<String>,
    /// What pays.
    credential: CredentialView,
    /// Whether all is well.
    ok: bool,
    /// Each try.
    checks: Vec<Check>,
    /// What no try can tell.
    not_tested: Vec<&'static str>,
}

/// Does it.
pub(super) async fn test(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let mut target = args.which.look_at(args.engine.as_ref(), host)?;
    if !args.host_only {
        Box::pin(kept_variant::settle(&mut target, host)).await;
    }
    let target = target;
    let provider = super::provider(&target)?;
    target.catalog.check_usable(&provider)?;
    let Some(stored) = keys::known_for(&target, &provider)? else { return Err(missing(&target, &provider)?) };
    let env = launch::session_env(&target, &provider, &stored)?;
    let subject = Subject::of(&target, &provider, &env)?;
    let mut checks = vec![from_host::check(&subject, &target, host).await?];
    if !args.host_only {
        checks.push(inside::check(&subject, &target, &env, host).await?);
    }
    let report = Report {
        provider: provider.id.to_string(),
        name: provider.name.clone(),
        account: target.account.to_string(),
        endpoint: subject.address().to_owned(),
        model: subject.model().map(str::to_owned),
        credential: CredentialView::of(&target, &provider, env.credential()),
        ok: checks.iter().all(Check::is_good),
        checks,
        not_tested: subject.not_tested(),
    };
    if args.json {
        ui::json(&report)?;
    } else {
        ui::shown(&text(&target, &report))?;
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The error for a provider that has nothing to be tried with.
fn missing(target: &Target, provider: &Provider) -> Result<Error, Error> {
    let command = keys::add_command(target, &provider.id);
    if let Some(cloud) = &provider.cloud {
        let stored = keys::stored(target, provider)?;
        let stated = |name: &str| {
            stored.states(name) || crate::provider::session_env::cloud::row_states(provider, name)
        };
        let needs = cloud.missing(stated);
        return Ok(setup::Error::MissingInputs { provider: provider.name.clone(), needs, command }.into());
    }
    let token = provider.is_claude().then(|| OAUTH_TOKEN.to_owned());
    let mut names: Vec<String> = provider.key_env.iter().cloned().chain(token).collect();
    if names.is_empty() {
        names.push(AUTH_TOKEN.to_owned());
    }
    Ok(setup::Error::MissingKey { provider: provider.name.clone(), names, command }.into())
}

fn text(target: &Target, report: &Report) -> String {
    let head = [
        super::named(&report.provider, &report.name),
        report.endpoint.clone(),
        report.model.clone().unwrap_or_else(|| "no model asked".to_owned()),
        report.credential.shown(target),
    ];
    let mut text = format!("{}\n\n", ui::styled(FAINT, ui::one_line(&head.join(" · "))));
    let mut table = Table::new(["FROM", "REACHED", "KEY", "MODEL", "TIME"]);
    for check in &report.checks {
        table.row([
            Cell::from(check.from),
            match check.reached {
                Some(true) => Cell::from("yes").styled(GOOD),
                Some(false) => Cell::from("no").styled(BAD),
                None => Cell::from("not tried").styled(FAINT),
            },
            judged(check.key),
            judged(check.model),
            Cell::from(check.latency_ms.map(|ms| format!("{ms} ms")).unwrap_or_default()),
        ]);
    }
    text.push_str(&table.render());
    for check in &report.checks {
        let Some(problem) = &check.problem else { continue };
        let _ = writeln!(text, "\n{} {}", ui::styled(BAD, format!("{}:", check.from)), ui::one_line(problem));
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "  {} {}", ui::styled(HINT, "hint:"), ui::one_line(remedy));
        }
    }
    if !report.not_tested.is_empty() {
        let _ = writeln!(text, "\nnot tested: {}", report.not_tested.join("; "));
    }
    text
}

fn judged(word: &'static str) -> Cell {
    let cell = Cell::from(word.replace('-', " "));
    match word {
        "good" | "found" | "logged-in" => cell.styled(GOOD),
        "refused" | "not-found" | "expired" | "absent" => cell.styled(BAD),
        _ => cell.styled(FAINT),
    }
}
