# report.py RESULTS.json [-o PAGE.html] - draws the page of a file of results.
# report.py --markdown RESULTS.json - prints a table of it for a README.
# report.py --svg FOLDER RESULTS.json - writes two of its plots there, likewise.
#
# bench/run.sh calls it; any file that it wrote can be drawn again.  The page is
# one file that loads nothing.  Without -o it goes beside the file of results.
#
# SPDX-License-Identifier: MIT
import argparse
import os
import sys

sys.dont_write_bytecode = True

from report import alone, markdown, page, results  # noqa: E402


def main():
    p = argparse.ArgumentParser(
        prog="report.py", description="Draws the page of a file of results.")
    p.add_argument("file", metavar="RESULTS.json")
    p.add_argument("-o", metavar="PAGE.html", help="instead of beside the file")
    p.add_argument("--markdown", action="store_true",
                   help="print a table for a README instead")
    p.add_argument("--svg", metavar="FOLDER",
                   help="write plots as files of their own instead")
    args = p.parse_args()
    try:
        found = results.load(args.file)
        if args.markdown:
            sys.stdout.write(markdown.Table(found).draw())
            return 0
        if args.svg:
            print("\n".join(alone.write(found, args.svg)))
            return 0
        path = args.o or os.path.splitext(args.file)[0] + ".html"
        with open(path, "w", encoding="utf-8") as file:
            file.write(page.Page(found).draw())
    except results.Bad as bad:
        print(f"report.py: {bad}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
