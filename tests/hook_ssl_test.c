/* hook_ssl_test.c - OpenSSL over sockets in coroutines, against an nginx of our
 * own; its queue of errors, which is the thread's, never shows one coroutine
 * what another one did.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>

enum { CLIENTS = 200 };

/* The one knows nginx's certificate, the other refuses it. */
static SSL_CTX *trusting, *wary;

struct client {
    int number;
    bool nonblocking;
    const char *path;
    size_t size; /* what is there */
    int port;    /* of the silent server */
};

static atomic_int transfers; /* that go on */

static int connected(int port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static SSL *ssl_on(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);

    CHECK(ssl != NULL);
    CHECK_EQ(SSL_set1_host(ssl, "localhost"), 1);
    CHECK_EQ(SSL_set_fd(ssl, fd), 1);
    return ssl;
}

static void ssl_close(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    SSL_free(ssl);
    CHECK_EQ(close(fd), 0);
}

/* After a call returned r: true if it is to be repeated, now that it can go on.
 * On a socket in blocking mode that is so after a signal. */
static bool again(SSL *ssl, int r)
{
    struct pollfd p = { .fd = SSL_get_fd(ssl) };
    int why = SSL_get_error(ssl, r);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return false;
    p.events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    CHECK(poll(&p, 1, 60000) == 1 || errno == EINTR);
    return true;
}

/* A connection's whole life, with the usual question after each call. */
static void transfer(const struct client *c)
{
    SSL *ssl = ssl_on(trusting, connected(server_port("HTTPS_PORT")));
    char *data = malloc(c->size + 4096), request[100];
    size_t got = 0;
    int r, len;

    CHECK(data != NULL);
    if (c->nonblocking)
        CHECK_EQ(fcntl(SSL_get_fd(ssl), F_SETFL, O_RDWR | O_NONBLOCK), 0);
    while ((r = SSL_connect(ssl)) <= 0)
        CHECK(again(ssl, r));
    len = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", c->path);
    while ((r = SSL_write(ssl, request, len)) <= 0)
        CHECK(again(ssl, r));
    for (;;) {
        r = SSL_read(ssl, data + got, (int)(c->size + 4095 - got));
        if (r > 0)
            got += (size_t)r;
        else if (!again(ssl, r))
            break;
    }
    CHECK_EQ(SSL_get_error(ssl, r), SSL_ERROR_ZERO_RETURN);
    CHECK_EQ(ERR_peek_error(), 0);
    data[got] = '\0';
    CHECK(strncmp(data, "HTTP/1.1 200 OK\r\n", 17) == 0);
    CHECK_EQ(data + got - (strstr(data, "\r\n\r\n") + 4), c->size);
    (void)SSL_shutdown(ssl);
    ssl_close(ssl);
    free(data);
}

static void transfers_one(void *arg)
{
    transfer(arg);
    atomic_fetch_sub(&transfers, 1);
}

static void many_at_once(void)
{
    struct client clients[20];

    for (int i = 0; i < 20; i++)
        clients[i] = (struct client){ .nonblocking = i % 2 != 0,
                                      .path = "/large",
                                      .size = 1 << 20 };
    at_once(transfers_one, clients, sizeof *clients, 20);
}

static bool was_refused(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

/* Again and again, and leaves what OpenSSL said in the queue, where it must
 * stay for the one who caused it. */
static void fails_handshakes(void)
{
    do {
        SSL *ssl = ssl_on(wary, connected(server_port("HTTPS_PORT")));
        int r;

        while ((r = SSL_connect(ssl)) < 0 && again(ssl, r))
            ; /* a signal */
        CHECK_EQ(r, -1);
        CHECK_EQ(SSL_get_error(ssl, r), SSL_ERROR_SSL);
        CHECK(was_refused());
        (void)usleep(1000);
        CHECK(was_refused());
        CHECK_EQ(SSL_get_error(ssl, r), SSL_ERROR_SSL);
        ssl_close(ssl);
        (void)usleep(100000);
        CHECK(was_refused());
    } while (atomic_load(&transfers) > 0);
}

static void fails_or_transfers(void *arg)
{
    struct client *c = arg;

    if (c->number % 2 == 0)
        fails_handshakes();
    else
        transfers_one(c);
}

/* Half of the transfers are slow, and so ask often; half carry much. */
static void errors_stay_apart(void)
{
    struct client clients[CLIENTS];
    int n = under_valgrind() ? 40 : CLIENTS;

    transfers = n / 2;
    for (int i = 0; i < n; i++) {
        bool slow = i / 4 % 2 == 0;

        clients[i] = (struct client){ .number = i,
                                      .nonblocking = i / 2 % 2 == 0,
                                      .path = slow ? "/slow" : "/large",
                                      .size = slow ? 150000 : 1 << 20 };
    }
    at_once(fails_or_transfers, clients, sizeof *clients, n);
    ERR_clear_error();
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

/* Nothing is asked of nginx, so nothing is answered. */
static void read_fails(void *arg)
{
    SSL *ssl = arg;
    char c;
    int r;

    while ((r = SSL_read(ssl, &c, 1)) < 0 && again(ssl, r))
        ;
    CHECK_EQ(errno, co_cancelled() ? ECANCELED : ETIMEDOUT);
    CHECK_EQ(SSL_get_error(ssl, r), SSL_ERROR_SYSCALL);
}

static void connect_fails(void *arg)
{
    SSL *ssl = ssl_on(trusting, connected(*(int *)arg));
    int r;

    while ((r = SSL_connect(ssl)) < 0 && again(ssl, r))
        ;
    CHECK_EQ(errno, co_cancelled() ? ECANCELED : ETIMEDOUT);
    CHECK_EQ(SSL_get_error(ssl, r), SSL_ERROR_SYSCALL);
    ssl_close(ssl);
}

static void limit_and_cancel(void)
{
    struct ending endings[4];
    SSL *ssl[2];
    int port = silent_port(), r;

    for (int i = 0; i < 2; i++) {
        ssl[i] = ssl_on(trusting, connected(server_port("HTTPS_PORT")));
        while ((r = SSL_connect(ssl[i])) < 0 && again(ssl[i], r))
            ;
        CHECK_EQ(r, 1);
        endings[i] = (struct ending){ read_fails, ssl[i], i != 0 };
        endings[2 + i] = (struct ending){ connect_fails, &port, i != 0 };
    }
    at_once(ends_in_time, endings, sizeof *endings, 4);
    for (int i = 0; i < 2; i++)
        ssl_close(ssl[i]);
}

static void tests(void)
{
    RUN(many_at_once);
    RUN(errors_stay_apart);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

static SSL_CTX *context(bool trusts)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    CHECK(ctx != NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (trusts)
        CHECK_EQ(
            SSL_CTX_load_verify_locations(ctx, server_text("HTTPS_CERT"), NULL),
            1);
    return ctx;
}

int main(void)
{
    int status;

    (void)signal(SIGPIPE, SIG_IGN); /* a BIO writes with write(2) */
    if (getenv("SERVERS") != NULL) {
        trusting = context(true);
        wary = context(false);
    }
    status = run_clients(tests);
    SSL_CTX_free(trusting);
    SSL_CTX_free(wary);
    return status;
}
