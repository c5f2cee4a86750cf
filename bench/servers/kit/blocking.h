/* blocking.h - the handler of the servers that have something to block for each
 * connection: a thread, a process, a coroutine under hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_BLOCKING_H
#define BENCH_SERVERS_KIT_BLOCKING_H

#include "bench/servers/kit/service.h"

/* Serves fd until the peer or its silence ends it, and closes it. */
void blocking_serve(const struct service *s, int fd);

#endif
