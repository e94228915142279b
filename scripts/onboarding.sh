#!/usr/bin/env bash
# How long it takes from nothing to a first answer: a clean clone in an empty Debian container with an engine of its own, the
# README's commands, and a provider that runs in there too and needs no account. Prints the minutes.
#
# What a new user has before is stated in docs/setup.md: a Rust toolchain (this machine's, read-only), a C compiler, make
# and git. Everything else is fetched and built as on any new machine, and counts. Needs Docker, for a privileged container.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'onboarding: %s\n' "$*" >&2; }

# The commands of the README's first block, up to the one that starts a session.
commands() {
  awk '/^```console/ { inside = 1; next } /^```/ && inside { exit } inside && /^\$ make / { sub(/^\$ /, ""); sub(/ *#.*/, ""); print }
       /^\$ make run/ { exit }' README.md
}

if [ "${1:-}" = --inside ]; then
  # As a new user of a minimal Debian: what the README asks for, and nothing else.
  {
    # Behind a proxy that signs TLS anew, this machine's certificates have to be known in here as well.
    [ -z "${SSL_CERT_FILE:-}" ] || export CARGO_HTTP_CAINFO=$SSL_CERT_FILE CURL_CA_BUNDLE=$SSL_CERT_FILE
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates gcc git libc6-dev make
  } >/tmp/prerequisites.log 2>&1 || { tail /tmp/prerequisites.log >&2; exit 1; }
  git -c safe.directory='*' clone -q /source "$HOME/claude-reactor"
  cd "$HOME/claude-reactor"
  start=$(date +%s)
  mapfile -t commands < <(commands)
  for command in "${commands[@]}"; do
    say "\$ $command"
    case "$command" in
      "make run"*)
        # The provider asks for a key, which comes from standard input, and the session answers one question.
        . scripts/with-fake-provider.sh
        fake_provider "$HOME" /fake_provider "the first answer" >&2
        answer=$(ARGS="--llm-provider zai --key-stdin -- -p hello" $command <<<"sk-onboarding-0123456789")
        ;;
      *) $command >&2 ;;
    esac
    say "after $(($(date +%s) - start)) s"
  done
  seconds=$(($(date +%s) - start))
  grep -q "the first answer" <<<"${answer:-}" || { say "no answer came: ${answer:-nothing}"; exit 1; }
  awk -v seconds="$seconds" 'BEGIN { printf "%.1f minutes from the clone to the first answer\n", seconds / 60 }'
  exit 0
fi

[ -n "$(commands)" ] || { say "the README begins with no commands"; exit 1; }
scripts/engine.sh
scripts/base-image.sh
cargo build --quiet --example fake_provider
toolchain=$(rustc --print sysroot)
privileged=(--privileged)
# A machine that is itself a container may lack this one, and then cannot give it away.
if [ $((0x$(awk '/^CapEff:/ { print $2 }' /proc/self/status) >> 24 & 1)) -eq 0 ]; then
  privileged=(--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined
    -v /sys/fs/cgroup:/sys/fs/cgroup)
fi
arguments=(--rm "${privileged[@]}" --name "claude-reactor-onboarding-$$" -v /var/lib/docker
  -v "$toolchain:/opt/rust:ro" -v "$PWD/scripts/onboarding.sh:/onboarding.sh:ro"
  -v "$PWD/target/debug/examples/fake_provider:/fake_provider:ro"
  -e "PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" -e HOME=/root)
if [ -n "${SSL_CERT_FILE:-}" ]; then
  arguments+=(-v "$SSL_CERT_FILE:/opt/ca.crt:ro" -e SSL_CERT_FILE=/opt/ca.crt)
fi
# A clone of the last commit: what is not committed, a new user does not get.
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone -q --bare "$PWD" "$clone/source"
chmod -R a+rX "$clone"
docker run "${arguments[@]}" -v "$clone/source:/source:ro" debian:trixie-slim bash /onboarding.sh --inside
