/* mysql_read.c - how a connection reads its socket.
 *
 * The library asks the socket, which has nothing yet since the statement has
 * just been sent, has us wait, and asks again.  The runtime knows that what was
 * read last was all there was, so of these three system calls it needs the last
 * one alone.  Whatever is out of the ordinary (time is up, TLS, a limit of the
 * library's own) goes the library's way, which ends in mysql_wait().
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/mysql_conn.h"
#include <errno.h>
#include <ma_pvio.h>
#include <pthread.h>

static const PVIO_METHODS *theirs; /* the same for TCP and unix sockets */
static PVIO_METHODS ours;          /* a copy but for these two */

static ssize_t read_socket(MARIADB_PVIO *pvio, unsigned char *buf, size_t len)
{
    struct mysql_conn *c = mysql_conn_of(pvio->mysql);
    ssize_t n = -1;

    if (c->stop_until == 0 && pvio->timeout[PVIO_READ_TIMEOUT] <= 0) {
        n = co_sys_recv(mysql_get_socket(c->db), buf, len, c->deadline);
        if (n >= 0 || (errno != ETIMEDOUT && errno != ECANCELED))
            return n;
    }
    return theirs->read(pvio, buf, len);
}

/* The library closes also by itself, when the connection is lost. */
static my_bool close_socket(MARIADB_PVIO *pvio)
{
    co_fd_forget(mysql_get_socket(pvio->mysql));
    return theirs->close(pvio);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int mysql_read_directly(struct mysql_conn *c)
{
    MARIADB_PVIO *pvio = c->db->net.pvio;

    if (pvio->type != PVIO_TYPE_SOCKET && pvio->type != PVIO_TYPE_UNIXSOCKET)
        return 0;
    (void)pthread_mutex_lock(&lock); /* cannot fail: it is ours alone */
    if (theirs == NULL) {
        ours = *pvio->methods;
        ours.read = read_socket;
        ours.close = close_socket;
        theirs = pvio->methods;
    }
    (void)pthread_mutex_unlock(&lock);
    if (pvio->methods != theirs) /* a plug-in's */
        return 0;
    pvio->methods = &ours;
    return co_sys_fresh(mysql_get_socket(c->db));
}
