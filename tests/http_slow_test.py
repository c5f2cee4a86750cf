# http_slow_test.py - slow clients cost others nothing: slowhttptest in each of
# its ways, beside a client that behaves.
#
# That one asks all the time, first alone and then beside each attack.  None of
# its requests may fail; half of them must be answered within ten times of what
# half took alone.  All attacks run at once, each for seconds; with a
# CORTEN_TEST_SCALE of 1 one after another, and longer.
#
# SPDX-License-Identifier: MIT
import http.client
import re
import socket
import statistics
import sys
import threading
import time

from web import LIMIT, SCALE, WebServer, check, count, finish, main, start

FULL = SCALE >= 1
SECONDS = 10 if FULL else 3
CONNS = max(count(2000), 200) if FULL else 200
ATTACKS = {
    "headers": ["-H", "-i", "1"],
    "body": ["-B", "-i", "1", "-s", "100000"],
    "read": ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "5", "-k", "3"],
    "range": ["-R"],
}
PATHS = {"body": "/count", "read": "/stream/1000000"}
TIMES = "head=2000", "body=2000", "write=2000", "idle=2000"


class Good:
    """A client that behaves, in a thread: over one connection, and now and then
    over a new one."""

    def __init__(self, server):
        self.server = server
        self.took = []
        self.failed = []
        self.over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def ask(self, conn):
        begun = time.monotonic()
        conn.request("GET", "/hello")
        answer = conn.getresponse()
        if (answer.status, answer.read()) != (200, b"hello\n"):
            raise OSError(f"status {answer.status}")
        self.took.append(time.monotonic() - begun)

    def run(self):
        while not self.over:
            conn = http.client.HTTPConnection(*self.server.addr, timeout=LIMIT)
            try:
                for _ in range(20):
                    self.ask(conn)
                    time.sleep(0.001)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            conn.close()

    def end(self):
        """The median, in seconds."""
        self.over = True
        self.thread.join()
        check(not self.failed, self.failed[:5])
        check(self.took, "nothing was asked")
        return statistics.median(self.took)


def alone(server):
    good = Good(server)
    while len(good.took) < 300 and good.thread.is_alive():
        time.sleep(0.01)
    return good.end()


def attack(server, name):
    return start("slowhttptest", *ATTACKS[name], "-c", str(CONNS), "-r",
                 str(CONNS), "-l", str(SECONDS), "-p", str(LIMIT), "-u",
                 server.url + PATHS.get(name, "/hello"))


def attacked(server, names):
    control = alone(server)
    good = Good(server)
    for name, attacker in [(name, attack(server, name)) for name in names]:
        said = finish(attacker).decode(errors="replace")
        said = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)
        check("service available:   NO" not in said, said)
        check("Exit status:" in said, said)
    median = good.end()
    print(f"    {', '.join(names)}: {len(good.took)} requests, half within "
          f"{median * 1e6:.0f} us; alone {control * 1e6:.0f} us")
    check(median < 10 * control + 0.01, f"{names}: {median} s, not {control}")


def test_attacks():
    with WebServer(*TIMES) as server:
        if FULL:
            for name in ATTACKS:
                attacked(server, [name])
        else:
            attacked(server, list(ATTACKS))
        server.stop()


def test_slow_readers():
    """Of a long answer: it waits for them, not in memory, and not for ever."""
    conns, size = 100, 100_000_000
    with WebServer(*TIMES) as server:
        alone(server)
        before = server.resident()
        readers = []
        for _ in range(conns):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(LIMIT)
            s.connect(server.addr)
            s.sendall(b"GET /stream/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size)
            readers.append(s)
        good = Good(server)
        for s in readers:
            check(s.recv(100).startswith(b"HTTP/1.1 200 "), "no answer")
        peak = 0
        end = time.monotonic() + 1
        while time.monotonic() < end:
            peak = max(peak, server.resident())
            time.sleep(0.05)
        # Nothing more is read; the server gives up, which a write of ours
        # hears of at last.
        for s in readers:
            limit = time.monotonic() + LIMIT
            try:
                while time.monotonic() < limit:
                    s.sendall(b"GET / HTTP/1.1\r\n")
                    time.sleep(0.01)
                check(False, "a client that does not read is kept for ever")
            except (ConnectionResetError, BrokenPipeError):
                pass
            s.close()
        good.end()
        grown = (peak - before) / conns
        print(f"    {grown:.0f} bytes for each slow reader")
        check(grown < 256 * 1024, f"{grown} bytes for each slow reader")
        server.stop()


if __name__ == "__main__":
    sys.exit(main([test_attacks, test_slow_readers]))
