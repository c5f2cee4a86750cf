# files_kit.py - for tests of the server of files: starts examples/serve, asks
# by bytes, takes answers apart.
#
# SPDX-License-Identifier: MIT
import os
import random
import re
import signal
import socket
import time

from web import BUILD, LIMIT, WebServer, check, launcher

SERVE = os.path.join(BUILD, "examples/serve")
VALGRIND = any("valgrind" in word for word in launcher())


def noise(size, seed=1):
    """Bytes without a pattern, the same each time."""
    return random.Random(seed).randbytes(size)


def put(*path, content=b""):
    """A file, in folders that are made when they are missing."""
    name = os.path.join(*path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(content)
    return name


class Serve(WebServer):
    """The server of a folder's files."""

    def __init__(self, folder, *options, addr="127.0.0.1:0", **others):
        super().__init__("--log=off", *options, addr, folder, program=SERVE,
                         **others)
        line = self.process.stdout.readline()
        check(line == f"serving {os.path.realpath(folder)}\n", line)

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        _, err = self.process.communicate(timeout=LIMIT)
        status = self.process.returncode
        if VALGRIND:  # tells of system calls that are newer than itself
            err = re.sub(r"^--\d+-- .*\n", "", err, flags=re.M)
        check(status == 0 and err == "", f"status {status}, says {err!r}")

    def start_again(self):
        """On the same port, after an end."""
        folder, port = self.process.args[-1], self.port
        self.process.communicate()
        return Serve(folder, addr=f"127.0.0.1:{port}")


class Answer:
    """status, fields (a list of pairs, names in small letters), body."""

    def __init__(self, data, method="GET"):
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", first)
        check(found, f"the answer begins with {data[:80]!r}")
        self.status = int(found[1])
        self.fields = [(name.lower(), value.strip()) for name, _, value in
                       (line.partition(":") for line in lines)]
        bodiless = method == "HEAD" or self.status in (204, 304)
        if self.field("transfer-encoding") == "chunked" and not bodiless:
            self.body = self.joined(self.body)
        length = self.field("content-length")
        check(length is None or bodiless or int(length) == len(self.body),
              f"{len(self.body)} bytes come of {length}")
        check(not bodiless or self.body == b"", f"a body: {self.body[:80]!r}")

    @staticmethod
    def joined(data):
        body = b""
        while True:
            size, _, data = data.partition(b"\r\n")
            count = int(size, 16)
            if count == 0:
                check(data == b"\r\n", f"behind the end: {data[:80]!r}")
                return body
            check(data[count:count + 2] == b"\r\n", "a chunk is cut")
            body, data = body + data[:count], data[count + 2:]

    def field(self, name):
        """The only one of that name, or None."""
        values = [value for key, value in self.fields if key == name]
        check(len(values) < 2, f"{name} twice: {values}")
        return values[0] if values else None

    def ranges(self):
        """Of a body in parts: [(first, last, size, Content-Type, bytes)]."""
        found = re.fullmatch(r"multipart/byteranges; *boundary=\"?([^\";]+)\"?",
                             self.field("content-type"))
        check(found, self.fields)
        line = b"\r\n--" + found[1].encode()
        first, *parts, last = (b"\r\n" + self.body).split(line)
        check(first in (b"", b"\r\n") and last in (b"--\r\n", b"--"),
              f"around the parts: {first!r} {last!r}")
        return [self.part(part) for part in parts]

    @staticmethod
    def part(data):
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(": ", 1)
                      for line in head.decode().split("\r\n")[1:])
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)",
                             fields["content-range"])
        check(found, head)
        first, last, size = map(int, found.groups())
        check(last - first + 1 == len(body), f"{head}: {len(body)} bytes")
        return first, last, size, fields.get("content-type"), body


def ask(addr, request):
    """What comes for these bytes until the server closes."""
    with socket.create_connection(addr, timeout=LIMIT) as s:
        s.sendall(request)
        data = bytearray()
        while True:
            try:
                more = s.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return bytes(data)
            data += more


def get(addr, path, *lines, method="GET"):
    """The Answer to a whole request; lines are its fields."""
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost",
                        "Connection: close", *lines, "", ""])
    return Answer(ask(addr, head.encode("latin-1")), method)


def validated(addr, path):
    """The fields of a file, once there are an entity tag and a date among them:
    a file that was just written may be written again within the same tick of
    the clock, or second."""
    limit = time.monotonic() + LIMIT
    while True:
        answer = get(addr, path, method="HEAD")
        fields = dict(answer.fields)
        if "etag" in fields and "last-modified" in fields:
            return fields
        check(answer.status == 200, answer.status)
        check(time.monotonic() < limit, f"still no validators: {fields}")
        time.sleep(0.05)
