//! `make bench`: what claude-reactor costs beside the engine's own command line.
//!
//! Every figure is a ratio of two things measured in turns in one run, because machines are noisy and differ; the medians
//! of the pairs' ratios are what counts. Needs an engine, its command line and the image; makes its own home, projects
//! and containers, and removes them. `DOCKER_HOST` says which engine, and `CLAUDE_REACTOR_BENCH_CLIENT` which command
//! line it is compared with: `docker`, or `podman` where Podman is the engine.

mod measure;
mod stage;

use std::process::Command;

use measure::{Pairs, cpu_time, peak_memory, to_end, to_first_byte};
use stage::Stage;

/// Pairs a comparison, where `CLAUDE_REACTOR_BENCH_PAIRS` says no other number.
const PAIRS: usize = 40;

fn main() {
    let pairs =
        std::env::var("CLAUDE_REACTOR_BENCH_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(PAIRS);
    let stage = Stage::set_up();
    let client = stage::client();
    println!("| what | over | ratio (median of {pairs}) | middle half | medians | bound |");
    println!("|---|---|---|---|---|---|");

    let echo = |project| stage.reactor(project, &["exec", "--", "echo", "x"]);
    row(
        "first byte, provider zai, reused container",
        "no llm section",
        "1.10",
        &Pairs::take(pairs, || to_first_byte(echo("zai")), || to_first_byte(echo("claude"))),
    );
    row(
        "first byte, provider zai, fresh container",
        "no llm section",
        "1.10",
        &Pairs::take(
            pairs,
            || {
                stage.remove("zai");
                to_first_byte(echo("zai"))
            },
            || {
                stage.remove("claude");
                to_first_byte(echo("claude"))
            },
        ),
    );

    let container = stage.container("zai");
    row(
        "`exec -- true`, reused container",
        &format!("`{client} exec … true`"),
        "0.85",
        &Pairs::take(
            pairs,
            || to_end(stage.reactor("zai", &["exec", "--", "true"])),
            || to_end(engine_client(&["exec", &container, "true"])),
        ),
    );
    row(
        "fresh container and first command",
        &format!("`{client} run -d` and `{client} exec`"),
        "1.10",
        &Pairs::take(
            pairs,
            || {
                stage.remove("zai");
                to_end(stage.reactor("zai", &["exec", "--", "true"]))
            },
            || {
                let run = to_end(engine_client(&[
                    "run",
                    "-d",
                    "--init",
                    "--name",
                    "claude-reactor-bench",
                    &stage.image,
                    "sleep",
                    "infinity",
                ]));
                let exec = to_end(engine_client(&["exec", "claude-reactor-bench", "true"]));
                stage::client_ok(&["rm", "-f", "claude-reactor-bench"]);
                run + exec
            },
        ),
    );

    let container = stage.container("zai");
    row(
        "peak memory of a session (KiB)",
        &format!("`{client} exec -i`"),
        "0.50",
        &Pairs::take(
            pairs.min(30),
            || peak_memory(stage.reactor("zai", &["exec", "--", "cat"])),
            || peak_memory(engine_client(&["exec", "-i", &container, "cat"])),
        ),
    );
    let help =
        Pairs::take(pairs, || cpu_time(stage.reactor("zai", &["--help"])), || cpu_time(Command::new("true")));
    println!("| CPU of `--help` | – | – | – | {:.1} ms | 5 ms |", help.ours_median());
}

fn engine_client(args: &[&str]) -> Command {
    let mut command = Command::new(stage::client());
    command.args(args);
    command
}

fn row(what: &str, over: &str, bound: &str, pairs: &Pairs) {
    let [low, median, high] = pairs.ratio_quartiles();
    println!(
        "| {what} | {over} | **{median:.3}** | {low:.2} – {high:.2} | {:.1} / {:.1} | {bound} |",
        pairs.ours_median(),
        pairs.theirs_median(),
    );
}
