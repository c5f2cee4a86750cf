/* asio.cpp - the contender on Boost.Asio: C++20 coroutines on one thread, as
 * its documentation has them; HTTP by the same parser as our own servers'.
 *
 * A connection has a timer, which each read puts off; who is silent finds its
 * socket closed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/answer.h"
#include <utility> /* Boost 1.74 forgets it */

#include <boost/asio.hpp>
#include <chrono>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;

static struct service service;
static struct answer answers;

struct client {
    explicit client(tcp::socket s)
        : socket(std::move(s)), timer(socket.get_executor())
    {
    }
    tcp::socket socket;
    asio::steady_timer timer;
    std::chrono::steady_clock::time_point limit;

    void put_off()
    {
        limit = std::chrono::steady_clock::now() +
                std::chrono::seconds(service.idle_s);
    }
};

static asio::awaitable<void> work()
{
    service_compute(&service);
    if (service.block_ms > 0) {
        asio::steady_timer t(co_await asio::this_coro::executor,
                             std::chrono::milliseconds(service.block_ms));
        co_await t.async_wait(asio::use_awaitable);
    }
}

static asio::awaitable<void> respond(client &c, std::vector<char> &in,
                                     size_t &len)
{
    static char out[ANSWER_OUT]; /* made and sent before anyone else's turn, */
    struct answer_turn turn;     /* or copied */
    size_t at = 0;

    for (; at < len; at += turn.used) {
        if (!answer(&answers, in.data() + at, len - at, out, &turn))
            throw std::runtime_error("no request");
        if (turn.used == 0)
            break;
        std::vector<char> copy;
        if (service.http)
            copy.assign(turn.out, turn.out + turn.len);
        if (turn.heavy)
            co_await work();
        co_await asio::async_write(
            c.socket,
            asio::buffer(service.http ? copy.data() : turn.out, turn.len),
            asio::use_awaitable);
    }
    len -= at;
    memmove(in.data(), in.data() + at, len);
}

static asio::awaitable<void> serve(std::shared_ptr<client> c)
{
    std::vector<char> in(2 * ANSWER_READ);
    size_t len = 0;

    try {
        for (;;) {
            len += co_await c->socket.async_read_some(
                asio::buffer(in.data() + len, ANSWER_READ),
                asio::use_awaitable);
            c->put_off();
            co_await respond(*c, in, len);
        }
    } catch (const std::exception &) { /* the peer has gone, or the silence
                                          was too long */
    }
    c->timer.cancel();
}

static asio::awaitable<void> watch(std::shared_ptr<client> c)
{
    boost::system::error_code error;

    while (c->limit > std::chrono::steady_clock::now()) {
        c->timer.expires_at(c->limit);
        co_await c->timer.async_wait(
            asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
    }
    c->socket.close(error);
}

static asio::awaitable<void> listen(tcp::acceptor acceptor)
{
    auto executor = co_await asio::this_coro::executor;

    for (;;) {
        auto c = std::make_shared<client>(
            co_await acceptor.async_accept(asio::use_awaitable));
        c->socket.set_option(tcp::no_delay(true));
        c->put_off();
        asio::co_spawn(executor, serve(c), asio::detached);
        asio::co_spawn(executor, watch(c), asio::detached);
    }
}

int main(int argc, char **argv)
{
    asio::io_context context(1);
    int fd;

    service.name = "asio";
    answers.service = &service;
    service_parse(&service, argc, argv);
    fd = service_listen(&service, SOCK_NONBLOCK);
    if (fd < 0 || service_ready(fd) < 0)
        return service_failed(&service, service.addr);
    asio::co_spawn(context, listen(tcp::acceptor(context, tcp::v4(), fd)),
                   asio::detached);
    context.run();
    return service_failed(&service, "asio");
}
