/* mysql_socket.c - how a connection uses its socket, once it is connected.
 *
 * In place of the library's own functions, because that one asks the socket,
 * which has nothing yet since the statement has just been sent, has us wait,
 * and asks again.  The runtime knows that what was read last was all there was,
 * so of these three system calls it needs the last one alone.  TLS reads and
 * writes by itself and only has us wait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/mysql_conn.h"
#include <dlfcn.h>
#include <errno.h>
#include <ma_pvio.h>
#include <pthread.h>
#include <sys/socket.h>

static const PVIO_METHODS *theirs; /* the same for TCP and unix sockets */
static PVIO_METHODS ours;          /* a copy but for these four */

/* ---- What OpenSSL remembers ------------------------------------------------
 */

void ERR_clear_error(void) __attribute__((weak)); /* when it is linked */

static void no_errors(void) {}

static void (*clear_errors)(void) = no_errors;

static void find_openssl(void)
{
    void *found = dlsym(RTLD_DEFAULT, "ERR_clear_error");

    if (ERR_clear_error != NULL)
        clear_errors = ERR_clear_error;
    else if (found != NULL)
        *(void **)&clear_errors = found;
}

/* OpenSSL has one queue of errors a thread, and takes whatever is in it for the
 * reason why its last call had nothing to give.  The library leaves there what
 * came of closing a connection that is broken; the next coroutine's connection
 * would seem to be broken as well. */
void mysql_forget_tls_errors(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, find_openssl);
    clear_errors();
}

/* ---- The functions ---------------------------------------------------------
 */

static ssize_t read_socket(MARIADB_PVIO *pvio, unsigned char *buf, size_t len)
{
    struct mysql_conn *c = mysql_conn_of(pvio->mysql);
    int fd = mysql_get_socket(c->db), ms = pvio->timeout[PVIO_READ_TIMEOUT];
    ssize_t n;

    if (c->stop_until == 0 && ms <= 0) {
        n = co_sys_recv(fd, buf, len, c->deadline);
        if (n >= 0 || (errno != ETIMEDOUT && errno != ECANCELED))
            return n;
    }
    while ((n = recv(fd, buf, len, MSG_DONTWAIT)) < 0)
        if (errno != EINTR &&
            (errno != EAGAIN || mysql_wait(c, fd, CO_READ, ms) < 1))
            break;
    return n;
}

static ssize_t write_socket(MARIADB_PVIO *pvio, const unsigned char *buf,
                            size_t len)
{
    struct mysql_conn *c = mysql_conn_of(pvio->mysql);
    int fd = mysql_get_socket(c->db), ms = pvio->timeout[PVIO_WRITE_TIMEOUT];
    ssize_t n;

    while ((n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0)
        if (errno != EINTR &&
            (errno != EAGAIN || mysql_wait(c, fd, CO_WRITE, ms) < 1))
            break;
    return n;
}

static int wait_for_socket(MARIADB_PVIO *pvio, my_bool is_read, int ms)
{
    struct mysql_conn *c = mysql_conn_of(pvio->mysql);

    return mysql_wait(c, mysql_get_socket(c->db), is_read ? CO_READ : CO_WRITE,
                      ms);
}

/* The library closes also by itself, when the connection is lost. */
static my_bool close_socket(MARIADB_PVIO *pvio)
{
    mysql_forget_tls_errors();
    co_fd_forget(mysql_get_socket(pvio->mysql));
    return theirs->close(pvio);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int mysql_socket_take(struct mysql_conn *c)
{
    MARIADB_PVIO *pvio = c->db->net.pvio;

    (void)pthread_mutex_lock(&lock); /* cannot fail: it is ours alone */
    if (theirs == NULL) {
        ours = *pvio->methods;
        ours.read = read_socket;
        ours.write = write_socket;
        ours.wait_io_or_timeout = wait_for_socket;
        ours.close = close_socket;
        theirs = pvio->methods;
    }
    (void)pthread_mutex_unlock(&lock);
    if (pvio->methods != theirs) { /* a plug-in's: not a socket */
        errno = ENOTSUP;
        return -1;
    }
    pvio->methods = &ours;
    return co_sys_fresh(mysql_get_socket(c->db));
}
