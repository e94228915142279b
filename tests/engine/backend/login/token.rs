//! The long-lived token: made by `claude setup-token` in the container, pasted, stored, used.

use super::super::{ask, leave};
use super::{Place, SOON};
use crate::support::fake_api::{Credential, Script};
use crate::support::pty::Size;

/// The value of `state=` in the address that the terminal shows, which the code to be typed repeats.
fn state(transcript: &str) -> Option<String> {
    let joined: String = transcript.chars().filter(|c| !c.is_whitespace()).collect();
    let (_, rest) = joined.split_once("&state=")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches("Pastecodehereifprompted").to_owned())
}

#[test]
fn a_token_is_made_in_the_container_pasted_and_used() {
    let Some(place) = Place::new() else { return };
    let (token, refresh) = (place.sandbox.token("claude"), place.sandbox.token("refresh"));
    place.fake.follow(Script::new().requires(Credential::Bearer(token.clone())).grants(&token, &refresh));
    let project = place.sandbox.project("app");
    let pty = place.reactor(&project, &["run"]).shows_secrets().on_pty(Size { rows: 50, columns: 600 });
    pty.wait_for("Choice", SOON);
    pty.write_line("2");
    pty.wait_for("Paste code here", SOON);
    let state = state(&pty.transcript()).expect("the address has a state");
    pty.write(format!("the-code#{state}"));
    pty.wait_for("*****", SOON);
    pty.write("\r");
    pty.wait_for(token.key(), SOON);
    pty.wait_for("Paste the token", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line("sk-ant-api03-something-else");
    pty.wait_for("This is not a token of a subscription", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line(token.key());
    ask(&pty, "ping", "pong from fake-anthropic");
    let exit = leave(pty);
    exit.assert_code(0).assert_terminal_restored();
    assert!(
        exit.transcript().contains("· subscription token CLAUDE_CODE_OAUTH_TOKEN"),
        "{}",
        exit.transcript()
    );

    place.assert_only(&Credential::Bearer(token.clone()));
    let env = place.sandbox.reactor_home().join("user/llms/claude/.env");
    let stored = std::fs::read_to_string(&env).unwrap();
    assert!(stored.ends_with(&format!("CLAUDE_CODE_OAUTH_TOKEN='{}'\n", token.key())));
    assert_eq!(place.sandbox.files_with(&token), [env.strip_prefix(place.sandbox.path()).unwrap()]);
    assert!(!place.mounts(&project).contains("llms/"), "a token is in the session's environment only");

    let said = place.ask(&project);
    assert!(said.contains("· subscription token CLAUDE_CODE_OAUTH_TOKEN\n"), "{said}");
}
