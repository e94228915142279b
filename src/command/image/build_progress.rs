//! Shows a build, or the download of an image: a live line on a terminal; in a log one plain line a step, or a layer.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::container::build_log::{Progress, Step};

/// How much of an instruction a line of a log shows, in characters.
const LOG_TITLE: usize = 90;

/// How much of an instruction the live line shows: with the counter before it, it fits 80 columns.
const LIVE_TITLE: usize = 54;

/// The live line, and under it what the step said last.
const LIVE: &str = "{spinner} step {pos}/{len}  {elapsed}  {prefix}\n  {wide_msg:.dim}";

/// The same for a download.
const LIVE_LAYERS: &str = "{spinner} layer {pos}/{len}  {elapsed}  {wide_msg:.dim}";

/// How often the live line moves while a step is silent.
const TICK: Duration = Duration::from_millis(120);

/// Shows a build or a download to a person, or to the reader of a log. Shows nothing before it starts.
pub struct BuildProgress {
    started: Instant,
    /// The layers that a log was told of.
    layers_told: usize,
    bar: Option<ProgressBar>,
}

impl BuildProgress {
    /// On standard error; `terminal` says whether that is one.
    pub fn stderr(terminal: bool) -> Self {
        let bar = terminal.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        Self { started: Instant::now(), layers_told: 0, bar }
    }

    /// Shows the next thing. What cannot be written is lost: a closed standard error is no reason to end a build.
    pub fn show(&mut self, progress: &Progress) {
        if let Progress::Started { .. } | Progress::Pulling { .. } | Progress::Pushing { .. } = progress {
            self.started = Instant::now();
        }
        if let (Progress::Layers(state), None) = (progress, &self.bar) {
            // Most of what is reported is about bytes.
            if state.done <= self.layers_told {
                return;
            }
            self.layers_told = state.done;
        }
        match &self.bar {
            Some(bar) => live(bar, progress, self.started.elapsed()),
            None => say(progress, self.started.elapsed()),
        }
    }
}

/// A build that failed or was given up leaves no half-drawn line behind.
impl Drop for BuildProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn live(bar: &ProgressBar, progress: &Progress, elapsed: Duration) {
    match progress {
        Progress::Started { .. } | Progress::Pulling { .. } | Progress::Pushing { .. } => {
            say(progress, elapsed);
        }
        Progress::Layers(state) => {
            bar.set_length(state.layers as u64);
            bar.set_position(state.done as u64);
            bar.set_message(state.now.clone());
            appear(bar, LIVE_LAYERS);
        }
        Progress::Step(step) => {
            bar.set_length(step.total.into());
            bar.set_position(step.number.into());
            bar.set_prefix(step.title(LIVE_TITLE));
            bar.set_message("");
            appear(bar, LIVE);
        }
        Progress::Line(line) | Progress::Pull(line) => bar.set_message(line.clone()),
        Progress::Built | Progress::Pulled | Progress::Pushed => {
            bar.finish_and_clear();
            say(progress, elapsed);
        }
    }
}

/// Shows the live line, unless it is there.
fn appear(bar: &ProgressBar, template: &str) {
    if bar.is_hidden() {
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        bar.set_style(style);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
    }
}

fn say(progress: &Progress, elapsed: Duration) {
    if let Some(line) = log_line(progress, elapsed) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

fn log_line(progress: &Progress, elapsed: Duration) -> Option<String> {
    let seconds = elapsed.as_secs();
    match progress {
        Progress::Started { reference } => Some(format!("building the image {reference}")),
        Progress::Step(step) => Some(step_line(step, seconds)),
        Progress::Line(_) | Progress::Pull(_) => None,
        Progress::Built => Some(format!("built the image in {seconds} s")),
        Progress::Pulling { reference } => Some(format!("pulling the image {reference}")),
        Progress::Layers(state) => Some(format!("{seconds:>5} s  {} of {} layers", state.done, state.layers)),
        Progress::Pushing { reference } => Some(format!("pushing the image {reference}")),
        Progress::Pushed => Some(format!("pushed the image in {seconds} s")),
        Progress::Pulled => Some(format!("pulled the image in {seconds} s")),
    }
}

fn step_line(step: &Step, seconds: u64) -> String {
    let width = step.total.to_string().len();
    format!("{seconds:>5} s  step {:>width$}/{}  {}", step.number, step.total, step.title(LOG_TITLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, instruction: &str) -> Progress {
        Progress::Step(Step { number, total: 13, instruction: instruction.to_owned() })
    }

    #[test]
    fn a_log_has_a_line_a_step() {
        let told = [
            (0, Progress::Started { reference: "claude-reactor/base:0123456789ab".to_owned() }),
            (0, step(1, "FROM debian:trixie-slim AS cli")),
            (1, Progress::Pull("0a1b: Downloading 1.0 MB of 29.0 MB".to_owned())),
            (4, step(2, "RUN apt-get update")),
            (5, Progress::Line("Get:1 http://deb.debian.org/debian trixie InRelease".to_owned())),
            (61, step(10, &"x".repeat(200))),
            (104, Progress::Built),
        ];
        let lines: Vec<_> = told
            .iter()
            .filter_map(|(seconds, progress)| log_line(progress, Duration::from_secs(*seconds)))
            .collect();
        assert_eq!(
            lines,
            [
                "building the image claude-reactor/base:0123456789ab",
                "    0 s  step  1/13  FROM debian:trixie-slim AS cli",
                "    4 s  step  2/13  RUN apt-get update",
                &format!("   61 s  step 10/13  {}…", "x".repeat(89)),
                "built the image in 104 s",
            ]
        );
    }
}
