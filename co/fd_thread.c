/* fd_thread.c - see fd_thread.h.
 *
 * The eventfd lives as long as its thread.  A ticket that somebody else has
 * claimed is not given up before their write was read, so that no write can
 * come after its thread is gone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd_thread.h"
#include "co/clock.h"
#include "co/fd_word.h"
#include "co/sys.h"
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct co_waitq threads;  /* links; data is the number + 1 */
static _Thread_local int own_fd; /* + 1; 0: none yet */
static atomic_uint key_made;     /* the key + 1 */

static void close_own(void *value)
{
    (void)value;
    (void)sys.close(own_fd - 1);
    own_fd = 0;
}

/* Not by pthread_once(), which would keep a failure for ever.  Of two threads
 * that come at once one has made a key too many. */
static int make_key(pthread_key_t *key)
{
    unsigned made = atomic_load(&key_made);

    if (made == 0) {
        if (pthread_key_create(key, close_own) != 0) {
            errno = ENOMEM; /* EAGAIN, for no key is left, means other things */
            return -1;
        }
        if (atomic_compare_exchange_strong(&key_made, &made, *key + 1))
            return 0;
        (void)pthread_key_delete(*key);
    }
    *key = made - 1;
    return 0;
}

int fd_thread_open(struct wait *w)
{
    if (own_fd == 0) {
        pthread_key_t key;
        int fd, err;

        if (make_key(&key) < 0)
            return -1;
        fd = sys.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fd < 0)
            return -1;
        if ((err = pthread_setspecific(key, &own_fd)) != 0) {
            (void)sys.close(fd);
            errno = err;
            return -1;
        }
        own_fd = fd + 1;
    }
    w->thread_fd = own_fd - 1;
    return 0;
}

void fd_thread_forsake(void)
{
    threads = (struct co_waitq){ 0 };
    if (own_fd != 0)
        (void)sys.close(own_fd - 1);
    own_fd = 0;
}

void fd_thread_add(struct wait_link *l, int fd)
{
    l->data = (void *)(intptr_t)(fd + 1);
    waitq_lock(&threads);
    waitq_push(&threads, l);
    waitq_unlock(&threads);
}

void fd_thread_remove(struct wait_link *l) { wait_close(&threads, l); }

void fd_thread_fire(int fd, int why)
{
    struct wait_link *l, *next;

    waitq_lock(&threads);
    for (l = threads.head; l != NULL; l = next) {
        struct wait *w = l->wait;

        next = l->next;
        if (l->data != (void *)(intptr_t)(fd + 1))
            continue;
        waitq_remove(&threads, l);
        if (w->shared) {
            if (!wait_claim(w, why))
                continue;
        } else {
            w->why = why;
        }
        w->fired = l;
        wait_wake(w);
    }
    waitq_unlock(&threads);
}

int fd_thread_watch(int fd, uint32_t gen, struct wait_link *l)
{
    fd_word *w = fd_word_make(fd);
    uint64_t word;

    if (w == NULL)
        return -1;
    fd_thread_add(l, fd);
    word = atomic_load(w);
    if (fd_word_gen(word) == gen && fd_word_announce(w, word, FD_WORD_THREADS))
        return 0;
    /* Closed, or being closed; somebody may have fired l for it already, and
     * that wake must be taken, so the caller parks in any case. */
    wait_expire(l->wait, EBADF);
    return 0;
}

static bool any_ready(const struct pollfd *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (fds[i].revents != 0)
            return true;
    return false;
}

int fd_thread_park(struct wait *w, struct pollfd *fds, unsigned n)
{
    struct timespec left, *timeout;
    uint64_t count;

    fds[0] = (struct pollfd){ .fd = w->thread_fd, .events = POLLIN };
    for (;;) {
        timeout = NULL;
        if (w->deadline != CO_FOREVER) {
            int64_t ns = w->deadline - clock_now();

            left = clock_timespec(ns > 0 ? ns : 0);
            timeout = &left;
        }
        if (sys.ppoll(fds, n + 1, timeout, NULL) < 0 && errno != EINTR)
            wait_expire(w, errno); /* ENOMEM */
        else if (fds[0].revents != 0 &&
                 sys.read(w->thread_fd, &count, sizeof count) > 0)
            break;
        else if (any_ready(fds + 1, n))
            wait_expire(w, 0);
        else if (w->deadline == CO_FOREVER || clock_now() < w->deadline)
            continue;
        else
            wait_expire(w, ETIMEDOUT);
        /* By whomever it was claimed, a write follows. */
        n = 0;
        w->deadline = CO_FOREVER;
    }
    if (w->why == 0)
        return 0;
    errno = w->why;
    return -1;
}
