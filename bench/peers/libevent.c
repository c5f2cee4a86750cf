/* libevent.c - the contender on libevent: bufferevents for echo, evhttp for
 * HTTP, as its documentation has them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/answer.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct service service = { .name = "libevent" };
static struct event_base *base;

static void on_read(struct bufferevent *b, void *arg)
{
    struct evbuffer *in = bufferevent_get_input(b);
    char first = '\0';

    (void)arg;
    if (evbuffer_copyout(in, &first, 1) == 1 && first == '!')
        service_work(&service);
    (void)evbuffer_add_buffer(bufferevent_get_output(b), in);
}

static void on_end(struct bufferevent *b, short what, void *arg)
{
    (void)what;
    (void)arg;
    bufferevent_free(b);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
                      struct sockaddr *addr, int len, void *arg)
{
    struct timeval idle = { .tv_sec = service.idle_s };
    struct bufferevent *b =
        bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)l;
    (void)addr;
    (void)len;
    (void)arg;
    if (b == NULL) {
        (void)evutil_closesocket(fd);
        return;
    }
    service_no_delay(fd);
    bufferevent_setcb(b, on_read, NULL, on_end, NULL);
    bufferevent_set_timeouts(b, &idle, NULL);
    bufferevent_setwatermark(b, EV_READ, 0, 4 * ANSWER_READ);
    (void)bufferevent_enable(b, EV_READ | EV_WRITE);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    const char *path = evhttp_request_get_uri(req);
    bool heavy = strncmp(path, "/heavy/", 7) == 0;
    struct evkeyvalq *fields = evhttp_request_get_output_headers(req);

    (void)arg;
    if (!heavy && strncmp(path, "/greet/", 7) != 0) {
        evhttp_send_error(req, HTTP_NOTFOUND, NULL);
        return;
    }
    if (heavy)
        service_work(&service);
    (void)evhttp_add_header(fields, "Content-Type",
                            "text/plain; charset=utf-8");
    (void)evbuffer_add_printf(evhttp_request_get_output_buffer(req),
                              "hello, %s\n", strrchr(path, '/') + 1);
    evhttp_send_reply(req, HTTP_OK, "OK", NULL);
}

static bool serve(int fd)
{
    struct evhttp *http;

    if (!service.http)
        return evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE,
                                  0, fd) != NULL;
    http = evhttp_new(base);
    if (http == NULL || evhttp_accept_socket(http, fd) < 0)
        return false;
    evhttp_set_timeout(http, (int)service.idle_s);
    evhttp_set_gencb(http, on_request, NULL);
    return true;
}

int main(int argc, char **argv)
{
    int fd;

    service_parse(&service, argc, argv);
    service_never_blocks(&service);
    fd = service_listen(&service, SOCK_NONBLOCK);
    base = event_base_new();
    if (fd < 0 || base == NULL || !serve(fd) || service_ready(fd) < 0)
        return service_failed(&service, service.addr);
    (void)event_base_dispatch(base);
    return service_failed(&service, "event_base_dispatch");
}
