#!/usr/bin/env bash
# Installs the program, its manual and the completions of bash, zsh and fish below a prefix, or removes exactly what it
# installed there: a list of that is kept in share/claude-reactor/installed.
#
# install.sh install|uninstall [PREFIX]     without a PREFIX: /usr/local for root, ~/.local for anybody else
#
# It works in a clone (after `make build`) and in an unpacked release. DESTDIR is for those who make packages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "install: $*"; exit 1; }

usual_prefix() { if [ "$(id -u)" -eq 0 ]; then echo /usr/local; else echo "${HOME:?}/.local"; fi; }

action=${1:-}
prefix=${2:-}
prefix=${prefix:-$(usual_prefix)}
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
root=${DESTDIR:-}$prefix
list=share/claude-reactor/installed

# Files that were there before an earlier version's and are not ours any more go, and folders that are empty then.
remove_listed() { # KEPT...
  local file folder
  [ -f "$root/$list" ] || return 0
  while IFS= read -r file; do
    case "$file" in "" | /* | *..*) die "$root/$list names \`$file\`, which nothing of this program's is called" ;; esac
    case " $* " in *" $file "*) continue ;; esac
    rm -f "$root/$file"
    folder=$(dirname "$file")
    while [ "$folder" != . ] && rmdir "$root/$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
  done <"$root/$list"
}

put() { # SOURCE FILE MODE: at once, so that a program that runs is not written over
  mkdir -p "$root/$(dirname "$2")"
  cp "$1" "$root/$2.new"
  chmod "$3" "$root/$2.new"
  mv -f "$root/$2.new" "$root/$2"
}

case "$action" in
  install)
    program=$here/claude-reactor
    [ -x "$program" ] || program=$here/../target/release/claude-reactor
    [ -x "$program" ] || die "there is no program to install: make build"
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    "$program" man --dir "$made/man"
    for shell in bash zsh fish; do "$program" completion "$shell" >"$made/$shell"; done
    files=(bin/claude-reactor share/bash-completion/completions/claude-reactor
      share/zsh/site-functions/_claude-reactor share/fish/vendor_completions.d/claude-reactor.fish)
    for page in "$made"/man/*.1; do files+=("share/man/man1/${page##*/}"); done
    remove_listed "${files[@]}" "$list"
    put "$program" "${files[0]}" 755
    put "$made/bash" "${files[1]}" 644
    put "$made/zsh" "${files[2]}" 644
    put "$made/fish" "${files[3]}" 644
    for page in "$made"/man/*.1; do put "$page" "share/man/man1/${page##*/}" 644; done
    printf '%s\n' "${files[@]}" "$list" >"$made/list"
    put "$made/list" "$list" 644
    say "installed $root/bin/claude-reactor, its manual, and completion for bash, zsh and fish"
    case ":$PATH:" in *":$prefix/bin:"*) ;; *) say "$prefix/bin is not on your PATH: add it" ;; esac
    ;;
  uninstall)
    [ -f "$root/$list" ] || die "nothing was installed below $root: name the PREFIX that it was installed to"
    remove_listed
    say "removed what was installed below $root; ~/.claude-reactor (keys, history) stays"
    ;;
  *) die "install.sh install|uninstall [PREFIX]" ;;
esac
