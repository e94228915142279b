//! Claude Code's cloud modes, by the real CLI against a fake of each cloud: which path, model and credential arrive, and
//! that nothing else does.

mod bedrock;
mod foundry;
mod repository;
mod switching;
mod tools;

mod vertex;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::support::fake_api::{Credential, FakeApi, Recorded, Script};
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// Far more than a step of Claude Code takes on a loaded machine.
const SOON: Duration = Duration::from_secs(120);

/// The cloud modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cloud {
    /// By an API key of Bedrock's.
    Bedrock,
    /// By an access key, which signs.
    BedrockPair,
    Vertex,
    Foundry,
}

/// A sandbox's fake of a cloud, and what was given to claude-reactor to talk to it.
struct Place {
    cloud: Cloud,
    fake: FakeApi,
    /// What a session must not give to anybody else.
    secrets: Vec<Canary>,
    credential: Credential,
}

impl Cloud {
    fn provider(self) -> &'static str {
        match self {
            Self::Bedrock | Self::BedrockPair => "bedrock",
            Self::Vertex => "vertex",
            Self::Foundry => "foundry",
        }
    }

    /// A fake of it, and the variables to set it up with.
    fn set_up(self, sandbox: &Sandbox, script: Script) -> (Place, Vec<(&'static str, String)>) {
        let provider = self.provider();
        let (key, id) = (sandbox.canary(provider), sandbox.canary("access-key-id"));
        let credential = match self {
            Self::Bedrock | Self::Vertex => Credential::Bearer(key.clone()),
            Self::BedrockPair => Credential::Signature(id.clone()),
            Self::Foundry => Credential::ApiKey(key.clone()),
        };
        let fake = sandbox.fake(provider, script.requires(credential.clone()));
        let text = |key: &Canary| key.key().to_owned();
        let vars = match self {
            Self::Bedrock => {
                vec![("AWS_REGION", "eu-west-3".to_owned()), ("AWS_BEARER_TOKEN_BEDROCK", text(&key))]
            }
            Self::BedrockPair => vec![
                ("AWS_REGION", "eu-west-3".to_owned()),
                ("AWS_ACCESS_KEY_ID", text(&id)),
                ("AWS_SECRET_ACCESS_KEY", text(&key)),
                ("AWS_SESSION_TOKEN", "a-session-token".to_owned()),
            ],
            Self::Vertex => vec![
                ("ANTHROPIC_VERTEX_PROJECT_ID", "acme-project".to_owned()),
                ("GOOGLE_APPLICATION_CREDENTIALS", credential_file(sandbox, &fake).display().to_string()),
            ],
            Self::Foundry => vec![("ANTHROPIC_FOUNDRY_API_KEY", text(&key))],
        };
        (Place { cloud: self, fake, secrets: vec![key, id], credential }, vars)
    }
}

/// A credential file whose holder gets its token from the fake.
fn credential_file(sandbox: &Sandbox, fake: &FakeApi) -> PathBuf {
    let url = |path: &str| format!("{}{path}", fake.base_url());
    let file = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": url("/token"),
        "credential_source": { "url": url("/subject"), "format": { "type": "json", "subject_token_field_name": "token" } },
    });
    sandbox.write_home("adc.json", file.to_string())
}

/// A call that brings the variables by the environment, and runs a command inside.
fn first_time(project: &Project<'_>, cloud: Cloud, vars: &[(&str, String)]) {
    let args = ["exec", "--llm-provider", cloud.provider(), "--key-from-env", "--", "true"];
    let call = vars.iter().fold(project.reactor(&args), |call, (name, value)| call.env(name, value));
    call.run().assert_success();
}

impl Place {
    /// All requests for a message came with this cloud's credential, and no header holds `foreign`.
    #[track_caller]
    fn assert_requests(&self, foreign: &[&str]) -> Vec<Recorded> {
        let messages = self.fake.messages();
        assert!(!messages.is_empty(), "nothing arrived at {:?}", self.cloud);
        for request in &messages {
            assert!(
                self.credential.is_in(|name| request.header(name)),
                "{} came without its credential",
                request.line()
            );
            let (headers, body) = (request.headers_text(), request.body.to_string());
            for text in foreign {
                assert!(
                    !headers.contains(text) && !body.contains(text),
                    "{} holds what it must not",
                    request.line()
                );
            }
        }
        messages
    }
}
