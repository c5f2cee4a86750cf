/* world_open.c - descriptors made: some by libc's functions, which may be
 * hooked, some behind their back, as a library might.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/world.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { FILE_SIZE = 3000 };

static void must(bool worked)
{
    static const char text[] = "hook_fuzz: cannot make a descriptor\n";

    if (worked)
        return;
    (void)!write(2, text, sizeof text - 1);
    abort();
}

/* The channel, or -1 when there is no room for one more. */
static int add_pair(struct world *w, enum slot_kind a, enum slot_kind b,
                    const int *fds)
{
    int chan = world_chan(w), slot;

    if (chan < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return -1;
    }
    slot = world_add(w, a, fds[0], chan, 0);
    if (slot < 0) { /* which has given the channel up */
        (void)close(fds[1]);
        return -1;
    }
    (void)world_add(w, b, fds[1], chan, 1);
    return chan;
}

static void open_pipe(struct world *w, const struct step *s)
{
    static const int modes[8] = { 0, 0, 0, 0, 0, O_NONBLOCK, 0, O_DIRECT };
    int flags = modes[s->a & 7], fds[2], chan;

    if (s->b & 3)
        must((flags == 0 ? pipe(fds) : pipe2(fds, flags)) == 0);
    else
        must(syscall(SYS_pipe2, fds, flags) == 0);
    if ((s->b & 12) == 0)
        (void)syscall(SYS_fcntl, fds[0], F_SETPIPE_SZ, 4096);
    chan = add_pair(w, SLOT_PIPE_READ, SLOT_PIPE_WRITE, fds);
    if (chan >= 0)
        w->chans[chan].packets = flags & O_DIRECT;
}

static void open_pair(struct world *w, const struct step *s, int type,
                      enum slot_kind kind)
{
    int flags = (s->a & 7) == 0 ? SOCK_NONBLOCK : 0, fds[2];

    if (s->b & 3)
        must(socketpair(AF_UNIX, type | flags, 0, fds) == 0);
    else
        must(syscall(SYS_socketpair, AF_UNIX, type | flags, 0, fds) == 0);
    (void)add_pair(w, kind, kind, fds);
}

/* Two with addresses, which the kernel chooses, connected to each other. */
static void open_named(struct world *w, const struct step *s)
{
    struct sockaddr_un names[2];
    int flags = (s->a & 7) == 0 ? SOCK_NONBLOCK : 0, fds[2];
    int chan;

    for (int i = 0; i < 2; i++) {
        struct sockaddr_un any = { .sun_family = AF_UNIX };
        socklen_t len = sizeof names[i];

        fds[i] = socket(AF_UNIX, SOCK_DGRAM | flags, 0);
        must(fds[i] >= 0);
        must(bind(fds[i], (struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
        must(getsockname(fds[i], (struct sockaddr *)&names[i], &len) == 0);
        must(len == sizeof(sa_family_t) + 6);
    }
    for (int i = 0; i < 2; i++)
        must(connect(fds[i], (struct sockaddr *)&names[1 - i],
                     sizeof(sa_family_t) + 6) == 0);
    chan = add_pair(w, SLOT_DGRAM, SLOT_DGRAM, fds);
    if (chan < 0)
        return;
    memcpy(&w->chans[chan].addr, &names[1], sizeof names[1]);
    w->chans[chan].addr_len = sizeof(sa_family_t) + 6;
}

/* An address that few others have: ports run out slowly then. */
static struct sockaddr_in tcp_address(struct world *w)
{
    unsigned n = w->place++;

    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(0x7f000002U + n % 0xfffff0U),
    };
}

static int tcp_listener(struct world *w, struct sockaddr_in *addr, int backlog)
{
    socklen_t len = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *addr = tcp_address(w);
    must(fd >= 0 && bind(fd, (struct sockaddr *)addr, len) == 0);
    must(getsockname(fd, (struct sockaddr *)addr, &len) == 0);
    must(backlog < 0 || listen(fd, backlog) == 0);
    return fd;
}

static void open_tcp(struct world *w, const struct step *s)
{
    struct sockaddr_in addr;
    int listener = tcp_listener(w, &addr, 5), fds[2];

    fds[0] = s->b & 3 ? socket(AF_INET, SOCK_STREAM, 0)
                      : (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    must(fds[0] >= 0);
    must(connect(fds[0], (struct sockaddr *)&addr, sizeof addr) == 0);
    fds[1] = accept4(listener, NULL, NULL, (s->a & 7) == 0 ? SOCK_NONBLOCK : 0);
    must(fds[1] >= 0);
    must(close(listener) == 0);
    (void)add_pair(w, SLOT_TCP, SLOT_TCP, fds);
}

static void open_eventfd(struct world *w, const struct step *s)
{
    int flags =
        ((s->a & 7) == 0 ? EFD_NONBLOCK : 0) | (s->a & 16 ? EFD_SEMAPHORE : 0);
    unsigned count = s->a >> 8 & 3;
    int chan = world_chan(w);
    int fd = s->b & 3 ? eventfd(count, flags)
                      : (int)syscall(SYS_eventfd2, count, flags);

    must(fd >= 0);
    if (chan < 0) {
        (void)close(fd);
        return;
    }
    w->chans[chan].semaphore = flags & EFD_SEMAPHORE;
    (void)world_add(w, SLOT_EVENTFD, fd, chan, 0);
}

static void open_file(struct world *w)
{
    char text[FILE_SIZE];
    int chan = world_chan(w), fd = memfd_create("hook_fuzz", 0);

    must(fd >= 0);
    memset(text, 'f', sizeof text);
    must(pwrite(fd, text, sizeof text, 0) == FILE_SIZE);
    if (chan < 0)
        (void)close(fd);
    else
        (void)world_add(w, SLOT_FILE, fd, chan, 0);
}

void world_open(struct world *w, const struct step *s)
{
    switch (s->c % 14) {
    case 0:
    case 1:
    case 2:
        open_pipe(w, s);
        break;
    case 3:
    case 4:
    case 5:
        open_pair(w, s, SOCK_STREAM, SLOT_STREAM);
        break;
    case 6:
        open_pair(w, s, SOCK_DGRAM, SLOT_DGRAM);
        break;
    case 7:
        open_named(w, s);
        break;
    case 8:
        open_pair(w, s, SOCK_SEQPACKET, SLOT_PACKET);
        break;
    case 9:
    case 10:
    case 11:
        open_tcp(w, s);
        break;
    case 12:
        open_eventfd(w, s);
        break;
    default:
        open_file(w);
    }
}

/* ---- Listeners --------------------------------------------------------------
 */

static int unix_listener(struct sockaddr_un *addr, int type, int backlog)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX };
    socklen_t len = sizeof *addr;
    int fd = socket(AF_UNIX, type, 0);

    must(fd >= 0);
    must(bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
    must(getsockname(fd, (struct sockaddr *)addr, &len) == 0);
    must(len == sizeof(sa_family_t) + 6);
    must(backlog < 0 || listen(fd, backlog) == 0);
    return fd;
}

void world_listen(struct world *w, const struct step *s)
{
    static const enum slot_kind kinds[4] = { SLOT_TCP, SLOT_TCP, SLOT_STREAM,
                                             SLOT_PACKET };
    enum slot_kind peer = kinds[s->a & 3];
    bool deaf = (s->b & 3) == 0;
    struct sockaddr_storage addr = { 0 };
    int chan = world_chan(w), backlog = s->c & 1 ? 1 : 0, fd, slot;

    if (chan < 0)
        return;
    if (peer == SLOT_TCP)
        backlog = QUEUE_MOST;
    if (peer == SLOT_TCP)
        fd = tcp_listener(w, (struct sockaddr_in *)&addr, deaf ? -1 : backlog);
    else
        fd = unix_listener((struct sockaddr_un *)&addr,
                           peer == SLOT_STREAM ? SOCK_STREAM : SOCK_SEQPACKET,
                           deaf ? -1 : backlog);
    slot = world_add(w, deaf ? SLOT_DEAF : SLOT_LISTENER, fd, chan, 0);
    if (slot < 0)
        return;
    w->slots[slot].peer = peer;
    w->chans[chan].backlog = backlog;
    w->chans[chan].addr = addr;
    w->chans[chan].addr_len =
        peer == SLOT_TCP ? sizeof(struct sockaddr_in) : sizeof(sa_family_t) + 6;
    if ((s->b & 0x70) == 0)
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

int world_socket(struct world *w, enum slot_kind kind, bool nonblock)
{
    int flags = nonblock ? SOCK_NONBLOCK : 0, fd, chan = world_chan(w);

    if (chan < 0)
        return -1;
    if (kind == SLOT_TCP)
        fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    else
        fd = socket(
            AF_UNIX,
            (kind == SLOT_STREAM ? SOCK_STREAM : SOCK_SEQPACKET) | flags, 0);
    must(fd >= 0);
    return world_add(w, kind, fd, chan, 0);
}
