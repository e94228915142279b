//! Asking a credential helper: `docker-credential-NAME get`, the server's name on its standard input, JSON on its standard
//! output (`github.com/docker/docker-credential-helpers`).

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::Credential;

/// How long a helper may take: it may have to ask its user to unlock something.
const LIMIT: Duration = Duration::from_secs(60);
/// Far more than a helper has to say.
const LARGEST: u64 = 64 * 1024;
/// What helpers say, and end with an error, where they have no credential for the server.
const NOT_FOUND: &str = "credentials not found";
/// The name that helpers give to a token that is no password.
const TOKEN: &str = "<token>";

/// What a helper did instead of answering. What it wrote stays out: it could be the secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Its name could be a path.
    #[error("has a name that no helper has")]
    Name,
    /// It is not there, or cannot be started.
    #[error("cannot be started: {0}")]
    Start(std::io::ErrorKind),
    /// It failed.
    #[error("failed{}", .0.map(|code| format!(" with exit code {code}")).unwrap_or_default())]
    Failed(Option<i32>),
    /// It did not end.
    #[error("did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// What it wrote is no answer.
    #[error("gave an answer that cannot be read")]
    Answer,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks a helper for a server's credential; nothing where it has none.
pub(super) async fn ask(name: &str, server: &str) -> Result<Option<Credential>, Failure> {
    if name.starts_with('.') || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Err(Failure::Name);
    }
    ask_program(&format!("docker-credential-{name}"), server, LIMIT).await
}

pub(super) async fn ask_program(
    program: &str,
    server: &str,
    limit: Duration,
) -> Result<Option<Credential>, Failure> {
    let spawned = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Also on a signal to us, which drops this.
        .kill_on_drop(true)
        .spawn();
    let mut child = spawned.map_err(|error| Failure::Start(error.kind()))?;
    let (mut input, output) = (child.stdin.take().expect("it is piped"), child.stdout.take());
    let talk = async {
        // A helper that does not read its input can still answer.
        let _ = input.write_all(server.as_bytes()).await;
        drop(input);
        let mut said = Vec::new();
        let _ = output.expect("it is piped").take(LARGEST).read_to_end(&mut said).await;
        (said, child.wait().await)
    };
    let Ok((said, status)) = tokio::time::timeout(limit, talk).await else {
        return Err(Failure::Silent(limit));
    };
    let status = status.map_err(|error| Failure::Start(error.kind()))?;
    let said = String::from_utf8(said).map_err(|_| Failure::Answer)?;
    if !status.success() {
        return if said.starts_with(NOT_FOUND) { Ok(None) } else { Err(Failure::Failed(status.code())) };
    }
    let Answer { username, secret } = serde_json::from_str(&said).map_err(|_| Failure::Answer)?;
    let secret = SecretString::from(secret);
    Ok(match username.as_str() {
        "" => None,
        TOKEN => Some(Credential::Identity(secret)),
        _ => Some(Credential::Login { username, password: secret }),
    })
}
