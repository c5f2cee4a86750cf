/* symbols.c - see symbols.h.
 *
 * elfutils' libdw knows functions, static ones too, with files and lines.  It
 * is looked for when a report is made and its few functions are declared here,
 * so corten needs it neither to be built nor to run; without it dladdr(3) knows
 * the names that the dynamic linker does.
 *
 * libdw may not ask servers for what it does not find on this machine: a
 * program that hangs should not hang on that, too.  So what looks for debugging
 * information is the one of its functions that only looks into the local
 * directory.
 *
 * A program that was linked with -static does without: what it loads comes with
 * a libc of its own, which knows nothing of the program's threads, and libdw
 * crashes on them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/symbols.h"
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { PLACES_FIRST = 256 };

typedef struct Dwfl Dwfl;
typedef struct Dwfl_Module Dwfl_Module;
typedef struct Dwarf_Line Dwarf_Line;
typedef struct Dwarf_Die Dwarf_Die;
typedef void (*any_fn)(void);

struct callbacks { /* Dwfl_Callbacks */
    any_fn find_elf, find_debuginfo, section_address;
    char **debuginfo_path;
};

struct libdw {
    void *handle;
    Dwfl *(*begin)(const struct callbacks *callbacks);
    void (*end)(Dwfl *dwfl);
    int (*proc_report)(Dwfl *dwfl, pid_t pid);
    int (*report_end)(Dwfl *dwfl, any_fn removed, void *arg);
    Dwfl_Module *(*addrmodule)(Dwfl *dwfl, uint64_t address);
    const char *(*addrname)(Dwfl_Module *module, uint64_t address);
    Dwarf_Die *(*addrdie)(Dwfl_Module *module, uint64_t address,
                          uint64_t *bias);
    Dwarf_Die *(*nextcu)(Dwfl_Module *module, Dwarf_Die *last, uint64_t *bias);
    int (*haspc)(Dwarf_Die *die, uint64_t address);
    Dwarf_Line *(*getsrc)(Dwarf_Die *die, uint64_t address);
    const char *(*linesrc)(Dwarf_Line *line, uint64_t *mtime, uint64_t *length);
    int (*lineno)(Dwarf_Line *line, int *number);
};

struct symbols {
    struct libdw dw;
    struct callbacks callbacks;
    Dwfl *dwfl;            /* NULL: none */
    char *directory;       /* where our sources are: ".../co/"; NULL: unknown */
    const void *module;    /* where we are loaded, when that is a library */
    struct symbol *places; /* by address, open addressing */
    size_t size, used;
};

/* ---- libdw ------------------------------------------------------------------
 */

static bool find(struct libdw *dw, const char *name, void *to)
{
    /* POSIX: the way to turn dlsym()'s result into a function. */
    return (*(void **)to = dlsym(dw->handle, name)) != NULL;
}

static bool find_all(struct symbols *s)
{
    struct libdw *dw = &s->dw;

    return find(dw, "dwfl_begin", &dw->begin) &&
           find(dw, "dwfl_end", &dw->end) &&
           find(dw, "dwfl_linux_proc_report", &dw->proc_report) &&
           find(dw, "dwfl_report_end", &dw->report_end) &&
           find(dw, "dwfl_addrmodule", &dw->addrmodule) &&
           find(dw, "dwfl_module_addrname", &dw->addrname) &&
           find(dw, "dwfl_module_addrdie", &dw->addrdie) &&
           find(dw, "dwfl_module_nextcu", &dw->nextcu) &&
           find(dw, "dwarf_haspc", &dw->haspc) &&
           find(dw, "dwarf_getsrc_die", &dw->getsrc) &&
           find(dw, "dwarf_linesrc", &dw->linesrc) &&
           find(dw, "dwarf_lineno", &dw->lineno) &&
           find(dw, "dwfl_linux_proc_find_elf", &s->callbacks.find_elf) &&
           find(dw, "dwfl_build_id_find_debuginfo",
                &s->callbacks.find_debuginfo);
}

static bool is_linked_dynamically(void)
{
    const ElfW(Phdr) *part = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; i < count; i++)
        if (part[i].p_type == PT_INTERP)
            return true;
    return false;
}

/* What the program's addresses have more than those in its file. */
static uintptr_t program_bias(void)
{
    const ElfW(Phdr) *part = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    uintptr_t file = (uintptr_t)part - sizeof(ElfW(Ehdr));

    for (unsigned long i = 0; i < count; i++)
        if (part[i].p_type == PT_LOAD && part[i].p_offset == 0)
            return file - part[i].p_vaddr;
    return 0;
}

static void open_libdw(struct symbols *s)
{
    if (!is_linked_dynamically())
        return;
    s->dw.handle = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (s->dw.handle == NULL || !find_all(s))
        return;
    s->dwfl = s->dw.begin(&s->callbacks);
    if (s->dwfl != NULL && s->dw.proc_report(s->dwfl, getpid()) == 0 &&
        s->dw.report_end(s->dwfl, NULL, NULL) == 0)
        return;
    if (s->dwfl != NULL)
        s->dw.end(s->dwfl);
    s->dwfl = NULL;
}

/* The compilation unit that has pc.  clang makes no table of them, unless it is
 * told to (-gdwarf-aranges), so they may have to be gone through. */
static Dwarf_Die *unit_of(struct symbols *s, Dwfl_Module *module, uintptr_t pc,
                          uint64_t *bias)
{
    Dwarf_Die *unit = s->dw.addrdie(module, pc, bias);

    if (unit != NULL)
        return unit;
    while ((unit = s->dw.nextcu(module, unit, bias)) != NULL)
        if (s->dw.haspc(unit, pc - *bias) > 0)
            return unit;
    return NULL;
}

/* The path of the source of what lies at pc, or NULL. */
static const char *source(struct symbols *s, uintptr_t pc, int *line)
{
    Dwfl_Module *module = s->dw.addrmodule(s->dwfl, pc);
    uint64_t bias = 0;
    Dwarf_Die *unit = module == NULL ? NULL : unit_of(s, module, pc, &bias);
    Dwarf_Line *found = unit == NULL ? NULL : s->dw.getsrc(unit, pc - bias);

    if (found == NULL || s->dw.lineno(found, line) != 0)
        return NULL;
    return s->dw.linesrc(found, NULL, NULL);
}

/* ---- One address ------------------------------------------------------------
 */

static const char *base_of(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Sources of ours are beside this one, or in the directory net/ beside. */
static bool is_our_source(const struct symbols *s, const char *path)
{
    size_t len = strlen(s->directory);

    if (strncmp(path, s->directory, len) == 0)
        return strchr(path + len, '/') == NULL;
    len -= strlen("co/");
    return strncmp(path, s->directory, len) == 0 &&
           strncmp(path + len, "net/", 4) == 0 &&
           strchr(path + len + 4, '/') == NULL;
}

static bool is_public(const char *function)
{
    return strncmp(function, "co_", 3) == 0 ||
           strncmp(function, "net_", 4) == 0;
}

/* The frames below the first function of a coroutine's. */
static bool is_start(const char *function)
{
    return strcmp(function, "context_first") == 0 ||
           strcmp(function, "context_start") == 0;
}

static void look_up(struct symbols *s, const void *pc, struct symbol *symbol)
{
    uintptr_t at = (uintptr_t)pc - 1; /* the call, not what comes after it */
    const char *path = NULL;
    Dl_info info = { 0 };

    *symbol = (struct symbol){ .pc = pc, .offset = at };
    if (dladdr((const void *)at, &info) != 0) {
        symbol->module = base_of(info.dli_fname);
        symbol->offset = at - (uintptr_t)info.dli_fbase;
        symbol->function = info.dli_sname;
        symbol->ours = s->module != NULL && info.dli_fbase == s->module;
    } else if (!is_linked_dynamically()) {
        symbol->offset = at - program_bias();
    }
    if (s->dwfl != NULL) {
        Dwfl_Module *module = s->dw.addrmodule(s->dwfl, at);
        const char *name = module == NULL ? NULL : s->dw.addrname(module, at);

        path = source(s, at, &symbol->line);
        symbol->file = base_of(path);
        symbol->function = name != NULL ? name : symbol->function;
    }
    if (path != NULL && s->directory != NULL)
        symbol->ours = is_our_source(s, path);
    if (symbol->function != NULL) {
        symbol->ours |= is_start(symbol->function);
        symbol->exported = is_public(symbol->function) &&
                           (symbol->ours || s->directory == NULL);
    }
}

/* ---- The table --------------------------------------------------------------
 */

static struct symbol *place_of(struct symbol *places, size_t size,
                               const void *pc)
{
    size_t i = ((uintptr_t)pc * UINT64_C(0x9e3779b97f4a7c15) >> 32) % size;

    while (places[i].pc != NULL && places[i].pc != pc)
        i = (i + 1) % size;
    return &places[i];
}

/* Makes the table twice as large; false when there is no memory for that.  The
 * old places are dead then, so nobody may hold one meanwhile. */
static bool grow(struct symbols *s)
{
    size_t size = s->size == 0 ? PLACES_FIRST : 2 * s->size;
    struct symbol *places = calloc(size, sizeof *places);

    if (places == NULL)
        return false;
    for (size_t i = 0; i < s->size; i++)
        if (s->places[i].pc != NULL)
            *place_of(places, size, s->places[i].pc) = s->places[i];
    free(s->places);
    s->places = places;
    s->size = size;
    return true;
}

static const struct symbol *symbol_at(struct symbols *s, const void *pc)
{
    struct symbol *place = place_of(s->places, s->size, pc);

    if (place->pc == NULL) {
        look_up(s, pc, place);
        s->used++;
    }
    return place;
}

/* Where this file lies; unknown is as good as no lines. */
static void find_directory(struct symbols *s)
{
    int line;
    const char *path = source(s, (uintptr_t)symbols_open, &line);
    size_t len = path == NULL ? 0 : (size_t)(base_of(path) - path);

    if (len < 3 || strncmp(path + len - 3, "co/", 3) != 0 ||
        (s->directory = malloc(len + 1)) == NULL)
        return;
    memcpy(s->directory, path, len);
    s->directory[len] = '\0';
}

/* ---- Public
 * --------------------------------------------------------------------- */

struct symbols *symbols_open(void)
{
    struct symbols *s = calloc(1, sizeof *s);
    Dl_info us, program;

    if (s == NULL || !grow(s)) {
        free(s);
        return NULL;
    }
    if (dladdr((const void *)(uintptr_t)symbols_open, &us) != 0 &&
        dladdr((const void *)getauxval(AT_ENTRY), &program) != 0 &&
        us.dli_fbase != program.dli_fbase)
        s->module = us.dli_fbase;
    open_libdw(s);
    if (s->dwfl != NULL)
        find_directory(s);
    return s;
}

void symbols_close(struct symbols *s)
{
    if (s == NULL)
        return;
    if (s->dwfl != NULL)
        s->dw.end(s->dwfl);
    if (s->dw.handle != NULL)
        (void)dlclose(s->dw.handle);
    free(s->directory);
    free(s->places);
    free(s);
}

const char *symbols_lack(const struct symbols *s)
{
    if (s->dwfl != NULL)
        return NULL;
    return is_linked_dynamically() ? "libdw.so.1 (package libdw1) is not here"
                                   : "the program is linked with -static";
}

/* Of a stretch of our own frames the outermost exported function stands for
 * all.  Where we do not know our own from the user's, all up to the first that
 * has the name of an exported one are ours. */
void symbols_trace(struct symbols *s, const struct record *r, struct trace *t)
{
    const struct symbol *all[RECORD_FRAMES];
    unsigned count = r->frame_count, i = 0;

    *t = (struct trace){ 0 };
    while (s->size - s->used < 2 * RECORD_FRAMES && grow(s))
        ;
    if (s->size - s->used < 2 * RECORD_FRAMES)
        return; /* no memory: no names */
    for (unsigned k = 0; k < count; k++)
        all[k] = symbol_at(s, r->frames[k]);
    for (unsigned k = 0; k < count && t->call == NULL; k++) {
        if (all[k]->exported)
            t->call = all[i = k];
        else if (s->directory != NULL && !all[k]->ours)
            break;
    }
    for (; i < count && (all[i]->ours || all[i]->exported); i++)
        if (all[i]->exported)
            t->call = all[i];
    for (; i < count && t->count < TRACE_FRAMES; i++)
        if (!all[i]->ours || all[i]->exported)
            t->frames[t->count++] = all[i];
}
