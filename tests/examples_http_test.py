# examples_http_test.py - the examples that serve HTTP do what they say.
#
# CORTEN_BUILD names the build; skips when that has no examples.
#
# SPDX-License-Identifier: MIT
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from files_kit import SERVE, Serve, get, noise, put
from servers import Folder
from web import start

LIMIT = 60
PROGRAMS = os.path.join(os.environ["CORTEN_BUILD"], "examples")


def check(true, what):
    if not true:
        raise AssertionError(what)


class Web:
    """An example that serves HTTP, and a connection to it."""

    def __init__(self, name):
        self.name = name

    def start(self):
        """False: somebody else was faster to take the port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            addr = free.getsockname()
        self.process = subprocess.Popen(
            [os.path.join(PROGRAMS, self.name), "%s:%d" % addr],
            stderr=subprocess.PIPE, text=True)
        self.client = http.client.HTTPConnection(*addr, timeout=LIMIT)
        while self.process.poll() is None:
            try:
                self.client.connect()
                return True
            except ConnectionRefusedError:
                time.sleep(0.01)
        return False

    def __enter__(self):
        while not self.start():
            err = self.process.communicate()[1]
            check("Address already in use" in err, err)
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def ask(self, method, path, **fields):
        """(status, fields, body)"""
        self.client.request(method, path, headers={
            name.replace("_", "-"): value for name, value in fields.items()})
        answer = self.client.getresponse()
        return answer.status, answer.headers, answer.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=LIMIT)
        check(self.process.returncode == 0, "a stop is no failure")
        return err


def test_hello_http():
    with Web("hello_http") as web:
        status, fields, body = web.ask("GET", "/")
        check((status, body) == (200, b"hello\n"), body)
        check(fields["Content-Type"] == "text/plain; charset=utf-8", fields)
        check(web.ask("GET", "/greet/a%20b")[2] == b"hello, a b\n", "greets")
        check(web.ask("HEAD", "/")[2] == b"", "HEAD has a body")
        check(web.ask("POST", "/")[1]["Allow"] == "GET, HEAD, OPTIONS", "405")
        check(web.ask("GET", "/none")[0] == 404, "404")
        check(web.stop() == "", "says something")


def test_bad_addresses(name):
    for addr, why in (("127.0.0.1:99999", "Invalid argument"),
                      ("nonsense", "Invalid argument"),
                      ("192.0.2.1:8080", "Cannot assign requested address")):
        done = subprocess.run([os.path.join(PROGRAMS, name), addr],
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT)
        check(done.returncode == 1, f"{name} {addr}: {done.returncode}")
        check(done.stderr == f"{addr}: {why}\n", done.stderr)


def test_http_before():
    you = "Basic eW91OnNlY3JldA=="
    page = "https://app.example"
    with Web("http_before") as web:
        status, fields, body = web.ask("GET", "/%1b")
        check(status == 401 and "Basic" in fields["WWW-Authenticate"], status)
        check(web.ask("GET", "/", Authorization=you[:-1] + "!")[0] == 401, "!")
        check(web.ask("GET", "/", Authorization="Basic")[0] == 401, "none")
        status, fields, body = web.ask("GET", "/", Authorization=you,
                                       Origin=page)
        check((status, body) == (200, b"hello\n"), status)
        check(fields["Access-Control-Allow-Origin"] == page, fields)
        status, fields, body = web.ask("OPTIONS", "/", Origin=page,
                                       Access_Control_Request_Method="GET")
        check(status == 204 and "GET" in fields["Access-Control-Allow-Methods"],
              fields)
        fields = web.ask("OPTIONS", "/", Origin="https://other.example")[1]
        check("Access-Control-Allow-Origin" not in fields, fields)
        # Of a bucket of 20 tokens, with ten a second more.
        for i in range(1000):
            status, fields, _ = web.ask("GET", "/", Authorization=you)
            if status != 200:
                break
        check(status == 429 and fields["Retry-After"] == "1" and i > 10, i)
        lines = web.stop().splitlines()
        check(re.fullmatch(r"127\.0\.0\.1:\d+ GET /\?", lines[0]), lines[0])


def test_serve_options():
    with Folder() as folder:
        put(folder, "a&b.txt", content=b"text\n")
        put(folder, ".hidden", content=b"dots\n")
        with Serve(folder) as web:
            page = get(web.addr, "/")
            check(page.status == 200 and b"a&amp;b.txt" in page.body and
                  b".hidden" not in page.body, page.body)
            check(get(web.addr, "/a&b.txt").body == b"text\n", "a file")
            check(get(web.addr, "/a&b.txt").field("cache-control") is None,
                  "nobody asked for Cache-Control")
            check(get(web.addr, "/.hidden").status == 404, "hidden")
            web.stop()
        with Serve(folder, "--no-listing", "--dotfiles", "--unchecked=1000",
                   "--cache-control=max-age=60", "--max-conns=1") as web:
            check(get(web.addr, "/").status == 403, "no listing")
            found = get(web.addr, "/.hidden")
            check(found.body == b"dots\n" and
                  found.field("cache-control") == "max-age=60", found.fields)
            with socket.create_connection(web.addr) as first:
                first.sendall(b"HEAD /.hidden HTTP/1.1\r\nHost: a\r\n\r\n")
                check(first.recv(99).startswith(b"HTTP/1.1 200"), "the first")
                check(get(web.addr, "/.hidden").status == 503, "the second")
            web.stop()


def test_serve_log():
    with Folder() as folder:
        put(folder, "a.txt", content=b"text\n")
        with Serve(folder, "--log=common") as web:
            get(web.addr, "/a.txt")
            get(web.addr, "/none", method="HEAD")
            web.process.send_signal(signal.SIGINT)
            said = web.process.communicate(timeout=LIMIT)[0].splitlines()
        first, second = said
        check(re.fullmatch(r'127\.0\.0\.1 - - \[.*\] "GET /a\.txt HTTP/1\.1" '
                           "200 5", first), first)
        check(second.endswith('"HEAD /none HTTP/1.1" 404 0'), second)
        with Serve(folder, "--log=json") as web:
            get(web.addr, "/a.txt")
            web.process.send_signal(signal.SIGTERM)
            said = web.process.communicate(timeout=LIMIT)[0].splitlines()
        check(json.loads(said[0])["status"] == 200, said)


def test_serve_stop():
    """An answer that has begun is finished."""
    data = noise(30_000_000)
    with Folder() as folder:
        put(folder, "a", content=data)
        with Serve(folder) as web:
            client = start("curl", "-sS", "--noproxy", "*", "--limit-rate",
                           "20M", web.url + "/a")
            begun = client.stdout.read(100_000)
            web.process.send_signal(signal.SIGINT)
            rest = client.stdout.read()
            check(begun + rest == data, f"{len(rest)} bytes more, "
                  f"{client.stderr.read()}")
            check(client.wait(LIMIT) == 0, "its status")
            check(web.process.wait(LIMIT) == 0, "its status")


def test_serve_wrong():
    with Folder() as folder:
        name = put(folder, "file")
        here = "127.0.0.1:0"
        for status, why, *words in (
                (2, "'x' is no form of a log", "--log=x"),
                (2, "'0' is not a number from 1", "--max-conns=0"),
                (2, "'-1' is not a number from 1", "--unchecked=-1"),
                (2, "'1x' is not a number from 1", "--max-conns=1x"),
                (2, "usage: serve", "--nonsense"),
                (2, "usage: serve", "--log"),
                (2, "usage: serve", here, folder, folder),
                (1, f"{name}: Not a directory", here, name),
                (1, f"{name}x: No such file", here, name + "x"),
                (1, "'nonsense' is no address", "nonsense", folder),
                (1, f"'{folder}' is no address", folder),
                (1, "is no value of a field", "--cache-control=a\nb"),
                (0, "", "--help")):
            done = subprocess.run([SERVE, *words], capture_output=True,
                                  text=True, timeout=LIMIT)
            check(done.returncode == status, done)
            check(why in done.stderr, done)
        check(done.stdout.startswith("usage: serve"), done)


def too_long(*_):
    raise TimeoutError(f"after {LIMIT} s")


def main():
    if not os.path.exists(PROGRAMS):
        print("skipped: this build has no examples")
        return 77
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    test_hello_http()
    test_http_before()
    test_bad_addresses("hello_http")
    test_bad_addresses("http_before")
    test_serve_options()
    test_serve_log()
    test_serve_stop()
    test_serve_wrong()
    return 0


sys.exit(main())
