#!/usr/bin/env bash
# Makes what is handed out: target/dist/claude-reactor-VERSION-TARGET.tar.gz with the program, its manual, the completions
# and install.sh, and SHA256SUMS beside it. On Linux the program is static, with musl, where that target and its C compiler
# are installed; else it is for glibc as new as this machine's. Never static with glibc: such a program crashes where
# /etc/nsswitch.conf names more than files and DNS, and the glibc there is another version.
#
# Twice the same source and toolchain give twice the same bytes: paths of this machine are not in the program, and every time
# in the archive is SOURCE_DATE_EPOCH (by default that of the commit).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'release: %s\n' "$*" >&2; }
cargo=${CARGO:-cargo}
host=$(rustc -vV | sed -n 's/^host: //p')
version=$(sed -n '/^\[package\]/,/^\[/ s/^version = "\(.*\)"/\1/p' Cargo.toml)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)}
export SOURCE_DATE_EPOCH=$epoch

flags="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/claude-reactor"
target=$host
case "$host" in
  *-linux-*)
    musl=${host%%-*}-unknown-linux-musl
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ] && command -v musl-gcc >/dev/null; then
      target=$musl
    else
      say "no musl here (rustup target add $musl; apt-get install musl-tools): not static"
    fi
    ;;
esac
RUSTFLAGS="${RUSTFLAGS:-} $flags" "$cargo" build --profile dist --locked --target "$target" --bin claude-reactor

name=claude-reactor-$version-$target
dist=target/dist
rm -rf "${dist:?}/$name" "$dist/$name.tar.gz"
mkdir -p "$dist/$name/completions"
program=$dist/$name/claude-reactor
cp "target/$target/dist/claude-reactor" "$program"
cp README.md LICENSE CHANGELOG.md scripts/install.sh "$dist/$name/"
"$program" man --dir "$dist/$name/man"
for shell in bash zsh fish powershell elvish; do "$program" completion "$shell" >"$dist/$name/completions/$shell"; done
chmod -R u=rwX,go=rX "$dist/$name"

# GNU tar, which macOS calls gtar.
tar=$(command -v gtar || command -v tar)
"$tar" -C "$dist" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$name" |
  gzip -n -9 >"$dist/$name.tar.gz"
(cd "$dist" && { sha256sum "$name.tar.gz" "$name/claude-reactor" 2>/dev/null || shasum -a 256 "$name.tar.gz" "$name/claude-reactor"; } >SHA256SUMS)
say "$dist/$name.tar.gz"
