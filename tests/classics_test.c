/* classics_test.c - the programs that channels were made for: the prime sieve,
 * and power series as streams of coefficients, after McIlroy's "Squinting at
 * power series".
 *
 * Each is a net of coroutines that would run for ever; in the end all of them
 * are cancelled where they wait.  Once on one scheduler, once spread over two.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"

/* ---- Nets
 * --------------------------------------------------------------------
 */

enum { NODES = 4096, CHANNELS = 8192, PARTS = 512 };

static struct co *nodes[NODES];
static struct co_chan *channels[CHANNELS];
static long node_count, channel_count;
static int spread; /* over how many schedulers */

static void node(co_fn *fn, void *arg)
{
    struct co_attr attr = { .on =
                                co_sched_at((unsigned)(node_count % spread)) };

    CHECK(node_count < NODES);
    CHECK((nodes[node_count++] = co_spawn(fn, arg, &attr)) != NULL);
}

static struct co_chan *channel(size_t size)
{
    struct co_chan *ch = co_chan_new(size, 0);

    CHECK(ch != NULL);
    CHECK(channel_count < CHANNELS);
    return channels[channel_count++] = ch;
}

static void end_net(void)
{
    for (long i = 0; i < node_count; i++)
        co_cancel(nodes[i]);
    for (long i = 0; i < node_count; i++)
        CHECK_EQ(co_join(nodes[i], CO_FOREVER), 0);
    for (long i = 0; i < channel_count; i++)
        co_chan_free(channels[i]);
    node_count = channel_count = 0;
}

/* False when the net comes to its end. */
static bool done(int r)
{
    if (r >= 0)
        return true;
    CHECK_EQ(errno, ECANCELED);
    return false;
}

/* ---- The prime sieve
 * ---------------------------------------------------------
 */

struct filter {
    struct co_chan *in, *out;
    long prime;
};

static void count_up(void *arg)
{
    long n = 2;

    while (done(co_chan_send((struct co_chan *)arg, &n, CO_FOREVER)))
        n++;
}

static void filter(void *arg)
{
    struct filter *f = (struct filter *)arg;
    long n;

    while (done(co_chan_recv(f->in, &n, CO_FOREVER)))
        if (n % f->prime != 0 && !done(co_chan_send(f->out, &n, CO_FOREVER)))
            return;
}

static void sieve(void)
{
    static struct filter filters[NODES];
    long primes = test_count(1000), next = 2;
    struct co_chan *ch = channel(sizeof(long));

    node(count_up, ch);
    for (long i = 0; i < primes; i++) {
        long prime;

        CHECK_EQ(co_chan_recv(ch, &prime, CO_FOREVER), 0);
        for (bool found = false; !found; next += !found) {
            found = true;
            for (long d = 2; d * d <= next; d++)
                found = found && next % d != 0;
        }
        CHECK_EQ(prime, next);
        next++;
        filters[i] = (struct filter){ ch, channel(sizeof(long)), prime };
        node(filter, &filters[i]);
        ch = filters[i].out;
    }
    end_net();
}

/* ---- Rationals
 * ---------------------------------------------------------------
 */

struct rat {
    long long num, den;
};

static struct rat rat(long long num, long long den)
{
    long long a = num < 0 ? -num : num, b = den < 0 ? -den : den;

    while (b != 0) {
        long long rest = a % b;

        a = b;
        b = rest;
    }
    if (den < 0)
        a = -a;
    return (struct rat){ num / a, den / a };
}

static struct rat plus(struct rat x, struct rat y)
{
    return rat(x.num * y.den + y.num * x.den, x.den * y.den);
}

static struct rat times(struct rat x, struct rat y)
{
    return rat(x.num * y.num, x.den * y.den);
}

/* ---- Power series
 * ------------------------------------------------------------
 *
 * A series computes a coefficient only when it is asked for one, so series may
 * be defined by themselves.
 */

enum { TERMS = 10 };

struct series {
    struct co_chan *ask, *term;
};

/* A node of the net: makes `out` from f and g. */
struct part {
    struct series f, g, out, out2;
    struct rat constant;
};

static struct part parts[PARTS];
static long part_count;

static struct series series(void)
{
    return (struct series){ channel(0), channel(sizeof(struct rat)) };
}

static struct part *part(struct series f, struct series g, struct series out)
{
    CHECK(part_count < PARTS);
    parts[part_count] = (struct part){ .f = f, .g = g, .out = out };
    return &parts[part_count++];
}

static bool get(struct series s, struct rat *term)
{
    return done(co_chan_send(s.ask, NULL, CO_FOREVER)) &&
           done(co_chan_recv(s.term, term, CO_FOREVER));
}

static bool asked(struct series s)
{
    return done(co_chan_recv(s.ask, NULL, CO_FOREVER));
}

static bool put(struct series s, struct rat term)
{
    return done(co_chan_send(s.term, &term, CO_FOREVER));
}

static void add_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct rat f, g;

    while (asked(p->out) && get(p->f, &f) && get(p->g, &g) &&
           put(p->out, plus(f, g)))
        ;
}

static void scale_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct rat f;

    while (asked(p->out) && get(p->f, &f) && put(p->out, times(f, p->constant)))
        ;
}

static void multiply_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct rat f[TERMS + 1], g[TERMS + 1];

    for (int n = 0; n <= TERMS; n++) {
        struct rat sum = { 0, 1 };

        if (!asked(p->out) || !get(p->f, &f[n]) || !get(p->g, &g[n]))
            return;
        for (int i = 0; i <= n; i++)
            sum = plus(sum, times(f[i], g[n - i]));
        if (!put(p->out, sum))
            return;
    }
}

static void integrate_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct rat f = { 0, 1 };

    if (!asked(p->out) || !put(p->out, p->constant))
        return;
    for (long long n = 1; asked(p->out) && get(p->f, &f); n++)
        if (!put(p->out, times(f, rat(1, n))))
            return;
}

static void differentiate_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct rat f;

    if (!asked(p->out) || !get(p->f, &f))
        return;
    for (long long n = 1; get(p->f, &f); n++)
        if (!put(p->out, times(f, rat(n, 1))) || !asked(p->out))
            return;
}

/* Of two terms: constant, then 1, then zeros; that is constant + x. */
static void binomial_node(void *arg)
{
    struct part *p = (struct part *)arg;

    for (long n = 0; asked(p->out); n++)
        if (!put(p->out, n == 0 ? p->constant : rat(n == 1, 1)))
            return;
}

/* Both outputs are the whole of f.  One may be far ahead of the other, and may
 * be what f itself waits for; so this node waits for whatever comes first, with
 * NULL for what cannot come now. */
static void split_node(void *arg)
{
    struct part *p = (struct part *)arg;
    struct series outs[2] = { p->out, p->out2 };
    struct rat terms[2 * TERMS], term;
    int count = 0, next[2] = { 0, 0 };
    bool wants[2] = { false, false }, fetching = false;

    for (;;) {
        bool ask = !fetching && ((wants[0] && next[0] == count) ||
                                 (wants[1] && next[1] == count));
        struct co_case cases[] = {
            CO_RECV(fetching ? p->f.term : NULL, &term),
            CO_SEND(ask ? p->f.ask : NULL, NULL),
            CO_RECV(!wants[0] ? outs[0].ask : NULL, NULL),
            CO_RECV(!wants[1] ? outs[1].ask : NULL, NULL),
        };
        int i = co_select(cases, 4, CO_FOREVER);

        if (!done(i))
            return;
        if (i == 0) {
            CHECK(count < 2 * TERMS);
            terms[count++] = term;
            fetching = false;
        } else if (i == 1) {
            fetching = true;
        } else {
            wants[i - 2] = true;
        }
        for (int j = 0; j < 2; j++) {
            if (!wants[j] || next[j] == count)
                continue;
            if (!put(outs[j], terms[next[j]++]))
                return;
            wants[j] = false;
        }
    }
}

static struct series from_two(co_fn *fn, struct series f, struct series g)
{
    struct series out = series();

    node(fn, part(f, g, out));
    return out;
}

static struct series with(co_fn *fn, struct series f, struct rat constant)
{
    struct series out = series();
    struct part *p = part(f, f, out);

    p->constant = constant;
    node(fn, p);
    return out;
}

static void split_into(struct series f, struct series *a, struct series *b)
{
    struct part *p;

    *a = series();
    *b = series();
    p = part(f, f, *a);
    p->out2 = *b;
    node(split_node, p);
}

static void check_term(struct series s, long long num, long long den)
{
    struct rat term, expected = rat(num, den);

    CHECK(get(s, &term));
    CHECK_EQ(term.num, expected.num);
    CHECK_EQ(term.den, expected.den);
}

/* E = 1 + the integral of E f' is e to the power of f, when f starts with 0. */
static struct series exponential(struct series f)
{
    struct series e = series(), e1, e2, product;
    struct part *p;

    split_into(e, &e1, &e2);
    product =
        from_two(multiply_node, with(differentiate_node, f, rat(0, 1)), e2);
    p = part(product, product, e);
    p->constant = rat(1, 1);
    node(integrate_node, p);
    return e1;
}

static void exponential_once(void)
{
    struct series x = with(binomial_node, series(), rat(0, 1));
    struct series e = exponential(x);
    long long factorial = 1;

    for (int n = 0; n < TERMS; n++) {
        check_term(e, 1, factorial);
        factorial *= n + 1;
    }
    end_net();

    /* e^(x + x) = (e^x)^2: its terms are 2^n / n!. */
    struct series a, b;

    split_into(exponential(with(binomial_node, series(), rat(0, 1))), &a, &b);
    e = from_two(multiply_node, a, b);
    factorial = 1;
    for (int n = 0; n < TERMS; n++) {
        check_term(e, 1LL << n, factorial);
        factorial *= n + 1;
    }
    end_net();
    part_count = 0;
}

/* Sine and cosine are defined by each other. */
static void circle_once(void)
{
    struct series sine = series(), s[4], c[4], one;
    struct part *p;

    split_into(sine, &s[0], &s[1]);
    split_into(
        with(integrate_node, with(scale_node, s[1], rat(-1, 1)), rat(1, 1)),
        &c[0], &c[1]);
    p = part(c[1], c[1], sine);
    p->constant = rat(0, 1);
    node(integrate_node, p);

    split_into(s[0], &s[2], &s[3]);
    split_into(c[0], &c[2], &c[3]);
    one = from_two(add_node, from_two(multiply_node, s[2], s[3]),
                   from_two(multiply_node, c[2], c[3]));
    check_term(one, 1, 1);
    for (int n = 1; n < TERMS; n++)
        check_term(one, 0, 1);
    end_net();
    part_count = 0;
}

static void exponentials(void)
{
    for (long i = test_count(200); i > 0; i--)
        exponential_once();
}

static void circle(void)
{
    for (long i = test_count(200); i > 0; i--)
        circle_once();
}

int main(void)
{
    tasks_up();
    for (spread = 1; spread <= 2; spread++) {
        RUN(sieve);
        RUN(exponentials);
        RUN(circle);
    }
    tasks_down();
    return 0;
}
