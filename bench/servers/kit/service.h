/* service.h - what every measured server is asked to do, so that they differ in
 * how they wait and in nothing else.
 *
 *     NAME echo|http [ADDRESS] [--compute US] [--block MS] [--idle SECONDS]
 *          [--threads N] [--mode MODE]
 *
 * echo sends back what has come; http answers "GET /greet/NAME".  A heavy
 * request, an echo that begins with "!" or a GET of /heavy/NAME, costs
 * --compute and --block before it is answered.  Connections that say nothing
 * for --idle seconds are closed.  "listening on ADDRESS" tells that it is
 * ready, SIGTERM ends it with status 0; 2 is a wrong command line, 3 a service
 * that this kind of server cannot give, with the reason.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_SERVICE_H
#define BENCH_SERVERS_KIT_SERVICE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct service { /* zero but for name, threads and mode; these as defaults */
    const char *name;
    const char *addr;
    const char *mode; /* NULL: there are none */
    unsigned threads; /* 0: there are none */
    bool http;
    unsigned compute_us;
    unsigned block_ms;
    unsigned idle_s;
};

/* Reads the command line; ends the process when it is wrong. */
void service_parse(struct service *s, int argc, char **argv);

/* Ends the process when a heavy request is to block, and says why it cannot. */
void service_never_blocks(const struct service *s);

/* A socket with those SOCK_ flags that listens on s->addr; -1 with errno. */
int service_listen(const struct service *s, int flags);

/* Says where fd listens, and lets SIGTERM end the process; 0, or -1. */
int service_ready(int fd);

/* What a heavy request costs; and its two parts.  A microsecond is so many
 * dependent multiplications, about what processors do in that time: a clock
 * would count for a thread what others did meanwhile. */
enum { SERVICE_STEPS_A_US = 700 };
void service_work(const struct service *s);
void service_compute(const struct service *s);
void service_block(const struct service *s);

/* Turns Nagle's algorithm off, as all of them do. */
void service_no_delay(int fd);

/* Prints what failed, and errno; the status of the process. */
int service_failed(const struct service *s, const char *what);

#ifdef __cplusplus
}
#endif

#endif
