/* drive.h - the whole run.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_DRIVE_H
#define BENCH_LOAD_DRIVE_H

#include "bench/load/run.h"

/* Does what the options say; what came out is in run, errors included.  0, or
 * -1 with errno when the runtime did not start. */
int drive(struct run *run, const struct options *o);

#endif
