/* cpus.h - how many schedulers this process should have, and where.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CPUS_H
#define CO_CPUS_H

/* The cpus of the affinity mask, at most as many as the cgroup's quota rounded
 * up; at least 1. */
unsigned cpus_allowed(void);

/* The mask of the calling thread, to be put back.  -1 with errno. */
struct cpus_mask {
    unsigned long bits[8192 / (8 * sizeof(unsigned long))];
};
int cpus_get(struct cpus_mask *mask);
int cpus_put_back(const struct cpus_mask *mask);

/* Binds the calling thread to the i-th cpu of the mask, counting round.  0, or
 * -1 with errno. */
int cpus_pin(unsigned i);

/* The quota of one cgroup v2 cpu.max text ("max 100000", "150000 100000") in
 * whole cpus rounded up; 0: none. */
unsigned cpus_of_quota(const char *text);

#endif
