//! Extra CA certificates: a server that only they vouch for is trusted by what runs inside.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

use super::{Place, SOON};
use crate::support::engine::Engine;
use crate::support::monitor::Monitor;
use crate::support::process::Process;

/// A TLS server with a certificate that it signed itself. What clients send it is to be read.
struct TlsServer {
    address: SocketAddr,
    heard: Monitor<String>,
    /// Its end would be the end of the server.
    _stdin: ChildStdin,
    _openssl: Process,
}

impl TlsServer {
    /// Starts one on the engine's bridge, and leaves its certificate at `certificate`. Nothing without openssl.
    fn start(engine: &Engine, certificate: &Path, mode: &[&str]) -> Option<Self> {
        let (key, gateway) = (certificate.with_extension("key"), engine.gateway());
        let name = format!("subjectAltName=IP:{gateway}");
        let generated = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=a company", "-addext", &name, "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(certificate)
            .output()
            .ok()?;
        assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
        let mut openssl = Command::new("openssl")
            .args(["s_server", "-accept", &format!("{gateway}:0"), "-key"])
            .arg(&key)
            .arg("-cert")
            .arg(certificate)
            .args(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let output = BufReader::new(openssl.stdout.take().expect("standard output is a pipe"));
        let heard = Monitor::new(String::new());
        let listening = heard.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                listening.update(|heard: &mut String| heard.extend([line.as_str(), "\n"]));
            }
        });
        let stdin = openssl.stdin.take().expect("standard input is a pipe");
        let openssl = Process::new(openssl);
        let accepts =
            |heard: &String| heard.lines().find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let address = heard.wait_until(SOON, accepts).expect("openssl says where it listens");
        Some(Self { address, heard, _stdin: stdin, _openssl: openssl })
    }
}

#[test]
fn programs_inside_trust_it() {
    let Some(place) = Place::new() else { return };
    let certificate = place.sandbox.path().join("company.pem");
    let Some(server) = TlsServer::start(&place.engine, &certificate, &["-www"]) else {
        println!("skipped: there is no openssl");
        return;
    };
    let fetch = format!("curl --silent --show-error --output /dev/null https://{}/", server.address);
    let git = format!("git ls-remote https://{}/ 2>&1 | grep -c 'certificate'", server.address);
    let without = place.exec(&["sh", "-c", &fetch]).env_remove("SSL_CERT_FILE").run();
    without.assert_code(60).assert_stderr_contains("certificate");
    place.exec(&["sh", "-c", &git]).env_remove("SSL_CERT_FILE").run().assert_success().assert_stdout("1\n");
    place.engine.docker(&["rm", "--force", &place.id()]);

    // As a setting would: what is in the variable is used like what is in the flag.
    let with =
        |script: &str| place.exec(&["sh", "-c", script]).env("CLAUDE_REACTOR_CA_FILE", &certificate).run();
    with(&fetch).assert_success();
    with(&git).assert_stdout("0\n");
    let bundle = r#"sed -n '/BEGIN/=' "$SSL_CERT_FILE" | wc -l; tail -n 2 "$SSL_CERT_FILE"; cat "$NODE_EXTRA_CA_CERTS""#;
    let output = with(bundle);
    let ours = std::fs::read_to_string(&certificate).unwrap();
    let (count, rest) = output.assert_success().stdout().split_once('\n').unwrap();
    assert!(count.parse::<u32>().unwrap() > 50, "the image's own certificates are in it too: {count}");
    let last_lines: String = ours.split_inclusive('\n').skip(ours.lines().count() - 2).collect();
    assert_eq!(rest, last_lines + &ours);
}

#[test]
fn claude_trusts_it() {
    let Some(place) = Place::new() else { return };
    let certificate = place.sandbox.path().join("company.pem");
    let Some(server) = TlsServer::start(&place.engine, &certificate, &[]) else {
        println!("skipped: there is no openssl");
        return;
    };
    let rows = format!("providers:\n  zai:\n    base_url: https://{}\n", server.address);
    place.sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let flag = ["run", "--ca-file", certificate.to_str().unwrap(), "--", "-p", "hi"];
    let call = place.reactor(&flag).spawn();
    // The server never answers; that a question arrives is enough.
    let asked = |heard: &String| heard.contains("POST /v1/messages").then_some(());
    let heard = server.heard.wait_until(SOON, asked);
    call.signal(rustix::process::Signal::TERM);
    let output = call.wait(SOON);
    assert!(heard.is_some(), "{output:?}");
}
