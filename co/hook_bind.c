/* hook_bind.c - finds libc's own functions, once, at the first call.
 *
 * The first call may come before any constructor has run, from another
 * library's; so each entry of the table begins as a function that fills the
 * table and goes on through it.  Where a sanitizer has functions of the same
 * names, those are libc's to us: they check the caller's buffers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook.h"
#include "co/hook_real.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hook_off;
int64_t hook_slow_ns;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void bind_all(void);

/* ---- What the table begins with ---------------------------------------------
 */

/* clang-format off */
#define FIRST_SYS(type, name, params, args)                                    \
    static type first_##name params                                            \
    {                                                                          \
        bind_all();                                                            \
        return hook_real.sys.name args;                                        \
    }
#define FIRST(type, name, params, args)                                        \
    static type first_##name params                                            \
    {                                                                          \
        bind_all();                                                            \
        return hook_real.name args;                                            \
    }
/* clang-format on */
SYS_CALLS(FIRST_SYS)
HOOK_CALLS(FIRST)

static int first_open(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    bind_all();
    return real.open(path, flags, mode);
}

static int first_openat(int dir, const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    bind_all();
    return hook_real.openat(dir, path, flags, mode);
}

static int first_fcntl(int fd, int op, ...)
{
    va_list more;
    void *arg;

    va_start(more, op);
    arg = va_arg(more, void *);
    va_end(more);
    bind_all();
    return real.fcntl(fd, op, arg);
}

static int first_ioctl(int fd, unsigned long op, ...)
{
    va_list more;
    void *arg;

    va_start(more, op);
    arg = va_arg(more, void *);
    va_end(more);
    bind_all();
    return real.ioctl(fd, op, arg);
}

struct hook_real hook_real = {
    .sys = {
#define VALUE(type, name, params, args) .name = first_##name,
        SYS_CALLS(VALUE)
        .open = first_open, .fcntl = first_fcntl, .ioctl = first_ioctl,
    },
    .openat = first_openat,
    HOOK_CALLS(VALUE)
#undef VALUE
};

/* ---- What it becomes
 * ----------------------------------------------------------
 */

/* Where the program names libc before us, nothing comes next: none is bound to
 * the hooks then, but the self-test must be there to say so. */
static void *find_in_libc(const char *name)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    return libc != NULL ? dlsym(libc, name) : NULL;
}

static void *find(const char *name)
{
    char intercepted[64];
    void *p;

    (void)snprintf(intercepted, sizeof intercepted, "__interceptor_%s", name);
    p = dlsym(RTLD_DEFAULT, intercepted);
    if (p == NULL)
        p = dlsym(RTLD_NEXT, name);
    if (p == NULL)
        p = find_in_libc(name);
    if (p != NULL)
        return p;
    (void)fprintf(stderr, "corten-hook: libc has no %s\n", name);
    abort();
}

static void read_environment(void)
{
    const char *off = getenv("CORTEN_HOOK"), *slow = getenv("CORTEN_HOOK_SLOW");
    char *end;
    long ms;

    hook_off = off != NULL && strcmp(off, "off") == 0;
    if (off != NULL && !hook_off && *off != '\0' && strcmp(off, "on") != 0)
        (void)fprintf(stderr,
                      "corten-hook: CORTEN_HOOK=%s: it is \"on\" or \"off\"; "
                      "the hooks are on\n",
                      off);
    if (slow == NULL)
        return;
    ms = strtol(slow, &end, 10);
    if (end != slow && *end == '\0' && ms >= 0 && ms <= INT_MAX)
        hook_slow_ns = ms > 0 ? ms * CO_MSEC : 1;
    else
        (void)fprintf(stderr,
                      "corten-hook: CORTEN_HOOK_SLOW=%s: not a number of "
                      "milliseconds; slow calls are not named\n",
                      slow);
}

static void bind_once(void)
{
    struct hook_real found = { 0 };

    /* POSIX: the way to turn dlsym()'s result into a function. */
#define FIND_SYS(type, name, params, args)                                     \
    *(void **)&found.sys.name = find(#name);
#define FIND(type, name, params, args) *(void **)&found.name = find(#name);
    SYS_CALLS(FIND_SYS)
    HOOK_CALLS(FIND)
    *(void **)&found.sys.open = find("open");
    *(void **)&found.sys.fcntl = find("fcntl");
    *(void **)&found.sys.ioctl = find("ioctl");
    *(void **)&found.openat = find("openat");
    read_environment();
    hook_real = found;
    co_sys_set(&found.sys);
}

static void bind_all(void) { (void)pthread_once(&once, bind_once); }

/* Before there are other threads, so that the table is constant to them. */
__attribute__((constructor(101))) static void bind_early(void) { bind_all(); }

bool co_hook_enabled(void)
{
    bind_all();
    return !hook_off;
}

/* ---- The self-test
 * ------------------------------------------------------------
 */

/* clang-format off */
static const struct {
    const char *name;
    const void *hook;
} names[] = {
#define NAME(type, name, params, args) { #name, (const void *)hook_##name },
#define NAME_ALIAS(name, hook) { #name, (const void *)hook_##hook },
    SYS_CALLS(NAME)
    HOOK_CALLS(NAME)
    HOOK_ALIASES(NAME_ALIAS)
};
/* clang-format on */

const char *co_hook_name(size_t i)
{
    return i < sizeof names / sizeof *names ? names[i].name : NULL;
}

int co_hook_selftest(void (*report)(const char *name, const char *object,
                                    void *arg),
                     void *arg)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *p = dlsym(RTLD_DEFAULT, names[i].name);
        Dl_info info = { 0 };

        if (p == names[i].hook || p == NULL) /* nobody can call that */
            continue;
        wrong++;
        if (report == NULL)
            continue;
        if (p != NULL)
            (void)dladdr(p, &info);
        report(names[i].name, info.dli_fname != NULL ? info.dli_fname : "none",
               arg);
    }
    return wrong;
}

/* ---- Slow calls
 * ---------------------------------------------------------------
 */

int64_t hook_slow_begin(void) { return hook_slow_ns > 0 ? co_now() : 0; }

void hook_slow_end(const char *name, int64_t begin)
{
    int err = errno;
    int64_t took;

    if (begin == 0)
        return;
    took = co_now() - begin;
    if (took > hook_slow_ns) {
        const struct co *co = co_self();
        int line = 0;
        const char *file = co_born(co, &line);

        (void)fprintf(stderr,
                      "corten-hook: %s() took the thread for %lld ms in "
                      "coroutine \"%s\" (id %llu, spawned at %s:%d)\n",
                      name, (long long)(took / CO_MSEC), co_name(co),
                      (unsigned long long)co_id(), file, line);
    }
    errno = err;
}
