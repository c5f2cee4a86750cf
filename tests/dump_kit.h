/* dump_kit.h - coroutines that wait for one thing each, and what a report says
 * of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_DUMP_KIT_H
#define TESTS_DUMP_KIT_H

#include "co/inside.h"
#include "tests/test.h"
#include <sys/mman.h>
#include <sys/stat.h>

typedef int dump_fn(int fd);

/* What it writes, as a string to be freed. */
static inline char *dump_text_of(dump_fn *dump)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    struct stat st;
    char *text;

    CHECK(fd >= 0);
    CHECK_EQ(dump(fd), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    text = malloc((size_t)st.st_size + 1);
    CHECK(text != NULL);
    CHECK_EQ(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
    text[st.st_size] = '\0';
    CHECK_EQ(close(fd), 0);
    return text;
}

/* The line that has word in it, cut out of text; NULL when there is none. */
static inline char *dump_line(const char *text, const char *word)
{
    const char *at = strstr(text, word), *end;

    if (at == NULL)
        return NULL;
    while (at > text && at[-1] != '\n')
        at--;
    end = strchr(at, '\n');
    return strndup(at, end == NULL ? strlen(at) : (size_t)(end - at));
}

/* In the line of the coroutine of that name there are these words. */
static inline void dump_says(const char *text, const char *name,
                             const char *words)
{
    char quoted[64], *line;

    (void)snprintf(quoted, sizeof quoted, " \"%s\" ", name);
    line = dump_line(text, quoted);
    if (line == NULL || strstr(line, words) == NULL) {
        fprintf(stderr, "no \"%s\" in the line of %s:\n%s\n", words, name,
                line == NULL ? text : line);
        exit(1);
    }
    free(line);
}

/* Whether the library that knows functions and lines can be loaded. */
static inline bool dump_has_lines(const char *text)
{
    return strstr(text, "libdw.so.1") == NULL;
}

#endif
