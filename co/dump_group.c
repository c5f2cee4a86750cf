/* dump_group.c - coroutines by where they wait, the most first; see dump.h.
 *
 * A group is its text: what was called, and from where.  There may be as many
 * as coroutines, so they stand in a hash table.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 256 };

struct group {
    char *key; /* NULL: a free place */
    uint64_t count;
    const struct record *longest; /* of those that wait; else any */
};

struct groups {
    struct group *at; /* open addressing */
    size_t size, used;
    struct text key;
};

/* ---- The table --------------------------------------------------------------
 */

static struct group *place_of(struct group *at, size_t size, const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    size_t i;

    for (const char *c = key; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    i = hash % size;
    while (at[i].key != NULL && strcmp(at[i].key, key) != 0)
        i = (i + 1) % size;
    return &at[i];
}

static bool grow(struct groups *g)
{
    size_t size = g->size == 0 ? FIRST : 2 * g->size;
    struct group *at = calloc(size, sizeof *at);

    if (at == NULL)
        return false;
    for (size_t i = 0; i < g->size; i++)
        if (g->at[i].key != NULL)
            *place_of(at, size, g->at[i].key) = g->at[i];
    free(g->at);
    g->at = at;
    g->size = size;
    return true;
}

static struct group *find(struct groups *g, const char *key)
{
    struct group *group;

    if (2 * g->used >= g->size && !grow(g))
        return NULL;
    group = place_of(g->at, g->size, key);
    if (group->key == NULL) {
        size_t bytes = strlen(key) + 1;

        if ((group->key = malloc(bytes)) == NULL)
            return NULL;
        memcpy(group->key, key, bytes);
        g->used++;
    }
    return group;
}

static void free_groups(struct dump *d)
{
    struct groups *g = d->groups;

    for (size_t i = 0; g != NULL && i < g->size; i++)
        free(g->at[i].key);
    if (g != NULL) {
        free(g->at);
        text_free(&g->key);
    }
    free(g);
    d->groups = NULL;
}

/* ---- The form ---------------------------------------------------------------
 */

static void put_key(struct dump *d, const struct record *r)
{
    struct text *t = &d->groups->key;
    struct trace trace;
    const char *call;

    t->len = 0;
    symbols_trace(d->symbols, r, &trace);
    call = dump_call(r, &trace);
    if (r->state == RECORD_RUNNING)
        text_put(t, "running");
    else if (call != NULL)
        text_format(t, "%sin %s", r->state == RECORD_READY ? "ready " : "",
                    call);
    else if (r->state == RECORD_READY)
        text_put(t, "ready");
    else
        text_format(t, "in %s", dump_kind(r));
    if (trace.count > 0 && trace.frames[0]->file != NULL)
        text_format(t, " < %s:%d", trace.frames[0]->file,
                    trace.frames[0]->line);
    else if (trace.count > 0 && trace.frames[0]->function != NULL)
        text_format(t, " < %s", trace.frames[0]->function);
    else
        text_format(t, ", spawned at %s:%d", dump_file(d, r), r->line);
}

static void begin(struct dump *d)
{
    (void)dump_header(d);
    d->groups = calloc(1, sizeof *d->groups);
    if (d->groups == NULL)
        d->out.failed = true;
}

static void record(struct dump *d, unsigned sched, const struct record *r)
{
    struct group *group = NULL;

    (void)sched;
    if (d->groups == NULL)
        return;
    put_key(d, r);
    group = find(d->groups, text_end(&d->groups->key));
    if (group == NULL || d->groups->key.failed) {
        d->out.failed = true;
        return;
    }
    group->count++;
    if (group->longest == NULL || r->since < group->longest->since)
        group->longest = r;
}

static int most_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->key == NULL   ? y->key != NULL
           : y->key == NULL ? -1
                            : strcmp(x->key, y->key);
}

static void put_group(struct dump *d, const struct group *g)
{
    struct text *t = &d->out;
    const struct record *r = g->longest;

    text_count(t, g->count);
    text_format(t, " %s", g->key);
    if (r->state == RECORD_WAITING) {
        text_put(t, g->count == 1 ? ", for " : ", the longest for ");
        text_duration(t, d->shot.now - r->since);
    }
    text_format(t, " (id %" PRIu64, r->id);
    if (r->state == RECORD_WAITING) {
        text_put(t, ": ");
        dump_wait(t, r);
    }
    text_put(t, ")\n");
}

static void end(struct dump *d)
{
    struct groups *g = d->groups;

    if (g == NULL)
        return;
    if (g->size > 0)
        qsort(g->at, g->size, sizeof *g->at, most_first);
    for (size_t i = 0; i < g->used && !d->out.failed; i++)
        put_group(d, &g->at[i]);
    free_groups(d);
}

const struct dump_form dump_group = { begin, record, end };
