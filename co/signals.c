/* signals.c - see signals.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/signals.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>

static const int stop_signals[] = { SIGINT, SIGTERM };
static bool handled[2];
static void (*stop_now)(void);

static void on_signal(int sig)
{
    int err = errno;

    (void)sig;
    for (int i = 0; i < 2; i++)
        if (handled[i]) /* the second one kills */
            (void)signal(stop_signals[i], SIG_DFL);
    stop_now();
    errno = err;
}

void signals_take(void (*stop)(void))
{
    struct sigaction old,
        act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    stop_now = stop;
    (void)sigemptyset(&act.sa_mask);
    for (int i = 0; i < 2; i++) {
        handled[i] = sigaction(stop_signals[i], NULL, &old) == 0 &&
                     !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL;
        if (handled[i])
            (void)sigaction(stop_signals[i], &act, NULL);
    }
}

void signals_give_back(void)
{
    struct sigaction now;

    for (int i = 0; i < 2; i++) {
        if (handled[i] && sigaction(stop_signals[i], NULL, &now) == 0 &&
            now.sa_handler == on_signal)
            (void)signal(stop_signals[i], SIG_DFL);
        handled[i] = false;
    }
}
