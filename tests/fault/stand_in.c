/* stand_in.c - fault_<name>() for what libc does beside descriptors: memory,
 * threads, names, files.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/stand_in.h"
#include "tests/fault/inject.h"
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* ---- Memory
 * ------------------------------------------------------------------ */

static void *counted(void *p)
{
    if (p != NULL)
        atomic_fetch_add(&inject_blocks, 1);
    return p;
}

static void uncounted(const void *p)
{
    if (p != NULL)
        atomic_fetch_sub(&inject_blocks, 1);
}

void *fault_malloc(size_t size)
{
    return HIT(malloc) ? NULL : counted(malloc(size));
}

void *fault_calloc(size_t count, size_t size)
{
    return HIT(calloc) ? NULL : counted(calloc(count, size));
}

void *fault_aligned_alloc(size_t align, size_t size)
{
    return HIT(aligned_alloc) ? NULL : counted(aligned_alloc(align, size));
}

void *fault_realloc(void *p, size_t size)
{
    void *q = HIT(realloc) ? NULL : realloc(p, size);

    return p == NULL ? counted(q) : q;
}

char *fault_strdup(const char *s)
{
    return HIT(strdup) ? NULL : counted(strdup(s));
}

void fault_free(void *p)
{
    uncounted(p);
    free(p);
}

void *fault_mmap(void *at, size_t len, int prot, int flags, int fd, off_t from)
{
    void *p = HIT(mmap) ? MAP_FAILED : mmap(at, len, prot, flags, fd, from);

    if (p != MAP_FAILED)
        atomic_fetch_add(&inject_mapped, (long)len);
    return p;
}

int fault_munmap(void *p, size_t len)
{
    int r = HIT(munmap) ? -1 : munmap(p, len);

    atomic_fetch_sub(&inject_mapped, (long)len); /* gone, or nobody's fault */
    return r;
}

int fault_mprotect(void *p, size_t len, int prot)
{
    return HIT(mprotect) ? -1 : mprotect(p, len, prot);
}

int fault_madvise(void *p, size_t len, int advice)
{
    return HIT(madvise) ? -1 : madvise(p, len, advice);
}

int fault_munlock(const void *p, size_t len)
{
    return HIT(munlock) ? -1 : munlock(p, len);
}

cpu_set_t *fault___sched_cpualloc(size_t count)
{
    return HIT(__sched_cpualloc) ? NULL : counted(__sched_cpualloc(count));
}

void fault___sched_cpufree(cpu_set_t *set)
{
    uncounted(set);
    __sched_cpufree(set);
}

/* ---- Threads
 * ----------------------------------------------------------------- */

/* Those that return an error leave errno alone: whoever forgets to set it is
 * found out. */
static int error_of(enum inject_call call, const void *caller)
{
    int before = errno;
    int err = inject_hit(call, caller) ? errno : 0;

    errno = before;
    return err;
}
#define ERROR_OF(call) error_of(CALL_##call, __builtin_return_address(0))

int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                         void *(*fn)(void *), void *arg)
{
    int err = ERROR_OF(pthread_create);

    return err != 0 ? err : pthread_create(thread, attr, fn, arg);
}

int fault_pthread_attr_init(pthread_attr_t *attr)
{
    int err = ERROR_OF(pthread_attr_init);

    return err != 0 ? err : pthread_attr_init(attr);
}

int fault_pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    int err = ERROR_OF(pthread_key_create);

    return err != 0 ? err : pthread_key_create(key, destroy);
}

int fault_pthread_setspecific(pthread_key_t key, const void *value)
{
    int err = ERROR_OF(pthread_setspecific);

    return err != 0 ? err : pthread_setspecific(key, value);
}

int fault_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                         void (*child)(void))
{
    int err = ERROR_OF(pthread_atfork);

    return err != 0 ? err : pthread_atfork(prepare, parent, child);
}

int fault_pthread_setname_np(pthread_t thread, const char *name)
{
    int err = ERROR_OF(pthread_setname_np);

    return err != 0 ? err : pthread_setname_np(thread, name);
}

int fault_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                 const struct timespec *end)
{
    int err = ERROR_OF(pthread_cond_timedwait);

    return err != 0 ? err : pthread_cond_timedwait(c, m, end);
}

int fault_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    return HIT(sched_getaffinity) ? -1 : sched_getaffinity(pid, size, set);
}

int fault_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    return HIT(sched_setaffinity) ? -1 : sched_setaffinity(pid, size, set);
}

/* How many arguments. */
static int arity(long number)
{
    switch (number) {
    case SYS_futex:
    case SYS_process_vm_readv:
        return 6;
    case SYS_membarrier:
        return 3;
    case SYS_uname:
        return 1;
    case SYS_openat2:
    case SYS_rt_sigprocmask:
    case SYS_rt_tgsigqueueinfo:
        return 4;
    default:
        fprintf(stderr, "system call %ld has no row in calls.def\n", number);
        exit(1);
    }
}

static enum inject_call part_of(long number, long op)
{
    switch (number) {
    case SYS_futex:
        return op == FUTEX_WAIT_PRIVATE ? CALL_syscall_futex_wait
                                        : CALL_syscall;
    case SYS_membarrier:
        return CALL_syscall_membarrier;
    case SYS_uname:
        return CALL_syscall_uname;
    case SYS_process_vm_readv:
        return CALL_syscall_vm_readv;
    case SYS_openat2:
        return CALL_syscall_openat2;
    default:
        return CALL_syscall;
    }
}

/* Takes words, whatever the caller gave, as the one of libc does. */
long fault_syscall(long number, ...)
{
    long a[6] = { 0 };
    int count = arity(number);
    va_list args;

    va_start(args, number);
    for (int i = 0; i < count; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (inject_hit(part_of(number, (int)a[1]), __builtin_return_address(0)))
        return -1;
    return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- Names, files, signals
 * --------------------------------------------------- */

int fault_getaddrinfo(const char *name, const char *service,
                      const struct addrinfo *hints, struct addrinfo **list)
{
    int r;

    if (HIT(getaddrinfo)) {
        r = errno;
        errno = r == EAI_SYSTEM ? EMFILE : 0;
        return r;
    }
    r = getaddrinfo(name, service, hints, list);
    if (r == 0)
        (void)counted(*list);
    return r;
}

void fault_freeaddrinfo(struct addrinfo *list)
{
    uncounted(list);
    freeaddrinfo(list);
}

FILE *fault_fopen(const char *name, const char *mode)
{
    return HIT(fopen) ? NULL : counted(fopen(name, mode));
}

char *fault_fgets(char *buf, int size, FILE *f)
{
    return HIT(fgets) ? NULL : fgets(buf, size, f);
}

int fault_fclose(FILE *f)
{
    uncounted(f);
    return fclose(f);
}

DIR *fault_opendir(const char *name)
{
    return HIT(opendir) ? NULL : counted(opendir(name));
}

DIR *fault_fdopendir(int fd)
{
    return HIT(fdopendir) ? NULL : counted(fdopendir(fd));
}

struct dirent *fault_readdir(DIR *dir)
{
    return HIT(readdir) ? NULL : readdir(dir);
}

int fault_closedir(DIR *dir)
{
    uncounted(dir);
    return closedir(dir);
}

#ifdef FAULT_ZLIB
int fault_deflateInit2_(z_streamp z, int level, int method, int bits,
                        int memory, int strategy, const char *version, int size)
{
    int r = HIT(deflateInit2_) ? Z_MEM_ERROR
                               : deflateInit2_(z, level, method, bits, memory,
                                               strategy, version, size);

    (void)counted(r == Z_OK ? z : NULL);
    return r;
}

int fault_deflateEnd(z_streamp z)
{
    uncounted(z);
    return deflateEnd(z);
}
#endif

int fault_sigaltstack(const stack_t *set, stack_t *old)
{
    bool opens = set != NULL && old != NULL;

    return opens && HIT(sigaltstack) ? -1 : sigaltstack(set, old);
}

int fault_sigtimedwait(const sigset_t *set, siginfo_t *info,
                       const struct timespec *most)
{
    return HIT(sigtimedwait) ? -1 : sigtimedwait(set, info, most);
}
