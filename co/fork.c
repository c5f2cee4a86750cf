/* fork.c - see fork.h.
 *
 * Of all threads only the one that forked goes on in the child, perhaps on the
 * stack of a coroutine.  The epoll sets are shared with the parent: the child
 * closes them untouched, or it would undo the parent's registrations.  Locks
 * may be held by threads that are gone, so those the runtime needs again are
 * made anew; and memory that the child may be standing on, the stacks, is left
 * to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fork.h"
#include "co/boot.h"
#include "co/dump_signal.h"
#include "co/fd_thread.h"
#include "co/fd_word.h"
#include "co/io.h"
#include "co/offload.h"
#include "co/overflow.h"
#include "co/runq.h"
#include "co/signals.h"
#include "co/wait.h"
#include <errno.h>
#include <stdlib.h>

static bool prepared;      /* under boot.lock */
static unsigned inherited; /* schedulers of the parent */
static pthread_t *inherited_thread;

/* Only what is safe in a signal handler, as fork(2) demands of the child of a
 * process with threads. */
static void in_child(void)
{
    unsigned count = atomic_exchange(&sched_set.count, 0);

    for (unsigned i = 0; i < count; i++)
        sched_forsake(sched_set.at[i]);
    if (count > inherited)
        inherited = count;
    co_sys_thread = sched_of_host = NULL;
    sched_set.forks++;
    atomic_store(&runq_outsiders, 0);
    atomic_store(&waitq_sleepers, 0);
    sched_set.quiet = (struct co_waitq){ 0 };
    fd_word_forsake();
    fd_thread_forsake();
    io_forsake();
    offload_forsake();
    stack_forsake();
    if (boot.up && boot.sigsegv)
        overflow_close();
    signals_give_back();
    dump_signal_forsake();
    inherited_thread = boot.thread;
    boot = (struct boot){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

/* Not by pthread_once(), which would keep a failure for ever. */
int fork_prepare(void)
{
    int err = prepared ? 0 : pthread_atfork(NULL, NULL, in_child);

    prepared = err == 0;
    errno = err;
    return err == 0 ? 0 : -1;
}

void fork_clean(void)
{
    for (unsigned i = 0; i < inherited; i++)
        sched_close(sched_set.at[i]);
    inherited = 0;
    free(inherited_thread);
    inherited_thread = NULL;
}
