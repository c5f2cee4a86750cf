/* stand_in.h - each fault_<name>() has the type of what it stands in for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FAULT_STAND_IN_H
#define TESTS_FAULT_STAND_IN_H

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef FAULT_ZLIB
#include <zlib.h>
#endif

#define FAILS(name, ...) __typeof__(name) fault_##name;
#define SPLIT(name) __typeof__(name) fault_##name;
#define COUNTED(name, why) __typeof__(name) fault_##name;
#include "tests/fault/calls.def"

#endif
