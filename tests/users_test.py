# users_test.py - the example users, beside a MariaDB of its own, as
# examples/run.sh starts them.
#
# Nothing sleeps: what is waited for is an answer, or the end of a process, all
# within LIMIT seconds.  CORTEN_BUILD names the build; skips when that has no
# such example, or when there is no mariadbd.
#
# SPDX-License-Identifier: MIT
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from servers import LIBC, PR_SET_PDEATHSIG, Mariadb, Missing

LIMIT = 200
SOON = 60
PROGRAM = os.path.join(os.environ["CORTEN_BUILD"], "examples/users")
JSON = {"Content-Type": "application/json"}


def check(true, what):
    if not true:
        raise AssertionError(what)


class Users:
    """The service and its database, in the process group of their own that a
    terminal would give them."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder + "/mariadb"

    def __enter__(self):
        run = os.path.join(self.folder, "run")
        with open(run, "w") as f:
            f.write("#!/bin/sh\nexec %s %s \"$@\"\n" % (
                os.environ.get("CORTEN_TEST_LAUNCHER", ""), PROGRAM))
        os.chmod(run, 0o755)

        def prepare():
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))

        self.process = subprocess.Popen(
            ["sh", "examples/mariadb.sh", run, self.folder, "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=prepare)
        line = self.process.stderr.readline()
        check(self.home in line, line)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        check(found, line or self.process.stderr.read())
        self.addr = ("127.0.0.1", int(found[1]))
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.terminate()
        said = self.process.communicate(timeout=SOON)[1]
        if error[0]:
            print(f"status {self.process.returncode}, says: {said}")

    def client(self):
        return http.client.HTTPConnection(*self.addr, timeout=SOON)

    def once(self, method, path, body=None, fields=JSON, client=None):
        """(status, what was sent back, fields)"""
        client = client or self.client()
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        client.request(method, path, body=body,
                       headers=fields if body is not None else {})
        answer = client.getresponse()
        text = answer.read()
        if text and answer.headers["Content-Type"] == "application/json":
            text = json.loads(text)
        return answer.status, text, answer.headers

    def ask(self, *args, **more):
        """The same; on a busy machine a connection may take too long."""
        limit = time.monotonic() + SOON
        while True:
            got = self.once(*args, **more)
            if got[0] != 503 or time.monotonic() > limit:
                return got

    def create(self, name, email):
        status, user, fields = self.ask(
            "POST", "/users", {"name": name, "email": email})
        check(status == 201, (status, user))
        check((user["name"], user["email"]) == (name, email), user)
        check(fields["Location"] == "/users/%d" % user["id"], fields)
        return user

    def pid(self):
        with open(self.home + "/pid") as f:
            return int(f.read())

    def ends(self):
        """The status, and whether the database went before."""
        pid = self.pid()
        self.process.communicate(timeout=SOON)
        check(not os.path.exists("/proc/%d" % pid), "the database still runs")
        return self.process.returncode


class Sql:
    """A connection to the database, of the protocol's few bytes."""

    def __init__(self, users):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SOON)
        self.socket.connect(users.home + "/socket")
        self.stream = self.socket.makefile("rb")
        self.packet()  # the greeting
        flags = 0x0200 | 0x8000 | 0x8  # protocol 4.1, as it logs in, database
        self.send(1, struct.pack("<IIB23x", flags, 1 << 24, 45)
                  + b"root\0\0corten\0")
        check(self.packet()[0] == 0, "no login")

    def send(self, number, data):
        self.socket.sendall(
            struct.pack("<I", len(data))[:3] + bytes([number]) + data)

    def packet(self):
        head = self.stream.read(4)
        return self.stream.read(head[0] | head[1] << 8 | head[2] << 16)

    def run(self, sql):
        """The packets of the rows, if there are any."""
        self.send(0, b"\x03" + sql.encode())
        first = self.packet()
        check(first[0] != 255, first)
        rows = []
        ends = 0 if first[0] else 2
        while ends < 2:
            packet = self.packet()
            if packet[0] == 254 and len(packet) < 9:
                ends += 1
            elif ends == 1:
                rows.append(packet)
        return rows

    def close(self):
        self.stream.close()
        self.socket.close()


def test_basics(users):
    check(users.ask("GET", "/users")[:2] == (200, []), "empty at first")
    ada = users.create("Ada", "ada@example.org")
    bob = users.create("Bob", "bob@example.org")
    check(users.ask("GET", "/users/%d" % ada["id"])[:2] == (200, ada), "get")
    check(users.ask("GET", "/users")[:2] == (200, [ada, bob]), "list")
    check(users.ask("GET", "/users?after=%d" % ada["id"])[1] == [bob], "after")
    check(users.ask("HEAD", "/users")[0] == 200, "HEAD")
    status = users.ask("POST", "/users", {"name": "A", "email": bob["email"]})
    check(status[0] == 409, status)


def test_bad(users):
    for path in "0", "99", "x", "-1", "1x", "%00", str(1 << 63), "9" * 30:
        got = users.ask("GET", "/users/" + path)
        check(got[0] == 404 or (path == "%00" and got[0] == 400), (path, got))
    for query in "x=1", "after=", "after=-1", "after=1x", "after=" + "9" * 30:
        check(users.ask("GET", "/users?" + query)[0] == 400, query)
    good = {"name": "n", "email": "e"}
    for body in (b"", b"{", b"[]", b"1", b"{}", b'{"name":"n"}',
                 {"name": 1, "email": "e"}, {"name": None, "email": "e"},
                 {"name": "", "email": "e"}, {"name": "n", "email": ""},
                 {**good, "more": 1}, {**good, "name": "n" * 101},
                 {**good, "email": "e" * 201}, [good],
                 b'{"name":"n","name":"n","email":"e"}',
                 b'{"name":"n\\u0000","email":"e"}',
                 b'{"name":"\xff","email":"e"}',
                 b"[" * 3000):
        got = users.ask("POST", "/users", body)
        check(got[0] == 400, (body, got))
    check(users.ask("POST", "/users", good, fields={})[0] == 415, "no type")
    check(users.ask("POST", "/users", b"a=1", fields={
        "Content-Type": "text/plain"})[0] == 415, "another type")
    check(users.ask("POST", "/users", b" " * 70000)[0] == 413, "too long")
    for method, path in ("DELETE", "/users"), ("POST", "/users/1"):
        got = users.ask(method, path, b"{}")
        check(got[0] == 405 and "GET" in got[2]["Allow"], got)
    check(users.ask("GET", "/")[0] == 404, "another path")
    check(len(users.ask("GET", "/users")[1]) == 2, "nobody was created")


def test_text(users):
    for i, name in enumerate((
            "Zoë", "李小龙", "👩‍🚀 Σ", "a" * 100, "😀" * 100, "O'Neil",
            "'); DROP TABLE users; --", "\\' OR 1=1 #", '"', "%s %n", "\t\n",
            "\u2028", "? ? ?")):
        user = users.create(name, "text%d'\"\\😀@example.org" % i)
        check(users.ask("GET", "/users/%d" % user["id"])[1] == user, user)
    check(users.ask("GET", "/users/1%20OR%201=1")[0] == 404, "by the path")
    check(users.ask("GET", "/users?after=1%20OR%201=1")[0] == 400, "the query")


def test_many(users):
    """A few at once over connections that are kept, and pages of a list."""
    def work(number):
        client = users.client()
        for i in range(5):
            name = "many %d %d" % (number, i)
            status, user, _ = users.ask(
                "POST", "/users", {"name": name, "email": name}, client=client)
            check(status == 201, (status, user))
            got = users.ask("GET", "/users/%d" % user["id"], client=client)
            check(got[:2] == (200, user), got)
        client.close()

    with concurrent.futures.ThreadPoolExecutor(40) as threads:
        for done in threads.map(work, range(40)):
            pass
    seen = []
    while page := users.ask("GET", "/users?after=%d" % (
            seen[-1]["id"] if seen else 0))[1]:
        check(len(page) <= 100, "a long page")
        seen += page
    check(len({user["id"] for user in seen}) == len(seen), "twice on pages")
    check(sum(user["name"].startswith("many ") for user in seen) == 200, "lost")


def test_stopped(users):
    """A query that takes too long is stopped; meanwhile, who gets no connection
    is told soon."""
    sql = Sql(users)
    sql.run("LOCK TABLES users WRITE")
    with concurrent.futures.ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(users.once, "GET", "/users/1")
                 for _ in range(40)]
        found = [done.result()[0] for done in asked]
    check(set(found) == {503, 504}, found)
    check(found.count(504) <= 16, "more than there are connections")
    ours = sql.run("SELECT 1 FROM information_schema.processlist "
                   "WHERE command <> 'Sleep' AND info LIKE '%FROM users%'")
    check(len(ours) <= 1, "queries are still there")  # this is one itself
    sql.run("UNLOCK TABLES")
    sql.close()
    check(users.ask("GET", "/users/1")[0] == 200, "not as before")


def test_killed(users):
    """A database that dies costs some answers, and soon none."""
    def work(_):
        client = users.client()
        found = set()
        while time.monotonic() < end:
            found.add(users.once("GET", "/users/1", client=client)[0])
        client.close()
        return found

    for sig in signal.SIGKILL, signal.SIGTERM:
        old = users.pid()
        end = time.monotonic() + 1
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(work, i) for i in range(8)]
            os.kill(old, sig)
            found = set.union(*(done.result() for done in asked))
        check(found <= {200, 503}, found)
        check(users.ask("GET", "/users/1")[0] == 200, "does not come back")
        check(users.pid() != old, "another one")
        limit = time.monotonic() + SOON
        while {users.once("GET", "/users/1")[0] for _ in range(50)} != {200}:
            check(time.monotonic() < limit, "dead connections stay")


def test_folder(folder):
    """Ctrl-C ends both, and what was given as folder keeps the data."""
    with Users(folder) as users:
        user = users.create("Eve", "eve@example.org")
        os.killpg(users.process.pid, signal.SIGINT)
        check(users.ends() == 0, "a stop is no failure")
    with Users(folder) as users:
        got = users.ask("GET", "/users/%d" % user["id"])
        check(got[:2] == (200, user), got)
        users.process.send_signal(signal.SIGTERM)
        check(users.ends() == 0, "nor is this")


def test_temporary():
    done = subprocess.run(
        ["sh", "examples/mariadb.sh", "/bin/sh", "", "-c",
         "echo $MYSQL_URL; exit 7"], capture_output=True, text=True,
        timeout=SOON)
    found = re.search(r"\?socket=(/\S+)/mariadb/socket\n$", done.stdout)
    check(done.returncode == 7 and found, done)
    check(not os.path.exists(found[1]), "the temporary folder is still there")


def too_long(*_):
    raise TimeoutError(f"after {LIMIT} s")


def main():
    if not os.path.exists(PROGRAM):
        print("skipped: this build has no examples/users")
        return 77
    try:
        Mariadb.find_program()
    except Missing as missing:
        print(f"skipped: there is no {missing}")
        return 77
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory())
                   for _ in range(2)]
        for folder in folders:
            os.chmod(folder, 0o711)
        with Users(folders[0]) as users:
            for test in (test_basics, test_bad, test_text, test_many,
                         test_stopped, test_killed):
                print(test.__name__, flush=True)
                test(users)
        test_folder(folders[1])
        test_temporary()
    return 0


sys.exit(main())
