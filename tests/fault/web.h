/* web.h - scenarios with an HTTP server, and somebody who asks it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FAULT_WEB_H
#define TESTS_FAULT_WEB_H

#include "net/http.h"
#include "tests/fault/kit.h"

/* Asks a server by that config, started for it and stopped afterwards. */
void web_server(const struct http_config *config,
                void (*ask)(const char *addr));

/* Whether it could not serve. */
bool web_failed(void);

/* Until an answer comes that holds these words: again only when a call has been
 * made to fail.  The server ends the connection. */
void web_ask(const char *addr, const char *request, const char *words);

#endif
