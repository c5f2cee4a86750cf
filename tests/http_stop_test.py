# http_stop_test.py - a stop under load loses no request of which a byte was
# read, or whose connection was accepted.
#
# While wrk asks over 64 connections, clients that count ask, too: one request
# after another, several at once, each on a new connection, some in pieces.  In
# the middle comes SIGTERM.  The server says at its end what it read of each
# connection, and whatever begins before that must have been answered.  What it
# accepted but never read from may be lost only by a client that was late, which
# the clients know of themselves.
#
# SPDX-License-Identifier: MIT
import collections
import errno
import re
import selectors
import signal
import socket
import sys
import time

from web import LIMIT, WebServer, check, main, number, start

LATE = 0.1  # half of what the server waits for a request that is on its way
HEAD = b" HTTP/1.1\r\nHost: a\r\n\r\n"
SIZE = 2_000_000  # of the long answer


class Client:
    """One connection: asks again and again, depth requests at a time."""

    def __init__(self, load, paths, depth=1, times=0, again=False):
        self.load, self.paths, self.depth = load, paths, depth
        self.times, self.again = times, again
        self.starts = []  # where each request begins
        self.ends = 0
        self.answers = 0
        self.buffer = b""
        self.last = False    # "Connection: close" came
        self.ended = None    # how
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.connected = False
        self.port = None
        self.begun = time.monotonic()
        load.clients.append(self)
        try:
            self.socket.connect(load.server.addr)
        except BlockingIOError:
            pass
        except OSError as error:
            self.end(error)
            return
        self.port = self.socket.getsockname()[1]
        load.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def send(self, data, begins=True):
        if self.ended is not None:
            return
        if begins:
            self.starts.append(self.ends)
        try:
            sent = self.socket.send(data)
            check(sent == len(data), "a full socket")
        except OSError as error:
            if begins:
                self.starts.pop()
            self.end(error)
            return
        self.ends += len(data)

    def ask(self):
        while self.ended is None and not self.last and \
                len(self.starts) - self.answers < self.depth and \
                (self.times == 0 or len(self.starts) < self.times):
            path = self.paths[len(self.starts) % len(self.paths)]
            self.send(b"GET " + path + HEAD)

    def ready(self):
        if not self.connected:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self.end(OSError(error, "connect"))
                return
            self.connected = True
            self.load.selector.modify(self.socket, selectors.EVENT_READ, self)
            self.ask()
            return
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(error)
            return
        if not data:
            self.end(None)
            return
        self.buffer += data
        self.take()
        if self.again and self.answers == self.times:
            self.end(None)
        else:
            self.ask()

    def take(self):
        """The answers that are there in whole."""
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            length = re.search(rb"Content-Length: (\d+)", head)
            check(head.startswith(b"HTTP/1.1 200 "), head)
            check(not self.last, "an answer behind the last one")
            if length:
                size = int(length[1])
                if len(rest) < size:
                    return
                self.buffer = rest[size:]
            else:
                at = rest.find(b"\r\n0\r\n\r\n")
                if at < 0:
                    return
                self.buffer = rest[at + 7:]
            self.last = b"\r\nConnection: close" in head
            self.answers += 1
            check(self.answers <= len(self.starts), "an answer to nothing")

    def end(self, error):
        self.ended = "end" if error is None else errno.errorcode[error.errno]
        if self.connected or self.port:
            try:
                self.load.selector.unregister(self.socket)
            except KeyError:
                pass
        self.socket.close()
        self.load.over(self)


class Load:
    """All clients, served by one loop that knows how late it is."""

    def __init__(self, server):
        self.server = server
        self.selector = selectors.DefaultSelector()
        self.clients = []
        self.latest = 0.0
        self.refused = False

    def over(self, client):
        """Who asks once on each connection goes on until it is refused."""
        if client.ended == "ECONNREFUSED":
            self.refused = True
        elif client.again:
            Client(self, client.paths, 1, client.times, True)

    def run(self, until):
        limit = time.monotonic() + LIMIT
        while not until():
            before = time.monotonic()
            check(before < limit, "no end")
            for key, _ in self.selector.select(0.01):
                key.data.ready()
            # The time in select() counts only when it was more than asked for.
            self.latest = max(self.latest, time.monotonic() - before)


def lost(load, conns):
    """Requests that were read and not answered; those of connections that were
    accepted and not read from again."""
    accepted = collections.defaultdict(list)
    for port, count in conns:
        accepted[port].append(count)
    read, unread = [], []
    for client in load.clients:
        if client.port is None or not accepted[client.port]:
            continue
        # Ports may come again, in the same order on both sides; what was never
        # established was not accepted, either.
        if not client.connected:
            continue
        count = accepted[client.port].pop(0)
        for start in client.starts[client.answers:]:
            what = (client.paths, f"depth {client.depth}", client.ended,
                    f"{client.answers} answers, byte {start} of {count}")
            if start < count:
                read.append(what)
            elif not client.last:
                unread.append(what)
    return read, unread


def in_pieces(load):
    """Requests that have begun at the stop: a head, a body, an answer."""
    pieces = []
    for first, rest in (
            (b"GET /hello HTTP/1.1\r\nHo", [b"st: a\r\n", b"\r\n"]),
            (b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
             [b"cde", b"fghi"]),
            (b"POST /back HTTP/1.1\r\nHost: a\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
             [b"c\r\n2\r", b"\nde\r\n0\r\n", b"\r\n"])):
        client = Client(load, [first], times=-1)
        load.run(lambda: client.connected)
        client.send(first)
        pieces.append((client, rest))
    return pieces


def test_counted():
    with WebServer("grace=60000") as server:
        load = Load(server)
        wrk = start("wrk", "-t", "1", "-c", "64", "-d", "60s",
                    server.url + "/slow/1")
        busy = [Client(load, [b"/hello", b"/slow/3"]) for _ in range(16)]
        busy += [Client(load, [b"/slow/30", b"/stream/500"]) for _ in range(8)]
        busy += [Client(load, [b"/hello", b"/slow/2"], 8) for _ in range(8)]
        for _ in range(8):
            Client(load, [b"/hello", b"/slow/5"], 1, 1, True)
        idle = [Client(load, [b"/hello"], 1, 1) for _ in range(16)]
        fresh = [Client(load, [], 0) for _ in range(4)]
        long = Client(load, [b"/stream/%d" % SIZE, b"/slow/100"], 1, 1)
        load.run(lambda: all(client.answers > 20 for client in busy)
                 and all(client.answers == 1 for client in idle)
                 and len(load.clients) > 100)
        pieces = in_pieces(load)
        load.run(lambda: any(client.answers > 25 for client in busy))
        load.latest = 0.0
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while any(rest for _, rest in pieces):
            for client, rest in pieces:
                if rest:
                    client.send(rest.pop(0), False)
            # The end of those that do nothing says that the stop has begun.
            load.run(lambda: all(client.ended for client in idle))
        load.run(lambda: load.refused and all(
            client.ended for client in load.clients))
        conns = server.ends()
        took = time.monotonic() - begun
        wrk.send_signal(signal.SIGINT)
        said = wrk.communicate(timeout=LIMIT)[0].decode()
        read, unread = lost(load, conns)
        answered = sum(client.answers for client in load.clients)
        print(f"    {answered} answers on {len(load.clients)} connections, "
              f"{len(read)} lost that were read, {len(unread)} that were not; "
              f"{took:.1f} s, late by {load.latest:.3f} s")
        check(not read, read[:9])
        check(not unread or load.latest > LATE, unread[:9])
        for client, rest in pieces:
            check(client.answers == 1 and client.last, client.paths)
        check(long.answers == 1, "the long answer broke off")
        for client in idle + fresh:
            check(client.answers == client.times and client.ended == "end",
                  f"idle: {client.ended}")
        for client in busy:
            check(client.last or load.latest > LATE,
                  f"{client.paths} ended without being told")
        check(took < LIMIT / 4, f"a stop in {took} s")
        check(number(r"(\d+) requests in", said) > 0, said)


def test_again():
    """The same port, at once."""
    for _ in range(3):
        with WebServer("grace=60000") as server:
            load = Load(server)
            for _ in range(50):
                Client(load, [b"/slow/1"], 1, 1, True)
            load.run(lambda: sum(c.answers for c in load.clients) > 200)
            load.latest = 0.0
            server.process.send_signal(signal.SIGTERM)
            load.run(lambda: load.refused and all(
                client.ended for client in load.clients))
            read, unread = lost(load, server.ends())
            check(not read, read[:9])
            check(not unread or load.latest > LATE, unread[:9])


if __name__ == "__main__":
    sys.exit(main([test_counted, test_again]))
