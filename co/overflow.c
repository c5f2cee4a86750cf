/* overflow.c - see overflow.h.
 *
 * All of the report runs in a signal handler, while the heap and stdio may be
 * locked by whoever faulted: it is put together in a buffer on the alternate
 * stack and written with one write(2).  The handler then steps aside, so that
 * the faulting instruction runs again, or is dealt with, exactly as it would
 * have been without us.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/overflow.h"
#include "co/core.h"
#include "co/peek.h"
#include "co/sys.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIGNALS = 2, NAME_MAX_SHOWN = 200, ALT_BYTES = 64 * 1024 };

static const int signals[SIGNALS] = { SIGSEGV, SIGBUS };
static struct sigaction before[SIGNALS]; /* the handlers before ours */
static bool displaced[SIGNALS];          /* ours has one on top of it */
static bool opened;
static size_t page_bytes;

/* ---- The message -----------------------------------------------------------
 */

struct text {
    size_t len;
    char bytes[1024];
};

static void put_char(struct text *t, char c)
{
    if (t->len < sizeof t->bytes)
        t->bytes[t->len++] = c;
}

static void put(struct text *t, const char *s)
{
    while (*s != '\0')
        put_char(t, *s++);
}

static void put_number(struct text *t, uint64_t n, unsigned base)
{
    char digits[24];
    int i = 0;

    do
        digits[i++] = "0123456789abcdef"[n % base];
    while ((n /= base) != 0);
    while (i > 0)
        put_char(t, digits[--i]);
}

/* A string of the user's, whose memory may be gone or be no string. */
static void put_foreign(struct text *t, const char *s)
{
    for (int i = 0; i < NAME_MAX_SHOWN; i++, s++) {
        if ((i == 0 || (uintptr_t)s % 8 == 0) && !peek_readable(s)) {
            put(t, "<unreadable>");
            return;
        }
        if (*s == '\0')
            return;
        put_char(t, *s >= ' ' && *s <= '~' ? *s : '?');
    }
    put(t, "...");
}

/* The address space of a stack: its room ends in its last page. */
static size_t stack_bytes(const struct co *co)
{
    uintptr_t end = ((uintptr_t)(co + 1) + page_bytes - 1) & ~(page_bytes - 1);

    return end - ((uintptr_t)co->stack.low - STACK_GUARD);
}

static void put_co(struct text *t, const struct co *co)
{
    put(t, "coroutine \"");
    put_foreign(t, co->name);
    put(t, "\" (id ");
    put_number(t, co->id, 10);
    put(t, ", spawned at ");
    put_foreign(t, co->file);
    put(t, ":");
    put_number(t, (uint64_t)co->line, 10);
    put(t, ")");
}

static void report(const struct stack *stack, const void *addr)
{
    const struct co *co = container_of(stack, struct co, stack);
    size_t below = (size_t)(stack->low - (const char *)addr);
    struct text t = { 0 };

    /* Beyond the top of a stack is the guard of the next: that is no overflow
     * of the coroutine that it belongs to. */
    if (co == co_running())
        put(&t, "corten: stack overflow in ");
    else
        put(&t, "corten: stray access to the guard under the stack of ");
    if (co_sched_of(co) != NULL)
        put_co(&t, co);
    else
        put(&t, "no coroutine");
    put(&t, ":\n  the fault was at 0x");
    put_number(&t, (uintptr_t)addr, 16);
    put(&t, ", ");
    put_number(&t, below, 10);
    put(&t, below == 1 ? " byte" : " bytes");
    put(&t, " below the end of its stack of ");
    put_number(&t, stack_bytes(co), 10);
    put(&t, " bytes (");
    put_number(&t, stack_usable(stack), 10);
    put(&t, " usable)\n  more stack: co_attr.stack_size for this coroutine, "
            "co_config.stack_size for all\n");
    (void)!sys.write(STDERR_FILENO, t.bytes, t.len); /* nobody left to tell */
}

/* ---- The signal ------------------------------------------------------------
 */

static int index_of(int sig) { return sig == signals[0] ? 0 : 1; }

/* Goes on as if the handler before ours had been the only one. */
static void chain(int sig, siginfo_t *info, void *context)
{
    const struct sigaction *old = &before[index_of(sig)];
    bool fault = info->si_code > 0;

    if (old->sa_flags & SA_SIGINFO ||
        (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)) {
        (void)pthread_sigmask(SIG_BLOCK, &old->sa_mask, NULL);
        if (old->sa_flags & SA_RESETHAND)
            (void)signal(sig, SIG_DFL);
        if (old->sa_flags & SA_SIGINFO)
            old->sa_sigaction(sig, info, context);
        else
            old->sa_handler(sig);
        return;
    }
    /* Ignored ones count when they are sent; a fault kills all the same. */
    if (!fault && old->sa_handler == SIG_IGN)
        return;
    (void)signal(sig, SIG_DFL);
    /* A fault happens again when we return.  What was sent is sent again; it
     * is blocked until then. */
    if (!fault)
        (void)syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), sig, info);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    int err = errno;
    bool guard = false;
    struct stack *stack = NULL;

    if (info->si_code > 0)
        stack = stack_find(info->si_addr, &guard);
    if (guard)
        report(stack, info->si_addr);
    errno = err;
    chain(sig, info, context);
}

static bool is_ours(const struct sigaction *act)
{
    return act->sa_flags & SA_SIGINFO && act->sa_sigaction == on_fault;
}

/* ---- Open and close --------------------------------------------------------
 */

int overflow_open(void)
{
    struct sigaction act = { .sa_sigaction = on_fault,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK },
                     now;

    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    (void)sigemptyset(&act.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &now) < 0)
            return -1;
        /* A handler that was put over ours may call ours: with it below ours,
         * too, the two would go round for ever. */
        if (is_ours(&now) || (displaced[i] && (now.sa_flags & SA_SIGINFO ||
                                               now.sa_handler != SIG_DFL)))
            continue;
        before[i] = now; /* before ours is there to need it */
        displaced[i] = false;
        if (sigaction(signals[i], &act, NULL) < 0)
            return -1;
    }
    opened = true;
    return 0;
}

void overflow_close(void)
{
    struct sigaction now;

    opened = false;
    for (int i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &now) < 0)
            continue;
        displaced[i] = !is_ours(&now);
        if (!displaced[i])
            (void)sigaction(signals[i], &before[i], NULL);
    }
}

/* An alternate stack begins with a guard page, then this. */
struct alternate {
    stack_t before;
    size_t mapped;
    _Alignas(64) char stack[];
};

static _Thread_local struct alternate *alternate;

int overflow_open_thread(void)
{
    size_t bytes = ALT_BYTES + getauxval(AT_MINSIGSTKSZ);
    size_t mapped = (2 * page_bytes + bytes - 1) & ~(page_bytes - 1);
    char *p = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct alternate *a;
    stack_t stack = { 0 };

    if (p == MAP_FAILED)
        return -1;
    a = (struct alternate *)(void *)(p + page_bytes);
    stack.ss_sp = a->stack;
    stack.ss_size = (size_t)(p + mapped - a->stack);
    if (mprotect(p, page_bytes, PROT_NONE) < 0 ||
        sigaltstack(&stack, &a->before) < 0) {
        (void)munmap(p, mapped);
        errno = ENOMEM;
        return -1;
    }
    a->mapped = mapped;
    alternate = a;
    return 0;
}

void overflow_close_thread(void)
{
    struct alternate *a = alternate;
    stack_t now;

    if (a == NULL)
        return;
    alternate = NULL;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == a->stack)
        (void)sigaltstack(&a->before, NULL);
    (void)munmap((char *)a - page_bytes, a->mapped);
}

void overflow_check(const void *buf, size_t len)
{
    struct co *co = co_running();
    uintptr_t low, from = (uintptr_t)buf;

    if (!opened || co == NULL)
        return;
    low = (uintptr_t)co->stack.low;
    /* A local buffer of this stack: it begins below the end of the stack, but
     * ends above that of the guard. */
    if (from >= low || len > (uintptr_t)co - from ||
        from + len <= low - STACK_GUARD)
        return;
    if (from < low - STACK_GUARD)
        from = low - STACK_GUARD;
    report(&co->stack, (const void *)from);
    (void)raise(SIGSEGV);
    /* The old handler came back, or the signal was ignored: what needs this
     * memory cannot go on. */
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
}
