/* of_files.c - scenarios of what serves files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_folder.h"
#include "net/http_gzip.h"
#include "net/http_mime.h"
#include "tests/fault/kit.h"
#include "tests/fault/stand_in.h"

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

static void gzip(void)
{
    char data[1000] = { 0 }, *out;
    size_t len;

    out = http_gzip(data, sizeof data, &len);
    if (out == NULL && errno == ENOTSUP)
        return; /* built without zlib */
    if (WENT(out != NULL, ENOMEM, ))
        CHECK(len < sizeof data / 8);
    fault_free(out); /* of the library, which counts */
}

/* All names, but those that nothing can be asked about. */
static void folder(void)
{
    struct http_folder f = { 0 };
    int fd =
        open(FAULT_ROOT "/tests/fault", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    if (!WENT(http_folder_read(&f, fd, true) == 0, ENOMEM, EIO, ))
        return;
    CHECK(f.count > 10);
    for (size_t i = 0; i < f.count; i++)
        CHECK(f.names[i]->is_file || inject_fired_in(CALL_fstatat));
    http_folder_free(&f);
}

const struct scenario scenarios_files[] = {
    { "types", types, 0 },
    { "gzip", gzip, 0 },
    { "folder", folder, 0 },
    { NULL, NULL, 0 },
};
