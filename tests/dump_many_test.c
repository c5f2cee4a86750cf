/* dump_many_test.c - reports of many coroutines: groups, JSON, while they come
 * and go, through a pipe that another one reads, from several threads at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/embed.h"
#include "tests/dump_kit.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { SCHEDULERS = 3, THREADS = 2, WILD = 20 };

static struct co_sem never;
static atomic_bool stop;

static void park(void *arg)
{
    (void)arg;
    CHECK(co_sem_wait(&never, CO_FOREVER) == -1); /* cancelled at the end */
}

/* ---- Groups -----------------------------------------------------------------
 */

static struct co_mutex held;

static void park_at_mutex(void *arg)
{
    (void)arg;
    co_mutex_lock(&held);
    co_mutex_unlock(&held);
}

static void spawn_many(long n, co_fn *fn)
{
    for (long i = 0; i < n; i++)
        CHECK_EQ(co_go(fn, NULL), 0);
}

/* "3,000", as reports write it. */
static const char *commas(long n, char *to, size_t size)
{
    if (n < 1000)
        (void)snprintf(to, size, "%ld", n);
    else
        (void)snprintf(to, size, "%ld,%03ld", n / 1000, n % 1000);
    return to;
}

static void root_groups(void *arg)
{
    long n = test_count(30000);
    char number[32], words[160], *text, *line;

    (void)arg;
    never = (struct co_sem){ 0 };
    held = (struct co_mutex){ 0 };
    spawn_many(n, park);
    co_mutex_lock(&held);
    spawn_many(7, park_at_mutex);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    text = dump_text_of(co_dump_grouped);
    co_mutex_unlock(&held);
    (void)snprintf(words, sizeof words, "\n%s in ",
                   commas(n, number, sizeof number));
    CHECK(strstr(text, words) != NULL); /* all of them, in one group */
    CHECK((line = dump_line(text, words + 1)) != NULL);
    CHECK(strstr(line, ", the longest for ") != NULL);
    CHECK(strstr(text, words) < strstr(text, "\n7 in ")); /* the most first */
    CHECK(strstr(text, ": mutex 0x") != NULL);
    CHECK(strstr(text, " held by 1 \"root\"") != NULL);
    if (dump_has_lines(text)) {
        CHECK(strstr(line, "in co_sem_wait < dump_many_test.c:") != NULL);
        CHECK(strstr(text, "in co_mutex_lock < dump_many_test.c:") != NULL);
    }
    free(line);
    free(text);
}

static void groups(void)
{
    CHECK_EQ(co_run(root_groups, NULL, &(struct co_config){ .schedulers = 1 }),
             0);
}

/* ---- Names ------------------------------------------------------------------
 */

static const char *const nasty[] = {
    "quote\"back\\slash",
    "line\nfeed\ttab\001",
    "no utf-8 \xff\xc3(\xed\xa0\x80\xf8",
    "utf-8 \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
    "half of a character \xe2\x82",
    "longer than what reports keep, to be cut off"
};

enum { NASTY = sizeof nasty / sizeof nasty[0] };

static const char script[] =
    "python3 -c '\n"
    "import json, sys\n"
    "rows = [json.loads(l.decode()) for l in sys.stdin.buffer]\n"
    "stats = [r for r in rows if \"stats\" in r]\n"
    "all = [r for r in rows if \"id\" in r]\n"
    "names = [r[\"name\"] for r in all]\n"
    "assert len(stats) == 1 and len(stats) + len(all) == len(rows)\n"
    "assert stats[0][\"stats\"][\"living\"] == len(all), rows\n"
    "assert \"quote\\\"back\\\\slash\" in names, names\n"
    "assert \"line\\nfeed\\ttab\\1\" in names, names\n"
    "assert \"utf-8 \\u00e4\\u20ac\\U0001f600\" in names, names\n"
    "assert sum(n.startswith(\"no utf-8 \") for n in names) == 1, names\n"
    "waits = [r[\"wait\"][\"kind\"] for r in all if r[\"state\"] == "
    "\"waiting\"]\n"
    "assert waits.count(\"semaphore\") == len(all) - 1, waits\n"
    "assert all[1][\"spawned\"][\"file\"] == \"dump_many_test.c\", all[1]\n"
    "assert all[1][\"waited_ns\"] >= 0 and all[1][\"stack\"][\"depth\"] > 0\n"
    "'";

static void root_json(void *arg)
{
    char **text = arg;
    /* A name may be gone: here it lies in a page that is. */
    char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct co *co;

    CHECK(gone != MAP_FAILED);
    never = (struct co_sem){ 0 };
    for (int i = 0; i <= NASTY; i++) {
        struct co_attr attr = { .name = i < NASTY ? nasty[i] : gone };

        CHECK((co = co_spawn(park, NULL, &attr)) != NULL);
        co_detach(co);
    }
    CHECK_EQ(munmap(gone, 4096), 0);
    co_yield_now();
    *text = dump_text_of(co_dump);
    CHECK(strstr(*text, "\"no utf-8 ") != NULL);
    CHECK(strstr(*text, "line?feed?tab?") != NULL);
    free(*text);
    *text = dump_text_of(co_dump_json);
}

static void json(void)
{
    char *text;
    FILE *f;

    CHECK_EQ(co_run(root_json, &text, &(struct co_config){ .schedulers = 1 }),
             0);
    CHECK((f = popen(script, "w")) != NULL);
    CHECK_EQ(fputs(text, f) < 0, 0);
    CHECK_EQ(pclose(f), 0);
    free(text);
}

/* ---- A pipe that another coroutine of the same scheduler reads --------------
 */

static struct {
    int fds[2];
    size_t read;
    long lines;
} piped;

static void reader(void *arg)
{
    char buf[1000];
    ssize_t n;

    (void)arg;
    while ((n = co_read(piped.fds[0], buf, sizeof buf, CO_FOREVER)) > 0) {
        piped.read += (size_t)n;
        for (ssize_t i = 0; i < n; i++)
            piped.lines += buf[i] == '\n';
    }
    CHECK_EQ(n, 0);
}

static void root_pipe(void *arg)
{
    long n = test_count(20000);
    struct co *co;

    (void)arg;
    never = (struct co_sem){ 0 };
    piped.read = 0;
    piped.lines = 0;
    CHECK_EQ(pipe2(piped.fds, O_CLOEXEC), 0);
    CHECK((co = co_spawn(reader, NULL, NULL)) != NULL);
    spawn_many(n, park);
    co_yield_now();
    CHECK_EQ(co_dump(piped.fds[1]), 0);
    CHECK_EQ(co_close(piped.fds[1]), 0);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
    CHECK(piped.lines >= n + 4); /* the root, the reader, two of the head */
    CHECK(piped.read > (size_t)n * 100);
    CHECK_EQ(co_close(piped.fds[0]), 0);
}

static void through_a_pipe(void)
{
    CHECK_EQ(co_run(root_pipe, NULL, &(struct co_config){ .schedulers = 1 }),
             0);
}

/* ---- While they come and go -------------------------------------------------
 */

static void brief(void *arg)
{
    struct co_chan *ch = arg;
    int e = 0;

    (void)co_chan_send(ch, &e, co_after(CO_MSEC));
    (void)co_chan_recv(ch, &e, CO_NOWAIT);
}

/* The channel is freed as soon as the last one is done with it. */
static void wild(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        struct co_chan *ch = co_chan_new(sizeof(int), 1);
        struct co *all[3];

        CHECK(ch != NULL);
        for (int i = 0; i < 3; i++) {
            char name[] = "of the stack";
            struct co_attr attr = { .name = i == 0 ? name : "wild",
                                    .on = i == 2 ? CO_ANY : NULL };

            CHECK((all[i] = co_spawn(brief, ch, &attr)) != NULL);
        }
        for (int i = 0; i < 3; i++)
            CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
        co_chan_free(ch);
    }
}

static void *dumper(void *arg)
{
    dump_fn *const forms[] = { co_dump, co_dump_json, co_dump_grouped };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)arg;
    CHECK(null >= 0);
    for (long i = test_count(50) + 3; i > 0; i--) {
        struct co_stats s;

        CHECK_EQ(forms[i % 3](null), 0);
        co_stats(NULL, &s);
        co_stats(co_sched_at(i % SCHEDULERS), &s);
    }
    CHECK_EQ(close(null), 0);
    return NULL;
}

static void dump_in_coroutine(void *arg) { (void)dumper(arg); }

static void while_busy(void)
{
    struct co_config config = { .schedulers = SCHEDULERS };
    pthread_t threads[THREADS];
    struct co *all[WILD], *inside;

    atomic_store(&stop, false);
    CHECK_EQ(co_start(&config), 0);
    for (int i = 0; i < WILD; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % SCHEDULERS) };

        CHECK((all[i] = co_spawn(wild, NULL, &attr)) != NULL);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, dumper, NULL), 0);
    CHECK((inside = co_spawn(dump_in_coroutine, NULL, NULL)) != NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(co_join(inside, CO_FOREVER), 0);
    atomic_store(&stop, true);
    for (int i = 0; i < WILD; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
    CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
}

/* Somebody looks while the runtime starts and stops. */
static void *look(void *arg)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)arg;
    while (!atomic_load(&stop))
        CHECK_EQ(co_dump_grouped(null), 0);
    CHECK_EQ(close(null), 0);
    return NULL;
}

static void while_starting(void)
{
    struct co_config config = { .schedulers = 2 };
    pthread_t thread;

    atomic_store(&stop, false);
    CHECK_EQ(pthread_create(&thread, NULL, look, NULL), 0);
    for (long i = test_count(100) + 3; i > 0; i--) {
        CHECK_EQ(co_start(&config), 0);
        CHECK_EQ(co_go(park, NULL), 0);
        CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
    }
    atomic_store(&stop, true);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* The host's thread answers for its scheduler itself, between two steps. */
static void embedded(void)
{
    struct co_sched *s = co_embed_open(NULL);
    char *text;

    CHECK(s != NULL);
    never = (struct co_sem){ 0 };
    CHECK_EQ(co_go(park, NULL), 0);
    CHECK_EQ(co_embed_step(s), 1);
    text = dump_text_of(co_dump);
    CHECK(strstr(text, "stuck") == NULL);
    CHECK(strstr(text, "semaphore 0x") != NULL);
    free(text);
    CHECK_EQ(co_embed_close(s), 0);
}

int main(void)
{
    RUN(groups);
    RUN(json);
    RUN(through_a_pipe);
    RUN(while_busy);
    RUN(while_starting);
    RUN(embedded);
    return 0;
}
