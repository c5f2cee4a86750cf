# load_test.py - bench/load tells right replies from wrong ones, and what it
# says about a server is so.
#
# The servers are small ones of this file, in threads of their own or, where
# their own processor time matters, in a process; and those of bench/servers/,
# on which wrk has to see what the load generator sees.
#
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import sys
import time

from load_kit import (EPOLL, LOAD, SLOW, Alone, EchoServer, HttpServer,
                      Program, again, load, refused, run_wrk)
from web import check


# ---- Right and wrong replies --------------------------------------------------

def right_echo():
    for words in ("--conns 1", "--conns 8", "--conns 3 --size 1",
                  "--conns 3 --size 17", "--conns 2 --size 5000 --depth 7",
                  "--conns 70 --depth 2", "--conns 2 --rate 300",
                  "--conns 4 --heavy 0.5"):
        with EchoServer() as server:
            r = load("echo", server, words)
            check(r["requests"] > 0, words)
            check(server.accepted > 0, words)
            check(r["p50_us"] <= r["p90_us"] <= r["p99_us"] <= r["p999_us"]
                  <= r["max_us"], r)
            check(0 < r["p50_us"] and r["server"] is None, r)


def large_echo():
    """Larger than the sockets hold, by a server that writes before it reads
    on."""
    with EchoServer() as server:
        r = load("echo", server,
                 "--conns 1 --size 1048576 --depth 12 --timeout 60 --seconds 1")
        check(server.bytes > 8 << 20, (server.bytes, r))


def right_http():
    for words in ("--conns 1", "--conns 5 --depth 9", "--conns 4 --heavy 1",
                  "--conns 4 --heavy 0.3 --depth 3"):
        for piece in 0, 7, 100:
            with HttpServer(piece=piece) as server:
                r = load("http", server, words)
                check(r["requests"] > 0 and server.answered > 0, words)


def wrong_echo():
    for flaw, words in (("flip", "byte"), ("more", "behind the last reply"),
                        ("close", "closed the connection|reset"),
                        ("other", "byte")):
        with EchoServer(flaw=flaw, after=2000) as server:
            r = load("echo", server, "--conns 4", status=1)
            check(re.search(words, r["error"]), (flaw, r["error"]))
        with EchoServer(flaw=flaw, after=200000) as server:
            load("echo", server, "--conns 4 --size 65536", status=1)


def last_byte():
    """One byte too many behind the very last reply, and on a silent one."""
    with EchoServer(flaw="late") as server:
        r = load("echo", server, "--conns 1 --think 300 --seconds 0.5", 1)
        check("byte" in r["error"], r)
    with EchoServer(flaw="greet") as server:
        r = load("echo", server, "--conns 1 --idle 3", 1)
        check(r["errors"] > 0, r)


def wrong_http():
    for flaw, words in (("status", "HTTP/1.1 404"), ("length", "Content-Length"),
                        ("none", "Content-Length is -1"), ("name", "a body"),
                        ("more", "bytes behind"), ("close", "closed|reset"),
                        ("head", "too long")):
        with HttpServer(flaw=flaw, after=20) as server:
            r = load("http", server, "--conns 3", status=1)
            check(re.search(words, r["error"]), (flaw, r["error"]))


def no_server():
    with EchoServer() as server:
        pass
    r = load("echo", server, "--conns 2", status=1)
    check(r["errors"] > 0 and "refused" in r["error"], r)
    with EchoServer(flaw="mute", after=1000) as server:
        r = load("echo", server, "--conns 2 --timeout 0.5", status=1)
        check("no reply in time" in r["error"], r)


def bad_options():
    for words in ("", "echo", "ftp 127.0.0.1:1", "echo 127.0.0.1", "echo :80",
                  "echo 127.0.0.1:99999", "echo 127.0.0.1:1 --conns",
                  "echo 127.0.0.1:1 --conns 0", "echo 127.0.0.1:1 --conns 1.5",
                  "echo 127.0.0.1:1 --size 2000000", "echo 127.0.0.1:1 --bad 1",
                  "echo 127.0.0.1:1 --rate x", "echo 127.0.0.1:1 extra",
                  "echo 127.0.0.1:1 --heavy 1.5",
                  "echo 127.0.0.1:1 --heavy 0.5 --depth 2",
                  "echo 127.0.0.1:1 --heavy 0.5 --size 5000",
                  "echo 127.0.0.1:1 --rate 5 --think 1",
                  "echo 127.0.0.1:1 --size 1048576 --depth 1000",
                  "echo 10.0.0.1:1 --addresses 2",
                  "echo 127.0.0.1:1 --seconds nan"):
        refused(words.split())


# ---- Ways to ask --------------------------------------------------------------

def stall():
    """All else equal, only the open loop shows that a server stood still."""
    seen = {}
    for loop in "--rate 300", "":
        with EchoServer(flaw="stall", after=0.6) as server:
            seen[loop] = load("echo", server, f"--conns 1 --seconds 2 {loop}")
    open_loop, closed_loop = seen["--rate 300"], seen[""]
    check(open_loop["p999_us"] >= 500000, open_loop)
    check(open_loop["p90_us"] >= 100000, open_loop)
    check(closed_loop["max_us"] >= 500000, closed_loop)
    check(closed_loop["p90_us"] < open_loop["p90_us"] / 3, seen)


def never_again():
    """What has no answer at the end has taken until then."""
    with EchoServer(flaw="mute-all", after=1) as server:
        r = load("echo", server, "--conns 2 --rate 100 --seconds 2")
        check(r["p99_us"] >= 1e6 and r["max_us"] >= 1.5e6, r)


def rates():
    with EchoServer() as server:
        r = load("echo", server, "--conns 4 --rate 400 --seconds 0.5")
        check(r["requests"] <= 2 * 200 and r["late_us"] > 0, r)
        r = load("echo", server, "--conns 4 --think 50 --seconds 0.5")
        check(r["requests"] <= 4 * 10 + 4, r)
        check(r["limit"] == "none", r)


def churn():
    with EchoServer() as server:
        r = load("echo", server, "--conns 2 --churn 5")
        check(r["requests"] > 0, r)
        check(server.accepted >= r["requests"] / 5, (server.accepted, r))
        check(server.accepted <= server.messages / 5 + 4, server.accepted)


def many_addresses():
    with EchoServer() as server:
        load("echo", server, "--conns 6 --idle 6 --addresses 3")
        check(server.peers == {"127.0.0.1", "127.0.0.2", "127.0.0.3"},
              server.peers)
        check(server.most >= 12, server.most)


def slow_clients():
    with EchoServer() as server:
        r = load("echo", server, "--conns 1 --slow 3 --size 16 --seconds 0.8")
        check(r["slow"] > 0, r)
        check(server.shortest == 1, server.shortest)
    with HttpServer() as server:
        r = load("http", server, "--conns 1 --slow 2 --seconds 2.2")
        check(r["slow"] > 0, r)
    # Their replies are looked at, too.
    with EchoServer(flaw="flip one") as server:
        r = load("echo", server,
                 "--conns 1 --slow 1 --size 16 --seconds 0.3", 1)
        check("slow" in r["error"], r)


def heavy_ones():
    for kind, server in ("echo", EchoServer(block=0.03)), (
            "http", HttpServer(block=0.03)):
        with server:
            r = load(kind, server, "--conns 2 --heavy 0.25 --seconds 1")
            heavy = r["heavy"]
            check(heavy["p50_us"] >= 30000, r)
            check(heavy["requests"] * 3 <= r["requests"], r)
            check(heavy["requests"] * 5 >= r["requests"] - 20, r)
            check(r["p50_us"] < heavy["p50_us"], r)


# ---- The server, seen from outside -------------------------------------------

def account():
    with Program("echo") as server:
        r = load("echo", server, "--conns 10 --idle 50", pid=server.pid)
        cost = r["server"]
        check(0.2 < cost["cpu_us"] < 1000, cost)
        check(0 < cost["busy"] <= 1.2, cost)
        check(cost["threads"] == 1, cost)
        check(0 < cost["rss_idle"] <= cost["rss"] < 1 << 28, cost)
        check(0 <= cost["switches"] < 20, cost)
        check(cost["syscalls"] is None or 1 < cost["syscalls"] < 10, cost)


def account_of_a_tree():
    with Program("echo", child=True) as server:
        r = load("echo", server, "--conns 4", pid=server.pid)
        check(r["server"]["cpu_us"] > 0.2, r)
        check(r["server"]["threads"] == 2, r)


def limits():
    def by_server():
        with Alone() as server:
            r = load("echo", server, "--conns 64 --seconds 1", pid=server.pid)
            # Not where the machine has no core left for one of them.
            check(r["limit"] == "server" or r["server"]["busy"] < 0.85, r)

    def by_load():
        with Program("echo") as server:
            r = load("echo", server, "--conns 64 --size 16 --depth 1024",
                     pid=server.pid)
            check(r["limit"] == "load" or r["load_cpu"] < 0.85, r)

    def by_rate():
        with EchoServer() as server:
            r = load("echo", server, "--conns 4 --rate 100 --seconds 1")
            check(r["limit"] == "rate", r)

    if not SLOW:
        again(by_server)
    again(by_load)
    again(by_rate)


def beside_wrk():
    """On the same server in turns, wrk sees the same."""
    if SLOW or not shutil.which("wrk"):
        print("beside_wrk: left out")
        return

    def agree():
        with Program("http") as server:
            ratios = []
            for _ in range(3):
                ours = load("http", server, "--conns 16 --seconds 0.5")["rps"]
                ratios.append(ours / run_wrk(server, 16))
            ratio = sorted(ratios)[1]
            check(1 / 2.5 < ratio < 2.5, ratios)

    again(agree)


if __name__ == "__main__":
    if not os.path.exists(LOAD) or not os.path.exists(EPOLL):
        print("the benchmarks are not built")
        sys.exit(77)
    for test in (right_echo, large_echo, right_http, wrong_echo, last_byte,
                 wrong_http, no_server, bad_options, stall, never_again, rates,
                 churn, many_addresses, slow_clients, heavy_ones, account,
                 account_of_a_tree, limits, beside_wrk):
        if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]:
            begun = time.monotonic()
            test()
            print(f"  {test.__name__}: {time.monotonic() - begun:.1f} s",
                  flush=True)
