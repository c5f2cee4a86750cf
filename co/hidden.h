/* hidden.h - for variables that several files share.  Private to co/.
 *
 * -fvisibility=hidden covers what a file defines.  Of a variable that another
 * one defines, the compiler must be told, else it takes the way through the
 * table of global offsets: 4 instructions more an echo, 7 a spawn.  Functions
 * (the linker makes those calls direct) and thread-locals do not need it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HIDDEN_H
#define CO_HIDDEN_H

#define HIDDEN __attribute__((visibility("hidden")))

#endif
