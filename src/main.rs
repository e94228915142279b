//! The `claude-reactor` program: parse, run, say what went wrong, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    claude_reactor::main()
}
