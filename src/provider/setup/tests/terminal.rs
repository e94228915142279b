//! The questions on a real pseudo-terminal: a process of its own is asked, and this one is the person.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::*;
use crate::host;

const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal, and the process that runs in it.
struct Terminal {
    keyboard: File,
    /// Kept open, so that the terminal outlives the process.
    line: File,
    process: Child,
    output: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    /// Runs an ignored test of this module, which asks, in a terminal of its own.
    fn run(test: &str, home: &Path, base_url: &str) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = File::from(rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap());
        // Ctrl-C becomes a signal only for the processes of a session that has the terminal as its own.
        let process = Command::new("setsid")
            .arg("--ctty")
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                &format!("provider::setup::tests::terminal::{test}"),
                "--ignored",
                "--nocapture",
            ])
            .env("SETUP_TEST_HOME", home)
            .env("SETUP_TEST_URL", base_url)
            .stdin(line.try_clone().unwrap())
            .stdout(line.try_clone().unwrap())
            .stderr(line.try_clone().unwrap())
            .spawn()
            .unwrap();
        let keyboard = File::from(keyboard);
        let output = pump(keyboard.try_clone().unwrap());
        Self { keyboard, line, process, output, screen: String::new() }
    }

    /// Waits until a text is on the screen, and takes everything up to it.
    fn expect(&mut self, text: &str) {
        while !self.screen.contains(text) {
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else {
                panic!("`{text}` does not come after `{}`", self.screen);
            };
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
        let end = self.screen.find(text).unwrap() + text.len();
        self.screen.drain(..end);
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for a hidden question: its text comes before the echo goes, and what is typed in between is thrown away.
    fn expect_hidden(&mut self, prompt: &str) {
        self.expect(prompt);
        let start = Instant::now();
        while self.echoes() {
            assert!(start.elapsed() < PATIENCE, "the echo stays on at a hidden question");
            std::thread::yield_now();
        }
    }

    fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for the end of the process: how it ended, the rest of the screen, and whether the terminal echoes.
    fn end(mut self) -> (ExitStatus, String, bool) {
        let status = self.process.wait().unwrap();
        let echoes = self.echoes();
        drop(self.line);
        let rest: Vec<u8> = self.output.iter().flatten().collect();
        (status, self.screen + &String::from_utf8_lossy(&rest), echoes)
    }
}

/// Passes on what comes to the screen until nobody has the terminal open any more, which reads as an error.
fn pump(mut screen: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

const PROMPT: &str = "Enter your Z.AI API key (https://z.ai/keys): ";

#[test]
fn ctrl_c_at_a_hidden_question_leaves_the_terminal_as_it_was_and_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run("sets_up_here", home.path(), "http://127.0.0.1:1");
    terminal.expect_hidden(PROMPT);
    terminal.type_in("sk-canary");
    terminal.type_in("\x03");
    let (status, screen, echoes) = terminal.end();
    assert_eq!(status.code(), Some(130), "{screen}");
    assert!(echoes, "the echo is still off");
    assert!(!screen.contains("canary"), "{screen}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_signal_at_a_hidden_question_leaves_the_terminal_as_it_was() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::run("sets_up_here", home.path(), "http://127.0.0.1:1");
        terminal.expect_hidden(PROMPT);
        kill_process(Pid::from_child(&terminal.process), signal).unwrap();
        let (status, screen, echoes) = terminal.end();
        assert_eq!((status.code(), status.signal()), (Some(code), None), "{screen}");
        assert!(echoes, "the echo is still off");
    }
}

#[test]
fn a_person_is_asked_again_after_an_empty_answer_and_after_a_rejected_key() {
    let home = tempfile::tempdir().unwrap();
    let (base, server) = serve([response("401 Unauthorized", "{}"), response("200 OK", MESSAGE)]);
    let mut terminal = Terminal::run("sets_up_here", home.path(), &base);
    terminal.expect_hidden(PROMPT);
    terminal.type_in("\n");
    terminal.expect("The key is empty.");
    terminal.expect_hidden(PROMPT);
    terminal.type_in("sk-canary-wrong\n");
    terminal.expect("Z.AI rejected this key (HTTP 401).");
    terminal.expect_hidden(PROMPT);
    terminal.type_in(&format!(" {KEY} \n"));
    let (status, screen, echoes) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    assert!(echoes && !screen.contains("canary"), "{screen}");
    let [first, second] = server.join().unwrap();
    assert!(first.contains("sk-canary-wrong") && second.contains(KEY));
    let path = home.path().join(".claude-reactor/alice/llms/zai/.env");
    assert_eq!(fs::read_to_string(path).unwrap(), stored_line());
}

#[test]
fn a_key_that_stays_wrong_is_not_asked_for_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let no = || response("401 Unauthorized", "{}");
    let (base, server) = serve([no(), no(), no()]);
    let mut terminal = Terminal::run("sets_up_here", home.path(), &base);
    for _ in 0..ATTEMPTS {
        terminal.expect_hidden(PROMPT);
        terminal.type_in("sk-canary-wrong\n");
    }
    let (status, screen, _) = terminal.end();
    server.join().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(screen.contains("Z.AI rejected the key (HTTP 401); it was not stored"), "{screen}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn an_unknown_provider_is_asked_about_before_its_key_is_tried() {
    let home = tempfile::tempdir().unwrap();
    let (base, server) = serve([response("200 OK", MESSAGE)]);
    let mut terminal = Terminal::run("asks_about_acme_here", home.path(), "");
    terminal.expect("Name of the variable for its key [ACME_API_KEY]: ");
    terminal.type_in("acme\r");
    terminal.expect("Capital letters");
    terminal.expect("[ACME_API_KEY]: ");
    terminal.type_in("\r");
    terminal.expect_hidden("Value of ACME_API_KEY: ");
    terminal.type_in(&format!("{KEY}\n"));
    terminal.expect("Base URL (empty to skip): ");
    terminal.type_in("acme.example\r");
    terminal.expect("It does not begin with http");
    terminal.expect("Base URL (empty to skip): ");
    terminal.type_in(&format!("{base}/v1\r"));
    terminal.expect("It ends in /v1");
    terminal.expect("Base URL (empty to skip): ");
    terminal.type_in(&format!("{base}\r"));
    terminal.expect("bearer or x-api-key [bearer]: ");
    terminal.type_in("x-api-key\r");
    terminal.expect("Main model (empty to skip): ");
    terminal.type_in("\r");
    let (status, screen, _) = terminal.end();
    assert_eq!(status.code(), Some(0), "{screen}");
    assert!(!screen.contains("canary"), "{screen}");
    for part in ["key_env: \"ACME_API_KEY\"", "auth: XApiKey", "main_model: None", "warnings: []"] {
        assert!(screen.contains(part), "{part} is not in {screen}");
    }
    let [request] = server.join().unwrap();
    assert!(request.contains(&format!("x-api-key: {KEY}")), "{request}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn ctrl_c_at_a_visible_question_ends_it_too() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run("asks_about_acme_here", home.path(), "");
    // Visible characters are read one by one, without the terminal's own echo, and Ctrl-C is one of them.
    terminal.expect_hidden("[ACME_API_KEY]: ");
    terminal.type_in("\x03");
    let (status, screen, echoes) = terminal.end();
    assert_eq!(status.code(), Some(130), "{screen}");
    assert!(echoes, "the echo is still off");
}

#[test]
#[ignore = "other tests run it, in a terminal"]
fn sets_up_here() {
    let (host, base_url) = surroundings();
    let provider = provider("zai", Some(&base_url));
    finish(async |options| set_up(&provider, &"alice".parse().unwrap(), &options, &host).await);
}

#[test]
#[ignore = "other tests run it, in a terminal"]
fn asks_about_acme_here() {
    let (host, _) = surroundings();
    finish(async |options| obtain_new(&"acme".parse().unwrap(), None, &options, &host).await);
}

fn surroundings() -> (Host, String) {
    let home = PathBuf::from(std::env::var_os("SETUP_TEST_HOME").unwrap());
    let mut host = host(&home, &[]);
    host.terminal = host::Terminal { stdin: true, stdout: true, stderr: true };
    (host, std::env::var("SETUP_TEST_URL").unwrap())
}

/// Ends the process as the program would.
fn finish<T: fmt::Debug>(work: impl AsyncFnOnce(Options) -> Result<T, Error>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(work(options(Source::Ask)));
    runtime.shutdown_background();
    let code = match result {
        Ok(value) => {
            eprintln!("{value:?}");
            0
        }
        Err(Error::Ended(signal)) => signal.exit_code(),
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    std::process::exit(code.into());
}
