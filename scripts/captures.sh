#!/usr/bin/env bash
# Makes the pictures of the documentation: real sessions on a real terminal (tmux), with the fake provider behind them.
#
# captures.sh [NAME...] makes these, or all; docs/captures/NAME.svg is the result. Each picture is one line at the end of this
# file. Needs tmux, Python 3 and an engine; PROGRAM and FAKE name other builds than the release's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
# shellcheck source=scripts/with-fake-provider.sh
. scripts/with-fake-provider.sh
program=$(realpath "${PROGRAM:-target/release/claude-reactor}")
fake=$(realpath "${FAKE:-target/release/examples/fake_provider}")
only=" $* "

for tool in tmux python3; do command -v "$tool" >/dev/null || { echo "captures: $tool is needed" >&2; exit 1; }; done
home=$(mktemp -d)
fake_provider "$home" "$fake" "A shop for anvils: src/ holds the catalogue and the cart, tests/ what must never break."
terminal() { tmux -S "$home/tmux" -f /dev/null "$@"; }
engine=$(command -v docker || command -v podman)
end() {
  terminal kill-server 2>/dev/null || true
  kill "$fake_provider_pid" 2>/dev/null || true
  for project in "$home"/acme-*; do
    "$engine" ps -aq --filter "label=dev.claude-reactor.project=$project" | xargs -r "$engine" rm -f >/dev/null
  done
  rm -rf "$home"
}
trap end EXIT
mkdir -p "$home/bin" "$home/acme-shop/src" "$home/acme-docs"
ln -s "$program" "$home/bin/claude-reactor"

# The environment of a user called alice, and nothing of whoever runs this.
user=(env -i HOME="$home" USER=alice LANG=C.UTF-8 TERM=xterm-256color COLORTERM=truecolor PS1='\[\e[32m\]~/acme-shop\[\e[0m\] $ '
  PATH="$home/bin:/usr/local/bin:/usr/bin:/bin" CLAUDE_REACTOR_ACCOUNT=alice
  ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"} ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"})

shown() { terminal capture-pane -p -J -t it | grep -qF -- "$1"; }
wait_for() { # TEXT [SECONDS]
  local tries=$((${2:-60} * 10))
  until shown "$1"; do
    ((tries-- > 0)) || { echo "captures: \`$1\` did not appear:" >&2; terminal capture-pane -p -t it >&2; return 1; }
    sleep 0.1
  done
}
type_line() { terminal send-keys -t it -l -- "$1"; terminal send-keys -t it Enter; }
begin() { # ROWS: a shell on an empty terminal
  terminal kill-session -t it 2>/dev/null || true
  terminal new-session -d -s it -x 110 -y "$1" -c "$home/acme-shop" "${user[@]}" bash --norc --noprofile -i
  wait_for '~/acme-shop $'
}
keep() { # NAME TITLE
  mkdir -p "$root/docs/captures"
  # Nothing of this machine: the folder that all of it was in is alice's home.
  terminal capture-pane -e -p -t it | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | sed "s,$home,/home/alice,g" |
    python3 "$root/scripts/ansi-to-svg.py" "$2" >"$root/docs/captures/$1.svg"
  echo "docs/captures/$1.svg" >&2
}
picture() { # NAME ROWS TITLE FUNCTION [ARGUMENT...]
  case "$only" in "  " | *" $1 "*) ;; *) return 0 ;; esac
  begin "$2"
  "${@:4}"
  keep "$1" "$3"
}

# A command that ends, with what it says.
command_line() { # COMMAND TEXT-THAT-SHOWS-IT-ENDED
  type_line "$1"
  wait_for "$2" 600
  sleep 0.5
}

# The key is asked for, and nothing of it shown.
key_prompt() {
  type_line "claude-reactor run --llm-provider zai"
  wait_for "Enter your Z.AI API key" 600
  terminal send-keys -t it -l "sk-demo-0123456789abcdef0123456789abcdef"
}

# The key is asked for, checked and stored; then Claude Code answers once.
first_run() {
  type_line "claude-reactor run --llm-provider zai -- -p 'what is this project?'"
  wait_for "Enter your Z.AI API key" 600
  type_line "sk-demo-0123456789abcdef0123456789abcdef"
  wait_for "A shop for anvils" 900
  sleep 1
}

# Claude Code's own screen, with a question and its answer.
session() {
  type_line "claude-reactor run --llm-provider demo"
  wait_for "? for shortcuts" 900
  terminal send-keys -t it -l "what is this project?"
  sleep 1
  terminal send-keys -t it Enter
  wait_for "A shop for anvils" 60
  # The mascot moves while it is asked; it stands on its feet when it is through.
  wait_for "▝▝   ▝▝" 60
  sleep 1
}

# A second project, of another account.
projects() {
  type_line "cd ../acme-docs; claude-reactor run --account client-b --llm-provider demo -- -p hello; clear; cd ../acme-shop"
  # What is typed before that would be the session's.
  wait_for "client-b · acme-docs" 120
  until ! shown "client-b"; do sleep 0.1; done
  command_line "claude-reactor list" "LAST USED"
}

picture key-prompt 4 "The first time in a project" key_prompt
picture first-run 14 "The key was good: it is stored, and the answer comes" first_run
picture session 30 "A session" session
picture dry-run 36 "What would be done" command_line "clear; claude-reactor run --dry-run" "variables"
picture llm-list 24 "The providers" command_line "clear; claude-reactor llm list" "zai"
picture doctor 48 "All that a session needs" command_line "clear; claude-reactor doctor" "terminal"
picture list 14 "Where it was used" projects
