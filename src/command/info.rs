//! `info`: what this project's sessions stand on. Nothing is written, and nothing is started.

mod mounts;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::about::AboutArgs;
use super::image::{self, kept_variant};
use super::target::Target;
use super::{keys, launch};
use crate::config::{Source, Values};
use crate::container::apply;
use crate::container::engine::about::{ImageDetails, Survey, made_at};
use crate::container::engine::facts::Kind;
use crate::container::engine::{Engine, Error as EngineError, Facts};
use crate::container::found::State;
use crate::container::image::{LABEL_CLAUDE_CODE_VERSION, pinned_claude_version};
use crate::container::local_image::LocalImage;
use crate::container::plan::Plan;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::provider::catalog::Catalog;
use crate::provider::session_env::SessionEnv;
use crate::signals;
use crate::ui::table::{Cell, Table};
use crate::ui::{self, BAD, FAINT, STRONG, human};
use mounts::Explained;

const EXAMPLES: &str = "\
Examples:
  claude-reactor info                          engine, image, project, provider, container, mounts
  claude-reactor info --llm-provider zai       as if this project were on Z.AI
  claude-reactor info --json | jq -r '.mounts[] | \"\\(.source) \\(.kind)\"'";

/// How long the engine may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Show what this project's sessions stand on
///
/// The engine, the image, the project's files, the account, the provider, the container, and what each mount is for. Nothing
/// is written or started. Without an engine the rest is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What is shown.
    #[command(flatten)]
    pub about: AboutArgs,
    /// As JSON (docs/doctor.md)
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints. Field names are stable; what is not known is null.
#[derive(Debug, Serialize)]
struct Report {
    /// The version of claude-reactor.
    version: &'static str,
    /// The version of Claude Code that it goes with.
    claude_code_version: String,
    engine: EngineReport,
    image: ImageReport,
    project: ProjectReport,
    account: AccountReport,
    provider: ProviderReport,
    container: ContainerReport,
    mounts: Vec<Explained>,
}

/// The container engine.
#[derive(Debug, Default, Serialize)]
struct EngineReport {
    /// Whether one answers. Where not, `error` and `hint` say why, and the rest is null.
    answers: bool,
    error: Option<String>,
    hint: Option<String>,
    /// `docker` or `podman`.
    kind: Option<&'static str>,
    version: Option<String>,
    /// The version of its API that both sides agreed on.
    api_version: Option<String>,
    endpoint: Option<String>,
    /// What said where it is.
    chosen_by: Option<String>,
    rootless: Option<bool>,
    selinux: Option<bool>,
    cgroup_version: Option<String>,
    cgroup_driver: Option<String>,
    /// `amd64`, `arm64`.
    architecture: Option<String>,
    kernel: Option<String>,
    /// Where it keeps images and containers, on its own machine.
    data_root: Option<String>,
}

/// This project's image.
#[derive(Debug, Serialize)]
struct ImageReport {
    reference: String,
    /// `built-in` or `custom`.
    kind: &'static str,
    /// The choice: a variant's name or a reference, and what made it.
    choice: String,
    from: String,
    /// Whether the engine has it; null without an engine.
    present: Option<bool>,
    /// In bytes.
    size: Option<u64>,
    created: Option<String>,
    /// The version of Claude Code in it, by its label.
    claude_code_version: Option<String>,
}

/// The project.
#[derive(Debug, Serialize)]
struct ProjectReport {
    path: String,
    hash: String,
    name: String,
    /// The files that have a say in it, and are there.
    files: Vec<String>,
    /// Where the account's state for it is.
    session_dir: String,
}

/// Whose credentials and sessions.
#[derive(Debug, Serialize)]
struct AccountReport {
    name: String,
    from: String,
}

/// The LLM backend.
#[derive(Debug, Serialize)]
struct ProviderReport {
    id: String,
    /// What people call it; null for one that is in no row.
    name: Option<String>,
    from: String,
    endpoint: Option<String>,
    model: Option<String>,
    /// By name; null where a session would ask for it.
    credential: Option<String>,
    /// What keeps a session from starting.
    error: Option<String>,
}

/// This project's container.
#[derive(Debug, Serialize)]
struct ContainerReport {
    name: String,
    /// `running`, `paused`, `stopped`, …; `absent` where there is none, null without an engine.
    state: Option<&'static str>,
    /// How many commands run inside.
    sessions: Option<usize>,
    /// When it was made.
    created: Option<String>,
    /// What the next `run` would do: `create`, `reuse`, `unpause`, `start` or `recreate`; and why.
    next_run: Option<&'static str>,
    reason: Option<String>,
    #[serde(skip)]
    made: Option<SystemTime>,
}

/// Does it. Exit code 0 also without an engine: all that was asked for is shown.
pub async fn info(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let mut target = Target::resolve(&args.about.choices(), Values::default(), host)?;
    Box::pin(kept_variant::settle(&mut target, host)).await;
    let target = target;
    let report = signals::unless_ended(Box::pin(report(&target, host))).await??;
    if args.json {
        ui::json(&report)?;
    } else {
        target.warnings.iter().for_each(|warning| ui::warn(warning));
        ui::shown(&table(&report, SystemTime::now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the engine has to do with the project.
#[derive(Default)]
struct OfEngine {
    custom: Option<LocalImage>,
    details: Option<ImageDetails>,
    plan: Option<Plan>,
    sessions: Option<usize>,
}

async fn report(target: &Target, host: &Host) -> Result<Report, Error> {
    let (env, problem) = match session_env(target) {
        Ok(env) => (env, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let asked = async {
        let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
        let survey = engine.survey().await?;
        let of_engine = of_engine(&engine, target, env.as_ref(), host).await?;
        Ok::<_, EngineError>((engine, survey, of_engine))
    };
    // Without an engine, the mounts are those on the usual one.
    let usual = Facts { kind: Kind::Docker, rootless: false, selinux: false };
    let (facts, engine, of_engine) = match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok((engine, survey, of_engine))) => (engine.facts(), engine_report(&engine, survey), of_engine),
        Ok(Err(error)) => (usual, no_engine(error.to_string(), error.hint()), OfEngine::default()),
        Err(_) => {
            let error = format!("it does not answer within {} s", LIMIT.as_secs());
            (usual, no_engine(error, None), OfEngine::default())
        }
    };
    let spec = launch::spec(target, of_engine.custom.as_ref(), env.as_ref(), facts, host);
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        claude_code_version: pinned_claude_version().to_string(),
        image: image_report(target, &engine, of_engine.details.as_ref()),
        project: project_report(target),
        account: AccountReport { name: target.account.to_string(), from: target.account_source.to_string() },
        provider: provider_report(target, env.as_ref(), problem),
        container: container_report(target, &engine, &of_engine),
        mounts: mounts::explained(&spec.mounts, &target.mounts),
        engine,
    })
}

fn session_env(target: &Target) -> Result<Option<SessionEnv>, Error> {
    let known = keys::known(target)?;
    known.map(|(provider, credentials)| launch::session_env(target, &provider, &credentials)).transpose()
}

async fn of_engine(
    engine: &Engine,
    target: &Target,
    env: Option<&SessionEnv>,
    host: &Host,
) -> Result<OfEngine, EngineError> {
    let choice = &target.settings.image.value;
    let custom = match choice {
        ImageChoice::BuiltIn(_) => None,
        ImageChoice::Custom(reference) => LocalImage::find(engine, reference).await?,
    };
    let spec = launch::spec(target, custom.as_ref(), env, engine.facts(), host);
    let details = engine.image_details(&spec.image).await?;
    let plan = apply::look(engine, &spec, &target.identity).await?;
    let sessions = match plan.found().filter(|found| found.state == State::Running) {
        Some(found) => Some(engine.live_execs(&found.id).await?),
        None => None,
    };
    Ok(OfEngine { custom, details, plan: Some(plan), sessions })
}

fn engine_report(engine: &Engine, survey: Survey) -> EngineReport {
    let facts = engine.facts();
    EngineReport {
        answers: true,
        error: None,
        hint: None,
        kind: Some(match facts.kind {
            Kind::Docker => "docker",
            Kind::Podman => "podman",
        }),
        version: Some(survey.version),
        api_version: Some(survey.api.to_string()),
        endpoint: Some(engine.endpoint().to_string()),
        chosen_by: Some(engine.chosen_by().to_string()),
        rootless: Some(facts.rootless),
        selinux: Some(facts.selinux),
        cgroup_version: survey.cgroup_version,
        cgroup_driver: survey.cgroup_driver,
        architecture: survey.architecture,
        kernel: survey.kernel,
        data_root: survey.data_root.map(|path| path.display().to_string()),
    }
}

fn no_engine(error: String, hint: Option<String>) -> EngineReport {
    EngineReport { error: Some(error), hint, ..EngineReport::default() }
}

fn image_report(target: &Target, engine: &EngineReport, details: Option<&ImageDetails>) -> ImageReport {
    let choice = &target.settings.image;
    ImageReport {
        reference: image::reference(&target.settings),
        kind: match choice.value {
            ImageChoice::BuiltIn(_) => "built-in",
            ImageChoice::Custom(_) => "custom",
        },
        choice: choice.value.to_string(),
        from: choice.source.to_string(),
        present: engine.answers.then_some(details.is_some()),
        size: details.map(|details| details.size),
        created: details.and_then(|details| details.created).map(human::rfc3339),
        claude_code_version: details
            .and_then(|details| details.labels.get(LABEL_CLAUDE_CODE_VERSION))
            .cloned(),
    }
}

fn project_report(target: &Target) -> ProjectReport {
    let home = &target.reactor_home;
    let files = [
        target.project.file(),
        target.session_dir.file(),
        home.join(target.account.as_str()).join("config.yaml"),
        home.join("config.yaml"),
        Catalog::user_file(home),
    ];
    ProjectReport {
        path: target.project.root().to_owned(),
        hash: target.project.hash().to_owned(),
        name: target.project.name().to_owned(),
        files: files.iter().filter(|path| path.is_file()).map(|path| path.display().to_string()).collect(),
        session_dir: target.session_dir.path().display().to_string(),
    }
}

fn provider_report(target: &Target, env: Option<&SessionEnv>, error: Option<String>) -> ProviderReport {
    let id = &target.settings.provider;
    let row = target.catalog.get(&id.value);
    let endpoint = env.map(SessionEnv::endpoint).or_else(|| row.and_then(|row| row.endpoint()));
    ProviderReport {
        id: id.value.to_string(),
        name: row.map(|row| row.name.clone()),
        from: id.source.to_string(),
        endpoint: endpoint.map(str::to_owned),
        model: env
            .map_or_else(|| row.and_then(|row| row.models.main.as_deref()), SessionEnv::model)
            .map(str::to_owned),
        credential: env.map(|env| env.credential().to_string()),
        error,
    }
}

fn container_report(target: &Target, engine: &EngineReport, of_engine: &OfEngine) -> ContainerReport {
    let plan = of_engine.plan.as_ref();
    let found = plan.and_then(Plan::found);
    let made = found.and_then(|found| made_at(found.created));
    ContainerReport {
        name: found.map_or_else(|| target.identity.container_name(), |found| found.name.clone()),
        state: engine.answers.then(|| found.map_or("absent", |found| word(found.state))),
        sessions: of_engine.sessions,
        created: made.map(human::rfc3339),
        next_run: plan.map(Plan::verb),
        reason: plan.map(Plan::why),
        made,
    }
}

/// A state in a word.
fn word(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::Dead => "dead",
        State::Removing => "removing",
        State::Restarting => "restarting",
        State::NeverStarted => "half-made",
        State::Stopped => "stopped",
        State::Paused => "paused",
        State::Running => "running",
    }
}

fn table(report: &Report, now: SystemTime) -> String {
    let mut table = Table::plain();
    let mut row = |name: &str, cell: Cell| table.row([Cell::from(name).styled(STRONG), cell]);
    let from = |value: &str, from: &str| match from {
        from if from == Source::Default.to_string() => format!("{value} (default)"),
        from => format!("{value} (from: {from})"),
    };
    row(
        "versions",
        format!("claude-reactor {}, Claude Code {}", report.version, report.claude_code_version).into(),
    );
    for (index, cell) in engine_lines(&report.engine).into_iter().enumerate() {
        row(if index == 0 { "engine" } else { "" }, cell);
    }
    row("image", from(&report.image.choice, &report.image.from).into());
    row("", image_line(&report.image).into());
    let ProjectReport { path, hash, files, session_dir, .. } = &report.project;
    row("project", format!("{path} ({hash})").into());
    row("", format!("state: {session_dir}").into());
    for file in files {
        row("", format!("file: {file}").into());
    }
    row("account", from(&report.account.name, &report.account.from).into());
    let provider = &report.provider;
    row("provider", from(&provider.id, &provider.from).into());
    row("", format!("endpoint: {}", provider.endpoint.as_deref().unwrap_or("not known yet")).into());
    row("", format!("model: {}", provider.model.as_deref().unwrap_or("Claude Code's default")).into());
    let none = "none yet: `run` asks for it";
    row("", format!("credential: {}", provider.credential.as_deref().unwrap_or(none)).into());
    if let Some(error) = &provider.error {
        row("", Cell::from(error.as_str()).styled(BAD));
    }
    row("container", report.container.name.as_str().into());
    row("", container_line(&report.container, now).into());
    for (index, mount) in report.mounts.iter().enumerate() {
        let name = if index == 0 { "mounts" } else { "" };
        let read_only = if mount.read_only { ", read-only" } else { "" };
        row(name, format!("{} → {}{read_only}", mount.source, mount.target).into());
        row("", Cell::from(format!("  {}", mount.purpose)).styled(FAINT));
    }
    table.render()
}

fn engine_lines(engine: &EngineReport) -> Vec<Cell> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    if !engine.answers {
        let error = text(&engine.error);
        let lines = error.lines().map(|line| Cell::from(line.trim()).styled(BAD));
        return lines.chain(engine.hint.as_deref().map(|hint| format!("hint: {hint}").into())).collect();
    }
    let kind = if engine.kind == Some("podman") { "Podman" } else { "Docker" };
    let rootless = if engine.rootless == Some(true) { ", rootless" } else { "" };
    let selinux = if engine.selinux == Some(true) { ", SELinux" } else { "" };
    let cgroups = match (&engine.cgroup_version, &engine.cgroup_driver) {
        (Some(version), Some(driver)) => {
            format!(", control groups v{} by {driver}", version.trim_start_matches('v'))
        }
        _ => String::new(),
    };
    vec![
        format!("{kind} {}{rootless}, API {}", text(&engine.version), text(&engine.api_version)).into(),
        format!("{} (by {})", text(&engine.endpoint), text(&engine.chosen_by)).into(),
        format!("{}{selinux}{cgroups}", text(&engine.architecture)).into(),
    ]
}

fn image_line(image: &ImageReport) -> String {
    let state = match (image.present, image.size) {
        (Some(true), Some(size)) => {
            let version = image.claude_code_version.as_deref();
            let version = version.map_or(String::new(), |version| format!(", Claude Code {version}"));
            format!("{}{version}", human::size(size))
        }
        (Some(true), None) => "present".to_owned(),
        (Some(false), _) if image.kind == "custom" => "to be pulled".to_owned(),
        (Some(false), _) => "to be built".to_owned(),
        (None, _) => "whether it is there, only an engine knows".to_owned(),
    };
    format!("{} ({state})", image.reference)
}

fn container_line(container: &ContainerReport, now: SystemTime) -> String {
    let Some(state) = container.state else { return "whether it is there, only an engine knows".to_owned() };
    let made = container.made.map(|made| format!(", made {}", human::ago(made, now))).unwrap_or_default();
    let sessions = match container.sessions {
        Some(1) => ", 1 session inside".to_owned(),
        Some(count) => format!(", {count} sessions inside"),
        None => String::new(),
    };
    let next = container.next_run.unwrap_or_default();
    let reason = container.reason.as_deref().unwrap_or_default();
    format!("{state}{made}{sessions}; the next run: {next}, {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_engine_the_error_is_shown_line_by_line() {
        let engine = no_engine(
            "none answers; tried:\n  unix:///a: no such socket".to_owned(),
            Some("start one".to_owned()),
        );
        assert_eq!(engine_lines(&engine).len(), 3);
    }
}
