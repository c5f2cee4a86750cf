# contenders_test.py - the servers that are measured beside corten serve as they
# should, all the same.
#
# Each is started for echo and for HTTP, and asked by whole, cut, joined and very
# long messages; heavy requests take as long as they are to; who says nothing is
# closed; who is over the limit of descriptors waits; SIGTERM ends it with status
# 0.  A wrong command line and a service that its kind cannot give are refused in
# words.
#
# SPDX-License-Identifier: MIT
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

BUILD = os.environ.get("CORTEN_BUILD", "build/dev")
SERVERS = f"{BUILD}/bench/servers"
PEERS = f"{BUILD}/bench/peers"
LIMIT = 60
EVENT_LOOPS = ("epoll", "uring", "libevent", "libuv")
POOL = [f"pool --mode {listener},{conns},{who}" for listener in ("lt", "et")
        for conns in ("lt", "et") for who in ("reactor", "proactor")]
ALL = ["corten", "corten_hook", "corten_http", "epoll", "uring", "threads", "processes",
       "prefork", "workers", "go", "libevent", "libuv", "asio"] + POOL
failures = []


def path(name):
    """Of a contender; there may be no such file."""
    own = f"{SERVERS}/{name}"
    return own if os.path.exists(own) else f"{PEERS}/{name}"


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Server:
    def __init__(self, words, kind, *options):
        name, *mode = words.split()
        self.process = subprocess.Popen(
            [path(name), kind, "127.0.0.1:0", *mode, *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        check(line.startswith("listening on "), f"said {line!r}")
        host, port = line.split()[-1].split(":")
        self.addr = host, int(port)

    def connect(self):
        s = socket.create_connection(self.addr)
        s.settimeout(LIMIT)
        return s

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(LIMIT)
        self.process.stdout.close()
        if kind is None:
            check(status == 0, f"SIGTERM ended it with status {status}")


def take(s, n):
    got = b""
    while len(got) < n:
        part = s.recv(min(n - len(got), 1 << 16))
        check(part, f"closed after {len(got)} of {n} bytes")
        got += part
    return got


def both_ways(s, data, answer):
    """Sends and receives at the same time: neither side may wait for the
    other's buffers for ever."""
    sender = threading.Thread(target=s.sendall, args=(data,))
    sender.start()
    got = take(s, len(answer))
    sender.join()
    check(got == answer, "an answer differs")


def echo(server):
    with server.connect() as a, server.connect() as b:
        for size in 1, 64, 4096, 16384, 70000:
            data = random.randbytes(size).replace(b"!", b"?")
            for s in a, b:
                both_ways(s, data, data)
        data = random.randbytes(4 << 20).replace(b"!", b"?")
        both_ways(a, data, data)
        a.shutdown(socket.SHUT_WR)
        check(a.recv(1) == b"", "said something after the end")


def request(name, path="greet"):
    return f"GET /{path}/{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def read_answer(f, name):
    check(f.readline() == b"HTTP/1.1 200 OK\r\n", "no 200")
    length = 0
    while (line := f.readline()) != b"\r\n":
        check(line, "closed in the head")
        field, _, value = line.partition(b": ")
        if field == b"Content-Length":
            length = int(value)
    check(f.read(length) == f"hello, {name}\n".encode(), "the body differs")


def http(server):
    with server.connect() as s, s.makefile("rb") as f:
        s.sendall(request("you"))
        read_answer(f, "you")
        for byte in request("bytes"):
            s.sendall(bytes([byte]))
        read_answer(f, "bytes")
        names = [f"name{i}" for i in range(2000)]
        data = b"".join(request(name, "heavy" if i % 500 == 7 else "greet")
                        for i, name in enumerate(names))
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        for name in names:
            read_answer(f, name)
        sender.join()
    with server.connect() as s:
        s.sendall(b"nonsense\r\n\r\n")
        said = s.recv(100)
        check(said == b"" or said.startswith(b"HTTP/1.1 400 "),
              f"answered nonsense with {said!r}")


def closes(s):
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True


def idle(words, kind):
    with Server(words, kind, "--idle", "1") as server:
        begin = time.monotonic()
        with server.connect() as silent, server.connect() as other:
            other.sendall(b"x" if kind == "echo" else request("x"))
            check(other.recv(1), "no answer")
            check(closes(silent), "not closed")
            took = time.monotonic() - begin
            check(0.9 < took < LIMIT / 2, f"closed after {took:.1f} s")


def heavy(words, kind):
    options = ["--block", "100"]
    if words.split()[0] in EVENT_LOOPS:
        options = ["--compute", "1000"]
    with Server(words, kind, *options) as server:
        begin = time.monotonic()
        with server.connect() as s:
            s.sendall(b"!heavy" if kind == "echo" else request("x", "heavy"))
            check(s.recv(1), "no answer")
        took = time.monotonic() - begin
        check(took >= (0.1 if "--block" in options else 0.0001),
              f"took {took} s only")


def many(words, kind):
    """All of them at the same time; as many as a pre-forked server can."""
    with Server(words, kind) as server:
        conns = [server.connect() for _ in range(60)]
        for i, s in enumerate(conns):
            s.sendall(b"%d" % i if kind == "echo" else request(i))
        for i, s in enumerate(conns):
            if kind == "echo":
                check(take(s, len(str(i))) == b"%d" % i, "another's echo")
            else:
                with s.makefile("rb") as f:
                    read_answer(f, i)
            s.close()


def contender(words):
    for kind, talk in ("echo", echo), ("http", http):
        if (words, kind) == ("corten_http", "echo"):
            continue
        with Server(words, kind) as server:
            talk(server)
        idle(words, kind)
        heavy(words, kind)
        many(words, kind)


def refuses(name, arguments, status, text):
    done = subprocess.run([path(name), *arguments], text=True,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, timeout=LIMIT)
    check(done.returncode == status and text in done.stderr,
          f"{name} {arguments}: {done.returncode}, {done.stderr!r}")


def guarded(name, function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        failures.append(name)
        print(f"{name}: {error!r}", file=sys.stderr)


def main():
    random.seed(1)
    if not os.path.exists(f"{SERVERS}/epoll"):
        print("skipped: the benchmarks are not built")
        return 77
    there = [w for w in ALL if os.path.exists(path(w.split()[0]))]
    print(f"{len(there)} of {len(ALL)} contenders")
    threads = [threading.Thread(target=guarded, args=(words, contender, words))
               for words in there]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for name, arguments, status, text in (
            ("epoll", [], 2, "usage:"), ("epoll", ["smtp"], 2, "usage:"),
            ("epoll", ["echo", "--idle", "0"], 2, "'0' is not a number"),
            ("epoll", ["echo", "--threads", "2"], 2, "usage:"),
            ("epoll", ["echo", "nowhere"], 1, "nowhere"),
            ("epoll", ["echo", "--block", "1"], 3, "stops all connections"),
            ("pool", ["echo", "--mode", "x"], 2, "no mode 'x'"),
            ("corten_http", ["echo"], 3, "it is an HTTP server"),
            ("corten", ["echo", "nowhere"], 1, "nowhere")):
        guarded(name, refuses, name, arguments, status, text)
    return 1 if failures else 0


sys.exit(main())
