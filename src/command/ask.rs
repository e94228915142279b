//! `ask`: one question straight to a provider, without a container.

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::backend;
use super::choices::ChoiceArgs;
use super::keys::KeyArgs;
use super::target::Target;
use crate::config::Values;
use crate::error::Error;
use crate::gateway;
use crate::gateway::ask::{Answer, question};
use crate::gateway::event::{Delta, Event, Usage};
use crate::host::Host;
use crate::provider::setup::interruptible;
use crate::signals::EndSignals;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor ask \"what does ENOSPC mean?\"
  git diff | claude-reactor ask --llm-provider gemini \"a commit message for this, please\"
  claude-reactor ask --model glm-4.5-air --json \"three names for a cat\" | jq -r .content";

/// How long an answer may be at most where nobody says, in tokens. Anthropic's API wants a number.
const MAX_TOKENS: u64 = 8192;
/// The most that is read of standard input, in bytes.
const MOST_INPUT: u64 = 16 * 1024 * 1024;

/// Ask a provider one question, without a container
///
/// What standard input brings stands below the question. The answer goes to standard output as it comes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Whose key to use
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The provider; by default this project's
    #[arg(long, value_name = "NAME")]
    pub llm_provider: Option<String>,
    /// The model, in the provider's own words
    #[arg(long, visible_alias = "llm-model", value_name = "MODEL")]
    pub model: Option<String>,
    /// Sampling: the temperature
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Sampling: of the likeliest, as many as together have this probability
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// How long the answer may be, in tokens
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// What stands above the question
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// The whole answer as JSON: content, usage, model, provider, `stop_reason` and milliseconds
    #[arg(long)]
    pub json: bool,
    /// CA certificates (PEM) to trust in addition
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// Where a key comes from.
    #[command(flatten)]
    pub key: KeyArgs,
    /// The question
    #[arg(value_name = "PROMPT")]
    pub prompt: Vec<String>,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    /// The answer's text.
    content: String,
    /// What it took, in tokens.
    usage: Usage,
    /// The model that was asked.
    model: String,
    /// The provider.
    provider: String,
    /// Why the answer ended, in Anthropic's words.
    stop_reason: &'static str,
    /// From the request to the end of the answer.
    milliseconds: u128,
}

/// Does it. Nothing is remembered for the project.
pub async fn ask(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let choices = ChoiceArgs {
        account: args.account.clone(),
        llm_provider: args.llm_provider.clone(),
        llm_model: args.model.clone(),
        ca_file: args.ca_file.clone(),
        ..ChoiceArgs::default()
    };
    let target = Target::resolve(&choices, Values::default(), host)?;
    let backend = Arc::new(backend::backend(&target, &args.key, host).await?);
    let client = backend::client(&target)?;
    let model = backend::model(&target, &backend)?;
    let prompt = prompt(args).await?;
    let request = request(args, &model, &prompt);
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let started = Instant::now();
    let mut answer =
        signals.unless(question(&backend, &client, &request)).await?.map_err(gateway::Error::from)?;
    let mut report = Report {
        content: String::new(),
        usage: Usage::default(),
        model,
        provider: backend.id.clone(),
        stop_reason: "end_turn",
        milliseconds: 0,
    };
    while let Some(event) = signals.unless(Answer::next(&mut answer)).await? {
        match event.map_err(gateway::Error::from)? {
            Event::Delta { delta: Delta::Text(text), .. } => {
                if !args.json {
                    ui::data(&text)?;
                }
                report.content.push_str(&text);
            }
            Event::End { stop, usage } => {
                report.stop_reason = stop.as_str();
                report.usage = usage;
            }
            _ => {}
        }
    }
    report.milliseconds = started.elapsed().as_millis();
    if args.json {
        ui::json(&report)?;
    } else if !report.content.ends_with('\n') {
        ui::data("\n")?;
    }
    if report.stop_reason == "max_tokens" {
        ui::warn("the answer ends early: it is as long as --max-tokens allows");
    }
    Ok(ExitCode::SUCCESS)
}

/// The question: the arguments, and below them what standard input brings.
async fn prompt(args: &Args) -> Result<String, Error> {
    let mut prompt = args.prompt.join(" ");
    // With --key-stdin it is the key that comes there.
    if !io::stdin().is_terminal() && !args.key.key_stdin {
        let read = || {
            let mut text = String::new();
            io::stdin().lock().take(MOST_INPUT).read_to_string(&mut text).map(|_| text)
        };
        let input = interruptible(read).await?;
        let input =
            input.map_err(|source| Error::Io { action: "read the question from standard input", source })?;
        if !input.trim().is_empty() {
            if !prompt.is_empty() {
                prompt.push_str("\n\n");
            }
            prompt.push_str(&input);
        }
    }
    if prompt.trim().is_empty() { Err(gateway::Error::NoQuestion.into()) } else { Ok(prompt) }
}

fn request(args: &Args, model: &str, prompt: &str) -> Value {
    let mut request = json!({
        "model": model,
        "max_tokens": args.max_tokens.unwrap_or(MAX_TOKENS),
        "stream": true,
        "messages": [{"role": "user", "content": prompt}],
    });
    let optional = [
        ("system", args.system.as_ref().map(|text| json!(text))),
        ("temperature", args.temperature.map(|value| json!(value))),
        ("top_p", args.top_p.map(|value| json!(value))),
    ];
    for (field, value) in optional {
        if let Some(value) = value {
            request[field] = value;
        }
    }
    request
}
