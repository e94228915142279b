//! `gateway serve`: the gateway on this machine, in the foreground.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::net::TcpListener;

use super::backend;
use super::choices::ChoiceArgs;
use super::keys::KeyArgs;
use super::target::Target;
use crate::config::Values;
use crate::digest::hex;
use crate::error::Error;
use crate::gateway;
use crate::gateway::server::Gateway;
use crate::host::Host;
use crate::private_file;
use crate::signals::EndSignals;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor gateway serve --llm-provider openai --token-file token
  ANTHROPIC_BASE_URL=http://127.0.0.1:4180 ANTHROPIC_AUTH_TOKEN=$(cat token) claude --model gpt-5.2
  claude-reactor gateway serve --llm-provider gemini --listen 127.0.0.1:0 --port-file port";

/// Serve Anthropic's API in front of a provider, until Ctrl-C
///
/// Clients present a token of its own, and never have the provider's key. Requests of Claude Code and of Anthropic's SDKs
/// are translated to what the provider speaks, and its replies back.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to listen; port 0 takes one that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4180")]
    pub listen: SocketAddr,
    /// Whose key to use
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The provider; by default this project's
    #[arg(long, value_name = "NAME")]
    pub llm_provider: Option<String>,
    /// The file with the token that clients present; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Write the port there, as a bare number, once the gateway listens
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,
    /// CA certificates (PEM) to trust in addition
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// Where a key comes from.
    #[command(flatten)]
    pub key: KeyArgs,
}

/// Does it. Nothing is remembered for the project.
pub async fn serve(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let choices = ChoiceArgs {
        account: args.account.clone(),
        llm_provider: args.llm_provider.clone(),
        ca_file: args.ca_file.clone(),
        ..ChoiceArgs::default()
    };
    let target = Target::resolve(&choices, Values::default(), host)?;
    let backend = backend::backend(&target, &args.key, host).await?;
    let client = backend::client(&target)?;
    let token_file = match &args.token_file {
        Some(path) => host.cwd.join(path),
        None => target.reactor_home.join(target.account.as_str()).join("gateway-token"),
    };
    let token = token(&token_file, &target.reactor_home)?;
    // Whoever reads that it serves may end it at once.
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let listen = |source| gateway::Error::Listen { address: args.listen, source };
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    if let Some(path) = &args.port_file {
        let path = host.cwd.join(path);
        let written = write_at_once(&path, &format!("{}\n", address.port()));
        written.map_err(|source| gateway::Error::PortFile { path, source })?;
    }
    ui::note(&format!("{} at http://{address}; its token is in {}", backend.name, token_file.display()));
    if !address.ip().is_loopback() {
        ui::warn(
            "others can reach this address, and whoever has the token spends your money; it is not encrypted",
        );
    }
    let gateway = Arc::new(Gateway::new(backend, client, token));
    match signals.unless(gateway.serve(listener)).await {
        Ok(served) => served.map_err(listen)?,
        // That is how it is ended.
        Err(_) => ui::note("stopped"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The token in a file, made if it is not there.
///
/// The file alone has to be private, wherever the user wants it: its folder may be one that others see into.
fn token(path: &Path, reactor_home: &Path) -> Result<SecretString, Error> {
    if let Some(folder) = path.parent().filter(|folder| folder.starts_with(reactor_home)) {
        private_file::create_dir(reactor_home, folder)?;
    }
    let failed = |action, source| private_file::Error::Io { action, path: path.to_owned(), source };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).expect("the system gives random numbers");
            let token = format!("crg-{}", hex(&bytes));
            file.write_all(format!("{token}\n").as_bytes()).map_err(|source| failed("write", source))?;
            Ok(token.into())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(private_file::read_alone(path)?
            .filter(|text| !text.trim().is_empty())
            .map(|text| text.trim().into())
            .ok_or_else(|| gateway::Error::EmptyToken(path.to_owned()))?),
        Err(source) => Err(failed("make", source).into()),
    }
}

/// Writes a file so that who waits for it never sees half of it.
fn write_at_once(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
