//! An image that the engine has: what of one of the user's a container is made by.

use std::collections::BTreeMap;

use super::engine::{Engine, Error};
use super::registry::names_a_registry;
use crate::image_choice::ImageReference;
use crate::provider::variables::{decides_route, reserved};

/// The engines' own `PATH` for an image that states none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image that the engine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalImage {
    /// The name by which the engine knows it.
    pub name: String,
    /// Its id: the digest of what it is.
    pub id: String,
    /// The operating system it is for.
    pub os: Option<String>,
    /// The architecture it is for.
    pub architecture: Option<String>,
    /// The variables it sets, as `NAME=value`.
    pub env: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it takes, in bytes, with all that it is made from.
    pub size: Option<u64>,
}

impl LocalImage {
    /// Looks an image up in the engine; nothing where it is not there. What Podman builds under a name without a registry
    /// is at `localhost/`.
    pub async fn find(engine: &Engine, reference: &ImageReference) -> Result<Option<Self>, Error> {
        let found = engine.image(reference.as_str()).await?;
        if found.is_some() || names_a_registry(reference) {
            return Ok(found);
        }
        engine.image(&format!("localhost/{reference}")).await
    }

    /// The folders of its programs.
    pub fn path(&self) -> Vec<&str> {
        let stated = self.env.iter().find_map(|line| line.strip_prefix("PATH="));
        stated.unwrap_or(DEFAULT_PATH).split(':').filter(|folder| folder.starts_with('/')).collect()
    }

    /// The names of the variables it sets that a session must not have from it: those that say where the session goes, and
    /// who pays.
    pub fn unset(&self) -> Vec<String> {
        let names = self.env.iter().filter_map(|line| Some(line.split_once('=')?.0));
        let mut names: Vec<String> = names.filter(|name| moves_a_session(name)).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn moves_a_session(name: &str) -> bool {
    match name {
        // The image's PATH is where its `claude` is; its home is replaced.
        "PATH" | "HOME" => false,
        name => reserved(name).is_some() || decides_route(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(env: &[&str]) -> LocalImage {
        LocalImage { env: env.iter().map(|line| (*line).to_owned()).collect(), ..LocalImage::default() }
    }

    #[test]
    fn what_could_move_a_session_is_taken_away_and_nothing_else() {
        let image = image(&[
            "PATH=/opt/bin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
            "ANTHROPIC_BASE_URL=https://elsewhere.example",
            "ANTHROPIC_API_KEY=k",
            "ANTHROPIC_CUSTOM_HEADERS=x",
            "CLAUDE_CONFIG_DIR=/c",
            "CLAUDE_CODE_OAUTH_TOKEN=t",
            "CLAUDE_CODE_USE_BEDROCK=1",
            "CLAUDE_CODE_SUBAGENT_MODEL=opus",
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS=1000",
            "CLAUDE_CODE_ENABLE_TELEMETRY=0",
            "CLAUDE_CODE_HTTPS_PROXY=http://proxy",
            "HTTPS_PROXY=http://proxy",
        ]);
        assert_eq!(
            image.unset(),
            [
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_BASE_URL",
                "ANTHROPIC_CUSTOM_HEADERS",
                "CLAUDE_CODE_HTTPS_PROXY",
                "CLAUDE_CODE_OAUTH_TOKEN",
                "CLAUDE_CODE_SUBAGENT_MODEL",
                "CLAUDE_CODE_USE_BEDROCK",
                "CLAUDE_CONFIG_DIR",
            ]
        );
        assert_eq!(image.path(), ["/opt/bin", "/bin"]);
        assert_eq!(LocalImage::default().path().len(), 6);
    }
}
