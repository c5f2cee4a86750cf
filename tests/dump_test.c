/* dump_test.c - reports say of each kind of wait what it is; they come through
 * a pipe of the same scheduler, from threads, without a runtime, and while
 * coroutines come and go.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/dump_kit.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

/* ---- One coroutine for each kind of wait ------------------------------------
 */

static struct scene {
    struct co_chan *empty, *full, *sent;
    struct co_mutex mutex, cond_mutex;
    struct co_cond cond;
    struct co_sem sem, offloaded;
    struct co_group group;
    struct co *holder;
    int listener, pipe[2], accepted, client;
    struct sockaddr_in addr, from;
    atomic_int parked;
    atomic_bool stop;
} x;

static void park_recv(void *arg)
{
    int e;

    (void)arg;
    CHECK_EQ(co_chan_recv(x.empty, &e, CO_FOREVER), -1);
}

static void park_send(void *arg)
{
    int e = 1;

    (void)arg;
    CHECK_EQ(co_chan_send(x.full, &e, CO_FOREVER), -1);
}

static void park_select(void *arg)
{
    int e = 0;
    struct co_case cases[] = { CO_RECV(x.empty, &e), CO_SEND(x.full, &e),
                               CO_FD(x.pipe[0], CO_READ) };

    (void)arg;
    CHECK_EQ(co_select(cases, 3, CO_FOREVER), -1);
}

static void park_nil(void *arg)
{
    int e;

    (void)arg;
    CHECK_EQ(co_chan_recv(NULL, &e, CO_FOREVER), -1);
}

static void park_holder(void *arg)
{
    (void)arg;
    co_mutex_lock(&x.mutex);
    CHECK_EQ(co_sem_wait(&x.sem, CO_FOREVER), -1);
    co_mutex_unlock(&x.mutex);
}

static void park_mutex(void *arg)
{
    (void)arg;
    co_mutex_lock(&x.mutex);
    co_mutex_unlock(&x.mutex);
}

static void park_cond(void *arg)
{
    (void)arg;
    co_mutex_lock(&x.cond_mutex);
    CHECK_EQ(co_cond_wait(&x.cond, &x.cond_mutex, CO_FOREVER), -1);
    co_mutex_unlock(&x.cond_mutex);
}

static void park_group(void *arg)
{
    (void)arg;
    CHECK_EQ(co_group_wait(&x.group, CO_FOREVER), -1);
}

static void park_join(void *arg)
{
    (void)arg;
    CHECK_EQ(co_join(x.holder, CO_FOREVER), -1);
}

static void park_sleep(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sleep_until(co_after(1000 * CO_SECOND)), -1);
}

static void block(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sem_wait(&x.offloaded, CO_FOREVER), 0); /* a plain thread */
}

static void park_offload(void *arg)
{
    (void)arg;
    CHECK_EQ(co_offload(block, NULL), 0);
}

static void park_accept(void *arg)
{
    (void)arg;
    CHECK_EQ(co_accept(x.listener, NULL, NULL, CO_FOREVER), -1);
}

static void park_read(void *arg)
{
    char c;

    (void)arg;
    CHECK_EQ(co_read(x.accepted, &c, 1, co_after(500 * CO_SECOND)), -1);
}

static void park_pipe(void *arg)
{
    char c;

    (void)arg;
    (void)co_hold_cancel(true);
    CHECK_EQ(co_read(x.pipe[0], &c, 1, CO_FOREVER), 0);
}

static void stay_ready(void *arg)
{
    (void)arg;
    while (!atomic_load(&x.stop))
        co_yield_now();
}

static void spawn(co_fn *fn, const char *name)
{
    struct co *co = co_spawn(fn, NULL, &(struct co_attr){ .name = name });

    CHECK(co != NULL);
    if (fn == park_holder)
        x.holder = co;
    else
        co_detach(co);
}

static void open_sockets(void)
{
    socklen_t len = sizeof x.addr;

    x.addr.sin_family = AF_INET;
    x.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    x.listener = co_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(x.listener >= 0);
    CHECK_EQ(bind(x.listener, (void *)&x.addr, len), 0);
    CHECK_EQ(getsockname(x.listener, (void *)&x.addr, &len), 0);
    CHECK_EQ(listen(x.listener, 5), 0);
    x.client = co_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(x.client >= 0);
    CHECK_EQ(co_connect(x.client, (void *)&x.addr, len, CO_FOREVER), 0);
    len = sizeof x.from;
    x.accepted = co_accept(x.listener, (void *)&x.from, &len, CO_FOREVER);
    CHECK(x.accepted >= 0);
    CHECK_EQ(pipe2(x.pipe, O_CLOEXEC), 0);
}

static void set_scene(void)
{
    int e = 0;

    x = (struct scene){ 0 };
    CHECK((x.empty = co_chan_new(sizeof(int), 3)) != NULL);
    CHECK((x.full = co_chan_new(sizeof(int), 1)) != NULL);
    CHECK_EQ(co_chan_send(x.full, &e, CO_NOWAIT), 0);
    open_sockets();
    co_group_add(&x.group, 7);
    spawn(park_holder, "holder");
    co_yield_now();
    spawn(park_recv, "recv");
    spawn(park_send, "send");
    spawn(park_select, "select");
    spawn(park_nil, "nil");
    spawn(park_mutex, "mutex");
    spawn(park_cond, "cond");
    spawn(park_group, "group");
    spawn(park_join, "join");
    spawn(park_sleep, "sleep");
    spawn(park_offload, "offload");
    spawn(park_accept, "accept");
    spawn(park_read, "read");
    spawn(park_pipe, "pipe");
    spawn(stay_ready, "ready");
    for (int i = 0; i < 3; i++)
        co_yield_now();
}

static void clear_scene(void)
{
    atomic_store(&x.stop, true);
    co_sem_post(&x.offloaded);
    CHECK_EQ(close(x.pipe[1]), 0); /* the rest is cancelled */
}

static void says_peer(const char *text)
{
    char words[128];
    int port = ntohs(x.addr.sin_port);

    (void)snprintf(words, sizeof words,
                   "read fd %d (tcp 127.0.0.1:%d peer 127.0.0.1:%d)",
                   x.accepted, port, ntohs(x.from.sin_port));
    dump_says(text, "read", words);
    dump_says(text, "read", ", times out in ");
    (void)snprintf(words, sizeof words, "accept fd %d (tcp 127.0.0.1:%d)",
                   x.listener, port);
    dump_says(text, "accept", words);
}

static void says_mutex(const char *text)
{
    char words[128];

    (void)snprintf(words, sizeof words, " held by %llu \"holder\"",
                   (unsigned long long)co_id_of(x.holder));
    dump_says(text, "mutex", words);
    (void)snprintf(words, sizeof words, ": join %llu \"holder\"",
                   (unsigned long long)co_id_of(x.holder));
    dump_says(text, "join", words);
}

static void says_lines(const char *text)
{
    char words[128];

    dump_says(text, "recv", "in co_chan_recv < park_recv dump_test.c:");
    dump_says(text, "send", "in co_chan_send < park_send dump_test.c:");
    dump_says(text, "select", "in co_select < park_select dump_test.c:");
    dump_says(text, "holder", "in co_sem_wait < park_holder dump_test.c:");
    dump_says(text, "read", "in co_read < park_read dump_test.c:");
    dump_says(text, "ready", "in co_yield_now < stay_ready dump_test.c:");
    dump_says(text, "pipe", "in co_read < park_pipe dump_test.c:");
    (void)snprintf(words, sizeof words, "in co_dump < dump_text_of dump_kit.h");
    dump_says(text, "root", words);
}

static void root_kinds(void *arg)
{
    char *text;

    (void)arg;
    set_scene();
    text = dump_text_of(co_dump);
    if (getenv("SHOW"))
        puts(text);
    dump_says(text, "recv", "recv from channel 0x");
    dump_says(text, "recv", " (0 of 3)");
    dump_says(text, "send", "send to channel 0x");
    dump_says(text, "send", " (1 of 1)");
    dump_says(text, "select", "select of 3, 1 of them descriptors");
    dump_says(text, "nil", "a channel that is NULL");
    dump_says(text, "holder", "semaphore 0x");
    dump_says(text, "cond", "condition 0x");
    dump_says(text, "group", " (7 running)");
    dump_says(text, "sleep", ": sleep, times out in ");
    dump_says(text, "offload", ": offload");
    dump_says(text, "pipe", "(pipe:[");
    dump_says(text, "pipe", "; holds cancel off");
    dump_says(text, "ready", " ready");
    dump_says(text, "root", ": dump");
    dump_says(text, "recv", "; spawned at dump_test.c:");
    says_peer(text);
    says_mutex(text);
    if (dump_has_lines(text))
        says_lines(text);
    free(text);
    clear_scene();
}

static void kinds(void)
{
    CHECK_EQ(co_run(root_kinds, NULL, &(struct co_config){ .schedulers = 1 }),
             0);
    co_chan_free(x.empty);
    co_chan_free(x.full);
}

/* ---- Everything else --------------------------------------------------------
 */

static void down(void)
{
    char *text = dump_text_of(co_dump);
    struct co_stats s;

    CHECK(strstr(text, "not up") != NULL);
    free(text);
    text = dump_text_of(co_dump_grouped);
    CHECK(strstr(text, "not up") != NULL);
    free(text);
    text = dump_text_of(co_dump_json);
    CHECK_EQ(strcmp(text, "{\"up\":false}\n"), 0);
    free(text);
    co_stats(NULL, &s);
    CHECK_EQ(s.spawned, 0);
    errno = 0;
    CHECK_EQ(co_dump(-1), -1);
    CHECK_EQ(errno, EBADF);
}

int main(void)
{
    RUN(down);
    RUN(kinds);
    RUN(down);
    return 0;
}
