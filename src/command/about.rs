//! The flags of commands that look at a project's surroundings and remember nothing.

use super::choices::ChoiceArgs;

/// What is looked at, where it is not what the project has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AboutArgs {
    /// Look as this account
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Look at this LLM backend
    #[arg(long, value_name = "NAME")]
    pub llm_provider: Option<String>,
    /// Look at this image
    #[arg(long, visible_alias = "variant", value_name = "IMAGE")]
    pub image: Option<String>,
    /// Look at this container engine: docker, podman, an address or a Docker context
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// CA certificates (PEM) to trust in addition
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
}

impl AboutArgs {
    /// The same as choices.
    pub fn choices(&self) -> ChoiceArgs {
        let Self { account, llm_provider, image, engine, ca_file } = self.clone();
        ChoiceArgs { account, llm_provider, image, ca_file, engine, ..ChoiceArgs::default() }
    }
}
