/* http_sign.h - texts and cookies that only the server can have made: HMAC with
 * SHA-256, by OpenSSL.  Library corten-http-sign.
 *
 *     static const struct http_sign_key keys[] = {
 *         { new_key, 32 },    signs
 *         { old_key, 32 },    is still accepted
 *         { NULL, 0 },
 *     };
 *     struct http_signer *signer = http_sign_new(keys);
 *
 *     http_sign_set_cookie(signer, res, &(struct http_cookie){
 *         .name = "user", .value = id, .max_age = 86400 });
 *
 *     const char *id = http_sign_cookie(signer, req, "user");
 *
 * What is signed can be read by anybody, and given back as often as they like
 * until it expires: it is neither secret nor fresh.  It holds under its name
 * alone, so what was signed for one purpose is worth nothing for another.
 *
 * A signed text is three words with dots between: the value in base64url, when
 * it expires, in seconds since 1970, and in base64url the HMAC of the name, a
 * zero byte, and the two words before.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_SIGN_H
#define NET_HTTP_SIGN_H

#include "net/http_cookie.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { HTTP_SIGN_KEY_MIN = 32 }; /* bytes of a key; from /dev/urandom, say */

struct http_sign_key { /* public */
    const void *data;
    size_t len;
};

/* What signs and checks; any number of threads may use it at once. */
struct http_signer;

/* Copies the keys; the array ends with a NULL.  The first signs, each of them
 * is accepted: a new one is put in front, and the old one taken away once what
 * it signed has expired.  EINVAL for none and for a short one, ENOMEM.  [any]
 */
struct http_signer *http_sign_new(const struct http_sign_key *keys);
void http_sign_free(struct http_signer *s); /* of NULL, too.  [any] */

/* Bytes that hold the signed text of a value of len bytes, with its zero. */
#define HTTP_SIGN_BYTES(len) ((size_t)(len) / 3 * 4 + 69)

/* Signs value under that name for so many seconds from now, into buf.  The
 * length of the text, or -1: EMSGSIZE when it and its zero need more than size
 * bytes, EINVAL for seconds below one, ENOMEM.  [any] */
ssize_t http_sign_text(const struct http_signer *s, const char *name,
                       const char *value, int64_t seconds, char *buf,
                       size_t size);

/* The value of a text that was signed under that name, into buf, which may not
 * be the text.  Its length, or -1: EBADMSG when it was not or was changed
 * since, ETIMEDOUT when it has expired, EMSGSIZE, ENOMEM.  How long it takes
 * says nothing about the right text.  [any] */
ssize_t http_sign_check(const struct http_signer *s, const char *name,
                        const char *text, char *buf, size_t size);

/* http_set_cookie() with the value signed under the cookie's name.  It expires
 * with max_age, which cannot be longer than it, or if that is 0 after a day.
 * The value may have any bytes, about 3,000 of them.  Errors as both. */
int http_sign_set_cookie(const struct http_signer *s, struct http_response *res,
                         const struct http_cookie *cookie);

/* The value of the first cookie of that name that was signed and has not
 * expired: others cannot hide it, whoever set them.  NULL with ENOENT when
 * there is none of that name, or as http_sign_check(). */
const char *http_sign_cookie(const struct http_signer *s,
                             struct http_request *req, const char *name);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
