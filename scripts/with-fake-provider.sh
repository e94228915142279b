# To be sourced: a home of its own with a provider that needs no account, for the demo, the captures and onboarding.
#
# fake_provider FOLDER PROGRAM REPLY: starts PROGRAM (target/.../examples/fake_provider), and writes into FOLDER/.claude-reactor
# the row `demo`, and one that makes `zai` the same server. Ends it when the shell ends.
# shellcheck shell=bash

fake_provider() {
  local home=$1 program=$2 reply=$3 port=${FAKE_PROVIDER_PORT:-8787} gateway
  gateway=$("$(dirname "${BASH_SOURCE[0]}")/gateway.sh")
  local addresses=("127.0.0.1:$port")
  [ "$gateway" = 127.0.0.1 ] || addresses+=("$gateway:$port")
  mkdir -p "$home/.claude-reactor"
  chmod 700 "$home/.claude-reactor"
  cat >"$home/.claude-reactor/providers.yaml" <<-YAML
	providers:
	  demo:
	    name: Demo
	    base_url: http://host.docker.internal:$port
	    auth: none
	    models: {main: demo-model}
	    context_window: 200000
	  zai:
	    base_url: http://host.docker.internal:$port
	YAML
  chmod 600 "$home/.claude-reactor/providers.yaml"
  "$program" --reply "$reply" "${addresses[@]}" 2>"$home/fake-provider.log" &
  fake_provider_pid=$!
  trap 'kill "$fake_provider_pid" 2>/dev/null || true' EXIT
  for _ in $(seq 1 100); do
    if grep -q serving "$home/fake-provider.log"; then return 0; fi
    kill -0 "$fake_provider_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$home/fake-provider.log" >&2
  return 1
}
