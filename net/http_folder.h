/* http_folder.h - what is in a folder.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FOLDER_H
#define NET_HTTP_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_NAME_MAX = 255 };

struct http_name {
    bool is_folder;
    bool is_file; /* size and mtime are known; of other things, and of links
                     that lead out of the folder, only the name */
    int64_t size;
    int64_t mtime; /* in seconds; of folders, too */
    char name[];   /* HTTP_NAME_MAX bytes at most, any but '/' */
};

struct http_folder {          /* starts as zero */
    struct http_name **names; /* folders first, then by the bytes of the name */
    size_t count;
    size_t folders;
    size_t bytes; /* of memory, about */
    size_t room;
};

/* Reads the folder fd, which it takes: the names that are served, so with
 * dotfiles those that begin with a dot.  0, or -1 with errno and nothing read.
 * Waits for the disk, and takes a second for a million names: co_offload() is
 * for it. */
int http_folder_read(struct http_folder *f, int fd, bool dotfiles);
void http_folder_free(struct http_folder *f);

#endif
