/* co.h - stackful coroutines on one scheduler thread per core.
 *
 * A coroutine is a function with its own stack.  It runs on one scheduler, a
 * thread with an epoll set and a timer heap, from its first line to its last;
 * when it has to wait, the scheduler runs another one.
 *
 * Conventions, true of every function below:
 *
 *   result    0 or a count, or a pointer; -1 or NULL means failed, see errno.
 *             errno survives every switch.
 *   deadline  an absolute time in nanoseconds on co_now()'s clock.  A wait
 *             that reaches it fails with ETIMEDOUT.  CO_FOREVER never comes;
 *             CO_NOWAIT has always passed, so the call only tries.
 *   cancel    once a coroutine is cancelled, this wait and all later ones
 *             fail with ECANCELED, so that it unwinds through its error paths.
 *             Clean-up that must wait holds cancel off: co_hold_cancel().
 *             It is not handed down: who spawned others cancels them.
 *   zero      every struct defined here is ready to use when all its bytes
 *             are zero.  The fields are private unless said otherwise.
 *   [any]     callable from any thread.  [co]: only inside a coroutine.
 *   [waits]   may suspend the calling coroutine.  Called on a plain thread it
 *             blocks that thread instead, with the same result: so channels,
 *             mutexes, joins connect threads with coroutines.
 *
 *   fork      its child finds the runtime not up: spawning fails with
 *             ESHUTDOWN, so does joining, waits are those of a plain thread,
 *             and it may start a runtime of its own.  Handles, and objects that
 *             were in use, are void there.  A coroutine's function that returns
 *             in the child ends it, with status 0.
 *
 * Misuse (unlocking what is not locked, [co] outside a coroutine) prints one
 * line and aborts, in every build.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CO_H
#define CO_CO_H

#include "co/version.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* ---- Time ---------------------------------------------------------------- */

/* Units of time, and the two deadlines that are no time: see above. */
#define CO_USEC INT64_C(1000)
#define CO_MSEC INT64_C(1000000)
#define CO_SECOND INT64_C(1000000000)
#define CO_FOREVER INT64_MAX
#define CO_NOWAIT INT64_C(0)

int64_t co_now(void);                 /* [any] CLOCK_MONOTONIC, in ns */
int64_t co_after(int64_t ns);         /* [any] co_now() + ns, saturating */
int co_sleep_until(int64_t deadline); /* [waits] 0, or -1 ECANCELED, or
                                         ETIMEDOUT when co_limit_deadline()'s
                                         limit came first */

/* Narrows the limit of every wait of the running coroutine: the earlier of the
 * limit in force and deadline holds.  Returns the limit before; give that to
 * co_restore_deadline().  Coroutines spawned meanwhile do not inherit it.
 * [co] */
int64_t co_limit_deadline(int64_t deadline);
void co_restore_deadline(int64_t old);

/* ---- Runtime ------------------------------------------------------------- */

/* What a coroutine runs, and what co_offload() does. */
typedef void co_fn(void *arg);

struct co_config {            /* public; zero means the default */
    unsigned schedulers;      /* scheduler threads; one per allowed cpu, within
                                 the cgroup's quota rounded up; at most 256 */
    size_t stack_size;        /* address space per coroutine, in bytes, its
                                 64 KiB guard included; 252 KiB */
    size_t max_coroutines;    /* spawn fails with EAGAIN there; no limit */
    unsigned offload_threads; /* upper bound of the blocking pool; 16 */
    bool pin;                 /* pin scheduler i to the i-th allowed cpu */
    bool keep_signals;        /* leave SIGINT and SIGTERM alone */
    bool keep_sigsegv;        /* no report of stack overflows */
    int64_t grace;            /* wait this long for what is cancelled at the
                                 end; 10 s.  Like all times, in ns */
    int64_t timer_slack;      /* a timer may be this late, so that neighbours
                                 share a wake-up; 50 us, 1 means exact */
    int dump_signal;          /* SIGQUIT, say: print what all coroutines do to
                                 stderr (co/inside.h), none that faults
                                 raise; 0: no signal */
};

/* Starts the schedulers, runs fn(arg) as the root coroutine on the calling
 * thread, and once it returns cancels what is left and waits for it.  SIGINT
 * and SIGTERM, where they are neither handled nor ignored, call co_stop(); a
 * second one kills.
 * 0, or -1 when the runtime could not start (EINVAL: a config out of range),
 * EALREADY when it runs, ETIMEDOUT when grace passed and the caller should
 * exit.  config may be NULL.  Handles that were not joined end with it. */
int co_run(co_fn *fn, void *arg, const struct co_config *config);

/* Cancels the root coroutine, also before it has started.  Safe inside a signal
 * handler.  [any] */
void co_stop(void);

/* For a program with a main of its own: starts the schedulers on threads of
 * their own and returns; from then on any thread may spawn and wait.
 * co_shutdown() cancels what is left, waits until deadline for it, and stops
 * the threads: 0, or -1 with ETIMEDOUT and the runtime still up (what starts
 * then is cancelled; try again), ESHUTDOWN when it is not up, EBUSY when it is
 * co_run()'s or an embedded scheduler's, EALREADY when another thread is about
 * it, EDEADLK on a host's thread.  From a plain thread.  A scheduler that is
 * still embedded keeps the runtime up until it is closed (co/embed.h: inside
 * another event loop). */
int co_start(const struct co_config *config);
int co_shutdown(int64_t deadline);

/* ---- Coroutines ---------------------------------------------------------- */

struct co;       /* a handle; whoever spawned it joins or detaches it */
struct co_sched; /* a scheduler; good until the runtime stops */

struct co_attr {      /* public; zero means the default */
    const char *name; /* borrowed for the coroutine's life */
    size_t stack_size;
    struct co_sched *on; /* the caller's, so that parent and child never run
                            at the same time; outside a coroutine, CO_ANY */
};

/* For on: the idlest scheduler, and until it starts the coroutine may be handed
 * to one that runs out of work sooner. */
#define CO_ANY ((struct co_sched *)-1)

/* Makes a coroutine that will run fn(arg).  attr may be NULL.  NULL + ENOMEM
 * (co_spawn_why() says which limit), EAGAIN at the coroutine limit, EINVAL for
 * a stack too small, ESHUTDOWN when the runtime is not up.  What is not joined
 * keeps its stack.  co_go() is spawn and detach: 0 or -1.  Both record file and
 * line of the call.  [any] */
struct co *co_spawn_at(co_fn *fn, void *arg, const struct co_attr *attr,
                       const char *file, int line);
int co_go_at(co_fn *fn, void *arg, const char *file, int line);
#define co_spawn(fn, arg, attr)                                                \
    co_spawn_at((fn), (arg), (attr), __FILE__, __LINE__)
#define co_go(fn, arg) co_go_at((fn), (arg), __FILE__, __LINE__)

/* In words, why the calling thread's last spawn failed with ENOMEM: which limit
 * ran out, and its value.  Valid until the next one fails.  [any] */
const char *co_spawn_why(void);

/* Waits for the end of c and frees the handle.  After -1 the caller still owns
 * it.  EDEADLK when c is the caller.  One joiner at a time.  [waits] */
int co_join(struct co *c, int64_t deadline);
void co_detach(struct co *c); /* gives the handle up.  [any] */
void co_cancel(struct co *c); /* asks only; join to wait.  [any] */

/* While held, the waits of the running coroutine look neither at cancel nor at
 * co_limit_deadline(): for clean-up, with deadlines of its own, such as to join
 * a child that uses this stack.  Returns the old value, to give back.  [co] */
bool co_hold_cancel(bool hold);

struct co *co_self(void); /* good until it ends; NULL outside.  [any] */
uint64_t co_id(void);     /* never reused; 0 outside.  [any] */
bool co_cancelled(void);  /* true after co_cancel(), held off or not.  [co] */
void co_yield_now(void);  /* lets the other ready ones run.  [co] */

/* Of a coroutine the caller owns, or is: its name ("" without one), its id, and
 * where it was spawned.  [any] */
const char *co_name(const struct co *c);
uint64_t co_id_of(const struct co *c);
const char *co_born(const struct co *c, int *line);

struct co_sched *co_sched_at(unsigned i); /* NULL past the last.  [any] */
struct co_sched *co_sched_idlest(void);   /* NULL: not up.  [any] */
struct co_sched *co_sched_self(void);     /* NULL outside.  [any] */

/* Coroutine-local storage.  destroy, unless NULL, gets each non-NULL value when
 * its coroutine ends, in the coroutine, where it may wait; what destructors set
 * is destroyed in turn, four rounds at most, as pthread_key_create(3) does.
 * At most 64 keys, which are never given back: EAGAIN after that.  set: 0, or
 * -1 with ENOMEM, EINVAL for what is no key.  get: NULL unless set. */
int co_key_create(void (*destroy)(void *value)); /* key or -1.  [any] */
int co_key_set(int key, void *value);            /* [co] */
void *co_key_get(int key);                       /* [co] */

/* ---- Waiting for each other ---------------------------------------------- */

struct co_waitq { /* a FIFO of waits, shared between threads */
    void *head, *tail;
    uint32_t lock;
};

/* FIFO among waiters, but a running one may take a free mutex first; who was
 * passed over for 1 ms gets it handed.  Held for a few lines, across no long
 * wait, so locking neither times out nor is cancelled and cannot fail. */
struct co_mutex {
    struct co_waitq waiters;
    void *owner; /* a coroutine or a plain thread */
    void *heir;  /* who was woken and is about to try, since when */
    int64_t heir_since;
};
void co_mutex_lock(struct co_mutex *m);    /* [waits] */
bool co_mutex_trylock(struct co_mutex *m); /* [any] */
void co_mutex_unlock(struct co_mutex *m);  /* [any] the owner's side */

/* As POSIX has them, with deadlines. */
struct co_cond {
    struct co_waitq waiters;
};
int co_cond_wait(struct co_cond *c, struct co_mutex *m,
                 int64_t deadline);        /* [waits] m is held after -1, too */
void co_cond_signal(struct co_cond *c);    /* [any] */
void co_cond_broadcast(struct co_cond *c); /* [any] */

struct co_sem { /* a count that waits instead of falling below 0 */
    struct co_waitq waiters;
    long value; /* public before first use */
};
int co_sem_wait(struct co_sem *s, int64_t deadline); /* [waits] */
void co_sem_post(struct co_sem *s);                  /* [any] */

/* Work started together and waited for together.  A group may be used again
 * after co_group_wait() returned 0, but stays cancelled once it was: what
 * is started in it later starts cancelled. */
struct co_group {
    struct co_waitq waiters;
    long running;
    void *members;
    bool cancelled;
};
int co_group_go_at(struct co_group *g, co_fn *fn, void *arg, const char *file,
                   int line); /* as co_go().  [any] */
#define co_group_go(g, fn, arg)                                                \
    co_group_go_at((g), (fn), (arg), __FILE__, __LINE__)
void co_group_add(struct co_group *g, long n); /* work done elsewhere.  [any] */
void co_group_done(struct co_group *g);        /* [any] */
void co_group_cancel(struct co_group *g);      /* all members.  [any] */
int co_group_wait(struct co_group *g, int64_t deadline); /* [waits] */

/* Channels carry elements of one size by copy.  send after close fails with
 * EPIPE; recv drains what was sent first, then fails with EPIPE.  A NULL
 * channel is never ready.  capacity 0: a send waits for its receiver.  With
 * CO_NOWAIT both only try, which lets no other coroutine run.  Free it when
 * nobody uses it.  new: NULL + ENOMEM. */
struct co_chan;
struct co_chan *co_chan_new(size_t elem_size, size_t capacity); /* [any] */
void co_chan_free(struct co_chan *ch); /* NULL is fine.  [any] */
int co_chan_send(struct co_chan *ch, const void *elem,
                 int64_t deadline); /* [waits] */
int co_chan_recv(struct co_chan *ch, void *elem,
                 int64_t deadline);     /* [waits] */
void co_chan_close(struct co_chan *ch); /* closing again is fine.  [any] */

/* What one case of co_select() asks for. */
enum co_op { CO_OP_SEND = 1, CO_OP_RECV = 2, CO_OP_FD = 3 };

struct co_case {          /* public but for priv */
    struct co_chan *chan; /* NULL: never ready, unless it is an fd's case */
    void *elem;           /* borrowed until co_select() returns */
    int op;
    int err; /* set: 0, EPIPE for a closed channel, EBADF for a closed fd */
    int fd;
    int events; /* CO_FD: in what to wait for, out what is ready */
    void *priv[7];
};
/* clang-format off */
/* Cases: to send *ptr; to receive into it; to find fd ready for an event. */
#define CO_SEND(ch, ptr) { (ch), (void *)(ptr), CO_OP_SEND, 0, -1, 0, { 0 } }
#define CO_RECV(ch, ptr) { (ch), (ptr), CO_OP_RECV, 0, -1, 0, { 0 } }
#define CO_FD(fd, events) { NULL, NULL, CO_OP_FD, 0, (fd), (events), { 0 } }
/* clang-format on */

/* Does exactly one case and returns its index; among several that are ready, a
 * random one.  For an fd: reports readiness, as co_fd_wait().  -1 with
 * ETIMEDOUT, ECANCELED, or ENOMEM (an fd could not be watched): no case was
 * done.  [waits] */
int co_select(struct co_case *cases, int count, int64_t deadline);

/* ---- File descriptors ----------------------------------------------------
 *
 * Descriptors that these functions made are O_NONBLOCK.  Others keep their
 * flags: the calls below never block the thread on sockets, pipes, eventfds and
 * timerfds (MSG_DONTWAIT, RWF_NOWAIT), nor on FIFOs and terminals (a private
 * description is opened through /proc/self/fd; the master's side of a terminal
 * is written one byte a call).  What is left, and a kernel without RWF_NOWAIT
 * for the file, waits for readiness and then calls: when another process takes
 * the data in between, or an eventfd cannot hold the sum, the thread blocks.
 * connect and accept on a description that is not O_NONBLOCK set that flag for
 * the length of the one system call.  Regular files and block devices are
 * always ready: the call takes the thread as long as the disk does;
 * co_offload() is for them.
 *
 * Close with co_close().  A number closed behind the runtime's back (close(2),
 * dup2(2)) and used again is recognised: the old waiters fail with EBADF, at
 * the latest when the next one waits on that number, and a plain thread among
 * them then waits for the new file.  For a number that these functions made
 * this takes up to two seconds. */

/* What to wait for, as bits: poll(2)'s events of these names. */
enum { CO_READ = 1, CO_WRITE = 2, CO_PRI = 4, CO_HUP = 8 };

/* Waits until fd is ready for one of events, and returns what is; CO_HUP is
 * always reported.  Level-triggered, as poll(2): returns at once when it is
 * ready now.  Any number may wait; all of a direction are woken.  -1 with
 * ETIMEDOUT, ECANCELED, EBADF, ENOMEM.  [waits] */
int co_fd_wait(int fd, int events, int64_t deadline);

/* Wakes all waiters of fd with EBADF and drops the runtime's memory of it, when
 * somebody else is going to close it.  [any] */
void co_fd_forget(int fd);

/* As the system calls of these names, with a deadline: what is ready is done
 * at once, however late it is.  Errors are those of the call, and ETIMEDOUT,
 * ECANCELED, ENOMEM; EBADF when fd is closed meanwhile.  Never EAGAIN or EINTR.
 * Writes never raise SIGPIPE on sockets.  They write what fits and return how
 * much, as write(2) on a socket does; net_write() writes all.  accept makes the
 * new descriptor O_NONBLOCK and close-on-exec.  [waits] */
ssize_t co_read(int fd, void *buf, size_t len, int64_t deadline);
ssize_t co_write(int fd, const void *buf, size_t len, int64_t deadline);
ssize_t co_readv(int fd, const struct iovec *iov, int count, int64_t deadline);
ssize_t co_writev(int fd, const struct iovec *iov, int count, int64_t deadline);
ssize_t co_recv(int fd, void *buf, size_t len, int flags, int64_t deadline);
ssize_t co_send(int fd, const void *buf, size_t len, int flags,
                int64_t deadline);
ssize_t co_recvfrom(int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addr_len,
                    int64_t deadline);
ssize_t co_sendto(int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addr_len,
                  int64_t deadline);
ssize_t co_recvmsg(int fd, struct msghdr *msg, int flags, int64_t deadline);
ssize_t co_sendmsg(int fd, const struct msghdr *msg, int flags,
                   int64_t deadline);
int co_accept(int fd, struct sockaddr *addr, socklen_t *len, int64_t deadline);
int co_connect(int fd, const struct sockaddr *addr, socklen_t len,
               int64_t deadline);

/* As co_recv() without flags, into *buf, which is read anew each time the call
 * is tried, never while it waits; and after a try that succeeded nobody else
 * runs on this thread before the return.  So any number of coroutines of one
 * scheduler can wait to receive into one buffer: whoever got something takes
 * the buffer and puts another in its place.  [waits] */
ssize_t co_recv_into(int fd, void *const *buf, size_t len, int64_t deadline);

/* socket(2), O_NONBLOCK and close-on-exec, and known to be fresh.  [any] */
int co_socket(int domain, int type, int protocol);
int co_close(int fd); /* forget and close.  [any] */

/* ---- Blocking work ------------------------------------------------------- */

/* Runs fn(arg) on a pool thread and waits for its end.  No deadline and no
 * cancel, because fn uses arg until it returns.  A thread that has been idle
 * for 10 s ends.  -1 EAGAIN when not even one thread could be made, ESHUTDOWN
 * when the runtime is not up.  On a plain thread, fn runs right there.  [waits]
 */
int co_offload(co_fn *fn, void *arg);

/* The same for look-ups of names, which have a bound of their own (a quarter of
 * the threads, at least one), so that dead name servers cannot take all. */
int co_offload_lookup(co_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
