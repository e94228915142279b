//! `llm edit`: a provider's `.env`, or the user's rows, in the user's own editor.

use std::process::ExitCode;

use crate::command::editor::Overtaken;
use crate::command::target::Target;
use crate::command::{editor, launch, old_home};
use crate::config::file;
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::provider::catalog::{Catalog, Provider};
use crate::provider::credential_files;
use crate::provider::credentials;
use crate::provider::session_env;
use crate::ui;
use crate::user_file;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm edit zai                   the lines of its .env: key and variables
  claude-reactor llm edit zai --row             providers.yaml: endpoint, models, and so on
  EDITOR='code --wait' claude-reactor llm edit";

/// Edit a provider's .env, or providers.yaml
///
/// Opens $VISUAL, $EDITOR or vi on a private copy. What you leave there is checked as if a session read it, and written only
/// once nothing is wrong with it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: super::Which,
    /// Edit providers.yaml instead, which all accounts share
    #[arg(long)]
    row: bool,
}

/// Does it.
pub(super) async fn edit(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let target = args.which.look(host)?;
    let written = if args.row {
        edit_rows(&target, host).await?
    } else {
        let provider = super::provider(&target)?;
        edit_env(&target, &provider, host).await?
    };
    match written {
        Some(path) => {
            ui::note(&format!("{} is changed; sessions have it from the next one on", path.display()));
        }
        None => ui::note("nothing is changed"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn edit_env(
    target: &Target,
    provider: &Provider,
    host: &Host,
) -> Result<Option<std::path::PathBuf>, Error> {
    let path = credentials::path(&target.reactor_home, &target.account, &provider.id);
    old_home::close_folders(target, host)?;
    let before = private_file::read(&path)?;
    let text = before.clone().unwrap_or_else(|| template(provider));
    let check = |text: &str| check_env(target, provider, text).err().into_iter().collect();
    let Some(after) = editor::edit(&text, ".env", host, check).await? else { return Ok(None) };
    if let Some(folder) = path.parent() {
        private_file::create_dir(&target.reactor_home, folder)?;
    }
    private_file::update(
        &path,
        |now| {
            if now == before.as_deref() { Ok(after) } else { Err(changed(&path)) }
        },
    )?;
    Ok(Some(path))
}

/// What a new `.env` begins with.
fn template(provider: &Provider) -> String {
    let url = provider.key_url.as_ref().map(|url| format!(" ({url})")).unwrap_or_default();
    let names: Vec<&str> = match &provider.cloud {
        Some(cloud) => cloud.questions.iter().map(|question| question.var.as_str()).collect(),
        None => provider.key_variable().into_iter().collect(),
    };
    let lines: Vec<String> = names.iter().map(|name| format!("# {name}='…'\n")).collect();
    format!(
        "# {}{url}: NAME='value', one to a line, for every session of this provider.\n{}",
        provider.name,
        lines.concat()
    )
}

/// Refuses what a session would refuse. That something is still missing is no fault of the text.
fn check_env(target: &Target, provider: &Provider, text: &str) -> Result<(), Error> {
    use session_env::Error::{Incomplete, NoBaseUrl, NoKey, NoModel};

    let path = credentials::path(&target.reactor_home, &target.account, &provider.id);
    let lines = credentials::parse(&path, text)?;
    let lines = credential_files::added_to(lines, provider, &target.reactor_home, &target.account)?;
    match launch::session_env(target, provider, &lines) {
        Err(Error::SessionEnv(Incomplete { .. } | NoBaseUrl { .. } | NoKey { .. } | NoModel { .. }))
        | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn edit_rows(target: &Target, host: &Host) -> Result<Option<std::path::PathBuf>, Error> {
    let path = Catalog::user_file(&target.reactor_home);
    let before = file::read_text(&path)?;
    let id = &target.settings.provider.value;
    let text = if before.is_empty() { rows_template(id.as_str()) } else { before.clone() };
    let check = |text: &str| Catalog::load(Some((&path, text))).err().map(Error::from).into_iter().collect();
    let Some(after) = editor::edit(&text, ".yaml", host, check).await? else { return Ok(None) };
    private_file::create_dir(&target.reactor_home, &target.reactor_home)?;
    user_file::edit(&path, |now| {
        if now == before {
            Ok::<_, Error>(after)
        } else {
            Err(Overtaken::keeping(&after, &path, &target.reactor_home)?.into())
        }
    })?;
    Ok(Some(path))
}

/// What a new `providers.yaml` begins with.
fn rows_template(id: &str) -> String {
    format!(
        "# Providers of your own, and changes to the built-in ones (docs/multi-llm-support.md).\n\
         # providers:\n\
         #   {id}:\n\
         #     base_url: https://llm.example/anthropic   # what /v1/messages is appended to\n\
         #     auth: bearer                              # bearer, x-api-key or none\n\
         #     models: {{main: large, small: mini}}\n"
    )
}

fn changed(path: &std::path::Path) -> Error {
    super::Error::Changed(path.display().to_string()).into()
}
