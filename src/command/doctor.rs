//! `doctor`: whether everything that a session needs is in order, and what mends what is not.
//!
//! The files beside this one hold the checks, a group each; here they are gathered, side by side where they take time, and
//! shown.

mod check;
mod disk;
mod engine;
mod home;
mod image;
mod key;
mod leftovers;
mod network;
mod settings;
mod surroundings;
mod terminal;
mod tools;

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use serde::Serialize;

use super::about::AboutArgs;
use super::image::kept_variant;
use super::keys;
use super::target::Target;
use crate::config::Values;
use crate::container::engine::facts::Kind;
use crate::container::engine::locate;
use crate::container::image::pinned_claude_version;
use crate::container::look_inside::Question;
use crate::container::name::Home;
use crate::error::Error;
use crate::host::Host;
use crate::project::Project;
use crate::provider::check::reach::{self, Reached};
use crate::provider::check::{self as key_check, Network};
use crate::provider::session_env::SessionEnv;
use crate::signals;
use crate::ui::table::{Cell, Table};
use crate::ui::{self, BAD, FAINT, GOOD, HINT, WARNING};
use check::{Check, Outcome, Told};
use key::Key;
use surroundings::Surroundings;

const EXAMPLES: &str = "\
Examples:
  claude-reactor doctor                        everything that a session in this folder needs
  claude-reactor doctor --offline              the same without asking the provider's endpoint
  claude-reactor doctor --llm-provider zai     as if this project were on Z.AI
  claude-reactor doctor --json | jq -r '.checks[] | select(.outcome == \"fail\") | .remedy'

Exit codes: 1 where a check fails, else 0; a warning is no failure.";

/// Check everything that a session needs, and say what mends what is wrong
///
/// The engine, the image, disks, keys and their modes, files, clocks, the provider's endpoint from here and from inside, the
/// terminal, leftovers. Nothing is changed, and no key is sent. Without an engine everything else is checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What is looked at.
    #[command(flatten)]
    pub about: AboutArgs,
    /// Do not ask the provider's endpoint, neither from here nor from inside
    #[arg(long)]
    pub offline: bool,
    /// As JSON (docs/doctor.md)
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    /// Every check, in the order in which people see them.
    checks: Vec<Check>,
    /// How many came out how.
    summary: Summary,
}

/// How many checks came out how.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Summary {
    pass: usize,
    warn: usize,
    fail: usize,
    skipped: usize,
}

/// Does it: exit code 1 where a check fails.
pub async fn doctor(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let checks = signals::unless_ended(Box::pin(examine(args, host))).await??;
    let report = Report { summary: summary(&checks), checks };
    if args.json {
        ui::json(&report)?;
    } else {
        ui::shown(&table(&report))?;
    }
    Ok(ExitCode::from(u8::from(report.summary.fail > 0)))
}

async fn examine(args: &Args, host: &Host) -> Result<Vec<Check>, Error> {
    let now = SystemTime::now();
    let reactor_home = host.reactor_home()?;
    let project = Project::find(host)?;
    let mut resolved = Target::resolve(&args.about.choices(), Values::default(), host).map_err(Told::from);
    if let Ok(target) = &mut resolved {
        Box::pin(kept_variant::settle(target, host)).await;
    }
    let target = resolved.as_ref().ok();
    let key = target.map(|target| Key::gather(target, host, now));
    let endpoint = target.map(|target| endpoint(target, key.as_ref()));
    let asked = match &endpoint {
        Some(Endpoint::Url(url)) if !args.offline => Some(url.clone()),
        _ => None,
    };
    let question = Question {
        url: asked.as_deref().map(|url| format!("{}/v1/messages", url.trim_end_matches('/'))),
        proxies: key.as_ref().map(proxies).unwrap_or_default(),
    };

    let from_here = ask_from_here(asked.as_deref(), target, host);
    let home = Home::new(&reactor_home, host.uid);
    let surroundings = Surroundings::gather(&home, target, &question, host);
    let (reached, surroundings) = tokio::join!(from_here, surroundings);

    let wanted_claude = target.map_or_else(pinned_claude_version, |target| {
        let chosen = target.settings.claude_version.as_ref();
        chosen.map_or_else(pinned_claude_version, |setting| setting.value)
    });
    let wanted_claude = wanted_claude.to_string();

    let mut checks = surroundings.engine_checks(host.uid);
    checks.extend(surroundings.image_checks(&wanted_claude));
    checks.extend(surroundings.disk_check());
    checks.push(disk::of_home(&reactor_home));
    let account = target.map(|target| (Path::new(project.root()), &target.account));
    checks.extend(home::checks(&home::gather(&reactor_home, account), &reactor_home, host.uid));
    let account = target.map(|target| &target.account);
    checks.push(settings::files(&settings::gather(&reactor_home, &project, account, host)));
    checks.push(settings::providers(&reactor_home));
    checks.push(settings::settings(resolved.as_ref(), host));
    checks.push(match (&key, target) {
        (Some(key), Some(target)) => {
            key::check(key, target.settings.provider.value.as_str(), &keys::command(target))
        }
        _ => key::KEY.skipped(UNSETTLED),
    });
    checks.extend(network_checks(args, endpoint.as_ref(), reached.as_ref(), &surroundings));
    checks.push(network::proxy(&all_proxies(target, key.as_ref(), host), surroundings.looked.as_ref()));
    let ca = target.and_then(|target| target.ca_file.as_ref());
    let ca_source = target.and_then(|target| target.settings.ca_file.as_ref());
    let by_environment = crate::config::Source::Environment;
    let ca_source = ca_source.map_or(&by_environment, |setting| &setting.source);
    checks.push(match target {
        Some(_) => {
            network::certificates(ca.map(|file| (file.path.as_path(), ca_source)), host.var("SSL_CERT_FILE"))
        }
        None => network::CERTIFICATES.skipped(UNSETTLED),
    });
    checks.push(network::clock(now, reached.as_ref()));
    checks.push(surroundings.clock_check());
    checks.extend(terminal::checks(&terminal::Facts::gather(host)));
    checks.push(tools::git(locate::is_installed(host, "git")));
    checks.push(tools::variables(host));
    checks.push(match target {
        Some(target) => {
            let found = target.forward.find_agent(&target.settings, host);
            let found = found.map(|_| ()).map_err(|error| Error::from(error).into());
            tools::ssh_agent(target.settings.ssh_agent.value, found)
        }
        None => tools::AGENT.skipped(UNSETTLED),
    });
    checks.push(surroundings.leftovers_check());
    checks.push(leftovers::projects(&reactor_home));
    Ok(checks)
}

/// Why what depends on the settings is not looked at.
const UNSETTLED: &str = "the settings of this project cannot be read";

/// Where a session's requests go.
#[derive(Debug)]
enum Endpoint {
    /// To an address.
    Url(String),
    /// To where a cloud says, by its own client; in words.
    Cloud(String),
    /// Nobody knows: the provider is in no row.
    Unknown,
}

fn endpoint(target: &Target, key: Option<&Key>) -> Endpoint {
    let stated = match key.and_then(Key::env) {
        Some(env) => Some(env.endpoint().to_owned()),
        None => target
            .catalog
            .get(&target.settings.provider.value)
            .and_then(|row| row.endpoint().map(str::to_owned)),
    };
    match stated {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Endpoint::Url(url),
        Some(words) => Endpoint::Cloud(words),
        None => Endpoint::Unknown,
    }
}

async fn ask_from_here(
    url: Option<&str>,
    target: Option<&Target>,
    host: &Host,
) -> Option<Result<Reached, String>> {
    let url = url?.to_owned();
    let ca_file = target.and_then(|target| target.ca_file.as_ref()).map(|file| file.path.clone());
    let network = Network::of(host, ca_file);
    let asking = tokio::task::spawn_blocking(move || reach::reach(&url, &network, key_check::TIMEOUT)).await;
    Some(asking.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
}

fn network_checks(
    args: &Args,
    endpoint: Option<&Endpoint>,
    reached: Option<&Result<Reached, String>>,
    surroundings: &Surroundings,
) -> [Check; 2] {
    let both = |why: &str| [network::HOST.skipped(why), network::INSIDE.skipped(why)];
    match (endpoint, reached) {
        (None, _) => both(UNSETTLED),
        (Some(Endpoint::Unknown), _) => both("no endpoint is known for this provider yet"),
        (Some(Endpoint::Cloud(words)), _) => {
            both(&format!("{words}: only its own client knows where that is"))
        }
        (Some(Endpoint::Url(url)), Some(reached)) => {
            [network::from_host(url, reached), surroundings.endpoint_check(url)]
        }
        (Some(Endpoint::Url(_)), None) => {
            debug_assert!(args.offline);
            both("not asked: --offline")
        }
    }
}

/// What a session has of proxies.
fn proxies(key: &Key) -> Vec<(String, secrecy::SecretString)> {
    let vars = key.env().into_iter().flat_map(SessionEnv::for_command);
    vars.filter(|(name, _)| network::is_proxy(name))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

fn all_proxies(target: Option<&Target>, key: Option<&Key>, host: &Host) -> network::Proxies {
    use secrecy::ExposeSecret;
    let of_key = key.and_then(Key::env).into_iter().flat_map(SessionEnv::for_command);
    let of_key = of_key.map(|(name, value)| (name, value.expose_secret()));
    let of_settings = target.into_iter().flat_map(|target| &target.settings.variables);
    let of_settings = of_settings.map(|(name, setting)| (name.as_str(), setting.value.value.as_str()));
    network::Proxies::new(host.vars(), of_settings.chain(of_key))
}

/// The engine's own command line, for remedies.
fn program(kind: Kind) -> &'static str {
    match kind {
        Kind::Docker => "docker",
        Kind::Podman => "podman",
    }
}

fn summary(checks: &[Check]) -> Summary {
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    Summary {
        pass: count(Outcome::Pass),
        warn: count(Outcome::Warn),
        fail: count(Outcome::Fail),
        skipped: count(Outcome::Skipped),
    }
}

fn table(report: &Report) -> String {
    let mut table = Table::plain();
    for check in &report.checks {
        let (word, style) = match check.outcome {
            Outcome::Pass => ("pass", GOOD),
            Outcome::Warn => ("warn", WARNING),
            Outcome::Fail => ("FAIL", BAD),
            Outcome::Skipped => ("skip", FAINT),
        };
        let found = Cell::from(check.found.as_str());
        let found = if check.outcome == Outcome::Skipped { found.styled(FAINT) } else { found };
        table.row([Cell::from(word).styled(style), check.title.into(), found]);
    }
    let mut text = String::new();
    for (line, check) in table.render().lines().zip(&report.checks) {
        text.push_str(line);
        text.push('\n');
        for remedy in check.remedy.iter().flat_map(|remedy| remedy.lines()) {
            let _ = writeln!(text, "      {} {}", ui::styled(HINT, "mend it:"), ui::one_line(remedy));
        }
    }
    let Summary { pass, warn, fail, skipped } = report.summary;
    let _ = writeln!(text, "\n{pass} passed, {warn} warned, {fail} failed, {skipped} skipped");
    text
}

#[cfg(test)]
mod tests {
    use super::check::Subject;
    use super::*;

    const ONE: Subject = Subject::new("one", "one");

    #[test]
    fn people_see_a_line_a_check_and_what_mends_it_below() {
        let checks = vec![ONE.pass("well"), ONE.fail("ill", "first\nsecond"), ONE.skipped("away")];
        let report = Report { summary: summary(&checks), checks };
        let text = anstream::adapter::strip_str(&table(&report)).to_string();
        assert_eq!(
            text,
            "pass  one  well\nFAIL  one  ill\n      mend it: first\n      mend it: second\nskip  one  away\n\n\
             1 passed, 0 warned, 1 failed, 1 skipped\n"
        );
    }
}
