# http_files_clients_test.py - examples/serve and clients of other makers: they
# go on where they were interrupted, put a file together from ranges, and never
# get half of one version and half of another.
#
# CORTEN_BUILD names the build.  A client that is not installed is left out, and
# that is said.
#
# SPDX-License-Identifier: MIT
import http.client
import os
import random
import re
import subprocess
import sys
import threading
import time

from files_kit import SERVE, Answer, Serve, get, noise, put, validated
from servers import Folder
from web import LIMIT, SCALE, check, count, finish, main, run, start

SIZE = 20_000_000
RATE = 1_000_000  # bytes a second, of clients that are to be interrupted
BORDER = 1 << 32
CURL = "curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT)
WGET = "wget", "--no-proxy", "--timeout", str(LIMIT)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def wait_until(true, what):
    limit = time.monotonic() + LIMIT
    while not true():
        check(time.monotonic() < limit, f"{what} takes too long")
        time.sleep(0.01)


def get_some(client, path):
    """Until more of the file is there; the client still runs."""
    before = size_of(path)
    wait_until(lambda: size_of(path) > before or client.poll() is not None,
               "a part of the file")
    check(client.poll() is None, f"{client.args} has ended: "
          f"{client.stderr.read() if client.poll() is not None else ''}")


def kill(client):
    client.kill()
    client.communicate()


def is_rest(found, have):
    check(found == f"bytes {have}-{SIZE - 1}/{SIZE}", f"{found} from {have} on")


# ---- Interrupted clients ----------------------------------------------------


def test_curl_resumes():
    data = noise(SIZE)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as server:
        out, url = os.path.join(folder, "out"), server.url + "/file"
        for _ in range(3):
            # It takes up to a hundred times 20 KB at once, and then pauses.
            client = start(*CURL, "--limit-rate", "20K", "-C", "-", "-o",
                           out, url)
            get_some(client, out)
            kill(client)
        have = size_of(out)
        check(have < SIZE, "too late to interrupt it")
        said = run(*CURL, "-C", "-", "-o", out, "-w",
                   "%{http_code} %{size_download} %header{content-range}",
                   url).decode()
        check(said.startswith(f"206 {SIZE - have} "), f"{said} with {have}")
        check(read(out) == data, "other bytes")
        # All of it is there: nothing to get, which curl takes for success.
        run(*CURL, "-C", "-", "-o", out, url)
        check(read(out) == data, "other bytes the second time")
        server.stop()


def test_wget_resumes():
    data = noise(SIZE)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as server:
        out, url = os.path.join(folder, "out"), server.url + "/file"
        for _ in range(3):
            client = start(*WGET, "-q", f"--limit-rate={RATE}", "-c", "-O", out,
                           url)
            get_some(client, out)
            kill(client)
        have = size_of(out)
        check(have < SIZE, "too late to interrupt it")
        client = start(*WGET, "-S", "-c", "-O", out, url)
        said = client.communicate(timeout=LIMIT)[1].decode()
        check(client.returncode == 0, said)
        check("HTTP/1.1 206 Partial Content" in said, said)
        is_rest(re.search(r"Content-Range: (.*)", said)[1], have)
        check(read(out) == data, "other bytes")
        said = start(*WGET, "-c", "-O", out, url).communicate(timeout=LIMIT)[1]
        check(b"already fully retrieved" in said, said)
        server.stop()


# ---- A server that goes away ------------------------------------------------


def killed(server, client, out):
    """A server in place of this one, which the client has lost half-way."""
    get_some(client, out)
    server.process.kill()
    return server.start_again()


def test_curl_server_killed():
    data = noise(SIZE)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as first:
        out, url = os.path.join(folder, "out"), first.url + "/file"
        before = validated(first.addr, "/file")
        client = start(*CURL, "--limit-rate", str(5 * RATE), "-o", out, url)
        with killed(first, client, out) as second:
            client.communicate(timeout=LIMIT)
            check(client.returncode in (18, 56), client.returncode)
            have = size_of(out)
            after = validated(second.addr, "/file")
            etag = before["etag"]
            check({**before, "date": ""} == {**after, "date": ""}, after)
            said = run(*CURL, "-C", "-", "-H", f"If-Range: {etag}", "-w",
                       "%{http_code} %{size_download}", "-o", out, url)
            check(said.decode() == f"206 {SIZE - have}", said)
            check(read(out) == data, "other bytes")
            # Of another file nothing is put behind it: curl gives up.
            os.truncate(out, have)
            put(folder, "site", "file", content=noise(SIZE, 2))
            run(*CURL, "-C", "-", "-H", f"If-Range: {etag}", "-o", out, url,
                status=33)
            check(read(out) == data[:have], "bytes of another file")
            second.stop()


def test_wget_server_killed():
    """It tries again by itself."""
    data = noise(SIZE)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as first:
        out, url = os.path.join(folder, "out"), first.url + "/file"
        client = start(*WGET, f"--limit-rate={10 * RATE}", "--tries=0",
                       "--waitretry=1", "--retry-connrefused", "-O", out, url)
        with killed(first, client, out) as second:
            finish(client)
            check(read(out) == data, "other bytes")
            second.stop()


# ---- Ranges -----------------------------------------------------------------


def cut(random_number, size):
    """Ranges that are all of size bytes, each once, in their order."""
    at = sorted({0, size, *(random_number.randrange(size)
                            for _ in range(random_number.randrange(1, 12)))})
    return list(zip(at, at[1:]))


def spelled(ranges, size):
    """As a client may write them: the last one as a suffix or without end."""
    words = [f"{first}-{end - 1}" for first, end in ranges]
    first, end = ranges[-1]
    if end == size:
        words[-1] = random.choice([f"{first}-", f"-{size - first}"])
    return ",".join(words)


def answer_of(*options):
    """What curl -i gets."""
    return Answer(run(*CURL, "-i", *options))


def test_ranges_together():
    data = noise(600_000)
    numbers = random.Random(3)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as server:
        for _ in range(count(200)):
            ranges = cut(numbers, len(data))
            numbers.shuffle(ranges)
            answer = answer_of("-r", spelled(ranges, len(data)),
                               server.url + "/file")
            check(answer.status == 206, answer.status)
            if len(ranges) == 1:
                check(answer.body == data, "one range")
                continue
            whole = bytearray(len(data))
            parts = answer.ranges()
            check([(first, last + 1) for first, last, *_ in parts] == ranges,
                  f"{[part[:2] for part in parts]} for {ranges}")
            for first, last, size, _, body in parts:
                check(size == len(data), size)
                whole[first:last + 1] = body
            check(whole == data, f"other bytes: {ranges}")
        server.stop()


def test_ranges_apart():
    """A piece to each of several clients at once."""
    data = noise(SIZE)
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=data))) as server:
        ranges = [(at, min(at + SIZE // 8, SIZE))
                  for at in range(0, SIZE, SIZE // 8)]
        clients = [start(*CURL, "-r", f"{first}-{end - 1}",
                         server.url + "/file") for first, end in ranges]
        whole = b"".join(finish(client) for client in clients)
        check(whole == data, "other bytes")
        server.stop()


# ---- Beyond 4 GiB -----------------------------------------------------------


class Huge:
    """A file with holes, and some bytes around places of interest."""

    SIZE = BORDER + (1 << 30) + 12345

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.truncate(self.SIZE)
            for at in (0, (1 << 31) - 5000, BORDER - 5000, self.SIZE - 10000):
                f.seek(at)
                f.write(noise(10000, at))

    def bytes(self, first, end):
        with open(self.path, "rb") as f:
            f.seek(first)
            return f.read(end - first)


def test_beyond_4g():
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file"))) as server:
        huge = Huge(os.path.join(folder, "site", "file"))
        url, out = server.url + "/file", os.path.join(folder, "out")
        length = get(server.addr, "/file", method="HEAD").field(
            "content-length")
        check(int(length) == huge.SIZE, length)
        for first, end in ((0, 100), ((1 << 31) - 7, (1 << 31) + 7),
                           (BORDER - 3000, BORDER + 3000), (BORDER, BORDER + 1),
                           (huge.SIZE - 1, huge.SIZE),
                           (BORDER - 3000, BORDER + 3_000_000)):
            got = run(*CURL, "-r", f"{first}-{end - 1}", url)
            check(got == huge.bytes(first, end), f"{first}-{end - 1}")
        got = run(*CURL, "-r", "-20000", url)
        check(got == huge.bytes(huge.SIZE - 20000, huge.SIZE), "the end")
        parts = answer_of("-r", f"5-9,{BORDER - 5}-{BORDER + 4},-10",
                          url).ranges()
        check([part[0] for part in parts] ==
              [5, BORDER - 5, huge.SIZE - 10], parts)
        for first, last, size, _, body in parts:
            check(size == huge.SIZE and body == huge.bytes(first, last + 1),
                  f"{first}-{last}/{size}")
        # As if all but the last of it were there.
        for how in ((*CURL, "-C", "-", "-o"), (*WGET, "-q", "-c", "-O")):
            with open(out, "wb") as f:
                f.truncate(BORDER + (1 << 30))
            run(*how, out, url)
            check(size_of(out) == huge.SIZE, f"{how[0]}: {size_of(out)}")
            with open(out, "rb") as f:
                f.seek(huge.SIZE - 12345)
                check(f.read() == huge.bytes(huge.SIZE - 12345, huge.SIZE),
                      f"{how[0]}: other bytes")
            os.unlink(out)
        if SCALE >= 1:
            client = subprocess.Popen([*CURL, url], stdout=subprocess.PIPE)
            done = subprocess.run(["cmp", huge.path], stdin=client.stdout,
                                  capture_output=True, timeout=LIMIT)
            client.stdout.close()
            check(client.wait() == 0 and done.returncode == 0, done)
        server.stop()


# ---- Files that change ------------------------------------------------------


def version(number):
    """Bytes that say which, as do their count and their parts."""
    return (b"%08d " % number) * (1000 + number % 7 * 20000)


def number_of(body):
    number = int(body[:8])
    check(body == version(number), f"of {number}, and of others")
    return number


class Reader(threading.Thread):
    """Asks for the file again and again, in all ways."""

    def __init__(self, server, end):
        super().__init__()
        self.server, self.end = server, end
        self.seen, self.stayed = set(), set()  # of versions
        self.answers, self.error = {}, None

    def run(self):
        try:
            self.conn = http.client.HTTPConnection(*self.server.addr,
                                                   timeout=LIMIT)
            while not self.end.is_set():
                self.whole()
            self.conn.close()
        except Exception as error:  # told by the thread that joins
            self.error = error

    def ask(self, **fields):
        self.conn.request("GET", "/file", headers={
            name.replace("_", "-"): value for name, value in fields.items()})
        answer = self.conn.getresponse()
        body = answer.read()
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        return answer.status, answer.headers["ETag"], body

    def whole(self):
        """A version, then whether there is another one, then its end if it is
        still the same."""
        status, etag, body = self.ask()
        check(status == 200, status)
        number = number_of(body)
        self.seen.add(number)
        if etag is None:  # it has just been written
            return
        status, again, body = self.ask(If_None_Match=etag)
        check((status, again) == (304, etag) or
              (status == 200 and number_of(body) >= number and again != etag),
              f"{status} {again} after {etag}")
        status, again, body = self.ask(If_Range=etag, Range="bytes=5000-")
        if status == 206:
            check(again == etag and body == version(number)[5000:],
                  f"the rest of {number} begins with {body[:9]}")
        else:
            check(status == 200 and number_of(body) > number, status)
        self.stayed.add(number)


def test_replaced():
    """By rename, under clients that get it."""
    with Folder() as folder, Serve(os.path.dirname(
            put(folder, "site", "file", content=version(0)))) as server:
        end, changes = threading.Event(), count(1000)
        readers = [Reader(server, end) for _ in range(8)]
        for reader in readers:
            reader.start()
        for change in range(1, changes + 1):
            new = put(folder, "site", ".new", content=version(change))
            os.rename(new, os.path.join(folder, "site", "file"))
            if change % 20 == 0 or change == changes:
                # Until all have it, with its tag.
                wait_until(lambda: any(reader.error for reader in readers) or
                           all(change in reader.stayed for reader in readers),
                           "a version")
        end.set()
        for reader in readers:
            reader.join()
            check(reader.error is None, repr(reader.error))
        # Nobody is told of an older one from now on.
        check(number_of(get(server.addr, "/file").body) == changes, "the last")
        for status in 200, 206, 304:
            check(any(reader.answers.get(status) for reader in readers),
                  f"no {status}")
        server.stop()


if __name__ == "__main__":
    sys.exit(main([test_curl_resumes, test_wget_resumes,
                   test_curl_server_killed, test_wget_server_killed,
                   test_ranges_together, test_ranges_apart, test_beyond_4g,
                   test_replaced], SERVE))
