#!/usr/bin/env bash
# Makes sure that a container engine answers, so that `make run` and `make test` work on a fresh machine.
#
# An engine that already answers (Docker or Podman, as claude-reactor itself would find it) is left as it is.
# Otherwise, on Debian and Ubuntu, this installs Debian's docker.io and starts it; elsewhere it says what to install.
#
# `engine.sh podman` does the same for Podman, beside whatever else there is, and writes its address to standard output.
set -euo pipefail

say() { printf 'engine: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

answers() { # SOCKET: does an engine answer the Docker API there?
  [ -S "$1" ] && curl --silent --fail --max-time 5 --unix-socket "$1" http://localhost/_ping >/dev/null 2>&1
}

find_engine() {
  case "${DOCKER_HOST:-}" in
    "") ;;
    unix://*) answers "${DOCKER_HOST#unix://}" && { echo "$DOCKER_HOST"; return 0; }; return 1 ;;
    *) echo "$DOCKER_HOST"; return 0 ;; # a remote engine: claude-reactor says itself whether it can use it
  esac
  local socket
  for socket in /var/run/docker.sock "${XDG_RUNTIME_DIR:-/nonexistent}/docker.sock" \
    "$HOME/.docker/run/docker.sock" "${XDG_RUNTIME_DIR:-/nonexistent}/podman/podman.sock" /run/podman/podman.sock; do
    answers "$socket" && { echo "unix://$socket"; return 0; }
  done
  return 1
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

if ! command -v curl >/dev/null; then
  command -v apt-get >/dev/null || die "curl is needed to look for an engine: install it and try again"
  say "installing curl"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends curl ca-certificates >/dev/null
fi

# What Podman needs on a machine that is itself a container or a small virtual machine, where its defaults do not start.
configure_podman() {
  local file=/etc/containers/containers.conf.d/claude-reactor.conf lines=()
  [ -e "$file" ] && return
  # Without CAP_SYS_RESOURCE, the limits of its containers cannot be higher than its own; it asks for more.
  if [ $((0x$(awk "/^CapEff:/ { print \$2 }" /proc/self/status) >> 24 & 1)) -eq 0 ]; then
    lines+=('[containers]' 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]')
  fi
  # crun wants more of the first version of cgroups than such machines have.
  [ -e /sys/fs/cgroup/cgroup.controllers ] || lines+=('[engine]' 'runtime = "runc"')
  [ ${#lines[@]} -gt 0 ] || return 0
  say "configuring Podman for this machine: $file"
  as_root mkdir -p "${file%/*}"
  printf '%s\n' "${lines[@]}" | as_root tee "$file" >/dev/null
}

podman_engine() {
  local socket log
  if [ "$(id -u)" -eq 0 ]; then
    socket=/run/podman/podman.sock
  else
    socket=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/podman/podman.sock
  fi
  if ! answers "$socket"; then
    if ! command -v podman >/dev/null || ! command -v runc >/dev/null; then
      command -v apt-get >/dev/null || die "Podman is not installed: https://podman.io/docs/installation"
      say "installing podman with apt-get"
      as_root apt-get update -qq
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends podman crun runc \
        catatonit containernetworking-plugins iptables uidmap slirp4netns fuse-overlayfs ca-certificates >/dev/null
    fi
    configure_podman
    if [ -d /run/systemd/system ]; then
      say "starting podman.socket"
      if [ "$(id -u)" -eq 0 ]; then systemctl start podman.socket; else systemctl --user start podman.socket; fi
    else
      log=${TMPDIR:-/tmp}/claude-reactor-podman-$(id -u).log
      say "starting podman system service (log: $log)"
      mkdir -p "${socket%/*}"
      setsid nohup podman system service --time=0 "unix://$socket" >"$log" 2>&1 </dev/null &
    fi
    for _ in $(seq 1 60); do
      answers "$socket" && break
      sleep 0.5
    done
    answers "$socket" || die "Podman did not answer within half a minute: see ${log:-journalctl -u podman}"
    # As Docker does it: the socket's group may use it. The tests act as callers of several user ids.
    if [ "$(id -u)" -eq 0 ]; then chmod 711 "${socket%/*}" && chmod 660 "$socket"; fi
  fi
  say "unix://$socket answers"
  echo "unix://$socket"
}

if [ "${1:-}" = podman ]; then
  podman_engine
  exit 0
fi

if found=$(find_engine); then
  say "$found answers"
  exit 0
fi
[ -z "${DOCKER_HOST:-}" ] || die "DOCKER_HOST is $DOCKER_HOST, and nothing answers there: start that engine, or unset DOCKER_HOST"

if ! command -v dockerd >/dev/null; then
  # shellcheck disable=SC1091
  case "$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}")" in
    *debian* | *ubuntu*) ;;
    *) die "no container engine answers. Install Docker (https://docs.docker.com/engine/install/) or Podman (https://podman.io/docs/installation), start it, and try again" ;;
  esac
  say "no container engine answers; installing docker.io, debootstrap and iptables with apt-get"
  as_root apt-get update -qq
  # From Debian 13 on the client is a package of its own, which docker.io only recommends.
  client=$(apt-cache --quiet=0 madison docker-cli 2>/dev/null | awk 'NR == 1 { print $1 }')
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    docker.io ${client:+"$client"} debootstrap iptables ca-certificates >/dev/null
fi

if [ -d /run/systemd/system ]; then
  say "starting docker.service"
  as_root systemctl start docker
else
  log=/var/log/claude-reactor-dockerd.log
  say "starting dockerd (log: $log)"
  as_root sh -c "setsid nohup dockerd >'$log' 2>&1 </dev/null &"
fi

for _ in $(seq 1 120); do
  answers /var/run/docker.sock && { say "unix:///var/run/docker.sock answers"; exit 0; }
  [ "$(id -u)" -eq 0 ] || as_root test ! -S /var/run/docker.sock ||
    die "the engine runs, but $(id -un) may not use its socket: run 'sudo usermod -aG docker $(id -un)', log in again, and try again"
  sleep 0.5
done
die "the engine did not answer within a minute: see ${log:-journalctl -u docker}"
