# reference_test.py - the reference covers every public name, and says when not.
#
# Runs co/reference.py over the public headers, where it must find nothing to
# warn of; looks that each exported function has its place on the page and that
# no link leads nowhere; then over a header with one mistake of each kind.
#
# SPDX-License-Identifier: MIT
import os
import re
import subprocess
import sys
import tempfile

PUBLIC = os.environ.get("CORTEN_PUBLIC_HEADERS",
                        "co/co.h co/embed.h co/inside.h co/version.h net/net.h net/pool.h").split()
WRONG = """\
/* wrong.h - made to be complained about.
 *
 * Speaks of wr_gone() and of wr_said(). */
#ifndef WRONG_H
#define WRONG_H

/* ---- Section ---- */

struct wr_bare {
    int field;
};
enum { WR_BARE_FIRST, WR_BARE_LAST = 3 };

/* Speaks for both.  [any] */
int wr_said(int (*call)(void *), struct wr_bare *b)
    __attribute__((nonnull(1)));
#define WR_SAID(x)                                                             \\
    ((x) + 1)

int wr_behind(void); /* a comment at the end */
#define WR_BARE 1
void wr_bare_function(void);
#define WR_HIDDEN_ 1
typedef int wr_bare_type(int);
extern int wr_bare_variable[3];

/* A comment that speaks for nobody. */

int wr_bare_after_blank(void);
#endif
"""
EXPECTED = {
    "no comment speaks for " + name for name in (
        "wr_bare", "WR_BARE_FIRST", "WR_BARE_LAST", "WR_BARE",
        "wr_bare_function", "wr_bare_type", "wr_bare_variable",
        "wr_bare_after_blank")
} | {"speaks of wr_gone, which nobody declares"}


def reference(*arguments):
    done = subprocess.run([sys.executable, "co/reference.py", *arguments],
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    warnings = {line.partition(".h: ")[2] for line in done.stderr.splitlines()}
    return done.returncode, warnings, done.stderr


def check(condition, what):
    if not condition:
        sys.exit(f"reference_test: {what}")


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    with tempfile.TemporaryDirectory() as work:
        page, wrong = os.path.join(work, "page"), os.path.join(work, "wrong.h")
        status, _, printed = reference("-o", page, *PUBLIC)
        check(status == 0 and not printed, f"warnings:\n{printed}")
        text = open(page).read()
        places = re.findall(r'id="([^"]+)"', text)
        check(len(places) == len(set(places)), "a place is there twice")
        broken = set(re.findall(r'href="#([^"]+)"', text)) - set(places)
        check(not broken, f"links lead nowhere: {broken}")
        # co_sys_ is between our own libraries (co/sys.h), not for users.
        exported = {line.split()[1] for line in open("tests/symbols.txt")
                    if re.match("corten (?!co_sys_)", line)}
        check(exported <= set(places),
              f"not on the page: {exported - set(places)}")

        with open(wrong, "w") as out:
            out.write(WRONG)
        status, warnings, printed = reference("-o", page + "2", wrong)
        check(status == 1, "mistakes did not make it fail")
        check(warnings == EXPECTED, f"it complained of:\n{printed}\n"
              f"differs: {warnings ^ EXPECTED}")
        check(not os.path.exists(page + "2"), "wrote a page with mistakes")
    print(f"{len(places)} places on the page")


main()
