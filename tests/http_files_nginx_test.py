# http_files_nginx_test.py - examples/serve and nginx are asked the same, and
# answer the same, but for what stands in files_differences.py, each with its
# reason.  A difference that is not there is an error, and so is one that is
# there and nowhere else.
#
# Compared are the status; of an answer about a file its fields, and the bytes
# that a client gets in the end (uncoded, the ranges in their order).  The text
# of an error is each server's own, as are the values of entity tags, whose
# strength alone is compared.  That ranges are accepted need not be said where
# one is sent, and nginx says it of no coded answer.
#
#     http_files_nginx_test.py [--print]      shows what differs
#
# CORTEN_BUILD names the build; skips when there is no nginx.
#
# SPDX-License-Identifier: MIT
import gzip
import os
import re
import sys

from files_cases import cases, make_site
from files_differences import DIFFERENCES
from files_kit import SERVE, VALGRIND, Answer, Serve, ask, get, validated
from servers import Folder, Missing, Nginx, free_port
from web import check, main

FIELDS = ("content-type", "content-length", "content-range",
          "content-encoding", "vary", "last-modified", "etag", "accept-ranges",
          "location", "cache-control")
OF_ERRORS = "content-range", "location"
TYPES = "/etc/mime.types"
TEXT = ("text/css text/plain text/javascript application/json application/xml "
        "image/svg+xml")


class Peer(Nginx):
    """Of a folder, with what serve does by itself switched on."""

    def command(self):
        self.port = free_port()
        self.addr = ("127.0.0.1", self.port)
        temporary = " ".join(
            f"{kind}_temp_path {self.folder};" for kind in
            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.write("conf", f"""
            daemon off; master_process off; pid pid; error_log stderr;
            events {{ worker_connections 100; }}
            http {{ access_log off; {temporary} sendfile on;
            types {{ {self.types()} }}
            default_type application/octet-stream;
            charset utf-8; charset_types {TEXT};
            gzip on; gzip_types {TEXT}; gzip_vary on; gzip_static on;
            gzip_min_length 0;
            server {{
                listen 127.0.0.1:{self.port};
                root {self.folder}/site;
                absolute_redirect off; autoindex on;
                disable_symlinks off;
            }} }}
            """.encode())
        return [self.find_program(), "-p", self.folder, "-e", "stderr", "-c",
                "conf"]

    def ready(self):
        try:
            return get(self.addr, "/one.bin").status == 200
        except OSError:
            return False

    @staticmethod
    def types():
        """The system's table, which both go by."""
        lines = []
        if not os.path.exists(TYPES):
            raise Missing(TYPES)
        with open(TYPES) as table:
            for line in table:
                words = line.partition("#")[0].split()
                if len(words) > 1:
                    lines.append(" ".join(words) + ";")
        return "\n".join(lines)


def request_of(case, etag):
    """The bytes of a case: [VERSION ][METHOD ]TARGET[|FIELD]..."""
    found = re.fullmatch(r"(?:(HTTP/\d\.\d) )?(?:([A-Za-z\"]+) )?([^|]*)"
                         r"(\|.*)?", case)
    version, method, target, fields = found.groups()
    lines = [f"{method or 'GET'} {target} {version or 'HTTP/1.1'}",
             "Host: localhost", "Connection: close",
             *(fields or "").replace("{etag}", etag).split("|")[1:], "", ""]
    return "\r\n".join(lines).encode(), method or "GET"


def content(answer):
    """What a client makes of the bytes."""
    type = answer.field("content-type") or ""
    if answer.status == 206 and type.startswith("multipart/") and answer.body:
        return [part[:4] for part in answer.ranges()], [
            part[4] for part in answer.ranges()]
    if answer.status == 200 and answer.body and answer.field(
            "content-encoding") == "gzip":
        return gzip.decompress(answer.body)
    return answer.body


def seen(addr, case, etag):
    """What is compared: a dictionary."""
    request, method = request_of(case, etag)
    data = ask(addr, request)
    if not data.startswith(b"HTTP/"):
        return {"status": "closed" if not data else "0.9"}
    answer = Answer(data, method)
    found = {"status": str(answer.status)}
    for name in FIELDS if answer.status < 400 else OF_ERRORS:
        value = answer.field(name)
        if value is None:
            continue
        if name == "etag":
            value = "weak" if value.startswith("W/") else "strong"
        if value.startswith("multipart/byteranges"):
            value = "multipart/byteranges"
        found[name] = value
    if found.get("content-type") == "multipart/byteranges" or (
            "content-encoding" in found or answer.status >= 300):
        found.pop("content-length", None)
    if answer.status == 206 or "content-encoding" in found:
        found.pop("accept-ranges", None)
    if answer.status < 300:
        found["body"] = content(answer)
    if answer.status >= 300:
        found.pop("content-type", None)
    return found


def told(value):
    return "other" if isinstance(value, (bytes, tuple)) else value or "-"


def difference(ours, theirs):
    """In a line; "" when there is none."""
    if ours["status"] != theirs["status"]:
        return f"{ours['status']} for {theirs['status']}"
    return "; ".join(
        f"{name} {told(ours.get(name))} for {told(theirs.get(name))}"
        for name in (*FIELDS, "body") if ours.get(name) != theirs.get(name))


def test_nginx():
    found = {}
    with Folder() as folder, Peer(folder) as peer:
        site = peer.path("site")
        os.mkdir(site)
        make_site(site)
        peer.start()
        with Serve(site) as server:
            etags = [validated(addr, "/a.bin")["etag"]
                     for addr in (server.addr, peer.addr)]
            # Links are followed where the kernel, or valgrind as one, can
            # hold them to the folder.
            all_cases = list(dict.fromkeys(cases(with_links=not VALGRIND)))
            for case in all_cases:
                try:
                    found[case] = difference(
                        seen(server.addr, case, etags[0]),
                        seen(peer.addr, case, etags[1]))
                except (AssertionError, EOFError, ValueError) as error:
                    raise AssertionError(f"{case}: {error}") from error
            server.stop()
    found = {case: text for case, text in found.items() if text}
    if "--print" in sys.argv:
        for case, text in sorted(found.items(), key=lambda item: item[1]):
            print(f"{text}\n        {case!r}")
    listed = {case: text for _, texts in DIFFERENCES
              for text, names in texts.items() for case in names
              if case in all_cases or not VALGRIND}
    print(f"  {len(all_cases)} requests, {len(found)} answers differ")
    check(len(all_cases) > 200, "too few")
    for case in {**found, **listed}:
        check(found.get(case) == listed.get(case),
              f"{case!r}: {found.get(case) or 'the same'}; listed is "
              f"{listed.get(case) or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main([test_nginx], SERVE))
