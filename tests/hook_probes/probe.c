/* probe.c - the list of probes, and what a running one writes down.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/mode.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct probe_result *probe_here;

static struct probe *list[PROBES_MAX];
static size_t count;

/* Threads write, too; nobody waits while holding it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void probe_add(struct probe *p)
{
    if (count == PROBES_MAX)
        abort();
    list[count++] = p;
}

static int by_place(const void *a, const void *b)
{
    const struct probe *p = *(const struct probe *const *)a;
    const struct probe *q = *(const struct probe *const *)b;
    int order = strcmp(p->file, q->file);

    return order != 0 ? order : p->line - q->line;
}

size_t probe_count(void)
{
    static size_t sorted;

    if (sorted != count)
        qsort(list, count, sizeof *list, by_place);
    sorted = count;
    return count;
}

const struct probe *probe_at(size_t i)
{
    return i < probe_count() ? list[i] : NULL;
}

const char *probe_subject(const struct probe *p, char *place, size_t size)
{
    const char *name = strrchr(p->file, '/');

    name = name != NULL ? name + 1 : p->file;
    (void)snprintf(place, size, "%.*s", (int)strcspn(name, "."), name);
    return place;
}

static void add_line(const char *line)
{
    struct probe_result *r = probe_here;
    size_t len = strlen(line);

    (void)pthread_mutex_lock(&lock);
    if (r->len + len + 2 < sizeof r->text) {
        memcpy(r->text + r->len, line, len);
        memcpy(r->text + r->len + len, "\n", 2);
        r->len += len + 1;
    }
    (void)pthread_mutex_unlock(&lock);
}

void say(const char *format, ...)
{
    char line[512];
    va_list more;

    va_start(more, format);
    (void)vsnprintf(line, sizeof line, format, more);
    va_end(more);
    add_line(line);
}

void say_bytes(const char *buf, long n)
{
    char text[160];
    size_t len = 0;

    for (long i = 0; i < n && len + 5 < sizeof text; i++) {
        bool plain = buf[i] >= ' ' && buf[i] <= '~' && buf[i] != '\\';

        len +=
            (size_t)snprintf(text + len, sizeof text - len,
                             plain ? "%c" : "\\x%02x", (unsigned char)buf[i]);
    }
    text[len] = 0;
    say("bytes: \"%s\"", text);
}

long probe_try(const char *call, long result)
{
    int err = errno;

    if (result >= 0)
        say("%s = %ld", call, result);
    else
        say("%s = %ld %s", call, result,
            err != 0 ? strerrorname_np(err) : "without errno");
    errno = err;
    return result;
}

long probe_show(const char *what, long value)
{
    say("%s: %ld", what, value);
    return value;
}

void probe_broken(const char *cond, const char *file, int line)
{
    say("%s:%d: needs %s (%s)", file, line, cond, strerror(errno));
    probe_here->end = END_BROKEN;
    _exit(1);
}

void probe_skip(const char *why)
{
    say("left out: %s", why);
    probe_here->end = END_SKIP;
    _exit(77);
}

void pause_ms(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        continue;
}

int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
