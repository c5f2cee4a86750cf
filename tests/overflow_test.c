/* overflow_test.c - what is said, and what happens, when a stack is too small.
 *
 * Each case is a child process, since most of them die.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/core.h"
#include "co/overflow.h"
#include "tests/child.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sanitizers would take the signal, and keep local arrays elsewhere. */
#define OPTIONS                                                                \
    "handle_segv=0:handle_sigbus=0:detect_stack_use_after_return=0:"           \
    "disable_coredump=0"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void) { return OPTIONS; }
const char *__tsan_default_options(void) { return "handle_segv=0"; }

/* Runs fn as a coroutine that has a name, and its own stack size if any. */
static size_t stack_size;
static bool keep;

static void root(void *arg)
{
    struct co_attr attr = { .name = "glutton", .stack_size = stack_size };
    struct co *co = co_spawn((co_fn *)arg, NULL, &attr);

    CHECK(co != NULL);
    hold_storm();
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
}

static void run_glutton(co_fn *fn)
{
    struct co_config config = { .schedulers = 1, .keep_sigsegv = keep };

    CHECK_EQ(co_run(root, (void *)fn, &config), 0);
}

static void check_report(void)
{
    check_killed(SIGSEGV);
    CHECK_EQ(count("corten:"), 1);
    check_said("corten: stack overflow in coroutine \"glutton\" (id ");
    check_said(", spawned at ");
    check_said("overflow_test.c:");
    check_said(" below the end of its stack of ");
    check_said("co_attr.stack_size");
    check_said("co_config.stack_size");
}

/* ---- Ways to run off the end -----------------------------------------------
 */

static char *own_low(void) { return co_self()->stack.low; }

static void touch_one(void *arg)
{
    volatile char *low = own_low();

    (void)arg;
    low[0] = 1; /* the last that is ours */
    low[-1] = 1;
}

/* Recursion that the compiler can neither flatten nor stop early. */
static volatile int depth_left = 1 << 20;
static volatile char *volatile escaped; /* keeps arrays whole */

#define FRAME_OF(name, bytes)                                                  \
    static void name(void *arg)                                                \
    {                                                                          \
        volatile char frame[bytes];                                            \
                                                                               \
        escaped = frame;                                                       \
        if (depth_left-- > 0)                                                  \
            name(arg);                                                         \
        frame[sizeof frame - 1] = 1;                                           \
        escaped = NULL;                                                        \
    }
FRAME_OF(frames_4k, 4096)
FRAME_OF(frames_60k, 60 * 1024)

/* Larger than the guard: only -fstack-clash-protection makes it touch that. */
static void frame_1m(void *arg)
{
    volatile char frame[1 << 20];

    (void)arg;
    escaped = frame;
    frame[0] = 1;
    escaped = NULL;
}

static void child_one(void) { run_glutton(touch_one); }
static void child_4k(void) { run_glutton(frames_4k); }
static void child_60k(void) { run_glutton(frames_60k); }
static void child_1m(void) { run_glutton(frame_1m); }

static void one_byte(void)
{
    run_child(child_one);
    check_report();
    check_said(", 1 byte below the end of its stack of 258048 bytes (");
}

static void array_4k(void)
{
    run_child(child_4k);
    check_report();
}

static void array_60k(void)
{
    run_child(child_60k);
    check_report();
}

static void array_1m(void)
{
    run_child(child_1m);
    check_report();
}

static void other_size(void)
{
    stack_size = 1 << 20;
    run_child(child_one);
    stack_size = 0;
    check_report();
    check_said("stack of 10"); /* 1 MiB, whatever the class makes of it */
}

/* ---- Who comes after us ----------------------------------------------------
 */

static char *volatile expected_addr; /* set before the fault, in any build */

static void old_info(int sig, siginfo_t *info, void *context)
{
    CHECK_EQ(sig, SIGSEGV);
    CHECK(info->si_addr == expected_addr && context != NULL);
    _exit(42);
}

static void old_plain(int sig)
{
    CHECK_EQ(sig, SIGSEGV);
    _exit(43);
}

static void touch_expected(void *arg)
{
    (void)arg;
    expected_addr = own_low() - 100;
    *(volatile char *)expected_addr = 1;
}

static void child_old_info(void)
{
    struct sigaction act = { .sa_sigaction = old_info, .sa_flags = SA_SIGINFO };

    CHECK_EQ(sigaction(SIGSEGV, &act, NULL), 0);
    run_glutton(touch_expected);
}

static void child_old_plain(void)
{
    CHECK(signal(SIGSEGV, old_plain) != SIG_ERR);
    run_glutton(touch_expected);
}

static void child_old_ignore(void)
{
    CHECK(signal(SIGSEGV, SIG_IGN) != SIG_ERR);
    run_glutton(touch_expected);
}

static void old_handlers(void)
{
    run_child(child_old_info);
    check_exit(42);
    check_said("stack overflow in coroutine \"glutton\"");
    run_child(child_old_plain);
    check_exit(43);
    check_said("stack overflow in coroutine \"glutton\"");
    run_child(child_old_ignore);
    check_report();
}

/* A handler that mends the fault: the program goes on. */
static void mend(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    CHECK_EQ(mprotect(info->si_addr, 1, PROT_READ | PROT_WRITE), 0);
}

static void touch_elsewhere(void *arg)
{
    char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)arg;
    CHECK(page != MAP_FAILED);
    *(volatile char *)page = 1;
    CHECK_EQ(*page, 1);
}

static void child_mended(void)
{
    struct sigaction act = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };

    CHECK_EQ(sigaction(SIGSEGV, &act, NULL), 0);
    run_glutton(touch_elsewhere);
}

static void child_elsewhere(void) { run_glutton(touch_elsewhere); }

static void faults_elsewhere(void)
{
    run_child(child_elsewhere);
    check_killed(SIGSEGV);
    CHECK_EQ(count("corten"), 0);
    run_child(child_mended);
    check_exit(0);
    CHECK_EQ(count("corten"), 0);
}

static void send_segv(void *arg)
{
    (void)arg;
    (void)kill(getpid(), SIGSEGV);
}

static void child_sent(void) { run_glutton(send_segv); }

static void child_sent_ignored(void)
{
    CHECK(signal(SIGSEGV, SIG_IGN) != SIG_ERR);
    run_glutton(send_segv);
}

static void sent_by_kill(void)
{
    run_child(child_sent);
    check_killed(SIGSEGV);
    CHECK_EQ(count("corten"), 0);
    run_child(child_sent_ignored);
    check_exit(0);
}

/* ---- Installed and put back ------------------------------------------------
 */

static void look_kept(void *arg)
{
    struct sigaction now;

    (void)arg;
    CHECK_EQ(sigaction(SIGSEGV, NULL, &now), 0);
    CHECK(!(now.sa_flags & SA_SIGINFO) && now.sa_handler == old_plain);
}

static void child_keep(void)
{
    keep = true;
    CHECK(signal(SIGSEGV, old_plain) != SIG_ERR);
    run_glutton(look_kept);
    CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
    run_glutton(touch_one);
}

static void keep_sigsegv(void)
{
    run_child(child_keep);
    check_killed(SIGSEGV);
    CHECK_EQ(count("corten"), 0);
}

static void nothing(void *arg) { (void)arg; }

static void install_plain(void *arg)
{
    (void)arg;
    CHECK(signal(SIGSEGV, old_plain) != SIG_ERR);
}

static void child_restores(void)
{
    stack_t alt, old;

    CHECK_EQ(sigaltstack(NULL, &old), 0); /* a sanitizer may have one */
    CHECK(signal(SIGSEGV, old_plain) != SIG_ERR);
    run_glutton(nothing);
    look_kept(NULL);
    CHECK_EQ(sigaltstack(NULL, &alt), 0);
    CHECK(alt.ss_sp == old.ss_sp && alt.ss_flags == old.ss_flags);
    /* Who comes later stays. */
    CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
    run_glutton(install_plain);
    look_kept(NULL);
}

static void restores(void)
{
    run_child(child_restores);
    check_exit(0);
}

/* A host's handler that calls whatever was there before: ours. */
static struct sigaction inner;

static void outer(int sig, siginfo_t *info, void *context)
{
    inner.sa_sigaction(sig, info, context);
}

static void install_outer(void *arg)
{
    struct sigaction act = { .sa_sigaction = outer,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK };

    (void)arg;
    CHECK_EQ(sigaction(SIGSEGV, &act, &inner), 0);
}

static void child_over_ours(void)
{
    run_glutton(install_outer);
    run_glutton(touch_one);
}

static void handler_over_ours(void)
{
    run_child(child_over_ours);
    check_report();
}

/* ---- System calls and the core dump ----------------------------------------
 */

static void call_into_guard(void *arg)
{
    char *low = own_low();

    (void)arg;
    overflow_check(low, 100);                        /* all of it is ours */
    overflow_check(low - STACK_GUARD - 100, 100);    /* all of it is not */
    overflow_check((void *)(uintptr_t)16, SIZE_MAX); /* nonsense */
    CHECK_EQ(write(STDERR_FILENO, "checked\n", 8), 8);
    overflow_check(low - 10, 100);
    CHECK_EQ(write(STDERR_FILENO, "came back\n", 10), 10);
}

static void child_efault(void) { run_glutton(call_into_guard); }

static void child_efault_ignored(void)
{
    CHECK(signal(SIGSEGV, SIG_IGN) != SIG_ERR);
    run_glutton(call_into_guard);
}

static void child_efault_kept(void)
{
    keep = true;
    run_glutton(call_into_guard);
}

static void read_into_guard(void *arg)
{
    char *buf = own_low() - 10;
    int ends[2];

    (void)arg;
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "hello", 5), 5);
    CHECK(co_read(ends[0], buf, 100, CO_FOREVER) == -1 && errno == EFAULT);
    CHECK_EQ(write(STDERR_FILENO, "came back\n", 10), 10);
}

static void child_read(void) { run_glutton(read_into_guard); }

static void efault(void)
{
    run_child(child_efault);
    check_report();
    check_said("checked\n");
    check_said(", 10 bytes below the end");
    CHECK_EQ(count("came back"), 0);
    run_child(child_efault_ignored);
    check_report();
    run_child(child_read);
    check_report();
    CHECK_EQ(count("came back"), 0);
    run_child(child_efault_kept);
    check_exit(0);
    check_said("came back");
    CHECK_EQ(count("corten:"), 0);
}

static void touch_guard_of(void *arg)
{
    *(volatile char *)(((struct co *)arg)->stack.low - 1) = 1;
}

static void root_neighbour(void *arg)
{
    struct co_attr attr = { .name = "victim" };
    struct co *victim = co_spawn(nothing, NULL, &attr);
    struct co *co = co_spawn(touch_guard_of, victim, NULL);

    (void)arg;
    (void)co_join(co, CO_FOREVER);
}

static void child_neighbour(void)
{
    struct co_config config = { .schedulers = 1 };

    (void)co_run(root_neighbour, NULL, &config);
}

static void neighbour(void)
{
    run_child(child_neighbour);
    check_killed(SIGSEGV);
    CHECK_EQ(count("stack overflow"), 0);
    check_said("stray access to the guard under the stack of coroutine "
               "\"victim\" (id ");
}

static void bad_name(void *arg)
{
    char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    co_self()->name = page; /* freed by its owner, say */
    touch_one(arg);
}

static void child_bad_name(void) { run_glutton(bad_name); }

static void name_gone(void)
{
    run_child(child_bad_name);
    check_killed(SIGSEGV);
    check_said("coroutine \"<unreadable>\" (id ");
}

/* The core is dumped as it would have been without us. */
static void allow_core(void)
{
    struct rlimit most;

    CHECK_EQ(getrlimit(RLIMIT_CORE, &most), 0);
    most.rlim_cur = most.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_CORE, &most), 0);
}

static void child_core(void)
{
    allow_core();
    run_glutton(touch_one);
}

static void child_core_without(void)
{
    allow_core();
    keep = true;
    run_glutton(touch_one);
}

static void core_dump(void)
{
    char dir[] = "/tmp/overflow_test.XXXXXX", command[64];
    bool without;

    CHECK(mkdtemp(dir) != NULL);
    CHECK_EQ(chdir(dir), 0);
    run_child(child_core_without);
    check_killed(SIGSEGV);
    without = WCOREDUMP(status);
    run_child(child_core);
    check_killed(SIGSEGV);
    CHECK_EQ(WCOREDUMP(status) != 0, without);
    if (!without)
        fprintf(stderr, "    core dumps are not allowed here\n");
    CHECK_EQ(chdir("/"), 0);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK_EQ(system(command), 0);
}

int main(void)
{
    struct rlimit none = { 0, RLIM_INFINITY };

    if (under_valgrind()) {
        fprintf(stderr, "skipped: valgrind reports the faults itself\n");
        return 77;
    }
    (void)getrlimit(RLIMIT_CORE, &none);
    none.rlim_cur = 0; /* but in core_dump */
    CHECK_EQ(setrlimit(RLIMIT_CORE, &none), 0);
    RUN(one_byte);
    RUN(array_4k);
    RUN(array_60k);
    RUN(array_1m);
    RUN(other_size);
    RUN(old_handlers);
    RUN(faults_elsewhere);
    RUN(sent_by_kill);
    RUN(keep_sigsegv);
    RUN(restores);
    RUN(handler_over_ours);
    RUN(efault);
    RUN(neighbour);
    RUN(name_gone);
    RUN(core_dump);
    return 0;
}
