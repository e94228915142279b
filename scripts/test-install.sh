#!/usr/bin/env bash
# Installs into a folder of its own, looks at what is there, and removes it again. Needs a program that is built (any
# profile); builds none itself, so that it costs a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test-install: $*" >&2; exit 1; }

# As an unpacked release lies there.
mkdir "$work/release"
cp scripts/install.sh "$work/release/"
cp "${1:-target/release/claude-reactor}" "$work/release/claude-reactor"

mkdir -p "$work/dest/opt/x/share/man/man1"
echo theirs >"$work/dest/opt/x/share/man/man1/other.1"
run() { DESTDIR=$work/dest "$work/release/install.sh" "$@" /opt/x 2>"$work/said" || return $?; }

run install
cd "$work/dest/opt/x"
bin/claude-reactor --version >/dev/null
for file in share/man/man1/claude-reactor.1 share/man/man1/claude-reactor-run.1 \
  share/bash-completion/completions/claude-reactor share/zsh/site-functions/_claude-reactor \
  share/fish/vendor_completions.d/claude-reactor.fish; do
  [ -s "$file" ] || fail "$file is missing"
done
bash -n share/bash-completion/completions/claude-reactor
[ "$(find . -type f ! -name other.1 | sed 's,^\./,,' | sort)" = "$(sort share/claude-reactor/installed)" ] ||
  fail "the list is not what was installed"

# An upgrade takes away what the new version does not have.
echo gone >share/man/man1/claude-reactor-gone.1
echo share/man/man1/claude-reactor-gone.1 >>share/claude-reactor/installed
run install
[ ! -e share/man/man1/claude-reactor-gone.1 ] || fail "a page of an earlier version is left"

run uninstall
cd "$work"
[ "$(cd dest && find . -type f)" = ./opt/x/share/man/man1/other.1 ] || fail "left: $(cd dest && find . -type f)"
[ ! -e dest/opt/x/bin ] || fail "an empty folder is left"
if run uninstall; then fail "a second removal found something"; fi

# A list that was tampered with removes nothing elsewhere.
run install
echo ../../../outside >>dest/opt/x/share/claude-reactor/installed
echo theirs >"$work/outside"
if run uninstall; then fail "a list that leads outside was followed"; fi
[ -e "$work/outside" ] || fail "a file outside was removed"
echo "test-install: ok"
