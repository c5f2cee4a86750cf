# run.sh - builds an example and runs it.
#
#   sh examples/run.sh [NAME [ARGUMENTS]]
#
# Without a name, the demo: a page on http://127.0.0.1:8000/.  Installs the
# Debian packages it needs when they are missing.  An example's source says,
# after "Needs", which ones; after "Under:", the script that runs it beside a
# server (examples/mariadb.sh FOLDER ARGUMENTS); after "Try:", how to talk to it;
# after "Open:", where a browser finds it.
#
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."

name=${1:-demo}
[ $# -eq 0 ] || shift
if [ ! -f "examples/$name.c" ]; then
    echo "there is no example '$name'; there are:" \
        "$(ls examples | sed -n 's/\.c$//p' | tr '\n' ' ')" >&2
    exit 1
fi

says() { sed -n "s/^[ /*]*$1 *\\([^ ].*\\)/\\1/p" "examples/$name.c"; }

# What is said of its address, for the one that it is given.  Where that asks for
# any port, only the program knows.
open=$(says Open:)
try=$(says Try:)
listens=$open$try
for word in "$@"; do
    case $word in
    :[0-9]* | *:0) open='' try='' ;;
    *:[0-9]*)
        open=${open:+$word}
        try=$(printf '%s\n' "$try" | sed \
            "s|127\.0\.0\.1\([: ]\)[0-9]*|${word%:*}\1${word##*:}|")
        ;;
    esac
done
[ -z "$open" ] || echo "http://$open/ as soon as it is built"

needs=$(sed -n 's/^.*Needs \([a-z0-9.+ -]*\)\..*/\1/p' "examples/$name.c")
under=$(says Under:)
sh tests/packages.sh build-essential cmake ninja-build pkg-config \
    netcat-openbsd zlib1g-dev $needs
log=build/release/configure.log
mkdir -p build/release
cmake --preset release >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
cmake --build --preset release --target "examples_$name"

# Those that listen say how to talk to them.
if [ -n "$try" ]; then
    echo 'talk to it from another terminal:'
    printf '%s\n' "$try" | sed 's/^/    /'
fi
[ -z "$listens" ] || echo "stop it with Ctrl-C"
exec ${under:+sh "$under"} "build/release/examples/$name" "$@"
