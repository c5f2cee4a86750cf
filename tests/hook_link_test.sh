# hook_link_test.sh - the hooks are bound however they are linked.
#
# One program, which sleeps in two coroutines at once, from its own code and from
# a library that it loads, linked with the shared library and with the static
# one, before and after the program's own objects, loaded by LD_PRELOAD, and, as
# what must be noticed, not at all.
#
# SPDX-License-Identifier: MIT
set -eu
: "${CORTEN_BUILD:?is set by ctest}" "${CC:=cc}" "${CFLAGS:=}"

root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >loaded.c <<'END'
#include <unistd.h>
int nap(void);
int nap(void) { return usleep(100000); }
END
cat >main.c <<'END'
#include "co/co.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef int selftest_fn(void *report, void *arg);
static int (*loaded_nap)(void);

static void own(void *arg)
{
    (void)arg;
    usleep(100000);
}

static void loaded(void *arg)
{
    (void)arg;
    loaded_nap();
}

static void root(void *arg)
{
    struct co_group g = { 0 };
    int64_t begin = co_now();

    for (int i = 0; i < 10; i++) {
        co_group_go(&g, own, NULL);
        co_group_go(&g, loaded, NULL);
    }
    co_group_wait(&g, CO_FOREVER);
    *(int64_t *)arg = co_now() - begin;
}

/* Prints how many names are not bound, and whether the sleeps overlapped. */
int main(void)
{
    void *library = dlopen("./loaded.so", RTLD_NOW | RTLD_LOCAL);
    selftest_fn *selftest;
    int64_t took = 0;

    *(void **)&loaded_nap = library == NULL ? NULL : dlsym(library, "nap");
    *(void **)&selftest = dlsym(RTLD_DEFAULT, "co_hook_selftest");
    if (loaded_nap == NULL ||
        co_run(root, &took, &(struct co_config){ .schedulers = 1 }) < 0)
        return 1;
    printf("%d %s\n", selftest == NULL ? -1 : selftest(NULL, NULL),
           took < 1500 * CO_MSEC ? "together" : "in turn");
    return 0;
}
END
# shellcheck disable=SC2086 # flags are words
{
    $CC $CFLAGS -shared -fPIC loaded.c -o loaded.so
    $CC $CFLAGS -D_GNU_SOURCE -iquote "$root" -c main.c
}

build=$(cd "$root" && cd "$CORTEN_BUILD" && pwd)
export LD_LIBRARY_PATH="$build"
failed=0
expect() { # WHAT WANTED COMMAND...
    local what=$1 wanted=$2 got
    shift 2
    got=$("$@") || got="failure: $?"
    [ "$got" = "$wanted" ] && return
    echo "$what: got '$got', not '$wanted'" >&2
    failed=1
}
link() { # NAME ARGUMENTS...
    local name=$1
    shift
    # shellcheck disable=SC2086
    $CC $CFLAGS -o "$name" "$@" -lpthread -ldl -lm
}

static="-Wl,-u,co_hook_selftest -Wl,--export-dynamic-symbol=co_hook_selftest"
link shared main.o -L"$build" -lcorten-hook -lcorten
# shellcheck disable=SC2086
{
    link last main.o $static "$build/libcorten-hook.a" "$build/libcorten.a"
    link first $static "$build/libcorten-hook.a" main.o "$build/libcorten.a"
    link middle $static "$build/libcorten.a" main.o "$build/libcorten-hook.a" \
        "$build/libcorten.a"
}
link without main.o -L"$build" -lcorten
link after_libc main.o -L"$build" -Wl,--no-as-needed -lc -lcorten-hook -lcorten
expect 'shared library' '0 together' ./shared
expect 'static library, last' '0 together' ./last
expect 'static library, first' '0 together' ./first
expect 'static library, after corten' '0 together' ./middle
expect 'LD_PRELOAD' '0 together' env LD_PRELOAD=libcorten-hook.so ./without
expect 'after libc' 'some in turn' \
    sh -c './after_libc | sed "s/^[1-9][0-9]*/some/"'
expect 'without' '-1 in turn' ./without
expect 'CORTEN_HOOK=off' '0 in turn' env CORTEN_HOOK=off ./shared
exit $failed
