# SPDX-License-Identifier: EUPL-1.2
#
# Runs one PostgreSQL server for as long as the program that asked for it lives.
#   $1 folder of the binaries   $2 folder of the cluster   $3 folder of the socket
#   $4 keep or remove           $5 option for initdb       $6... options for postgres
# Descriptor 3 is a pipe from the program: a line asks for a fast shutdown, its end (the program is gone, even by
# SIGKILL) for an immediate one. Descriptor 4 is the lock of the folder; shell and server hold it until they end.
umask 077
bin=$1 dir=$2 socket=$3 after=$4 initial=$5
shift 5

leave() {
    [ "$socket" = "$dir/socket" ] || rm -rf "$socket"
    if [ "$after" = remove ]; then
        rm -rf "$dir/data" "$dir/unfinished" "$dir/socket" "$dir/postgres.log" "$dir/lock"
        rmdir "$dir" 2>/dev/null
    fi
    exit "$1"
}

# A folder takes the name data only when it is whole: an interrupted initdb starts again.
if [ ! -d "$dir/data" ]; then
    rm -rf "$dir/unfinished"
    "$bin/initdb" -D "$dir/unfinished" -U ozg "$initial" --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=reject --no-instructions 3<&- || leave 1
    mv "$dir/unfinished" "$dir/data" || leave 1
fi

"$bin/postgres" -D "$dir/data" "$@" </dev/null 3<&- &
server=$!
{
    # Until postgres has set its own handlers a signal is lost (the shell starts it with INT and QUIT ignored): say it again.
    read -r word <&3 && kill -s INT "$server" && read -r word <&3
    # After ten seconds of that it does not listen at all; its children end when they find it gone.
    signal=QUIT tries=0
    while kill -s "$signal" "$server" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || signal=KILL
        sleep 0.1 4<&-
    done
} &
watch=$!
wait "$server"
status=$?
kill "$watch" 2>/dev/null
wait "$watch" # it holds the lock
leave "$status"
