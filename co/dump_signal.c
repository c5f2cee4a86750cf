/* dump_signal.c - see dump_signal.h.
 *
 * The handler only wakes a thread that is there from the start: when somebody
 * needs it, there may be neither memory for a new one nor a scheduler that
 * listens.  That thread has the signal unblocked, so it comes through even
 * where all of the program's own threads block it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump_signal.h"
#include "co/dump.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

enum { LINES_MAX = 1000 };

static struct {
    int sig; /* 0: none */
    sem_t asked;
    atomic_bool closing;
    pthread_t thread;
    struct sigaction before;
} state;

static void on_signal(int sig)
{
    int err = errno;

    (void)sig;
    (void)sem_post(&state.asked); /* EOVERFLOW: it was asked often enough */
    errno = err;
}

static void *thread_main(void *arg)
{
    static const struct dump_form *const forms[] = { &dump_group, &dump_text,
                                                     NULL };

    (void)arg;
    for (;;) {
        while (sem_wait(&state.asked) < 0) /* EINTR */
            ;
        if (atomic_load(&state.closing))
            return NULL;
        (void)dump_write(STDERR_FILENO, forms, LINES_MAX); /* nobody to tell */
    }
}

static int start_thread(int sig)
{
    sigset_t most, old;
    int err;

    (void)sigfillset(&most);
    (void)sigdelset(&most, sig);
    (void)pthread_sigmask(SIG_SETMASK, &most, &old);
    err = pthread_create(&state.thread, NULL, thread_main, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err == 0) {
        (void)pthread_setname_np(state.thread, "corten-dump");
        return 0;
    }
    errno = err;
    return -1;
}

static void stop_thread(void)
{
    atomic_store(&state.closing, true);
    (void)sem_post(&state.asked);
    (void)pthread_join(state.thread, NULL);
    (void)sem_destroy(&state.asked);
}

/* A handler that returns to a fault meets it again, for ever. */
static bool is_for_faults(int sig)
{
    return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
           sig == SIGTRAP || sig == SIGSYS;
}

int dump_signal_open(int sig)
{
    struct sigaction act = { .sa_handler = on_signal,
                             .sa_flags = SA_RESTART | SA_ONSTACK };
    int err;

    if (sig == 0)
        return 0;
    if (is_for_faults(sig)) {
        errno = EINVAL;
        return -1;
    }
    if (sigaction(sig, NULL, &state.before) < 0 ||
        sem_init(&state.asked, 0, 0) < 0)
        return -1;
    atomic_store(&state.closing, false);
    if (start_thread(sig) < 0) {
        (void)sem_destroy(&state.asked);
        return -1;
    }
    (void)sigemptyset(&act.sa_mask);
    if (sigaction(sig, &act, NULL) == 0) {
        state.sig = sig;
        return 0;
    }
    err = errno;
    stop_thread();
    errno = err;
    return -1;
}

static void put_back(void)
{
    struct sigaction now;

    if (sigaction(state.sig, NULL, &now) == 0 && now.sa_handler == on_signal)
        (void)sigaction(state.sig, &state.before, NULL);
}

void dump_signal_close(void)
{
    if (state.sig == 0)
        return;
    put_back();
    state.sig = 0;
    stop_thread();
}

void dump_signal_forsake(void)
{
    if (state.sig != 0)
        put_back();
    state.sig = 0;
}
