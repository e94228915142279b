//! Taking a figure from one command, and comparing figures in pairs.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Figures of two things, taken in turns.
pub(crate) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Takes that many pairs, after one that is not counted. Who goes first changes each time, so that a drift of the
    /// machine favours neither.
    pub(crate) fn take(count: usize, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) -> Self {
        ours();
        theirs();
        let pair = |index: usize| {
            if index.is_multiple_of(2) {
                let first = ours();
                (first, theirs())
            } else {
                let first = theirs();
                (ours(), first)
            }
        };
        Self((0..count).map(pair).collect())
    }

    /// The quartiles of the pairs' ratios, ours over theirs.
    pub(crate) fn ratio_quartiles(&self) -> [f64; 3] {
        let ratios = self.sorted(|(ours, theirs)| ours / theirs);
        [1, 2, 3].map(|quarter| ratios[(ratios.len() - 1) * quarter / 4])
    }

    /// The median of our figures.
    pub(crate) fn ours_median(&self) -> f64 {
        let figures = self.sorted(|(ours, _)| *ours);
        figures[(figures.len() - 1) / 2]
    }

    /// The median of the other figures.
    pub(crate) fn theirs_median(&self) -> f64 {
        let figures = self.sorted(|(_, theirs)| *theirs);
        figures[(figures.len() - 1) / 2]
    }

    fn sorted(&self, figure: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
        let mut figures: Vec<f64> = self.0.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }
}

/// Milliseconds from the start of a command to its end.
pub(crate) fn to_end(mut command: Command) -> f64 {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    let taken = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    taken.as_secs_f64() * 1000.0
}

/// Milliseconds from the start of a command to the first byte of its standard output.
pub(crate) fn to_first_byte(mut command: Command) -> f64 {
    let start = Instant::now();
    let mut child = spawn(&mut command, Stdio::null());
    let mut first = [0];
    child.stdout.take().expect("it is piped").read_exact(&mut first).expect("the command says something");
    let taken = start.elapsed();
    assert!(child.wait().expect("the command ends").success(), "{command:?}");
    taken.as_secs_f64() * 1000.0
}

/// The largest resident memory, in KiB, of a command that passes its input on, after a round trip.
pub(crate) fn peak_memory(mut command: Command) -> f64 {
    let mut child = spawn(&mut command, Stdio::piped());
    let mut input = child.stdin.take().expect("it is piped");
    let text = [b'x'; 4096];
    input.write_all(&text).expect("the command reads");
    let mut back = [0; 4096];
    child.stdout.take().expect("it is piped").read_exact(&mut back).expect("the command passes its input on");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it still runs");
    drop(input);
    child.wait().expect("the command ends");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|text| text.parse().ok()).expect("Linux states the peak")
}

/// Milliseconds of CPU that a command takes, user and system. Read between its end and its burial, to the nanosecond.
pub(crate) fn cpu_time(mut command: Command) -> f64 {
    let mut child = spawn(&mut command, Stdio::null());
    let mut all = Vec::new();
    child.stdout.take().expect("it is piped").read_to_end(&mut all).expect("its output ends");
    let path = format!("/proc/{}", child.id());
    let read = |file: &str| {
        std::fs::read_to_string(format!("{path}/{file}")).expect("a process not waited for is there")
    };
    // Its last output and its last instruction are not the same moment.
    while !read("stat").rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z')) {
        std::thread::yield_now();
    }
    let nanoseconds: f64 = read("schedstat")
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("Linux states the time");
    child.wait().expect("it has ended");
    nanoseconds / 1e6
}

/// Starts a command whose output is read.
fn spawn(command: &mut Command, stdin: Stdio) -> Child {
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command starts")
}
