# run.sh - builds corten and its contenders, measures them, draws the page.
#
#   sh bench/run.sh [--quick | --all] [NAME...]     --help says more
#
# Some 15 minutes; --quick 2, --all hours.  NAMEs of contenders, cases or axes
# measure those alone (--list).  Writes bench/results/<date>.json and .html, and
# prints where.  Installs the Debian packages that it needs; servers of others are
# measured when they are there, and left out with a word when not: all of them by
#
#   apt-get install nginx-light lighttpd h2o golang-go libevent-dev libuv1-dev
#       libboost-dev
#
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."

sh tests/packages.sh build-essential cmake ninja-build pkg-config python3 \
    liburing-dev wrk
log=build/release/configure.log
mkdir -p build/release
cmake --preset release >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
cmake --build --preset release -j2 --target bench-contenders >"$log" 2>&1 ||
    { cat "$log" >&2 && exit 1; }
exec /usr/bin/python3 bench/run.py "$@"
