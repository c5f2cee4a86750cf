/* dump_signal.h - a signal that has everything printed.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_DUMP_SIGNAL_H
#define CO_DUMP_SIGNAL_H

/* 0, or -1 with errno: EINVAL for what is no signal that can be handled. */
int dump_signal_open(int sig);
void dump_signal_close(void); /* what was before is there again */

/* In the child of a fork, where nobody waits for it.  Safe in a signal handler.
 */
void dump_signal_forsake(void);

#endif
