/* kit.h - descriptors in pairs, and others who do something after a pause.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HOOK_PROBES_KIT_H
#define TESTS_HOOK_PROBES_KIT_H

#include "tests/hook_probes/probe.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* What is made here is in blocking mode. */
void kit_pair(int type, int fds[2]); /* a unix socketpair */
void kit_tcp(int fds[2]);
void kit_udp(int fds[2]); /* connected to each other */
void kit_pipe(int fds[2]);
void kit_fifo(char path[64]);   /* makes it, in the scratch directory */
void kit_pty(int fds[2]);       /* master, slave; raw */
int kit_file(const char *text); /* regular, at its beginning */
int kit_listen(int backlog);    /* TCP */
int kit_unix_listen(int backlog);

struct sockaddr_storage kit_name(int fd, socklen_t *len);
int kit_try_connect(int listener, int fd); /* connect(2) */
int kit_connect(int listener);             /* a new one */
size_t kit_fill(int fd);   /* until no byte more goes in: how many did */
bool kit_nonblock(int fd); /* what F_GETFL says */
void kit_set_nonblock(int fd, bool on);
void kit_timeout(int fd, int option, int ms);

/* Each starts somebody who pauses and then does it. */
void later(void (*fn)(void *arg), void *arg);
void later_write(int fd, const char *text);
void later_writes(int fd, const char *text,
                  int times);          /* a pause before each */
void later_read(int fd, size_t bytes); /* as many, or until the end */
void later_close(int fd);
void later_shutdown(int fd, int how);
void later_connect(int listener); /* and keeps it open */
void later_accept(int listener);  /* the same */
void later_signal(int sig);       /* to the caller's thread */

/* Counts sig's deliveries from now on. */
extern volatile sig_atomic_t kit_caught;
void kit_catch(int sig, int flags);

/* n bytes of a pattern, in which loss and order show. */
void kit_pattern(char *buf, size_t n);
bool kit_is_pattern(const char *buf, size_t n);

#endif
