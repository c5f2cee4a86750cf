/* http_accept_test.c - which codings a client takes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_accept.h"
#include "tests/test.h"

static void cases(void)
{
    static const struct {
        const char *field;
        bool gzip, identity;
    } rows[] = {
        { NULL, false, true },
        { "", false, true },
        { " ", false, true },
        { ",,", false, true },
        { "gzip", true, true },
        { "GZip", true, true },
        { "x-gzip", true, true },
        { "X-GZIP;q=0", false, true },
        { "gzip, deflate, br, zstd", true, true },
        { "deflate,gzip", true, true },
        { "deflate\t, gzip ", true, true },
        { "gzip;q=0", false, true },
        { "gzip;q=0.0", false, true },
        { "gzip;q=0.", false, true },
        { "gzip;q=0.000", false, true },
        { "gzip;q=0.001", true, true },
        { "gzip;q=1", true, true },
        { "gzip;q=1.", true, true },
        { "gzip;q=1.000", true, true },
        { "gzip ; q=0", false, true },
        { "gzip\t;\tQ=0 ,br", false, true },
        { "gzip;q=0.5, *;q=0", true, false },
        { "*", true, true },
        { "*;q=0", false, false },
        { "*;q=0, gzip", true, false },
        { "gzip, *;q=0", true, false },
        { "*, gzip;q=0", false, true },
        { "br, *;q=0.1", true, true },
        { "br;q=1.0, *;q=0", false, false },
        { "identity", false, true },
        { "identity;q=0", false, false },
        { "identity;q=0, *", true, false },
        { "identity;q=0.5, *;q=0", false, true },
        { "gzip, identity;q=0", true, false },
        { "gzip;q=0, gzip", false, true },
        { "gzip, gzip;q=0", true, true },
        { "*;q=0, *", false, false },
        { "br", false, true },
        { "gzi", false, true },
        { "gzipp", false, true },
        { "x-", false, true },
        { "x-x-gzip", false, true },
        { "**", false, true },
        { "not gzip", false, true },
        /* Broken ones are not there. */
        { "gzip;", false, true },
        { "gzip;q", false, true },
        { "gzip;q=", false, true },
        { "gzip;q= 1", false, true },
        { "gzip;q=2", false, true },
        { "gzip;q=1.1", false, true },
        { "gzip;q=1.0000", false, true },
        { "gzip;q=0.1234", false, true },
        { "gzip;q=.5", false, true },
        { "gzip;q=-1", false, true },
        { "gzip;q=0x1", false, true },
        { "gzip;q=1 1", false, true },
        { "gzip;q=1;q=1", false, true },
        { "gzip;level=1", false, true },
        { "gzip q=1", false, true },
        { "gzip;q=, *", true, true },
        { "gzip;q=,gzip", true, true },
        { "*;q=x, *;q=0", false, false },
        { "identity;q=x, *;q=0", false, false },
        { ";q=1", false, true },
        { "gzip;q=0;", false, true },
        { "\"gzip\"", false, true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *field = rows[i].field;

        if (http_accepts(field, "gzip") != rows[i].gzip ||
            http_accepts(field, "identity") != rows[i].identity)
            fprintf(stderr, "'%s'\n", field);
        CHECK_EQ(http_accepts(field, "gzip"), rows[i].gzip);
        CHECK_EQ(http_accepts(field, "identity"), rows[i].identity);
    }
    CHECK(http_accepts("gzip, br", "br"));
    CHECK(!http_accepts("gzip, x-br", "br"));
}

/* Whatever stands there, it is read within its bounds. */
static void noise(void)
{
    static const char bytes[] = "gzip*;q=01. ,x-\tidenty\xff\"";
    unsigned seed = 1;

    for (long i = test_count(1000000); i > 0; i--) {
        char text[64];
        size_t len = 0, room = (size_t)(i % 24);

        while (len < room) {
            seed = seed * 1103515245 + 12345;
            text[len++] = bytes[(seed >> 16) % (sizeof bytes - 1)];
        }
        text[len] = '\0';
        char *copy = strdup(text);
        CHECK(copy != NULL);
        bool all = http_accepts(copy, "identity");
        CHECK(all || strstr(copy, "q=0") != NULL ||
              strcasestr(copy, "q=0") != NULL);
        (void)http_accepts(copy, "gzip");
        free(copy);
    }
}

int main(void)
{
    RUN(cases);
    RUN(noise);
    return 0;
}
