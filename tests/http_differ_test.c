/* http_differ_test.c - our parser and Debian's libhttp-parser on the same
 * bytes.
 *
 * Generated messages, mostly valid.  Where the two disagree there must be a
 * rule for it (tests/http_differ/explain.c), with the section of the RFC that
 * says so and a pattern that the message must have; a difference without a rule
 * fails.
 *
 *   http_differ_test NUMBER    shows one message and what is said about it
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_differ/differ.h"
#include "tests/test.h"

enum { COUNT = 500000, MESSAGE_MAX = 2048 };

static struct said ours, theirs;

static void show(const char *who, const struct said *s)
{
    static const char *const states[] = { "more", "complete", "refused" };

    fprintf(stderr, "%s: %s %s\n  %s%s%s\n  body '%s'\n", who, states[s->state],
            s->why ? s->why : "", s->head ? s->line : "",
            s->keep_alive ? " keep" : "", s->upgrade ? " upgrade" : "",
            s->body);
}

static void print(const char *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)buf[i];

        if (c == '\n')
            fprintf(stderr, "\\n\n");
        else if (c == '\r')
            fprintf(stderr, "\\r");
        else if (c >= ' ' && c < 127)
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", c);
    }
    fprintf(stderr, "\n");
}

static unsigned long counts[3], verdicts[3];

/* Whether a difference of this kind was shown already. */
static bool shown(const char *why)
{
    static const char *kinds[256];
    static unsigned count;

    for (unsigned i = 0; i < count; i++)
        if (strcmp(kinds[i], why) == 0)
            return true;
    if (count < sizeof kinds / sizeof *kinds)
        kinds[count++] = why;
    return false;
}

static void compare(unsigned long number, bool response, bool always)
{
    char buf[MESSAGE_MAX];
    const char *why;
    size_t len = generate(buf, sizeof buf, number, response);

    said_by_us(&ours, buf, len, response);
    said_by_http_parser(&theirs, buf, len, response);
    counts[ours.state]++;
    enum verdict verdict = explain(&ours, &theirs, buf, len, &why);
    verdicts[verdict]++;
    if (always || (verdict == UNEXPLAINED && !shown(why))) {
        fprintf(stderr, "--- %s %lu: %s\n", response ? "response" : "request",
                number, why != NULL ? why : "");
        print(buf, len);
        show("ours", &ours);
        show("theirs", &theirs);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        compare(strtoul(argv[1], NULL, 0), false, true);
        compare(strtoul(argv[1], NULL, 0), true, true);
        return 0;
    }
    for (long i = 0; i < test_count(COUNT); i++) {
        compare((unsigned long)i, false, false);
        compare((unsigned long)i, true, false);
    }
    fprintf(stderr,
            "  %lu complete, %lu incomplete, %lu refused; "
            "%lu differ by a rule, %lu without one\n",
            counts[SAID_COMPLETE], counts[SAID_MORE], counts[SAID_REFUSED],
            verdicts[THEY_DIFFER], verdicts[UNEXPLAINED]);
    CHECK_EQ(verdicts[UNEXPLAINED], 0);
    return 0;
}
