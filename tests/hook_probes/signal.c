/* signal.c - probes: signals that come while one waits.
 *
 * A signal is a thread's, not a coroutine's: the hooks run the handler, and the
 * coroutine that waits goes on waiting, as if another thread had been chosen.
 * What asks for signals by a mask is interrupted as ever.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static char buf[256];

static void block(int sig)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, sig);
    NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static sigset_t none(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    return set;
}

static int signal_to, write_to;

static void signal_and_write(void *arg)
{
    (void)arg;
    NEED(kill(getpid(), SIGUSR1) == 0);
    pause_ms(PAUSE_MS);
    NEED(write(write_to, "hello", 5) == 5);
}

PROBE(signal_restart, 2 * PAUSE_MS,
      "SA_RESTART: the handler runs, read() goes on")
{
    int fds[2];

    kit_pipe(fds);
    write_to = fds[1];
    kit_catch(SIGUSR1, SA_RESTART);
    later(signal_and_write, NULL);
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
    SHOW(kit_caught);
}

PROBE(signal_ignored, 2 * PAUSE_MS, "an ignored signal disturbs nobody")
{
    struct pollfd p = { .events = POLLIN };
    int fds[2];

    kit_tcp(fds);
    p.fd = fds[0];
    write_to = fds[1];
    (void)signal(SIGUSR1, SIG_IGN);
    later(signal_and_write, NULL);
    TRY(poll(&p, 1, -1));
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(signal_blocked, 2 * PAUSE_MS,
      "a blocked signal disturbs nobody, and stays")
{
    sigset_t set;
    int fds[2];

    kit_tcp(fds);
    write_to = fds[1];
    kit_catch(SIGUSR1, 0);
    block(SIGUSR1);
    later(signal_and_write, NULL);
    TRY(read(fds[0], buf, sizeof buf));
    SHOW(kit_caught);
    (void)sigpending(&set);
    SHOW(sigismember(&set, SIGUSR1));
}

static void write_in_handler(int sig)
{
    (void)sig;
    if (write(signal_to, "from the handler", 16) == 16)
        kit_caught++;
}

PROBE(signal_handler_writes, PAUSE_MS, "a handler writes what read() waits for")
{
    struct sigaction act = { .sa_handler = write_in_handler,
                             .sa_flags = SA_RESTART };
    int fds[2];

    kit_pipe(fds);
    signal_to = fds[1];
    NEED(sigaction(SIGUSR1, &act, NULL) == 0);
    later_signal(SIGUSR1);
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
    SHOW(kit_caught);
}

static void handler_errno(int sig)
{
    (void)sig;
    kit_caught++;
    errno = EDOM;
}

PROBE(signal_handler_errno, PAUSE_MS,
      "a handler that sets errno, and a time-out")
{
    struct sigaction act = { .sa_handler = handler_errno,
                             .sa_flags = SA_RESTART };
    int fds[2];

    kit_tcp(fds);
    NEED(sigaction(SIGUSR1, &act, NULL) == 0);
    kit_timeout(fds[0], SO_RCVTIMEO, 10);
    NEED(raise(SIGUSR1) == 0);
    later_write(fds[1], "x");
    TRY(recv(fds[0], buf, 1, 0));
    SHOW(kit_caught);
}

static void interrupt_and_write(void *arg)
{
    NEED(pthread_kill(*(pthread_t *)arg, SIGUSR1) == 0);
    pause_ms(PAUSE_MS);
    NEED(write(write_to, "hello", 5) == 5);
}

PROBE_DIFFERS(signal_interrupts, 2 * PAUSE_MS,
              "without SA_RESTART the handler runs, and read() goes on",
              "read(fds[0], buf, sizeof buf) = 5\nkit_caught: 1\n"
              "took at least 400 ms: yes\n")
{
    pthread_t self = pthread_self();
    int fds[2];

    kit_pipe(fds);
    write_to = fds[1];
    kit_catch(SIGUSR1, 0);
    later(interrupt_and_write, &self);
    TRY(read(fds[0], buf, sizeof buf));
    SHOW(kit_caught);
}

PROBE_DIFFERS(signal_sleep, PAUSE_MS, "a handler runs, and usleep() goes on",
              "usleep(2 * PAUSE_MS * 1000) = 0\nkit_caught: 1\n"
              "took at least 200 ms: yes\n")
{
    kit_catch(SIGUSR1, 0);
    later_signal(SIGUSR1);
    TRY(usleep(2 * PAUSE_MS * 1000));
    SHOW(kit_caught);
}

/* ---- Masks ------------------------------------------------------------------
 */

PROBE(ppoll_pending, 0, "ppoll() lets a pending signal through: EINTR")
{
    struct pollfd p = { .events = POLLIN };
    sigset_t mask = none();
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    kit_catch(SIGUSR1, 0);
    block(SIGUSR1);
    NEED(raise(SIGUSR1) == 0);
    SHOW(kit_caught);
    TRY(ppoll(&p, 1, NULL, &mask));
    SHOW(kit_caught);
}

PROBE(ppoll_signal, PAUSE_MS, "ppoll() lets a signal through later: EINTR")
{
    struct pollfd p = { .events = POLLIN };
    sigset_t mask = none();
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    kit_catch(SIGUSR1, SA_RESTART);
    block(SIGUSR1);
    later_signal(SIGUSR1);
    TRY(ppoll(&p, 1, NULL, &mask));
    SHOW(kit_caught);
}

PROBE(pselect_signal, PAUSE_MS, "pselect() lets a signal through: EINTR")
{
    sigset_t mask = none();
    fd_set set;
    int fds[2];

    kit_pipe(fds);
    kit_catch(SIGUSR1, 0);
    block(SIGUSR1);
    later_signal(SIGUSR1);
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    TRY(pselect(fds[0] + 1, &set, NULL, NULL, NULL, &mask));
    SHOW(FD_ISSET(fds[0], &set) != 0);
    SHOW(kit_caught);
}

PROBE(epoll_pwait_signal, PAUSE_MS,
      "epoll_pwait() lets a signal through: EINTR")
{
    struct epoll_event event = { .events = EPOLLIN };
    sigset_t mask = none();
    int fds[2], set = epoll_create1(0);

    kit_pipe(fds);
    NEED(epoll_ctl(set, EPOLL_CTL_ADD, fds[0], &event) == 0);
    kit_catch(SIGUSR1, 0);
    block(SIGUSR1);
    later_signal(SIGUSR1);
    TRY(epoll_pwait(set, &event, 1, -1, &mask));
    SHOW(kit_caught);
}

PROBE(ppoll_masks, PAUSE_MS, "ppoll() with a mask that blocks: not disturbed")
{
    struct timespec time = { 0, 2 * PAUSE_MS * 1000000L };
    sigset_t mask;

    kit_catch(SIGUSR1, SA_RESTART);
    (void)sigfillset(&mask);
    later_signal(SIGUSR1);
    TRY(ppoll(NULL, 0, &time, &mask));
    SHOW(kit_caught);
}

PROBE(ppoll_ready, 0, "ppoll() with a mask, and something ready")
{
    struct pollfd p = { .events = POLLIN };
    sigset_t mask = none();
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    TRY(write(fds[1], "x", 1));
    TRY(ppoll(&p, 1, NULL, &mask));
    SHOW(p.revents);
}

static void kill_process(void *arg)
{
    (void)arg;
    NEED(kill(getpid(), SIGUSR1) == 0);
}

PROBE(signalfd_read, PAUSE_MS, "read() of a signalfd waits for a signal")
{
    struct signalfd_siginfo info = { 0 };
    sigset_t set;

    block(SIGUSR1);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    later(kill_process, NULL);
    TRY(read(signalfd(-1, &set, 0), &info, sizeof info));
    SHOW(info.ssi_signo == SIGUSR1);
}

PROBE(signalfd_mode, 0, "signalfd() changed: the same number, the same mode")
{
    sigset_t set = none();
    int fd = signalfd(-1, &set, SFD_NONBLOCK);

    (void)sigaddset(&set, SIGUSR1);
    SHOW(signalfd(fd, &set, 0) == fd);
    SHOW(kit_nonblock(fd));
    TRY(read(fd, buf, sizeof buf));
}
