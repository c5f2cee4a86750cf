/* http_corpus_test.c - what the fuzzer began with and what it found, again.
 *
 * Gives each file of tests/http_corpus/ to the function that libFuzzer calls
 * (tests/http_fuzz/), so that every compiler and sanitizer sees them; the
 * search itself is http_fuzz_test.py, where clang is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_kit.h"
#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const char *name)
{
    char path[4096];
    static uint8_t data[4096];

    snprintf(path, sizeof path, "%s/%s", HTTP_CORPUS, name);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL);
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    CHECK_EQ(LLVMFuzzerTestOneInput(data, size), 0);
    /* Cut and in other pieces, too. */
    for (size_t cut = 1; cut < size; cut++) {
        (void)LLVMFuzzerTestOneInput(data, cut);
        data[0] += 8;
    }
}

int main(void)
{
    DIR *d = opendir(HTTP_CORPUS);
    struct dirent *e;
    unsigned count = 0;

    CHECK(d != NULL);
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.') {
            one(e->d_name);
            count++;
        }
    closedir(d);
    fprintf(stderr, "  %u files\n", count);
    CHECK(count > 10);
    return 0;
}
