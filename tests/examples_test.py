"""examples_test.py - the bundled servers, as their users meet them.

Starts each built example on a port from the kernel and talks to it: what it
prints, what it serves, how it stops, and what it says when it cannot listen.

SPDX-License-Identifier: MIT
"""
import os
import signal
import socket
import subprocess
import sys

LIMIT = 30  # seconds for anything
BUILD = os.environ.get("CORTEN_BUILD", "build/dev")


def check(true, what):
    if not true:
        sys.exit(f"examples_test: {what}")


class Server:
    def __init__(self, name, *more, addr="127.0.0.1:0"):
        self.child = subprocess.Popen(
            [f"{BUILD}/examples/{name}", addr, *more], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.child.stdout.readline()
        check(line.startswith("listening on 127.0.0.1:"),
              f"{name} says {line!r}, {self.child.poll()}")
        self.addr = line.split()[-1]
        self.port = int(self.addr.split(":")[1])
        check(self.port != 0, "the port that was bound is printed")

    def dial(self):
        s = socket.create_connection(("127.0.0.1", self.port), LIMIT)
        s.settimeout(LIMIT)
        return s

    def stop(self, sig):
        self.child.send_signal(sig)
        _, err = self.child.communicate(timeout=LIMIT)
        check(self.child.returncode == 0 and err == "",
              f"after {sig}: {self.child.returncode}, {err}")


def line_of(s):
    got = b""
    while not got.endswith(b"\n"):
        more = s.recv(1)
        check(more, f"the connection ended after {got!r}")
        got += more
    return got


def test_echo():
    server = Server("echo")
    clients = [server.dial() for _ in range(50)]
    for i, s in enumerate(clients):
        s.sendall(b"%d\n" % i)
    for i, s in enumerate(clients):
        check(line_of(s) == b"%d\n" % i, "echo gives back what it got")
    big = os.urandom(1 << 20)
    sender = os.fork()
    if sender == 0:
        clients[0].sendall(big)
        clients[0].shutdown(socket.SHUT_WR)
        os._exit(0)
    got = b""
    while more := clients[0].recv(1 << 16):
        got += more
    os.waitpid(sender, 0)
    check(got == big, "a megabyte comes back whole, then the end")
    for s in clients:
        s.close()
    server.stop(signal.SIGINT)


def test_port_in_use():
    server = Server("echo")
    for name in "echo", "chat":
        second = subprocess.run([f"{BUILD}/examples/{name}", server.addr],
                                text=True, capture_output=True, timeout=LIMIT)
        check(second.returncode == 1 and "in use" in second.stderr and
              second.stdout == "", f"{name} on a port in use: {second}")
    server.stop(signal.SIGTERM)


def test_chat():
    server = Server("chat")
    a = server.dial()
    # Someone is in the room once others hear of him: he speaks until they do.
    b = server.dial()
    b.settimeout(0.05)
    heard = b""
    while not heard.endswith(b"\n"):
        a.sendall(b"hello\n")
        try:
            heard += b.recv(4096)
        except TimeoutError:
            continue
    b.settimeout(LIMIT)
    check(heard.split(b"\n")[0].endswith(b": hello"), f"b hears {heard!r}")
    b.sendall(b"good ")
    b.sendall(b"day\n")
    said = line_of(a)
    check(said.endswith(b": good day\n"), f"a hears {said!r}")
    b.sendall(b"x" * 1000 + b"\n")  # longer than a line may be
    got = 0
    while got < 1000:
        got += a.recv(4096).count(b"x")
    check(got == 1000, "a long line comes in pieces, whole")
    mute = server.dial()  # never reads
    for i in range(3000):
        b.sendall(b"%d " % i + b"y" * 200 + b"\n")
    b.sendall(b"last\n")
    half = server.dial()
    half.sendall(b"no end of line")
    half.close()
    server.stop(signal.SIGTERM)  # with clients in the room
    mute.close()


def test_chat_silence():
    server = Server("chat", "1")
    s = server.dial()
    check(s.recv(1) == b"", "who is silent is out")
    server.stop(signal.SIGINT)


for test in test_echo, test_port_in_use, test_chat, test_chat_silence:
    print(" ", test.__name__, file=sys.stderr)
    test()
