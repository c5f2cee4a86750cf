/* clients.h - what the connections of `load` do.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_CLIENTS_H
#define BENCH_LOAD_CLIENTS_H

#include "bench/load/run.h"

/* Connects all of them, each with one request that is not counted (but for the
 * silent ones), and returns when they are ready.  0, or -1 with the error noted
 * in run. */
int clients_open(struct run *run);

/* From now on they ask. */
void clients_start(struct run *run);

/* They end what is under way, or what the open loop planned before now, for a
 * second at most, and close. */
void clients_stop(struct run *run);

#endif
