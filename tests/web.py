# web.py - for tests of the HTTP server with clients of other makers: starts the
# server, runs the clients, bounds both.
#
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from servers import LIBC, PR_SET_PDEATHSIG, Missing

LIMIT = 120
BUILD = os.environ["CORTEN_BUILD"]
PROGRAM = os.path.join(BUILD, "tests/http_clients_server")
SCALE = float(os.environ.get("CORTEN_TEST_SCALE") or 0.1)
PERIOD = 65536
PATTERN = bytes(i * i >> 8 & 255 for i in range(PERIOD))


def check(true, what):
    if not true:
        raise AssertionError(what)


def count(n):
    """Of a test whose full count is n (test.h)."""
    return max(1, int(n * SCALE))


def pattern(size):
    """What /stream/SIZE and /large/SIZE send."""
    return (PATTERN * (size // PERIOD + 1))[:size]


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def launcher():
    return os.environ.get("CORTEN_TEST_LAUNCHER", "").split()


class WebServer:
    """http_clients_server, or another program, at work: addr, port, url."""

    def __init__(self, *options, limits=None, program=PROGRAM):
        def prepare():
            die_with_parent()
            if limits:
                limits()

        self.process = subprocess.Popen(
            [*launcher(), program, *options], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=prepare)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not found:
            self.process.kill()
            raise AssertionError(line + self.process.communicate()[1])
        self.port = int(found[1])
        self.addr = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def ends(self):
        """What it read at which port of a client, as a list of pairs."""
        out, err = self.process.communicate(timeout=LIMIT)
        status = self.process.returncode
        check(status == 0 and err == "", f"status {status}, says {err!r}")
        return [tuple(map(int, line.split())) for line in out.splitlines()]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.ends()


def find(name):
    path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise Missing(name)
    return found


def start(*command, **options):
    """A client; without what the launcher put into the environment."""
    environment = dict(os.environ, LC_ALL="C")
    environment.pop("LD_PRELOAD", None)
    for name in list(environment):
        if name.lower().endswith("_proxy"):
            del environment[name]
    return subprocess.Popen(
        [find(command[0]), *command[1:]], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        preexec_fn=die_with_parent, **options)


def finish(client, status=0):
    """What it printed: bytes."""
    out, err = client.communicate(timeout=LIMIT)
    check(client.returncode == status,
          f"{client.args}: status {client.returncode}\n"
          f"{out[-2000:]}\n{err[-2000:].decode(errors='replace')}")
    return out


def run(*command, status=0, **options):
    return finish(start(*command, **options), status)


def number(pattern, text):
    """The one that text has there."""
    found = re.search(pattern, text, re.M)
    check(found, f"no {pattern} in\n{text}")
    return float(found[1])


def main(tests, program=PROGRAM):
    """Runs each; those whose client is missing are named."""
    if not os.path.exists(program):
        print("skipped: this build has no", os.path.basename(program))
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tried = 0
    for test in tests:
        try:
            begun = time.monotonic()
            test()
            print(f"  {test.__name__}: {time.monotonic() - begun:.1f} s",
                  flush=True)
            tried += 1
        except Missing as missing:
            print(f"  {test.__name__} is not tried: there is no {missing}",
                  flush=True)
    return 0 if tried else 77
