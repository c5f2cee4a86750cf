/* list.h - an intrusive doubly linked list.
 *
 * Private to co/.  The link is a field of what is listed, so joining a list
 * allocates nothing and cannot fail.  A list head is itself a link, a ring of
 * one when the list is empty; all zero is an empty list, too, and a link that
 * is all zero stands in no list.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_LIST_H
#define CO_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define container_of(ptr, type, field)                                         \
    ((type *)((char *)(ptr)-offsetof(type, field)))

struct list {
    struct list *next, *prev;
};

static inline bool list_empty(const struct list *head)
{
    return head->next == NULL || head->next == head;
}

static inline void list_push(struct list *head, struct list *link)
{
    if (head->next == NULL)
        head->next = head->prev = head;
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/* The first link, taken off, or NULL. */
static inline struct list *list_pop(struct list *head)
{
    struct list *link = head->next;

    if (list_empty(head))
        return NULL;
    list_remove(link);
    return link;
}

#endif
