/* queue.h - the textbook's hand-over between threads: a ring, a mutex, two
 * conditions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_QUEUE_H
#define BENCH_SERVERS_KIT_QUEUE_H

#include <pthread.h>

enum { QUEUE_MAX = 1024 };

struct queue { /* QUEUE_INIT */
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    unsigned first;
    unsigned count;
    void *items[QUEUE_MAX];
};

#define QUEUE_INIT                                                             \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER,                                     \
        .not_empty = PTHREAD_COND_INITIALIZER,                                 \
        .not_full = PTHREAD_COND_INITIALIZER                                   \
    }

/* Both wait, for room and for an item. */
static inline void queue_push(struct queue *q, void *item)
{
    (void)pthread_mutex_lock(&q->lock);
    while (q->count == QUEUE_MAX)
        (void)pthread_cond_wait(&q->not_full, &q->lock);
    q->items[(q->first + q->count++) % QUEUE_MAX] = item;
    (void)pthread_mutex_unlock(&q->lock);
    (void)pthread_cond_signal(&q->not_empty);
}

static inline void *queue_pop(struct queue *q)
{
    void *item;

    (void)pthread_mutex_lock(&q->lock);
    while (q->count == 0)
        (void)pthread_cond_wait(&q->not_empty, &q->lock);
    item = q->items[q->first];
    q->first = (q->first + 1) % QUEUE_MAX;
    if (q->count-- == QUEUE_MAX)
        (void)pthread_cond_signal(&q->not_full);
    (void)pthread_mutex_unlock(&q->lock);
    return item;
}

#endif
