/* version.h - which corten this is; part of co.h.
 *
 * The numbers below are the only ones: the build reads them from here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_VERSION_H
#define CO_VERSION_H

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version --------------------------------------------------------------
 */

/* What a program was compiled with.  Until 1.0 a new minor version may change
 * what exists; a new patch version never does. */
#define CO_VERSION_MAJOR 0
#define CO_VERSION_MINOR 1
#define CO_VERSION_PATCH 0

/* The same as one number, for #if: 0.1.0 is 100, 1.2.3 is 10203. */
#define CO_VERSION_NUMBER                                                      \
    (CO_VERSION_MAJOR * 10000 + CO_VERSION_MINOR * 100 + CO_VERSION_PATCH)

/* And as text: "0.1.0". */
#define CO_VERSION                                                             \
    CO_VERSION_TEXT_(CO_VERSION_MAJOR, CO_VERSION_MINOR, CO_VERSION_PATCH)
#define CO_VERSION_TEXT_(major, minor, patch)                                  \
    CO_VERSION_JOIN_(major, minor, patch)
#define CO_VERSION_JOIN_(major, minor, patch) #major "." #minor "." #patch

/* CO_VERSION of the library that the program runs with.  [any] */
const char *co_version(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
