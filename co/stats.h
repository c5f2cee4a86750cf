/* stats.h - counters of one scheduler.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_STATS_H
#define CO_STATS_H

#include "co/core.h"
#include "co/inside.h"

void stats_of(const struct sched *s, struct co_stats *out);

#endif
