//! Taking over what earlier versions left, before anything else is done with an account and a project.

use std::path::PathBuf;

use super::keys::{self, KeyArgs};
use super::target::Target;
use crate::config::{Source, vars};
use crate::error::Error;
use crate::host::Host;
use crate::name::RULE;
use crate::old_home::plan::{KeyStep, Plan, plan};
use crate::old_home::{News, OldKey, Place, apply, look, refused_names};
use crate::provider::catalog::{Auth, Provider};
use crate::provider::credentials;
use crate::provider::setup::{self, Options, Warning};
use crate::ui;

/// Takes over what is there, once, and says so. Asks about a key in the project, where there is somebody to ask.
pub async fn take_over(target: &Target, key: &KeyArgs, host: &Host) -> Result<(), Error> {
    let place = place(target, host);
    let is_first_run = !place.account_dir().exists();
    let plan = make_plan(target, &place, key.is_given())?;
    if is_first_run || !plan.is_empty() {
        say_refused_names(target);
    }
    tell(apply::close(&plan.close)?);
    if plan.keep_state {
        tell([apply::keep_state(&place)?]);
    }
    if let Some(seed) = &plan.seed {
        tell(apply::seed(&place, seed)?);
    }
    if plan.import_login {
        tell(apply::import_login(&place)?);
    }
    match plan.key {
        Some(KeyStep::Import(old)) => import_key(target, &place, old, key, host).await,
        Some(KeyStep::Ask(old)) => ask_about_key(target, &place, old, key, host).await,
        Some(KeyStep::Superseded(old)) => Ok(apply::forget_key(&place, &old)?),
        Some(KeyStep::Say { path, why }) => {
            tell([News::Unusable { path, why }]);
            Ok(())
        }
        None => Ok(()),
    }
}

/// Closes folders that an earlier version left open, without which nothing can be written there.
pub fn close_folders(target: &Target, host: &Host) -> Result<(), Error> {
    let place = place(target, host);
    tell(apply::close(&plan(look::folders(&place), &place, false).close)?);
    Ok(())
}

/// What a run would take over.
#[derive(Debug)]
pub struct Preview {
    /// All of it, in words.
    pub words: Vec<String>,
    /// The file whose key would be the account's.
    pub key: Option<PathBuf>,
}

/// Looks without writing, asking or trying anything.
pub fn preview(target: &Target, host: &Host) -> Result<Preview, Error> {
    let place = place(target, host);
    let plan = make_plan(target, &place, false)?;
    let words = plan.in_words(&place);
    let key = match plan.key {
        Some(KeyStep::Import(old)) => Some(old.path),
        _ => None,
    };
    Ok(Preview { words, key })
}

fn make_plan(target: &Target, place: &Place<'_>, key_given: bool) -> Result<Plan, Error> {
    // All but the folders is Claude's: no other provider gets any of it.
    let is_claude = target.settings.provider.value.is_claude();
    let found = if is_claude { look::everything(place)? } else { look::folders(place) };
    Ok(plan(found, place, key_given))
}

fn place<'a>(target: &'a Target, host: &Host) -> Place<'a> {
    Place {
        reactor_home: &target.reactor_home,
        account: &target.account,
        is_default_account: target.account_source == Source::Default,
        project: &target.project,
        session_dir: &target.session_dir,
        uid: host.uid,
    }
}

/// Stores a key that the endpoint does not refuse; the old file stays.
async fn import_key(
    target: &Target,
    place: &Place<'_>,
    old: OldKey,
    args: &KeyArgs,
    host: &Host,
) -> Result<(), Error> {
    let takes_key = |provider: &&Provider| provider.auth != Auth::None && !provider.key_env.is_empty();
    // The user's own row for `claude` may want none.
    let Some(provider) = target.provider()?.filter(takes_key) else { return Ok(()) };
    let stored = credentials::load(&target.reactor_home, &target.account, &provider.id)?;
    let options = Options {
        source: setup::Source::Argument(old.value.clone()),
        no_verify: args.no_verify || vars::no_verify(host)?,
        ca_file: target.ca_file.as_ref().map(|file| file.path.clone()),
        command: keys::command(target),
    };
    let file = ui::one_line(&old.path.display().to_string());
    let tried = match setup::obtain(&keys::as_used(target, provider, &stored)?, &options, host).await {
        Err(error @ setup::Error::Rejected { .. }) => {
            ui::warn(&format!("the API key in {file} is not imported: {error}"));
            return Ok(());
        }
        tried => tried?,
    };
    // It was no argument of this command.
    for warning in tried.warnings.iter().filter(|warning| **warning != Warning::VisibleArgument) {
        ui::warn(&warning.to_string());
    }
    let path = apply::import_key(place, &old, &tried)?;
    let open = if old.is_open { "others can read that file; it" } else { "that file" };
    ui::note(&format!(
        "imported the API key in {file} into {}; {open} is not needed any more and may be deleted",
        path.display()
    ));
    Ok(())
}

/// A key in the project may be a repository's, or a session's, and one in a file that others can change may be theirs:
/// whoever's key it is sees the prompts, or pays.
async fn ask_about_key(
    target: &Target,
    place: &Place<'_>,
    old: OldKey,
    args: &KeyArgs,
    host: &Host,
) -> Result<(), Error> {
    let file = ui::one_line(&old.path.display().to_string());
    if !host.terminal.can_ask() {
        let quoted = file.replace('\'', r"'\''");
        ui::note(&format!(
            "there is an API key in {file}, where others may have put it; if it is yours: \
             `sed 's/^ANTHROPIC_API_KEY=//; /^#/d' '{quoted}' | {} --key-stdin`",
            keys::command(target)
        ));
        return Ok(());
    }
    let question = format!(
        "There is an API key in {file}. Is it yours, and shall {} use it from now on?",
        target.account
    );
    if setup::confirm(question).await? {
        return import_key(target, place, old, args, host).await;
    }
    Ok(apply::forget_key(place, &old)?)
}

/// Old accounts that nobody will find by their names any more.
fn say_refused_names(target: &Target) {
    for (name, problem) in refused_names(&target.reactor_home) {
        ui::note(&format!(
            "{name:?} in {} cannot be an account any more: {problem} ({RULE}). To use it, rename what is called so there, \
             and choose the new name with --account",
            target.reactor_home.display()
        ));
    }
}

fn tell(news: impl IntoIterator<Item = News>) {
    for news in news {
        let line = ui::one_line(&news.to_string());
        if news.is_warning() { ui::warn(&line) } else { ui::note(&line) }
    }
}
