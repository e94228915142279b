//! `logs`: what a container's main process wrote, and where Claude Code keeps what it wrote itself.

use std::io::{ErrorKind, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use serde::Serialize;

use super::config::scope;
use super::config::sources::Places;
use super::open_home::OpenHome;
use crate::config::{parse_at, vars};
use crate::container::engine::Engine;
use crate::container::engine::exec::Stream;
use crate::container::engine::logs::LogsRequest;
use crate::container::ours::Ours;
use crate::error::Error;
use crate::host::Host;
use crate::inventory;
use crate::name::ProviderId;
use crate::ui;
use crate::ui::human;
use crate::ui::table::Table;

const EXAMPLES: &str = "\
Examples:
  claude-reactor logs                  what the container's main process wrote
  claude-reactor logs -f --since 10m   the last ten minutes, and what comes
  claude-reactor logs --sessions       the conversations, with the files that hold them";

/// Show what this project's container wrote
///
/// The main process only keeps the container up, so that is little: why it could not start, say. What sessions show goes to
/// your terminal and into no log; Claude Code keeps its conversations itself, and --sessions lists them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Go on until the container ends, or Ctrl-C
    #[arg(long, short, conflicts_with = "sessions")]
    pub follow: bool,
    /// The last lines only
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "sessions")]
    pub tail: Option<u64>,
    /// Only what was written since then: a time (2026-11-27T09:00:00Z) or how long ago (10m, 2h)
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "sessions")]
    pub since: Option<SystemTime>,
    /// List the conversations instead, the last one first, with the file of each
    #[arg(long)]
    pub sessions: bool,
    /// With --sessions: as JSON
    #[arg(long, requires = "sessions")]
    pub json: bool,
    /// Whose container
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The container for that provider, instead of the one that the project uses now
    #[arg(long, value_name = "NAME", conflicts_with = "sessions")]
    pub llm_provider: Option<String>,
    /// The container engine
    #[arg(long, value_name = "ENGINE", conflicts_with = "sessions")]
    pub engine: Option<String>,
}

/// What `--sessions --json` prints: a list of these. Field names are stable.
#[derive(Debug, Serialize)]
struct Conversation {
    /// What `claude --resume` takes.
    id: String,
    /// The file, a line of JSON a message.
    path: String,
    /// In bytes.
    size: u64,
    /// RFC 3339.
    last_used: Option<String>,
}

/// Does it.
pub async fn logs(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let home = OpenHome::open(host)?;
    let here = home.here(scope::account(args.account.as_ref())?.as_ref(), host)?;
    if args.sessions {
        return list_conversations(&here, args.json);
    }
    let wanted: Option<ProviderId> =
        args.llm_provider.as_ref().map(|text| parse_at(|| "--llm-provider".to_owned(), text)).transpose()?;
    let chosen = || home.chosen(&here.account, Some(here.project.root()), &here.session_dir, host);
    let current = match vars::values(host)?.provider {
        Some(provider) => provider,
        None => chosen()?.provider.value,
    };
    let engine = home.connect(Some(&here.account), args.engine.as_ref(), host).await?;
    let ours = engine.ours(&home.label).await?;
    let ours = ours.into_iter().filter(|ours| ours.project == here.project && ours.account == here.account);
    let container = choose(ours.collect(), wanted.as_ref(), &current, &here)?;
    let request = LogsRequest { follow: args.follow, tail: args.tail, since: args.since };
    let nothing = format!(
        "the main process of {} wrote nothing; `claude-reactor logs --sessions` lists the conversations",
        container.found.name
    );
    if args.follow {
        // Whoever waits should know for what.
        let last = LogsRequest { follow: false, tail: Some(1), since: args.since };
        if !copy(&engine, &container.found.id, &last, &mut |_, _| Ok(())).await? {
            ui::note(&format!("{nothing}; waiting for more"));
        }
    }
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut hand_on = |stream, bytes: &[u8]| match stream {
        Stream::Out => out.write_all(bytes).and_then(|()| out.flush()),
        Stream::Err => err.write_all(bytes),
    };
    let wrote = copy(&engine, &container.found.id, &request, &mut hand_on).await?;
    drop((out, err));
    if !wrote && !args.follow {
        ui::note(&nothing);
    }
    Ok(ExitCode::SUCCESS)
}

/// The container that is meant; of several for one provider, the one that runs, or the youngest.
fn choose(
    mut ours: Vec<Ours>,
    wanted: Option<&ProviderId>,
    current: &ProviderId,
    here: &Places,
) -> Result<Ours, Error> {
    ours.sort_by_key(|ours| std::cmp::Reverse((ours.found.state, ours.found.created)));
    let of = |id: &ProviderId| ours.iter().find(|ours| ours.provider == *id).cloned();
    if let Some(found) = of(wanted.unwrap_or(current)) {
        return Ok(found);
    }
    let mut providers: Vec<String> = ours.iter().map(|ours| ours.provider.to_string()).collect();
    providers.sort();
    providers.dedup();
    match (&providers[..], wanted) {
        ([_], None) => Ok(ours.swap_remove(0)),
        ([_, ..], None) => Err(Error::SeveralContainers { providers }),
        (_, wanted) => Err(Error::NoContainer {
            provider: wanted.map(ToString::to_string),
            account: here.account.to_string(),
            hint: match &providers[..] {
                [] => {
                    "`claude-reactor run` makes one; `claude-reactor logs --sessions` lists the conversations"
                        .to_owned()
                }
                there => format!("there are containers for: {}", there.join(", ")),
            },
        }),
    }
}

/// Hands a container's log on; whether there was any. A reader who has read enough is no error.
async fn copy(
    engine: &Engine,
    container: &str,
    request: &LogsRequest,
    hand_on: &mut dyn FnMut(Stream, &[u8]) -> std::io::Result<()>,
) -> Result<bool, Error> {
    let mut pieces = pin!(engine.logs(container, request));
    let mut wrote = false;
    while let Some(piece) = pieces.next().await {
        let (stream, bytes) = piece?;
        wrote |= !bytes.is_empty();
        match hand_on(stream, &bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            Err(source) => return Err(Error::Io { action: "write to standard output", source }),
        }
    }
    Ok(wrote)
}

fn list_conversations(here: &Places, json: bool) -> Result<ExitCode, Error> {
    let failed = |source| Error::Io { action: "read the conversation history", source };
    let found = inventory::conversations(&here.session_dir).map_err(failed)?;
    if json {
        let row = |found: inventory::Conversation| Conversation {
            id: found.id,
            path: found.path.to_string_lossy().into_owned(),
            size: found.size,
            last_used: found.changed.map(human::rfc3339),
        };
        ui::json(&found.into_iter().map(row).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        let folder = here.session_dir.history();
        ui::note(&format!(
            "no conversation yet; they will be in {}",
            ui::one_line(&folder.to_string_lossy())
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(["LAST USED", "SIZE", "FILE"]);
    for conversation in found {
        let ago = conversation.changed.map_or("?".to_owned(), |time| human::ago(time, SystemTime::now()));
        table.row([
            ago.into(),
            human::size(conversation.size).into(),
            conversation.path.to_string_lossy().into(),
        ]);
    }
    ui::shown(&table.render())?;
    Ok(ExitCode::SUCCESS)
}

/// A time, or how long ago it was.
fn since(text: &str) -> Result<SystemTime, String> {
    if let Ok(time) = humantime::parse_rfc3339_weak(text) {
        return Ok(time);
    }
    if let Ok(seconds) = text.parse::<u64>() {
        // As `docker logs` takes it.
        return Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    }
    let ago = humantime::parse_duration(text)
        .map_err(|_| "neither a time such as 2026-11-27T09:00:00Z nor a duration such as 10m".to_owned())?;
    SystemTime::now().checked_sub(ago).ok_or_else(|| "that is too long ago".to_owned())
}
