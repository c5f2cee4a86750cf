# http_proxy_test.py - nginx as a reverse proxy in front of the HTTP server, in
# each way it talks to one: HTTP/1.0 and 1.1, kept-alive connections or new ones,
# bodies that it buffers or passes on as they come.
#
# nginx sends no more of a request once an answer has begun, so bodies are sent
# back when all of them has come.
#
# CORTEN_BUILD names the build; skips when there is no nginx.
#
# SPDX-License-Identifier: MIT
import http.client
import sys
import threading

from servers import Folder, Nginx, free_port
from web import LIMIT, WebServer, check, count, main, pattern, run

WAYS = {
    "old": "proxy_http_version 1.0;",
    "new": 'proxy_http_version 1.1; proxy_set_header Connection "";',
    "close": "proxy_http_version 1.1;",
    "passing": 'proxy_http_version 1.1; proxy_set_header Connection "";'
               "proxy_request_buffering off; proxy_buffering off;",
}


class Proxy(Nginx):
    """/WAY/... asks port for /..."""

    def __init__(self, top, behind):
        super().__init__(top)
        self.behind = behind

    def command(self):
        self.port = free_port()
        temporary = " ".join(
            f"{kind}_temp_path {self.folder};" for kind in
            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        locations = "".join(
            f"location /{name}/ {{ proxy_pass http://behind/; {how} }}\n"
            for name, how in WAYS.items())
        self.write("conf", f"""
            daemon off; master_process off; pid pid; error_log stderr;
            events {{ worker_connections 1000; }}
            http {{ access_log off; {temporary}
            client_max_body_size 0; proxy_read_timeout {LIMIT}s;
            upstream behind {{
                server 127.0.0.1:{self.behind} max_fails=0; keepalive 16;
                keepalive_requests 1000000; }}
            server {{
                listen 127.0.0.1:{self.port} backlog=1000;
                location = /small {{ return 200; }}
                {locations} }} }}
            """.encode())
        return [self.find_program(), "-p", self.folder, "-e", "stderr", "-c",
                "conf"]

    def log(self):
        with open(self.path("log"), errors="replace") as log:
            return log.read()


def ask(conn, method, path, size=None, chunked=False):
    """The answer's status and body."""
    fields, body = {}, None
    if size is not None:
        body = pattern(size)
        if chunked:
            fields["Transfer-Encoding"] = "chunked"
            body = iter([body[i:i + 30000] for i in range(0, size, 30000)])
    conn.request(method, path, body=body, headers=fields,
                 encode_chunked=chunked)
    answer = conn.getresponse()
    return answer.status, answer.read()


def converse(port, way, seed, failures):
    """Requests of all kinds behind one another on one connection."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    try:
        for i in range(count(200)):
            size = (seed * 7919 + i * 104729) % 200000
            wanted = pattern(size)
            for method, path, sends, chunked, body in (
                    ("GET", "hello", None, False, b"hello\n"),
                    ("GET", f"stream/{size}", None, False, wanted),
                    ("GET", f"large/{size}", None, False, wanted),
                    ("POST", "back", size, False, wanted),
                    ("POST", "back", size, True, wanted),
                    ("PUT", "count", size, True, b"%d good\n" % size),
                    ("HEAD", f"stream/{size}", None, False, b"")):
                got = ask(conn, method, f"/{way}/{path}", sends, chunked)
                if got != (200, body):
                    failures.append(f"{way}: {method} {path} {size} {chunked}: "
                                    f"{got[0]}, {len(got[1])} bytes")
                    return
        if ask(conn, "GET", f"/{way}/none")[0] != 404:
            failures.append(f"{way}: no 404")
    except (OSError, http.client.HTTPException) as error:
        failures.append(f"{way}: {error!r}")
    finally:
        conn.close()


def test_proxy():
    with Folder() as folder, WebServer() as server, \
            Proxy(folder, server.port).start() as proxy:
        failures = []
        threads = [threading.Thread(target=converse, args=(
            proxy.port, way, seed, failures))
            for seed in range(3) for way in WAYS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(not failures, failures)
        # Larger than any buffer on the way.
        size = 20_000_000
        for way in WAYS:
            conn = http.client.HTTPConnection("127.0.0.1", proxy.port,
                                              timeout=LIMIT)
            for chunked in False, True:
                got = ask(conn, "POST", f"/{way}/count", size, chunked)
                check(got == (200, b"%d good\n" % size), f"{way}: {got}")
                got = ask(conn, "POST", f"/{way}/back", size // 2, chunked)
                check(got == (200, pattern(size // 2)),
                      f"{way}, chunked {chunked}: {got[0]} {len(got[1])}")
            got = ask(conn, "GET", f"/{way}/stream/{size}")
            check(got == (200, pattern(size)), f"{way}: {got[0]}")
            conn.close()
        check("[error]" not in proxy.log() and "upstream" not in
              proxy.log().replace("is buffered", ""), proxy.log()[-2000:])
        server.stop()


def test_proxy_load():
    with Folder() as folder, WebServer() as server, \
            Proxy(folder, server.port).start() as proxy:
        for way in WAYS:
            out = run("wrk", "-t", "1", "-c", "32", "-d", "1s", "--timeout",
                      "60s", f"http://127.0.0.1:{proxy.port}/{way}/hello"
                      ).decode()
            check("Socket errors" not in out and "Non-2xx" not in out, out)
        check("[error]" not in proxy.log(), proxy.log()[-2000:])
        conns = server.stop()
        check(len(conns) > 0, "nothing was asked")


def test_proxy_keeps():
    """What goes over kept connections reuses them: a few, not one a request."""
    total = count(2000)
    with Folder() as folder, WebServer() as server, \
            Proxy(folder, server.port).start() as proxy:
        conn = http.client.HTTPConnection("127.0.0.1", proxy.port,
                                          timeout=LIMIT)
        for i in range(total):
            path = ("hello", "stream/1000", "large/1000", "none")[i % 4]
            ask(conn, "GET", f"/new/{path}")
        conn.close()
        conns = len(server.stop())
        check(conns == 1, f"{conns} connections for {total} requests")


if __name__ == "__main__":
    sys.exit(main([test_proxy, test_proxy_load, test_proxy_keeps]))
