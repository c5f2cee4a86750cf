/* storm.c - preloaded into a test: a signal every 100 us, for whoever's turn it
 * is.
 *
 * One more thread sends SIGPROF to each of the others in turn, as a profiler
 * would.  Its handler does nothing, but was installed without SA_RESTART: so
 * system calls that can be interrupted are.  Without SA_ONSTACK, too, unless
 * CORTEN_STORM=onstack: the frames lie on the stacks of coroutines.
 *
 * The threads are known from pthread_create(), not from /proc, which would take
 * a descriptor that a test might count.  A child goes on under a storm of its
 * own; so does what it executes, which inherits LD_PRELOAD.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4096, PERIOD_NS = 100000 };

static atomic_int tids[THREADS]; /* 0: a free place */
static atomic_int used;          /* places below this were used */
static pthread_key_t key;        /* of a thread: its place */
static atomic_ulong blows;
static atomic_int hush;   /* how many ask for it */
static atomic_bool quiet; /* it was heard */

static void on_blow(int sig)
{
    (void)sig;
    atomic_fetch_add_explicit(&blows, 1, memory_order_relaxed);
}

static void leave(void *place) { atomic_store((atomic_int *)place, 0); }

static void join(void)
{
    for (int i = 0; i < THREADS; i++) {
        int free_place = 0, high = atomic_load(&used);

        if (!atomic_compare_exchange_strong(&tids[i], &free_place, gettid()))
            continue;
        while (high <= i && !atomic_compare_exchange_weak(&used, &high, i + 1))
            ;
        (void)pthread_setspecific(key, &tids[i]);
        return;
    }
}

static void *blow(void *arg)
{
    pid_t pid = getpid();
    int next = 0;

    (void)prctl(PR_SET_NAME, "storm");
    for (;;) {
        struct timespec pause = { 0, PERIOD_NS };

        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        atomic_store(&quiet, atomic_load(&hush) > 0);
        if (quiet)
            continue;
        for (int i = 0, n = atomic_load(&used); i < n; i++) {
            int tid = atomic_load(&tids[next++ % n]);

            if (tid == 0)
                continue;
            (void)tgkill(pid, tid, SIGPROF); /* it may just have ended */
            break;
        }
    }
    return arg;
}

/* ---- Threads that are made
 * ---------------------------------------------------- */

typedef void *start_fn(void *);
typedef int create_fn(pthread_t *, const pthread_attr_t *, start_fn *, void *);

struct start {
    start_fn *fn;
    void *arg;
};

static void *started(void *arg)
{
    struct start s = *(struct start *)arg;

    free(arg);
    join();
    return s.fn(s.arg);
}

static create_fn *real_create(void)
{
    create_fn *create;

    /* POSIX: the way to turn dlsym()'s result into a function. */
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    return create;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, start_fn *fn,
                   void *arg)
{
    struct start *s = malloc(sizeof *s);
    int err;

    if (s == NULL)
        return EAGAIN;
    *s = (struct start){ fn, arg };
    err = real_create()(thread, attr, started, s);
    if (err != 0)
        free(s);
    return err;
}

/* ---- Programs that are executed
 * ----------------------------------------------- */

/* There is a moment at which a program has no handler yet: no signal may be
 * under way then. */
static void calm_begin(void)
{
    atomic_fetch_add(&hush, 1);
    while (!atomic_load(&quiet))
        (void)sched_yield();
}

static void calm_end(void) { atomic_fetch_sub(&hush, 1); }

#define EXEC(name, declare, ...)                                               \
    int name declare                                                           \
    {                                                                          \
        int(*real) declare, r;                                                 \
                                                                               \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                             \
        calm_begin();                                                          \
        r = real(__VA_ARGS__);                                                 \
        calm_end();                                                            \
        return r;                                                              \
    }

EXEC(execve, (const char *path, char *const argv[], char *const envp[]), path,
     argv, envp)
EXEC(execv, (const char *path, char *const argv[]), path, argv)
EXEC(execvp, (const char *file, char *const argv[]), file, argv)

/* ---- The beginning
 * ------------------------------------------------------------ */

static void begin(void)
{
    sigset_t all, old;
    pthread_t thread;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    if (real_create()(&thread, NULL, blow, NULL) == 0)
        (void)pthread_detach(thread);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* The kernel starts a fork anew when a signal comes: one that takes longer than
 * the pause between two would never end. */

static void begin_in_child(void)
{
    for (int i = 0; i < THREADS; i++)
        atomic_store(&tids[i], 0);
    atomic_store(&used, 0);
    atomic_store(&hush, 0);
    atomic_store(&quiet, false);
    join();
    begin();
}

__attribute__((constructor)) static void load(void)
{
    const char *how = getenv("CORTEN_STORM");
    struct sigaction act = { .sa_handler = on_blow };

    if (how != NULL && strcmp(how, "onstack") == 0)
        act.sa_flags = SA_ONSTACK;
    (void)sigemptyset(&act.sa_mask);
    (void)sigaction(SIGPROF, &act, NULL);
    (void)pthread_key_create(&key, leave);
    (void)pthread_atfork(calm_begin, calm_end, begin_in_child);
    join();
    begin();
}
