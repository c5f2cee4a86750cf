/* http_gzip_test.c - what is compressed, gzip(1) makes whole again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_gzip.h"
#include "tests/test.h"
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/corten-gzip-XXXXXX";

static uint64_t seed = 88172645463325252u;

static unsigned roll(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

/* len bytes of that many different ones. */
static char *make(size_t len, unsigned kinds)
{
    char *data = malloc(len + 1);

    CHECK(data != NULL);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)roll(kinds);
    return data;
}

/* From file to file: what comes through a pipe can be interrupted. */
static void check_whole(const char *packed, size_t packed_len, const char *data,
                        size_t len)
{
    char command[128], whole[64], *back = malloc(len + 1);
    FILE *f = fopen(path, "we");

    CHECK(back != NULL && f != NULL);
    CHECK_EQ(fwrite(packed, 1, packed_len, f), packed_len);
    CHECK_EQ(fclose(f), 0);
    (void)snprintf(whole, sizeof whole, "%s.whole", path);
    (void)snprintf(command, sizeof command, "exec gzip -dc <%s >%s", path,
                   whole);
    CHECK_EQ(system(command), 0);
    f = fopen(whole, "re");
    CHECK(f != NULL);
    CHECK_EQ(fread(back, 1, len + 1, f), len);
    CHECK(memcmp(back, data, len) == 0);
    CHECK_EQ(fclose(f), 0);
    CHECK_EQ(unlink(whole), 0);
    free(back);
}

static void sizes(void)
{
    static const size_t lens[] = { 100, 1000, 10000, 65536, 300001, 5000000 };

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        char *data = make(lens[i], 16), *packed;
        size_t len = 0;

        packed = http_gzip(data, lens[i], &len);
        CHECK(packed != NULL);
        CHECK(len > 0 && len <= lens[i] / 8 * 7 + 7);
        check_whole(packed, len, data, lens[i]);
        free(packed);
        free(data);
        if (under_valgrind() && lens[i] > 50000)
            break;
    }
}

/* However small the room is that is left. */
static void not_worth_it(void)
{
    char *data = make(100000, 256);
    size_t len = 7;

    for (size_t n = 0; n < 40; n++) {
        CHECK(http_gzip(data, n, &len) == NULL);
        CHECK_EQ(errno, ERANGE);
    }
    CHECK(http_gzip(data, 100000, &len) == NULL);
    CHECK_EQ(errno, ERANGE);
    memset(data, 'x', 40);
    CHECK(http_gzip(data, 20, &len) == NULL);
    CHECK_EQ(errno, ERANGE);
    free(data);
}

/* As much as it saves, from all to nothing: taken on one side of an eighth. */
static void an_eighth(void)
{
    enum { LEN = 8000 };
    char *data = make(LEN, 256);
    size_t same, len, last = 0;
    int taken = 0;

    for (same = LEN; same > 0; same -= 100) {
        memset(data, 'x', same);
        for (size_t i = 0; i < 100; i++)
            data[same - 1 - i] = (char)roll(256);
        char *packed = http_gzip(data, LEN, &len);
        if (packed == NULL) {
            CHECK_EQ(errno, ERANGE);
            break;
        }
        CHECK(len > last && len <= LEN - LEN / 8);
        if (taken++ % 8 == 0)
            check_whole(packed, len, data, LEN);
        last = len;
        free(packed);
    }
    /* Of 8000 bytes, about 1000 that are the same can be saved. */
    CHECK(last > LEN - LEN / 8 - 200);
    CHECK(same > 500 && same < 1500);
    free(data);
}

int main(void)
{
    size_t len;
    char zeros[1000] = { 0 }, *packed = http_gzip(zeros, sizeof zeros, &len);
    int fd;

    if (packed == NULL && errno == ENOTSUP) {
        fprintf(stderr, "skipped: built without zlib\n");
        return 77;
    }
    free(packed);
    fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    RUN(sizes);
    RUN(not_worth_it);
    RUN(an_eighth);
    CHECK_EQ(unlink(path), 0);
    return 0;
}
