//! An engine behind a port that takes TLS, from clients whom its authority vouches for and from nobody else.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use sha2::{Digest, Sha256};
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;

use super::Place;
use crate::support::authority::{Authority, Identity};
use crate::support::invocation::Invocation;
use crate::support::listening::Listening;
use crate::support::monitor::Monitor;

/// The exit code where no engine can be used.
const NO_ENGINE: i32 = 125;

/// The engine of a place behind a port.
struct Port {
    place: Place,
    authority: Authority,
    client: Identity,
    listening: Listening,
    /// How many connections went on to the engine.
    passed: Monitor<usize>,
}

impl Port {
    /// Where no engine answers, the test has said so.
    fn new() -> Option<Self> {
        let place = Place::new()?;
        let authority = Authority::new("the engine's authority");
        let client = authority.identity(["client"]);
        let acceptor = authority.identity(["127.0.0.1"]).acceptor(Some(&authority));
        let engine = place.engine.socket().expect("the tests' engine has a socket on this machine");
        let passed = Monitor::new(0);
        let count = passed.clone();
        let listening = Listening::start(IpAddr::V4(Ipv4Addr::LOCALHOST), move |connection| {
            let (acceptor, engine, count) = (acceptor.clone(), engine.clone(), count.clone());
            async move {
                let mut tls = acceptor.accept(connection).await?;
                count.update(|count| *count += 1);
                copy_bidirectional(&mut tls, &mut UnixStream::connect(engine).await?).await.map(|_| ())
            }
        });
        Some(Self { place, authority, client, listening, passed })
    }

    fn url(&self) -> String {
        format!("tcp://{}", self.listening.address())
    }

    /// Writes a folder of TLS files below the sandbox's home.
    fn files(&self, folder: &str, authority: &Authority, client: Option<&Identity>) {
        let write = |name: &str, pem: String| self.place.sandbox.write_home(&format!("{folder}/{name}"), pem);
        write("ca.pem", authority.pem());
        if let Some(client) = client {
            write("cert.pem", client.pem());
            write("key.pem", client.key_pem());
        }
    }

    /// Makes a Docker context, as `docker context create` does, and leaves its TLS files to the test. Returns their
    /// folder.
    fn context(&self, name: &str) -> String {
        let digest = Sha256::digest(name);
        let id = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let docker = serde_json::json!({ "Host": self.url(), "SkipTLSVerify": false });
        let meta = serde_json::json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": docker } });
        self.place.sandbox.write_home(&format!(".docker/contexts/meta/{id}/meta.json"), meta.to_string());
        format!(".docker/contexts/tls/{id}/docker")
    }

    /// A call that finds the port by the variables of Docker's command line, and its files in a folder at home.
    fn by_variables<'p>(&'p self, call: Invocation<'p>, folder: &str) -> Invocation<'p> {
        let folder = self.place.sandbox.home().join(folder);
        call.env("DOCKER_HOST", self.url()).env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", folder)
    }

    /// A call that finds the port by a context, and nothing else.
    fn by_context<'p>(&'p self, name: &str, command: &[&str]) -> Invocation<'p> {
        self.place.reactor(&[&["exec", "--engine", name, "--"], command].concat()).env_remove("DOCKER_HOST")
    }

    fn passed(&self) -> usize {
        self.passed.read(|passed| *passed)
    }

    /// Fails unless sessions work that are started this way, and go through the port.
    #[track_caller]
    fn assert_works<'p>(&'p self, exec: impl Fn(&[&str]) -> Invocation<'p>) {
        let before = self.passed();
        exec(&["sh", "-c", "echo made >/app/file; exit 3"]).run().assert_code(3);
        let file = self.place.project().path().join("file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "made\n");
        fs::remove_file(file).unwrap();
        // Both ways at once, and to the end.
        let input = "line\n".repeat(200_000);
        exec(&["cat"]).stdin(input.clone()).run().assert_success().assert_stdout(&input);
        assert!(self.passed() > before, "it went another way");
    }
}

#[test]
fn a_session_works_through_it_by_the_variables_of_dockers_command_line() {
    let Some(port) = Port::new() else { return };
    port.files("tls", &port.authority, Some(&port.client));
    port.assert_works(|command| port.by_variables(port.place.exec(command), "tls"));
}

#[test]
fn a_session_works_through_it_by_a_context() {
    let Some(port) = Port::new() else { return };
    port.files(&port.context("secure"), &port.authority, Some(&port.client));
    port.assert_works(|command| port.by_context("secure", command));
}

#[test]
fn who_is_not_believed_is_told_so() {
    const FILES: &str =
        "ca.pem, cert.pem and key.pem are taken from DOCKER_CERT_PATH, or from the Docker context";
    let Some(port) = Port::new() else { return };
    let stranger = Authority::new("another authority");
    let strange = stranger.identity(["client"]);
    for (folder, authority, client, words) in [
        ("none", &port.authority, None, "the engine demands a certificate of yours, cert.pem and key.pem"),
        (
            "strange",
            &port.authority,
            Some(&strange),
            "the engine demands another certificate of yours, cert.pem and key.pem",
        ),
        (
            "wrong",
            &stranger,
            Some(&port.client),
            "the engine's certificate is by no authority that you trust, ca.pem",
        ),
    ] {
        port.files(folder, authority, client);
        let output = port.by_variables(port.place.exec(&["true"]), folder).run();
        output.assert_code(NO_ENGINE);
        output.assert_stderr_contains(&format!("  {}: {words}", port.url())).assert_stderr_contains(FILES);

        port.files(&port.context(folder), authority, client);
        let output = port.by_context(folder, &["true"]).run();
        output.assert_code(NO_ENGINE);
        output.assert_stderr_contains(&format!("  {}: {words}", port.url())).assert_stderr_contains(FILES);
    }
    assert_eq!(port.passed(), 0);
}
