/* dump.c - writes what all coroutines are doing; see dump.h.
 *
 * The work is done by a plain thread: the caller's, or, when that is a
 * scheduler, one that is made for it.  So the caller's scheduler answers like
 * any other, while the caller waits; and looking up names, which reads files,
 * holds nobody up.  The text is written in pieces by the caller: what he writes
 * to may be read by another coroutine of the same scheduler.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include "co/inside.h"
#include "co/sys.h"
#include "co/wait.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, THREAD_STACK = 1024 * 1024 };

/* ---- A thread for it --------------------------------------------------------
 */

struct aside {
    void (*fn)(struct dump *d);
    struct dump *dump;
    struct wait wait;
};

static void *aside_main(void *arg)
{
    struct aside *a = arg;

    a->fn(a->dump);
    wait_wake(&a->wait); /* a is gone then */
    return NULL;
}

/* With all signals blocked, as the program's own threads want them. */
static int start_thread(struct aside *a)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int err;

    if ((err = pthread_attr_init(&attr)) != 0)
        return err;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&thread, &attr, aside_main, a);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    return err;
}

static int run_aside(void (*fn)(struct dump *d), struct dump *d)
{
    struct aside a = { .fn = fn, .dump = d };
    int err;

    if (co_running() == NULL) {
        fn(d);
        return 0;
    }
    wait_open_sure(&a.wait, WAIT_DUMP);
    err = start_thread(&a);
    if (err != 0) {
        errno = err;
        return -1;
    }
    return wait_park(&a.wait);
}

/* ---- The next piece ---------------------------------------------------------
 */

static bool open_dump(struct dump *d)
{
    if (d->taken)
        return true;
    d->taken = true;
    if (snapshot_take(&d->shot) < 0 || (d->symbols = symbols_open()) == NULL) {
        d->err = ENOMEM;
        return false;
    }
    return true;
}

static void close_dump(struct dump *d)
{
    snapshot_free(&d->shot);
    symbols_close(d->symbols);
    text_free(&d->out);
}

/* The next record, or NULL: there is none left. */
static const struct record *next(struct dump *d)
{
    for (; d->part < d->shot.count; d->part++, d->at = 0) {
        const struct part *part = &d->shot.parts[d->part];

        while (d->at < part->count) {
            const struct record *r = &part->records[d->at++];

            if (r->state != RECORD_GONE)
                return r;
        }
    }
    return NULL;
}

/* Fills d->out with some text; the last piece sets d->done. */
static void make_piece(struct dump *d)
{
    const struct record *r;

    if (!open_dump(d)) {
        d->done = true;
        return;
    }
    while (!d->done && d->out.len < PIECE && !d->out.failed) {
        const struct dump_form *form = *d->forms;

        if (!d->begun)
            form->begin(d);
        d->begun = true;
        if ((r = next(d)) != NULL) {
            form->record(d, d->part, r);
            continue;
        }
        form->end(d);
        d->begun = false;
        d->part = 0;
        d->at = d->shown = 0;
        d->done = *++d->forms == NULL;
    }
    if (d->out.failed) {
        d->err = ENOMEM;
        d->done = true;
        if (d->begun)
            (*d->forms)->end(d); /* may hold memory */
        d->out.len = 0;
    }
}

/* ---- Writing ----------------------------------------------------------------
 */

static ssize_t write_plainly(int fd, const void *bytes, size_t len,
                             int64_t deadline)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    ssize_t n;

    (void)deadline;
    while ((n = sys.write(fd, bytes, len)) < 0) {
        if (errno == EAGAIN)
            (void)sys.poll(&p, 1, -1);
        else if (errno != EINTR)
            return -1;
    }
    return n;
}

typedef ssize_t write_fn(int fd, const void *bytes, size_t len,
                         int64_t deadline);

static int write_dump(struct dump *d, int fd, write_fn *put)
{
    size_t done = 0;

    while (done < d->out.len) {
        ssize_t n = put(fd, d->out.bytes + done, d->out.len - done, CO_FOREVER);

        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    d->out.len = 0;
    return 0;
}

static int dump(int fd, const struct dump_form *const *forms, size_t limit,
                write_fn *put)
{
    struct dump d = { .forms = forms, .limit = limit };
    int r = 0, err;

    while (r == 0 && !d.done) {
        r = run_aside(make_piece, &d);
        if (r == 0 && d.err != 0) {
            errno = d.err;
            r = -1;
        }
        if (r == 0)
            r = write_dump(&d, fd, put);
    }
    err = errno;
    close_dump(&d);
    errno = err;
    return r;
}

int dump_write(int fd, const struct dump_form *const *forms, size_t limit)
{
    return dump(fd, forms, limit, write_plainly);
}

/* ---- Public
 * --------------------------------------------------------------------- */

int co_dump(int fd)
{
    static const struct dump_form *const forms[] = { &dump_text, NULL };

    return dump(fd, forms, SIZE_MAX, co_write);
}

int co_dump_json(int fd)
{
    static const struct dump_form *const forms[] = { &dump_json, NULL };

    return dump(fd, forms, SIZE_MAX, co_write);
}

int co_dump_grouped(int fd)
{
    static const struct dump_form *const forms[] = { &dump_group, NULL };

    return dump(fd, forms, SIZE_MAX, co_write);
}
