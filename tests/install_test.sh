# install_test.sh - a user can build against what cmake --install puts down.
#
# Installs below a scratch prefix, moves that elsewhere (packages and containers
# do), then builds a program against it through pkg-config and through
# find_package, as C and as C++, and looks that -fstack-clash-protection arrives.
# The tree itself is not on any search path.
#
# SPDX-License-Identifier: MIT
set -eu
: "${CORTEN_BUILD:?is set by ctest}" "${CC:=cc}" "${CXX:=c++}" "${CFLAGS:=}"
command -v pkg-config >/dev/null || exit 77
[ -n "$CORTEN_PUBLIC_HEADERS" ] || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() {
    echo "install_test: $*" >&2
    exit 1
}

cmake --install "$CORTEN_BUILD" --prefix "$work/first" >"$work/log"
mv "$work/first" "$work/moved"
prefix=$work/moved
cd "$work"

for header in $CORTEN_PUBLIC_HEADERS; do
    echo "#include <corten/$header>"
done >main.c
cat >>main.c <<'END'
int main(void)
{
    return co_self() != NULL; /* outside a coroutine */
}
END
cp main.c main.cpp

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name corten.pc)")
export PKG_CONFIG_PATH
cflags=$(pkg-config --cflags corten)
libs=$(pkg-config --libs corten)
case $cflags in
*-fstack-clash-protection*) ;;
*) die "corten.pc does not pass -fstack-clash-protection on: $cflags" ;;
esac
# shellcheck disable=SC2086 # flags are words
{
    $CC $CFLAGS -std=c11 -Wall -Wextra -Werror -pedantic $cflags main.c $libs \
        -o by_pkgconfig
    $CXX $CFLAGS -std=c++17 -Wall -Wextra -Werror -pedantic $cflags main.cpp \
        $libs -o by_pkgconfig_cpp
}
export LD_LIBRARY_PATH="$(dirname "$PKG_CONFIG_PATH")"
./by_pkgconfig || die "built through pkg-config, it fails"
./by_pkgconfig_cpp || die "built as C++, it fails"

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(corten 0.1 REQUIRED)
find_package(corten QUIET COMPONENTS nothing)
if(corten_FOUND)
    message(FATAL_ERROR "found a component that does not exist")
endif()
add_executable(by_cmake main.c)
target_link_libraries(by_cmake corten::corten)
END
cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >>log ||
    { cat log >&2 && die "find_package fails"; }
cmake --build build >>log 2>&1 || { cat log >&2 && die "it does not build"; }
grep -q -e -fstack-clash-protection build/compile_commands.json ||
    die "the target does not pass -fstack-clash-protection on"
build/by_cmake || die "built through find_package, it fails"
