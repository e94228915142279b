#!/usr/bin/env bash
# Makes sure that the engine has debian:trixie-slim, the image ours is built from.
#
# An image that is there is left as it is. Otherwise it is pulled; and where no registry can be reached, it is made from
# Debian's own signed packages with debootstrap, laid out as the official image is, so that the Dockerfile builds
# unchanged. Needs an engine that answers: scripts/engine.sh sees to that. `base-image.sh podman` is for Podman, and takes
# what Docker has on the same machine.
set -euo pipefail

image=debian:trixie-slim
suite=trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
security_mirror=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
pull_seconds=60

say() { printf 'base image: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

within() { # SECONDS COMMAND...: macOS has no timeout(1)
  if command -v timeout >/dev/null; then timeout "$@"; else "${@:2}"; fi
}

# What the official slim image sets: no documentation in packages, no caches, and the suite's updates as sources.
configure_rootfs() { # ROOTFS (as root)
  local rootfs=$1
  cat >"$rootfs/etc/dpkg/dpkg.cfg.d/slim" <<-'CONF'
	path-exclude /usr/share/doc/*
	path-include /usr/share/doc/*/copyright
	path-exclude /usr/share/info/*
	path-exclude /usr/share/lintian/*
	path-exclude /usr/share/locale/*
	path-exclude /usr/share/man/*
	CONF
  # A layer that is not finished is thrown away, so nothing is gained by waiting for the disk after every file.
  echo force-unsafe-io >"$rootfs/etc/dpkg/dpkg.cfg.d/unsafe-io"
  cat >"$rootfs/etc/apt/apt.conf.d/slim" <<-'CONF'
	Acquire::Languages "none";
	APT::AutoRemove::SuggestsImportant "false";
	Dir::Cache::pkgcache "";
	Dir::Cache::srcpkgcache "";
	DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
	CONF
  rm -f "$rootfs/etc/apt/sources.list"
  cat >"$rootfs/etc/apt/sources.list.d/debian.sources" <<-CONF
	Types: deb
	URIs: $mirror
	Suites: $suite $suite-updates
	Components: main
	Signed-By: $keyring

	Types: deb
	URIs: $security_mirror
	Suites: $suite-security
	Components: main
	Signed-By: $keyring
	CONF
  # Packages start no services in a container.
  printf '#!/bin/sh\nexit 101\n' >"$rootfs/usr/sbin/policy-rc.d"
  chmod 755 "$rootfs/usr/sbin/policy-rc.d"
}

# What debootstrap leaves behind: caches, logs, this machine's name and name servers, and what a slim image leaves out.
clean_rootfs() { # ROOTFS (as root)
  local rootfs=$1
  find "$rootfs/usr/share/doc" -mindepth 1 ! -type d ! -name copyright -delete
  find "$rootfs/usr/share/doc" -mindepth 1 -type d -empty -delete
  rm -rf "$rootfs"/usr/share/{info,lintian,locale,man}/* \
    "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/var/cache/ldconfig/* \
    "$rootfs"/var/cache/debconf/*-old "$rootfs"/var/lib/dpkg/*-old "$rootfs"/var/log/* \
    "$rootfs"/etc/{hostname,resolv.conf} "$rootfs"/tmp/*
  : >"$rootfs/etc/machine-id"
}

make_rootfs() { # ROOTFS (as root)
  local rootfs=$1 log=$1.log
  bootstrap() { debootstrap --variant=minbase --keyring="$keyring" "$suite" "$rootfs" "$mirror"; }
  # A mirror that fails once is asked once more; debootstrap itself gives up at the first file that does not come.
  bootstrap >"$log" 2>&1 || { rm -rf --one-file-system "$rootfs" && bootstrap >"$log" 2>&1; } || {
    tail -n 15 "$log" >&2
    return 1
  }
  configure_rootfs "$rootfs"
  clean_rootfs "$rootfs"
}

install_debootstrap() {
  if command -v debootstrap >/dev/null && [ -e "$keyring" ]; then return; fi
  command -v apt-get >/dev/null || die "$image cannot be pulled, and this system has no apt-get to make it with:
make an image registry reachable, or bring the image from another machine ('docker save', 'docker load')"
  say "installing debootstrap and Debian's archive keys with apt-get"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    debootstrap debian-archive-keyring >/dev/null
}

if [ "${1:-}" = --rootfs-tar ]; then # FOLDER TAR: the part that needs root
  make_rootfs "$2/rootfs"
  tar -C "$2/rootfs" --sort=name --numeric-owner --one-file-system --exclude='./dev/*' -cf "$3" .
  exit 0
fi

only=${1:-}
find_cli() {
  local cli
  for cli in ${only:-docker podman}; do
    command -v "$cli" >/dev/null && "$cli" version >/dev/null 2>&1 && { echo "$cli"; return 0; }
  done
  return 1
}

cli=$(find_cli) || die "neither docker nor podman reaches an engine: run scripts/engine.sh first"
# Podman files an unqualified name under localhost/, where another tool's lookup of the Docker name misses it.
case "$cli" in podman) reference=docker.io/library/$image ;; *) reference=$image ;; esac

if "$cli" image inspect "$reference" >/dev/null 2>&1; then
  exit 0
fi

if [ "$only" = podman ] && command -v docker >/dev/null && docker image inspect "$image" >/dev/null 2>&1; then
  say "taking $image from Docker"
  copy=$(mktemp /var/tmp/claude-reactor-base.XXXXXX)
  trap 'rm -f "$copy"' EXIT
  docker save "$image" >"$copy"
  podman load --quiet --input "$copy" >/dev/null
  # Podman files what was loaded under localhost/, where the Dockerfile's name does not lead. Without a name to take
  # away, `podman untag` takes all of them.
  podman image exists "$reference" ||
    { podman tag "localhost/$image" "$reference" && podman untag "localhost/$image" "localhost/$image"; }
  exit 0
fi

say "pulling $image"
if within "$pull_seconds" "$cli" pull --quiet "$reference" >/dev/null 2>&1; then
  say "pulled $image"
  exit 0
fi

say "no registry delivers $image: making it from Debian's packages ($mirror)"
install_debootstrap
[ -e "/usr/share/debootstrap/scripts/$suite" ] ||
  die "this system's debootstrap does not know Debian $suite yet: upgrade the package debootstrap"
work=$(mktemp -d /var/tmp/claude-reactor-base.XXXXXX) # /tmp is often mounted noexec or nodev, or too small
# --one-file-system: a debootstrap that was killed may have left /proc mounted in there.
trap 'as_root rm -rf --one-file-system "$work"' EXIT
: >"$work/rootfs.tar"
# A file between the two, not a pipe: an import that reads half a file system would leave it under the image's name.
as_root env DEBIAN_MIRROR="$mirror" DEBIAN_SECURITY_MIRROR="$security_mirror" \
  bash "${BASH_SOURCE[0]}" --rootfs-tar "$work" "$work/rootfs.tar" ||
  die "$image could not be made (where a signature cannot be checked, upgrade the package debian-archive-keyring)"
"$cli" import --change 'CMD ["bash"]' \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  "$work/rootfs.tar" "$reference" >/dev/null
say "made $image"
