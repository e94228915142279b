use std::fs;
use std::path::Path;

use super::super::check::test_support::{MESSAGE, provider, response, serve};
use super::*;

#[cfg(target_os = "linux")]
mod terminal;

const KEY: &str = "sk-canary-0123456789";

fn options(source: Source) -> Options {
    let command = "claude-reactor run --llm-provider zai".to_owned();
    Options { source, no_verify: false, ca_file: None, command }
}

fn host(home: &Path, vars: &[(&str, &str)]) -> Host {
    Host::new(home, "/", vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Sets up a provider whose endpoint gives one answer. Also gives the text of the key's file.
fn set_up_at(
    status: &str,
    options: &Options,
    vars: &[(&str, &str)],
) -> (Result<Outcome, Error>, Option<String>) {
    let home = tempfile::tempdir().unwrap();
    let (base, server) = serve([response(status, MESSAGE)]);
    let provider = provider("zai", Some(&base));
    let result = run(set_up(&provider, &"alice".parse().unwrap(), options, &host(home.path(), vars)));
    let [request] = server.join().unwrap();
    assert!(request.contains(&format!("authorization: bearer {KEY}")));
    let stored = fs::read_to_string(home.path().join(".claude-reactor/alice/llms/zai/.env")).ok();
    (result, stored)
}

fn stored_line() -> String {
    format!("ZAI_API_KEY='{KEY}'\n")
}

#[test]
fn a_key_from_the_environment_is_stored_under_the_first_name() {
    let vars = [("Z_AI_API_KEY", KEY)];
    let (result, stored) = set_up_at("200 OK", &options(Source::Environment), &vars);
    let outcome = result.unwrap();
    assert_eq!((outcome.name.as_str(), outcome.warnings.as_slice()), ("ZAI_API_KEY", [].as_slice()));
    assert_eq!(stored, Some(stored_line()));
}

#[test]
fn a_key_from_an_argument_is_stored_with_a_warning() {
    let source = Source::Argument(format!(" {KEY}\r\n").into());
    let (result, stored) = set_up_at("200 OK", &options(source), &[]);
    assert_eq!(result.unwrap().warnings, [Warning::VisibleArgument]);
    assert_eq!(stored, Some(stored_line()));
}

#[test]
fn a_rejected_key_is_stored_only_on_demand() {
    let mut options = options(Source::Environment);
    let vars = [("ZAI_API_KEY", KEY)];
    let (result, stored) = set_up_at("401 Unauthorized", &options, &vars);
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), "Z.AI rejected the key (HTTP 401); it was not stored");
    assert_eq!(error.hint().unwrap(), "see https://z.ai/keys; --no-verify stores it nevertheless");
    assert_eq!(stored, None);

    options.no_verify = true;
    let (result, stored) = set_up_at("401 Unauthorized", &options, &vars);
    assert_eq!(result.unwrap().warnings, [Warning::Rejected { status: 401 }]);
    assert_eq!(stored, Some(stored_line()));
}

#[test]
fn a_key_that_could_not_be_judged_is_stored_with_a_warning() {
    let (result, stored) = set_up_at("404 Not Found", &options(Source::Environment), &[("ZAI_API_KEY", KEY)]);
    let wanted = "the key could not be checked: the endpoint answered HTTP 404 Not Found";
    assert_eq!(result.unwrap().warnings[0].to_string(), wanted);
    assert_eq!(stored, Some(stored_line()));
}

#[test]
fn without_a_terminal_and_without_a_key_the_error_says_what_to_run_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let set_up = |source| {
        let host = host(home.path(), &[]);
        let account = "alice".parse().unwrap();
        run(set_up(&provider("zai", None), &account, &options(source), &host)).unwrap_err()
    };
    let error = set_up(Source::Ask);
    assert_eq!(error.to_string(), "there is no API key for Z.AI yet, and no terminal to ask for one");
    assert_eq!(
        error.hint().unwrap(),
        "run `claude-reactor run --llm-provider zai --key-from-env` with ZAI_API_KEY or Z_AI_API_KEY set, \
         or `claude-reactor run --llm-provider zai --key-stdin < key.txt`"
    );
    let error = set_up(Source::Environment);
    assert_eq!(error.to_string(), "--key-from-env found no ZAI_API_KEY or Z_AI_API_KEY in the environment");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn an_unknown_provider_is_not_made_up_without_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let id = "acme".parse().unwrap();
    let error =
        run(obtain_new(&id, None, &options(Source::Environment), &host(home.path(), &[]))).unwrap_err();
    assert!(error.hint().unwrap().contains("/.claude-reactor/providers.yaml"), "{error:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_cannot_be_used_is_said_before_the_key_is_sent_anywhere() {
    let home = tempfile::tempdir().unwrap();
    let host = host(home.path(), &[("ZAI_API_KEY", KEY)]);
    let (account, provider) = ("alice".parse().unwrap(), provider("zai", Some("http://127.0.0.1:1")));
    let reactor_home = host.reactor_home().unwrap();
    let path = credentials::store(&reactor_home, &account, &provider.id, "A", &"x".into()).unwrap();
    crate::private_file::write(&path, b"A='x\n").unwrap();
    let error = run(set_up(&provider, &account, &options(Source::Environment), &host)).unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
}

#[test]
fn standard_input_is_one_line_with_the_blanks_around_it_removed() {
    let read = |bytes: &[u8]| from_reader(bytes);
    assert_eq!(read(b"  sk a$b \r\n\n").unwrap().expose_secret(), "sk a$b");
    for (bytes, problem) in [
        (b" \n".as_slice(), "is empty"),
        (b"canary\nB=1", "has more than one line"),
        (b"\x1b[200~canary", "has control characters in it"),
        (b"canary\xff", "is not text"),
        (&vec![b'x'; MAX_KEY_LENGTH + 1], "is too long"),
    ] {
        let error = read(bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("the key from standard input {problem}"));
        assert!(!format!("{error:?}").contains("canary"));
    }
}
