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

static unsigned long counts[3], verdicts[3];

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
    if (always || (verdict == UNEXPLAINED && !said_shown(why)))
        said_print(number, response, why, &ours, &theirs, buf, len);
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
