# http_clients_test.py - curl, wget, wrk, ab and h2load as clients of the HTTP
# server: what they get is compared byte by byte, and none counts an error.
#
# CORTEN_BUILD names the build.  A client that is not installed is left out, and
# that is said.
#
# SPDX-License-Identifier: MIT
import http.client
import os
import re
import sys

from servers import Folder
from web import (LIMIT, PERIOD, WebServer, check, count, main, number, pattern,
                 run)

BIG = 5_000_000


def curl(*args, status=0, **options):
    return run("curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT), *args,
               status=status, **options)


def head_of(data):
    """Status line and fields of what curl -i printed, and the rest."""
    head, rest = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    return first, {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1]
                   for line in lines}, rest


def test_curl_answers():
    with WebServer() as server:
        url = server.url
        first, fields, body = head_of(curl("-i", url + "/hello"))
        check(first == "HTTP/1.1 200 OK" and body == b"hello\n", first)
        check(fields["content-length"] == "6" and "date" in fields, fields)
        first, fields, body = head_of(curl("-I", url + "/hello"))
        check(first == "HTTP/1.1 200 OK" and body == b"", body)
        check(fields["content-length"] == "6", fields)
        first, fields, body = head_of(curl("-i", "--http1.0", url + "/hello"))
        check(body == b"hello\n" and fields["connection"] == "close", fields)
        # Ranges may be ignored (RFC 9110 14.2).
        first, _, body = head_of(curl("-i", "-r", "2-3", url + "/hello"))
        check(first == "HTTP/1.1 200 OK" and body == b"hello\n", first)
        first, fields, _ = head_of(curl("-i", "-X", "DELETE", url + "/hello"))
        check(first.startswith("HTTP/1.1 405 ") and "GET" in fields["allow"],
              fields)
        first, _, _ = head_of(curl("-i", url + "/none"))
        check(first.startswith("HTTP/1.1 404 "), first)
        check(curl("-L", url + "/redirect/5") == b"hello\n", "redirects")
        for way in "stream", "large":
            for size in 0, 1, 4096, PERIOD + 1, BIG:
                got = curl(f"{url}/{way}/{size}")
                check(got == pattern(size), f"/{way}/{size}: {len(got)} bytes")
                got = curl("--http1.0", f"{url}/{way}/{size}")
                check(got == pattern(size), f"1.0 /{way}/{size}: {len(got)}")
        server.stop()


def test_curl_bodies():
    data = pattern(BIG)
    with Folder() as folder, WebServer() as server:
        path = os.path.join(folder, "data")
        with open(path, "wb") as f:
            f.write(data)
        said = f"{BIG} good\n".encode()
        body = "--data-binary", "@" + path
        for how in (body, ("-T", path), (*body, "-H", "Expect:"),
                    (*body, "-H", "Expect: 100-continue"),
                    (*body, "--http1.0"), (*body, "-H", "Expect:", "--http1.0"),
                    (*body, "-H", "Transfer-Encoding: chunked"),
                    ("-T", path, "-H", "Transfer-Encoding: chunked"),
                    ("-T", path, "-H", "Expect:", "-H",
                     "Transfer-Encoding: chunked")):
            got = curl(*how, server.url + "/count")
            check(got == said, f"{how}: {got[:80]}")
            got = curl(*how, server.url + "/echo")
            check(got == data, f"{how}: {len(got)} bytes come back")
        # Nobody takes these; curl learns so before or while it sends.
        for size, status in (BIG, b"413"), (1_000_000, b"404"):
            os.truncate(path, size)
            for how in body, (*body, "-H", "Expect:"):
                got = curl("-o", os.devnull, "-w", "%{http_code}", *how,
                           server.url + "/none")
                check(got == status, f"{how}: {got}")
        check(curl("-d", "", server.url + "/count") == b"0 good\n", "no body")
        server.stop()


def test_curl_reuse():
    """One connection for all, unless there is a reason."""
    with WebServer() as server:
        peers = curl(*[server.url + "/peer"] * 50).splitlines()
        check(len(peers) == 50 and len(set(peers)) == 1, set(peers))
        peers = curl("--http1.0", *[server.url + "/peer"] * 5).splitlines()
        check(len(set(peers)) == 5, peers)
        peers = curl("-H", "Connection: close",
                     *[server.url + "/peer"] * 5).splitlines()
        check(len(set(peers)) == 5, peers)
        # Errors, streams and bodies are none; curl itself tells of its
        # connections.
        urls = []
        for i in range(20):
            for path in "none", "stream/100000", "echo", "large/70000":
                urls += ["-o", os.devnull, f"{server.url}/{path}"]
        got = curl("-w", "%{num_connects}\n", "-d", "some", *urls)
        check(sum(map(int, got.split())) == 1, got)
        server.stop()


def test_curl_parallel():
    total = count(2000)
    with Folder() as folder, WebServer() as server:
        curl("-Z", "--parallel-max", "50", "--no-progress-meter", "-o",
             os.path.join(folder, "#1"),
             f"{server.url}/stream/1000?[1-{total}]")
        curl("-Z", "--parallel-max", "20", "--no-progress-meter", "-o",
             os.path.join(folder, "big#1"),
             f"{server.url}/large/1000000?[1-{count(200)}]")
        names = os.listdir(folder)
        check(len(names) == total + count(200), f"{len(names)} files")
        for name in names:
            size = 1000000 if name.startswith("big") else 1000
            with open(os.path.join(folder, name), "rb") as f:
                check(f.read() == pattern(size), f"{name} is not the pattern")
        server.stop()


def test_wget():
    with Folder() as folder, WebServer() as server:
        def wget(*args, **options):
            return run("wget", "-q", "--no-proxy", "--tries=1", *args,
                       cwd=folder, **options)

        def content(name):
            with open(os.path.join(folder, name), "rb") as f:
                return f.read()

        check(wget("-O", "-", server.url + "/hello") == b"hello\n", "wget")
        check(wget("-O", "-", server.url + "/redirect/3") == b"hello\n", "302")
        check(wget("-O", "-", "--post-data=abc", server.url + "/echo")
              == b"abc", "wget --post-data")
        with open(os.path.join(folder, "data"), "wb") as f:
            f.write(pattern(BIG))
        check(wget("-O", "-", "--post-file=data", server.url + "/echo")
              == pattern(BIG), "wget --post-file")
        check(wget("-O", "-", "--method=PUT", "--body-file=data",
                   server.url + "/count") == f"{BIG} good\n".encode(), "PUT")
        wget("-r", "-l", "5", "-nH", server.url + "/tree/")
        names = {name for name in os.listdir(os.path.join(folder, "tree"))}
        wanted = {a + b + c for a in " ab" for b in " ab" for c in " ab"}
        wanted = {name.replace(" ", "") for name in wanted} - {""}
        check(names - {"index.html"} == wanted, names)
        for name in wanted:
            check(f"page '{name}'".encode() in content(f"tree/{name}"), name)
        # The rest of a file: all of it comes, as ranges are ignored, and wget
        # leaves out what it has.
        with open(os.path.join(folder, "1000000"), "wb") as f:
            f.write(pattern(300000))
        for way in "stream", "large":
            os.truncate(os.path.join(folder, "1000000"), 300000)
            wget("-c", f"{server.url}/{way}/1000000")
            check(content("1000000") == pattern(1000000), f"wget -c /{way}")
        wget(server.url + "/none", status=8)
        server.stop()


def test_wrk():
    with WebServer() as server:
        for conns, path in (1, "hello"), (64, "hello"), (50, "stream/5000"), \
                (16, "large/200000"), (20, "slow/1"):
            out = run("wrk", "-t", "1", "-c", str(conns), "-d", "1s",
                      "--timeout", "60s", f"{server.url}/{path}").decode()
            check("Socket errors" not in out and "Non-2xx" not in out, out)
            check(number(r"(\d+) requests in", out) > 0, out)
        server.stop()


def test_ab():
    total = count(20000)
    with Folder() as folder, WebServer() as server:
        path = os.path.join(folder, "data")
        with open(path, "wb") as f:
            f.write(pattern(3000))
        for how, url, kept in (
                (["-k"], "/hello", True), ([], "/hello", False),
                (["-k"], "/large/100000", True), ([], "/stream/3000", False),
                (["-k", "-p", path], "/count", True),
                (["-p", path], "/echo", False), (["-i", "-k"], "/hello", True)):
            n = total if url == "/hello" else max(total // 10, 20)
            out = run("ab", "-q", "-s", str(LIMIT), "-n", str(n), "-c", "20",
                      *how, server.url + url).decode()
            check(number(r"^Complete requests: +(\d+)", out) == n, out)
            check(number(r"^Failed requests: +(\d+)", out) == 0, out)
            check("Non-2xx" not in out and "Write errors" not in out, out)
            reused = re.search(r"^Keep-Alive requests: +(\d+)", out, re.M)
            check((reused is not None and int(reused[1]) == n) == kept, out)
        server.stop()


def test_h2load():
    total = count(20000)
    with WebServer() as server:
        for conns, path in (1, "/hello"), (50, "/hello"), (10, "/stream/20000"):
            n = total if path == "/hello" else max(total // 10, 20)
            out = run("h2load", "--h1", "-n", str(n), "-c",
                      str(min(conns, n)), server.url + path).decode()
            check(re.search(rf"{n} done, {n} succeeded, 0 failed, 0 errored, "
                            "0 timeout", out), out)
            check(f"status codes: {n} 2xx, 0 3xx, 0 4xx, 0 5xx" in out, out)
        server.stop()


def test_python():
    """The client of Python's library, which reads strictly."""
    with WebServer() as server:
        conn = http.client.HTTPConnection(*server.addr, timeout=LIMIT)
        for i in range(count(1000)):
            size = i * 37 % 50000
            body = iter([pattern(size)]) if i % 2 else pattern(size)
            conn.request("POST", "/echo", body=body, encode_chunked=i % 2 == 1,
                         headers={"Transfer-Encoding": "chunked"} if i % 2
                         else {})
            answer = conn.getresponse()
            check(answer.status == 200 and answer.read() == pattern(size),
                  f"request {i}: {answer.status}")
        conn.close()
        check(len(server.stop()) == 1, "one connection")


if __name__ == "__main__":
    sys.exit(main([test_curl_answers, test_curl_bodies, test_curl_reuse,
                   test_curl_parallel, test_wget, test_wrk, test_ab,
                   test_h2load, test_python]))
