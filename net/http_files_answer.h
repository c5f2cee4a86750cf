/* http_files_answer.h - which answer a request for a file gets.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FILES_ANSWER_H
#define NET_HTTP_FILES_ANSWER_H

#include "net/http_cache.h"
#include "net/http_precondition.h"
#include "net/http_server.h"

struct files_asked { /* what the fields of a request say about a file */
    struct http_conditions when;
    const char *ranges;
    const char *encodings;
};

/* 0, or 500 when there is no memory for what stands in several lines. */
int files_asked(struct http_work *w, struct files_asked *a);

/* Takes a use of e.  The status. */
int files_answer(struct http_work *w, const struct files_asked *a,
                 struct http_entry *e);

#endif
