/* metrics_kit.h - reads Prometheus' text format 0.0.4, and is strict: whatever
 * a scraper might take amiss fails the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_METRICS_KIT_H
#define TESTS_METRICS_KIT_H

#include "tests/test.h"
#include <ctype.h>
#include <math.h>

enum { METRICS_MAX = 1024 };

struct metrics {
    char *text;
    struct {
        const char *name; /* with its labels, as it stands there */
        double value;
    } at[METRICS_MAX];
    size_t count;
    const char *families[METRICS_MAX];
    size_t family_count;
    const char *wrong; /* what is, or NULL */
};

static inline size_t metric_name_len(const char *p)
{
    size_t n = 0;

    while (isalpha((unsigned char)p[n]) || p[n] == '_' || p[n] == ':' ||
           (n > 0 && isdigit((unsigned char)p[n])))
        n++;
    return n;
}

/* {a="b",c="d"}; its length, 0 when it is none. */
static inline size_t metric_labels_len(const char *p)
{
    const char *begin = p;

    if (*p != '{')
        return 0;
    do {
        size_t n = metric_name_len(++p);

        if (n == 0 || p[n] != '=' || p[n + 1] != '"')
            return 0;
        for (p += n + 2; *p != '"'; p++)
            if (*p == '\0' || (*p == '\\' && strchr("\\\"n", *++p) == NULL))
                return 0;
        p++;
    } while (*p == ',');
    return *p == '}' ? (size_t)(p + 1 - begin) : 0;
}

static inline const char *metric_word(char **line)
{
    char *word = *line, *space = strchr(word, ' ');

    if (space == NULL)
        return NULL;
    *space = '\0';
    *line = space + 1;
    return word;
}

struct metrics_family {
    const char *name;
    const char *type;
    double last;  /* of the buckets */
    double bound; /* their le */
    double inf, count;
    bool sum;
};

static inline const char *metrics_end_family(struct metrics_family *f)
{
    if (f->name == NULL)
        return NULL;
    if (f->type == NULL)
        return "a family without a type";
    if (strcmp(f->type, "histogram") == 0 &&
        (!f->sum || f->inf < 0 || f->inf != f->count))
        return "a histogram without its sum, count or last bucket";
    return NULL;
}

/* A comment: HELP begins a family, TYPE follows. */
static inline const char *metrics_comment(struct metrics *m, char *line,
                                          struct metrics_family *f)
{
    const char *word = metric_word(&line), *what, *name, *wrong;

    if (word == NULL || (what = metric_word(&line)) == NULL ||
        (name = metric_word(&line)) == NULL || *line == '\0')
        return "a comment that is neither HELP nor TYPE";
    if (name[metric_name_len(name)] != '\0')
        return "no name";
    if (strcmp(what, "TYPE") == 0) {
        if (f->name == NULL || strcmp(name, f->name) != 0 || f->type != NULL)
            return "TYPE of another family";
        if (strcmp(line, "counter") != 0 && strcmp(line, "gauge") != 0 &&
            strcmp(line, "histogram") != 0)
            return "an unknown type";
        if ((strcmp(line, "counter") == 0) !=
            (strlen(name) > 6 &&
             strcmp(name + strlen(name) - 6, "_total") == 0))
            return "counters end with _total, others do not";
        f->type = line;
        return NULL;
    }
    if (strcmp(what, "HELP") != 0)
        return "a comment that is neither HELP nor TYPE";
    if ((wrong = metrics_end_family(f)) != NULL)
        return wrong;
    for (size_t i = 0; i < m->family_count; i++)
        if (strcmp(m->families[i], name) == 0)
            return "a family twice";
    CHECK(m->family_count < METRICS_MAX);
    m->families[m->family_count++] = name;
    *f = (struct metrics_family){ name, NULL, 0, 0, -1, -1, false };
    return NULL;
}

static inline const char *metrics_bucket(struct metrics_family *f,
                                         const char *labels, double value)
{
    const char *le = strstr(labels, "le=\"");
    double bound;

    if (le == NULL)
        return "a bucket without le";
    bound = strcmp(le + 4, "+Inf\"}") == 0 ? INFINITY : strtod(le + 4, NULL);
    if (bound <= f->bound)
        return "buckets out of order";
    if (value < f->last)
        return "buckets that do not add up";
    f->bound = bound;
    f->last = value;
    if (bound == INFINITY)
        f->inf = value;
    return NULL;
}

static inline const char *metrics_sample(struct metrics *m, char *line,
                                         struct metrics_family *f)
{
    size_t len = metric_name_len(line), labels = metric_labels_len(line + len);
    size_t base = f->name == NULL ? 0 : strlen(f->name);
    char *end, *value = line + len + labels;
    const char *rest = line + base;
    double v;

    if (len == 0 || *value != ' ')
        return "no name, labels or value";
    *value++ = '\0';
    v = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(v) || v < 0)
        return "no value";
    if (base == 0 || f->type == NULL || strncmp(line, f->name, base) != 0)
        return "a sample outside of its family";
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->at[i].name, line) == 0)
            return "a sample twice";
    CHECK(m->count < METRICS_MAX);
    m->at[m->count].name = line;
    m->at[m->count++].value = v;
    if (strcmp(f->type, "histogram") != 0)
        return len == base ? NULL : "a sample of another family";
    if (strncmp(rest, "_bucket{", 8) == 0)
        return metrics_bucket(f, rest + 7, v);
    if (strcmp(rest, "_count") == 0)
        f->count = v;
    else if (strcmp(rest, "_sum") == 0)
        f->sum = true;
    else
        return "no part of a histogram";
    return NULL;
}

/* What is wrong with it stands in .wrong. */
static inline struct metrics *metrics_read(const char *text, size_t len)
{
    struct metrics *m = calloc(1, sizeof *m);
    struct metrics_family f = { 0 };
    char *line;

    CHECK(m != NULL && (m->text = malloc(len + 1)) != NULL);
    memcpy(m->text, text, len);
    m->text[len] = '\0';
    if (len == 0 || text[len - 1] != '\n' || strlen(m->text) != len)
        m->wrong = "no lines, or a zero";
    for (line = m->text; m->wrong == NULL && *line != '\0';) {
        char *next = strchr(line, '\n') + 1;

        next[-1] = '\0';
        m->wrong = *line == '#' ? metrics_comment(m, line, &f)
                                : metrics_sample(m, line, &f);
        line = next;
    }
    if (m->wrong == NULL)
        m->wrong = metrics_end_family(&f);
    return m;
}

static inline void metrics_free(struct metrics *m)
{
    free(m->text);
    free(m);
}

static inline struct metrics *metrics_parse(const char *text, size_t len)
{
    struct metrics *m = metrics_read(text, len);

    if (m->wrong != NULL)
        fprintf(stderr, "metrics: %s in\n%.*s", m->wrong, (int)len, text);
    CHECK(m->wrong == NULL);
    return m;
}

/* The value of that name with those labels; -1 when there is none. */
static inline double metric(const struct metrics *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->at[i].name, name) == 0)
            return m->at[i].value;
    return -1;
}

/* It would notice. */
static inline void metrics_kit_self_test(void)
{
#define HEAD(type) "# HELP a Words.\n# TYPE a " type "\n"
    static const char *const bad[] = {
        "",
        "a 1\n",
        HEAD("gauge") "a 1",
        HEAD("gauge") "a\n",
        HEAD("gauge") "a x\n",
        HEAD("gauge") "a nan\n",
        HEAD("gauge") "a -1\n",
        HEAD("gauge") "a 1 \n",
        HEAD("gauge") "b 1\n",
        HEAD("gauge") "ab 1\n",
        HEAD("gauge") "a 1\na 2\n",
        HEAD("gauge") "a{b=\"c} 1\n",
        HEAD("gauge") "a{b=\"\\c\"} 1\n",
        HEAD("gauge") "a 1\n" HEAD("gauge"),
        HEAD("counter") "a 1\n",
        HEAD("thing") "a 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a Words.\na 1\n",
        "# NOTE a Words.\n",
        HEAD("histogram") "a_sum 1\na_count 1\n",
        HEAD("histogram") "a_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
                          "a_sum 1\na_count 1\n",
        HEAD("histogram") "a_bucket{le=\"1\"} 1\na_bucket{le=\"1\"} 1\n",
        HEAD("histogram") "a_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        HEAD("histogram") "a_bucket{le=\"+Inf\"} 1\na_count 1\n",
    };
    static const char good[] =
        HEAD("histogram") "a_bucket{le=\"1e-06\"} 1\na_bucket{le=\"+Inf\"} 1\n"
                          "a_sum 1\na_count 1\n"
                          "# HELP b_total Words.\n# TYPE b_total counter\n"
                          "b_total{c=\"d\\\"\",e=\"f\"} 1.5\n";
#undef HEAD

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct metrics *m = metrics_read(bad[i], strlen(bad[i]));

        if (m->wrong == NULL)
            fprintf(stderr, "taken for good:\n%s", bad[i]);
        CHECK(m->wrong != NULL);
        metrics_free(m);
    }
    metrics_free(metrics_parse(good, strlen(good)));
}

#endif
