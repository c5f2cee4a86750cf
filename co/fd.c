/* fd.c - see fd.h.
 *
 * Who races.  The word of a number is changed by compare-and-swap.  To wait, a
 * scheduler first puts its bit into the word of the generation it means, and
 * only then registers with its poller.  To close, the generation moves
 * on and the closing bit is set in one step, which returns the bits of the
 * schedulers to tell.  So a waiter's bit is either seen by the closer, whose
 * post ends the wait, or comes too late and finds the closing bit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/bug.h"
#include "co/fd_thread.h"
#include "co/reserve.h"
#include "co/runq.h"
#include "co/sched_set.h"
#include "co/switch.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

typedef _Atomic(uint64_t) word_t;

#define WORD_OWN (UINT64_C(1) << 31)
#define WORD_CLOSING (UINT64_C(1) << 30)
#define WORD_THREADS (UINT64_C(1) << 29) /* plain threads wait */
#define WORD_BITS (UINT64_C(0xffffffff))

enum { SCHED_BITS = 29 };

static _Atomic(word_t *) words[FD_CHUNKS];

static uint64_t sched_bit(const struct sched *s)
{
    return UINT64_C(1) << (s->index % SCHED_BITS);
}

static inline word_t *word_find(int fd)
{
    word_t *chunk;

    if (fd < 0 || fd >= FD_CHUNKS * FD_CHUNK)
        return NULL;
    chunk = atomic_load_explicit(&words[fd / FD_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[fd % FD_CHUNK];
}

static word_t *word_make(int fd)
{
    word_t *w = word_find(fd), *none = NULL, *chunk;

    if (w != NULL)
        return w;
    if (fd < 0 || fd >= FD_CHUNKS * FD_CHUNK) {
        errno = fd < 0 ? EBADF : EMFILE;
        return NULL;
    }
    chunk = calloc(FD_CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return NULL;
    if (!atomic_compare_exchange_strong(&words[fd / FD_CHUNK], &none, chunk))
        free(chunk); /* somebody was faster */
    return word_find(fd);
}

uint32_t fd_gen(int fd)
{
    word_t *w = word_find(fd);

    return w == NULL ? 0 : (uint32_t)(atomic_load(w) >> 32);
}

bool fd_own(int fd)
{
    word_t *w = word_find(fd);

    return w != NULL &&
           (atomic_load_explicit(w, memory_order_relaxed) & WORD_OWN);
}

/* NULL when this scheduler has never waited for a number near fd. */
static inline struct fd_entry *entry_find(struct sched *s, int fd)
{
    struct fd_entry *chunk =
        atomic_load_explicit(&s->fds[fd / FD_CHUNK], memory_order_acquire);

    return chunk == NULL ? NULL : &chunk[fd % FD_CHUNK];
}

static struct fd_entry *entry_make(struct sched *s, int fd)
{
    struct fd_entry *e = entry_find(s, fd);

    if (e != NULL)
        return e;
    e = calloc(FD_CHUNK, sizeof *e);
    if (e == NULL)
        return NULL;
    atomic_store_explicit(&s->fds[fd / FD_CHUNK], e, memory_order_release);
    return entry_find(s, fd);
}

int fd_open(struct sched *s)
{
    s->fds = reserve_open(FD_CHUNKS * sizeof *s->fds);
    return s->fds == NULL ? -1 : 0;
}

void fd_close(struct sched *s)
{
    if (s->fds == NULL)
        return;
    for (int i = 0; i < FD_CHUNKS; i++)
        free(atomic_load(&s->fds[i]));
    reserve_close((void *)s->fds, FD_CHUNKS * sizeof *s->fds);
    s->fds = NULL;
}

void fd_close_all(void)
{
    for (int i = 0; i < FD_CHUNKS; i++)
        free(atomic_exchange(&words[i], NULL));
}

/* ---- An entry's waiters ---------------------------------------------------
 */

static void link_add(struct fd_entry *e, struct wait_link *l)
{
    l->next = NULL;
    l->prev = e->tail;
    if (e->tail != NULL)
        e->tail->next = l;
    else
        e->head = l;
    e->tail = l;
    l->linked = true;
}

static void link_remove(struct fd_entry *e, struct wait_link *l)
{
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        e->head = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    else
        e->tail = l->prev;
    l->linked = false;
}

static void fire(struct fd_entry *e, struct wait_link *l, uint32_t ready,
                 int why)
{
    struct wait *w = l->wait;

    link_remove(e, l);
    if (w->shared) {
        if (!wait_claim(w, why))
            return;
    } else {
        if (atomic_load_explicit(&w->claimed, memory_order_relaxed))
            return;
        atomic_store_explicit(&w->claimed, 1, memory_order_relaxed);
        w->why = why;
    }
    l->ready = ready;
    w->fired = l;
    wait_wake(w);
}

/* Forgets what e knows; whoever waits belongs to the old generation. */
static void reset(struct fd_entry *e, uint64_t word)
{
    while (e->head != NULL)
        fire(e, e->head, 0, EBADF);
    e->gen = (uint32_t)(word >> 32);
    e->own = word & WORD_OWN;
    e->watched = 0; /* the kernel dropped it with the file */
    e->drained = e->odd = e->tcp = e->parked = false;
}

void fd_closed(struct sched *s, struct fd_entry *e)
{
    uint64_t word = atomic_load(word_find(e->fd));

    (void)s;
    if (e->gen != (uint32_t)(word >> 32))
        reset(e, word);
}

/* ---- Generations ----------------------------------------------------------
 */

static void tell(int fd, uint64_t bits)
{
    unsigned count = atomic_load(&sched_set.count);
    struct sched *self = sched_self();

    for (unsigned i = 0; i < count; i++) {
        struct sched *s = sched_set.at[i];
        struct fd_entry *e;

        if (!(bits & sched_bit(s)) || (e = entry_find(s, fd)) == NULL)
            continue;
        if (s == self)
            fd_closed(s, e);
        else
            runq_post(s, &e->post, POST_CLOSED);
    }
    if (bits & WORD_THREADS)
        fd_thread_forget(fd);
}

/* Moves the generation of fd on; flags are the word's new ones. */
static void next_gen(int fd, word_t *w, uint64_t flags)
{
    uint64_t old = atomic_load(w), gen;

    do
        gen = (old >> 32) + 1;
    while (!atomic_compare_exchange_weak(w, &old, gen << 32 | flags));
    if (old & (WORD_BITS & ~(WORD_OWN | WORD_CLOSING)))
        tell(fd, old);
}

int fd_fresh(int fd)
{
    word_t *w = word_make(fd);

    if (w == NULL)
        return -1;
    next_gen(fd, w, WORD_OWN);
    return 0;
}

void fd_forget(int fd)
{
    word_t *w = word_find(fd);

    if (w != NULL)
        next_gen(fd, w, WORD_CLOSING);
}

void fd_forgotten(int fd)
{
    word_t *w = word_find(fd);

    /* When the number is fresh again already, its closing bit is gone. */
    if (w != NULL)
        atomic_fetch_and(w, ~WORD_CLOSING);
}

/* ---- Waiting ---------------------------------------------------------------
 */

static bool is_tcp(int fd)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    int err = errno;
    bool tcp = getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
               protocol == IPPROTO_TCP;

    errno = err;
    return tcp;
}

static uint64_t token_of(const struct fd_entry *e)
{
    return (uint64_t)e->gen << 32 | (uint32_t)e->fd;
}

/* A park on a registration that is only believed to stand. */
static void trust(struct sched *s, struct fd_entry *e)
{
    e->parked = true;
    if (e->unverified)
        return;
    sched_tidy_soon(s);
    e->unverified = true;
    e->unverified_next = s->unverified;
    s->unverified = e;
}

static bool others_wait(const struct fd_entry *e, uint32_t events)
{
    for (const struct wait_link *l = e->head; l != NULL; l = l->next)
        if (l->events & events)
            return true;
    return false;
}

/* Sees to it that the kernel tells us of events on e->fd.  0, or -1 with errno;
 * ENOENT: the number was closed behind our back. */
static int enlist(struct sched *s, struct fd_entry *e, uint32_t events)
{
    uint32_t want = e->watched | events | POLLER_HUP | POLLER_PRI;

    if (e->watched == 0 && (e->tcp = is_tcp(e->fd)))
        want |= POLLER_READ | POLLER_WRITE;
    /* Who finds another one waiting asks, since that one may be waiting for
     * the file that had the number before. */
    if (e->own && want == e->watched && !others_wait(e, events)) {
        trust(s, e);
        return 0;
    }
    if (poller_set(&s->poller, e->fd, want, token_of(e), e->watched != 0) < 0)
        return -1;
    s->watching = true;
    e->watched = (uint8_t)want;
    return 0;
}

/* Puts the bit of s into the word, if that is still of generation gen. */
static bool announce(word_t *w, uint64_t word, uint64_t bit)
{
    uint64_t gen = word >> 32;

    while (!(word & bit)) {
        if ((word & WORD_CLOSING) || word >> 32 != gen)
            return false;
        if (atomic_compare_exchange_weak(w, &word, word | bit))
            return true;
    }
    return !(word & WORD_CLOSING) && word >> 32 == gen;
}

int fd_watch(struct sched *s, int fd, uint32_t *gen, uint32_t events,
             struct wait_link *l)
{
    word_t *w = word_make(fd);
    struct fd_entry *e;
    uint64_t word;

    if (w == NULL || (e = entry_make(s, fd)) == NULL)
        return -1;
    for (;;) {
        word = atomic_load(w);
        if (word & WORD_CLOSING)
            return 1;
        e->fd = fd;
        if (e->gen != (uint32_t)(word >> 32))
            reset(e, word);
        if (e->gen != *gen) {
            errno = EBADF;
            return -1;
        }
        if (!announce(w, word, sched_bit(s)))
            return 1;
        if (enlist(s, e, events) == 0)
            break;
        if (e->watched == 0 || errno != ENOENT)
            return -1;
        next_gen(fd, w, 0);
        *gen = fd_gen(fd);
    }
    l->events = events;
    l->ready = 0;
    link_add(e, l);
    return 0;
}

int fd_watch_thread(int fd, uint32_t gen, struct wait_link *l)
{
    word_t *w = word_make(fd);
    uint64_t word;

    if (w == NULL)
        return -1;
    fd_thread_add(l, fd);
    word = atomic_load(w);
    if ((uint32_t)(word >> 32) == gen && announce(w, word, WORD_THREADS))
        return 0;
    /* Closed, or being closed; somebody may have fired l for it already, and
     * that wake must be taken, so the caller parks in any case. */
    wait_expire(l->wait, EBADF);
    return 0;
}

void fd_unwatch(struct sched *s, int fd, struct wait_link *l)
{
    if (l->linked)
        link_remove(entry_find(s, fd), l);
}

bool fd_drained(int fd)
{
    struct sched *s = sched_self();
    struct fd_entry *e;

    if (s == NULL || fd < 0 || fd >= FD_CHUNKS * FD_CHUNK)
        return false;
    e = entry_find(s, fd);
    return e != NULL && e->drained && e->gen == fd_gen(fd);
}

void fd_set_drained(int fd)
{
    struct sched *s = sched_self();
    struct fd_entry *e;

    if (s == NULL || (e = entry_find(s, fd)) == NULL)
        return;
    /* Registered before the read, so what comes later makes an edge. */
    e->drained = e->own && e->tcp && !e->odd && (e->watched & POLLER_READ) &&
                 e->gen == fd_gen(fd);
}

static int wait_on_thread(struct wait *w, int fd, uint32_t gen, uint32_t events)
{
    struct pollfd fds[2];
    int r;

    if (fd_thread_open(w) < 0 || fd_watch_thread(fd, gen, &w->link) < 0)
        return -1;
    fds[1].fd = fd;
    fds[1].events = (short)((events & POLLER_READ ? POLLIN : 0) |
                            (events & POLLER_WRITE ? POLLOUT : 0) |
                            (events & POLLER_PRI ? POLLPRI : 0));
    r = fd_thread_park(w, fds, 1);
    fd_thread_remove(&w->link);
    return r;
}

int fd_wait(int fd, uint32_t *gen, uint32_t events, int64_t deadline)
{
    struct sched *s = sched_self();
    struct wait w;
    int r;

    if (wait_open(&w, deadline) < 0 || wait_passed(&w))
        return -1;
    if (w.co == NULL)
        return wait_on_thread(&w, fd, *gen, events);
    r = fd_watch(s, fd, gen, events, &w.link);
    if (r > 0) { /* the number is just changing hands: not now */
        runq_push(s, w.co);
        switch_away(s, w.co);
        r = 0;
    } else if (r == 0) {
        r = wait_park(&w);
        fd_unwatch(s, fd, &w.link);
    }
    if (r < 0 || fd_gen(fd) == *gen)
        return r;
    errno = EBADF;
    return -1;
}

/* ---- For the loop -----------------------------------------------------------
 */

void fd_prefetch(struct sched *s, uint64_t token)
{
    struct fd_entry *e = entry_find(s, (int)(uint32_t)token);

    if (e != NULL && e->head != NULL)
        __builtin_prefetch(e->head->wait->co);
}

void fd_dispatch(struct sched *s, uint64_t token, uint32_t events)
{
    int fd = (int)(uint32_t)token;
    struct fd_entry *e = entry_find(s, fd);
    struct wait_link *l, *next;

    if (e == NULL || e->gen != (uint32_t)(token >> 32))
        return;
    if (events & ~(uint32_t)POLLER_WRITE)
        e->drained = false;
    if (events & (POLLER_HUP | POLLER_PRI | POLLER_ERROR))
        e->odd = true;
    if (e->head == NULL) {
        word_t *w = word_find(fd);
        uint64_t others = WORD_BITS & ~(WORD_OWN | WORD_CLOSING | sched_bit(s));

        /* Others wait for it now: this registration only wakes us for nothing.
         * The bit may be that of several when there are many schedulers; it
         * then stays, and costs a post at close. */
        if (atomic_load(w) & others) {
            poller_clear(&s->poller, fd);
            e->watched = 0;
            if (atomic_load(&sched_set.count) <= SCHED_BITS)
                atomic_fetch_and(w, ~sched_bit(s));
        }
        return;
    }
    for (l = e->head; l != NULL; l = next) {
        next = l->next;
        if ((l->events & events) || (events & (POLLER_HUP | POLLER_ERROR)))
            fire(e, l, events, 0);
    }
}

/* A park on trust has lasted.  Was the number closed behind our back and made
 * again, the kernel knows nothing of our registration: whoever waits tries
 * again, and then registers anew. */
static void verify(struct sched *s, struct fd_entry *e)
{
    if (poller_set(&s->poller, e->fd, e->watched, token_of(e), true) == 0)
        return;
    e->watched = 0;
    e->drained = false;
    while (e->head != NULL)
        fire(e, e->head, 0, 0);
}

void fd_verify(struct sched *s)
{
    struct fd_entry *e = s->unverified, *next;

    s->unverified = NULL;
    for (; e != NULL; e = next) {
        next = e->unverified_next;
        if (e->head == NULL) {
            e->unverified = false;
        } else if (e->parked) { /* since the last time: look next time */
            e->parked = false;
            e->unverified_next = s->unverified;
            s->unverified = e;
        } else {
            e->unverified = false;
            verify(s, e);
        }
    }
    if (s->unverified != NULL)
        sched_tidy_soon(s);
}
