/* signals.h - the signals that ask a program to stop.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SIGNALS_H
#define CO_SIGNALS_H

/* From now on the first SIGINT or SIGTERM calls stop(), in a signal handler,
 * and the second one kills; of those only that nobody handled or ignored
 * before. */
void signals_take(void (*stop)(void));
void signals_give_back(void);

#endif
