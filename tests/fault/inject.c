/* inject.c - see inject.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/inject.h"
#include <sys/mman.h>

const char *const inject_names[INJECT_CALLS] = {
#define FAILS(name, ...) [CALL_##name] = #name,
#define SPLIT(name) [CALL_##name] = #name,
#define PART(name, part, ...) [CALL_##name##_##part] = #name " " #part,
#define COUNTED(name, why)
#define NEVER(name, why)
#include "tests/fault/calls.def"
#undef FAILS
#undef SPLIT
#undef PART
};

enum { VARIANTS_MAX = 8 };

static const int errnos[INJECT_CALLS][VARIANTS_MAX] = {
#define FAILS(name, ...) [CALL_##name] = { __VA_ARGS__ },
#define SPLIT(name)
#define PART(name, part, ...) [CALL_##name##_##part] = { __VA_ARGS__ },
#include "tests/fault/calls.def"
#undef FAILS
#undef PART
};

const int inject_variants[INJECT_CALLS] = {
#define FAILS(name, ...)                                                       \
    [CALL_##name] = sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int),
#define PART(name, part, ...)                                                  \
    [CALL_##name##_##part] = sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int),
#include "tests/fault/calls.def"
};

atomic_long inject_blocks, inject_mapped;
struct inject_shared *inject_shared;

static struct {
    atomic_bool on;
    atomic_long seen;
    atomic_long at; /* which one to fail; 0: none */
    atomic_int variant;
    atomic_int fired; /* the errno */
} now;

void inject_open(void)
{
    inject_shared = mmap(NULL, sizeof *inject_shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(inject_shared != MAP_FAILED);
}

void inject_off(void) { atomic_store(&now.on, false); }
void inject_on(void) { atomic_store(&now.on, true); }
bool inject_fired(void) { return atomic_load(&now.fired) != 0; }

void inject_fire(void) { atomic_store(&now.fired, EIO); }

bool inject_fired_in(enum inject_call call)
{
    struct inject_site *s = atomic_load(&inject_shared->last);

    return s != NULL && atomic_load(&s->call) == (int)call + 1;
}

void inject_arm(long n, int variant)
{
    atomic_store(&now.seen, 0);
    atomic_store(&now.at, n);
    atomic_store(&now.variant, variant);
    atomic_store(&now.fired, 0);
    atomic_store(&inject_shared->last, NULL);
    atomic_store(&inject_shared->last_n, n);
    inject_on();
}

void inject_disarm(void)
{
    inject_off();
    atomic_store(&now.at, 0);
}

bool inject_went(const char *file, int line, bool went, const int *others)
{
    int err = errno, fired = atomic_load(&now.fired);

    atomic_store(&inject_shared->scenario_line, line);
    if (went)
        return true;
    if (fired == 0) {
        fprintf(stderr, "%s:%d: failed with %s though nothing was made to\n",
                file, line, strerror(err));
        exit(1);
    }
    while (err != fired && *others != 0 && *others != err)
        others++;
    /* co.h promises that these do not come out. */
    if ((err != fired && *others == 0) || err == EINTR ||
        (err == ENOSPC && inject_fired_in(CALL_epoll_ctl_add))) {
        fprintf(stderr, "%s:%d: failed with %d (%s)\n", file, line, err,
                strerror(err));
        exit(1);
    }
    errno = err;
    return false;
}

/* Open addressing; entries are only added. */
static struct inject_site *site_of(enum inject_call call, uintptr_t caller)
{
    size_t i = (caller * 31 + (unsigned)call) % INJECT_SITES;

    for (;; i = (i + 1) % INJECT_SITES) {
        struct inject_site *s = &inject_shared->site[i];
        uintptr_t none = 0;
        int nobody = 0;

        if (atomic_load(&s->caller) != caller &&
            !atomic_compare_exchange_strong(&s->caller, &none, caller) &&
            none != caller)
            continue;
        if (atomic_compare_exchange_strong(&s->call, &nobody, (int)call + 1) ||
            nobody == (int)call + 1)
            return s;
    }
}

bool inject_hit(enum inject_call call, const void *caller)
{
    struct inject_site *s = site_of(call, (uintptr_t)caller);
    int variant = atomic_load(&now.variant);

    atomic_fetch_add(&s->reached, 1);
    if (!atomic_load(&now.on) || variant >= inject_variants[call] ||
        atomic_fetch_add(&now.seen, 1) + 1 != atomic_load(&now.at))
        return false;
    atomic_fetch_add(&s->injected, 1);
    errno = errnos[call][variant];
    /* Of getaddrinfo(). */
    atomic_store(&now.fired, errno);
    atomic_store(&inject_shared->last_errno, errno);
    atomic_store(&inject_shared->last, s);
    return true;
}
