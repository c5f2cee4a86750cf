# examples_http_test.py - the examples that serve HTTP do what they say.
#
# CORTEN_BUILD names the build; skips when that has no examples.
#
# SPDX-License-Identifier: MIT
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time

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
    return 0


sys.exit(main())
