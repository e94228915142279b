//! Whether a session can live in an image of the user's: what it needs, and what its user would miss.
//!
//! One look by one script, and everything that is missing in one answer. Where there is no shell to run a script, the files
//! themselves are looked for.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::engine::probe::{Probe, ProbeRequest, Ran, Reach};
use super::engine::{self, Engine};
use super::local_image::LocalImage;
use super::spec::User;
use crate::image_choice::ImageReference;

/// The oldest Claude Code known to heed the variables by which a session is kept on its backend.
pub const OLDEST: Version = Version([2, 1, 197]);
/// How long the look may take: the first start of a large program on a slow disk.
const LIMIT: Duration = Duration::from_secs(60);
/// Counts what is looked for: an image that passed another look is looked at again.
pub const RULES: u32 = 1;

/// What runs scripts.
const SHELL: &str = "sh";
/// The programs that keep a container up, end its sessions, and start Claude Code.
const NEEDED: [&str; 9] = [SHELL, "sleep", "env", "grep", "cat", "id", "mv", "tr", "claude"];
/// The programs that a session is poorer without, and what for.
const USEFUL: [(&str, &str); 3] = [
    ("bash", "Claude Code runs its commands in it"),
    ("git", "Claude Code looks at a project's history with it"),
    ("sudo", "nothing can be installed in a session"),
];
/// Where distributions keep the CA certificates that their programs trust.
pub(super) const CA_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const NO_CA_BUNDLE: &str = "CA certificates (programs but Claude Code cannot check whom they talk to)";

/// Says what is there: a line each, a word and what it is about.
const SCRIPT: &str = r#"
has() { command -v "$1" >/dev/null 2>&1; }
for tool in $NEEDED; do has "$tool" || echo "missing $tool"; done
for tool in $USEFUL; do has "$tool" || echo "lacks $tool"; done
for file in $CA_BUNDLES; do [ -r "$file" ] && found=yes; done
[ "$found" ] || echo "lacks ca"
if has sleep; then
  sleep infinity >/dev/null 2>&1 &
  pid=$!
  sleep 0.05 2>/dev/null || echo "missing fractions"
  kill -s KILL "$pid" 2>/dev/null || echo "missing infinity"
fi
if has claude; then
  said=$(claude --version 2>&1 </dev/null)
  echo "code $?"
  printf '%s\n' "$said" | while IFS= read -r line; do printf 'said %s\n' "$line"; done
fi
echo "end here""#;

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What no session can do without, in words.
    pub missing: Vec<String>,
    /// What a session is poorer without, in words.
    pub warnings: Vec<String>,
    /// The version of Claude Code in the image.
    pub version: Option<Version>,
}

/// A version of Claude Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u32; 3]);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// Why an image is not used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's part.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// No session can live in it.
    #[error("no session can run in the image {image}:{}", list(.missing))]
    Unfit {
        /// The image.
        image: ImageReference,
        /// What is missing or wrong.
        missing: Vec<String>,
        /// The line of a Dockerfile that gets Claude Code from the built-in image.
        copy_line: String,
    },
    /// The look did not end.
    #[error("looking at the image {image} took longer than {} s", LIMIT.as_secs())]
    TooLong {
        /// The image.
        image: ImageReference,
    },
    /// The engine did not start a container from it.
    #[error("the engine cannot start a container from the image {image}: {message}")]
    NotStarted {
        /// The image.
        image: ImageReference,
        /// The engine's words.
        message: String,
    },
}

fn list(missing: &[String]) -> String {
    missing.iter().fold(String::new(), |mut text, line| {
        let _ = write!(text, "\n    {line}");
        text
    })
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Unfit { copy_line, .. } => Some(format!(
                "make an image from it that has these; for Claude Code, where the image has a glibc: `{copy_line}`, else `RUN npm \
                 install --global @anthropic-ai/claude-code` (docs/images.md)"
            )),
            Self::TooLong { image } => Some(format!(
                "see what it does: `docker run --rm --network none --entrypoint claude {image} --version`"
            )),
            Self::NotStarted { .. } => None,
        }
    }
}

/// Looks at an image as a session's user.
pub async fn check(
    engine: &Engine,
    reference: &ImageReference,
    image: &LocalImage,
    user: User,
    copy_line: &str,
) -> Result<Report, Error> {
    let unfit = |missing: Vec<String>| Error::Unfit {
        image: reference.clone(),
        missing,
        copy_line: copy_line.to_owned(),
    };
    if image.os.as_deref().is_some_and(|os| os != "linux") {
        let os = image.os.as_deref().unwrap_or_default();
        return Err(unfit(vec![format!("it is for {}, and sessions run on Linux", os.escape_debug())]));
    }
    let env = environment(image);
    let request = ProbeRequest { image: &image.name, user, script: SCRIPT, env, reach: Reach::default() };
    let probe = engine.probe(request).await?;
    if !is_on_path(&probe, image, SHELL).await? {
        let mut missing = Vec::new();
        for tool in NEEDED {
            if !is_on_path(&probe, image, tool).await? {
                missing.push(no_program(tool));
            }
        }
        return Err(unfit(missing));
    }
    let ran = probe.run(LIMIT).await?;
    drop(probe);
    let other = other_architecture(engine, image).await?;
    match ran {
        Ran::TooLong => Err(Error::TooLong { image: reference.clone() }),
        Ran::NotStarted(message) => Err(other.map_or_else(
            || Error::NotStarted { image: reference.clone(), message },
            |other| unfit(vec![other]),
        )),
        Ran::Said(said) => {
            let report = read(&said, user);
            match (report, other) {
                (None, Some(other)) => Err(unfit(vec![other])),
                (None, None) => Err(unfit(vec!["its `sh` does not run a script to its end".to_owned()])),
                (Some(report), _) if !report.missing.is_empty() => Err(unfit(report.missing)),
                (Some(mut report), other) => {
                    report.warnings.extend(other);
                    Ok(report)
                }
            }
        }
    }
}

/// Whether a program's file is there, with nothing run.
async fn is_on_path(probe: &Probe<'_>, image: &LocalImage, tool: &str) -> Result<bool, engine::Error> {
    for folder in image.path() {
        if probe.has_path(&format!("{}/{tool}", folder.trim_end_matches('/'))).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// In words, where an image is for another kind of machine. Engines that emulate one run it all the same.
async fn other_architecture(engine: &Engine, image: &LocalImage) -> Result<Option<String>, engine::Error> {
    let Some(theirs) = image.architecture.as_deref() else { return Ok(None) };
    let ours = engine.architecture().await?;
    Ok(ours.filter(|ours| ours != theirs).map(|ours| {
        format!("it is for {}, and this engine runs {}", theirs.escape_debug(), ours.escape_debug())
    }))
}

/// The script's own variables, and without the image's that a session does not get either.
fn environment(image: &LocalImage) -> Vec<String> {
    let useful = USEFUL.map(|(tool, _)| tool);
    [
        format!("NEEDED={}", NEEDED.join(" ")),
        format!("USEFUL={}", useful.join(" ")),
        format!("CA_BUNDLES={}", CA_BUNDLES.join(" ")),
        "HOME=/tmp".to_owned(),
        "DISABLE_AUTOUPDATER=1".to_owned(),
    ]
    .into_iter()
    .chain(image.unset())
    .collect()
}

fn no_program(tool: &str) -> String {
    match tool {
        "claude" => "there is no program `claude` (the Claude Code CLI) on its PATH".to_owned(),
        tool => format!("there is no program `{tool}` on its PATH"),
    }
}

/// Reads what the script said; nothing where it did not get to its end.
fn read(said: &str, user: User) -> Option<Report> {
    let mut report = Report::default();
    let (mut code, mut words) = (None, Vec::new());
    let mut ended = false;
    for line in said.lines() {
        match line.split_once(' ')? {
            ("missing", "fractions" | "infinity") => {
                report
                    .missing
                    .push("its `sleep` takes neither fractions of a second nor `infinity`".to_owned());
            }
            ("missing", tool) => report.missing.push(no_program(tool)),
            ("lacks", "ca") => report.warnings.push(format!("there are no {NO_CA_BUNDLE}")),
            ("lacks", tool) => {
                let why = USEFUL.into_iter().find(|(name, _)| *name == tool)?.1;
                // Root needs nobody's leave.
                if !(tool == "sudo" && user.uid == 0) {
                    report.warnings.push(format!("there is no `{tool}`: {why}"));
                }
            }
            ("code", text) => code = Some(text.parse::<u8>().ok()?),
            ("said", text) => words.push(text),
            ("end", _) => ended = true,
            _ => return None,
        }
    }
    report.missing.dedup();
    if let Some(code) = code {
        report.judge_claude(code, &words, user);
    }
    ended.then_some(report)
}

impl Report {
    fn judge_claude(&mut self, code: u8, said: &[&str], user: User) {
        let User { uid, gid } = user;
        let first = said.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
        let first: String = first.chars().take(200).filter(|c| !c.is_control()).collect();
        match parse_version(&first) {
            Some(version) if code == 0 => {
                if version < OLDEST {
                    self.warnings.push(format!(
                        "its Claude Code is {version}: before {OLDEST} it may not keep to the provider that was chosen"
                    ));
                }
                self.version = Some(version);
            }
            _ if code == 0 => self
                .missing
                .push(format!("its `claude` is not the Claude Code CLI: `claude --version` says \"{first}\"")),
            // The shell's codes for what it cannot execute, and for what it cannot find: here, its loader.
            _ if code == 127 || code == 126 => self.missing.push(format!(
                "its `claude` does not run for user {uid}:{gid}: it is made for another C library, or not to be read by everyone \
                 ({first})"
            )),
            _ => self.missing.push(format!(
                "`claude --version` fails in it with exit code {code} for user {uid}:{gid} ({first})"
            )),
        }
    }
}

/// `2.1.329 (Claude Code)`.
pub fn parse_version(line: &str) -> Option<Version> {
    let (number, rest) = line.split_once(' ')?;
    let mut parts = number.split('-').next()?.split('.').map(str::parse::<u32>);
    let version = Version([parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?]);
    (parts.next().is_none() && rest.contains("Claude Code")).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: User = User { uid: 1000, gid: 1000 };

    fn judged(said: &str) -> Report {
        read(&format!("{said}end here\n"), USER).expect("it is whole")
    }

    #[test]
    fn a_good_image_is_good() {
        let report = judged("code 0\nsaid 2.1.329 (Claude Code)\n");
        assert_eq!(report, Report { version: Some(Version([2, 1, 329])), ..Report::default() });
    }

    #[test]
    fn everything_that_is_missing_is_said_at_once() {
        let report = judged(
            "missing grep\nmissing claude\nmissing fractions\nmissing infinity\nlacks git\nlacks ca\n",
        );
        assert_eq!(
            report.missing,
            [
                "there is no program `grep` on its PATH",
                "there is no program `claude` (the Claude Code CLI) on its PATH",
                "its `sleep` takes neither fractions of a second nor `infinity`",
            ]
        );
        assert_eq!(report.warnings.len(), 2);
    }

    #[test]
    fn another_program_an_old_one_and_one_that_does_not_run() {
        let missing = |said: &str| judged(said).missing.join("\n");
        assert!(missing("code 0\nsaid hello\n").contains("is not the Claude Code CLI"));
        assert!(missing("code 127\nsaid sh: claude: not found\n").contains("another C library"));
        assert!(
            missing("code 1\nsaid \u{1b}[31mboom\n").contains("exit code 1 for user 1000:1000 ([31mboom)")
        );
        let old = judged("code 0\nsaid 2.1.196 (Claude Code)\n");
        assert!(old.missing.is_empty() && old.warnings[0].contains("2.1.196"), "{old:?}");
        assert!(judged("code 0\nsaid 2.1.197 (Claude Code)\n").warnings.is_empty());
    }

    #[test]
    fn sudo_is_of_no_use_to_root() {
        let root = User { uid: 0, gid: 0 };
        assert!(read("lacks sudo\nend here\n", root).unwrap().warnings.is_empty());
        assert_eq!(judged("lacks sudo\n").warnings.len(), 1);
    }

    #[test]
    fn what_does_not_end_or_is_no_report_is_none() {
        for said in
            ["", "missing git\n", "code 0\nsaid 2.1.329 (Claude Code)\n", "exec format error\n", "x\n"]
        {
            assert_eq!(read(said, USER), None, "{said:?}");
        }
    }
}
