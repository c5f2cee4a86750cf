# cases.py - what is asked of the servers: points on axes, each with what the
# load generator and the server are told.
#
# SPDX-License-Identifier: MIT
import dataclasses


@dataclasses.dataclass
class Case:
    id: str
    kind: str            # echo or http
    axis: str
    x: float
    title: str
    load: tuple          # words for bench/load
    server: tuple = ()   # words for the server
    conns: int = 64      # at the same time, all kinds of them
    everybody: bool = False  # or those who are measured thoroughly
    quick: bool = False


def number(n):
    return f"{n:,}"


def connections():
    for kind in "echo", "http":
        for n in 1, 8, 64, 512, 1000, 4000, 10000:
            if kind == "http" and n in (8, 4000):
                continue
            yield Case(
                f"{kind}.c{n}", kind, "connections", n,
                f"{kind}, {number(n)} connection{'s' if n > 1 else ''}",
                ("--conns", str(n)), conns=n,
                everybody=n in (64, 1000) or (kind, n) == ("http", 512),
                quick=n in (64, 1000))


def others():
    for n in 64, 1024, 4096, 16384, 65536:
        yield Case(f"echo.size{n}", "echo", "size", n,
                   f"echo of {number(n)} bytes, 64 connections",
                   ("--conns", "64", "--size", str(n)))
    yield Case("echo.depth16", "echo", "depth", 16,
               "echo, 16 requests sent at once, 64 connections",
               ("--conns", "64", "--depth", "16"))
    for us in 10, 100, 1000:
        yield Case(f"http.compute{us}", "http", "compute", us,
                   f"HTTP, each request computes {number(us)} us, "
                   "64 connections",
                   ("--conns", "64", "--heavy", "1"), ("--compute", str(us)),
                   quick=us == 100)
    yield Case("http.mix100", "http", "mix", 100,
               "HTTP, one request in ten computes 100 us, 64 connections",
               ("--conns", "64", "--heavy", "0.1"), ("--compute", "100"))
    for ms in 1, 5, 20, 50:
        yield Case(f"http.block{ms}", "http", "block", ms,
                   f"HTTP, each request blocks {ms} ms, 1,000 connections",
                   ("--conns", "1000", "--heavy", "1"), ("--block", str(ms)),
                   conns=1000, quick=ms == 5)
    yield Case("echo.idle9000", "echo", "idle", 9000,
               "echo, 64 connections, 9,000 that are silent",
               ("--conns", "64", "--idle", "9000"), conns=9064, quick=True)
    yield Case("echo.slow200", "echo", "slow", 200,
               "echo, 64 connections, 200 that send a byte at a time",
               ("--conns", "64", "--slow", "200"), conns=264)
    yield Case("http.rate20000", "http", "rate", 20000,
               "HTTP, 20,000 requests/s at fixed times, 64 connections",
               ("--conns", "64", "--rate", "20000"), quick=True)
    yield Case("http.churn1", "http", "churn", 1,
               "HTTP, a connection for each request, 64 at a time",
               ("--conns", "64", "--churn", "1"))


ALL = [*connections(), *others()]
BY_NAME = {c.id: c for c in ALL}
AXES = sorted({c.axis for c in ALL})
