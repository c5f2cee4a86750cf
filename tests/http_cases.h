/* http_cases.h - messages, and what the parser must say about them.
 *
 * The name of a case is what tests/http_rfc.txt calls it by.  A case that tells
 * nothing is refused with the status.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HTTP_CASES_H
#define TESTS_HTTP_CASES_H

#include "net/http_parse.h"

struct http_case {
    const char *name;
    const char *text;
    const char *tells; /* kit_tell() */
    int error;
    int asked; /* a response: what had been asked for */
};

#define R(line, fields) line " HTTP/1.1\r\n" fields "\r\n"
#define G(fields) R("GET /", "Host: a\r\n" fields)
#define P(fields) R("POST /", "Host: a\r\n" fields)

static const struct http_case request_cases[] = {
    /* clang-format off */
    { "plain", G(""), "GET origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "query", R("GET /a/b?c=d?e", "Host: a\r\n"), "GET origin path=/a/b query=c=d?e host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "empty_query", R("GET /?", "Host: a\r\n"), "GET origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "marks_browsers_send", R("GET /[a]|^`{}?[a]|^`{}\\", "Host: a\r\n"), "GET origin path=/[a]|^`{} query=[a]|^`{}\\ host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "other_method", R("M-SEARCH /", "Host: a\r\n"), "M-SEARCH origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "method_case", R("get /", "Host: a\r\n"), "get origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "http_10", "GET / HTTP/1.0\r\n\r\n", "GET origin path=/ query= host= 1.0 fields=0 none=-1", 0, 0 },
    { "http_10_keep", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET origin path=/ query= host= 1.0 fields=1 none=-1 keep", 0, 0 },
    { "http_19", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", "GET origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "empty_line_before", "\r\n" G(""), "GET origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "four_empty_lines_before", "\r\n\r\n\r\n\r\n" G(""), "GET origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "space_around_values", G("A:\r\nB: \t b c\t \r\nC:d\r\n"), "GET origin path=/ query= host=a 1.1 fields=4 none=-1 keep", 0, 0 },
    { "bytes_above_ascii", G("A: \xc3\xa4\xff\r\n"), "GET origin path=/ query= host=a 1.1 fields=2 none=-1 keep", 0, 0 },
    { "close", G("Connection: foo , CLOSE\r\n"), "GET origin path=/ query= host=a 1.1 fields=2 none=-1", 0, 0 },
    { "close_beats_keep_alive", G("Connection: keep-alive, close\r\n"), "GET origin path=/ query= host=a 1.1 fields=2 none=-1", 0, 0 },
    { "connection_twice", G("Connection: foo\r\nConnection: ,,close,\r\n"), "GET origin path=/ query= host=a 1.1 fields=3 none=-1", 0, 0 },
    { "upgrade", G("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "GET origin path=/ query= host=a 1.1 fields=3 none=-1 keep upgrade", 0, 0 },
    { "upgrade_without_option", G("Upgrade: websocket\r\n"), "GET origin path=/ query= host=a 1.1 fields=2 none=-1 keep", 0, 0 },
    { "upgrade_in_10", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", "GET origin path=/ query= host= 1.0 fields=2 none=-1", 0, 0 },
    { "expect", P("Expect: 100-Continue\r\nContent-Length: 3\r\n"), "POST origin path=/ query= host=a 1.1 fields=3 length=3 keep continue", 0, 0 },
    { "expect_other", P("Expect: 200-ok\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 none=-1 keep expect?", 0, 0 },
    { "expect_in_10", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "POST origin path=/ query= host= 1.0 fields=2 length=1", 0, 0 },
    { "content_length", P("Content-Length: 42\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 length=42 keep", 0, 0 },
    { "content_length_zero", P("content-length: 0\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 none=0 keep", 0, 0 },
    { "content_length_most", P("Content-Length: 0009223372036854775807\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 length=9223372036854775807 keep", 0, 0 },
    { "no_length_no_body", P(""), "POST origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "chunked", P("Transfer-Encoding: Chunked\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 chunked=-1 keep", 0, 0 },
    { "chunked_in_a_list", P("transfer-encoding: , chunked ,\r\n"), "POST origin path=/ query= host=a 1.1 fields=2 chunked=-1 keep", 0, 0 },
    { "body_of_get", G("Content-Length: 5\r\n"), "GET origin path=/ query= host=a 1.1 fields=2 length=5 keep", 0, 0 },
    { "absolute", R("GET http://b:80/c?d", "Host: a\r\n"), "GET absolute path=/c query=d host=b:80 1.1 fields=1 none=-1 keep", 0, 0 },
    { "absolute_bare", R("GET HTTP://b", "Host: a\r\n"), "GET absolute path= query= host=b 1.1 fields=1 none=-1 keep", 0, 0 },
    { "absolute_query", R("GET http://b?c", "Host: a\r\n"), "GET absolute path= query=c host=b 1.1 fields=1 none=-1 keep", 0, 0 },
    { "connect", R("CONNECT b:443", "Host: b:443\r\n"), "CONNECT authority path= query= host=b:443 1.1 fields=1 none=-1 keep", 0, 0 },
    { "connect_v6", R("CONNECT [::1]:443", "Host: a\r\n"), "CONNECT authority path= query= host=[::1]:443 1.1 fields=1 none=-1 keep", 0, 0 },
    { "asterisk", R("OPTIONS *", "Host: a\r\n"), "OPTIONS asterisk path= query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },
    { "host_empty", R("GET /", "Host:\r\n"), "GET origin path=/ query= host= 1.1 fields=1 none=-1 keep", 0, 0 },
    { "host_port", R("GET /", "Host: a.b-c_d:8080\r\n"), "GET origin path=/ query= host=a.b-c_d:8080 1.1 fields=1 none=-1 keep", 0, 0 },
    { "host_v6", R("GET /", "Host: [::ffff:1.2.3.4]:80\r\n"), "GET origin path=/ query= host=[::ffff:1.2.3.4]:80 1.1 fields=1 none=-1 keep", 0, 0 },
    { "host_escape", R("GET /", "Host: %41b\r\n"), "GET origin path=/ query= host=%41b 1.1 fields=1 none=-1 keep", 0, 0 },
    { "method_32", R("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF /", "Host: a\r\n"), "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF origin path=/ query= host=a 1.1 fields=1 none=-1 keep", 0, 0 },

    { "lf_alone_first_line", "GET / HTTP/1.1\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "lf_alone_field", "GET / HTTP/1.1\r\nHost: a\n\r\n", NULL, 400, 0 },
    { "lf_alone_end", "GET / HTTP/1.1\r\nHost: a\r\n\n", NULL, 400, 0 },
    { "lf_alone_before", "\n" G(""), NULL, 400, 0 },
    { "bare_cr_first_line", "GET / HTTP/1.1\rHost: a\r\n\r\n", NULL, 400, 0 },
    { "bare_cr_in_target", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "bare_cr_in_value", G("A: b\rc\r\n"), NULL, 400, 0 },
    { "bare_cr_at_end", "GET / HTTP/1.1\r\nHost: a\r\n\rX", NULL, 400, 0 },
    { "bare_cr_cr", G("A: b\r\r\n"), NULL, 400, 0 },
    { "many_empty_lines_before", "\r\n\r\n\r\n\r\n\r\n" G(""), NULL, 400, 0 },
    { "space_before_first_field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", NULL, 400, 0 },
    { "fold", G("A: b\r\n c\r\n"), NULL, 400, 0 },
    { "fold_tab", G("A: b\r\n\tc\r\n"), NULL, 400, 0 },
    { "fold_empty", G("A: b\r\n \r\n"), NULL, 400, 0 },
    { "space_before_colon", G("A : b\r\n"), NULL, 400, 0 },
    { "tab_before_colon", G("A\t: b\r\n"), NULL, 400, 0 },
    { "no_colon", G("A\r\n"), NULL, 400, 0 },
    { "no_name", G(": b\r\n"), NULL, 400, 0 },
    { "name_not_token", G("A(b: c\r\n"), NULL, 400, 0 },
    { "name_above_ascii", G("\xc3\xa4: c\r\n"), NULL, 400, 0 },
    { "control_in_value", G("A: b\x01" "c\r\n"), NULL, 400, 0 },
    { "delete_in_value", G("A: b\x7f\r\n"), NULL, 400, 0 },
    { "space_before_method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "two_spaces_before_target", R("GET  /", "Host: a\r\n"), NULL, 400, 0 },
    { "two_spaces_before_version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "space_after_version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "tab_after_method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "space_in_target", R("GET /a b", "Host: a\r\n"), NULL, 400, 0 },
    { "no_target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "no_version", "GET /\r\n\r\n", NULL, 400, 0 },
    { "method_not_token", R("G(T /", "Host: a\r\n"), NULL, 400, 0 },
    { "method_33", R("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /", "Host: a\r\n"), NULL, 501, 0 },
    { "tls_hello", "\x16\x03\x01\x02\x01", NULL, 400, 0 },
    { "fragment", R("GET /#a", "Host: a\r\n"), NULL, 400, 0 },
    { "angle_in_target", R("GET /<", "Host: a\r\n"), NULL, 400, 0 },
    { "target_above_ascii", R("GET /\xc3\xa4", "Host: a\r\n"), NULL, 400, 0 },
    { "target_relative", R("GET a/b", "Host: a\r\n"), NULL, 400, 0 },
    { "absolute_no_host", R("GET http:///a", "Host: a\r\n"), NULL, 400, 0 },
    { "absolute_only_port", R("GET http://:80/a", "Host: a\r\n"), NULL, 400, 0 },
    { "absolute_user", R("GET http://u@b/a", "Host: a\r\n"), NULL, 400, 0 },
    { "absolute_no_slashes", R("GET http:b/a", "Host: a\r\n"), NULL, 400, 0 },
    { "connect_path", R("CONNECT /", "Host: a\r\n"), NULL, 400, 0 },
    { "connect_no_port", R("CONNECT b", "Host: b\r\n"), NULL, 400, 0 },
    { "connect_empty_port", R("CONNECT b:", "Host: b\r\n"), NULL, 400, 0 },
    { "connect_large_port", R("CONNECT b:65536", "Host: b\r\n"), NULL, 400, 0 },
    { "connect_digits", R("CONNECT 1234", "Host: b\r\n"), NULL, 400, 0 },
    { "asterisk_get", R("GET *", "Host: a\r\n"), NULL, 400, 0 },
    { "version_lower_case", "GET / http/1.1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "version_other", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "version_09", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", NULL, 505, 0 },
    { "version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", NULL, 505, 0 },
    { "version_long", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", NULL, 400, 0 },
    { "preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL, 505, 0 },
    { "host_missing", "GET / HTTP/1.1\r\n\r\n", NULL, 400, 0 },
    { "host_missing_absolute", R("GET http://a/", ""), NULL, 400, 0 },
    { "host_twice", R("GET /", "Host: a\r\nHost: a\r\n"), NULL, 400, 0 },
    { "host_twice_in_10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", NULL, 400, 0 },
    { "host_list", R("GET /", "Host: a, b\r\n"), NULL, 400, 0 },
    { "host_user", R("GET /", "Host: u@a\r\n"), NULL, 400, 0 },
    { "host_path", R("GET /", "Host: a/b\r\n"), NULL, 400, 0 },
    { "host_port_word", R("GET /", "Host: a:b\r\n"), NULL, 400, 0 },
    { "host_port_large", R("GET /", "Host: a:65536\r\n"), NULL, 400, 0 },
    { "host_v6_open", R("GET /", "Host: [::1\r\n"), NULL, 400, 0 },
    { "host_v6_wrong", R("GET /", "Host: [::1::2]\r\n"), NULL, 400, 0 },
    { "host_bad_escape", R("GET /", "Host: %4\r\n"), NULL, 400, 0 },
    { "length_and_chunked", P("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), NULL, 400, 0 },
    { "chunked_and_length", P("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), NULL, 400, 0 },
    { "lengths_differ", P("Content-Length: 5\r\nContent-Length: 6\r\n"), NULL, 400, 0 },
    { "lengths_agree", P("Content-Length: 5\r\nContent-Length: 5\r\n"), NULL, 400, 0 },
    { "length_list", P("Content-Length: 5, 5\r\n"), NULL, 400, 0 },
    { "length_empty", P("Content-Length:\r\n"), NULL, 400, 0 },
    { "length_plus", P("Content-Length: +5\r\n"), NULL, 400, 0 },
    { "length_minus", P("Content-Length: -5\r\n"), NULL, 400, 0 },
    { "length_hex", P("Content-Length: 0x5\r\n"), NULL, 400, 0 },
    { "length_space", P("Content-Length: 5 5\r\n"), NULL, 400, 0 },
    { "length_overflow", P("Content-Length: 9223372036854775808\r\n"), NULL, 413, 0 },
    { "length_wraps", P("Content-Length: 18446744073709551617\r\n"), NULL, 413, 0 },
    { "chunked_in_10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400, 0 },
    { "chunked_twice", P("Transfer-Encoding: chunked, chunked\r\n"), NULL, 400, 0 },
    { "chunked_two_fields", P("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), NULL, 400, 0 },
    { "chunked_not_last", P("Transfer-Encoding: chunked, gzip\r\n"), NULL, 400, 0 },
    { "not_chunked", P("Transfer-Encoding: gzip\r\n"), NULL, 400, 0 },
    { "identity", P("Transfer-Encoding: identity\r\n"), NULL, 400, 0 },
    { "encoding_empty", P("Transfer-Encoding:\r\n"), NULL, 400, 0 },
    { "chunked_parameter", P("Transfer-Encoding: chunked;a=b\r\n"), NULL, 400, 0 },
    { "chunked_quoted", P("Transfer-Encoding: \"chunked\"\r\n"), NULL, 400, 0 },
    { "chunked_prefix", P("Transfer-Encoding: xchunked\r\n"), NULL, 400, 0 },
    { "coding_unknown", P("Transfer-Encoding: gzip, chunked\r\n"), NULL, 501, 0 },
    { "coding_unknown_two_fields", P("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), NULL, 501, 0 },
    /* clang-format on */
};

#define S(line, fields) "HTTP/1.1 " line "\r\n" fields "\r\n"

static const struct http_case response_cases[] = {
    /* clang-format off */
    { "answer_length", S("200 OK", "Content-Length: 5\r\n"), "200 'OK' 1.1 fields=1 length=5 keep", 0, HTTP_GET },
    { "answer_empty", S("200 OK", "Content-Length: 0\r\n"), "200 'OK' 1.1 fields=1 none=0 keep", 0, HTTP_GET },
    { "answer_chunked", S("200 Very well", "Transfer-Encoding: chunked\r\n"), "200 'Very well' 1.1 fields=1 chunked=-1 keep", 0, HTTP_GET },
    { "answer_until_close", S("200 OK", ""), "200 'OK' 1.1 fields=0 close=-1", 0, HTTP_GET },
    { "answer_close", S("200 OK", "Content-Length: 5\r\nConnection: close\r\n"), "200 'OK' 1.1 fields=2 length=5", 0, HTTP_GET },
    { "answer_10", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "200 'OK' 1.0 fields=1 length=5", 0, HTTP_GET },
    { "answer_10_keep", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", "200 'OK' 1.0 fields=2 length=5 keep", 0, HTTP_GET },
    { "answer_head", S("200 OK", "Content-Length: 5\r\n"), "200 'OK' 1.1 fields=1 none=5 keep", 0, HTTP_HEAD },
    { "answer_head_chunked", S("200 OK", "Transfer-Encoding: chunked\r\n"), "200 'OK' 1.1 fields=1 none=-1 keep", 0, HTTP_HEAD },
    { "answer_100", S("100 Continue", ""), "100 'Continue' 1.1 fields=0 none=-1 keep", 0, HTTP_POST },
    { "answer_204", S("204 No Content", ""), "204 'No Content' 1.1 fields=0 none=-1 keep", 0, HTTP_GET },
    { "answer_304", S("304 Not Modified", "Content-Length: 9\r\n"), "304 'Not Modified' 1.1 fields=1 none=9 keep", 0, HTTP_GET },
    { "answer_connect", S("200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "200 'OK' 1.1 fields=2 tunnel=4 keep", 0, HTTP_CONNECT },
    { "answer_connect_refused", S("403 No", "Content-Length: 4\r\n"), "403 'No' 1.1 fields=1 length=4 keep", 0, HTTP_CONNECT },
    { "answer_101", S("101 Switching", "Connection: upgrade\r\nUpgrade: a\r\n"), "101 'Switching' 1.1 fields=2 tunnel=-1 keep upgrade", 0, HTTP_GET },
    { "answer_no_reason", S("200 ", "Content-Length: 0\r\n"), "200 '' 1.1 fields=1 none=0 keep", 0, HTTP_GET },
    { "answer_no_space", S("200", "Content-Length: 0\r\n"), "200 '' 1.1 fields=1 none=0 keep", 0, HTTP_GET },
    { "answer_reason_above_ascii", S("200 \xc3\xa4\t b", "Content-Length: 0\r\n"), "200 '\xc3\xa4\t b' 1.1 fields=1 none=0 keep", 0, HTTP_GET },
    { "answer_two_hosts", S("200 OK", "Host: a\r\nHost: b c\r\nContent-Length: 0\r\n"), "200 'OK' 1.1 fields=3 none=0 keep", 0, HTTP_GET },

    { "answer_empty_line_before", "\r\n" S("200 OK", ""), NULL, 400, HTTP_GET },
    { "answer_lf_alone", "HTTP/1.1 200 OK\n\r\n", NULL, 400, HTTP_GET },
    { "answer_two_digits", S("20 OK", ""), NULL, 400, HTTP_GET },
    { "answer_four_digits", S("2000 OK", ""), NULL, 400, HTTP_GET },
    { "answer_code_below_100", S("099 OK", ""), NULL, 400, HTTP_GET },
    { "answer_two_spaces", S(" 200 OK", ""), NULL, 400, HTTP_GET },
    { "answer_control_in_reason", S("200 O\x01", ""), NULL, 400, HTTP_GET },
    { "answer_version_2", "HTTP/2 200 OK\r\n\r\n", NULL, 505, HTTP_GET },
    { "answer_icy", "ICY 200 OK\r\n\r\n", NULL, 400, HTTP_GET },
    { "answer_both", S("200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), NULL, 400, HTTP_GET },
    { "answer_lengths_differ", S("200 OK", "Content-Length: 4\r\nContent-Length: 5\r\n"), NULL, 400, HTTP_GET },
    { "answer_length_wrong", S("200 OK", "Content-Length: x\r\n"), NULL, 400, HTTP_GET },
    { "answer_coding_unknown", S("200 OK", "Transfer-Encoding: gzip, chunked\r\n"), NULL, 501, HTTP_GET },
    { "answer_not_chunked", S("200 OK", "Transfer-Encoding: gzip\r\n"), NULL, 400, HTTP_GET },
    { "answer_chunked_in_10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400, HTTP_GET },
    { "answer_space_before_colon", S("200 OK", "A : b\r\n"), NULL, 400, HTTP_GET },
    { "answer_fold", S("200 OK", "A: b\r\n c\r\n"), NULL, 400, HTTP_GET },
    /* clang-format on */
};

#undef R
#undef G
#undef P
#undef S

#endif
