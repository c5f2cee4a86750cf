# contenders.py - the servers that are measured, one entry each.
#
# An entry is all that a new contender needs: a program with the command line of
# bench/servers/kit/service.h, and a word about it.  README.md beside this folder
# says which lines.
#
# SPDX-License-Identifier: MIT
import dataclasses
import os
import shutil
import subprocess

BUILD = os.environ.get("CORTEN_BENCH_BUILD", "build/release")
SERVERS = f"{BUILD}/bench/servers"
PEERS = f"{BUILD}/bench/peers"
PREFORK_MAX = 1000


@dataclasses.dataclass
class Contender:
    name: str
    title: str
    kind: str             # corten, limit, classic or field
    program: str          # {SERVERS}/x or {PEERS}/x
    model: str            # how it waits, in a line
    better: str           # what it does better than corten
    options: tuple = ()
    load: tuple = ()      # what the load generator is told besides
    kinds: tuple = ("echo", "http")
    version: tuple = ()   # a command that says it, or () for the tree's own
    package: str = ""     # what to install when it is not there
    needs: str = ""       # the program or file that package brings

    def why_not(self):
        """Why it cannot be measured here, or None."""
        if self.needs and not (os.path.exists(self.needs) or
                               shutil.which(self.needs)):
            return f"not installed: apt-get install {self.package}"
        if not os.path.exists(self.program):
            return f"{self.program} is not built" + (
                f": apt-get install {self.package}" if self.package else "")
        return None

    def command(self, case):
        """Its words for that case, but for the address; or why it has none."""
        if case.kind not in self.kinds:
            return None, f"it speaks no {case.kind}"
        options = list(self.options)
        if self.name == "prefork":
            if case.conns > PREFORK_MAX:
                return None, "it takes a process for each connection"
            options += ["--threads", str(case.conns + 2)]
        return [self.program, case.kind, "127.0.0.1:0", *options,
                *case.server], None

    def said_version(self, own):
        if not self.version:
            return own
        done = subprocess.run(self.version, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT)
        words = [w for w in done.stdout.replace("/", " ").split()
                 if any(c.isdigit() for c in w)]
        return words[0] if words else "unknown"


def library(package):
    return ("dpkg-query", "-W", "-f", "${Version}", package)


OWN = [
    Contender(
        "corten", "corten", "corten", f"{SERVERS}/corten",
        "a coroutine per connection, one scheduler over epoll",
        "This is what the others are compared with."),
    Contender(
        "corten_hook", "corten with hooks", "corten", f"{SERVERS}/corten_hook",
        "a coroutine per connection, in which libc's recv and send suspend",
        "The handler is the one of the thread per connection, to the letter."),
    Contender(
        "corten_http", "corten-http", "corten", f"{SERVERS}/corten_http",
        "the HTTP server of corten, with all its checks and limits",
        "A whole HTTP server, where the other corten answers one request by a "
        "parser that knows no other.", kinds=("http",)),
    Contender(
        "epoll", "epoll loop", "limit", f"{SERVERS}/epoll",
        "one thread, one edge-triggered epoll set, written by hand",
        "Nothing stands between the handler and the kernel: no stack, no "
        "switch, no timer but a list.  A connection that waits costs 48 bytes. "
        "In exchange the handler is a state machine, and may not block."),
    Contender(
        "uring", "io_uring loop", "limit", f"{SERVERS}/uring",
        "one thread, one io_uring: multishot receives, buffers of the kernel's "
        "choice, sends in batches",
        "Hardly a system call a request, and completions rather than readiness. "
        "Where system calls are dear (virtual machines, mitigations) that is "
        "the limit beyond epoll.", package="liburing-dev"),
    Contender(
        "threads", "thread per connection", "classic", f"{SERVERS}/threads",
        "a thread with a stack of 64 KiB for each connection, blocking calls",
        "Any library works in it, handlers may compute as long as they like, "
        "and the kernel spreads them over all cores.  Its debuggers and "
        "profilers have existed for decades."),
    Contender(
        "workers", "threads on one epoll set", "classic", f"{SERVERS}/workers",
        "32 threads wait for the same epoll set; one-shot events, no queue",
        "The best form of a thread pool: whoever is free takes the next ready "
        "connection, and a handler that computes holds up nobody."),
    Contender(
        "processes", "process pool", "classic", f"{SERVERS}/processes",
        "one process accepts and passes descriptors by SCM_RIGHTS to 8 others, "
        "each with an event loop",
        "A crash takes an eighth of the connections along, not all."),
    Contender(
        "prefork", "pre-forked accept", "classic", f"{SERVERS}/prefork",
        "a process for each connection, forked before",
        "A crash takes one connection along.  Nothing is shared, so nothing "
        "has to be locked."),
]

POOL = [
    Contender(
        f"pool-{listener}-{conns}-{who}", f"pool {listener} {conns} {who}",
        "classic", f"{SERVERS}/pool",
        f"an I/O thread and 8 workers behind a bounded queue; listening socket "
        f"{'edge' if listener == 'et' else 'level'}-triggered, connections "
        f"{'edge' if conns == 'et' else 'level'}-triggered; " +
        ("a worker reads and writes" if who == "reactor" else
         "the I/O thread reads and writes, workers compute"),
        "Handlers may compute or block for a while: up to 8 at a time keep "
        "nobody else waiting, on all cores, and no call needs a special form.",
        options=("--mode", f"{listener},{conns},{who}"))
    for listener in ("lt", "et") for conns in ("lt", "et")
    for who in ("reactor", "proactor")
]

FIELD = [
    Contender(
        "nginx", "nginx", "field", f"{PEERS}/nginx",
        "one worker process, an event loop of state machines",
        "A complete web server: TLS, HTTP/2, proxying, caching, a configuration "
        "language, and twenty years of operation.", kinds=("http",),
        load=("--same",), version=("nginx", "-v"), package="nginx-light", needs="/usr/sbin/nginx"),
    Contender(
        "lighttpd", "lighttpd", "field", f"{PEERS}/lighttpd",
        "one process, an event loop of state machines",
        "A complete web server in few megabytes.", kinds=("http",),
        load=("--same",), version=("/usr/sbin/lighttpd", "-v"), package="lighttpd",
        needs="/usr/sbin/lighttpd"),
    Contender(
        "h2o", "h2o", "field", f"{PEERS}/h2o",
        "one thread, an event loop of its own",
        "HTTP/2 with priorities as good as anybody's, TLS tuned to the record.",
        kinds=("http",), load=("--same",), version=("h2o", "--version"), package="h2o",
        needs="/usr/bin/h2o"),
    Contender(
        "go", "Go", "field", f"{PEERS}/go",
        "a goroutine per connection; net, and net/http for HTTP; GOMAXPROCS as "
        "the cores that it may use",
        "Stacks that grow, coroutines that move to idle cores and are "
        "interrupted when they compute for long, memory that frees itself, "
        "and a library for everything.", version=("go", "version"),
        package="golang-go", needs="go"),
    Contender(
        "libevent", "libevent", "field", f"{PEERS}/libevent",
        "one thread; bufferevents, and evhttp for HTTP",
        "Callbacks on every system there is, TLS and DNS included.",
        version=library("libevent-dev"), package="libevent-dev",
        needs="/usr/include/event2/event.h"),
    Contender(
        "libuv", "libuv", "field", f"{PEERS}/libuv",
        "one thread; callbacks over epoll",
        "Portable to Windows, and what Node.js stands on.",
        version=library("libuv1-dev"), package="libuv1-dev",
        needs="/usr/include/uv.h"),
    Contender(
        "asio", "Boost.Asio", "field", f"{PEERS}/asio",
        "one thread; C++20 coroutines over epoll",
        "Stackless coroutines: a waiting one costs the bytes of its locals, and "
        "the compiler checks where it may wait.",
        version=library("libboost-dev"), package="libboost-dev",
        needs="/usr/include/boost/asio.hpp"),
]

ALL = OWN + POOL + FIELD
BY_NAME = {c.name: c for c in ALL}

# Those that are measured over the whole range of each axis; "pool" stands for
# the best of its modes.
THOROUGH = ["corten", "corten_hook", "corten_http", "epoll", "threads", "pool",
            "go"]
QUICK = ["corten", "corten_hook", "corten_http", "epoll", "threads",
         "pool-lt-lt-reactor", "nginx", "go"]
