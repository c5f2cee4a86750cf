# files_differences.py - where examples/serve and nginx differ, and why; for
# http_files_nginx_test.py.
#
# Each entry: the reason, with the section of RFC 9110 if there is one; what
# this server does for what nginx does, and to which requests.
#
# SPDX-License-Identifier: MIT
from files_cases import MANY

DIFFERENCES = [
    ("Names that begin with a dot are shown by neither listing nor name.", {
        "404 for 200": [
            "/.hidden", "/sub/.hidden", "/.git/config", "/.git/",
            "/%2ehidden"],
        "404 for 301": [
            "/.git"]}),
    ("Links that lead out of the folder, even if they come back, or to "
     "themselves do not exist for clients.", {
        "404 for 200": [
            "/out", "/out-folder/outside.txt", "/out-folder/", "/absolute",
            "/around"],
        "404 for 403": [
            "/loop"]}),
    ("Compressed files stand beside the plain ones, not for them.", {
        "404 for 200": [
            "/only.txt|Accept-Encoding: gzip"]}),
    ("A folder of that name is no index.", {
        "200 for 301": [
            "/index/"]}),
    ("Ranges mean something to GET alone (14.2).", {
        "200 for 206": [
            "HEAD /a.bin|Range: bytes=1-5", "HEAD /big.bin|Range: bytes=1-5",
            "HEAD /a.bin|Range: bytes=0-0,2-2"],
        "200 for 416": [
            "HEAD /a.bin|Range: bytes=10000-"]}),
    ("More ranges than anybody needs are ignored (14.2).", {
        "200 for 206": [
            "/a.bin|Range: bytes=" + MANY]}),
    ("Two of these fields are one that is broken, and ignored.", {
        "200 for 206": [
            "/a.bin|Range: bytes=0-0|Range: bytes=1-1"]}),
    ("What is broken is no range, and the field is ignored, all of it "
     "(14.2); nginx answers 416, or takes what it can.", {
        "200 for 206": [
            "/a.bin|Range: bytes=0 - 5", "/a.bin|Range: bytes=0-0,5-4"],
        "200 for 416": [
            "/a.bin|Range: bytes=5-4", "/a.bin|Range: bytes=-",
            "/a.bin|Range: bytes=a-b", "/a.bin|Range: bytes=1",
            "/a.bin|Range: bytes=+1-2", "/a.bin|Range: bytes=1-+2",
            "/a.bin|Range: bytes=--1", "/a.bin|Range: bytes=-1-2",
            "/a.bin|Range: bytes=0x1-2", "/a.bin|Range: bytes=1.0-2",
            "/a.bin|Range: bytes=0-\t5", "/a.bin|Range: bytes=,",
            "/a.bin|Range: bytes=0-0,x", "/a.bin|Range: bytes=0-0;bytes=1-1"]}),
    ("A last byte beyond the end, or a suffix that is longer than the "
     "file, is fine in any number of digits (14.1.2), and so are empty "
     "elements of lists (5.6.1).", {
        "206 for 416": [
            "/a.bin|Range: bytes=0-18446744073709551615",
            "/a.bin|Range: bytes=0-18446744073709551616",
            "/a.bin|Range: bytes=0-99999999999999999999999",
            "/a.bin|Range: bytes=-18446744073709551616",
            "/a.bin|Range: bytes=-99999999999999999999999",
            "/a.bin|Range: bytes=0-0,,2-2", "/a.bin|Range: bytes=,0-0",
            "/a.bin|Range: bytes=0-0,"]}),
    ("Ranges of compressed files are ranges of what is sent; the tag is "
     "that of the compressed file.", {
        "206 for 200": [
            "/pre.txt|Accept-Encoding: gzip|Range: bytes=0-9"]}),
    ("Fields that come twice are one list (5.3).", {
        "200 for 400": [
            '/a.bin|If-Match: "x"|If-Match: {etag}'],
        "304 for 400": [
            '/a.bin|If-None-Match: "x"|If-None-Match: {etag}']}),
    ('"*" stands alone, not in lists (13.1.1).', {
        "200 for 304": [
            "/a.bin|If-None-Match: *, {etag}"],
        "412 for 200": [
            "/a.bin|If-Match: *, {etag}"]}),
    ("A page of a folder is made for each request, whatever the client "
     "has.", {
        "200 for 304": [
            "/list/|If-None-Match: *"]}),
    ("What is no date is ignored (13.1.3, 13.1.4); nginx reads as much of "
     "it as it can, or takes it for a date that is over.", {
        "200 for 304": [
            "/a.bin|If-Modified-Since: Sun, 13 Sep 2020 12:26:40",
            "/a.bin|"
            "If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT; length=10000"],
        "200 for 412": [
            "/a.bin|If-Unmodified-Since: 0", "/a.bin|If-Unmodified-Since: ",
            "/a.bin|If-Unmodified-Since: -1",
            "/a.bin|If-Unmodified-Since: now",
            "/a.bin|If-Unmodified-Since: Sun, 32 Sep 2020 12:26:40 GMT"]}),
    ("Not modified since a later date is not modified (13.1.3).", {
        "304 for 200": [
            "/a.bin|If-Modified-Since: Sun, 13 Sep 2020 12:26:41 GMT",
            "/a.bin|If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT",
            "/sub/|If-Modified-Since: Sun, 13 Sep 2020 12:26:41 GMT"]}),
    ("Where there are tags, dates are not looked at (13.2.2).", {
        "200 for 412": [
            "/a.bin|If-Match: {etag}|"
            "If-Unmodified-Since: Sun, 13 Sep 2020 12:26:39 GMT"],
        "304 for 200": [
            "/a.bin|If-None-Match: {etag}|"
            "If-Modified-Since: Sun, 13 Sep 2020 12:26:39 GMT"]}),
    ("Targets hold no byte that has to be encoded (RFC 9112 3.2).", {
        "400 for 200": [
            '/odd/quote".txt', "/odd/ünï.txt", "/a.bin#x"],
        "400 for 404": [
            "/odd/hash#.txt", "/ä"]}),
    ("CONNECT takes host and port.", {
        "400 for 405": [
            "CONNECT /a.bin"]}),
    ("OPTIONS is answered (9.3.7).", {
        "204 for 400": [
            "OPTIONS *"],
        "204 for 405": [
            "OPTIONS /a.bin", "OPTIONS /"]}),
    ("Whether a method can be used is known before the file is looked for.", {
        "405 for 301": [
            "POST /sub"],
        "405 for 404": [
            "POST /none"]}),
    ("Methods may be any word, in capital letters or not.", {
        "405 for 400": [
            "get /a.bin"]}),
    ("It is a version, but none of ours.", {
        "505 for 400": [
            "HTTP/0.9 /a.bin"]}),
    ('x-gzip is gzip, "*" any (12.5.3), two fields are one list, and '
     "HTTP/1.0 has no say in it.", {
        "content-length - for 11290; content-encoding gzip for -; "
        "accept-ranges - for bytes": [
            "/pre.txt|Accept-Encoding: x-gzip", "/pre.txt|Accept-Encoding: *",
            "/pre.txt|Accept-Encoding: deflate|Accept-Encoding: gzip",
            "HTTP/1.0 /pre.txt|Accept-Encoding: gzip"]}),
    ("Too little to be worth it.", {
        "content-length 9 for -; content-encoding - for gzip; "
        "etag strong for weak; accept-ranges bytes for -": [
            "/type.html|Accept-Encoding: gzip"]}),
    ("These types are compressed, too.", {
        "vary Accept-Encoding for -": [
            "/type.ico", "HEAD /type.ico", "/type.wasm", "HEAD /type.wasm"]}),
    ("A 304 has it as well (15.4.5).", {
        "vary Accept-Encoding for -": [
            "/|If-None-Match: *"]}),
    ("Pages of folders are each server's own, and ours are not compressed.", {
        "content-encoding - for gzip; vary - for Accept-Encoding; "
        "body other for other": [
            "/list/|Accept-Encoding: gzip"],
        "vary - for Accept-Encoding": [
            "HEAD /list/"],
        "vary - for Accept-Encoding; body other for other": [
            "/list/", "/list/?x=1", "/void/", "/.well-known/",
            "/list/|Range: bytes=1-5", "HTTP/1.0 /list/"]}),
]
