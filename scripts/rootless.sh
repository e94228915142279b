#!/usr/bin/env bash
# Serves rootless Podman and rootless Docker for the tests, as a user made for it, and writes their addresses to standard
# output. Needs root, Debian or Ubuntu, and an engine with the base variant's image, which is copied.
set -euo pipefail

user=reactor-rootless
say() { printf 'rootless: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ "$(id -u)" -eq 0 ] || die "only root can make a user for it"
packages=(podman runc catatonit uidmap slirp4netns fuse-overlayfs rootlesskit)
if ! command -v newuidmap >/dev/null || ! command -v rootlesskit >/dev/null || ! command -v podman >/dev/null; then
  say "installing ${packages[*]} with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
# The mode that udev gives it; without it, the user's networks cannot be made.
[ ! -c /dev/net/tun ] || chmod 666 /dev/net/tun
id "$user" >/dev/null 2>&1 || useradd --create-home "$user"
grep -q "^$user:" /etc/subuid || usermod --add-subuids 200000-265535 --add-subgids 200000-265535 "$user"

runtime=/tmp/$user
install -d -o "$user" -g "$user" -m 700 "$runtime"
as_user() { # COMMAND...
  setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups \
    env -i HOME="$(getent passwd "$user" | cut -d: -f6)" USER="$user" PATH="$PATH:/usr/sbin:/sbin" XDG_RUNTIME_DIR="$runtime" "$@"
}
serve() { # NAME SOCKET COMMAND...
  local name=$1 socket=$2 log=$runtime/$1.log
  shift 2
  if ! curl --silent --fail --max-time 5 --unix-socket "$socket" http://localhost/_ping >/dev/null 2>&1; then
    as_user mkdir -p "${socket%/*}"
    (cd / && as_user setsid nohup "$@" >"$log" 2>&1 </dev/null &)
    for _ in $(seq 1 60); do
      curl --silent --fail --max-time 5 --unix-socket "$socket" http://localhost/_ping >/dev/null 2>&1 && break
      sleep 0.5
    done
  fi
  curl --silent --fail --max-time 5 --unix-socket "$socket" http://localhost/_ping >/dev/null ||
    die "rootless $name does not run here: see $log"
}

serve podman "$runtime/podman/podman.sock" podman system service --time=0 "unix://$runtime/podman/podman.sock"
dockerd_rootless=$(command -v dockerd-rootless.sh || echo /usr/share/docker.io/contrib/dockerd-rootless.sh)
serve docker "$runtime/docker.sock" bash "$dockerd_rootless" --iptables=false --storage-driver=vfs

image=$(docker images --format '{{.Repository}}:{{.Tag}}' claude-reactor/base | head -n 1)
[ -n "$image" ] || die "there is no image claude-reactor/base yet: run make test-engine first"
for socket in "$runtime/podman/podman.sock" "$runtime/docker.sock"; do
  if ! docker --host "unix://$socket" image inspect "$image" >/dev/null 2>&1; then
    say "copying $image to $socket"
    docker save "$image" | docker --host "unix://$socket" load --quiet >/dev/null
    # Podman files what was loaded under localhost/.
    docker --host "unix://$socket" image inspect "$image" >/dev/null 2>&1 ||
      as_user podman tag "localhost/$image" "docker.io/$image"
  fi
done
echo "unix://$runtime/podman/podman.sock unix://$runtime/docker.sock"
