/* cpus.c - see cpus.h.
 *
 * The quota of a cgroup (cgroups(7), cpu.max) bounds all its descendants, so
 * the smallest on the way up to the root counts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/cpus.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPUS_MAX = 8192 }; /* CONFIG_NR_CPUS goes no further */

static cpu_set_t *read_mask(size_t *size)
{
    cpu_set_t *set = CPU_ALLOC(CPUS_MAX);

    *size = CPU_ALLOC_SIZE(CPUS_MAX);
    if (set != NULL && sched_getaffinity(0, *size, set) < 0) {
        CPU_FREE(set);
        set = NULL;
    }
    return set;
}

unsigned cpus_of_quota(const char *text)
{
    long long quota, period;

    if (sscanf(text, "%lld %lld", &quota, &period) != 2 || quota <= 0 ||
        period <= 0)
        return 0;
    return (unsigned)((quota + period - 1) / period);
}

static unsigned read_quota(const char *dir)
{
    char name[PATH_MAX + 32], text[64];
    unsigned cpus = 0;
    FILE *f;

    (void)snprintf(name, sizeof name, "/sys/fs/cgroup%s/cpu.max", dir);
    f = fopen(name, "re");
    if (f == NULL)
        return 0; /* the root has none, nor has cgroup v1 */
    if (fgets(text, sizeof text, f) != NULL)
        cpus = cpus_of_quota(text);
    (void)fclose(f);
    return cpus;
}

/* The cgroup v2 path of this process, "" for the root. */
static void own_cgroup(char *path, size_t size)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];

    path[0] = '\0';
    if (f == NULL)
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(path, size, "%s", line + 3);
    }
    (void)fclose(f);
}

static unsigned smallest_quota(void)
{
    char path[PATH_MAX], *slash;
    unsigned least = 0;

    own_cgroup(path, sizeof path);
    for (;;) {
        unsigned cpus = read_quota(path);

        if (cpus != 0 && (least == 0 || cpus < least))
            least = cpus;
        slash = strrchr(path, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

unsigned cpus_allowed(void)
{
    unsigned count = 1, quota = smallest_quota();
    size_t size;
    cpu_set_t *set = read_mask(&size);

    if (set != NULL) {
        count = (unsigned)CPU_COUNT_S(size, set);
        CPU_FREE(set);
    }
    return quota != 0 && quota < count ? quota : count;
}

int cpus_pin(unsigned i)
{
    size_t size;
    cpu_set_t *set = read_mask(&size);
    unsigned count, seen = 0;
    int r = -1;

    if (set == NULL)
        return -1;
    count = (unsigned)CPU_COUNT_S(size, set);
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!CPU_ISSET_S(cpu, size, set) || seen++ != i % count)
            continue;
        CPU_ZERO_S(size, set);
        CPU_SET_S(cpu, size, set);
        r = sched_setaffinity(0, size, set);
        break;
    }
    CPU_FREE(set);
    return r;
}

int cpus_get(struct cpus_mask *mask)
{
    return sched_getaffinity(0, sizeof *mask, (cpu_set_t *)(void *)mask->bits);
}

int cpus_put_back(const struct cpus_mask *mask)
{
    return sched_setaffinity(0, sizeof *mask,
                             (const cpu_set_t *)(const void *)mask->bits);
}
