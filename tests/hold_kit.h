/* hold_kit.h - requests that are at work for as long as a test wants.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HOLD_KIT_H
#define TESTS_HOLD_KIT_H

#include "tests/web_kit.h"

/* The handler is at work; a test lets one of them go on. */
static struct co_sem hold_inside, hold_end;

static int hold(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    co_sem_post(&hold_inside);
    CHECK_EQ(co_sem_wait(&hold_end, SOON), 0);
    return 204;
}

/* Asks for it, by the route /hold, until it is at work. */
static void hold_begin(struct client *k)
{
    say(k, "GET /hold HTTP/1.1\r\n" END);
    CHECK_EQ(co_sem_wait(&hold_inside, SOON), 0);
}

#endif
