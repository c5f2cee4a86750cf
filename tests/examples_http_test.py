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
        with socket.socket() as free: # its number is most likely still free
            free.bind(("127.0.0.1", 0))
            self.addr = free.getsockname()
        self.process = subprocess.Popen(
            [os.path.join(PROGRAMS, name), "%s:%d" % self.addr],
            stderr=subprocess.PIPE, text=True)
        self.client = http.client.HTTPConnection(*self.addr, timeout=LIMIT)

    def __enter__(self):
        while self.client.sock is None:
            check(self.process.poll() is None, "ended")
            try:
                self.client.connect()
            except ConnectionRefusedError:
                time.sleep(0.01)
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
    return 0


sys.exit(main())
