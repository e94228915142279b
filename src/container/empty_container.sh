# Ends what runs in a container beside the process that keeps it up: by a signal, waiting a while for it.
#
# The main process and its child, which is the eldest of process 1's children, stay: with them the engine would end
# everything else at once.
grace=$1

# Sets `live` to everything else that runs; not what belongs to this script, which leads a session of the kernel's.
look() {
  live= eldest=
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    pid=${line%% *}
    # The name may hold blanks and parentheses; the last one ends it.
    set -- ${line##*) }
    case $1 in Z | X) continue ;; esac
    [ "$pid" != 1 ] && [ "$4" != "$$" ] || continue
    if [ "$2" = 1 ] && { [ -z "$eldest" ] || [ "$pid" -lt "$eldest" ]; }; then
      live="$live $eldest" eldest=$pid
    else
      live="$live $pid"
    fi
  done
}

look
for pid in $live; do kill -s TERM "$pid" 2>/dev/null; done
read -r now rest </proc/uptime
end=$((${now%.*} + grace))
while [ "${now%.*}" -lt "$end" ]; do
  look
  case $live in *[0-9]*) ;; *) exit 0 ;; esac
  sleep 0.05
  read -r now rest </proc/uptime
done
