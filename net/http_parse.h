/* http_parse.h - HTTP/1.1 messages as slices of the buffer that they stand in.
 *
 * Private to net/.  Bytes go in, offsets come out: nothing here reads, writes,
 * allocates, or includes another file of ours.  A call looks at the bytes that
 * came since the last one and goes on in the middle of a word, so a head that
 * comes byte by byte costs as much as one that comes at once, and says the
 * same.
 *
 * RFC 9112 is taken strictly: where it lets a recipient choose between
 * repairing a message and refusing it, the message is refused, because two
 * programs that repair differently disagree about where the next request
 * begins.  So these are errors: a line that ends with LF alone (2.2), white
 * space before a colon, a folded line (5.1, 5.2), Content-Length beside
 * Transfer-Encoding, twice, or as a list (6.3), Transfer-Encoding in HTTP/1.0
 * (6.1).  What is borne: up to four empty lines before a request (2.2), a minor
 * version above 1, which is taken for 1 (RFC 9110 2.5), and a status line that
 * ends after the code (4).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/* Bytes of a head, counted from its first one, so that the buffer may move. */
struct http_slice {
    uint32_t at;
    uint32_t len;
};

struct http_field {
    struct http_slice name;
    struct http_slice value; /* without the white space around it */
};

enum http_method {
    HTTP_OTHER, /* see the slice */
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_CONNECT,
};

/* The forms of a target, RFC 9112 3.2. */
enum http_target_form {
    HTTP_ORIGIN,    /* /path?query */
    HTTP_ABSOLUTE,  /* scheme://authority/path?query */
    HTTP_AUTHORITY, /* host:port, of CONNECT */
    HTTP_ASTERISK,  /* *, of OPTIONS */
};

/* What follows the head, RFC 9112 6.3. */
enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,  /* content_length bytes, at least one */
    HTTP_BODY_CHUNKED, /* struct http_chunked reads it */
    HTTP_BODY_CLOSE,   /* all until the connection ends: responses */
    HTTP_BODY_TUNNEL,  /* no HTTP any more: 2xx to CONNECT, 101 */
};

enum http_expect {
    HTTP_EXPECT_NONE,
    HTTP_EXPECT_CONTINUE,
    HTTP_EXPECT_UNKNOWN, /* 417 */
};

struct http_head {
    /* The caller's, kept from one message to the next. */
    struct http_field *fields; /* has room for fields_max */
    uint32_t fields_max;
    uint32_t target_max; /* bytes of a target; up to 2^28 */
    uint32_t bytes_max;  /* bytes of all field lines; up to 2^28 */

    /* The parser's: where it goes on. */
    uint32_t pos;
    uint32_t fields_at; /* where the field lines begin */
    uint8_t state;
    uint8_t empty_lines;
    uint16_t seen; /* what framing has met, http_framing.h */

    /* Valid once the head is complete.  What is not there is empty. */
    uint32_t count; /* fields */
    uint8_t minor;  /* version: 0 or 1 */
    uint8_t method_id;
    uint8_t form;
    uint8_t body;
    uint8_t expect;
    bool keep_alive; /* what the peer wants */
    uint16_t status; /* of a response */
    struct http_slice method;
    struct http_slice target;
    struct http_slice path;      /* of the target, not decoded */
    struct http_slice query;     /* after '?' */
    struct http_slice authority; /* of the target if it has one, else Host */
    struct http_slice reason;    /* of a response */
    int64_t content_length;      /* as its field says; -1 without one */
    int32_t host;                /* fields[] of Host, or -1 */
    int32_t upgrade;             /* fields[] of Upgrade if Connection has
                                    the option and the version is 1.1, or -1 */

    /* Valid after an error. */
    int error;       /* the status to answer: 400, 413, 414, 431, 501, 505 */
    const char *why; /* what is wrong, in a few words; static */
};

/* Before each message. */
static inline void http_head_start(struct http_head *h)
{
    memset((char *)h + offsetof(struct http_head, pos), 0,
           sizeof *h - offsetof(struct http_head, pos));
    h->content_length = -1;
    h->host = -1;
    h->upgrade = -1;
}

/* The head that begins at buf, of which len bytes are there: all that were
 * given before, and more.  The number of its bytes once it is complete, 0 as
 * long as more are needed, -1 with error and why. */
ssize_t http_parse_request(struct http_head *h, const char *buf, size_t len);

/* The same for the answer to a request that was sent with method asked. */
ssize_t http_parse_response(struct http_head *h, const char *buf, size_t len,
                            enum http_method asked);

/* The first field of that name, in lower case, from index on; -1 without. */
int http_field_find(const struct http_head *h, const char *buf,
                    const char *name, int from);

/* Whether it has the form host[:port] of a Host field. */
bool http_host_valid(const char *host, size_t len);

/* Turns %xx into bytes.  dst has room for len, and may be src.  The number of
 * bytes written, or -1 for an escape that is none and for %00. */
ssize_t http_percent_decode(char *dst, const char *src, size_t len);

/* Takes "." and ".." out of a decoded path, in place, as RFC 3986 5.2.4 says;
 * slashes that came as %2F count like others, double ones stay.  The new
 * length, or -1 when it does not begin with a slash or climbs above its root.
 * Decode first: then no spelling of ".." is left to whoever opens files. */
ssize_t http_path_resolve(char *path, size_t len);

/* A chunked body, RFC 9112 7.1.  It keeps no bytes, so any piece of the body
 * may be given in any buffer.  Extensions and trailer fields are checked and
 * dropped (7.1.1, 7.1.2).  Zero, but for the limits, is the beginning. */
struct http_chunked {
    /* The caller's. */
    uint32_t extension_max; /* bytes beyond a sixteenth of the data */
    uint32_t trailer_max;   /* bytes of the trailer section */

    /* The decoder's. */
    uint64_t left; /* of this chunk */
    uint32_t line; /* bytes of an extension or digits of a size so far */
    uint32_t extra;
    uint32_t trailer;
    uint8_t state;

    bool done; /* the last byte of the body was consumed */
    int error; /* as in a head */
    const char *why;
};

static inline void http_chunked_start(struct http_chunked *c)
{
    memset((char *)c + offsetof(struct http_chunked, left), 0,
           sizeof *c - offsetof(struct http_chunked, left));
}

/* How many of the len bytes at buf were consumed: up to one piece of data,
 * which *data and *size tell (size 0: none was found), with what is around it.
 * Call again with the rest until done; -1 with error and why. */
ssize_t http_chunked_next(struct http_chunked *c, const char *buf, size_t len,
                          const char **data, size_t *size);

#endif
