#!/usr/bin/env bash
# Shows the whole thing to somebody who has no account anywhere: a provider that runs on this machine and knows one answer, and
# Claude Code in its container talking to it. Nothing of it touches your own ~/.claude-reactor.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/with-fake-provider.sh
. scripts/with-fake-provider.sh

reactor=$(realpath "${PROGRAM:-target/release/claude-reactor}")
fake=$(realpath "${FAKE:-target/release/examples/fake_provider}")
home=$(mktemp -d)
fake_provider "$home" "$fake" \
  "Hello! I am the demo provider: a small server on your own machine that says only this."
# The container was for this alone, however it ends.
end() {
  "$reactor" clean --force >/dev/null 2>&1 || true
  kill "$fake_provider_pid" 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT
mkdir "$home/demo-project"
cd "$home/demo-project"
export CLAUDE_REACTOR_HOME=$home/.claude-reactor

printf "\n$ claude-reactor run --llm-provider demo -- -p 'Hello, who is there?'\n" >&2
"$reactor" run --llm-provider demo --account demo -- -p 'Hello, who is there?'
if [ -t 0 ] && [ -t 1 ]; then
  printf '\nEnter starts the same as a session (Ctrl-D leaves it), Ctrl-C ends the demo. ' >&2
  read -r _
  "$reactor" run --account demo || true
else
  printf '\nIn a terminal, make demo goes on with a session.\n' >&2
fi
printf '\nWith a key of your own, in a project of yours:  claude-reactor run --llm-provider zai\n' >&2
