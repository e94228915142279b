//! `llm use`: which provider this project, or every project of the account, talks to.

use std::process::ExitCode;

use super::state::State;
use crate::command::choices::{self, Choices};
use crate::command::keys;
use crate::command::old_home;
use crate::command::target::Target;
use crate::config::{ModelId, Source, Values, file, parse_at};
use crate::error::Error;
use crate::host::Host;
use crate::name::ProviderId;
use crate::provider::catalog::Provider;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm use zai                    this project talks to Z.AI from its next session on
  claude-reactor llm use openrouter --model vendor/large --small-model vendor/small
  claude-reactor llm use zai --account-default  every project of the account that chose no other
  claude-reactor llm use claude                 back to Anthropic";

/// Choose the provider of this project, or the account's default
///
/// As `run --llm-provider NAME` does, without starting anything. Another provider than before drops the models that were
/// chosen for the old one. Containers and conversations stay.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The provider
    #[arg(value_name = "NAME")]
    name: String,
    /// The main model, in the provider's own words
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The model for quick background work
    #[arg(long, value_name = "MODEL")]
    small_model: Option<String>,
    /// For all projects of the account that choose none themselves, instead of for this one
    #[arg(long)]
    account_default: bool,
    /// Whose; remembered for this project, as by `run`
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// Does it.
pub(super) async fn choose(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let target = super::look(Some(&args.name), args.model.as_ref(), args.account.as_ref(), host)?;
    let provider = super::provider(&target)?;
    target.catalog.check_usable(&provider)?;
    let small_model = args.small_model.as_ref();
    let small_model = small_model.map(|text| parse_at(|| "--small-model".to_owned(), text)).transpose()?;
    let models = Values {
        model: target.chosen.values.model.clone(),
        small_model: small_model.map(|ModelId(id)| id),
        ..Values::default()
    };
    if args.account_default {
        old_home::close_folders(&target, host)?;
        for_account(&target, &provider, models)?;
    } else {
        target.project.refuse_keys_inside(&target.reactor_home)?;
        keys::confirm_unseen(&target, host).await?;
        old_home::close_folders(&target, host)?;
        for_project(&target, &provider, models)?;
    }
    warn(&target, &provider, args, host);
    Ok(ExitCode::SUCCESS)
}

/// Makes a provider this project's.
pub(super) fn for_project(target: &Target, provider: &Provider, models: Values) -> Result<(), Error> {
    let chosen = Choices {
        values: Values { provider: Some(provider.id.clone()), ..models },
        account: target.chosen.account.clone(),
    };
    choices::remember(
        &chosen,
        &target.provider_of_files,
        &target.project,
        &target.session_dir,
        &target.reactor_home,
    )?;
    target.session_dir.record(&target.project)?;
    ui::note(&format!(
        "{} talks to {} from its next session on",
        ui::one_line(target.project.name()),
        provider.name
    ));
    Ok(())
}

fn for_account(target: &Target, provider: &Provider, models: Values) -> Result<(), Error> {
    let path = target.reactor_home.join(target.account.as_str()).join("config.yaml");
    let before = file::account_file(&path, &file::read_text(&path)?)?.provider;
    let chosen = Values { provider: Some(provider.id.clone()), ..models };
    // Without one before, the models there were chosen for whatever the user's own file says, which is as good as another.
    let before = before.unwrap_or_else(ProviderId::claude);
    choices::remember_for_account(&chosen, &before, &target.account, &target.reactor_home)?;
    ui::note(&format!(
        "{} is the default of account {}: projects that choose no other talk to it from their next session on",
        provider.name, target.account
    ));
    Ok(())
}

/// Says what the choice alone does not do.
fn warn(target: &Target, provider: &Provider, args: &Args, host: &Host) {
    match State::of(target, provider) {
        State::Absent => ui::warn(&format!(
            "{} is not set up yet: `{}`",
            provider.id,
            keys::add_command(target, &provider.id)
        )),
        State::Broken(problem) => ui::warn(&ui::one_line(&problem)),
        State::SetUp(_) | State::NeedsNothing | State::NeedsGateway => {}
    }
    if target.settings.model.is_none() && provider.models.main.is_none() && !provider.is_claude() {
        ui::warn(&format!(
            "no model is known for {0}: `claude-reactor llm use {0} --model MODEL` chooses one",
            provider.id
        ));
    }
    // What wins over what was just written.
    let Ok(now) = super::look(None, None, args.account.as_ref(), host) else { return };
    let chosen = &now.settings.provider;
    if chosen.value != provider.id {
        let by = match &chosen.source {
            Source::Environment => "CLAUDE_REACTOR_LLM_PROVIDER is set".to_owned(),
            source => format!("this project chooses it in {source}"),
        };
        ui::warn(&format!("{} is used here nevertheless: {by}", chosen.value));
    }
}
