# files_cases.py - a folder of files, and what is asked of servers of it; for
# http_files_nginx_test.py.
#
# SPDX-License-Identifier: MIT
import gzip
import os
import urllib.parse

from files_kit import noise, put

THEN = 1_600_000_000
DATE = "Sun, 13 Sep 2020 12:26:40 GMT"
BEFORE = "Sun, 13 Sep 2020 12:26:39 GMT"
AFTER = "Sun, 13 Sep 2020 12:26:41 GMT"
SIZE = 10_000
MANY = ",".join(f"{i}-{i}" for i in range(0, 600, 2))
TEXT = b"".join(b"line %d of a text\n" % i for i in range(600))
TYPES = ("html", "css", "js", "json", "txt", "xml", "svg", "png", "jpg", "gif",
         "ico", "webp", "woff2", "pdf", "mp4", "zip", "tar.gz", "wasm", "zzz")
ODD = ("a space.txt", "per%cent.txt", "plus+.txt", "what?.txt", "hash#.txt",
       "semi;colon.txt", "back\\slash.txt", "-dash", "three...", "a:b.txt",
       "tilde~", "quote\".txt", "line\nbreak.txt", "ünï.txt", "UPPER.TXT",
       "comma,.txt", "am&p.txt")


def make_site(top):
    """The folder, with files and folders of all kinds, for anyone to read."""
    os.umask(0o022)

    def file(name, content=b""):
        put(top, name, content=content)

    file("index.html", b"<p>the first page\n")
    file("a.bin", noise(SIZE))
    file("big.bin", noise(400_000))
    file("empty.bin")
    file("one.bin", b"1")
    file("text.txt", TEXT)
    file("pre.txt", TEXT)
    file("pre.txt.gz", gzip.compress(TEXT, mtime=0))
    file("only.txt.gz", gzip.compress(TEXT, mtime=0))
    for ending in TYPES:
        file("type." + ending, b"of a type")
    for name in ODD:
        file("odd/" + name, name.encode())
    for name in (".hidden", ".git/config", ".well-known/here", "sub/.hidden",
                 "sub/index.html", "sub/b.txt", "sub/deep/c.txt", "list/d.txt",
                 "list/more/e.txt", "type", "index/index.html/f.txt"):
        file(name, name.encode())
    file("../outside.txt", b"a secret")
    os.mkdir(os.path.join(top, "void"))
    os.mkfifo(os.path.join(top, "pipe"))
    for name, to in (("in", "a.bin"), ("in-folder", "sub"),
                     ("out", "../outside.txt"), ("out-folder", ".."),
                     ("absolute", "/etc/passwd"), ("nowhere", "none"),
                     ("loop", "loop"), ("sub/up", "../a.bin"),
                     ("around", "../site/a.bin"), ("root", ".")):
        os.symlink(to, os.path.join(top, name))
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            os.utime(os.path.join(folder, name), (THEN, THEN),
                     follow_symlinks=False)
    os.utime(os.path.join(top, "a.bin"), (THEN, THEN))  # the last to change


def files():
    for name in ("a.bin", "big.bin", "empty.bin", "one.bin", "text.txt",
                 "type", *("type." + ending for ending in TYPES)):
        yield f"/{name}"
        yield f"HEAD /{name}"
    for name in ODD:
        yield "/odd/" + urllib.parse.quote(name)
    for name in "plus+.txt", "semi;colon.txt", "a:b.txt", "comma,.txt", \
            "am&p.txt", "quote\".txt", "back\\slash.txt", "ünï.txt", \
            "UPPER.txt", "per%cent.txt", "hash#.txt", "what?.txt":
        yield "/odd/" + name


def paths():
    yield from (
        "/", "HEAD /", "//", "///", "//a.bin", "/a.bin/", "/sub", "HEAD /sub",
        "/sub?x=1&y", "/sub/", "/sub//b.txt", "/sub//deep///c.txt", "/./a.bin",
        "/sub/.", "/sub/./", "/sub/..", "/sub/../", "/sub/../a.bin", "/..",
        "/../a.bin", "/../outside.txt", "/sub/../../outside.txt",
        "/sub/deep/../b.txt", "/%2e%2e/outside.txt", "/%2E%2E%2Foutside.txt",
        "/..%2foutside.txt", "/%2e%2e%5coutside.txt", "/..\\outside.txt",
        "/sub%2fb.txt", "/sub%2f..%2fa.bin", "/%61.bin", "/%2561.bin",
        "/a.bin%00", "/%00", "/a%00.bin", "/%", "/%6", "/%zz", "/%c0%ae%c0%ae/",
        "/%c0%ae%c0%ae/outside.txt", "/%ff", "/\u00e4", "/a.bin?",
        "/a.bin?x/../..", "/a.bin?%zz", "/a.bin#x", "/a.bin.", "/A.BIN",
        "/a.bin%20", "/a.bin;x", "/none", "/none/", "/none?x", "/none/a.bin",
        "/a.bin/more", "/a.bin/..", "/none/../a.bin", "/a.bin/../a.bin",
        "/list", "/list/", "HEAD /list/", "/list/?x=1", "/list/more",
        "/void/", "/index/", "/sub/index.html", "/index.html", "/.hidden",
        "/sub/.hidden", "/.git/config", "/.git/", "/.git",
        "/.well-known/here", "/.well-known/", "/%2ehidden", "/...",
        "/pipe", "HEAD /pipe", "/" + "x" * 255, "/" + "x" * 256,
        "/" + "x/" * 2000, "/" + "x" * 5000, "/only.txt", "/only.txt.gz",
        "/pre.txt.gz", "http://localhost/a.bin", "http://localhost",
        "http://else.example/a.bin", "*", "a.bin", "", "/a b")


def links():
    yield from (
        "/in", "HEAD /in", "/in-folder/b.txt", "/in-folder", "/in-folder/",
        "/out", "/out-folder/outside.txt", "/out-folder/", "/absolute",
        "/nowhere", "/loop", "/sub/up", "/around", "/root/a.bin",
        "/root/root/a.bin", "/in|Range: bytes=1-5")


def methods():
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
                   "CONNECT", "PROPFIND", "get", "NONE", "G\"T"):
        yield f"{method} /a.bin"
    yield from ("POST /", "POST /none", "POST /sub", "OPTIONS *", "OPTIONS /",
                "DELETE /none",
                "/a.bin|Content-Length: 0")


def conditions():
    for field in "If-None-Match", "If-Match":
        for value in ("{etag}", "W/{etag}", "*", '"other"', "{etag}, \"x\"",
                      '"x", {etag}', '"x",{etag},"y"', '"x" ,, {etag}',
                      'W/"x", W/{etag}', "", "x", '"', '"x', "w/{etag}",
                      "*, {etag}", '"a,b", {etag}', "{etag} {etag}"):
            yield f"/a.bin|{field}: {value}"
        yield f'/a.bin|{field}: "x"|{field}: {{etag}}'
        yield f"/none|{field}: *"
        yield f"HEAD /a.bin|{field}: {{etag}}"
    for field in "If-Modified-Since", "If-Unmodified-Since":
        for value in (DATE, BEFORE, AFTER, "Sunday, 13-Sep-20 12:26:40 GMT",
                      "Sun Sep 13 12:26:40 2020",
                      "Fri, 13 Sep 2020 12:26:40 GMT",
                      "Sun, 13 Sep 2020 12:26:40", "0", "", "-1", "now",
                      "Thu, 01 Jan 1970 00:00:00 GMT",
                      "Fri, 31 Dec 9999 23:59:59 GMT",
                      "Sun, 13 Sep 2020 12:26:40 GMT; length=10000",
                      "Sun, 32 Sep 2020 12:26:40 GMT"):
            yield f"/a.bin|{field}: {value}"
        yield f"HEAD /a.bin|{field}: {DATE}"
        yield f"/sub/|{field}: {AFTER}"
    yield from (
        f"/a.bin|If-None-Match: \"x\"|If-Modified-Since: {AFTER}",
        f"/a.bin|If-None-Match: {{etag}}|If-Modified-Since: {BEFORE}",
        f"/a.bin|If-Match: {{etag}}|If-Unmodified-Since: {BEFORE}",
        f"/a.bin|If-Match: \"x\"|If-Unmodified-Since: {AFTER}",
        "/a.bin|If-Match: {etag}|If-None-Match: {etag}",
        "/a.bin|If-Match: \"x\"|If-None-Match: {etag}",
        "/a.bin|If-None-Match: {etag}|Range: bytes=0-0",
        "/a.bin|If-Match: \"x\"|Range: bytes=0-0",
        "/|If-None-Match: *", "/list/|If-None-Match: *",
        "POST /a.bin|If-None-Match: {etag}")


def ranges():
    for value in (
            "0-0", "0-", "1-2", "-1", "-0", "5-4", "0-9999", "0-10000", "9999-",
            "9999-9999", "10000-", "10000-10001", "9990-20000", "-10000",
            "-20000", "-", "", "a-b", "1", "+1-2", "1-+2", "--1", "-1-2",
            "0x1-2", "1.0-2", "0-18446744073709551615",
            "0-18446744073709551616", "0-99999999999999999999999",
            "18446744073709551616-", "-18446744073709551616",
            "-99999999999999999999999", "9223372036854775807-",
            "9223372036854775808-", "0 - 5", " 0-5", "0-5 ", "0-\t5",
            "0-0,-1", "0-0, 2-2", "0-0 , 2-2", "0-0,,2-2", ",0-0", "0-0,",
            ",", "0-1,1-2", "5-9,0-3", "0-4999,5000-", "0-9999,0-9999",
            "0-,0-,0-", "0-0,10000-", "10000-,10001-", "0-0,5-4", "0-0,x",
            "0-0,9990-20000", "-1,-1", "1-1," * 20 + "1-1",
            MANY):
        yield f"/a.bin|Range: bytes={value}"
    for value in ("bytes", "bytes 0-0", "bytes:0-0", "Bytes=0-0", "BYTES=0-0",
                  "bytes =0-0", "bytes= 0-0", "lines=0-0", "=0-0", "0-0", "",
                  "bytes=0-0;bytes=1-1", "none"):
        yield f"/a.bin|Range: {value}"
    for value in ("0-0", "-1", "0-", "-0", "1-"):
        yield f"/empty.bin|Range: bytes={value}"
    for path in ("/big.bin", "HEAD /a.bin", "HEAD /big.bin", "/none", "/sub",
                 "/", "/list/", "/type.html", "POST /a.bin"):
        yield f"{path}|Range: bytes=1-5"
    yield from (
        "/a.bin|Range: bytes=0-0|Range: bytes=1-1",
        "HEAD /a.bin|Range: bytes=0-0,2-2", "HEAD /a.bin|Range: bytes=10000-",
        "/big.bin|Range: bytes=399999-,0-0", "/big.bin|Range: bytes=1-399999",
        "/big.bin|Range: bytes=0-199999,200001-399999")
    for value in ("{etag}", "W/{etag}", '"x"', DATE, BEFORE, AFTER, "x", "*",
                  "", "Sunday, 13-Sep-20 12:26:40 GMT",
                  "Sun Sep 13 12:26:40 2020", "{etag}, {etag}"):
        yield f"/a.bin|Range: bytes=0-0|If-Range: {value}"
    yield from ("/a.bin|If-Range: {etag}",
                "/a.bin|Range: bytes=10000-|If-Range: \"x\"",
                "/a.bin|Range: bytes=10000-|If-Range: {etag}",
                "HEAD /a.bin|Range: bytes=0-0|If-Range: \"x\"")


def codings():
    for value in ("gzip", "GZIP", "x-gzip", "*", "identity", "deflate", "br",
                  "gzip, deflate, br", "br, gzip", "gzip;q=1", "gzip;q=0",
                  "gzip;q=0.0", "gzip;q=0.001", "gzip; q=0", "gzip ;q=0",
                  "*;q=0", "gzip;q=0, *", "*, gzip;q=0", "identity;q=0",
                  "gzip;q=x", "gzipped", "xgzip", "", "gzip;level=9",
                  "identity;q=1, gzip;q=0.5"):
        yield f"/pre.txt|Accept-Encoding: {value}"
    yield from ("/pre.txt", "HEAD /pre.txt|Accept-Encoding: gzip",
                "/pre.txt|Accept-Encoding: gzip|If-None-Match: *",
                f"/pre.txt|Accept-Encoding: gzip|If-Modified-Since: {DATE}",
                "/pre.txt|Accept-Encoding: gzip|Range: bytes=0-9",
                "/pre.txt|Accept-Encoding: deflate|Accept-Encoding: gzip",
                "/pre.txt.gz|Accept-Encoding: gzip",
                "/only.txt|Accept-Encoding: gzip",
                "HTTP/1.0 /pre.txt|Accept-Encoding: gzip",
                "/text.txt|Accept-Encoding: gzip",
                "/text.txt|Accept-Encoding: gzip;q=0",
                "HEAD /text.txt|Accept-Encoding: gzip",
                "/text.txt|Accept-Encoding: gzip|Range: bytes=0-9",
                "/a.bin|Accept-Encoding: gzip",
                "/one.bin|Accept-Encoding: gzip",
                "/type.html|Accept-Encoding: gzip",
                "/list/|Accept-Encoding: gzip")


def versions():
    yield from ("HTTP/1.0 /a.bin", "HTTP/1.0 /sub",
                "HTTP/1.0 /a.bin|Range: bytes=0-0",
                "HTTP/1.0 /a.bin|Range: bytes=0-0,2-2", "HTTP/1.0 /list/",
                "HTTP/1.0 HEAD /a.bin", "HTTP/1.2 /a.bin", "HTTP/2.0 /a.bin",
                "HTTP/0.9 /a.bin")


def cases(with_links=True):
    for make in (files, paths, methods, conditions, ranges, codings, versions,
                 *((links,) if with_links else ())):
        yield from make()
