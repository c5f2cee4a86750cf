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
#include "tests/fault/calls.def"
};

static const int errnos[INJECT_CALLS][INJECT_VARIANTS] = {
#define FAILS(name, ...) [CALL_##name] = { __VA_ARGS__ },
#define PART(name, part, ...) [CALL_##name##_##part] = { __VA_ARGS__ },
#include "tests/fault/calls.def"
};

const int inject_variants[INJECT_CALLS] = {
#define FAILS(name, ...)                                                       \
    [CALL_##name] = sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int),
#define PART(name, part, ...)                                                  \
    [CALL_##name##_##part] = sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int),
#include "tests/fault/calls.def"
};

atomic_long inject_blocks, inject_mapped;
struct inject_log *inject_log;

static struct {
    struct inject_plan plan;
    atomic_bool on, also_done;
    atomic_long seen;
    atomic_int fired[2]; /* the errnos */
} now;

struct inject_log *inject_log_new(void)
{
    struct inject_log *log = mmap(NULL, sizeof *log, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(log != MAP_FAILED);
    return log;
}

void inject_off(void) { atomic_store(&now.on, false); }
void inject_on(void) { atomic_store(&now.on, true); }
bool inject_fired(void) { return atomic_load(&now.fired[0]) != 0; }
void inject_fire(void) { atomic_store(&now.fired[0], EIO); }

bool inject_fired_at(const struct inject_site *s)
{
    return atomic_load(&inject_log->failed[0]) == s ||
           atomic_load(&inject_log->failed[1]) == s;
}

bool inject_fired_in(enum inject_call call)
{
    for (int i = 0; i < 2; i++) {
        struct inject_site *s = atomic_load(&inject_log->failed[i]);

        if (s != NULL && atomic_load(&s->call) == (int)call + 1)
            return true;
    }
    return false;
}

void inject_arm(const struct inject_plan *plan)
{
    now.plan = *plan;
    atomic_store(&now.seen, 0);
    atomic_store(&now.also_done, plan->also == NULL);
    atomic_store(&inject_log->n, plan->n);
    for (int i = 0; i < 2; i++) {
        atomic_store(&now.fired[i], 0);
        atomic_store(&inject_log->failed[i], NULL);
    }
    inject_on();
}

void inject_disarm(void) { inject_off(); }

static bool is_expected(int err, const int *others)
{
    if (err == atomic_load(&now.fired[0]) || err == atomic_load(&now.fired[1]))
        return true;
    while (*others != 0 && *others != err)
        others++;
    return *others == err;
}

bool inject_went(const char *file, int line, bool went, const int *others)
{
    int err = errno;

    atomic_store(&inject_log->line, line);
    if (went)
        return true;
    /* co.h promises that the last two do not come out. */
    if (!inject_fired() || !is_expected(err, others) || err == EINTR ||
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
        struct inject_site *s = &inject_log->site[i];
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

static void fail(struct inject_site *s, int variant)
{
    int err = errnos[atomic_load(&s->call) - 1][variant], none = 0;
    int i = atomic_compare_exchange_strong(&now.fired[0], &none, err) ? 0 : 1;

    atomic_store(&now.fired[i], err);
    atomic_store(&inject_log->failed_as[i], err);
    atomic_store(&inject_log->failed[i], s);
    atomic_fetch_add(&s->failed[variant], 1);
    errno = err;
}

bool inject_hit(enum inject_call call, const void *caller)
{
    struct inject_site *s = site_of(call, (uintptr_t)caller);
    const struct inject_plan *p = &now.plan;

    atomic_fetch_add(&s->reached, 1);
    if (!atomic_load(&now.on) || inject_variants[call] == 0)
        return false;
    if (!atomic_exchange(&s->armed, true)) {
        atomic_store(&s->first_n, p->n);
        atomic_store(&s->first_variant, p->variant);
    }
    if (s == p->also && !atomic_exchange(&now.also_done, true)) {
        fail(s, p->also_variant);
        return true;
    }
    if (p->variant >= inject_variants[call] ||
        (p->only != 0 && p->only != (int)call + 1) ||
        atomic_fetch_add(&now.seen, 1) + 1 != p->n)
        return false;
    fail(s, p->variant);
    return true;
}
