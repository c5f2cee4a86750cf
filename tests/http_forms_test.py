# http_forms_test.py - queries, forms, cookies and signatures as Python's own
# modules and curl understand them: what they write is read so, what is read is
# what they read, and what they would not have signed is refused.
#
# Where the two differ on purpose is said here, and looked at.
#
# SPDX-License-Identifier: MIT
import base64
import email.parser
import email.policy
import hashlib
import hmac
import http.client
import http.cookiejar
import http.cookies
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import web
from web import check, count

PROGRAM = os.path.join(web.BUILD, "tests/http_forms_server")
NEW_KEY = "n" * 40
OLD_KEY = "o" * 32
BOUNDARY = b"--boundary"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=" + BOUNDARY.decode()


class Server:
    """http_forms_server, and a connection to it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [*web.launcher(), PROGRAM, self.folder.name, NEW_KEY, OLD_KEY],
            stdout=subprocess.PIPE, text=True, preexec_fn=web.die_with_parent)
        line = self.process.stdout.readline()
        self.addr = re.fullmatch(r"listening on (.*)\n", line)[1]
        self.client = http.client.HTTPConnection(self.addr, timeout=web.LIMIT)
        return self

    def __exit__(self, *error):
        self.client.close()
        self.process.kill()
        self.process.communicate()
        left = os.listdir(self.folder.name)
        self.folder.cleanup()
        check(not left, f"left behind: {left}")

    def ask(self, method, path, body=None, **fields):
        """(status, fields, body)"""
        self.client.request(method, path, body, {
            name.replace("_", "-"): value for name, value in fields.items()})
        answer = self.client.getresponse()
        return answer.status, answer.headers, answer.read()

    def told(self, *request, **fields):
        """Pairs, or tuples of a file; the status alone for a refusal."""
        status, _, body = self.ask(*request, **fields)
        if status != 200:
            check(status in (400, 413, 415), f"status {status}")
            return status
        return [tuple(word if word == "file" else bytes.fromhex(word)
                      for word in line.split(" "))
                for line in body.decode().splitlines()]


def some_bytes(rand, most, zero=True):
    """Of those that mean something, and any others."""
    alphabet = rand.choice([b"\r\n-boundary\"%\\", bytes(range(256)),
                            b"abc", b"&=+%;41 \r\n"])
    data = bytes(rand.choice(alphabet) for _ in range(rand.randrange(most)))
    return data if zero else data.replace(b"\0", b"0")


# ---- Queries and urlencoded forms -------------------------------------------

def test_urlencode(server, rand):
    """What urllib writes."""
    for _ in range(count(3000)):
        pairs = [(some_bytes(rand, 9, False), some_bytes(rand, 30, False))
                 for _ in range(rand.randrange(6))]
        quote = rand.choice([urllib.parse.quote, urllib.parse.quote_plus])
        text = urllib.parse.urlencode(pairs, quote_via=quote)
        check(server.told("GET", "/query?" + text) == pairs, text)
        check(server.told("POST", "/form", text, Content_Type=FORM) == pairs,
              text)


def test_parse_qsl(server, rand):
    """What urllib reads: but it leaves what is no escape as it is, and takes
    zeros."""
    refused = 0
    for _ in range(count(5000)):
        text = "".join(rand.choice("ab&&=+%%;014fFgG") for _ in range(20))
        broken = re.search("%(?![0-9a-fA-F]{2})|%00", text)
        wanted = [(name.encode("latin-1"), value.encode("latin-1"))
                  for name, value in urllib.parse.parse_qsl(
                      text, keep_blank_values=True, encoding="latin-1")]
        told = [server.told("GET", "/query?" + text),
                server.told("POST", "/form", text, Content_Type=FORM)]
        check(told == 2 * [400 if broken else wanted], (text, told, wanted))
        refused += broken is not None
    check(refused < count(5000), "all are refused")


# ---- Multipart --------------------------------------------------------------

def part(name, data, filename=None, kind=None):
    quote = lambda text: re.sub(rb'(["\\])', rb"\\\1", text)
    head = b'Content-Disposition: form-data; name="%s"' % quote(name)
    if filename is not None:
        head += b'; filename="%s"' % quote(filename)
    if kind is not None:
        head += b"\r\nContent-Type: " + kind
    return b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY, head, data)


def python_reads(body):
    """The parts as the email package has them: fields, then files, whose paths
    are taken off.  None when it found a defect."""
    head = b"Content-Type: %s\r\n\r\n" % MULTIPART.encode()
    message = email.parser.BytesParser(
        policy=email.policy.compat32).parsebytes(head + body)
    if message.defects or not message.is_multipart():
        return None
    fields, files = [], []
    for one in message.get_payload():
        if one.defects:
            return None
        name = one.get_param("name", header="content-disposition")
        filename = one.get_param("filename", header="content-disposition")
        data = one.get_payload(decode=True)
        to_bytes = lambda text: text.encode("utf-8", "surrogateescape")
        if filename is None:
            fields.append((to_bytes(name), data))
        else:
            filename = re.sub(rb"(?s).*[/\\]", b"", to_bytes(filename))
            filename = b"" if filename in (b".", b"..") else filename
            files.append(("file", to_bytes(name), filename,
                          to_bytes((one["content-type"] or "").strip() or
                                   "text/plain"), data))
    return fields + files


def some_text(rand):
    """Whose lines end as they should."""
    words = [b"\r\n", b"--", b"-", b"a", BOUNDARY, b" ", b":"]
    return b"".join(rand.choice(words) for _ in range(rand.randrange(12)))


def some_form(rand, some_data):
    """(body, what it says)"""
    fields, files, body = [], [], []
    if rand.randrange(4) == 0:
        body.append(b"preamble\r\n\n--\r\n")
    for _ in range(rand.randrange(6)):
        name = bytes(rand.choice(b'ab" ;=:') for _ in range(rand.randrange(8)))
        data = some_data(rand)
        if re.search(rb"(^|[\r\n])--" + BOUNDARY, data):
            continue
        if rand.randrange(2):
            data = data.replace(b"\0", b"")
            fields.append((name, data))
            body.append(part(name, data))
        else:
            filename = bytes(rand.choice(b'ab"; =.') for _ in range(5))
            if filename in (b".", b".."):
                continue
            kind = rand.choice([b"a/b", b"image/png"])
            files.append(("file", name, filename, kind, data))
            body.append(part(name, data, filename, kind))
    body.append(b"--%s--" % BOUNDARY)
    body.append(rand.choice([b"", b"\r\n", b"\r\nepilogue\r\n--"]))
    return b"".join(body), fields + files


def test_multipart(server, rand):
    """What was meant is what both read."""
    for _ in range(count(3000)):
        body, meant = some_form(rand, rand.choice(
            [some_text, lambda rand: some_bytes(rand, 200)]))
        told = server.told("POST", "/form", body, Content_Type=MULTIPART)
        check(told == meant, (body, told, meant))
        # The email package takes a bare CR or LF for the end of a line, also
        # before a boundary.  (And it cannot read a name that ends with a
        # backslash: there are none here.)
        if meant and not re.search(rb"(?<!\r)\n|\r(?!\n)", body):
            check(python_reads(body) == meant, (body, python_reads(body)))


def test_multipart_changed(server, rand):
    """A body with a byte changed is refused, or both still read the same."""
    same = refused = 0
    for _ in range(count(5000)):
        body, meant = some_form(rand, some_text)
        body = bytearray(body)
        for _ in range(rand.randrange(1, 4)):
            at = rand.randrange(len(body))
            how = rand.randrange(3)
            if how < 2:
                del body[at]
            if how > 0:
                body.insert(at, rand.choice(b"\r\n-b\":;ax \t="))
        body = bytes(body)
        told = server.told("POST", "/form", body, Content_Type=MULTIPART)
        if told == 400:
            refused += 1
            continue
        if re.search(rb"(?<!\r)\n|\r(?!\n)", body):
            continue
        python = python_reads(body)
        check(told == 415 or python is None or told == python,
              (body, told, python))
        same += told == python
    print(f"    {refused} refused, {same} the same as Python's")
    check(refused > 0 and same > 0, "nothing was compared")


def test_curl(server, rand):
    """What curl -F sends, of any size."""
    with tempfile.TemporaryDirectory() as folder:
        for size in (0, 1, 65535, 65536, 1000000, count(7000000)):
            path = os.path.join(folder, 'na"me;.bin')
            data = rand.randbytes(size)
            with open(path, "wb") as out:
                out.write(data)
            quoted = path.replace('"', '\\"')
            out = web.run(
                "curl", "-sS", "--fail", "--form-string", "first= a=b&c ",
                "-F", f'file=@"{quoted}";type=x/y', "-F", "last=",
                f"http://{server.addr}/form")
            lines = out.decode().splitlines()
            check(lines[0].split() == [b"first".hex(), b" a=b&c ".hex()],
                  lines[0])
            check(lines[1] == b"last".hex() + " ", lines[1])
            words = [bytes.fromhex(word) for word in lines[2].split(" ")[1:]]
            # Newer ones write %22, which stays.
            check(words[1] in (b'na"me;.bin', b"na%22me;.bin"), words[1])
            check([words[0]] + words[2:] == [b"file", b"x/y", data], size)
        out = web.run("curl", "-sS", "--fail", "--data-urlencode",
                      "a= +&=%\u00e4", f"http://{server.addr}/form")
        wanted = [b"a".hex(), " +&=%\u00e4".encode().hex()]
        check(out.decode().split() == wanted, out)


# ---- Cookies ----------------------------------------------------------------

def test_cookies(server, rand):
    """What http.cookies writes, but for its quotes and octal escapes."""
    legal = http.cookies._LegalChars
    for _ in range(count(2000)):
        jar = http.cookies.SimpleCookie()
        for _ in range(rand.randrange(1, 5)):
            name = "".join(rand.choice(legal) for _ in range(4))
            jar[name] = "".join(rand.choice(legal) for _ in range(10))
        line = jar.output([], header="", sep=";").strip()
        told = server.told("GET", "/cookies", Cookie=line)
        check(told == [(name.encode(), jar[name].value.encode())
                       for name in sorted(jar)], (line, told))
    told = server.told("GET", "/cookies", Cookie='a="b \\"c"; d="\\073"')
    check(told == [(b"a", b'"b \\"c"'), (b"d", b'"\\073"')], told)


def test_set_cookie(server, rand):
    """What http.cookies and http.cookiejar read in what we set."""
    for _ in range(count(500)):
        wanted = {"name": "a" + str(rand.randrange(9)), "value": "b:c=d",
                  "path": rand.choice(["/", "/x"]),
                  "max_age": rand.choice([0, 100, -1]),
                  "same_site": rand.choice([0, 1, 2]),
                  "secure": 1, "scripts": rand.randrange(2)}
        status, fields, _ = server.ask(
            "GET", "/set_cookie?" + urllib.parse.urlencode(wanted))
        check(status == 204, status)
        line = fields["Set-Cookie"]
        read = http.cookies.SimpleCookie(line)[wanted["name"]]
        gone = wanted["max_age"] < 0
        check(read.value == ("" if gone else wanted["value"]), line)
        check(read["path"] == wanted["path"], line)
        check(read["max-age"] == ("100" if wanted["max_age"] > 0 else ""), line)
        check(bool(read["secure"]), line)
        check(bool(read["httponly"]) == (not wanted["scripts"]), line)
        sites = ["Lax", "Strict", "None"]
        check(read["samesite"] == sites[wanted["same_site"]], line)

        jar = http.cookiejar.CookieJar()
        request = urllib.request.Request("https://a.example/x/y")
        jar.extract_cookies(Headers(f"{wanted['name']}=old; Path=/"), request)
        jar.extract_cookies(Headers(line), request)
        kept = [cookie for cookie in jar if cookie.path == wanted["path"]]
        if gone:
            check(not kept or kept[0].value == "old", line)
        else:
            check(kept[0].value == wanted["value"] and kept[0].secure, line)
            check((kept[0].expires is None) == (wanted["max_age"] == 0), line)


class Headers:
    """As an answer with one Set-Cookie."""

    def __init__(self, line):
        self.headers = http.client.HTTPMessage()
        self.headers["Set-Cookie"] = line

    def info(self):
        return self.headers


# ---- Signatures -------------------------------------------------------------

def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key, name, value, expires):
    text = f"{base64url(value)}.{expires}"
    mac = hmac.new(key.encode(), name + b"\0" + text.encode(), hashlib.sha256)
    return f"{text}.{base64url(mac.digest())}"


def test_sign(server, rand):
    for _ in range(count(2000)):
        name = some_bytes(rand, 10, False)
        value = some_bytes(rand, 100, False)
        before = int(time.time())
        query = urllib.parse.urlencode({"name": name, "value": value,
                                        "seconds": 1000})
        status, _, text = server.ask("GET", "/sign?" + query)
        expires = int(text.decode().split(".")[1])
        check(status == 200, status)
        # time(2) is late by a clock tick.
        check(before + 999 <= expires <= time.time() + 1000, text)
        check(signed(NEW_KEY, name, value, expires) == text.decode(), text)
        for key in NEW_KEY, OLD_KEY, "x" * 32:
            text = signed(key, name, value, expires)
            query = urllib.parse.urlencode({"name": name, "text": text})
            status, _, read = server.ask("GET", "/check?" + query)
            if key == "x" * 32:
                check(status == 403, status)
            else:
                check((status, read) == (200, value), (status, text))
        text = signed(OLD_KEY, name, value, int(time.time()) - 1)
        query = urllib.parse.urlencode({"name": name, "text": text})
        check(server.ask("GET", "/check?" + query)[0] == 410, "has expired")


def test_sign_changed(server, rand):
    """No change of a text, and none of its parts in another's place, is
    accepted."""
    later = int(time.time()) + 1000
    texts = [signed(NEW_KEY, b"name", value, later + i)
             for i, value in enumerate([b"", b"a", b"admin=0", b"admin=1"])]
    for _ in range(count(3000)):
        text = rand.choice(texts)
        how = rand.randrange(4)
        at = rand.randrange(len(text))
        if how == 0:
            changed = text[:at] + rand.choice("Aa0-_.=+/ ") + text[at + 1:]
        elif how == 1:
            changed = text[:at]
        elif how == 2:
            changed = text[:at] + rand.choice("Aa0-_.=") + text[at:]
        else:
            changed = ".".join(rand.choice(texts).split(".")[i]
                               for i in range(3))
        query = urllib.parse.urlencode({"name": "name", "text": changed})
        status = server.ask("GET", "/check?" + query)[0]
        check((status == 200) == (changed in texts), changed)
        check(status in (200, 403), status)


def main():
    if not os.path.exists(PROGRAM):
        print("skipped: this build has no http_forms_server")
        return 77
    tests = [value for name, value in globals().items()
             if name.startswith("test_")]
    for test in tests:
        print(" ", test.__name__, flush=True)
        with Server() as server:
            test(server, random.Random(test.__name__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
