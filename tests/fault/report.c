/* report.c - which calls were made to fail, from where, and which were not.
 *
 * What the library calls is known in two ways: the names, from nm(1) of the
 * library, and each place, from the instructions of this program, since every
 * call goes to a function of ours.  Both are compared with what the scenarios
 * reached.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/inject.h"
#include <link.h>

/* ---- Names
 * ------------------------------------------------------------------- */

static const char *const known[] = {
#define FAILS(name, ...) #name,
#define SPLIT(name) #name,
#define PART(name, part, ...)
#define COUNTED(name, why) #name,
#define NEVER(name, why) #name,
#include "tests/fault/calls.def"
};

/* Of the compiler, the linker and what they were asked to add. */
static const char *const foreign[] = { "__asan_",  "__tsan_",      "__ubsan_",
                                       "__gcov_",  "__sanitizer_", "__llvm_",
                                       "_GLOBAL_", "__stack_chk_" };

static bool is_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (strncmp(name, foreign[i], strlen(foreign[i])) == 0)
            return true;
    return false;
}

static bool names_are_known(void)
{
    FILE *f = fopen(FAULT_UNDEFINED, "r");
    char name[128];
    bool good = true;
    int count = 0;

    CHECK(f != NULL);
    for (; fscanf(f, "%127s", name) == 1; count++)
        if (!is_known(name)) {
            fprintf(stderr,
                    "fault_test: the library calls %s(), which has no row in "
                    "tests/fault/calls.def: say there how it fails, or why it "
                    "cannot\n",
                    name);
            good = false;
        }
    (void)fclose(f);
    CHECK(count > 50);
    return good;
}

/* Whether every call that can fail was made to, with each of its errnos. */
static bool names_are_used(bool all_injected)
{
    bool good = true;

    for (int call = 0; call < INJECT_CALLS; call++) {
        long reached = 0, injected = 0;

        for (int i = 0; i < INJECT_SITES; i++) {
            struct inject_site *s = &inject_shared->site[i];

            if (atomic_load(&s->call) != call + 1)
                continue;
            reached += atomic_load(&s->reached);
            injected += atomic_load(&s->injected);
        }
        if (inject_variants[call] == 0 ||
            (all_injected ? injected >= inject_variants[call] : reached > 0))
            continue;
        fprintf(stderr,
                "fault_test: %s was reached %ld times and failed %ld: no "
                "scenario shows what then happens\n",
                inject_names[call], reached, injected);
        good = false;
    }
    return good;
}

/* ---- Places
 * ------------------------------------------------------------------ */

static int take_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr; /* the program itself comes first */
    return 1;
}

static uintptr_t in_file(uintptr_t address)
{
    uintptr_t bias = 0;

    (void)dl_iterate_phdr(take_bias, &bias);
    return address - bias;
}

void report_place(uintptr_t caller)
{
    char command[256];

    (void)fflush(stderr);
    (void)snprintf(command, sizeof command,
                   FAULT_ADDR2LINE " -fpia -e /proc/%d/exe 0x%lx >&2",
                   (int)getpid(), (unsigned long)in_file(caller) - 1);
    (void)!system(command);
}

struct place {
    uintptr_t at; /* behind the call, in the file */
    char callee[32];
    const struct inject_site *site; /* NULL: never reached */
};

enum { PLACES_MAX = 1024 };

static struct place places[PLACES_MAX];
static int place_count;

static const struct inject_site *site_behind(uintptr_t at)
{
    for (int i = 0; i < INJECT_SITES; i++)
        if (atomic_load(&inject_shared->site[i].call) != 0 &&
            in_file(atomic_load(&inject_shared->site[i].caller)) == at)
            return &inject_shared->site[i];
    return NULL;
}

/* The calls of what stands in for libc; a jump in place of a call and return
 * shows as a call by the caller's caller, and is left out. */
static void find_places(void)
{
    char command[128], line[512], callee[32] = "";
    unsigned long at;
    FILE *f;

    (void)snprintf(command, sizeof command,
                   FAULT_OBJDUMP " -d --no-show-raw-insn /proc/%d/exe",
                   (int)getpid());
    f = popen(command, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        const char *to = strstr(line, "<fault_");
        bool calls = strstr(line, "\tcall") != NULL || /* aarch64: */
                     strstr(line, "\tbl\t") != NULL;

        if (callee[0] != '\0' && sscanf(line, " %lx:", &at) == 1 &&
            place_count < PLACES_MAX) {
            struct place *p = &places[place_count++];

            p->at = at;
            p->site = site_behind(at);
            memcpy(p->callee, callee, sizeof callee);
        }
        callee[0] = '\0';
        if (to != NULL && calls)
            (void)sscanf(to, "<fault_%31[^>]", callee);
    }
    (void)pclose(f);
}

/* ---- The list
 * ---------------------------------------------------------------- */

struct row {
    char text[200];
    long reached, injected;
};

static struct row rows[PLACES_MAX];
static int row_count;

/* One per line of source, however often it was inlined. */
static void add_row(const struct place *p, const char *where)
{
    struct row *r = rows;
    char text[sizeof r->text];

    (void)snprintf(text, sizeof text, "%s %s", where, p->callee);
    while (r < rows + row_count && strcmp(r->text, text) != 0)
        r++;
    if (r == rows + row_count) {
        row_count++;
        memcpy(r->text, text, sizeof text);
    }
    if (p->site != NULL) {
        r->reached += atomic_load(&p->site->reached);
        r->injected += atomic_load(&p->site->injected);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->text, ((const struct row *)b)->text);
}

static void make_rows(void)
{
    char name[] = "/tmp/corten-fault-XXXXXX", command[256], line[512];
    int fd = mkstemp(name);
    FILE *f = fdopen(fd, "w");

    CHECK(f != NULL);
    for (int i = 0; i < place_count; i++)
        fprintf(f, "0x%lx\n", (unsigned long)places[i].at - 1);
    CHECK_EQ(fclose(f), 0);
    (void)snprintf(command, sizeof command,
                   FAULT_ADDR2LINE " -fp -e /proc/%d/exe <%s", (int)getpid(),
                   name);
    f = popen(command, "r");
    CHECK(f != NULL);
    /* "function at /path/to/co/file.c:12" */
    for (int i = 0; i < place_count && fgets(line, sizeof line, f); i++) {
        char function[64] = "?", path[256] = "?", where[160];
        const char *from;

        (void)sscanf(line, "%63s at %255s", function, path);
        from = strstr(path, FAULT_ROOT) == path ? path + strlen(FAULT_ROOT) + 1
                                                : path;
        (void)snprintf(where, sizeof where, "%-28.60s %-22.60s", from,
                       function);
        add_row(&places[i], where);
    }
    (void)pclose(f);
    CHECK_EQ(unlink(name), 0);
    qsort(rows, (size_t)row_count, sizeof rows[0], by_text);
}

static void print_rows(void)
{
    int never = 0;

    printf("reached  failed\n");
    for (int i = 0; i < row_count; i++) {
        printf("%7ld %7ld  %s\n", rows[i].reached, rows[i].injected,
               rows[i].text);
        never += rows[i].injected == 0;
    }
    printf("%d places, %d of them never made to fail\n", row_count, never);
}

bool report(bool all_injected)
{
    bool good = names_are_known();

    good = names_are_used(all_injected) && good;
    find_places();
    make_rows();
    print_rows();
    return good;
}
