//! Bytes through pipes: unchanged, complete, apart, and with an end, whichever side ends first.

use super::{Place, SOON};

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

/// Bytes of every value in no order that anything could guess (xorshift), the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()
    });
    next.flatten().take(length).collect()
}

#[test]
fn ten_megabytes_pass_both_ways_unchanged() {
    let Some(place) = Place::new() else { return };
    let bytes = noise(TEN_MEGABYTES);
    let output = place.exec(&["cat"]).stdin(bytes.clone()).timeout(SOON).run();
    output.assert_success();
    // Not `assert_eq!`, which would print both.
    assert!(output.stdout_bytes() == bytes, "{} bytes came back", output.stdout_bytes().len());
}

#[test]
fn both_outputs_at_once_stay_apart_and_complete() {
    let Some(place) = Place::new() else { return };
    let script = "yes err | head -c 8000000 >&2 & yes out | head -c 8000000; wait";
    let output = place.exec(&["sh", "-c", script]).timeout(SOON).run();
    output.assert_success();
    assert!(output.stdout() == "out\n".repeat(2_000_000), "{} bytes of output", output.stdout().len());
    assert!(output.stderr() == "err\n".repeat(2_000_000), "{} bytes of errors", output.stderr().len());
}

#[test]
fn input_passes_as_it_comes_and_its_end_too() {
    let Some(place) = Place::new() else { return };
    let mut call = place.exec(&["sh", "-c", "cat; echo ended"]).spawn();
    for line in ["one\n", "two\n"] {
        call.write(line.as_bytes());
        call.wait_for_stdout(line, SOON);
    }
    call.close_stdin();
    call.wait(SOON).assert_success().assert_stdout("one\ntwo\nended\n");

    place.exec(&["sh", "-c", "cat; echo ended"]).run().assert_success().assert_stdout("ended\n");
}

#[test]
fn input_that_nobody_reads_holds_nothing_up() {
    let Some(place) = Place::new() else { return };
    let closed = place.exec(&["sh", "-c", "exec <&-; echo closed; exit 3"]);
    closed.stdin(noise(TEN_MEGABYTES)).timeout(SOON).run().assert_code(3).assert_stdout("closed\n");

    let output = place.exec(&["sh", "-c", "yes out | head -c 8000000; head -c 1 >/dev/null; exit 5"]);
    let output = output.stdin(noise(TEN_MEGABYTES)).timeout(SOON).run();
    output.assert_code(5);
    if place.engine.is_podman() {
        // Podman 4.3 gives a stream up when its input cannot be written, and says so in it, as if the command had.
        return;
    }
    assert!(output.stdout() == "out\n".repeat(2_000_000), "{} bytes of output", output.stdout().len());
}

/// `exec -- sh -c SCRIPT | head -c 1`, which tells the exit code of the first on standard error.
fn piped_into_head(place: &Place, script: &str) {
    let pipeline = r#"{ "$0" exec -- sh -c "$1"; echo "code $?" >&2; } | head -c 1"#;
    let program = env!("CARGO_BIN_EXE_claude-reactor");
    let call = place.project().command("sh", &["-c", pipeline, program, script]);
    let output = call.env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").timeout(SOON).run();
    output.assert_success().assert_stdout("y").assert_stderr_contains("code 141\n");
    place.assert_nobody_inside();
}

#[test]
fn a_command_whose_reader_goes_away_ends() {
    let Some(place) = Place::new() else { return };
    piped_into_head(&place, "yes");
}

#[test]
fn a_command_that_does_not_mind_a_lost_reader_ends_too() {
    let Some(place) = Place::new() else { return };
    // As Claude Code and every other program on Node do.
    piped_into_head(&place, "trap '' PIPE; yes; sleep 86400");
}

#[test]
fn output_that_cannot_be_written_is_said() {
    let Some(place) = Place::new() else { return };
    let program = env!("CARGO_BIN_EXE_claude-reactor");
    let script = format!("'{program}' exec --llm-provider zai -- echo hi >/dev/full");
    let output = place.project().command("sh", &["-c", &script]).run();
    output.assert_code(1).assert_stderr_contains("the session's input or output failed");
}
