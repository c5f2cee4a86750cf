/* load.c - the load generator: asks a server, checks every byte of its replies,
 * and says how long they took.
 *
 *     load echo|http 127.0.0.1:7000 [--json] [--conns N] [--rate R] ...
 *
 * README.md beside it has the options, and what the figures mean.  It is a
 * program on corten: a coroutine a connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/drive.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Busy for this share of the time is at the end of its strength, and this much
 * of a rate is the rate. */
static const double busy = 0.9, kept = 0.98;

struct report {
    const struct run *run;
    double seconds;
    double rps;
    double load_cpu;
    double server_busy; /* share of a core; negative: not known */
    const char *limit;
};

/* Who kept the figure from being higher.  Being ready without a core counts as
 * being busy, in the proportion in which it was on one.  Where both are, the
 * one that is more. */
static const char *find_limit(const struct report *r)
{
    const struct run *run = r->run;
    double ns = r->seconds * 1e9, cpu = (double)run->cpu, server = -1;
    double load = (cpu + (double)run->waited) / ns * (cpu - (double)run->spun) /
                  (cpu + 1);

    if (run->server.cpu >= 0)
        server =
            (run->server.cpu + run->server.waited) / ns / run->server.cores;
    if (run->options->rate > 0 && r->rps >= kept * run->options->rate)
        return "rate";
    if (server >= busy && server >= load)
        return "server";
    return load >= busy ? "load" : "none";
}

static void evaluate(struct report *r, const struct run *run)
{
    double ns = run->to == INT64_MAX ? 0 : (double)(run->to - run->from);

    *r = (struct report){ .run = run, .server_busy = -1, .limit = "none" };
    if (ns <= 0)
        return;
    r->seconds = ns / 1e9;
    r->rps = (double)run->requests / r->seconds;
    r->load_cpu = (double)(run->cpu - run->spun) / ns;
    if (run->server.cpu >= 0)
        r->server_busy = run->server.cpu / ns;
    r->limit = find_limit(r);
}

/* ---- JSON ---------------------------------------------------------------- */

static void print_figure(const char *name, double value)
{
    if (value < 0)
        printf("\"%s\": null", name);
    else
        printf("\"%s\": %.10g", name, value);
}

static void print_string(const char *name, const char *text)
{
    printf("\"%s\": \"", name);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c > '~')
            printf("\\u%04x", c);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c);
    }
    putchar('"');
}

static double quantile_us(const struct tally *t, double share)
{
    double ns = histogram_quantile(&t->times, share);

    /* A bucket's upper end may lie above all that is in it. */
    return (ns < (double)t->longest ? ns : (double)t->longest) / 1e3;
}

static void print_times(const struct tally *t, bool p90)
{
    print_figure("p50_us", quantile_us(t, 0.5));
    if (p90) {
        printf(", ");
        print_figure("p90_us", quantile_us(t, 0.9));
    }
    printf(", ");
    print_figure("p99_us", quantile_us(t, 0.99));
    printf(", ");
    print_figure("p999_us", quantile_us(t, 0.999));
    printf(", ");
    print_figure("max_us", (double)t->longest / 1e3);
}

static void print_server(const struct report *r)
{
    const struct server_cost *s = &r->run->server;
    double requests = (double)r->run->requests;

    printf("\"server\": ");
    if (r->run->options->pid == 0) {
        printf("null");
        return;
    }
    putchar('{');
    print_figure("cpu_us", requests > 0 ? s->cpu / 1e3 / requests : -1);
    printf(", ");
    print_figure("busy", r->server_busy);
    printf(", ");
    print_figure("rss", s->rss);
    printf(", ");
    print_figure("rss_idle", s->rss_idle);
    printf(", ");
    print_figure("threads", s->threads);
    printf(", ");
    print_figure("switches", s->switches);
    printf(", ");
    print_figure("syscalls", s->syscalls);
    putchar('}');
}

/* Of the light requests, unless there are none. */
static const struct tally *main_tally(const struct run *run)
{
    return run->options->heavy < 1 ? &run->light : &run->heavy;
}

static void print_json(const struct report *r)
{
    const struct run *run = r->run;

    printf("{\"requests\": %llu, \"seconds\": %.6f, \"rps\": %.10g, ",
           (unsigned long long)run->requests, r->seconds, r->rps);
    printf("\"errors\": %u, ", run->errors);
    print_string("error", run->error);
    printf(", ");
    print_times(main_tally(run), true);
    printf(", \"heavy\": ");
    if (run->options->heavy > 0) {
        printf("{\"requests\": %llu, ",
               (unsigned long long)run->heavy.times.total);
        print_times(&run->heavy, false);
        printf("}, ");
    } else {
        printf("null, ");
    }
    printf("\"slow\": %llu, ", (unsigned long long)run->slow);
    print_figure("load_cpu", r->load_cpu);
    printf(", ");
    print_figure("late_us", run->options->rate > 0
                                ? histogram_quantile(&run->late, 0.99) / 1e3
                                : -1);
    printf(", \"limit\": \"%s\", ", r->limit);
    print_server(r);
    printf("}\n");
}

/* ---- Words --------------------------------------------------------------- */

static void say_times(const char *what, const struct tally *t)
{
    printf("%s: %llu, half within %.0f us, 90 %% %.0f, 99 %% %.0f, "
           "99.9 %% %.0f, all %.0f\n",
           what, (unsigned long long)t->times.total, quantile_us(t, 0.5),
           quantile_us(t, 0.9), quantile_us(t, 0.99), quantile_us(t, 0.999),
           (double)t->longest / 1e3);
}

static void say(const struct report *r)
{
    const struct run *run = r->run;
    const struct server_cost *s = &run->server;

    printf("%llu requests in %.2f s: %.0f/s; limit: %s\n",
           (unsigned long long)run->requests, r->seconds, r->rps, r->limit);
    say_times(run->options->heavy > 0 ? "light ones" : "latency", &run->light);
    if (run->options->heavy > 0)
        say_times("heavy ones", &run->heavy);
    if (run->options->slow > 0)
        printf("slow clients: %llu requests\n", (unsigned long long)run->slow);
    printf("load: %.0f %% of a core\n", 100 * r->load_cpu);
    if (run->options->rate > 0)
        printf("load: 99 %% of the plan at most %.0f us late\n",
               histogram_quantile(&run->late, 0.99) / 1e3);
    if (s->cpu >= 0 && run->requests > 0)
        printf("server: %.0f %% of a core, %.2f us/request\n",
               100 * r->server_busy, s->cpu / 1e3 / (double)run->requests);
    if (s->rss >= 0 && s->rss_idle >= 0)
        printf("server: %.0f KiB, %.0f without connections; %.0f threads\n",
               s->rss / 1024, s->rss_idle / 1024, s->threads);
    if (s->switches >= 0)
        printf("server: %.3f switches/request\n", s->switches);
    if (s->syscalls >= 0)
        printf("server: %.2f system calls/request\n", s->syscalls);
    if (run->errors > 0)
        printf("%u errors, the first: %s\n", run->errors, run->error);
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct run run;
    struct report report;

    options_read(&options, argc, argv);
    if (drive(&run, &options) < 0) {
        perror("load");
        return 1;
    }
    evaluate(&report, &run);
    if (options.json)
        print_json(&report);
    else
        say(&report);
    return run.errors > 0;
}
