/* alias.h - names that no header of libc declares.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HOOK_PROBES_ALIAS_H
#define TESTS_HOOK_PROBES_ALIAS_H

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

ssize_t __read(int fd, void *buf, size_t len);
ssize_t __write(int fd, const void *buf, size_t len);
int __close(int fd);
int __connect(int fd, const struct sockaddr *addr, socklen_t len);
ssize_t __send(int fd, const void *buf, size_t len, int flags);
int __poll(struct pollfd *fds, nfds_t n, int ms);
int __nanosleep(const struct timespec *time, struct timespec *left);
int __select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *time);
int __sched_yield(void);
int __dup2(int from, int to);
int __pipe(int fds[2]);
int __fcntl(int fd, int op, ...);
int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
ssize_t __pread64(int fd, void *buf, size_t len, off64_t at);
ssize_t __pread_chk(int fd, void *buf, size_t len, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *buf, size_t len, off64_t at, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags,
                       struct sockaddr *addr, socklen_t *addr_len);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time,
                const sigset_t *mask, size_t size);

FILE *_IO_fdopen(int fd, const char *mode);

#ifndef __x86_64__
#define __send send /* libcs of younger CPUs were without the old names */
#endif

#endif
