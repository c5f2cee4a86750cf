/* requests.h - heads to parse, and two parsers to do it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_HTTP_PARSE_REQUESTS_H
#define BENCH_HTTP_PARSE_REQUESTS_H

/* What load generators send. */
static const char request_wrk[] = "GET / HTTP/1.1\r\n"
                                  "Host: 127.0.0.1:8080\r\n"
                                  "\r\n";

/* What a browser sends. */
static const char request_browser[] =
    "GET /products/list?page=2&sort=price HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
    "image/avif,image/webp,image/apng,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "\r\n";

/* n times; libhttp-parser with callbacks that do nothing. */
void parse_theirs(const char *request, long n);

#endif
