# install_test.sh - a user can build against what cmake --install puts down.
#
# Installs below a scratch prefix, moves that elsewhere (packages and containers
# do), then builds a program against it eight times: through pkg-config and
# through find_package, as C and as C++, shared and static.  Each runs a runtime,
# keeps exceptions apart (C++), and says which libcorten it got and which
# co_version(); then one against each further library four times.  The tree itself
# is not on any search path.  Also looks that -fstack-clash-protection arrives, and that
# a linker can drop what a program does not use of the archive.
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

version=$(sed -n 's/^#define CO_VERSION_[A-Z]* \([0-9]*\)$/\1/p' co/version.h |
    paste -s -d .)
cmake --install "$CORTEN_BUILD" --prefix "$work/first" >"$work/log"
# GDB looks for a library's script below the library's own path.
find "$work/first/share/gdb/auto-load$work/first" -name '*-gdb.py' | grep -q . ||
    die "no script for GDB below $work/first/share/gdb/auto-load$work/first"
mv "$work/first" "$work/moved"
prefix=$work/moved
cd "$work"

# Some parts are left out where what they need is not there, and the clients of
# databases have headers that need those of others.
clients=
for header in $CORTEN_PUBLIC_HEADERS; do
    case $header in
    net/mysql.h) clients="$clients mysql" ;;
    net/redis.h) clients="$clients redis" ;;
    net/http_sign.h) clients="$clients http-sign" ;;
    *) echo "#include <corten/$header>" ;;
    esac
done >main.c
cat >>main.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool ran;

static void child(void *arg)
{
    *(bool *)arg = true;
    co_yield_now();
}

#ifdef __cplusplus
static void thrower(void *arg)
{
    try {
        throw *(int *)arg;
    } catch (int mine) {
        for (int i = 0; i < 3; i++) {
            co_yield_now();
            try {
                throw;
            } catch (int current) {
                if (current != mine)
                    *(int *)arg = 0;
            }
        }
    }
}

static bool apart(void)
{
    int numbers[] = { 1, 2, 3 };
    struct co *cos[3];

    for (int i = 0; i < 3; i++)
        cos[i] = co_spawn(thrower, &numbers[i], NULL);
    for (int i = 0; i < 3; i++)
        co_join(cos[i], CO_FOREVER);
    return numbers[0] == 1 && numbers[1] == 2 && numbers[2] == 3;
}
#else
static bool apart(void) { return true; }
#endif

static void root(void *arg)
{
    struct co *c = co_spawn(child, arg, NULL);

    co_join(c, co_after(CO_SECOND));
    /* This loads what a static program cannot cope with. */
    if (co_dump(open("/dev/null", O_WRONLY)) < 0) {
        puts("no report");
        ran = false;
    }
    if (!apart()) {
        puts("exceptions of coroutines are mixed up");
        ran = false;
    }
}

int main(void)
{
    if (co_run(root, &ran, NULL) < 0 || !ran)
        return 1;
    if (strcmp(co_version(), CO_VERSION) != 0)
        return 2;
    puts(co_version());
    return 0;
}
END
cp main.c main.cpp
cat >http.c <<'END'
#include <corten/net/http.h>
#include <errno.h>
#include <stdio.h>

static const struct http_route wrong[] = { { "GET", "nowhere", NULL, NULL, 0 },
                                           { 0 } };

static void root(void *arg)
{
    struct http_config config = { .routes = wrong };

    errno = 0;
    *(bool *)arg = http_serve(net_listen("127.0.0.1:0", NULL), &config) < 0 &&
                   errno == EINVAL;
}

int main(void)
{
    bool good = false;

    if (co_run(root, &good, NULL) < 0 || !good)
        return 1;
    puts(co_version());
    return 0;
}
END

cat >http-sign.c <<'END'
#include <corten/net/http_sign.h>
#include <stdio.h>

int main(void)
{
    struct http_sign_key keys[] = { { "0123456789abcdef0123456789abcdef", 32 },
                                    { NULL, 0 } };
    struct http_signer *s = http_sign_new(keys);
    char text[HTTP_SIGN_BYTES(5)], value[6];

    if (s == NULL || http_sign_text(s, "n", "value", 9, text, sizeof text) < 0 ||
        http_sign_check(s, "n", text, value, sizeof value) != 5)
        return 1;
    http_sign_free(s);
    puts(co_version());
    return 0;
}
END
cat >mysql.c <<'END'
#include <corten/net/mysql.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    struct net_mysql_config config = { .url = "http://" };

    if (net_mysql_pool(&config) != NULL ||
        strstr(net_mysql_error(NULL), "mysql://") == NULL)
        return 1;
    puts(co_version());
    return 0;
}
END
cat >redis.c <<'END'
#include <corten/net/redis.h>
#include <stdio.h>

int main(void)
{
    struct net_redis_config config = { .addr = "127.0.0.1:1" };
    struct net_redis *r = net_redis_new(&config);

    if (r == NULL)
        return 1;
    net_redis_free(r);
    puts(co_version());
    return 0;
}
END

# PROGRAM KIND: runs, is of this version, and has the library by itself or not.
check() {
    [ "$("./$1")" = "$version" ] || die "$1 fails, or is not corten $version"
    needs=$(readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    case $2 in
    shared) [ "$(ldd "$1" | grep -c 'libcorten\.so\.0 => ')" = 1 ] ;;
    static) case $needs in *libcorten*) false ;; esac ;;
    esac || die "$1 is not $2: it needs" $needs
}

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name corten.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
case $(pkg-config --cflags corten) in
*-fstack-clash-protection*) ;;
*) die "corten.pc does not pass -fstack-clash-protection on" ;;
esac
[ "$(pkg-config --modversion corten)" = "$version" ] ||
    die "corten.pc says version $(pkg-config --modversion corten)"

# getaddrinfo() in a static program needs the shared libc's files to look names
# up; the linker says so.
warnings='-Wall -Wextra -Werror -pedantic'
# shellcheck disable=SC2046,SC2086 # flags are words
for kind in shared static; do
    flags=$(pkg-config --cflags --libs corten)
    [ $kind = shared ] || flags="-static $(
        pkg-config --static --cflags --libs corten)"
    $CC $CFLAGS -std=c11 $warnings main.c $flags -o pkgconfig_c_$kind 2>>log ||
        { cat log && die "pkg-config, C, $kind: does not build"; }
    $CXX $CFLAGS -std=c++17 $warnings main.cpp $flags \
        -o pkgconfig_cxx_$kind 2>>log ||
        { cat log && die "pkg-config, C++, $kind: does not build"; }
    check pkgconfig_c_$kind $kind
    check pkgconfig_cxx_$kind $kind
done

# shellcheck disable=SC2046,SC2086
$CC $CFLAGS main.c $(pkg-config --cflags --libs-only-L corten) -l:libcorten.a \
    -o pkgconfig_alone
check pkgconfig_alone static

for kind in shared static; do
    for part in http $clients; do
        static=
        [ $kind = shared ] || static=-static
        # shellcheck disable=SC2046,SC2086
        $CC $CFLAGS -std=c11 $warnings $part.c $static \
            $(pkg-config ${static:+--static} --cflags --libs corten-$part) \
            -o pkgconfig_${part}_$kind 2>>log ||
            { cat log && die "pkg-config, corten-$part, $kind: does not build"; }
        check pkgconfig_${part}_$kind $kind
    done
done

cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
set(parts http $clients)
END
cat >>CMakeLists.txt <<'END'
project(user LANGUAGES C CXX)
find_package(corten 0.1 REQUIRED COMPONENTS ${parts})
find_package(corten QUIET COMPONENTS nothing)
if(corten_FOUND)
    message(FATAL_ERROR "found a component that does not exist")
endif()
add_executable(cmake_c_shared main.c)
add_executable(cmake_cxx_shared main.cpp)
add_executable(cmake_c_static main.c)
add_executable(cmake_cxx_static main.cpp)
add_executable(cmake_small main.c)
target_link_libraries(cmake_c_shared corten::corten)
target_link_libraries(cmake_cxx_shared corten::corten)
target_link_libraries(cmake_c_static corten::corten-static)
target_link_libraries(cmake_cxx_static corten::corten-static)
foreach(part ${parts})
    add_executable(cmake_${part}_shared ${part}.c)
    add_executable(cmake_${part}_static ${part}.c)
    target_link_libraries(cmake_${part}_shared corten::${part})
    target_link_libraries(cmake_${part}_static corten::${part}-static)
endforeach()
target_link_libraries(cmake_small corten::corten-static -Wl,--gc-sections)
END
cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$CFLAGS" \
    -DCMAKE_CXX_FLAGS="$CFLAGS" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >>log ||
    { cat log >&2 && die "find_package fails"; }
cmake --build build >>log 2>&1 || { cat log >&2 && die "it does not build"; }
grep '"command"' build/compile_commands.json |
    grep -qv -e -fstack-clash-protection &&
    die "a target does not pass -fstack-clash-protection on"
cd build
for kind in shared static; do
    check cmake_c_$kind $kind
    check cmake_cxx_$kind $kind
    for part in http $clients; do
        check cmake_${part}_$kind $kind
    done
done
check cmake_small static
nm cmake_c_static | grep -q ' net_serve$' || die "net_serve is not in the archive"
if nm cmake_small | grep -q ' net_serve$'; then
    die "--gc-sections keeps what the program does not use"
fi
