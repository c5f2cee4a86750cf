/* http_scan_test.c - each scan finds what its set says, and reads no further.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_kit.h"

static bool one_of(int c, const char *list)
{
    return c != 0 && strchr(list, c) != NULL;
}

static bool alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* The sets in the words of the RFCs. */
static bool stop_token(int c)
{
    return !alnum(c) && !one_of(c, "!#$%&'*+-.^_`|~");
}

static bool stop_query(int c)
{
    return c <= ' ' || c >= 127 || one_of(c, "\"#<>");
}

static bool stop_path(int c) { return stop_query(c) || c == '?'; }

static bool stop_text(int c) { return (c < ' ' && c != '\t') || c == 127; }

static bool stop_host(int c)
{
    return !alnum(c) && !one_of(c, "-._~!$&'()*+,;=");
}

static bool stop_escape(int c) { return c == '%'; }

static const struct {
    const struct http_scan_set *set;
    bool (*stops)(int c);
} sets[] = {
    { &http_stop_token, stop_token }, { &http_stop_query, stop_query },
    { &http_stop_path, stop_path },   { &http_stop_text, stop_text },
    { &http_stop_host, stop_host },   { &http_stop_escape, stop_escape },
};

enum { SETS = sizeof sets / sizeof *sets, LONGEST = 100 };

static void each_set_is_what_the_rfc_says(void)
{
    for (unsigned i = 0; i < SETS; i++)
        for (int c = 0; c < 256; c++)
            if (http_scan_has(sets[i].set, (char)c) != sets[i].stops(c)) {
                fprintf(stderr, "set %u, byte %d\n", i, c);
                exit(1);
            }
}

/* Every byte value at every distance from both ends of the text, before an
 * unreadable page. */
static void each_variant_agrees(void)
{
    struct http_scan_variant variants[4];
    unsigned count = http_scan_variants(variants);
    struct kit_guarded g;
    static const char filler[SETS] = { 'a', '/', '/', ' ', 'h', 'x' };

    kit_guard(&g, LONGEST);
    for (unsigned v = 0; v < count; v++) {
        fprintf(stderr, "    %s\n", variants[v].name);
        for (unsigned i = 0; i < SETS; i++)
            for (int len = 0; len <= LONGEST; len++) {
                char *s = g.end - len;

                memset(s, filler[i], (size_t)len);
                CHECK(variants[v].scan(s, g.end, sets[i].set) == g.end);
                for (int at = 0; at < len; at += 1 + len / 16)
                    for (int c = 0; c < 256; c++) {
                        s[at] = (char)c;
                        const char *found = sets[i].stops(c) ? s + at : g.end;
                        CHECK(variants[v].scan(s, g.end, sets[i].set) == found);
                        s[at] = filler[i];
                    }
            }
    }
    kit_unguard(&g);
}

static void the_fastest_is_chosen(void)
{
    struct http_scan_variant variants[4];
    unsigned count = http_scan_variants(variants);
    static const char text[] = "abc def";

    CHECK(http_scan(text, text + 7, &http_stop_token) == text + 3);
    CHECK(atomic_load(&http_scan_chosen) == variants[count - 1].scan);
}

int main(void)
{
    RUN(each_set_is_what_the_rfc_says);
    RUN(each_variant_agrees);
    RUN(the_fastest_is_chosen);
    return 0;
}
