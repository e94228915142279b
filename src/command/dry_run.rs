//! `run --dry-run`: the plan, with nothing written and nothing started. Variables by name, never by value.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::target::Target;
use super::{keys, launch, trust};
use crate::config::entries::Entry;
use crate::container::engine::Engine;
use crate::container::mount::Mount;
use crate::container::plan::{Plan, plan};
use crate::error::Error;
use crate::host::Host;
use crate::ui;

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    project: String,
    project_hash: String,
    account: String,
    provider: String,
    provider_source: String,
    endpoint: Option<String>,
    model: Option<String>,
    credential: Option<String>,
    image: String,
    image_present: bool,
    container: String,
    action: &'static str,
    reason: String,
    user: String,
    mounts: Vec<Mount>,
    variables: Vec<String>,
    settings: Vec<Entry>,
    awaits_consent: Vec<String>,
}

/// Prints the plan.
pub async fn show(target: &Target, json: bool, host: &Host) -> Result<ExitCode, Error> {
    let report = report(target, host).await?;
    let text = if json { format!("{:#}\n", serde_json::json!(report)) } else { table(&report) };
    ui::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

async fn report(target: &Target, host: &Host) -> Result<Report, Error> {
    let id = &target.settings.provider;
    let known = keys::known(target)?;
    let env = known
        .map(|(provider, credentials)| launch::session_env(target, &provider, &credentials))
        .transpose()?;
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    let spec = launch::spec(target, env.as_ref(), engine.facts(), host);
    let identity = target.identity();
    let plan = plan(&spec, engine.find(&identity).await?);
    let container = match &plan {
        Plan::Reuse(found) | Plan::Unpause(found) | Plan::Start(found) => found.name.clone(),
        Plan::Create | Plan::Recreate(..) => identity.container_name(),
    };
    let mut variables: Vec<String> = spec.env.keys().cloned().collect();
    let export_key = target.settings.export_key.value;
    variables.extend(env.iter().flat_map(|env| env.for_claude(export_key)).map(|(name, _)| name.to_owned()));
    variables.sort();
    variables.dedup();
    Ok(Report {
        project: target.project.root().to_owned(),
        project_hash: target.project.hash().to_owned(),
        account: target.account.to_string(),
        provider: id.value.to_string(),
        provider_source: id.source.to_string(),
        endpoint: env.as_ref().map(|env| env.endpoint().to_owned()),
        model: env.as_ref().and_then(|env| env.model().map(str::to_owned)),
        credential: env.as_ref().map(|env| env.credential().to_string()),
        image_present: engine.image_id(&spec.image).await?.is_some(),
        image: target.variant.tag(),
        container,
        action: plan.verb(),
        reason: plan.why(),
        user: format!("{}:{}", spec.user.uid, spec.user.gid),
        mounts: spec.mounts,
        variables,
        settings: target.settings.entries(),
        awaits_consent: trust::awaited(target),
    })
}

fn table(report: &Report) -> String {
    let or = |value: &Option<String>, otherwise: &str| value.clone().unwrap_or_else(|| otherwise.to_owned());
    let rows = [
        ("project", format!("{} ({})", report.project, report.project_hash)),
        ("account", report.account.clone()),
        ("provider", format!("{} (from: {})", report.provider, report.provider_source)),
        ("endpoint", or(&report.endpoint, "not set up yet")),
        ("model", or(&report.model, "Claude Code's default")),
        ("credential", or(&report.credential, "none yet: `run` asks for the key")),
        (
            "image",
            format!("{} ({})", report.image, if report.image_present { "present" } else { "to be built" }),
        ),
        ("container", report.container.clone()),
        ("action", format!("{}: {}", report.action, report.reason)),
        ("user", report.user.clone()),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<11}{}", ui::one_line(&value));
    }
    for (index, mount) in report.mounts.iter().enumerate() {
        let name = if index == 0 { "mounts" } else { "" };
        let read_only = if mount.read_only { " (read-only)" } else { "" };
        let _ = writeln!(text, "{name:<11}{} → {}{read_only}", ui::one_line(&mount.source), mount.target);
    }
    let _ = writeln!(text, "{:<11}{}", "variables", report.variables.join(" "));
    for (index, Entry { key, value, source }) in
        report.settings.iter().filter(|entry| entry.is_chosen()).enumerate()
    {
        let name = if index == 0 { "settings" } else { "" };
        let _ = writeln!(text, "{name:<11}{}", ui::one_line(&format!("{key} = {value} (from: {source})")));
    }
    for (index, point) in report.awaits_consent.iter().enumerate() {
        let name = if index == 0 { "consent" } else { "" };
        let _ = writeln!(text, "{name:<11}`run` asks first: {point}");
    }
    text
}
