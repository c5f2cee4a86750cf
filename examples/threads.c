/* threads.c - the schedulers run beside a program's own threads.
 *
 *     threads [JOBS]             1000 unless given
 *
 * A program that has threads of its own starts the runtime, and hands it work:
 * each thread sends jobs to coroutines, which wait for many things at once, and
 * receives what they made of it; all share one total under a mutex.  The calls
 * are the same on both sides.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, WORKERS = 100 };

static struct co_chan *jobs, *results;
static struct co_mutex lock;
static long total, jobs_each; /* total under lock */

/* A coroutine: waits a little, as if for a slow service, and answers. */
static void worker(void *arg)
{
    long n;

    (void)arg;
    while (co_chan_recv(jobs, &n, CO_FOREVER) == 0) {
        if (co_sleep_until(co_after(CO_MSEC)) < 0)
            break; /* the runtime stops */
        co_mutex_lock(&lock);
        total += n;
        co_mutex_unlock(&lock);
        n = 1;
        if (co_chan_send(results, &n, CO_FOREVER) < 0)
            break;
    }
}

/* A plain thread. */
static void *thread(void *arg)
{
    struct co *helper = co_spawn(worker, NULL, NULL); /* a thread may spawn */
    long done = 0, n;

    for (long i = 1; i <= jobs_each; i++) {
        (void)co_chan_send(jobs, &i, CO_FOREVER);
        if (co_chan_recv(results, &n, CO_NOWAIT) == 0)
            done++; /* somebody's: they are all alike */
    }
    co_mutex_lock(&lock);
    *(long *)arg = done;
    co_mutex_unlock(&lock);
    if (helper != NULL)
        co_detach(helper);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    long done[THREADS] = { 0 }, all = 0, n;
    struct co *workers[WORKERS];

    jobs_each = (argc > 1 ? atol(argv[1]) : 1000) / THREADS;
    jobs = co_chan_new(sizeof(long), 16);
    results = co_chan_new(sizeof(long), (size_t)(jobs_each * THREADS));
    if (jobs == NULL || results == NULL || co_start(NULL) < 0) {
        perror(argv[0]);
        return 1;
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = co_spawn(worker, NULL, NULL);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_create(&threads[i], NULL, thread, &done[i]);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        all += done[i];
    }
    for (; all < jobs_each * THREADS; all++)
        (void)co_chan_recv(results, &n, CO_FOREVER);
    co_chan_close(jobs); /* the workers end */
    for (int i = 0; i < WORKERS; i++)
        if (workers[i] != NULL)
            (void)co_join(workers[i], CO_FOREVER);
    printf("%ld jobs, total %ld\n", all, total);
    if (co_shutdown(co_after(5 * CO_SECOND)) < 0) {
        perror("co_shutdown");
        return 1;
    }
    co_chan_free(jobs);
    co_chan_free(results);
    return 0;
}
