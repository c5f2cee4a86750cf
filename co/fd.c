/* fd.c - see fd.h, and fd_word.h for who races.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/reserve.h"
#include "co/sched_set.h"
#include "co/sys.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

static struct fd_entry *entry_make(struct sched *s, int fd)
{
    struct fd_entry *e = fd_find(s, fd);

    if (e != NULL)
        return e;
    e = calloc(FD_CHUNK, sizeof *e);
    if (e == NULL)
        return NULL;
    atomic_store_explicit(&s->fds[fd / FD_CHUNK], e, memory_order_release);
    return fd_find(s, fd);
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

/* The kernel dropped it with the file; if not, since that has other
 * descriptors, its events have an old serial. */
static void drop_registration(struct fd_entry *e)
{
    e->serial++;
    e->watched = 0;
    e->drained = e->odd = e->tcp = e->parked = e->told = false;
}

/* Forgets what e knows; whoever waits belongs to the old generation. */
static void reset(struct fd_entry *e, uint64_t word)
{
    while (e->head != NULL)
        fire(e, e->head, 0, EBADF);
    e->gen = fd_word_gen(word);
    e->own = word & FD_WORD_OWN;
    drop_registration(e);
}

static uint64_t token_of(const struct fd_entry *e)
{
    return (uint64_t)e->serial << 32 | (uint32_t)e->fd;
}

/* The kernel does not know our registration: the number was closed behind our
 * back.  Whoever parked while it was known waits for what had the number then;
 * who parked on trust may as well mean what has it now, and tries again. */
static void lost(struct fd_entry *e)
{
    while (e->head != NULL)
        fire(e, e->head, 0, e->head->trusts ? 0 : EBADF);
    fd_word_disown(fd_word_find(e->fd), e->gen);
    e->own = false;
    drop_registration(e);
}

/* Asks whether those who wait here wait for what has the number now. */
static void verify(struct sched *s, struct fd_entry *e)
{
    if (poller_set(&s->poller, e->fd, e->watched, token_of(e), true) < 0) {
        lost(e);
        return;
    }
    for (struct wait_link *l = e->head; l != NULL; l = l->next)
        l->trusts = false;
}

void fd_told(struct sched *s, struct fd_entry *e, unsigned bits)
{
    uint64_t word = atomic_load(fd_word_find(e->fd));

    while ((bits & POST_LOOK) && e->head != NULL)
        fire(e, e->head, 0, 0);
    if (e->gen != fd_word_gen(word))
        reset(e, word);
    else if (e->head != NULL)
        verify(s, e);
}

/* ---- Waiting ---------------------------------------------------------------
 */

static bool is_tcp(int fd)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    int err = errno;

    (void)sys.getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
    errno = err; /* no socket has no protocol */
    return protocol == IPPROTO_TCP;
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

/* Sees to it that the kernel tells us of events on e->fd.  0: it does; 1: we
 * trust that it does; -1 with errno. */
static int enlist(struct sched *s, struct fd_entry *e, uint32_t events)
{
    uint32_t want = e->watched | events | POLLER_HUP | POLLER_PRI;

    if (e->watched == 0 && (e->tcp = is_tcp(e->fd)))
        want |= POLLER_READ | POLLER_WRITE;
    /* Who finds another one waiting asks, since that one may be waiting for
     * the file that had the number before. */
    if (e->own && want == e->watched && !others_wait(e, events)) {
        trust(s, e);
        return 1;
    }
    if (poller_set(&s->poller, e->fd, want, token_of(e), e->watched != 0) < 0)
        return -1;
    s->watching = true;
    e->watched = (uint8_t)want;
    return 0;
}

/* The number is registered for the first time here.  Others may wait for it
 * since it had another file. */
static void tell_others(struct sched *s, struct fd_entry *e, uint64_t word)
{
    word &= ~fd_word_bit(s);
    if (e->told || fd_word_waiters(word) == 0)
        return;
    e->told = e->own; /* seldom changes hands behind our back */
    fd_tell(e->fd, word, POST_CLOSED, 0);
}

static int enlist_first(struct sched *s, struct fd_entry *e, uint64_t word,
                        uint32_t events)
{
    int r = enlist(s, e, events);

    if (r == 0)
        tell_others(s, e, word);
    return r;
}

int fd_watch(struct sched *s, int fd, uint32_t gen, uint32_t events,
             struct wait_link *l)
{
    fd_word *w = fd_word_make(fd);
    struct fd_entry *e;
    uint64_t word;
    int r = -1;

    if (w == NULL || (e = entry_make(s, fd)) == NULL)
        return -1;
    word = atomic_load(w);
    if (word & FD_WORD_CLOSING)
        return 1;
    e->fd = fd;
    if (e->gen != fd_word_gen(word))
        reset(e, word);
    if (e->gen != gen) {
        errno = EBADF;
        return -1;
    }
    if (!fd_word_announce(w, word, fd_word_bit(s)))
        return 1;
    if (e->watched != 0 && (r = enlist(s, e, events)) < 0)
        lost(e);
    if (r < 0 && (r = enlist_first(s, e, word, events)) < 0)
        return -1;
    l->events = events;
    l->ready = 0;
    l->trusts = r > 0;
    link_add(e, l);
    return 0;
}

void fd_unwatch(struct sched *s, int fd, struct wait_link *l)
{
    if (l->linked)
        link_remove(fd_find(s, fd), l);
}

void fd_watch_edge(struct sched *s, struct fd_entry *e, struct wait_link *l)
{
    trust(s, e);
    l->events = POLLER_READ;
    l->trusts = true;
    link_add(e, l);
}

/* ---- For the loop -----------------------------------------------------------
 */

/* The bytes of a stack that who waits for a descriptor goes through when it is
 * woken: what its switch saved is below its ticket, the frames up to a
 * handler's are above it. */
enum { FRAMES_BELOW = 192, FRAMES_ABOVE = 576, LINE = 64 };

void fd_prefetch_ticket(struct sched *s, uint64_t token)
{
    struct fd_entry *e = fd_find(s, (int)(uint32_t)token);

    if (e != NULL && e->head != NULL) {
        __builtin_prefetch(e->head);
        __builtin_prefetch((char *)e->head - LINE);
    }
}

void fd_prefetch_co(struct sched *s, uint64_t token)
{
    struct fd_entry *e = fd_find(s, (int)(uint32_t)token);
    char *ticket;

    if (e == NULL || e->head == NULL)
        return;
    __builtin_prefetch(e->head->wait->co);
    ticket = (char *)e->head;
    for (int at = -FRAMES_BELOW; at <= FRAMES_ABOVE; at += LINE)
        __builtin_prefetch(ticket + at);
}

void fd_dispatch(struct sched *s, uint64_t token, uint32_t events)
{
    int fd = (int)(uint32_t)token;
    struct fd_entry *e = fd_find(s, fd);
    struct wait_link *l, *next;

    if (e == NULL || e->serial != (uint32_t)(token >> 32))
        return;
    if (events & ~(uint32_t)POLLER_WRITE)
        e->drained = false;
    if (events & (POLLER_HUP | POLLER_PRI | POLLER_ERROR))
        e->odd = true;
    if (e->head == NULL) {
        fd_word *w = fd_word_find(fd);

        /* Others wait for it now: this registration only wakes us for nothing.
         * The bit may be that of several when there are many schedulers; it
         * then stays, and costs a post at close. */
        if (fd_word_waiters(atomic_load(w)) & ~fd_word_bit(s)) {
            poller_clear(&s->poller, fd);
            e->watched = 0;
            e->drained = false; /* nothing would tell us */
            if (atomic_load(&sched_set.count) <= FD_WORD_SCHEDS)
                atomic_fetch_and(w, ~fd_word_bit(s));
        }
        return;
    }
    for (l = e->head; l != NULL; l = next) {
        next = l->next;
        if ((l->events & events) || (events & POLLER_ERROR))
            fire(e, l, events, 0);
    }
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
        } else { /* a park on trust has lasted */
            e->unverified = false;
            verify(s, e);
        }
    }
    if (s->unverified != NULL)
        sched_tidy_soon(s);
}
