/* later.c - somebody who pauses, and then does one thing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <pthread.h>

struct task {
    void (*fn)(struct task *t);
    int fd;
    int how;
    size_t n;
    const char *text;
    pthread_t thread;
    void (*any)(void *arg);
    void *arg;
};

static struct task *task_new(void (*fn)(struct task *t), int fd)
{
    struct task *t = calloc(1, sizeof *t);

    NEED(t != NULL);
    t->fn = fn;
    t->fd = fd;
    return t;
}

static void task_main(void *arg)
{
    struct task *t = arg;

    pause_ms(PAUSE_MS);
    t->fn(t);
    free(t);
}

static void do_any(struct task *t) { t->any(t->arg); }

void later(void (*fn)(void *arg), void *arg)
{
    struct task *t = task_new(do_any, -1);

    t->any = fn;
    t->arg = arg;
    actor_start(task_main, t);
}

static void do_writes(struct task *t)
{
    size_t len = strlen(t->text);

    for (size_t i = 0; i < t->n; i++) {
        if (i > 0)
            pause_ms(PAUSE_MS);
        NEED(write(t->fd, t->text, len) == (ssize_t)len);
    }
}

void later_writes(int fd, const char *text, int times)
{
    struct task *t = task_new(do_writes, fd);

    t->text = text;
    t->n = (size_t)times;
    actor_start(task_main, t);
}

void later_write(int fd, const char *text) { later_writes(fd, text, 1); }

static void do_read(struct task *t)
{
    char *buf = malloc(65536);

    NEED(buf != NULL);
    while (t->n > 0) {
        ssize_t r = read(t->fd, buf, t->n < 65536 ? t->n : 65536);

        NEED(r >= 0);
        if (r == 0)
            break;
        t->n -= (size_t)r;
    }
    free(buf);
}

void later_read(int fd, size_t bytes)
{
    struct task *t = task_new(do_read, fd);

    t->n = bytes;
    actor_start(task_main, t);
}

static void do_close(struct task *t) { NEED(close(t->fd) == 0); }

void later_close(int fd) { actor_start(task_main, task_new(do_close, fd)); }

static void do_shutdown(struct task *t) { NEED(shutdown(t->fd, t->how) == 0); }

void later_shutdown(int fd, int how)
{
    struct task *t = task_new(do_shutdown, fd);

    t->how = how;
    actor_start(task_main, t);
}

static void do_connect(struct task *t) { (void)kit_connect(t->fd); }

void later_connect(int listener)
{
    actor_start(task_main, task_new(do_connect, listener));
}

static void do_accept(struct task *t) { NEED(accept(t->fd, NULL, NULL) >= 0); }

void later_accept(int listener)
{
    actor_start(task_main, task_new(do_accept, listener));
}

static void do_signal(struct task *t)
{
    NEED(pthread_kill(t->thread, t->how) == 0);
}

void later_signal(int sig)
{
    struct task *t = task_new(do_signal, -1);

    t->how = sig;
    t->thread = pthread_self();
    actor_start(task_main, t);
}
