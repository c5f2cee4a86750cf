/* http_parts_test.c - multipart bodies taken apart: what they say, whichever
 * way they are cut into pieces; and what is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parts.h"
#include "tests/http_kit.h"
#include "tests/web_kit.h"

enum { HEAD_MAX = 200, TOLD_MAX = 64 * 1024 };

/* ---- A body in pieces ------------------------------------------------------
 */

/* What was found: "[head]data|" for each part, "." at the end; or the status.
 * Data that comes in pieces stands there as one. */
struct told {
    char text[TOLD_MAX];
    size_t len;
};

static void tell(struct told *t, const char *text, size_t len)
{
    CHECK(len < sizeof t->text - t->len);
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len] = '\0';
}

static void tell_event(struct told *t, const struct http_parts *p, int event,
                       const struct http_parts_found *found)
{
    char status[16];

    if (event == HTTP_PARTS_HEAD) {
        tell(t, "[", 1);
        tell(t, found->data, found->len);
        tell(t, "]", 1);
    } else if (event == HTTP_PARTS_DATA) {
        CHECK(found->len > 0);
        tell(t, found->data, found->len);
    } else if (event == HTTP_PARTS_END) {
        tell(t, "|", 1);
    } else if (event == HTTP_PARTS_LAST) {
        tell(t, ".", 1);
    } else {
        CHECK_EQ(event, HTTP_PARTS_BROKEN);
        CHECK(p->why != NULL);
        t->len = 0;
        (void)snprintf(status, sizeof status, "%d", p->error);
        tell(t, status, strlen(status));
    }
}

/* The body of len bytes, of which those before each of the cuts come at once,
 * in memory whose end is guarded.  The promise about how much it may want is
 * held, too. */
static void take_apart(struct told *t, struct kit_guarded *g,
                       const char *boundary, const char *body, size_t len,
                       const size_t *cuts, size_t count)
{
    struct http_parts p = { .head_max = HEAD_MAX };
    struct http_parts_found found;
    size_t at = 0, end = 0, i = 0;
    int event;

    t->len = 0;
    t->text[0] = '\0';
    CHECK_EQ(http_parts_start(&p, boundary), 0);
    do {
        const char *buf = kit_put(g, body + at, end - at);
        size_t taken;

        event = http_parts_next(&p, buf, end - at, end == len, &taken, &found);
        CHECK(taken <= end - at);
        at += taken;
        if (event == HTTP_PARTS_MORE) {
            CHECK(end < len);
            CHECK(end - at < HEAD_MAX + HTTP_DELIMITER_MAX);
            end = i < count ? cuts[i++] : len;
        } else {
            tell_event(t, &p, event, &found);
        }
    } while (event != HTTP_PARTS_BROKEN && event != HTTP_PARTS_LAST);
}

static struct told whole, cut;

static void check_same(const char *body, size_t len)
{
    if (whole.len == cut.len && memcmp(whole.text, cut.text, whole.len) == 0)
        return;
    fprintf(stderr, "body:  '%.*s'\nwhole: '%s'\ncut:   '%s'\n", (int)len, body,
            whole.text, cut.text);
    exit(1);
}

/* As a whole, byte by byte, and cut at every one and every two places. */
static void check_body(const char *boundary, const char *body, size_t len,
                       bool every_two)
{
    struct kit_guarded g;
    size_t cuts[2048];

    CHECK(len < 2048);
    kit_guard(&g, len + 1);
    take_apart(&whole, &g, boundary, body, len, NULL, 0);
    for (size_t i = 0; i < len; i++)
        cuts[i] = i + 1;
    take_apart(&cut, &g, boundary, body, len, cuts, len);
    check_same(body, len);
    for (size_t i = 0; i <= len; i++)
        for (size_t k = i; k <= (every_two ? len : i); k++) {
            take_apart(&cut, &g, boundary, body, len, (size_t[]){ i, k }, 2);
            check_same(body, len);
        }
    kit_unguard(&g);
}

/* ---- What bodies say -------------------------------------------------------
 */

#define H "A: b\r\n"

static const struct {
    const char *body, *told;
} bodies[] = {
    { "--x\r\n" H "\r\none\r\n--x--\r\n", "[" H "]one|." },
    { "--x\r\n" H "\r\none\r\n--x\r\n" H "C: d\r\n\r\ntwo\r\n--x--\r\n",
      "[" H "]one|[" H "C: d\r\n]two|." },
    { "--x--\r\n", "." },
    { "--x--", "." },
    { "--x--  \t", "." },
    { "--x--  \r\n", "." },
    /* Before the first and behind the last. */
    { "\r\n--x--", "." },
    { "preamble\r\n--x\r\n" H "\r\n\r\n--x--\r\n--x\r\nepilogue", "[" H "]|." },
    { "--y\r\n--x\r\n" H "\r\n\r\n--x--", "[" H "]|." },
    { " --x\r\n--x--", "." },
    /* Parts with nothing in them. */
    { "--x\r\n" H "\r\n\r\n--x--", "[" H "]|." },
    { "--x\r\n" H "\r\n--x--", "[" H "]|." },
    { "--x\r\n" H "\r\n--x\r\n" H "\r\n--x--", "[" H "]|[" H "]|." },
    /* Blanks behind a boundary. */
    { "--x \t\r\n" H "\r\na\r\n--x   \r\n" H "\r\nb\r\n--x--\t",
      "[" H "]a|[" H "]b|." },
    /* Ends of lines belong to the data but for the last. */
    { "--x\r\n" H "\r\n\r\n\r\na\r\n\r\n\r\n--x--",
      "[" H "]\r\n\r\na\r\n\r\n|." },
    { "--x\r\n" H "\r\n\r\r\n--x--", "[" H "]\r|." },
    { "--x\r\n" H "\r\n\n\r\n--x--", "[" H "]\n|." },
    /* What only looks like a delimiter. */
    { "--x\r\n" H "\r\na\n--x\n\r\n-x\r\n--y\r--x--\r\n\r\n--x--",
      "[" H "]a\n--x\n\r\n-x\r\n--y\r--x--\r\n|." },
    { "--x\r\n" H "\r\na--x--\r\n--x--", "[" H "]a--x--|." },
    { "--x\r\n" H "\r\n--\r\n--x--", "[" H "]--|." },
    { "--x\r\n" H "\r\n\r\n-\r\n--\r\n--\r\n--x--",
      "[" H "]\r\n-\r\n--\r\n--|." },
    { "--x\r\n" H "\r\n\r\r\r\n\r\n--x--", "[" H "]\r\r\r\n|." },
    { "--x\n" H "\r\n--x--", "400" },
    /* Lines that go on behind the boundary. */
    { "--xy\r\n" H "\r\n--x--", "400" },
    { "--x\r\n" H "\r\na\r\n--xy\r\nb\r\n--x--", "400" },
    { "--x\r\n" H "\r\na\r\n--x-\r\nb\r\n--x--", "400" },
    { "--x\r\n" H "\r\na\r\n--x--y", "400" },
    { "--x\r\n" H "\r\na\r\n--x--\n", "400" },
    { "--x\r\n" H "\r\na\r\n--x--\r", "400" },
    { "--x\r\n" H "\r\na\r\n--x--\ra", "400" },
    { "--x \ry", "400" },
    /* What ends too early. */
    { "", "400" },
    { "x", "400" },
    { "--x", "400" },
    { "--x-", "400" },
    { "--x\r", "400" },
    { "--x\r\n", "400" },
    { "--x\r\n" H, "400" },
    { "--x\r\n" H "\r\n", "400" },
    { "--x\r\n" H "\r\na", "400" },
    { "--x\r\n" H "\r\na\r\n--x", "400" },
    { "--x\r\n" H "\r\na\r\n--x\r\n", "400" },
    { "\r\n--", "400" },
    /* Without a head. */
    { "--x\r\n\r\na\r\n--x--", "400" },
};

static void say_this(void)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const char *body = bodies[i].body;

        check_body("x", body, strlen(body), true);
        if (strcmp(whole.text, bodies[i].told) == 0)
            continue;
        fprintf(stderr, "'%s':\n'%s', not\n'%s'\n", body, whole.text,
                bodies[i].told);
        exit(1);
    }
}

/* Heads and blanks have a limit. */
static void limits(void)
{
    char body[1024];

    for (int n = HEAD_MAX - 10; n < HEAD_MAX + 10; n++) {
        int len = snprintf(body, sizeof body,
                           "--x\r\nA: %0*d\r\n\r\na\r\n--x--", n - 5, 0);

        check_body("x", body, (size_t)len, false);
        CHECK_EQ(strcmp(whole.text, "413") == 0, n > HEAD_MAX);
        len = snprintf(body, sizeof body, "--x%*s\r\n" H "\r\n--x--", n, "");
        check_body("x", body, (size_t)len, false);
        CHECK_EQ(strcmp(whole.text, "413") == 0, n > HEAD_MAX);
    }
    memset(body, 'a', sizeof body);
    memcpy(body, "--x\r\n", 5);
    check_body("x", body, sizeof body, false);
    CHECK(strcmp(whole.text, "413") == 0);
}

static void boundaries(void)
{
    static const char *const good[] = { "a", "----WebKitFormBoundary7MA4Y",
                                        "'()+_,-./:=?", "a b", "0" };
    static const char *const bad[] = { "",    " ",        "a ", "a\"b", "a;b",
                                       "a\r", "\xc3\xa4", "a*", "<a>",  "a\\" };
    char longest[HTTP_BOUNDARY_MAX + 2];
    struct http_parts p = { .head_max = HEAD_MAX };
    char body[512];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int len =
            snprintf(body, sizeof body, "--%s\r\n" H "\r\na--%s\r\n--%s--\r\n",
                     good[i], good[i], good[i]);
        char told[100];

        check_body(good[i], body, (size_t)len, true);
        (void)snprintf(told, sizeof told, "[" H "]a--%s|.", good[i]);
        CHECK(strcmp(whole.text, told) == 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(http_parts_start(&p, bad[i]), -1);
    memset(longest, 'b', sizeof longest);
    longest[HTTP_BOUNDARY_MAX + 1] = '\0';
    CHECK_EQ(http_parts_start(&p, longest), -1);
    longest[HTTP_BOUNDARY_MAX] = '\0';
    CHECK_EQ(http_parts_start(&p, longest), 0);
}

/* ---- Anything --------------------------------------------------------------
 */

static unsigned seed = 1;

static unsigned pick(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % n;
}

/* Of pieces that are likely to meet, so that cuts go through delimiters and
 * what looks like them. */
static size_t make_body(char *body, size_t room)
{
    static const char *const pieces[] = {
        "\r\n--xx", "--xx", "--",      "\r\n", "\r",
        "\n",       "x",    "-",       " ",    H,
        H,          "\r\n", "\r\n--x", "a",    "\r\n--xx\r\n" H "\r\n",
    };
    size_t len = 0;

    if (pick(4) > 0) {
        memcpy(body, "--xx\r\n" H "\r\n", 14);
        len = 14;
    }
    for (unsigned n = pick(20); n > 0; n--) {
        const char *piece = pieces[pick(sizeof pieces / sizeof *pieces)];

        CHECK(len + strlen(piece) + 8 < room);
        memcpy(body + len, piece, strlen(piece));
        len += strlen(piece);
    }
    if (pick(4) > 0) {
        memcpy(body + len, "\r\n--xx--", 8);
        len += 8;
    }
    return len;
}

/* The same, from the whole body at once, slowly: the places where a delimiter
 * begins, one after the other. */
static void model(const char *body, size_t len)
{
    bool first = true, in_part = false;
    size_t at = 0, begin = 0;

    cut.len = 0;
    cut.text[0] = '\0';
    for (;;) {
        bool bare = first && len - at >= 4 && memcmp(body + at, "--xx", 4) == 0;
        bool here =
            bare || (len - at >= 6 && memcmp(body + at, "\r\n--xx", 6) == 0);
        const char *blank;

        if (!here) {
            if (at++ >= len)
                goto broken;
            first = false;
            continue;
        }
        if (in_part) {
            tell(&cut, body + begin, at - begin);
            tell(&cut, "|", 1);
        }
        at += bare ? 4 : 6;
        bool last = len - at >= 2 && memcmp(body + at, "--", 2) == 0;
        at += last ? 2 : 0;
        while (at < len && (body[at] == ' ' || body[at] == '\t'))
            at++;
        if (last && at == len)
            break;
        if (len - at < 2 || memcmp(body + at, "\r\n", 2) != 0)
            goto broken;
        at += 2;
        if (last)
            break;
        blank = memmem(body + at, len - at, "\r\n\r\n", 4);
        if (blank == NULL ||
            (len - at >= 2 && memcmp(body + at, "\r\n", 2) == 0))
            goto broken;
        tell(&cut, "[", 1);
        tell(&cut, body + at, (size_t)(blank - body) + 2 - at);
        tell(&cut, "]", 1);
        at = begin = (size_t)(blank - body) + 4;
        first = in_part = true;
    }
    tell(&cut, ".", 1);
    return;
broken:
    cut.len = 0;
    tell(&cut, "400", 3);
}

static void anything(void)
{
    long good = 0, count = test_count(50000);
    char body[1024];

    for (long i = 0; i < count; i++) {
        size_t len = make_body(body, sizeof body);

        check_body("xx", body, len, i % 50 == 0);
        model(body, len);
        check_same(body, len);
        good += whole.text[whole.len - 1] == '.';
    }
    CHECK(good > count / 10);
    fprintf(stderr, "    %ld of %ld are good\n", good, count);
}

int main(void)
{
    RUN(say_this);
    RUN(limits);
    RUN(boundaries);
    RUN(anything);
    return 0;
}
