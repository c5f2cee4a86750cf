/* report.c - which calls were made to fail, from where, and which were not.
 *
 * What the library calls is known in two ways: the names, from nm(1) of the
 * library, and each place, from the instructions of this program, since every
 * call goes to a function of ours.  Both are compared with what the scenarios
 * reached.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "tests/fault/inject.h"
#include <link.h>

/* ---- Names
 * ------------------------------------------------------------------- */

static const char *const known[] = {
#define FAILS(name, ...) #name,
#define SPLIT(name) #name,
#define COUNTED(name, why) #name,
#define NEVER(name, why) #name,
#include "tests/fault/calls.def"
};

/* Of the compiler, the linker and what they were asked to add. */
static const char *const foreign[] = { "__asan_",  "__tsan_",      "__ubsan_",
                                       "__gcov_",  "__sanitizer_", "__llvm_",
                                       "_GLOBAL_", "__stack_chk_", "Annotate" };

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

/* ---- Sums
 * -------------------------------------------------------------------- */

static struct inject_log **logs;
static int log_count;

struct sum {
    long reached, failed;
    long as[INJECT_VARIANTS]; /* by errno */
};

/* Of a call, or of all; at an address, or at all: 0. */
static struct sum sum_of(int call, uintptr_t at)
{
    struct sum sum = { 0 };

    for (int k = 0; k < log_count * INJECT_SITES; k++) {
        const struct inject_site *s =
            &logs[k / INJECT_SITES]->site[k % INJECT_SITES];

        if ((call != 0 && atomic_load(&s->call) != call) ||
            (at != 0 && atomic_load(&s->caller) != at))
            continue;
        sum.reached += atomic_load(&s->reached);
        for (int v = 0; v < INJECT_VARIANTS; v++) {
            sum.as[v] += atomic_load(&s->failed[v]);
            sum.failed += atomic_load(&s->failed[v]);
        }
    }
    return sum;
}

/* Whether every call that can fail was made to, with each of its errnos. */
static bool names_are_used(void)
{
    bool good = true;

    for (int call = 0; call < INJECT_CALLS; call++) {
        struct sum sum = sum_of(call + 1, 0);
        int unused = 0;

        for (int v = 0; v < inject_variants[call]; v++)
            unused += sum.as[v] == 0;
        if (unused == 0)
            continue;
        fprintf(stderr,
                "fault_test: %s was reached %ld times and failed %ld, with all "
                "but %d of its errnos: no scenario shows what then happens\n",
                inject_names[call], sum.reached, sum.failed, unused);
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

/* What is added to the addresses of the file. */
static uintptr_t bias(void)
{
    uintptr_t bias = 0;

    (void)dl_iterate_phdr(take_bias, &bias);
    return bias;
}

/* As a name, since under valgrind /proc/<pid>/exe is not this program. */
static const char *own_file(void)
{
    static char name[512];
    ssize_t n = readlink("/proc/self/exe", name, sizeof name - 1);

    CHECK(n > 0);
    name[n] = '\0';
    return name;
}

void report_place(uintptr_t caller)
{
    char command[1024];

    (void)fflush(stderr);
    (void)snprintf(command, sizeof command,
                   FAULT_ADDR2LINE " -fpia -e '%s' 0x%lx >&2", own_file(),
                   (unsigned long)(caller - bias()) - 1);
    (void)!system(command);
}

struct place {
    uintptr_t at; /* behind the call, in the file */
    char callee[32];
};

enum { PLACES_MAX = 1024 };

static struct place places[PLACES_MAX];
static int place_count;

/* Those that are only counted are of no interest here. */
static bool can_fail(const char *name)
{
    size_t len = strlen(name);

    for (int call = 0; len > 0 && call < INJECT_CALLS; call++)
        if (strncmp(inject_names[call], name, len) == 0 &&
            inject_variants[call] > 0 &&
            (inject_names[call][len] == '\0' || inject_names[call][len] == ' '))
            return true;
    return false;
}

/* What co/sys.h's table holds, in its order. */
static const char *const in_table[] = {
#define SYS_NAME(type, name, params, args) #name,
    SYS_CALLS(SYS_NAME) "open", "fcntl", "ioctl"
};

/* The name of what an instruction calls, directly or through the table; empty
 * when it calls nothing of interest. */
static void callee_of(const char *line, char name[32])
{
    const char *direct = strstr(line, "<fault_"), *table = strstr(line, "<sys");
    unsigned long offset = 0;

    name[0] = '\0';
    if (strstr(line, "\tcall") == NULL && strstr(line, "\tbl\t") == NULL)
        return;
    if (direct != NULL) {
        (void)sscanf(direct, "<fault_%31[^>]", name);
    } else if (table != NULL && strchr(line, '*') != NULL &&
               (sscanf(table, "<sys+0x%lx>", &offset) == 1 ||
                strncmp(table, "<sys>", 5) == 0) &&
               offset / sizeof(void *) < sizeof in_table / sizeof in_table[0]) {
        (void)snprintf(name, 32, "%s", in_table[offset / sizeof(void *)]);
    }
    if (!can_fail(name))
        name[0] = '\0';
}

static void add_place(uintptr_t at, const char *callee)
{
    for (int i = 0; i < place_count; i++)
        if (places[i].at == at)
            return;
    CHECK(place_count < PLACES_MAX);
    places[place_count].at = at;
    (void)snprintf(places[place_count++].callee, 32, "%s", callee);
}

/* The calls of what stands in for libc.  A jump in place of a call and return
 * shows as a call by the caller's caller. */
static void find_places(void)
{
    char command[1024], line[512], callee[32] = "";
    unsigned long at;
    FILE *f;

    (void)snprintf(command, sizeof command,
                   FAULT_OBJDUMP " -d --no-show-raw-insn '%s'", own_file());
    f = popen(command, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (callee[0] != '\0' && sscanf(line, " %lx:", &at) == 1)
            add_place(at, callee);
        callee_of(line, callee);
    }
    (void)pclose(f);
}

/* Those that the scenarios found, and the instructions do not show. */
static void add_reached(void)
{
    for (int k = 0; k < log_count * INJECT_SITES; k++) {
        const struct inject_site *s =
            &logs[k / INJECT_SITES]->site[k % INJECT_SITES];
        char name[32];

        if (atomic_load(&s->call) == 0)
            continue;
        (void)sscanf(inject_names[atomic_load(&s->call) - 1], "%31s", name);
        add_place(atomic_load(&s->caller) - bias(), name);
    }
}

/* ---- The list
 * ---------------------------------------------------------------- */

struct row {
    char text[200];
    char function[64], callee[32];
    long reached, failed;
};

static struct row rows[PLACES_MAX];
static int row_count;

/* One per line of source, however often it was inlined. */
static void add_row(const struct place *p, const char *where,
                    const char *function)
{
    struct row *r = rows;
    struct sum sum = sum_of(0, p->at + bias());
    char text[sizeof r->text];

    (void)snprintf(text, sizeof text, "%s %s", where, p->callee);
    while (r < rows + row_count && strcmp(r->text, text) != 0)
        r++;
    if (r == rows + row_count) {
        row_count++;
        memcpy(r->text, text, sizeof text);
        (void)snprintf(r->function, sizeof r->function, "%s", function);
        memcpy(r->callee, p->callee, sizeof r->callee);
    }
    r->reached += sum.reached;
    r->failed += sum.failed;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->text, ((const struct row *)b)->text);
}

static void make_rows(void)
{
    char name[] = "/tmp/corten-fault-XXXXXX", command[1024], line[512];
    int fd = mkstemp(name);
    FILE *f = fdopen(fd, "w");

    CHECK(f != NULL);
    for (int i = 0; i < place_count; i++)
        fprintf(f, "0x%lx\n", (unsigned long)places[i].at - 1);
    CHECK_EQ(fclose(f), 0);
    (void)snprintf(command, sizeof command, FAULT_ADDR2LINE " -fp -e '%s' <%s",
                   own_file(), name);
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
        add_row(&places[i], where, function);
    }
    (void)pclose(f);
    CHECK_EQ(unlink(name), 0);
    qsort(rows, (size_t)row_count, sizeof rows[0], by_text);
}

static const struct {
    const char *function, *callee;
} excused[] = {
#define PLACE(function, name, why) { #function, #name },
#include "tests/fault/calls.def"
};

static bool is_excused(const struct row *r)
{
    for (size_t i = 0; i < sizeof excused / sizeof excused[0]; i++)
        if (strcmp(r->function, excused[i].function) == 0 &&
            strcmp(r->callee, excused[i].callee) == 0)
            return true;
    return r->function[0] == '?'; /* built without -g */
}

/* Where it is reached but cannot fail there, calls.def has said why. */
static bool print_rows(bool all_reached)
{
    int never = 0;
    bool good = true;

    printf("reached  failed\n");
    for (int i = 0; i < row_count; i++) {
        printf("%7ld %7ld  %s\n", rows[i].reached, rows[i].failed,
               rows[i].text);
        never += rows[i].failed == 0;
        if (rows[i].reached > 0 || !all_reached || is_excused(&rows[i]))
            continue;
        fprintf(stderr, "fault_test: no scenario comes by %s\n", rows[i].text);
        good = false;
    }
    printf("%d places, %d of them never made to fail\n", row_count, never);
    return good;
}

bool report(struct inject_log **all, int count, bool all_failed)
{
    bool good;

    logs = all;
    log_count = count;
    good = names_are_known();
    find_places();
    add_reached();
    make_rows();
    good = print_rows(all_failed) && good;
    if (all_failed)
        good = names_are_used() && good;
    return good;
}
