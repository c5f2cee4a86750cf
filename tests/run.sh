# run.sh - builds everything and runs all tests.
#
#   sh tests/run.sh [--full] [--preset NAME] [ctest arguments]
#
# Installs the Debian packages it needs when they are missing.  Counts in the
# tests are multiplied by CORTEN_TEST_SCALE: 1 with --full, 0.1 without, less
# under the presets that make programs slow.
#
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."

preset=dev
scale=
limit=
while [ $# -gt 0 ]; do
    case $1 in
    --full) scale=1 && limit=600 ;;
    --preset) preset=${2:?--preset needs a name} && shift ;;
    --preset=*) preset=${1#*=} ;;
    -h | --help) sed -n '/SPDX/q; s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) break ;;
    esac
    shift
done

packages='build-essential cmake ninja-build pkg-config python3 file gdb
    libuv1-dev libglib2.0-dev libevent-dev libdw1
    libmariadb-dev libhiredis-dev libjansson-dev libcurl4-openssl-dev libpq-dev
    libssl-dev zlib1g-dev
    mariadb-server-core redis-server nginx media-types postgresql openssl
    libhttp-parser-dev liburing-dev
    curl wget wrk apache2-utils nghttp2-client slowhttptest'
usual=0.1
case $preset in
dev) packages="$packages chromium" ;;
clang) packages="$packages clang" ;;
asan | tsan)
    packages="$packages clang libclang-rt-14-dev llvm-14"
    usual=0.02
    ;;
valgrind) packages="$packages valgrind" && usual=0.02 ;;
aarch64)
    packages="$packages gcc-aarch64-linux-gnu g++-aarch64-linux-gnu
        libc6-dev-arm64-cross qemu-user"
    usual=0.02
    ;;
coverage) packages="$packages gcovr" ;;
esac
sh tests/packages.sh $packages
: "${scale:=${CORTEN_TEST_SCALE:-$usual}}"
export CORTEN_TEST_SCALE="$scale"
export CLICOLOR_FORCE=0

# What cmake says is of interest only when it fails.
log=build/$preset/configure.log
mkdir -p "build/$preset"
cmake --preset "$preset" ${limit:+-DCORTEN_TEST_TIMEOUT=$limit} >"$log" 2>&1 ||
    { cat "$log" >&2 && exit 1; }
cmake --build --preset "$preset" -j2

# Some tests hold what happened against a clock, and a busy machine is late.  So
# a few that failed beside others run once more, alone; who then passes is named.
few=4
failed=build/$preset/Testing/Temporary/LastTestsFailed.log
rm -f "$failed"
if ! ctest --preset "$preset" -j2 "$@"; then
    [ -s "$failed" ] && [ "$(wc -l <"$failed")" -le $few ] || exit 1
    names=$(cut -d: -f2 "$failed" | tr '\n' ' ')
    echo "run.sh: once more, alone: $names"
    ctest --preset "$preset" -j1 --rerun-failed
    echo "run.sh: FLAKY, failed beside others and passed alone: $names"
fi

if [ "$preset" = coverage ]; then
    gcovr --root . --filter 'co/' --filter 'net/' "build/$preset"
fi
