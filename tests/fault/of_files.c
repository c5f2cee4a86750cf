/* of_files.c - scenarios of what serves files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_folder.h"
#include "net/http_gzip.h"
#include "net/http_mime.h"
#include "tests/fault/kit.h"
#include "tests/fault/stand_in.h"
#include "tests/files_kit.h"

enum { LINKS = 4 };

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

/* A file, and links to it: all names, or none, but those that nothing can be
 * asked about. */
static void read_names(int fd)
{
    struct http_folder f = { 0 };

    if (!WENT(http_folder_read(&f, fd, true) == 0, ENOMEM, EIO, ))
        return;
    CHECK(f.count == LINKS + 1 || inject_fired_in(CALL_fstatat));
    for (size_t i = 0; i < f.count; i++)
        CHECK(f.names[i]->is_file || !links_followed() || inject_fired());
    http_folder_free(&f);
}

static void folder(void)
{
    char root[] = "/tmp/corten-fault-XXXXXX", name[16] = "file";
    int fd;

    CHECK(mkdtemp(root) != NULL);
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(mknodat(fd, name, S_IFREG | 0600, 0), 0);
    for (int i = 0; i < LINKS; i++) {
        (void)snprintf(name, sizeof name, "link%d", i);
        CHECK_EQ(symlinkat("file", fd, name), 0);
    }
    read_names(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    CHECK_EQ(unlinkat(fd, "file", 0), 0);
    for (int i = 0; i < LINKS; i++) {
        (void)snprintf(name, sizeof name, "link%d", i);
        CHECK_EQ(unlinkat(fd, name, 0), 0);
    }
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(rmdir(root), 0);
}

const struct scenario scenarios_files[] = {
    { "types", types, 0 },
    { "gzip", gzip, 0 },
    { "folder", folder, 0 },
    { NULL, NULL, 0 },
};
