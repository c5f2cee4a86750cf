/* http_sign_text.h - signed texts, without a clock.
 *
 * Private to net/.  Times are seconds since 1970.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_SIGN_TEXT_H
#define NET_HTTP_SIGN_TEXT_H

#include "net/http_sign.h"

/* http_sign_text() and http_sign_check(), as if it were that time. */
ssize_t http_sign_put(const struct http_signer *s, const char *name,
                      const char *value, int64_t expires, char *buf,
                      size_t size);
ssize_t http_sign_take(const struct http_signer *s, const char *name,
                       const char *text, int64_t now, char *buf, size_t size);

#endif
