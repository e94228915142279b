//! `run --dry-run`: the plan, with nothing written and nothing started. Variables by name, never by value.

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

use crate::command::target::Target;
use crate::command::{keys, launch, old_home, trust};
use crate::config::entries::Entry;
use crate::container::apply;
use crate::container::engine::Engine;
use crate::container::local_image::LocalImage;
use crate::container::mount::Mount;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
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
    image_kind: &'static str,
    image_source: String,
    image_present: bool,
    container: String,
    action: &'static str,
    reason: String,
    user: String,
    mounts: Vec<Mount>,
    variables: Vec<String>,
    settings: Vec<Entry>,
    awaits_consent: Vec<String>,
    old_home: Vec<String>,
    warnings: Vec<String>,
}

/// Prints the plan.
pub async fn show(target: &Target, json: bool, host: &Host) -> Result<ExitCode, Error> {
    target.warnings.iter().for_each(|warning| ui::warn(warning));
    let report = report(target, host).await?;
    if json {
        ui::json(&report)?;
    } else {
        ui::data(&table(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn report(target: &Target, host: &Host) -> Result<Report, Error> {
    let id = &target.settings.provider;
    let known = keys::known(target)?;
    let env = known
        .map(|(provider, credentials)| launch::session_env(target, &provider, &credentials))
        .transpose()?;
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    let choice = &target.settings.image.value;
    let custom = match choice {
        ImageChoice::BuiltIn(_) => None,
        ImageChoice::Custom(reference) => LocalImage::find(&engine, reference).await?,
    };
    let spec = launch::spec(target, custom.as_ref(), env.as_ref(), engine.facts(), host);
    let identity = &target.identity;
    let plan = apply::look(&engine, &spec, identity).await?;
    let found = plan.found();
    let container = found.map_or_else(|| identity.container_name(), |found| found.name.clone());
    let mut variables: Vec<String> = spec.env.keys().cloned().collect();
    let export_key = target.settings.export_key.value;
    variables.extend(env.iter().flat_map(|env| env.for_claude(export_key)).map(|(name, _)| name.to_owned()));
    variables.extend(launch::carried_vars(target, host).into_iter().map(|(name, _)| name));
    variables.sort();
    variables.dedup();
    let old_home = old_home::preview(target, host)?;
    Ok(Report {
        project: target.project.root().to_owned(),
        project_hash: target.project.hash().to_owned(),
        account: target.account.to_string(),
        provider: id.value.to_string(),
        provider_source: id.source.to_string(),
        endpoint: env.as_ref().map(|env| env.endpoint().to_owned()),
        model: env.as_ref().and_then(|env| env.model().map(str::to_owned)),
        credential: env.as_ref().map(|env| env.credential().to_string()).or_else(|| {
            old_home
                .key
                .as_ref()
                .map(|path| format!("the old key in {}, once it is imported", path.display()))
        }),
        image_present: custom.is_some() || engine.image_id(&spec.image).await?.is_some(),
        image_kind: match choice {
            ImageChoice::BuiltIn(_) => "built-in",
            ImageChoice::Custom(_) => "custom",
        },
        image_source: target.settings.image.source.to_string(),
        image: spec.image,
        container,
        action: plan.verb(),
        reason: plan.why(),
        user: format!("{}:{}", spec.user.uid, spec.user.gid),
        mounts: spec.mounts,
        variables,
        settings: target.settings.entries(),
        awaits_consent: trust::awaited(target),
        old_home: old_home.words,
        warnings: target.carried.problems.clone(),
    })
}

fn image_state(report: &Report) -> &'static str {
    match (report.image_present, report.image_kind) {
        (true, _) => "present",
        (false, "custom") => "to be pulled",
        (false, _) => "to be built",
    }
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
        ("image", format!("{} ({}, from: {})", report.image, image_state(report), report.image_source)),
        ("container", report.container.clone()),
        ("action", format!("{}: {}", report.action, report.reason)),
        ("user", report.user.clone()),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<12}{}", ui::one_line(&value));
    }
    for (index, mount) in report.mounts.iter().enumerate() {
        let name = if index == 0 { "mounts" } else { "" };
        let read_only = if mount.read_only { " (read-only)" } else { "" };
        let _ = writeln!(text, "{name:<12}{} → {}{read_only}", ui::one_line(&mount.source), mount.target);
    }
    let _ = writeln!(text, "{:<12}{}", "variables", report.variables.join(" "));
    for (index, Entry { key, value, source, .. }) in
        report.settings.iter().filter(|entry| entry.is_chosen()).enumerate()
    {
        let name = if index == 0 { "settings" } else { "" };
        let _ = writeln!(text, "{name:<12}{}", ui::one_line(&format!("{key} = {value} (from: {source})")));
    }
    for (index, point) in report.awaits_consent.iter().enumerate() {
        let name = if index == 0 { "consent" } else { "" };
        let _ = writeln!(text, "{name:<12}`run` asks first: {point}");
    }
    for (index, what) in report.old_home.iter().enumerate() {
        let name = if index == 0 { "old home" } else { "" };
        let _ = writeln!(text, "{name:<12}{}", ui::one_line(what));
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "{:<12}{}", "warning", ui::one_line(warning));
    }
    text
}
