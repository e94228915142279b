#!/usr/bin/env bash
# The address at which containers reach a server on this machine. On Docker Desktop that is this machine's own loopback.
set -euo pipefail
cli=$(command -v docker || command -v podman)
case "$(uname -s)" in
  Linux) ;;
  *) echo 127.0.0.1; exit 0 ;;
esac
network=bridge
case "$cli" in */podman) network=podman ;; esac
description=$("$cli" network inspect "$network")
gateway=$(sed -n 's/.*"[Gg]ateway": *"\([0-9.]*\)".*/\1/p' <<<"$description" | head -n 1)
# Until it has started once more, Docker 20.10 knows only the subnet; the gateway is its first address.
[ -n "$gateway" ] || gateway=$(sed -n 's/.*"[Ss]ubnet": *"\([0-9.]*\)\.[0-9]*\/.*/\1.1/p' <<<"$description" | head -n 1)
echo "${gateway:?the default network has no address}"
