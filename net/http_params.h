/* http_params.h - values with parameters, as Content-Type and
 * Content-Disposition have: word; name=value; name="quoted".  In place, no I/O,
 * no allocation.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_PARAMS_H
#define NET_HTTP_PARAMS_H

#include <stddef.h>

/* The word before the parameters, and *rest at them; NULL for what is none. */
char *http_params_word(char *text, char **rest);

/* The next parameter: 1, 0 behind the last, -1 for what is none.  In a quoted
 * value a backslash before a quotation mark or another backslash is left out,
 * and any other stands for itself: old browsers send whole paths. */
int http_params_next(char **rest, char **name, char **value);

#endif
