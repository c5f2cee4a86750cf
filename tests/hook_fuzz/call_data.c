/* call_data.c - the calls that move data.
 *
 * What is sent is a pattern that depends on the call and on the place in it;
 * what is received is hashed with the bytes behind it, which nobody may touch.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/call.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNTOUCHED = 0xa5, CONTROL_MOST = 64 };

struct message { /* what a struct msghdr points to */
    struct msghdr hdr;
    struct iovec iov[PARTS_MOST];
    struct sockaddr_storage name;
    union {
        char bytes[CONTROL_MOST];
        struct cmsghdr align;
    } control;
};

static void fill_pattern(struct call *c)
{
    for (size_t i = 0; i < c->len; i++)
        c->buf[i] = (char)(c->pattern + i * 7 + (i >> 8));
    if (c->number != 0 && c->len >= sizeof c->number)
        memcpy(c->buf, &c->number, sizeof c->number);
}

static uint32_t hash_bytes(uint32_t hash, const char *data, size_t len)
{
    uint64_t h = hash;

    for (size_t i = 0; i < len; i++)
        h = h * 0x100000001b3U + (unsigned char)data[i];
    return hash_more((uint32_t)(h >> 32), h);
}

/* The part i of the data, of n. */
static struct iovec part(const struct call *c, unsigned i, unsigned n)
{
    size_t begin = c->len * i / n, end = c->len * (i + 1) / n;

    return (struct iovec){ c->buf + begin, end - begin };
}

static int make_vec(const struct call *c, struct iovec *iov)
{
    for (unsigned i = 0; i < c->parts; i++)
        iov[i] = part(c, i, c->parts);
    return (int)c->parts;
}

/* ---- Messages ---------------------------------------------------------------
 */

static void attach_control(struct call *c, struct message *m)
{
    struct cmsghdr *head = &m->control.align;

    if (c->pass < 0)
        return;
    m->hdr.msg_control = m->control.bytes;
    m->hdr.msg_controllen = CMSG_SPACE(sizeof c->pass);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof c->pass);
    memcpy(CMSG_DATA(head), &c->pass, sizeof c->pass);
}

/* The data of one message is part i of n, itself in `parts` parts. */
static void open_message(struct call *c, struct message *m, unsigned i,
                         unsigned n, bool send)
{
    struct iovec all = part(c, i, n);
    unsigned parts = n > 1 ? 1 : c->parts;

    memset(m, 0, sizeof *m);
    for (unsigned k = 0; k < parts; k++) {
        size_t begin = all.iov_len * k / parts;
        size_t end = all.iov_len * (k + 1) / parts;

        m->iov[k] = (struct iovec){ (char *)all.iov_base + begin, end - begin };
    }
    m->hdr.msg_iov = m->iov;
    m->hdr.msg_iovlen = parts;
    if (send) {
        if (i == 0)
            attach_control(c, m);
        if (c->addr_len > 0) {
            m->hdr.msg_name = &c->addr;
            m->hdr.msg_namelen = c->addr_len;
        }
        return;
    }
    m->hdr.msg_name = &m->name;
    m->hdr.msg_namelen = sizeof m->name;
    if (c->room > 0) {
        m->hdr.msg_control = m->control.bytes;
        m->hdr.msg_controllen = c->room;
    }
}

static void note_control(struct call *c, struct message *m)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m->hdr); h != NULL;
         h = CMSG_NXTHDR(&m->hdr, h)) {
        size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        c->hash = hash_more(c->hash, (uint64_t)h->cmsg_level << 32 |
                                         (unsigned)h->cmsg_type);
        c->hash = hash_more(c->hash, h->cmsg_len);
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (c->made[0] < 0)
                c->made[0] = fd;
            else if (c->made[1] < 0)
                c->made[1] = fd;
            else
                (void)close(fd);
        }
    }
}

/* Names are of the kernel's choice here: their kind is looked at, and how long
 * they are where that is not. */
static void note_received(struct call *c, struct message *m, int64_t len)
{
    c->bytes += len;
    c->messages++;
    c->msg_flags |= m->hdr.msg_flags;
    c->hash = hash_more(c->hash, (uint64_t)len);
    c->hash = hash_more(c->hash, (unsigned)m->hdr.msg_flags);
    c->hash = hash_more(c->hash, m->hdr.msg_namelen);
    c->hash = hash_more(c->hash, m->hdr.msg_controllen);
    if (m->hdr.msg_namelen > 0)
        c->hash = hash_more(c->hash, m->name.ss_family);
    note_control(c, m);
}

static void receive_one(struct call *c)
{
    struct message m;

    open_message(c, &m, 0, 1, false);
    c->ret = recvmsg(c->fd, &m.hdr, c->flags);
    if (c->ret >= 0)
        note_received(c, &m, c->ret);
    c->messages = c->ret >= 0;
}

static void receive_many(struct call *c)
{
    struct message m[PARTS_MOST];
    struct mmsghdr v[PARTS_MOST];
    int err;

    for (unsigned i = 0; i < c->parts; i++) {
        open_message(c, &m[i], i, c->parts, false);
        v[i] = (struct mmsghdr){ .msg_hdr = m[i].hdr };
    }
    c->ret = recvmmsg(c->fd, v, c->parts, c->flags, NULL);
    err = errno;
    for (int i = 0; i < c->ret; i++) {
        m[i].hdr = v[i].msg_hdr;
        note_received(c, &m[i], v[i].msg_len);
    }
    errno = err;
}

static void send_many(struct call *c)
{
    struct message m[PARTS_MOST];
    struct mmsghdr v[PARTS_MOST];

    for (unsigned i = 0; i < c->parts; i++) {
        open_message(c, &m[i], i, c->parts, true);
        v[i] = (struct mmsghdr){ .msg_hdr = m[i].hdr };
    }
    c->ret = sendmmsg(c->fd, v, c->parts, c->flags);
    for (int i = 0; i < c->ret; i++) {
        c->bytes += v[i].msg_len;
        c->messages++;
        c->hash = hash_more(c->hash, v[i].msg_len);
    }
}

static void receive_from(struct call *c)
{
    struct sockaddr_storage name = { 0 };
    socklen_t len = sizeof name;

    c->ret = recvfrom(c->fd, c->buf, c->len, c->flags, (struct sockaddr *)&name,
                      &len);
    if (c->ret < 0)
        return;
    c->hash = hash_more(c->hash, len);
    if (len > 0)
        c->hash = hash_more(c->hash, name.ss_family);
}

/* ---- Until all is there -----------------------------------------------------
 */

/* Reads len bytes, or up to the end; where it would not block, it waits. */
static void take(struct call *c)
{
    size_t done = 0;

    while (done < c->len) {
        size_t most = c->len - done;
        ssize_t r;

        if (most > (size_t)c->value)
            most = (size_t)c->value;
        r = c->flags < 0 ? read(c->fd, c->buf + done, most)
                         : recv(c->fd, c->buf + done, most, c->flags);
        if (r < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = c->fd, .events = POLLIN };

            if (poll(&p, 1, -1) >= 0)
                continue;
        }
        if (r <= 0) {
            c->hash = hash_more(c->hash, r < 0 ? (uint64_t)errno : 1);
            break;
        }
        done += (size_t)r;
    }
    c->ret = (int64_t)done;
}

/* ---- All --------------------------------------------------------------------
 */

static bool call_receive(struct call *c)
{
    struct iovec iov[PARTS_MOST];

    switch (c->kind) {
    case CALL_READ:
        c->ret = read(c->fd, c->buf, c->len);
        return true;
    case CALL_READV:
        c->ret = readv(c->fd, iov, make_vec(c, iov));
        return true;
    case CALL_PREADV2:
        c->ret = preadv2(c->fd, iov, make_vec(c, iov), -1, 0);
        return true;
    case CALL_RECV:
        c->ret = recv(c->fd, c->buf, c->len, c->flags);
        return true;
    case CALL_RECVFROM:
        receive_from(c);
        return true;
    case CALL_RECVMSG:
        receive_one(c);
        return true;
    case CALL_RECVMMSG:
        receive_many(c);
        return true;
    case CALL_TAKE:
        take(c);
        return true;
    default:
        return false;
    }
}

static void send_one(struct call *c)
{
    struct message m;

    open_message(c, &m, 0, 1, true);
    c->ret = sendmsg(c->fd, &m.hdr, c->flags);
}

static bool call_send(struct call *c)
{
    struct iovec iov[PARTS_MOST];

    switch (c->kind) {
    case CALL_WRITE:
        c->ret = write(c->fd, c->buf, c->len);
        return true;
    case CALL_WRITEV:
        c->ret = writev(c->fd, iov, make_vec(c, iov));
        return true;
    case CALL_PWRITEV2:
        c->ret = pwritev2(c->fd, iov, make_vec(c, iov), -1, 0);
        return true;
    case CALL_SEND:
        c->ret = send(c->fd, c->buf, c->len, c->flags);
        return true;
    case CALL_SENDTO:
        c->ret = sendto(c->fd, c->buf, c->len, c->flags,
                        c->addr_len > 0 ? (struct sockaddr *)&c->addr : NULL,
                        c->addr_len);
        return true;
    case CALL_SENDMSG:
        send_one(c);
        return true;
    case CALL_SENDMMSG:
        send_many(c);
        return true;
    case CALL_SENDFILE:
        c->ret = sendfile(c->fd, c->fd2, NULL, c->len);
        return true;
    case CALL_SPLICE:
        c->ret = splice(c->fd2, NULL, c->fd, NULL, c->len, (unsigned)c->flags);
        return true;
    default:
        return false;
    }
}

/* No message, not even an empty one, is moved by these. */
static bool is_nothing(const struct call *c)
{
    return c->len == 0 && (c->kind <= CALL_PREADV2 || c->kind == CALL_WRITEV ||
                           c->kind == CALL_PWRITEV2);
}

int call_make_data(struct call *c)
{
    bool counted = c->kind == CALL_RECVMMSG || c->kind == CALL_SENDMMSG;

    if (c->kind < CALL_WRITE || c->kind == CALL_TAKE) {
        int err;

        memset(c->buf, UNTOUCHED, c->len + EDGE);
        (void)call_receive(c);
        err = errno;
        c->hash = hash_bytes(c->hash, c->buf, c->len + EDGE);
        errno = err;
    } else {
        if (c->kind >= CALL_WRITE && c->kind <= CALL_SENDMMSG)
            fill_pattern(c);
        if (!call_send(c))
            return 0;
    }
    if (!counted && c->ret >= 0) {
        c->bytes = c->ret;
        c->messages = !is_nothing(c);
    }
    return 1;
}
