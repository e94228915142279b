#!/usr/bin/env bash
# Says whether this machine can build the program: a Rust toolchain that is new enough (Cargo.toml says which), and a C
# compiler, which one of the dependencies is built with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v "${CARGO:-cargo}" >/dev/null || die "there is no cargo: install Rust $wanted or later, https://rustup.rs"
found=$("${RUSTC:-rustc}" --version | awk '{ print $2 }')
oldest=$(printf '%s\n%s\n' "$wanted" "${found%%-*}" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
[ "$oldest" = "$wanted" ] || die "Rust $found is older than $wanted, which this needs: rustup update"
for compiler in "${CC:-cc}" gcc clang; do
  command -v "$compiler" >/dev/null && { say "Rust $found, $compiler"; exit 0; }
done
die "there is no C compiler: apt-get install gcc libc6-dev, or what your system calls it (macOS: xcode-select --install)"
