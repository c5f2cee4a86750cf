/* stack_test.c - guards, numbers, warm reuse, and what happens when something
 * runs out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/stack.h"

#include "tests/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 256, DEFAULT_BYTES = 256 * 1024 };

struct user { /* what a user of stacks puts into the room */
    struct stack stack;
    char tail[ROOM - sizeof(struct stack)];
};

static size_t page_bytes;

static void open_all(struct stack_cache *cache)
{
    CHECK_EQ(stack_setup(DEFAULT_BYTES, ROOM), 0);
    CHECK_EQ(stack_cache_open(cache), 0);
}

static void close_all(struct stack_cache *cache)
{
    unsigned char vec;
    char *low = stack_get(cache, 0)->low;

    stack_cache_close(cache);
    stack_teardown();
    CHECK(mincore(low, page_bytes, &vec) < 0 && errno == ENOMEM);
    CHECK_EQ(stack_count(), 0);
    CHECK_EQ(stack_bytes_mapped(), 0);
}

static long count_maps(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    long lines = 0;
    int c;

    CHECK(f != NULL);
    while ((c = getc(f)) != EOF)
        lines += c == '\n';
    (void)fclose(f);
    return lines;
}

static size_t resident(const void *from, size_t bytes)
{
    unsigned char vec[256];
    uintptr_t start = (uintptr_t)from & ~(uintptr_t)(page_bytes - 1);
    size_t pages = ((uintptr_t)from + bytes - start) / page_bytes;
    size_t count = 0;

    CHECK(pages <= sizeof(vec));
    CHECK_EQ(mincore((void *)start, pages * page_bytes, vec), 0);
    for (size_t i = 0; i < pages; i++)
        count += vec[i] & 1;
    return count;
}

/* The signal that a child dies of when it writes to addr; 0: none. */
static int write_signal(char *addr)
{
    int status;
    pid_t child = test_fork();

    CHECK(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer may have its own */
        *(volatile char *)addr = 1;
        _exit(0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void check_guard(struct stack *s)
{
    bool guard;

    CHECK_EQ(write_signal(s->low), 0);
    CHECK_EQ(write_signal(s->low - 1), SIGSEGV);
    CHECK_EQ(write_signal(s->low - 60 * 1024), SIGSEGV);
    CHECK_EQ(write_signal(s->low - STACK_GUARD), SIGSEGV);
    CHECK(stack_find(s->low, &guard) == s && !guard);
    CHECK(stack_find(s, &guard) == s && !guard);
    CHECK(stack_find(s->low - 1, &guard) == s && guard);
    CHECK(stack_find(s->low - 60 * 1024, &guard) == s && guard);
    CHECK(stack_find(s->low - STACK_GUARD, &guard) == s && guard);
    CHECK(stack_find(&guard, &guard) == NULL && !guard);
}

static void guards_fault(void)
{
    struct stack_cache cache;
    struct stack *s[40];

    open_all(&cache);
    for (unsigned i = 0; i < 40; i++) {
        s[i] = stack_get(&cache, 0);
        CHECK(s[i] != NULL);
    }
    check_guard(s[0]);
    check_guard(s[39]);
    for (unsigned i = 0; i < 40; i++)
        stack_put(&cache, s[i]);
    stack_cache_close(&cache); /* through the depot, guards stay */
    CHECK_EQ(stack_cache_open(&cache), 0);
    s[0] = stack_get(&cache, 0);
    check_guard(s[0]);
    stack_put(NULL, s[0]);
    close_all(&cache);
}

static void numbers_and_colours(void)
{
    enum { N = 600 };
    static struct stack *s[N];
    static bool seen[N];
    bool colours[16] = { false };
    struct stack_cache cache;

    open_all(&cache);
    for (unsigned i = 0; i < N; i++) {
        s[i] = stack_get(&cache, 0);
        CHECK(s[i] != NULL);
        CHECK(s[i]->number < N && !seen[s[i]->number]);
        seen[s[i]->number] = true;
        CHECK(stack_at(s[i]->number) == s[i]);
        CHECK_EQ(s[i]->size_class, 0);
        CHECK(!s[i]->made);
        CHECK_EQ((uintptr_t)s[i] % 64, 0);
        CHECK_EQ((uintptr_t)s[i]->low % page_bytes, 0);
        CHECK(stack_usable(s[i]) >= 128 * 1024);
        CHECK(stack_usable(s[i]) < DEFAULT_BYTES - STACK_GUARD);
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned colour = (uintptr_t)stack_at(i) / 64 % 16;

        CHECK(!colours[colour]);
        colours[colour] = true;
    }
    CHECK(stack_count() >= N && stack_count() < N + STACK_MAGAZINE);
    CHECK(stack_at(stack_count()) == NULL);
    CHECK(stack_at(STACK_MAX - 1) == NULL);
    for (unsigned i = 0; i < N; i++)
        stack_put(&cache, s[i]);
    close_all(&cache);
}

static void reuse_is_warm(void)
{
    struct stack_cache cache;
    struct user *a;
    struct user *b;

    open_all(&cache);
    a = (struct user *)stack_get(&cache, 0);
    b = (struct user *)stack_get(&cache, 0);
    CHECK(a != NULL && b != NULL && a != b);
    a->stack.made = b->stack.made = true;
    memset(a->tail, 'a', sizeof(a->tail));
    stack_put(&cache, &a->stack);
    stack_put(&cache, &b->stack);
    CHECK((struct user *)stack_get(&cache, 0) == b);
    CHECK((struct user *)stack_get(&cache, DEFAULT_BYTES) == a);
    CHECK(a->stack.made);
    CHECK_EQ(a->tail[0], 'a');
    CHECK_EQ(a->tail[sizeof(a->tail) - 1], 'a');

    /* Without a cache: the depot keeps some warm as well, again and again. */
    for (int i = 0; i < 2000; i++) {
        stack_put(NULL, &a->stack);
        CHECK((struct user *)stack_get(NULL, 0) == a);
        CHECK(a->stack.made);
        CHECK_EQ(a->tail[0], 'a');
    }
    stack_put(&cache, &a->stack);
    stack_put(&cache, &b->stack);
    close_all(&cache);
}

/* More than the cache and the depot keep warm: the rest comes back as if new,
 * and is still usable. */
static void overflow_is_clean(void)
{
    enum { N = STACK_CACHE + 3000 };
    static struct stack *s[N];
    unsigned made = 0;
    struct stack_cache cache;

    open_all(&cache);
    for (unsigned i = 0; i < N; i++) {
        s[i] = stack_get(&cache, 0);
        CHECK(s[i] != NULL);
        s[i]->made = true;
        ((struct user *)s[i])->tail[0] = 1;
    }
    for (unsigned i = 0; i < N; i++)
        stack_put(&cache, s[i]);
    CHECK(cache.count <= STACK_CACHE);
    CHECK(cache.count > STACK_CACHE - STACK_MAGAZINE);
    for (unsigned i = 0; i < N; i++) {
        s[i] = stack_get(&cache, 0);
        CHECK(s[i] != NULL);
        CHECK(stack_at(s[i]->number) == s[i]);
        CHECK(s[i]->low < (char *)s[i]);
        CHECK_EQ(s[i]->made, ((struct user *)s[i])->tail[0]);
        made += s[i]->made;
    }
    CHECK(made >= STACK_CACHE);
    CHECK(made < N - 1000);
    CHECK(stack_count() < N + STACK_MAGAZINE);
    for (unsigned i = 0; i < N; i++)
        stack_put(&cache, s[i]);
    close_all(&cache);
}

static void use_deeply(struct stack *s)
{
    memset(s->low, 1, stack_usable(s));
    s->made = true;
}

static bool is_deep(struct stack *s)
{
    return resident(s->low, stack_usable(s)) * page_bytes > 24 * 1024;
}

static void trim_gives_pages_back(void)
{
    enum { N = 200 };
    struct stack *s[N];
    struct stack_cache cache;

    open_all(&cache);
    CHECK(!stack_trim(&cache));
    for (unsigned i = 0; i < N; i++) {
        s[i] = stack_get(&cache, 0);
        CHECK(s[i] != NULL);
        use_deeply(s[i]);
        CHECK(is_deep(s[i]));
    }
    for (unsigned i = 0; i < N; i++)
        stack_put(&cache, s[i]);
    CHECK(stack_trim(&cache));
    while (stack_trim(&cache))
        continue;
    for (unsigned i = 0; i < N; i++) {
        CHECK(!is_deep(s[i]));
        CHECK(s[i]->made);
        CHECK_EQ(((char *)s[i])[-1], 1); /* the top stays */
    }

    /* What was taken after it was looked at is looked at again. */
    for (unsigned i = 0; i < 10; i++)
        CHECK(stack_get(&cache, 0) == s[N - 1 - i]);
    use_deeply(s[N - 5]);
    for (unsigned i = 0; i < 10; i++)
        stack_put(&cache, s[N - 10 + i]);
    CHECK(is_deep(s[N - 5]));
    CHECK(!stack_trim(&cache));
    CHECK(!is_deep(s[N - 5]));
    close_all(&cache);
}

static void other_sizes(void)
{
    static const size_t sizes[] = { 0,       128 << 10, 129 << 10, 200 << 10,
                                    1 << 20, 3 << 20,   64 << 20,  1 << 30 };
    size_t least;
    struct stack_cache cache;

    open_all(&cache);
    least = stack_min();
    CHECK(stack_get(&cache, least - 1) == NULL && errno == EINVAL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t bytes = sizes[i] != 0 ? sizes[i] : least;
        struct stack *s = stack_get(&cache, bytes);
        struct stack *second = stack_get(&cache, bytes);

        CHECK(s != NULL && second != NULL && s != second);
        CHECK(stack_usable(s) >= bytes - STACK_GUARD - ROOM - 1024);
        CHECK(stack_usable(s) >= 16 * 1024);
        CHECK(stack_at(s->number) == s);
        check_guard(s);
        s->low[0] = 1;
        s->made = true;
        stack_put(&cache, second);
        stack_put(&cache, s);
        CHECK_EQ(s->low[0], s->size_class == 0);
        CHECK(stack_get(&cache, bytes) == s);
        CHECK(s->made);
        stack_put(&cache, s);
    }
    errno = 0;
    CHECK(stack_get(&cache, (size_t)1 << 50) == NULL && errno == ENOMEM);
    CHECK(strstr(stack_why(), "TiB") != NULL);
    close_all(&cache);

    CHECK_EQ(stack_setup(least, ROOM), 0);
    CHECK(stack_get(NULL, 0) != NULL);
    stack_teardown();
    CHECK_EQ(stack_setup(least - 1, ROOM), -1);
    CHECK_EQ(errno, EINVAL);
}

enum { TRADED = 256 };
static _Atomic(struct stack *) box[TRADED];
static long trades;

/* Takes stacks out of the box, and puts them into its own cache. */
static void *consumer(void *arg)
{
    struct stack_cache cache;

    (void)arg;
    CHECK_EQ(stack_cache_open(&cache), 0);
    for (long i = 0; i < trades; i++) {
        struct stack *s;

        while ((s = atomic_exchange(&box[i % TRADED], NULL)) == NULL)
            sched_yield();
        CHECK(stack_at(s->number) == s);
        CHECK_EQ(s->low[0], 7);
        s->low[0] = 0;
        stack_put(&cache, s);
    }
    stack_cache_close(&cache);
    return NULL;
}

/* One thread takes what another one puts: stacks come back by the depot, so
 * that few are ever made. */
static void threads_trade(void)
{
    struct stack_cache cache;
    pthread_t thread;

    trades = test_count(300000);
    open_all(&cache);
    CHECK_EQ(pthread_create(&thread, NULL, consumer, NULL), 0);
    for (long i = 0; i < trades; i++) {
        struct stack *s = stack_get(&cache, 0);

        CHECK(s != NULL);
        CHECK_EQ(s->low[0], 0);
        s->low[0] = 7;
        while (atomic_load(&box[i % TRADED]) != NULL)
            sched_yield();
        atomic_store(&box[i % TRADED], s);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(stack_count() <= STACK_CACHE + TRADED + 4 * STACK_MAGAZINE);
    close_all(&cache);
}

/* Does this kernel, or emulator, have MADV_GUARD_INSTALL (102)? */
static bool installs_guards(void)
{
    bool works = false;
    void *p = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    if (madvise(p, page_bytes, 102) == 0)
        works = write_signal(p) == SIGSEGV;
    CHECK_EQ(munmap(p, page_bytes), 0);
    return works;
}

/* Mappings that begin or end within a stack. */
static long count_stack_maps(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    long count = 0;
    bool guard;
    void *from;
    void *to;

    CHECK(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        CHECK_EQ(sscanf(line, "%p-%p", &from, &to), 2);
        count += stack_find(from, &guard) != NULL ||
                 stack_find((char *)to - 1, &guard) != NULL;
    }
    (void)fclose(f);
    return count;
}

static void many_stacks_few_mappings(void)
{
    long n = test_count(1000000);
    struct stack_cache cache;

    if (!installs_guards()) {
        fprintf(stderr, "    skipped: no MADV_GUARD_INSTALL here\n");
        return;
    }
    open_all(&cache);
    for (long i = 0; i < n; i++) {
        struct stack *s = stack_get(&cache, 0);

        CHECK(s != NULL);
        s->made = true;
    }
    CHECK(count_stack_maps() >= 1 && count_stack_maps() < 64);
    CHECK_EQ(stack_at(0)->made, true);
    close_all(&cache);
}

/* With two mappings a guard they run out; nothing else goes wrong. */
static void mappings_run_out(void)
{
    const char *preload = getenv("LD_PRELOAD");
    long maps = count_maps();
    struct stack_cache cache;
    struct stack *last = NULL;
    char *spare[100];
    struct stack *s;
    long n = 0;

    if (preload != NULL && strstr(preload, "valgrind") != NULL) {
        fprintf(stderr, "    skipped: valgrind has fewer mappings to give\n");
        return;
    }
    open_all(&cache);
    check_guard(stack_get(&cache, 0));
    while ((s = stack_get(&cache, 0)) != NULL) {
        last = s;
        n++;
    }
    CHECK_EQ(errno, ENOMEM);
    CHECK(strstr(stack_why(), "vm.max_map_count is ") != NULL);
    CHECK(n > 1000);
    check_guard(last);
    for (int i = 0; i < 3; i++)
        CHECK(stack_get(&cache, 0) == NULL && errno == ENOMEM);

    /* The process has some mappings left, and what it has works on. */
    for (int i = 0; i < 100; i++) {
        spare[i] = mmap(NULL, 3 * page_bytes, PROT_READ,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(spare[i] != MAP_FAILED);
        CHECK_EQ(mprotect(spare[i] + page_bytes, page_bytes, PROT_NONE), 0);
    }
    for (int i = 0; i < 100; i++)
        CHECK_EQ(munmap(spare[i], 3 * page_bytes), 0);
    stack_put(&cache, last);
    CHECK(stack_get(&cache, 0) == last);
    CHECK(stack_get(&cache, 0) == NULL);
    stack_put(&cache, last);
    close_all(&cache);
    /* Not one for each stack; TSan maps a little shadow for all of them. */
    CHECK(count_maps() < maps + n / 100);
}

static void address_space_runs_out(void)
{
    struct rlimit old;
    struct rlimit tight;
    struct stack_cache cache;
    long n = 0;

    open_all(&cache);
    CHECK_EQ(getrlimit(RLIMIT_AS, &old), 0);
    tight = old;
    tight.rlim_cur = (rlim_t)1 << 30;
    CHECK_EQ(setrlimit(RLIMIT_AS, &tight), 0);
    if (mmap(NULL, (size_t)1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
             0) != MAP_FAILED) {
        fprintf(stderr, "    skipped: an emulator without RLIMIT_AS\n");
        close_all(&cache);
        return;
    }
    while (stack_get(&cache, 0) != NULL)
        n++;
    CHECK_EQ(errno, ENOMEM);
    CHECK(strstr(stack_why(), "RLIMIT_AS") != NULL);
    CHECK_EQ(setrlimit(RLIMIT_AS, &old), 0);
    CHECK(stack_get(&cache, 0) != NULL);
    close_all(&cache);
}

/* Locked memory takes no installed guards; mprotect serves. */
static void locked_memory(void)
{
    struct stack_cache cache;
    struct stack *s;

    open_all(&cache);
    if (mlockall(MCL_FUTURE) < 0) {
        fprintf(stderr, "    skipped: mlockall: %s\n", strerror(errno));
        close_all(&cache);
        return;
    }
    s = stack_get(&cache, 128 << 10);
    if (s != NULL) {
        check_guard(s);
        stack_put(&cache, s);
        CHECK(stack_get(&cache, 128 << 10) == s);
    } else {
        CHECK_EQ(errno, ENOMEM);
        CHECK(strstr(stack_why(), "RLIMIT_MEMLOCK") != NULL);
    }
    CHECK_EQ(munlockall(), 0);
    close_all(&cache);
}

int main(void)
{
    long maps;

    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    RUN(guards_fault);
    maps = count_maps();
    RUN(numbers_and_colours);
    RUN(reuse_is_warm);
    RUN(overflow_is_clean);
    RUN(trim_gives_pages_back);
    RUN(other_sizes);
    CHECK(count_maps() < maps + 32);
    RUN(threads_trade);
    RUN(many_stacks_few_mappings);
    RUN(locked_memory);
    RUN(address_space_runs_out);

    CHECK_EQ(setenv("CO_GUARD", "mprotect", 1), 0);
    RUN(guards_fault);
    RUN(mappings_run_out);
    return 0;
}
