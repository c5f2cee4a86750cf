# examples_test.py - the examples do what their head comments say.
#
# Starts each as a process, on a port that the kernel picks, and talks to it.
# Nothing sleeps: what is waited for is a line, the end of a connection or of a
# process, all within LIMIT seconds.  CORTEN_BUILD names the build; skips when
# that has no examples.
#
# SPDX-License-Identifier: MIT
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from servers import Folder, Missing, Nginx, Redis

LIMIT = 60
PROGRAMS = os.path.join(os.environ["CORTEN_BUILD"], "examples")


def check(true, what):
    if not true:
        raise AssertionError(what)


class Server:
    """A running example: self.addr is where, stop() ends it."""

    def __init__(self, name, *args, addr="127.0.0.1:0"):
        # A shell in the background hands ignored signals down.
        self.process = subprocess.Popen(
            [os.path.join(PROGRAMS, name), addr, *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", self.line)
        self.addr = ("127.0.0.1", int(found[1])) if found else None

    def __enter__(self):
        check(self.addr and self.addr[1], f"says {self.line!r}")
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def stop(self, sig):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=9)  # net_serve's grace: 10
        status = self.process.returncode
        check((status, out, err) == (0, "", ""),
              f"{sig!r}: status {status}, says {out!r} {err!r}")


class Client:
    def __init__(self, server):
        self.socket = socket.create_connection(server.addr, timeout=LIMIT)
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def says(self, *want):
        """The next lines are these, after the number of who said it."""
        for text in want:
            got = self.lines.readline()
            check(re.fullmatch(rb"\d+: " + re.escape(text) + rb"\n", got),
                  f"wanted {text!r}, got {got!r}")

    def waits_for(self, text):
        for line in self.lines:
            if line.endswith(b": " + text + b"\n"):
                return line
        raise AssertionError(f"the end before {text!r}")

    def reads_end(self):
        try:
            rest = self.lines.read()
        except ConnectionResetError:
            rest = b""
        check(rest == b"", f"{rest[:80]!r} before the end")

    def leaves(self):
        """Returns once the server is done with this client."""
        self.socket.shutdown(socket.SHUT_WR)
        while self.lines.read(65536):
            pass
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()


def room(server, count):
    """Clients of whom each is known to be in the room."""
    first = Client(server)
    clients = [first]
    for i in range(1, count):
        clients.append(Client(server))
        clients[i].send(b"in %d\n" % i)
        # Until the first is in itself, it may miss the line.
        while i == 1 and not select.select([first.socket], [], [], 0.1)[0]:
            clients[i].send(b"in %d\n" % i)
        first.waits_for(b"in %d" % i)
    first.send(b"all in\n")
    for client in clients[1:]:
        client.waits_for(b"all in")
    clients[1].send(b"begin\n")
    for client in clients[:1] + clients[2:]:
        client.waits_for(b"begin")
    return clients


def test_stop(name):
    for sig in signal.SIGINT, signal.SIGTERM:
        with Server(name) as server:
            server.stop(sig)


def test_in_use(name):
    with Server(name) as server:
        addr = "%s:%d" % server.addr
        second = subprocess.run([os.path.join(PROGRAMS, name), addr],
                                capture_output=True, text=True, timeout=LIMIT)
        check(second.returncode == 1 and second.stdout == ""
              and second.stderr == f"{addr}: Address already in use\n",
              f"in use: {second}")


def test_echo():
    data = os.urandom(1 << 20)
    with Server("echo") as server:
        clients = [Client(server) for _ in range(50)]
        for i, client in enumerate(clients):
            client.send(b"%d\n" % i)
        for i, client in enumerate(clients):
            check(client.lines.readline() == b"%d\n" % i, "not what it sent")
        for client in clients[1:]:
            client.leaves()
        client = clients[0]
        sender = threading.Thread(target=client.send, args=(data,))
        sender.start()
        check(client.lines.read(len(data)) == data, "other bytes come back")
        sender.join()
        client.socket.shutdown(socket.SHUT_WR)
        client.reads_end()
        client.close()
        server.stop(signal.SIGTERM)


def test_chat_lines():
    """To all the others in one order, never back; halves of lines to nobody."""
    with Server("chat") as server:
        a, b, c, d = room(server, 4)
        a.send(b"one\ntw")
        b.says(b"one")
        a.send(b"o\n\n")
        b.says(b"two", b"")
        b.send(b"three\r\n")
        a.says(b"three\r")
        c.says(b"one", b"two", b"", b"three\r")
        c.send(b"half a line")
        c.leaves()
        d.says(b"one", b"two", b"", b"three\r")
        long = b"long" * 5000
        d.send(long + b"\nnext\n")
        got = b""
        while len(got) < len(long):
            piece = a.lines.readline()
            check(re.match(rb"\d+: ", piece), f"no number: {piece[:80]}")
            got += piece.split(b": ")[1][:-1]
        check(got == long, "a long line goes whole, in pieces")
        a.waits_for(b"next")
        burst = [b"%d" % i for i in range(150)]  # more than a queue holds
        d.send(b"".join(text + b"\n" for text in burst))
        a.says(*burst)
        server.stop(signal.SIGINT)


def test_chat_many():
    with Server("chat") as server:
        clients = room(server, 50)
        for i, client in enumerate(clients):
            client.send(b"from %d\n" % i)
        for i, client in enumerate(clients):
            got = {client.lines.readline().split(b": ")[1] for _ in range(49)}
            check(got == {b"from %d\n" % j for j in range(50) if j != i},
                  f"{i} got {got}")
        server.stop(signal.SIGINT)
        for client in clients:
            client.reads_end()
            client.close()


def test_chat_slow():
    """Who never reads holds up nobody, and no stop."""
    with Server("chat") as server:
        a, b, slow = room(server, 3)
        batch = [b"%d" % i + b"." * 200 for i in range(40)]
        for _ in range(1000):  # more than the sockets of the slow one hold
            a.send(b"".join(text + b"\n" for text in batch))
            b.says(*batch)
        server.stop(signal.SIGINT)
        b.reads_end()


def test_chat_silence():
    with Server("chat", "1") as server:
        start = time.monotonic()
        client = Client(server)
        client.send(b"half")
        client.reads_end()
        check(time.monotonic() - start >= 1, "out too early")
        server.stop(signal.SIGTERM)


def test_threads():
    run = subprocess.run([os.path.join(PROGRAMS, "threads"), "2000"],
                         capture_output=True, text=True, timeout=LIMIT)
    total = 4 * (500 * 501 // 2)  # four threads send 1..500 each
    check((run.returncode, run.stdout, run.stderr)
          == (0, f"2000 jobs, total {total}\n", ""), f"threads: {run}")


HOSTS = {"embed_libuv": "libuv", "embed_glib": "glib-2.0",
         "embed_libevent": "libevent_core"}


def start_hosts():
    """All at once, as most of the time they are idle; those that are built."""
    return {name: subprocess.Popen([os.path.join(PROGRAMS, name), "1"],
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
            for name in HOSTS if os.path.exists(os.path.join(PROGRAMS, name))}


def end_hosts(running):
    for name, library in HOSTS.items():
        found = subprocess.run(["pkg-config", "--exists", library])
        check(name in running or found.returncode,
              f"{name} was not built, though {library} is there")
    for name, process in running.items():
        out, err = process.communicate(timeout=LIMIT)
        check((process.returncode, out, err)
              == (0, "20 round trips, 0 failed\nidle for 1 s: 0 steps\n", ""),
              f"{name}: status {process.returncode}, {out!r} {err!r}")


def fetch(url, *args, terminal=False, **environment):
    """Its status, what it says, and what it shows (on a terminal)."""
    ours, its = pty.openpty() if terminal else os.pipe()
    run = subprocess.Popen(
        [os.path.join(PROGRAMS, "fetch"), url, *args], stderr=its,
        stdout=subprocess.PIPE, text=True, env=dict(os.environ, **environment))
    os.close(its)
    said, shown = run.stdout.read(), b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    return run.wait(), said, shown.decode()


def test_fetch():
    """A hundred on one thread: each takes a second."""
    found = subprocess.run(["pkg-config", "--exists", "libcurl"])
    if not os.path.exists(os.path.join(PROGRAMS, "fetch")):
        check(found.returncode, "fetch was not built, though libcurl is there")
        return
    with Folder() as folder, Nginx(folder).start() as server:
        url = f"http://127.0.0.1:{server.port}"
        tls = f"https://localhost:{server.tls_port}"
        start = time.monotonic()
        got = fetch(url + "/slow", terminal=True)
        took = time.monotonic() - start
        check(got[0] == 0 and got[1].startswith(
            "100 done, 0 failed, 15000000 bytes, "), got)
        check(re.match("\r0 of 100, [0-9]+ bytes \r.*"
                       "\r100 of 100, 15000000 bytes \r\n$", got[2]), got)
        check(took < 20, f"a hundred transfers in {took} s")
        got = fetch(tls + "/small", "20", CURL_CA_BUNDLE=server.path("cert.pem"))
        check(got[0] == 0 and got[2] == "" and got[1].startswith(
            "20 done, 0 failed, 140 bytes, "), got)
        got = fetch(tls + "/small", "2")
        check(got[0] == 1 and "certificate" in got[2], got)
        got = fetch(url + "/none", "2")
        check(got[0] == 1 and got[1].startswith("2 done, 2 failed, ")
              and "404" in got[2], got)


def test_redis():
    found = subprocess.run(["pkg-config", "--exists", "hiredis"])
    if not os.path.exists(os.path.join(PROGRAMS, "redis")):
        check(found.returncode, "redis was not built, though hiredis is there")
        return
    with Folder() as folder, Redis(folder).start() as server:
        for number in 100, 200:
            run = subprocess.run(
                [os.path.join(PROGRAMS, "redis"), f"127.0.0.1:{server.port}"],
                capture_output=True, text=True)
            check((run.returncode, run.stdout, run.stderr)
                  == (0, f"hundred: {number}\n", ""), f"redis: {run}")
    run = subprocess.run([os.path.join(PROGRAMS, "redis"), "127.0.0.1:1"],
                         capture_output=True, text=True)
    check(run.stderr == "redis: Connection refused\n", f"redis: {run}")


def too_long(*_):
    raise TimeoutError(f"after {LIMIT} s")


def main():
    if not os.path.exists(PROGRAMS):
        print("skipped: this build has no examples")
        return 77
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    hosts = start_hosts()
    for name in "echo", "chat":
        test_stop(name)
        test_in_use(name)
    test_echo()
    test_chat_lines()
    test_chat_many()
    test_chat_slow()
    test_chat_silence()
    test_threads()
    for test in test_fetch, test_redis:
        try:
            test()
        except Missing as missing:
            print(f"{test.__name__} is left out: there is no {missing}")
    end_hosts(hosts)
    return 0


sys.exit(main())
