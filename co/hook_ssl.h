/* hook_ssl.h - keeps OpenSSL's errors apart.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HOOK_SSL_H
#define CO_HOOK_SSL_H

#include "co/hook_real.h"

/* Looks whether OpenSSL has been loaded since the last time.  Cheap when
 * nothing was. */
void hook_ssl_look(void);

#endif
