# Ends all processes of a session: by a signal, and by force where that was not enough in time.
#
# Some carry the session's marker in their environment. Those that sudo started do not, and their environment cannot be
# read anyway; but they are children of the session's processes, or in the same session of the kernel's. So everything
# that was ever seen to belong to it is remembered, because a parent's end takes the proof away.
#
# It runs as root, for nobody else can end what sudo started. Root of a container may not look into the environment of
# others, so the session's user does. Where the image has no setpriv that can do that, it says so by exit code 99, and is run
# again as that user.
marker=$1 signal=$2 grace=$3 uid=$4 gid=$5 leader=$6

if [ "$(id -u)" = "$uid" ]; then
  as=
elif setpriv --reuid="$uid" --regid="$gid" --clear-groups true 2>/dev/null; then
  as="setpriv --reuid=$uid --regid=$gid --clear-groups"
else
  exit 99
fi

if printf 'a\0' | grep -qszx a 2>/dev/null; then
  find_marked() { $as grep -lszx "$marker" /proc/[0-9]*/environ; }
else
  # The grep of a small image may read lines only.
  find_marked() {
    $as sh -c 'for file in /proc/[0-9]*/environ; do
      if { tr "\0" "\n" <"$file" | grep -qFx "$1"; } 2>/dev/null; then echo "$file"; fi
    done' sh "$marker"
  }
fi

pids=' ' sessions=' '
add() {
  case $pids in *" $1 "*) ;; *) pids="$pids$1 " ;; esac
  case $sessions in *" $2 "*) ;; *) sessions="$sessions$2 " ;; esac
}

# Sets `table` to a line a process that runs, with its parent and its session, and `live` to the session's own.
look() {
  marked=" $(find_marked | tr -c 0-9 ' ') "
  table=
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    pid=${line%% *}
    # The name may hold blanks and parentheses; the last one ends it.
    set -- ${line##*) }
    case $1 in Z | X) continue ;; esac
    table="$table$pid $2 $4
"
    # What the engine itself starts has no parent here, and leads a session.
    if [ "$pid" = "$leader" ] && [ "$2" = 0 ] && [ "$4" = "$pid" ]; then add "$pid" "$4"; fi
    case $marked in *" $pid "*) add "$pid" "$4" ;; esac
  done
  before=
  while [ "$before" != "$pids$sessions" ]; do
    before=$pids$sessions live=
    while read -r pid parent session; do
      [ -n "$pid" ] || continue
      case $pids in *" $pid "*) live="$live $pid" && continue ;; esac
      case $pids in *" $parent "*) add "$pid" "$session" ;; esac
      case $sessions in *" $session "*) add "$pid" "$session" ;; esac
    done <<END
$table
END
  done
}

for signal in "$signal" KILL; do
  look
  [ -z "$live" ] || kill -s "$signal" $live 2>/dev/null
  read -r now rest </proc/uptime
  end=$((${now%.*} + grace))
  while [ "${now%.*}" -le "$end" ]; do
    look
    [ -n "$live" ] || exit 0
    sleep 0.05
    read -r now rest </proc/uptime
  done
done
