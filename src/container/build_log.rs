//! What a build says while it runs, turned into steps and lines.
//!
//! Pure: events of the engine go in, [`Progress`] comes out, and who shows it is the command's choice. The builder's
//! output is text for people, in Docker's or in Podman's form; this is the only place that reads it.

use std::collections::VecDeque;

use super::build_failure::Failure;
use super::engine::build::BuildEvent;
use super::pull_log::PullState;

/// How many of a step's last lines an explanation of its failure shows.
const TAIL: usize = 20;

/// One instruction of the Dockerfile, as the builder gets to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Counted from 1. Podman counts anew in every stage.
    pub number: u32,
    /// How many steps there are in all.
    pub total: u32,
    /// The whole instruction, on one line.
    pub instruction: String,
}

impl Step {
    /// The instruction, cut to at most `width` characters.
    pub fn title(&self, width: usize) -> String {
        let mut chars = self.instruction.chars();
        let title: String = chars.by_ref().take(width).collect();
        if chars.next().is_none() {
            return title;
        }
        let kept: String = title.chars().take(width.saturating_sub(1)).collect();
        format!("{}…", kept.trim_end())
    }
}

/// Something to show of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A build begins: the image was not there.
    Started {
        /// The image.
        reference: String,
    },
    /// The builder got to a step.
    Step(Step),
    /// A line of the step's output, without colours and control characters.
    Line(String),
    /// How far a download of the base image is. Comes many times a second.
    Pull(String),
    /// The image is there.
    Built,
    /// A download of a whole image begins.
    Pulling {
        /// The image.
        reference: String,
    },
    /// How far that is. Comes many times a second.
    Layers(PullState),
    /// That image is there.
    Pulled,
    /// A whole image begins to go to its registry.
    Pushing {
        /// The image.
        reference: String,
    },
    /// It is there.
    Pushed,
}

/// Follows a build from its events.
#[derive(Debug, Default)]
pub struct BuildLog {
    unfinished: String,
    step: Option<Step>,
    tail: VecDeque<String>,
}

impl BuildLog {
    /// Takes an event in, and says what of it is worth showing.
    pub fn push(&mut self, event: BuildEvent) -> Vec<Progress> {
        match event {
            BuildEvent::Output(text) => {
                self.unfinished.push_str(&text);
                let mut shown = Vec::new();
                while let Some(end) = self.unfinished.find('\n') {
                    let line: String = self.unfinished.drain(..=end).collect();
                    shown.extend(self.line(&line));
                }
                shown
            }
            BuildEvent::Pull { layer, status, bytes } => vec![Progress::Pull(pull(layer, &status, bytes))],
            BuildEvent::Built(_) => Vec::new(),
        }
    }

    fn line(&mut self, raw: &str) -> Option<Progress> {
        let line = plain(raw);
        if let Some(step) = parse_step(&line) {
            self.step = Some(step.clone());
            self.tail.clear();
            return Some(Progress::Step(step));
        }
        if line.is_empty() || is_bookkeeping(&line) {
            return None;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        Some(Progress::Line(line))
    }

    /// Explains a failed build: `message` is what the engine gave as the reason.
    pub fn fail(mut self, reference: &str, message: &str) -> Failure {
        let rest = std::mem::take(&mut self.unfinished);
        self.line(&rest);
        Failure::new(reference, self.step, self.tail.into(), message)
    }
}

/// `Step 3/12 : RUN x` of Docker, `STEP 3/6: RUN x` and `[1/2] STEP 3/6: RUN x` of Podman.
fn parse_step(line: &str) -> Option<Step> {
    let line = match line.strip_prefix('[') {
        Some(staged) => staged.split_once("] ")?.1,
        None => line,
    };
    let line = line.strip_prefix("Step ").or_else(|| line.strip_prefix("STEP "))?;
    let (count, instruction) = line.split_once(':')?;
    let (number, total) = count.trim().split_once('/')?;
    Some(Step {
        number: number.parse().ok()?,
        total: total.parse().ok()?,
        instruction: instruction.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

/// The builder's notes on its own layers and containers.
fn is_bookkeeping(line: &str) -> bool {
    ["---> ", "--> ", "Removing intermediate container "]
        .iter()
        .any(|note| line.trim_start().starts_with(note))
}

/// A line as a terminal would leave it: without colours, and with what a carriage return wrote over gone.
fn plain(raw: &str) -> String {
    let raw = raw.trim_end();
    let last = raw.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    let mut line = String::with_capacity(last.len());
    let mut chars = last.chars();
    while let Some(char) = chars.next() {
        match char {
            // A control sequence: `ESC [`, parameters, and one final letter.
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    chars.by_ref().find(|char| ('@'..='~').contains(char));
                }
            }
            '\t' => line.push(' '),
            char if char.is_control() => {}
            char => line.push(char),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn pull(layer: Option<String>, status: &str, bytes: Option<(u64, u64)>) -> String {
    let layer = layer.map(|layer| format!("{layer}: ")).unwrap_or_default();
    let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    match bytes {
        Some((current, total)) if total > 0 => {
            format!("{layer}{status} {} of {}", megabytes(current), megabytes(total))
        }
        _ => format!("{layer}{status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> BuildEvent {
        BuildEvent::Output(text.to_owned())
    }

    fn step(number: u32, total: u32, instruction: &str) -> Progress {
        Progress::Step(Step { number, total, instruction: instruction.to_owned() })
    }

    fn feed(log: &mut BuildLog, chunks: &[&str]) -> Vec<Progress> {
        chunks.iter().flat_map(|chunk| log.push(output(chunk))).collect()
    }

    #[test]
    fn dockers_steps_and_lines() {
        let mut log = BuildLog::default();
        let shown = feed(
            &mut log,
            &[
                "Step 1/2 : FROM debian:trixie-slim",
                "\n",
                " ---> Using cache\n",
                " ---> 8751c4def268\n",
                "Step 2/2 : RUN a     && b",
                "\n",
                "Get:1 http://deb.deb",
                "ian.org\nFetched\t9 kB\n",
                "\u{1b}[91mnpm ERR!\u{1b}[0m",
                "\u{1b}[91m code 7\n\u{1b}[0m",
                "\u{1b}[91m\n\u{1b}[0m",
                "Removing intermediate container c5260b883f4c\n",
            ],
        );
        assert_eq!(
            shown,
            [
                step(1, 2, "FROM debian:trixie-slim"),
                step(2, 2, "RUN a && b"),
                Progress::Line("Get:1 http://deb.debian.org".to_owned()),
                Progress::Line("Fetched 9 kB".to_owned()),
                Progress::Line("npm ERR! code 7".to_owned()),
            ]
        );
    }

    #[test]
    fn podmans_steps() {
        let mut log = BuildLog::default();
        let shown = feed(
            &mut log,
            &["STEP 1/2: FROM a\n", "--> 4f7d01060572\n", "[1/2] STEP 2/6: COPY a: b\n", "[notice] b: c\n"],
        );
        assert_eq!(
            shown,
            [step(1, 2, "FROM a"), step(2, 6, "COPY a: b"), Progress::Line("[notice] b: c".to_owned())]
        );
    }

    #[test]
    fn lines_lose_colours_and_what_was_written_over() {
        for (raw, expected) in [
            ("\u{1b}[91merr\u{1b}[0m", "err"),
            ("\u{1b}[1;31mred\u{1b}[K \u{7}bell", "red bell"),
            ("10%\r50%\r100%\r\n", "100%"),
            ("  indented", "  indented"),
            ("\u{1b}[0m\n", ""),
            ("cut \u{1b}[9", "cut"),
        ] {
            assert_eq!(plain(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_failure_keeps_the_last_lines_of_the_failing_step_only() {
        let mut log = BuildLog::default();
        feed(&mut log, &["Step 1/2 : RUN a\n", "of the first step\n", "Step 2/2 : RUN b\n"]);
        for number in 0..30 {
            log.push(output(&format!("line {number}\n")));
        }
        log.push(output("line without an end"));
        let failure = log.fail("x", "broken");
        assert_eq!(failure.lines.len(), TAIL);
        assert_eq!(failure.lines.first().map(String::as_str), Some("line 11"));
        assert_eq!(failure.lines.last().map(String::as_str), Some("line without an end"));
    }

    #[test]
    fn titles_are_cut_to_the_width() {
        let step = Step { number: 1, total: 1, instruction: "RUN größer als".to_owned() };
        assert_eq!(step.title(14), "RUN größer als");
        assert_eq!(step.title(13), "RUN größer a…");
        assert_eq!(step.title(5), "RUN…");
    }

    #[test]
    fn a_download_tells_how_far_it_is() {
        let layer = || Some("0a1b".to_owned());
        assert_eq!(
            pull(layer(), "Downloading", Some((12_340_000, 29_060_000))),
            "0a1b: Downloading 12.3 MB of 29.0 MB"
        );
        assert_eq!(pull(layer(), "Extracting", Some((5, 0))), "0a1b: Extracting");
        assert_eq!(pull(None, "Pulling from library/debian", None), "Pulling from library/debian");
    }
}
