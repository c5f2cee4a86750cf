# mariadb.sh - runs a program beside a MariaDB of its own.
#
#   sh examples/mariadb.sh PROGRAM [FOLDER [ARGUMENT...]]
#
# The data is in FOLDER, which is made if need be and stays; without one, or
# with "", in a temporary folder that goes at the end.  The program finds the
# database by MYSQL_URL.  The server has no network, and its socket is in the
# folder, which nobody else may enter: so there are no passwords.  It runs as
# mysql or nobody when root starts it, and is started again when it ends before
# the program does.  Needs mariadbd (Debian: mariadb-server-core).
#
# SPDX-License-Identifier: MIT
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin

# Runs the server until SIGTERM, which also comes when the caller dies.
serve() {
    folder=$1
    cd "$folder"
    as=
    if [ "$(id -u)" = 0 ]; then
        user=mysql
        id $user >/dev/null 2>&1 || user=nobody
        mkdir -p data
        chown -R $user . 
        as="--reuid $user --regid $(id -g $user) --clear-groups"
    fi
    mkdir -p data
    chmod 700 .
    server=
    trap 'trap "" TERM; [ -z "$server" ] || { kill $server && wait $server; } || :; exit 0' TERM
    while :; do
        rm -f socket
        # Words on purpose.
        setpriv $as --pdeathsig TERM mariadbd --no-defaults --datadir=data \
            --tmpdir="$folder" --socket="$folder/socket" \
            --pid-file="$folder/pid" --skip-networking --skip-grant-tables \
            --innodb-buffer-pool-size=16M --innodb-log-file-size=8M \
            --character-set-server=utf8mb4 --init-file="$folder/init.sql" \
            </dev/null >>log 2>&1 &
        server=$!
        begun=$(date +%s)
        wait $server || :
        # One that cannot start would do so for ever.
        [ $(($(date +%s) - begun)) -ge 2 ] || [ -e served ] || exit 1
        server=
    done
}
