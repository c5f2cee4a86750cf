/* http_sign_text.c - signed texts.
 *
 * Whether a text is right is asked of its bytes as they came, before anything
 * in them is looked at: what would have to be decoded first could be written in
 * several ways.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_sign_text.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAC_BYTES = 32,
    MAC_TEXT = 43,  /* in base64url */
    NUMBER_MAX = 20 /* digits of a time */
};

struct http_signer {
    unsigned count;
    EVP_PKEY *keys[];
};

/* ---- Keys ------------------------------------------------------------------
 */

void http_sign_free(struct http_signer *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->count; i++)
        EVP_PKEY_free(s->keys[i]);
    free(s);
}

struct http_signer *http_sign_new(const struct http_sign_key *keys)
{
    struct http_signer *s;
    unsigned count = 0;

    while (keys[count].data != NULL && keys[count].len >= HTTP_SIGN_KEY_MIN)
        count++;
    if (count == 0 || keys[count].data != NULL) {
        errno = EINVAL;
        return NULL;
    }
    s = calloc(1, sizeof *s + count * sizeof s->keys[0]);
    if (s == NULL)
        return NULL;
    for (; s->count < count; s->count++) {
        const struct http_sign_key *key = &keys[s->count];

        s->keys[s->count] = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL,
                                                         key->data, key->len);
        if (s->keys[s->count] == NULL) {
            http_sign_free(s);
            errno = ENOMEM;
            return NULL;
        }
    }
    return s;
}

/* ---- base64url -------------------------------------------------------------
 */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encoded_len(size_t len)
{
    return len / 3 * 4 + (len % 3 * 4 + 2) / 3;
}

/* Behind what was written. */
static char *encode(char *out, const unsigned char *data, size_t len)
{
    unsigned bits = 0, count = 0;

    for (; len > 0; len--) {
        bits = bits << 8 | *data++;
        for (count += 8; count >= 6; count -= 6)
            *out++ = letters[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *out++ = letters[bits << (6 - count) & 63];
    return out;
}

/* As a string, which must be one; its length, or -1. */
static ssize_t decode(char *out, const char *text, size_t len)
{
    unsigned bits = 0, count = 0;
    char *begin = out;

    for (; len > 0; len--) {
        const char *letter = memchr(letters, *text++, sizeof letters - 1);

        if (letter == NULL)
            return -1;
        bits = bits << 6 | (unsigned)(letter - letters);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        *out = (char)(bits >> count);
        if (*out++ == '\0')
            return -1;
    }
    *out = '\0';
    return out - begin;
}

/* ---- Signing ---------------------------------------------------------------
 */

/* In base64url; 0, or -1 without memory. */
static int make_mac(EVP_PKEY *key, const char *name, const char *text,
                    size_t len, char *mac)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char bytes[MAC_BYTES];
    size_t size = sizeof bytes;
    bool good;

    good = ctx != NULL &&
           EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestSignUpdate(ctx, name, strlen(name) + 1) == 1 &&
           EVP_DigestSignUpdate(ctx, text, len) == 1 &&
           EVP_DigestSignFinal(ctx, bytes, &size) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        errno = ENOMEM;
        return -1;
    }
    (void)encode(mac, bytes, size);
    return 0;
}

ssize_t http_sign_put(const struct http_signer *s, const char *name,
                      const char *value, int64_t expires, char *buf,
                      size_t size)
{
    char number[NUMBER_MAX + 3];
    size_t len = strlen(value);
    int digits = snprintf(number, sizeof number, ".%lld", (long long)expires);
    char *p;

    if (len > size || encoded_len(len) + (size_t)digits + MAC_TEXT + 2 > size) {
        errno = EMSGSIZE;
        return -1;
    }
    p = encode(buf, (const unsigned char *)value, len);
    memcpy(p, number, (size_t)digits);
    p += digits;
    if (make_mac(s->keys[0], name, buf, (size_t)(p - buf), p + 1) < 0)
        return -1;
    *p = '.';
    p += 1 + MAC_TEXT;
    *p = '\0';
    return p - buf;
}

/* ---- Checking --------------------------------------------------------------
 */

/* Whether any of the keys makes that mac: 1, 0, or -1 without memory. */
static int is_mac(const struct http_signer *s, const char *name,
                  const char *text, size_t len, const char *mac)
{
    char right[MAC_TEXT];
    int found = 0;

    for (unsigned i = 0; i < s->count; i++) {
        if (make_mac(s->keys[i], name, text, len, right) < 0)
            return -1;
        found |= CRYPTO_memcmp(right, mac, MAC_TEXT) == 0;
    }
    return found;
}

static ssize_t fail(int err)
{
    errno = err;
    return -1;
}

/* Of a text that was signed with a key of ours. */
static ssize_t take(const char *text, int64_t now, char *buf, size_t size)
{
    const char *dot = strchr(text, '.');
    size_t len = (size_t)(dot - text);
    long long expires;
    char *end;
    ssize_t n;

    errno = 0;
    expires = strtoll(dot + 1, &end, 10);
    if (errno != 0 || end == dot + 1 || *end != '.')
        return fail(EBADMSG);
    if (now >= expires)
        return fail(ETIMEDOUT);
    if (len / 4 * 3 + len % 4 * 3 / 4 >= size)
        return fail(EMSGSIZE);
    n = decode(buf, text, len);
    return n < 0 ? fail(EBADMSG) : n;
}

ssize_t http_sign_take(const struct http_signer *s, const char *name,
                       const char *text, int64_t now, char *buf, size_t size)
{
    const char *dot = strrchr(text, '.');
    int found;

    if (dot == NULL || strlen(dot + 1) != MAC_TEXT)
        return fail(EBADMSG);
    found = is_mac(s, name, text, (size_t)(dot - text), dot + 1);
    if (found <= 0)
        return found < 0 ? -1 : fail(EBADMSG);
    return take(text, now, buf, size);
}
