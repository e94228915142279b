//! What a container sees: its clock, whether its Claude Code runs, and whether the provider's endpoint answers from there.
//!
//! It is one script by `exec`, in a container that runs already or in a short-lived one of the image. No key is sent and
//! none is given: the script has the address and the session's proxies alone, in the environment of its exec, because a
//! proxy's address may hold a password.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use tokio::io::AsyncReadExt;

use super::engine::exec::{ExecRequest, Stream, Unframer};
use super::engine::probe::{ProbeRequest, Reach};
use super::engine::{Engine, Error};
use super::host_address;
use super::image_check::CA_BUNDLES;
use super::mount::Mount;
use super::spec::{CA_FILE, User};

/// How long a look may take: the first start of a large program on a slow disk.
const LIMIT: Duration = Duration::from_secs(45);
/// How long the endpoint may take to answer, in seconds.
const ANSWER_LIMIT: &str = "5";
/// More than the script says.
const LARGEST: usize = 64 * 1024;

/// Says what there is: a line each, a word and what it is about.
const SCRIPT: &str = r#"
echo "time $(date +%s)"
has() { command -v "$1" >/dev/null 2>&1; }
if has claude; then
  said=$(claude --version 2>&1 </dev/null)
  echo "code $?"
  printf '%s\n' "$said" | while IFS= read -r line; do printf 'said %s\n' "$line"; done
fi
if [ "$URL" ] && has curl; then
  if [ -r "$CA" ] && [ -z "$CURL_CA_BUNDLE" ]; then
    for file in $CA_BUNDLES; do [ -r "$file" ] && break; done
    cat "$file" "$CA" >/tmp/.look-ca.pem 2>/dev/null && export CURL_CA_BUNDLE=/tmp/.look-ca.pem
  fi
  status=$(curl -s -I -o /dev/null --max-time "$LIMIT" -w '%{http_code}' "$URL" </dev/null 2>/dev/null)
  echo "curl $? $status"
fi
echo "end here""#;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The endpoint; without one the network is not touched.
    pub url: Option<String>,
    /// The proxies that a session has.
    pub proxies: Vec<(String, SecretString)>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The container told.
    Seen(Seen),
    /// It did not in time, or not to the end.
    TooLong,
    /// The engine did not start a container of the image; its words.
    NotStarted(String),
}

/// What a container sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// How far its clock is from the caller's; nothing where it does not tell.
    pub skew: Option<Duration>,
    /// What `claude --version` came to; nothing where there is no such program.
    pub claude: Option<Ran>,
    /// What the endpoint answered; nothing where it was not asked, or there is nothing to ask with.
    pub answer: Option<Answer>,
}

/// A program that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub code: u8,
    /// What it said first.
    pub said: String,
}

/// What came of asking the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It answered, with this HTTP status.
    Status(u16),
    /// It did not; curl's exit code (`man curl`, "EXIT CODES").
    Failed(u8),
}

/// Looks from a container that runs.
pub async fn from_container(
    engine: &Engine,
    container: &str,
    user: User,
    question: &Question,
) -> Result<Looked, Error> {
    let env = [
        ("URL", question.url.clone().unwrap_or_default()),
        ("LIMIT", ANSWER_LIMIT.to_owned()),
        ("CA", CA_FILE.to_owned()),
        ("CA_BUNDLES", CA_BUNDLES.join(" ")),
        ("HOME", "/tmp".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), SecretString::from(value)));
    let request = ExecRequest {
        command: ["sh", "-c", SCRIPT].map(str::to_owned).to_vec(),
        env: env.into_iter().chain(question.proxies.iter().cloned()).collect(),
        tty: false,
        size: None,
        user: format!("{}:{}", user.uid, user.gid),
        workdir: "/",
    };
    let before = SystemTime::now();
    let listen = async {
        let mut exec = engine.exec(container, request).await?;
        let (mut said, mut buffer, mut unframer) = (Vec::new(), vec![0; 8 * 1024], Unframer::default());
        // Podman may reset the stream at the command's end; whether all of it came, the last line tells.
        while let Ok(length @ 1..) = exec.output.read(&mut buffer).await {
            let Ok(pieces) = unframer.feed(&buffer[..length]) else { break };
            pieces
                .iter()
                .filter(|(stream, _)| *stream == Stream::Out)
                .for_each(|(_, piece)| said.extend(*piece));
            if said.len() > LARGEST {
                break;
            }
        }
        Ok::<_, Error>(String::from_utf8_lossy(&said).into_owned())
    };
    let Ok(said) = tokio::time::timeout(LIMIT, listen).await else { return Ok(Looked::TooLong) };
    Ok(read(&said?, before, SystemTime::now()).map_or(Looked::TooLong, Looked::Seen))
}

/// Looks from a container of an image, which is gone afterwards. `ca_file` is what a session trusts in addition.
pub async fn from_image(
    engine: &Engine,
    image: &str,
    user: User,
    ca_file: Option<&Path>,
    question: &Question,
) -> Result<Looked, Error> {
    let ca_file = ca_file.map(|path| Mount::read_only(path.to_string_lossy(), CA_FILE));
    let probe = engine.probe(ProbeRequest {
        image,
        user,
        // Longer than the look, and its end where we are killed.
        script: "exec sleep 120",
        env: Vec::new(),
        reach: Reach { network: question.url.is_some(), mounts: ca_file.into_iter().collect() },
    });
    let probe = probe.await?;
    match probe.start().await {
        Ok(()) => {}
        Err(Error::Refused { message, .. }) => return Ok(Looked::NotStarted(message)),
        Err(error) => return Err(error),
    }
    host_address::make_known(engine, probe.id()).await?;
    from_container(engine, probe.id(), user, question).await
}

/// Reads what the script said between two moments of ours; nothing where it did not get to its end.
fn read(said: &str, before: SystemTime, after: SystemTime) -> Option<Seen> {
    let mut seen = Seen::default();
    let (mut code, mut words) = (None, None);
    for line in said.lines() {
        match line.split_once(' ')? {
            ("time", text) => seen.skew = text.parse().ok().map(|time| skew(time, before, after)),
            ("code", text) => code = text.parse().ok(),
            ("said", text) => words = words.or_else(|| Some(text.to_owned())),
            ("curl", text) => {
                let (code, status) = text.split_once(' ').unwrap_or((text, ""));
                let answered = status.parse().ok().filter(|status| *status > 0);
                seen.answer = match (code.parse().ok()?, answered) {
                    (0, Some(status)) => Some(Answer::Status(status)),
                    (code, _) => Some(Answer::Failed(code)),
                };
            }
            ("end", _) => {
                seen.claude = code.map(|code| Ran { code, said: words.unwrap_or_default() });
                return Some(seen);
            }
            _ => {}
        }
    }
    None
}

/// How far a time, in seconds since 1970, is from all of ours between two moments.
fn skew(theirs: u64, before: SystemTime, after: SystemTime) -> Duration {
    // They tell whole seconds only.
    let (theirs, next) = (UNIX_EPOCH + Duration::from_secs(theirs), Duration::from_secs(1));
    let behind = before.duration_since(theirs + next).unwrap_or_default();
    theirs.duration_since(after).unwrap_or_default().max(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_the_script_said() {
        let read = |said: &str| read(said, at(100), at(103));
        let seen =
            read("time 101\ncode 0\nsaid 2.1.329 (Claude Code)\nsaid more\ncurl 0 405\nend here\n").unwrap();
        assert_eq!(seen.skew, Some(Duration::ZERO));
        assert_eq!(seen.claude, Some(Ran { code: 0, said: "2.1.329 (Claude Code)".to_owned() }));
        assert_eq!(seen.answer, Some(Answer::Status(405)));
        assert_eq!(read("time 101\ncurl 7 000\nend here\n").unwrap().answer, Some(Answer::Failed(7)));
        assert_eq!(read("time x\nend here\n").unwrap(), Seen::default());
        assert_eq!(read("time 101\ncode 0\n"), None, "it did not get to its end");
    }

    #[test]
    fn a_clock_within_the_time_of_asking_is_right() {
        let skew = |theirs| skew(theirs, at(100), at(103)).as_secs();
        assert_eq!([skew(99), skew(100), skew(103), skew(104), skew(703), skew(50)], [0, 0, 0, 1, 600, 49]);
    }
}
