/* options.c - see options.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/options.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    CONNS_MAX = 1 << 20,
    SIZE_MAX_BYTES = 1 << 20,
    DEPTH_MAX = 1024,
    ROUND_MAX = 1 << 24,      /* bytes of depth messages */
    HEAVY_SIZE = 4096,        /* a server takes a heavy message at once */
    CONNS_AN_ADDRESS = 20000, /* there are 28,000 ports by default */
    ADDRESSES_MAX = 254,
    FDS_BESIDE = 64,
    ECHO = 1,
    HTTP = 2,
};

static const char usage[] =
    "usage: load echo|http ADDRESS [--json] [--conns N] [--addresses K]\n"
    "    [--seconds S] [--warmup S] [--size BYTES] [--depth N] [--rate R]\n"
    "    [--think MS] [--churn N] [--slow N] [--idle N] [--heavy SHARE]\n"
    "    [--timeout S] [--pid PID] [--no-syscalls] [--same]\n";

__attribute__((noreturn, format(printf, 1, 2))) static void refuse(
    const char *format, ...)
{
    va_list args;

    fputs("load: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n%s", usage);
    exit(2);
}

enum kind { COUNT, SHARE, SECONDS, MILLISECONDS, PROCESS };

struct option {
    const char *name;
    enum kind kind;
    void *value;
    double min, max;
};

/* Takes text for the option's value. */
static void set(const struct option *o, const char *text)
{
    char *end;
    double n = strtod(text, &end);

    if (end == text || *end != '\0' || !(n >= o->min && n <= o->max))
        refuse("%s is a number from %g to %g, not '%s'", o->name, o->min,
               o->max, text);
    if ((o->kind == COUNT || o->kind == PROCESS) && n != (double)(long)n)
        refuse("%s is a whole number, not '%s'", o->name, text);
    switch (o->kind) {
    case COUNT:
        *(unsigned *)o->value = (unsigned)n;
        break;
    case SHARE:
        *(double *)o->value = n;
        break;
    case SECONDS:
        *(int64_t *)o->value = (int64_t)(n * 1e9);
        break;
    case MILLISECONDS:
        *(int64_t *)o->value = (int64_t)(n * 1e6);
        break;
    case PROCESS:
        *(pid_t *)o->value = (pid_t)n;
    }
}

static void read_address(struct sockaddr_in *addr, const char *text)
{
    char host[16], more;
    unsigned port;

    addr->sin_family = AF_INET;
    if (sscanf(text, "%15[0-9.]:%5u%c", host, &port, &more) != 2 ||
        inet_pton(AF_INET, host, &addr->sin_addr) != 1 || port == 0 ||
        port > 65535)
        refuse("the server's address is as 127.0.0.1:7000, not '%s'", text);
    addr->sin_port = htons((uint16_t)port);
}

static void read_words(struct options *o, const struct option *table,
                       size_t count, int argc, char **argv)
{
    int words = 0;

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (strcmp(argv[i], "--no-syscalls") == 0) {
            o->no_syscalls = true;
            continue;
        }
        if (strcmp(argv[i], "--same") == 0) {
            o->same = true;
            continue;
        }
        while (k < count && strcmp(argv[i], table[k].name) != 0)
            k++;
        if (k < count && i + 1 < argc)
            set(&table[k], argv[++i]);
        else if (k < count)
            refuse("%s needs a value", argv[i]);
        else if (words == 0 && strcmp(argv[i], "echo") == 0)
            words = ECHO;
        else if (words == 0 && strcmp(argv[i], "http") == 0)
            words = HTTP;
        else if (words > 0 && o->addr.sin_family == 0)
            read_address(&o->addr, argv[i]);
        else
            refuse("'%s' is not understood", argv[i]);
    }
    if (o->addr.sin_family == 0)
        refuse("echo or http, and the server's address, are needed");
    o->http = words == HTTP;
}

/* What does not go together. */
static void check(struct options *o)
{
    unsigned all = o->conns + o->slow + o->idle;
    bool loopback = ntohl(o->addr.sin_addr.s_addr) >> 24 == 127;
    struct rlimit limit;

    if (!o->http && (uint64_t)o->size * o->depth > ROUND_MAX)
        refuse("--size times --depth is %d at most", ROUND_MAX);
    if (!o->http && o->heavy > 0 && (o->depth > 1 || o->size > HEAVY_SIZE))
        refuse("heavy echo messages come one at a time, of %d bytes at most",
               HEAVY_SIZE);
    if (o->rate > 0 && o->think > 0)
        refuse("--think is for the closed loop, --rate for the open one");
    if (o->addresses == 0 && loopback)
        o->addresses = (all + CONNS_AN_ADDRESS - 1) / CONNS_AN_ADDRESS;
    else if (o->addresses > 1 && !loopback)
        refuse("--addresses is for servers at 127.0.0.0/8");
    /* As many as may be had. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
            limit.rlim_cur < all + FDS_BESIDE)
            refuse("%u connections are too many: `ulimit -Hn` is %llu", all,
                   (unsigned long long)limit.rlim_cur);
    }
}

void options_read(struct options *o, int argc, char **argv)
{
    const struct option table[] = {
        { "--conns", COUNT, &o->conns, 1, CONNS_MAX },
        { "--addresses", COUNT, &o->addresses, 1, ADDRESSES_MAX },
        { "--size", COUNT, &o->size, 1, SIZE_MAX_BYTES },
        { "--depth", COUNT, &o->depth, 1, DEPTH_MAX },
        { "--churn", COUNT, &o->churn, 0, UINT32_MAX },
        { "--slow", COUNT, &o->slow, 0, CONNS_MAX },
        { "--idle", COUNT, &o->idle, 0, CONNS_MAX },
        { "--rate", SHARE, &o->rate, 0.001, 1e9 },
        { "--heavy", SHARE, &o->heavy, 0, 1 },
        { "--think", MILLISECONDS, &o->think, 0, 1e6 },
        { "--seconds", SECONDS, &o->duration, 0.001, 1e6 },
        { "--warmup", SECONDS, &o->warmup, 0, 1e6 },
        { "--timeout", SECONDS, &o->timeout, 0.001, 1e6 },
        { "--pid", PROCESS, &o->pid, 1, INT32_MAX },
    };

    *o = (struct options){
        .conns = 64,
        .size = 64,
        .depth = 1,
        .warmup = INT64_C(200000000),
        .duration = INT64_C(2000000000),
        .timeout = INT64_C(10000000000),
    };
    read_words(o, table, sizeof table / sizeof table[0], argc, argv);
    o->heavy_step = (uint64_t)(o->heavy * 4294967296.0);
    check(o);
}
