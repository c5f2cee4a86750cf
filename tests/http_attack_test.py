# http_attack_test.py - the HTTP server attacked over bare sockets: requests
# that two servers might take apart differently, resets wherever they hurt,
# clients that never read, more of them than there are descriptors, a stop among
# them.
#
# After each the server answers, and holds as many descriptors as before.
#
# CORTEN_BUILD names the build.
#
# SPDX-License-Identifier: MIT
import os
import re
import resource
import select
import signal
import socket
import struct
import sys
import time

from web import LIMIT, WebServer, check, count, launcher, main

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
RESET = struct.pack("ii", 1, 0)
TIMES = "head=2000", "body=2000", "write=2000", "idle=2000"


def post(*fields, body=b"", path=b"/count", version=b"1.1"):
    lines = b"".join(field + b"\r\n" for field in fields)
    return (b"POST " + path + b" HTTP/" + version + b"\r\nHost: a\r\n" + lines +
            b"\r\n" + body)


def get(*fields):
    return b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"".join(fields) + b"\r\n"


LENGTH = b"Content-Length: 5"
CHUNKED = b"Transfer-Encoding: chunked"


def chunked(body, *fields):
    return post(CHUNKED, *fields, body=body)


# Each is followed by a request that only an answer to it may be followed by.
SPOILT = {
    400: [
        post(LENGTH, CHUNKED, body=CHUNKS), post(CHUNKED, LENGTH, body=CHUNKS),
        post(LENGTH, LENGTH, body=b"hello"),
        post(LENGTH, b"Content-Length: 6", body=b"hello"),
        *(post(b"Content-Length: " + value, body=b"hello") for value in (
            b"5, 5", b"+5", b"-5", b"0x5", b"5 5", b"", b"5\0", b"\xd9\xa5")),
        *(post(b"Transfer-Encoding: " + value, body=CHUNKS) for value in (
            b"xchunked", b"\x0bchunked", b'"chunked"', b"chunked;q=1",
            b"chunked\0", b"chunked, chunked", b"identity", b"gzip")),
        post(b"Transfer-Encoding : chunked", body=CHUNKS),
        post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS),
        post(CHUNKED, CHUNKED, body=CHUNKS),
        post(CHUNKED, body=CHUNKS, version=b"1.0"),
        get(b"X: a\r\n b\r\n"), get(b"X: a\nY: b\r\n"), get(b"X: a\rY: b\r\n"),
        get(b"X : a\r\n"), get(b"X\r\n"), get(b": a\r\n"), get(b"X: \0\r\n"),
        get(b"X\0: a\r\n"), get(b"Host: b\r\n"), get(b" X: a\r\n"),
        GET.replace(b"\r\n", b"\n"), GET.replace(b"\r\n", b"\r\r\n", 1),
        GET.replace(b"Host", b"Hos"), GET.replace(b" /", b"  /"),
        GET.replace(b" HTTP", b"\tHTTP"), GET.replace(b"HTTP", b"http"),
        GET.replace(b"hello", b"h\0llo"), GET.replace(b"hello", b"%00"),
        b" " + GET, b"GET /hello\r\n", b"\r\n" * 5 + GET, b"\r\n" * 100000,
        *(chunked(size + b"\r\nhello\r\n0\r\n\r\n") for size in (
            b"ffffffffffffffff", b"10000000000000005", b"-5", b"0x5", b"5 ",
            b"", b"0" * 100000 + b"5", b"5;a\nb", b"5;a=" + b"x" * 2000000)),
        chunked(b"5\nhello\r\n0\r\n\r\n"), chunked(b"5\r\nhellox\r\n0\r\n\r\n"),
        chunked((b"1;a=" + b"x" * 1000 + b"\r\nx\r\n") * 1000),
        chunked(b"0\r\nX : a\r\n\r\n"),
        os.urandom(1000).replace(b"\r", b"x") + b"\r\n",
    ],
    413: [
        post(b"Content-Length: 18446744073709551621", body=b"hello"),
        post(b"Content-Length: 9223372036854775807", body=b"hello"),
    ],
    414: [b"GET /" + b"a" * 2000000],
    417: [get(b"Expect: x\r\n")],
    431: [
        get(b"X: " + b"a" * 2000000), get(b"a" * 2000000),
        get(b"a: b\r\n" * 100000), chunked(b"0\r\n" + b"a: b\r\n" * 100000),
    ],
    501: [b"A" * 2000000],
    505: [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
}


def connect(server, patience=LIMIT):
    s = socket.create_connection(server.addr, timeout=patience)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


def answers(server, data):
    """The statuses of all that comes back."""
    with connect(server) as s:
        got = b""
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it answers before it has all
        while piece := s.recv(65536):
            got += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", got)]


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def cpu(server):
    """Seconds."""
    with open(f"/proc/{server.process.pid}/stat") as f:
        return sum(map(int, f.read().split()[13:15])) / os.sysconf("SC_CLK_TCK")


def settles(server, before):
    check(answers(server, GET) == [200], "a good client")
    limit = time.monotonic() + LIMIT
    while descriptors(server) > before:
        check(time.monotonic() < limit, f"{descriptors(server)} descriptors, "
                                        f"{before} before")
        time.sleep(0.01)


def test_spoilt():
    with WebServer(*TIMES) as server:
        answers(server, GET)
        before = descriptors(server)
        for status, requests in SPOILT.items():
            for data in requests:
                got = answers(server, GET + data + GET)
                if b"gzip" in data and got == [200, 501]:
                    continue
                check(got == [200, status], f"{data[:300]}: {got}")
        settles(server, before)
        server.stop()


SCRIPTS = [
    GET * 2,
    post(b"Content-Length: 20", body=b"x" * 20, path=b"/echo"),
    post(CHUNKED, b"Expect: 100-continue",
         body=b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
    GET.replace(b"hello", b"stream/3000000") + GET,
    GET.replace(b"hello", b"large/3000000"), GET.replace(b"hello", b"slow/20"),
    b"x\r\n\r\n" + b"x" * 40,
]


def test_resets():
    """After each byte, in each way to leave."""
    step = max(1, 10 // count(30))
    with WebServer(*TIMES) as server:
        answers(server, GET)
        before = descriptors(server)
        for data in SCRIPTS:
            for size in range(0, len(data) + 1, step):
                for leave in reset, socket.socket.close:
                    for waits in (False, True)[:1 + (size > len(data) - 6)]:
                        s = connect(server)
                        s.sendall(data[:size])
                        if waits:
                            s.settimeout(0.02)
                            try:
                                s.recv(100)
                            except TimeoutError:
                                pass
                        leave(s)
        settles(server, before)
        server.stop()


def test_urgent():
    """Bytes out of band are none of a request's."""
    with WebServer(*TIMES) as server:
        for at in range(1, len(GET)):
            with connect(server) as s:
                s.sendall(GET[:at])
                s.send(b"!", socket.MSG_OOB)
                s.sendall(GET[at:])
                check(s.recv(100).startswith(b"HTTP/1.1 200 "), f"at {at}")
        server.stop()


def test_never_read():
    """Requests without end, whose answers nobody takes."""
    with WebServer(*TIMES) as server:
        answers(server, GET)
        before, memory = descriptors(server), server.resident()
        clients, peak, limit = [], 0, time.monotonic() + LIMIT
        for _ in range(30):
            s = connect(server)
            s.setblocking(False)
            clients.append(s)
        while clients:
            check(time.monotonic() < limit, "they are kept for ever")
            for s in list(clients):
                try:
                    s.send(GET * 1000)
                except BlockingIOError:
                    pass
                except OSError:
                    s.close()
                    clients.remove(s)
            peak = max(peak, server.resident() - memory)
            time.sleep(0.01)
        check(peak < 30 << 20, f"{peak} bytes more")
        settles(server, before)
        server.stop()


def test_no_descriptors():
    """More clients than descriptors: those who have one go on, the others wait,
    and nobody spins."""
    if "valgrind" in launcher():
        return  # which needs descriptors itself

    def limits():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    with WebServer(limits=limits) as server:
        answers(server, GET)
        before = descriptors(server)
        good = connect(server)
        good.sendall(GET)
        check(good.recv(1000), "the first")
        clients = [connect(server) for _ in range(200)]
        for s in clients:
            s.sendall(GET)
        limit = time.monotonic() + LIMIT
        while descriptors(server) < 64:
            check(time.monotonic() < limit, "they are not accepted")
            time.sleep(0.01)
        spent = cpu(server)
        time.sleep(1)
        check(cpu(server) - spent < 0.1, "it spins")
        for _ in range(10):
            good.sendall(GET)
            check(good.recv(1000).startswith(b"HTTP/1.1 200 "), "the first")
        while clients:
            served = select.select(clients, [], [], LIMIT)[0]
            check(served, f"{len(clients)} wait for ever")
            for s in served:
                check(s.recv(1000).startswith(b"HTTP/1.1 200 "), "who waited")
                s.close()
                clients.remove(s)
        good.close()
        settles(server, before)
        server.stop()


def test_thousands():
    """At once, each in another state."""
    with WebServer("head=60000", "idle=60000") as server:
        answers(server, GET)
        before = descriptors(server)
        kinds = GET, GET[:20], post(LENGTH, body=b"he"), b"", SCRIPTS[3]
        clients = []
        for i in range(count(20000)):
            clients.append(connect(server))
            clients[i].sendall(kinds[i % len(kinds)])
        check(answers(server, GET) == [200], "a good client")
        for i, s in enumerate(clients):
            (reset if i % 2 else socket.socket.close)(s)
        settles(server, before)
        server.stop()


def test_stop_among_them():
    """The grace bounds what all of them together can hold up."""
    with WebServer("grace=300") as server:
        clients = []
        for i in range(100):
            s = connect(server)
            s.sendall((GET[:20], post(LENGTH, body=b"he"), SCRIPTS[3], b"",
                       GET.replace(b"hello", b"slow/60000"), GET,
                       b"x\r\n\r\n", chunked(b"5\r\nhe"))[i % 8])
            clients.append(s)
        check(answers(server, GET) == [200], "a good client")
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.ends()
        took = time.monotonic() - begun
        check(took < 10, f"a stop in {took} s")
        for s in clients:
            s.close()


if __name__ == "__main__":
    sys.exit(main([test_spoilt, test_resets, test_urgent, test_never_read,
                   test_no_descriptors, test_thousands,
                   test_stop_among_them]))
