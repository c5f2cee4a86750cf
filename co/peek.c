/* peek.c - see peek.h.
 *
 * process_vm_readv(2) on ourselves is a copy that fails where a load would
 * fault.  Where it is forbidden (some containers) we ask the kernel whether a
 * word can be read, and then read it; in between it may vanish, but not in
 * practice.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/peek.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WORD = sizeof(uint64_t), PAGE = 4096 };

/* Volatile, or compilers make a memcpy() of it, which sanitizers look into. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), noinline)) void
peek_words(void *to, const void *from, size_t bytes)
{
    const volatile uint64_t *source = from;
    uint64_t *target = to;

    for (size_t i = 0; i < bytes / WORD; i++)
        target[i] = source[i];
}

/* The kernel reads the set before it looks at the first argument, which is
 * nonsense here: EFAULT says that the word of p cannot be read, EINVAL that it
 * can. */
bool peek_readable(const void *p)
{
    const void *word = (const void *)((uintptr_t)p & ~(uintptr_t)(WORD - 1));
    int err = errno;
    bool yes =
        syscall(SYS_rt_sigprocmask, -1, word, NULL, 8) == 0 || errno != EFAULT;

    errno = err;
    return yes;
}

/* All of one word. */
static bool peek_slowly(char *to, const char *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        uintptr_t at = (uintptr_t)(from + i);
        uint64_t word;

        if ((i == 0 || at % WORD == 0) && !peek_readable(from + i))
            return false;
        peek_words(&word, (const void *)(at & ~(uintptr_t)(WORD - 1)), WORD);
        to[i] = ((const char *)&word)[at % WORD];
    }
    return true;
}

bool peek(void *to, const void *from, size_t bytes)
{
    struct iovec local = { to, bytes }, remote = { (void *)from, bytes };
    int err = errno;
    long n = syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);
    bool all = n == (long)bytes;

    if (n < 0 && errno != EFAULT)
        all = peek_slowly(to, from, bytes);
    errno = err;
    return all;
}

bool peek_string(char *to, const char *from, size_t size)
{
    size_t len = 0;

    while (len < size - 1) {
        size_t n = PAGE - (uintptr_t)(from + len) % PAGE;

        if (n > size - 1 - len)
            n = size - 1 - len;
        if (!peek(to + len, from + len, n))
            break;
        if (memchr(to + len, '\0', n) != NULL)
            return true;
        len += n;
    }
    to[len] = '\0';
    return len > 0;
}
