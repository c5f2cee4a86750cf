# relay_test.py - the relay does to a network what it is told to, and servers are
# killed and started where they were.
#
# SPDX-License-Identifier: MIT
import os
import socket
import subprocess
import sys
import threading

import servers

LIMIT = 30


def check(true, what):
    if not true:
        raise AssertionError(what)


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(LIMIT)
        s.connect(path)
        s.sendall(line.encode() + b"\n")
        return s.makefile().readline().strip()


def command(line):
    words = ask(os.environ["RELAY"], line).split()
    check(words[0] == "ok", f"{line}: {words}")
    return int(words[1]) if len(words) > 1 else None


class Pair:
    """A client and a server with a relay between."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = command(f"relay {self.listener.getsockname()[1]}")
        self.connect()

    def connect(self):
        self.client = socket.create_connection(("127.0.0.1", self.port), LIMIT)
        self.server = self.listener.accept()[0]
        self.server.settimeout(LIMIT)

    def tell(self, line):
        return command(f"{self.port} {line}")


def says_nothing(s):
    """Bytes could still come: so this takes its time when all is well."""
    s.settimeout(0.1)
    try:
        return s.recv(1) is None
    except TimeoutError:
        return True
    finally:
        s.settimeout(LIMIT)


def is_reset(s):
    try:
        return s.recv(1) is None
    except ConnectionResetError:
        return True


def read_all(s, count):
    got = b""
    while len(got) < count:
        more = s.recv(count)
        check(more, f"{len(got)} of {count}")
        got += more
    return got


def goes():
    pair = Pair()
    big = os.urandom(1 << 20)
    sender = threading.Thread(target=pair.client.sendall, args=(big,))
    sender.start()
    check(read_all(pair.server, len(big)) == big, "all came")
    sender.join()
    pair.server.sendall(b"answer")
    check(read_all(pair.client, 6) == b"answer", "back")
    check(pair.tell("passed up") == len(big), "counted")
    check(pair.tell("passed down") == 6, "counted")
    pair.client.shutdown(socket.SHUT_WR)
    check(pair.server.recv(1) == b"", "the end comes through")
    pair.server.sendall(b"more")
    pair.server.close()
    check(read_all(pair.client, 4) == b"more", "half-closed")
    check(pair.client.recv(1) == b"", "and back")


def stalls():
    pair = Pair()
    pair.tell("up stall after 3")
    pair.client.sendall(b"abcdef")
    check(read_all(pair.server, 3) == b"abc", "before")
    check(says_nothing(pair.server), "stalled")
    pair.server.sendall(b"down")
    check(read_all(pair.client, 4) == b"down", "the other way")
    pair.tell("up go")
    check(read_all(pair.server, 3) == b"def", "after")


def cuts():
    pair = Pair()
    pair.tell("down cut after 2")
    pair.server.sendall(b"abc")
    check(read_all(pair.client, 2) == b"ab", "before")
    check(pair.client.recv(1) == b"", "cut")
    pair.client.sendall(b"up")
    check(read_all(pair.server, 2) == b"up", "the other way")
    check(pair.tell("open") == 1, "open")
    pair.tell("both go")
    check(pair.tell("open") == 0, "closed")
    pair.connect()
    pair.server.sendall(b"x")
    check(read_all(pair.client, 1) == b"x", "the next one")


def resets():
    pair = Pair()
    pair.tell("up reset")
    check(is_reset(pair.server), "the server")
    check(says_nothing(pair.client), "the client hears nothing")
    pair = Pair()
    pair.tell("both reset")
    check(is_reset(pair.server) and is_reset(pair.client), "both")


def is_slow():
    pair = Pair()
    pair.tell("down slow 500")
    pair.server.sendall(b"0123456789")
    got = [pair.client.recv(10) for _ in range(3)]
    check(b"".join(got) == b"0123456789"[:len(b"".join(got))], got)
    check(len(got[0]) < 10, "not all at once")


def refuses():
    for line in "relay", "1 up go", "nonsense", "":
        check(ask(os.environ["RELAY"], line).startswith("error"), line)
    pair = Pair()
    for line in "up", "up fly", "sideways go", "up slow", "up go 7 of":
        answer = ask(os.environ["RELAY"], f"{pair.port} {line}")
        check(answer.startswith("error"), line)


def restarts():
    """The server that stands before the relay, redis."""
    control, port = os.environ["SERVERS_CONTROL"], os.environ["REDIS_PORT"]
    addr = ("127.0.0.1", int(port))
    old = socket.create_connection(addr, LIMIT)
    check(ask(control, "freeze redis") == "ok", "freeze")
    old.sendall(b"PING\r\n")
    check(says_nothing(old), "frozen")
    check(ask(control, "thaw redis") == "ok", "thaw")
    check(old.recv(100) == b"+PONG\r\n", "thawed")
    check(ask(control, "kill redis") == "ok", "kill")
    check(is_reset(old) or old.recv(1) == b"", "killed")
    try:
        socket.create_connection(addr, LIMIT)
        check(False, "it is still there")
    except ConnectionRefusedError:
        pass
    check(ask(control, "start redis") == "ok", "start")
    check(servers.answers(socket.AF_INET, addr, b"PING\r\n", b"+PONG"), "again")
    for line in "start nobody", "dance redis", "kill":
        check(ask(control, line).startswith("error"), line)


def main():
    if "RELAY" not in os.environ:
        return subprocess.run([sys.executable, servers.__file__, "redis",
                               "relay", "--", sys.executable, __file__]
                              ).returncode
    for test in goes, stalls, cuts, resets, is_slow, refuses, restarts:
        print(f"  {test.__name__}", flush=True)
        test()
    return 0


sys.exit(main())
