# mariadb.sh - runs a program beside a MariaDB of its own.
#
#   sh examples/mariadb.sh PROGRAM [FOLDER [ARGUMENT...]]
#
# The data is in FOLDER/mariadb, which is made if need be, and stays; without a
# FOLDER, or with "", in a temporary one that goes at the end.  The program gets
# the arguments, and finds the database by MYSQL_URL.
#
# The server touches nothing else on the system: it has no network, and its
# socket is in that folder, which nobody else may enter, so there are no
# passwords.  When root starts it, it runs as mysql or nobody.  It is started
# again when it ends before the program does.  Needs mariadbd (Debian:
# mariadb-server-core).
#
# SPDX-License-Identifier: MIT
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin

# ---- The server: sh mariadb.sh --serve HOME ----------------------------------

start_server() {
    as=
    if [ "$(id -u)" = 0 ]; then
        user=mysql
        id $user >/dev/null 2>&1 || user=nobody
        chown -R "$user" .
        as="--reuid $user --regid $(id -g $user) --clear-groups"
    fi
    rm -f socket
    # Words on purpose.  The kernel ends it when this script is killed.
    setpriv $as --pdeathsig TERM mariadbd --no-defaults --datadir="$PWD/data" \
        --tmpdir="$PWD" --socket="$PWD/socket" --pid-file="$PWD/pid" \
        --skip-networking --skip-grant-tables --init-file="$PWD/init.sql" \
        --innodb-buffer-pool-size=16M --innodb-log-file-size=8M \
        --character-set-server=utf8mb4 </dev/null >>log 2>&1 &
    server=$!
}

stop_server() {
    trap '' TERM
    kill $server 2>/dev/null || :
    wait $server || :
    exit 0
}

# Until SIGTERM.  Gives up on one that failed before it could be asked anything.
serve() {
    cd "$1"
    while :; do
        start_server
        trap stop_server TERM
        status=0
        wait $server || status=$?
        [ $status = 0 ] || [ -S socket ] || exit 1
    done
}

# ---- The program beside it -----------------------------------------------------

make_home() {
    if [ -z "$folder" ]; then
        folder=$(mktemp -d "${TMPDIR:-/tmp}/corten-mariadb-XXXXXX")
        trap 'rm -rf "$folder"' EXIT
        chmod 711 "$folder"
    fi
    mkdir -p "$folder/mariadb/data"
    home=$(cd "$folder/mariadb" && pwd)
    chmod 700 "$home"
    echo 'CREATE DATABASE IF NOT EXISTS corten;' >"$home/init.sql"
    rm -f "$home/socket"
    if [ ${#home} -gt 98 ]; then
        echo "the name of $home is too long for a socket" >&2
        exit 1
    fi
}

# Waits also when a signal comes meanwhile; the status of the process.
wait_for() {
    while :; do
        status=0
        wait "$1" || status=$?
        kill -0 "$1" 2>/dev/null || return $status
    done
}

main() {
    program=$1
    folder=${2:-}
    shift
    [ $# -eq 0 ] || shift
    make_home
    setpriv --pdeathsig TERM sh "$0" --serve "$home" &
    server=$!
    stop='kill $server 2>/dev/null || :'
    trap "$stop" HUP INT TERM
    until [ -S "$home/socket" ]; do
        if ! kill -0 $server 2>/dev/null; then
            echo "MariaDB does not start:" >&2
            tail -n 20 "$home/log" >&2
            exit 1
        fi
        sleep 0.1
    done
    echo "the database is in $home; it starts again after:" \
        "kill \$(cat $home/pid)" >&2
    export MYSQL_URL="mysql://root@localhost/corten?socket=$home/socket"
    # A child in the background does not see Ctrl-C: it is told.
    setpriv --pdeathsig TERM "$program" "$@" &
    child=$!
    trap 'kill $child 2>/dev/null || :' HUP INT TERM
    result=0
    wait_for $child || result=$?
    trap '' HUP INT TERM
    eval "$stop"
    wait_for $server || :
    exit $result
}

if [ "$1" = --serve ]; then
    serve "$2"
else
    main "$@"
fi
