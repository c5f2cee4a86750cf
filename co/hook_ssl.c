/* hook_ssl.c - OpenSSL's queue of errors is the coroutine's, not the thread's.
 *
 * OpenSSL keeps one per thread, and SSL_get_error() looks at it: what one
 * coroutine left there would make the next one's healthy connection fail.  So
 * the queue goes away with the coroutine that is switched away from, and comes
 * back with it.  The library is found when it is loaded, at the next socket
 * that is made; a program without it pays nothing.  For OpenSSL 3 and later.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_ssl.h"
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS = 16 }; /* what OpenSSL's queue holds */

static struct {
    unsigned long (*peek)(void);
    unsigned long (*get)(const char **file, int *line, const char **func,
                         const char **data, int *flags);
    void (*clear)(void);
    void (*begin)(void);
    void (*where)(const char *file, int line, const char *func);
    void (*set)(int lib, int reason, const char *format, ...);
} ssl;

struct error {
    unsigned long code;
    int line;
    char *file, *func, *data; /* NULL without memory */
};

struct queue {
    int count;
    struct error errors[ERRORS];
};

/* A queue that there is no memory to keep is dropped: better nobody's than
 * another one's. */
static void *take(void)
{
    struct queue *q;
    const char *file, *func, *data;
    int flags;

    if (ssl.peek() == 0)
        return NULL;
    q = calloc(1, sizeof *q);
    while (q != NULL && q->count < ERRORS) {
        struct error *e = &q->errors[q->count];

        e->code = ssl.get(&file, &e->line, &func, &data, &flags);
        if (e->code == 0)
            break;
        e->file = strdup(file != NULL ? file : "");
        e->func = strdup(func != NULL ? func : "");
        e->data = data != NULL && *data != '\0' ? strdup(data) : NULL;
        q->count++;
    }
    ssl.clear();
    return q;
}

/* Library and reason of an error code, as ERR_GET_LIB() and ERR_GET_REASON()
 * of OpenSSL 3 find them. */
static void put(const struct error *e)
{
    bool of_system = e->code & 0x80000000UL;
    int lib = of_system ? 2 : (int)(e->code >> 23 & 0xff);
    int reason = (int)(e->code & (of_system ? 0x7fffffffUL : 0x7fffffUL));

    ssl.begin();
    ssl.where(e->file != NULL ? e->file : "", e->line,
              e->func != NULL ? e->func : "");
    if (e->data != NULL)
        ssl.set(lib, reason, "%s", e->data);
    else
        ssl.set(lib, reason, NULL);
}

static void give(void *kept)
{
    struct queue *q = kept;

    ssl.clear(); /* of whoever ran last and left without a switch */
    for (int i = 0; i < q->count; i++) {
        struct error *e = &q->errors[i];

        put(e);
        free(e->file);
        free(e->func);
        free(e->data);
    }
    free(q);
}

static void drop(void) { ssl.clear(); }

static bool find_all(void *library)
{
    const struct {
        const char *name;
        void **at;
    } names[] = {
        { "ERR_peek_error", (void **)&ssl.peek },
        { "ERR_get_error_all", (void **)&ssl.get },
        { "ERR_clear_error", (void **)&ssl.clear },
        { "ERR_new", (void **)&ssl.begin },
        { "ERR_set_debug", (void **)&ssl.where },
        { "ERR_set_error", (void **)&ssl.set },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((*names[i].at = dlsym(library, names[i].name)) == NULL)
            return false;
    return true;
}

/* How many objects were ever loaded. */
static int count_loads(struct dl_phdr_info *info, size_t size, void *count)
{
    (void)size;
    *(unsigned long long *)count = info->dlpi_adds;
    return 1; /* the first says it for all */
}

void hook_ssl_look(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static _Atomic(unsigned long long) looked_at;
    unsigned long long loads = 0;
    void *library;

    if (looked_at == ~0ULL) /* found */
        return;
    (void)dl_iterate_phdr(count_loads, &loads);
    if (loads == looked_at)
        return;
    (void)pthread_mutex_lock(&lock);
    if (looked_at != ~0ULL) {
        looked_at = loads;
        library = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_NOLOAD);
        if (library == NULL)
            library = dlopen(NULL, RTLD_LAZY); /* linked statically? */
        if (library != NULL && find_all(library)) {
            co_sys_guest(take, give, drop);
            looked_at = ~0ULL;
        }
    }
    (void)pthread_mutex_unlock(&lock);
}
