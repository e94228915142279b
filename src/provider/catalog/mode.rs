//! Claude Code's cloud modes: what a provider is that is reached by a switch of Claude Code and a cloud's own
//! credentials, instead of an endpoint and a key.

use std::fmt;

use serde::Deserialize;

/// Which cloud's API Claude Code speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Amazon Bedrock.
    Bedrock,
    /// Google Vertex AI.
    Vertex,
    /// Microsoft Foundry.
    Foundry,
}

/// A cloud mode, and what it has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Which one.
    pub mode: Mode,
    /// The variables it needs, in the order they are asked for.
    pub questions: Vec<Question>,
    /// The files it needs.
    pub files: Vec<FileQuestion>,
}

/// A variable of a cloud mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name.
    pub var: String,
    /// What to ask.
    pub ask: String,
    /// Whether it is a credential: typed hidden, and never shown.
    pub secret: bool,
    /// Whether it may be left empty.
    pub optional: bool,
    /// What it is where nobody says.
    pub default: Option<String>,
    /// The alternative it belongs to. The variables of exactly one are needed.
    pub way: Option<String>,
}

/// A file of a cloud mode, and the variable that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileQuestion {
    /// The variable that holds its path inside the container.
    pub var: String,
    /// What to ask.
    pub ask: String,
    /// What it is called in the provider's `files` folder.
    pub file: String,
    /// Whether it may be missing.
    pub optional: bool,
}

/// What a cloud mode still has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A variable.
    Var(String),
    /// A file, by its variable.
    File(String),
    /// All the variables of one of these alternatives.
    OneOf(Vec<Vec<String>>),
}

impl Mode {
    /// The word for it in `providers.yaml`, which is also the name of our row for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock",
            Self::Vertex => "vertex",
            Self::Foundry => "foundry",
        }
    }

    /// Claude Code's switch.
    pub fn switch(self) -> &'static str {
        match self {
            Self::Bedrock => "CLAUDE_CODE_USE_BEDROCK",
            Self::Vertex => "CLAUDE_CODE_USE_VERTEX",
            Self::Foundry => "CLAUDE_CODE_USE_FOUNDRY",
        }
    }

    /// The variable that names another endpoint than the cloud's usual one.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Bedrock => "ANTHROPIC_BEDROCK_BASE_URL",
            Self::Vertex => "ANTHROPIC_VERTEX_BASE_URL",
            Self::Foundry => "ANTHROPIC_FOUNDRY_BASE_URL",
        }
    }
}

impl Cloud {
    /// The alternatives, in order.
    pub fn ways(&self) -> Vec<&str> {
        let mut ways = Vec::new();
        for way in self.questions.iter().filter_map(|question| question.way.as_deref()) {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// The questions of one alternative, or those that belong to none.
    pub fn of_way<'c>(&'c self, way: Option<&'c str>) -> impl Iterator<Item = &'c Question> {
        self.questions.iter().filter(move |question| question.way.as_deref() == way)
    }

    /// The first alternative all of whose variables are `stated`.
    pub fn way(&self, stated: impl Fn(&str) -> bool) -> Option<&str> {
        self.ways().into_iter().find(|way| self.of_way(Some(way)).all(|question| question.is_met(&stated)))
    }

    /// What is still needed where these variables are `stated`, those of files among them.
    pub fn missing(&self, stated: impl Fn(&str) -> bool) -> Vec<Need> {
        let mut needs: Vec<Need> = self
            .of_way(None)
            .filter(|question| !question.is_met(&stated))
            .map(|question| Need::Var(question.var.clone()))
            .collect();
        let ways = self.ways();
        if !ways.is_empty() && self.way(&stated).is_none() {
            let names = |way: &str| -> Vec<String> {
                let needed = |question: &&Question| !question.optional && question.default.is_none();
                self.of_way(Some(way)).filter(needed).map(|question| question.var.clone()).collect()
            };
            needs.push(Need::OneOf(ways.into_iter().map(names).collect()));
        }
        let files = self.files.iter().filter(|file| !file.optional && !stated(&file.var));
        needs.extend(files.map(|file| Need::File(file.var.clone())));
        needs
    }

    /// Whether this is a variable that the mode asks for, or that names one of its files.
    pub fn asks_for(&self, name: &str) -> bool {
        self.questions.iter().any(|question| question.var == name)
            || self.files.iter().any(|file| file.var == name)
    }

    /// The variables that are credentials, those of files among them.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        let secret = self.questions.iter().filter(|question| question.secret);
        secret.map(|question| question.var.as_str()).chain(self.files.iter().map(|file| file.var.as_str()))
    }
}

impl Question {
    /// Whether it needs no answer any more.
    fn is_met(&self, stated: &impl Fn(&str) -> bool) -> bool {
        self.optional || self.default.is_some() || stated(&self.var)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Var(name) => f.write_str(name),
            Self::File(name) => write!(f, "{name} (a file)"),
            Self::OneOf(ways) => {
                let ways: Vec<String> = ways.iter().map(|names| names.join(" with ")).collect();
                f.write_str(&ways.join(" or "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::provider::catalog::Catalog;

    fn missing(id: &str, stated: &[&str]) -> String {
        let catalog = Catalog::built_in();
        let cloud = catalog.get(&id.parse().unwrap()).unwrap().cloud.clone().unwrap();
        let needs = cloud.missing(|name| stated.contains(&name));
        needs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn bedrock_needs_a_region_and_one_of_two_credentials() {
        let either = "AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY";
        assert_eq!(missing("bedrock", &[]), format!("AWS_REGION; {either}"));
        assert_eq!(missing("bedrock", &["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"]), either);
        assert_eq!(missing("bedrock", &["AWS_REGION", "AWS_BEARER_TOKEN_BEDROCK"]), "");
        assert_eq!(missing("bedrock", &["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]), "");
    }

    #[test]
    fn vertex_needs_a_project_and_a_file_and_knows_a_region() {
        assert_eq!(
            missing("vertex", &[]),
            "ANTHROPIC_VERTEX_PROJECT_ID; GOOGLE_APPLICATION_CREDENTIALS (a file)"
        );
        assert_eq!(missing("vertex", &["ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_APPLICATION_CREDENTIALS"]), "");
    }

    #[test]
    fn foundry_needs_a_key_and_a_resource_or_an_address() {
        let either = "ANTHROPIC_FOUNDRY_RESOURCE or ANTHROPIC_FOUNDRY_BASE_URL";
        assert_eq!(missing("foundry", &["ANTHROPIC_FOUNDRY_API_KEY"]), either);
        assert_eq!(missing("foundry", &["ANTHROPIC_FOUNDRY_API_KEY", "ANTHROPIC_FOUNDRY_BASE_URL"]), "");
    }
}
