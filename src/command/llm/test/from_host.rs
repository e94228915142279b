//! The try from this machine.

use std::time::{Duration, Instant};

use super::check::Check;
use super::subject::{Subject, Way};
use crate::command::target::Target;
use crate::error::Error;
use crate::host::Host;
use crate::provider::check::{self, Network, NoAnswer};
use crate::provider::setup::interruptible;

/// How long an answer may take: a local server may have to load its model first.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Tries it.
pub async fn check(subject: &Subject, target: &Target, host: &Host) -> Result<Check, Error> {
    let network = Network::of(host, target.ca_file.as_ref().map(|file| file.path.clone()));
    let asked = subject.clone();
    let began = Instant::now();
    let work = move || match &asked.way {
        Way::Ask { endpoint, key, .. } => check::ask(endpoint, key, &network, LIMIT).map(Reply::Answer),
        Way::Login(_) | Way::Cloud => {
            let reached = check::reach::reach_at(asked.address(), &network, LIMIT);
            reached.map(|reached| Reply::Status(reached.status)).map_err(NoAnswer::Unreachable)
        }
    };
    let reply = interruptible(work).await?;
    let latency = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let check = Check::new("host", subject);
    Ok(match reply {
        Ok(Reply::Answer(answer)) => check.answered(subject, &answer, latency),
        Ok(Reply::Status(status)) => check.reached(subject, status, latency),
        Err(why) => {
            let remedy = remedy(subject, &why);
            check.unreached(why, Some(remedy))
        }
    })
}

enum Reply {
    Answer(check::Answer),
    Status(u16),
}

fn remedy(subject: &Subject, why: &NoAnswer) -> String {
    let id = &subject.id;
    if *why == NoAnswer::Key {
        return format!("`claude-reactor llm add {id} --key-stdin` replaces it");
    }
    if subject.address().contains("//host.docker.internal") {
        return format!(
            "start that server; if it listens elsewhere: `claude-reactor llm add {id} --base-url URL`"
        );
    }
    "check the address, your network, and HTTPS_PROXY; a network that re-signs TLS needs ca_file in \
     ~/.claude-reactor/config.yaml"
        .to_owned()
}
