/* names.h - a getaddrinfo() of the test's own, so that names are what a test
 * needs: slow, gone, of many addresses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_NAMES_H
#define TESTS_NAMES_H

#include "tests/test.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t names_slow; /* posted: one look-up of "slow" goes on */
static atomic_int names_waiting, names_asked;

static struct addrinfo *names_add(struct addrinfo *list, const char *ip)
{
    struct addrinfo *i = calloc(1, sizeof *i), **end = &list;
    struct sockaddr_in *a = calloc(1, sizeof *a);

    CHECK(i != NULL && a != NULL);
    a->sin_family = AF_INET;
    CHECK_EQ(inet_pton(AF_INET, ip, &a->sin_addr), 1);
    i->ai_family = AF_INET;
    i->ai_addr = (struct sockaddr *)a;
    i->ai_addrlen = sizeof *a;
    while (*end != NULL)
        end = &(*end)->ai_next;
    *end = i;
    return list;
}

static struct addrinfo *names_many(void)
{
    struct addrinfo *list = NULL;
    char ip[32];

    for (int i = 1; i <= 40; i++) {
        (void)snprintf(ip, sizeof ip, "127.0.1.%d", i);
        list = names_add(list, ip);
    }
    return list;
}

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    (void)service;
    (void)hints;
    atomic_fetch_add(&names_asked, 1);
    *list = NULL;
    if (strcmp(name, "slow") == 0) {
        atomic_fetch_add(&names_waiting, 1);
        while (sem_wait(&names_slow) < 0)
            CHECK_EQ(errno, EINTR);
    }
    if (strcmp(name, "gone") == 0)
        return EAI_NONAME;
    if (strcmp(name, "later") == 0)
        return EAI_AGAIN;
    if (strcmp(name, "broken") == 0)
        return EAI_FAIL;
    if (strcmp(name, "system") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    if (strcmp(name, "empty") == 0)
        return 0;
    if (strcmp(name, "many") == 0) {
        *list = names_many();
        return 0;
    }
    if (strcmp(name, "second") == 0) {
        *list = names_add(names_add(NULL, "127.0.0.2"), "127.0.0.1");
        return 0;
    }
    *list = names_add(NULL, "127.0.0.1");
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;

        free(list->ai_addr);
        free(list);
        list = next;
    }
}

#endif
