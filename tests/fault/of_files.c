/* of_files.c - scenarios of what serves files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_mime.h"
#include "tests/fault/kit.h"

/* All of a table, or none. */
static void types(void)
{
    struct http_mime *m = http_mime_open(FAULT_ROOT "/tests/fault/mime.types");

    if (!WENT(m != NULL, ENOMEM, EMFILE, EACCES, EIO, ))
        return;
    const char *type = http_mime_type(m, "a.fault");
    if (!inject_fired_in(CALL_fopen))
        CHECK(strcmp(type, "text/x-fault; charset=utf-8") == 0);
    CHECK(strcmp(http_mime_type(m, "a.png"), "image/png") == 0);
    http_mime_close(m);
}

const struct scenario scenarios_files[] = {
    { "types", types, 0 },
    { NULL, NULL, 0 },
};
