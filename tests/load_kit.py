# load_kit.py - for load_test.py: servers that are right, or wrong in one way,
# and the load generator.
#
# SPDX-License-Identifier: MIT
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

from web import BUILD, LIMIT, SCALE, check, die_with_parent, launcher
from web import finish as end_of
from web import start

BENCH = os.path.join(BUILD, "bench")
LOAD = os.path.join(BENCH, "load")
EPOLL = os.path.join(BENCH, "servers/epoll")
SLOW = bool(launcher()) or SCALE < 0.1  # a sanitizer, or valgrind
LAST = b"\r\n\r\n"


class Server:
    """Accepts in a thread, and serves each connection in another.  What it has
    seen is in its attributes."""

    def __init__(self, flaw=None, after=0, block=0):
        self.flaw, self.after, self.block = flaw, after, block
        self.accepted = self.open = self.most = self.bytes = 0
        self.peers = set()
        self.lock = threading.Lock()
        self.begun = None  # when the first message came
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.addr = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.threads = []
        self.acceptor = threading.Thread(target=self.accept)

    def __enter__(self):
        self.acceptor.start()
        return self

    def __exit__(self, *error):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        self.listener.close()
        for thread in self.threads:
            thread.join()

    def accept(self):
        while True:
            try:
                conn, peer = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                self.open += 1
                self.most = max(self.most, self.open)
                self.peers.add(peer[0])
            thread = threading.Thread(target=self.client, args=(conn,))
            self.threads.append(thread)
            thread.start()

    def client(self, conn):
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with conn:
                self.serve(conn)
        except OSError:
            pass  # it was reset
        with self.lock:
            self.open -= 1

    def bad(self, flaw):
        """Whether it is time for that flaw."""
        return self.flaw == flaw and self.bytes > self.after


class EchoServer(Server):
    """Writes what it has read before it reads on."""

    messages = 0
    shortest = 1 << 30
    last = None

    def serve(self, conn):
        if self.flaw == "greet" and not select.select([conn], [], [], 0.1)[0]:
            conn.sendall(b"x")
        while data := conn.recv(4096):
            with self.lock:
                self.bytes += len(data)
                self.messages += 1
                self.begun = self.begun or time.monotonic()
                self.shortest = min(self.shortest, len(data))
            if data[0] == ord("!"):
                time.sleep(self.block)
            data = self.change(data)
            if data is None:
                return
            conn.sendall(data)
            if self.flaw == "late":
                time.sleep(0.1)
                conn.sendall(b"x")

    def change(self, data):
        if self.bad("flip") or self.flaw == "flip one" and len(data) == 1:
            at = len(data) // 2
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        if self.bad("more"):
            return data + b"x"
        before, self.last = self.last, data
        if self.bad("other"):  # what came before, somewhere
            return before
        if self.bad("close"):
            return None
        late = time.monotonic() - self.begun > self.after
        if self.bad("mute") or self.flaw == "mute-all" and late:
            return b""
        if self.flaw == "stall" and late:
            self.flaw = None
            time.sleep(1)
        return data


class HttpServer(Server):
    """Answers in pieces of so many bytes."""

    def __init__(self, piece=0, **how):
        super().__init__(**how)
        self.piece = piece
        self.answered = 0

    def serve(self, conn):
        rest = b""
        while data := conn.recv(65536):
            *requests, rest = (rest + data).split(LAST)
            out = b""
            for request in requests:
                kind, name = re.match(
                    rb"GET /(greet|heavy)/([A-P]{16}) HTTP/1\.1\r\nHost: \w+$",
                    request).groups()
                if kind == b"heavy":
                    time.sleep(self.block)
                self.bytes += 1
                out += self.answer(name)
            piece = self.piece or len(out) or 1
            for at in range(0, len(out), piece):
                conn.sendall(out[at:at + piece])
            if self.bad("close"):
                return
            self.answered += len(requests)

    def answer(self, name):
        body, status, more = b"hello, " + name + b"\n", b"200 OK", b""
        length = b"content-length: %d\r\n" % len(body)
        if self.bad("status"):
            status = b"404 Not Found"
        if self.bad("length"):
            length = b"Content-Length: %d\r\n" % (len(body) + 1)
        if self.bad("none"):
            length = b""
        if self.bad("name"):
            body = b"hello, " + name[:-1] + b"Z\n"
        if self.bad("more"):
            more = b"\n"
        if self.bad("head"):
            status += b"\r\nX-Long: " + b"x" * 5000
        date = b"Date: %.3f\r\n" % time.monotonic()
        return (b"HTTP/1.1 " + status + b"\r\n" + date + length + b"\r\n" +
                body + more)


class Alone:
    """An echo server in a process, of one thread, on one core."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.addr = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        self.pid = os.fork()
        if self.pid == 0:
            die_with_parent()
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            self.serve()
        self.listener.close()
        return self

    def __exit__(self, *error):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def serve(self):
        poll, conns = select.epoll(), {}
        poll.register(self.listener, select.EPOLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self.listener.fileno():
                    conn = self.listener.accept()[0]
                    conns[conn.fileno()] = conn
                    poll.register(conn, select.EPOLLIN)
                    continue
                try:
                    data = conns[fd].recv(4096)
                    conns[fd].sendall(data)
                except OSError:
                    data = b""
                if not data:
                    conns.pop(fd).close()


class Program:
    """The hand-written epoll server of bench/servers/; as the child of another
    process if that is asked for."""

    def __init__(self, kind, child=False):
        command = [EPOLL, kind]
        if child:
            command = ["sh", "-c", '"$@" & wait', "sh", *command]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=die_with_parent)
        self.pid = self.process.pid
        self.addr = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.killpg(self.pid, signal.SIGKILL)
        self.process.communicate()


def run(words, before=launcher()):
    return subprocess.run(
        [*before, LOAD, *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
        timeout=LIMIT)


def load(kind, server, words, status=0, pid=None):
    """What it says about a server, when asked for so."""
    options = words.split()
    for name, value in ("--seconds", "0.2"), ("--warmup", "0.05"):
        if name not in options:
            options += [name, value]
    if pid:
        options += ["--pid", str(pid)]
    done = run([kind, server.addr, "--json", *options])
    check(done.returncode == status and not done.stderr,
          f"{kind} {words}: status {done.returncode}\n{done.stdout}"
          f"{done.stderr}")
    said = json.loads(done.stdout)
    check((said["errors"] > 0) == bool(said["error"]) == bool(status), said)
    return said


def refused(words):
    done = run(words, before=[])
    check(done.returncode == 2 and "usage: load" in done.stderr and
          not done.stdout, f"{words}: status {done.returncode}")


def again(test, times=4):
    """For what other programs on the machine can spoil."""
    for left in reversed(range(times)):
        try:
            return test()
        except AssertionError:
            if left == 0:
                raise


def run_wrk(server, conns):
    out = end_of(start("wrk", "-t1", f"-c{conns}", "-d1s",
                       f"http://{server.addr}/greet/corten")).decode()
    check("Non-2xx" not in out and "Socket errors" not in out, out)
    return float(re.search(r"Requests/sec: +([0-9.]+)", out)[1])
