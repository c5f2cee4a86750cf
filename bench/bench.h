/* bench.h - what every benchmark uses.
 *
 * A benchmark is a program that prints one readable line a figure, or with
 * --json one object a line and nothing else; --quick keeps it to some 5 s.  The
 * machine's speed drifts by 2 within minutes, so what is to be compared is
 * measured in one program, in short rounds that take turns (bench_rounds()),
 * and the median of the rounds is the figure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BENCH_ROUNDS = 21, /* of each case of bench_rounds() */
    BENCH_ROUNDS_QUICK = 7,
    BENCH_CASES_MAX = 32,
};

/* What the command line asked for; set by bench_open(). */
static struct {
    bool quick;
    bool json;
} bench;

/* One thing to measure: run() does n operations on arg. */
typedef void bench_run(void *arg, long n);

struct bench_case {
    const char *name;
    bench_run *run;
    void *arg;
    double median; /* out: nanoseconds an operation */
    double spread; /* out: see bench_spread() */
};

/* First thing in main().  Exits 2 on an argument it does not know. */
__attribute__((unused)) static void bench_open(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            bench.quick = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            bench.json = true;
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json]\n", argv[0]);
            exit(2);
        }
    }
}

/* Prints a figure; n is how many operations or samples it comes from.  name and
 * unit are words without quotes. */
__attribute__((unused)) static void bench_report(const char *name, double value,
                                                 const char *unit, long n)
{
    if (bench.json)
        printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", "
               "\"n\": %ld}\n",
               name, value, unit, n);
    else
        printf("%-28s %12.6g %s\n", name, value, unit);
    fflush(stdout);
}

/* A remark for people, a line without its end; silent with --json. */
__attribute__((unused, format(printf, 1, 2))) static void bench_note(
    const char *format, ...)
{
    va_list args;

    if (bench.json)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* Ends the program: what failed, and errno. */
__attribute__((unused, noreturn)) static void bench_die(const char *what)
{
    perror(what);
    exit(1);
}

static inline int64_t bench_clock(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) < 0)
        bench_die("clock_gettime");
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Monotonic; CPU time of the process, and of the calling thread. */
static inline int64_t bench_now_ns(void)
{
    return bench_clock(CLOCK_MONOTONIC);
}
static inline int64_t bench_cpu_ns(void)
{
    return bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}
static inline int64_t bench_thread_cpu_ns(void)
{
    return bench_clock(CLOCK_THREAD_CPUTIME_ID);
}

static int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which the share p (0..1) of the n values lies; sorts them.
 * n is at least 1. */
static inline double bench_percentile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof(*values), bench_compare);
    return values[(size_t)((double)(n - 1) * p + 0.5)];
}

/* These two sort as well.  The median of an even number is the mean of the
 * middle two; the spread is how far apart the quartiles are, as a share of the
 * median. */
static inline double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), bench_compare);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}
static inline double bench_spread(double *values, size_t n)
{
    return (bench_percentile(values, n, 0.75) -
            bench_percentile(values, n, 0.25)) /
           bench_median(values, n);
}

/* Reports the median of the n values, and to people where half of them are. */
__attribute__((unused)) static void bench_report_median(const char *name,
                                                        double *values,
                                                        size_t n,
                                                        const char *unit)
{
    bench_report(name, bench_median(values, n), unit, (long)n);
    if (n > 1)
        bench_note("%-28s half of %zu in %.4g..%.4g, all in %.4g..%.4g", "", n,
                   bench_percentile(values, n, 0.25),
                   bench_percentile(values, n, 0.75), values[0], values[n - 1]);
}

/* How many operations make a round of about ns nanoseconds: doubles until a run
 * takes a quarter of that, so each case is also warm then. */
static inline long bench_calibrate(const struct bench_case *c, int64_t ns)
{
    for (long n = 1;; n *= 2) {
        int64_t start = bench_now_ns(), took;

        c->run(c->arg, n);
        took = bench_now_ns() - start;
        if (took >= ns / 4)
            return (long)((double)n * (double)ns / (double)took) + 1;
    }
}

/* Measures count cases (at most BENCH_CASES_MAX) in rounds of about round_ms
 * that take turns, fills in median and spread, and reports each median in ns,
 * but for cases without a name. */
__attribute__((unused)) static void bench_rounds(struct bench_case *cases,
                                                 size_t count, int round_ms)
{
    static double samples[BENCH_CASES_MAX][BENCH_ROUNDS];
    size_t rounds = bench.quick ? BENCH_ROUNDS_QUICK : BENCH_ROUNDS;
    long n[BENCH_CASES_MAX];

    if (count > BENCH_CASES_MAX)
        abort();
    for (size_t i = 0; i < count; i++)
        n[i] = bench_calibrate(&cases[i], round_ms * INT64_C(1000000));
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            int64_t start = bench_now_ns();

            cases[i].run(cases[i].arg, n[i]);
            samples[i][round] = (double)(bench_now_ns() - start) / (double)n[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        cases[i].median = bench_median(samples[i], rounds);
        cases[i].spread = bench_spread(samples[i], rounds);
        if (cases[i].name != NULL)
            bench_report(cases[i].name, cases[i].median, "ns",
                         n[i] * (long)rounds);
    }
}

#endif
