/* demo.c - a page that shows the runtime at work: its own counters, live, and
 * two buttons that make them move.
 *
 *     demo [ADDRESS [FOLDER]]   127.0.0.1:8000 and examples/demo unless given
 *
 * The numbers come over one long answer to each browser (server-sent events):
 * a handler that sleeps, looks and writes, in a loop.
 *
 * Open: 127.0.0.1:8000
 *
 * SPDX-License-Identifier: MIT
 */
#include "examples/demo_clients.h"
#include "net/http_debug.h"
#include "net/http_files.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>

enum { VIEWERS_MAX = 100, SCHEDULERS_SHOWN = 16, EVENT_MAX = 8 * 1024 };

#define EVENT_EVERY (250 * CO_MSEC)

static struct crowd idlers = { .run = crowd_run_idle };
static struct crowd load = { .run = crowd_run_load };

/* ---- What there is to see --------------------------------------------------
 */

struct sample {
    int64_t at;
    int64_t resident; /* bytes */
    int64_t cpu;      /* ns */
    struct http_stats http;
    struct co_stats all, each[SCHEDULERS_SHOWN];
    unsigned schedulers;
    uint64_t clients[HTTP_TIMES]; /* answers, as the load's clients see them */
};

static int64_t resident(void)
{
    char buf[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);
    long pages = 0;

    if (fd >= 0)
        (void)close(fd);
    buf[n < 0 ? 0 : n] = '\0';
    if (sscanf(buf, "%*d %ld", &pages) != 1)
        return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t cpu_time(void)
{
    struct rusage use = { 0 };

    (void)getrusage(RUSAGE_SELF, &use);
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * CO_SECOND +
           (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * CO_USEC;
}

static void take(struct http_request *req, struct sample *s)
{
    struct co_sched *sched;

    memset(s, 0, sizeof *s);
    s->at = co_now();
    s->resident = resident();
    s->cpu = cpu_time();
    http_stats(req, &s->http);
    co_stats(NULL, &s->all);
    for (unsigned i = 0; (sched = co_sched_at(i)) != NULL; i++) {
        if (i < SCHEDULERS_SHOWN)
            co_stats(sched, &s->each[i]);
        s->schedulers++;
    }
    for (unsigned i = 0; i < CROWD_LOAD; i++)
        for (unsigned k = 0; k < HTTP_TIMES; k++)
            s->clients[k] +=
                atomic_load_explicit(&crowd_times[i][k], memory_order_relaxed);
}

/* ---- Memory per connection -------------------------------------------------
 *
 * How much the process has grown while the crowd was opened.  Stacks stay warm
 * for the next ones, so only coroutines beyond the most that ever lived are
 * new, and pay. */

static struct {
    struct co_mutex lock;
    uint64_t most;      /* that lived */
    uint64_t most_then; /* when the button was pressed, */
    int64_t resident;   /* and how large the process was */
    int64_t each;       /* the last figure; 0 before the first */
    bool alone;         /* nothing else has grown it since */
} memory;

static void memory_begins(void)
{
    struct co_stats s;

    co_stats(NULL, &s);
    co_mutex_lock(&memory.lock);
    if (s.living > memory.most)
        memory.most = s.living;
    memory.most_then = memory.most;
    memory.resident = resident();
    memory.alone = true;
    co_mutex_unlock(&memory.lock);
}

static int64_t memory_each(const struct sample *s)
{
    int64_t each, fresh;

    co_mutex_lock(&memory.lock);
    if (s->all.living > memory.most)
        memory.most = s->all.living;
    fresh = (int64_t)(s->all.living - memory.most_then);
    memory.alone &= atomic_load(&load.state) == CROWD_OFF;
    if (memory.alone && atomic_load(&idlers.state) == CROWD_ON &&
        fresh >= 200 && s->resident > memory.resident)
        memory.each = (s->resident - memory.resident) / fresh;
    each = memory.each;
    co_mutex_unlock(&memory.lock);
    return each;
}

/* ---- Server-sent events ----------------------------------------------------
 */

struct text {
    char buf[EVENT_MAX];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t,
                                                      const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->buf + t->len, sizeof t->buf - t->len, format, args);
    va_end(args);
    if (n > 0 && t->len + (size_t)n < sizeof t->buf)
        t->len += (size_t)n;
}

/* Pairs of an interval's number and how many fell into it since. */
static void put_times(struct text *t, const char *name, const uint64_t *before,
                      const uint64_t *now)
{
    const char *comma = "";

    put(t, ",\"%s\":[", name);
    for (unsigned i = 0; i < HTTP_TIMES; i++)
        if (now[i] > before[i]) {
            put(t, "%s[%u,%" PRIu64 "]", comma, i, now[i] - before[i]);
            comma = ",";
        }
    put(t, "]");
}

static void put_crowd(struct text *t, const char *name, struct crowd *c)
{
    static const char *const states[] = { "off", "starting", "on", "ending" };
    int state = atomic_load(&c->state);
    const char *note = atomic_load(&c->note);
    int64_t left = state == CROWD_ON ? atomic_load(&c->until) - co_now() : 0;

    put(t,
        ",\"%s\":{\"state\":\"%s\",\"count\":%u,\"left\":%.2f,\"note\":\"%s\"}",
        name, states[state], atomic_load(&c->count),
        left > 0 ? (double)left / 1e9 : 0, note == NULL ? "" : note);
}

static void put_sample(struct text *t, const struct sample *b,
                       const struct sample *s)
{
    double seconds = (double)(s->at - b->at) / 1e9;

    put(t, "data: {\"seconds\":%.4f", seconds);
    put(t, ",\"requests\":%" PRIu64 ",\"asked\":%" PRIu64, s->http.requests,
        s->http.requests - b->http.requests);
    put(t, ",\"conns\":%" PRIu64 ",\"idle\":%" PRIu64, s->http.conns,
        s->http.idle);
    put(t, ",\"coroutines\":%" PRIu64 ",\"spawned\":%" PRIu64, s->all.living,
        s->all.spawned);
    put(t, ",\"switches\":%" PRIu64 ",\"polls\":%" PRIu64,
        s->all.switches - b->all.switches, s->all.polls - b->all.polls);
    put(t, ",\"turned\":%" PRIu64 ",\"stacks\":%" PRIu64, s->http.turned_away,
        s->all.stack_bytes);
    put(t, ",\"resident\":%" PRId64 ",\"each\":%" PRId64 ",\"cpu\":%.4f",
        s->resident, memory_each(s), (double)(s->cpu - b->cpu) / 1e9);
    put(t, ",\"schedulers\":[");
    for (unsigned i = 0; i < s->schedulers && i < SCHEDULERS_SHOWN; i++)
        put(t, "%s[%" PRIu64 ",%" PRIu64 "]", i == 0 ? "" : ",",
            s->each[i].living, s->each[i].switches - b->each[i].switches);
    put(t, "]");
    put_times(t, "server", b->http.times, s->http.times);
    put_times(t, "clients", b->clients, s->clients);
    put_crowd(t, "idlers", &idlers);
    put_crowd(t, "load", &load);
    put(t, "}\n\n");
}

/* What stays as it is. */
static void put_begin(struct text *t, const struct sample *s)
{
    put(t, "event: begin\ndata: {\"version\":\"%s\",\"schedulers\":%u",
        co_version(), s->schedulers);
    put(t, ",\"every\":%g,\"times\":[", (double)EVENT_EVERY / 1e9);
    for (unsigned i = 0; i < HTTP_TIMES - 1; i++)
        put(t, "%s%" PRId64, i == 0 ? "" : ",", http_stats_time(i));
    put(t, "]}\n\n");
}

struct viewer { /* what one needs; of the request, since stacks stay small */
    struct sample before, now;
    struct text text;
};

static void tell_events(struct http_request *req, struct http_response *res,
                        struct viewer *v)
{
    int64_t next = co_now();

    v->text.len = 0;
    take(req, &v->before);
    put_begin(&v->text, &v->before);
    v->now = v->before;
    do {
        put_sample(&v->text, &v->before, &v->now);
        if (http_write(res, v->text.buf, v->text.len) < 0)
            return;
        v->before = v->now;
        v->text.len = 0;
        next += EVENT_EVERY;
        if (next < co_now())
            next = co_now();
        if (co_sleep_until(next) < 0)
            return;
        take(req, &v->now);
    } while (true);
}

static int events(struct http_request *req, struct http_response *res)
{
    static atomic_uint viewers;
    struct viewer *v = http_alloc(req, sizeof *v);
    int status = 503;

    if (atomic_fetch_add(&viewers, 1) < VIEWERS_MAX && v != NULL &&
        http_set_header(res, "Content-Type", "text/event-stream") == 0 &&
        http_set_header(res, "Cache-Control", "no-store") == 0 &&
        http_stream(res, 200) == 0) {
        status = 200;
        if (strcmp(req->method, "HEAD") != 0)
            tell_events(req, res, v);
    }
    atomic_fetch_sub(&viewers, 1);
    return status;
}

/* ---- The other routes ------------------------------------------------------
 */

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    http_text(res, CROWD_GREETING);
    return 200;
}

/* For who has no script. */
static int as_text(struct http_request *req, struct http_response *res)
{
    struct sample s;
    char most[32] = "more than 10 s";
    int64_t ns;

    take(req, &s);
    ns = http_stats_quantile(&s.http, 0.99);
    if (ns < CO_FOREVER) /* else there were more pages than other requests */
        (void)snprintf(most, sizeof most, "%.1f us", (double)ns / 1e3);
    http_set_header(res, "Cache-Control", "no-store");
    http_printf(res,
                "coroutines            %" PRIu64 "\n"
                "switches              %" PRIu64 "\n"
                "requests              %" PRIu64 "\n"
                "connections           %" PRIu64 ", %" PRIu64 " idle\n"
                "99 %% answered within  %s, since the start\n"
                "memory                %.1f MB\n",
                s.all.living, s.all.switches, s.http.requests, s.http.conns,
                s.http.idle, most, (double)s.resident / 1e6);
    return 200;
}

/* A browser without a script comes back to the page. */
static int pressed(struct http_request *req, struct http_response *res)
{
    struct crowd *c = strcmp(req->path, "/idle") == 0 ? &idlers : &load;

    if (c == &idlers && atomic_load(&c->state) == CROWD_OFF)
        memory_begins();
    crowd_press(c);
    if (http_header(req, "X-Script") != NULL)
        return 204;
    http_set_header(res, "Location", "/");
    http_text(res, "done\n");
    return 303;
}

/* ---- Start -----------------------------------------------------------------
 */

struct site {
    const char *addr, *folder;
    bool failed;
};

static int serve(struct net_listener *l, struct http_files *files)
{
    const struct http_route routes[] = {
        { "GET", "/hello", hello, NULL, 0 },
        { "GET", "/events", events, NULL, 0 },
        { "GET", "/now", as_text, NULL, 0 },
        { "POST", "/idle", pressed, NULL, 0 },
        { "POST", "/load", pressed, NULL, 0 },
        HTTP_DEBUG_ROUTES,
        { "GET", "/*", http_files, files, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes,
                                  .idle_timeout = 2 * CROWD_IDLE_TIME };
    char addr[NET_ADDR_MAX];

    net_listener_addr(l, addr, sizeof addr);
    idlers.addr = load.addr = addr;
    printf("listening on %s\n", addr);
    (void)fflush(stdout);
    return http_serve(l, &config);
}

static void root(void *arg)
{
    struct site *site = arg;
    struct net_listen_options options = { .grace = CO_SECOND };
    struct http_files *files =
        http_files_open(&(struct http_files_config){ .root = site->folder });
    struct net_listener *l = NULL;

    site->failed = true;
    if (files == NULL)
        perror(site->folder);
    else if ((l = net_listen(site->addr, &options)) == NULL && errno == EINVAL)
        fprintf(stderr, "demo: '%s' is no address as 127.0.0.1:8000 is one\n",
                site->addr);
    else if (l == NULL || serve(l, files) < 0)
        perror(site->addr);
    else
        site->failed = false;
    http_files_close(files);
}

/* Each idle connection takes two: both ends are here. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct site site = { .addr = argc > 1 ? argv[1] : "127.0.0.1:8000",
                         .folder = argc > 2 ? argv[2] : "examples/demo" };

    allow_descriptors();
    return co_run(root, &site, NULL) < 0 || site.failed;
}
