# Runs a private Postgres for as long as anybody uses it, also when its users are killed.
#
# root: the folder of it all. bin: where the programs are. stop_by: the signal that stops it in the end.
# fate: `keep` or `remove` the folder then. The other arguments are for the server.
#
# Its standard input is held open by the process that started it; when that is gone, for whatever reason, it ends.
root=$1 bin=$2 stop_by=$3 fate=$4 durable=$5
shift 5
data=$root/data
# Of this guard alone: one that was killed leaves a shell behind that writes here when its server ends.
exited=$root/exited.$$

run() {
    rm -f "$exited"
    {
        "$bin/postgres" -D "$data" "$@" </dev/null
        echo "postgres $?" >"$exited"
    } &
}

stop() {
    until [ -e "$exited" ]; do
        pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) && kill -s "$1" "$pid" 2>/dev/null
        sleep 0.05
    done
    wait
}

prepare() {
    [ -e "$data/PG_VERSION" ] && return
    sync=--no-sync
    [ "$durable" = yes ] && sync=
    # Under another name until it is whole: a kill in the middle leaves nothing that looks like data.
    rm -rf "$root/new"
    "$bin/initdb" -D "$root/new" -U vetgate -A trust -E UTF8 --locale=C $sync --no-instructions >/dev/null &&
        mv "$root/new" "$data"
}

echo $$ >"$root/guard"
if prepare; then run "$@"; else echo "initdb failed" >"$exited"; fi

while read -r order; do
    case $order in
    halt) stop QUIT ;;
    resume) run "$@" ;;
    esac
done

# Others may have joined. Nobody can any more once their folder is gone.
while [ -d "$root/holders" ] && ! rmdir "$root/holders" 2>/dev/null; do
    for holder in "$root"/holders/*; do
        process=${holder##*/}
        process=${process%%.*}
        [ -d "/proc/$process" ] || kill -0 "$process" 2>/dev/null || rm -f "$holder"
    done
    [ -z "$(ls -A "$root/holders" 2>/dev/null)" ] || sleep 0.2
done
stop "$stop_by"
rm -f "$root/guard" "$exited"
[ "$fate" = keep ] || rm -rf "$root"
