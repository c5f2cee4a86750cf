/* io_foreign.h - reading and writing descriptions that corten did not open.
 *
 * Private to co/.  They may be in blocking mode, and their flags belong to
 * somebody else, so they are left as they are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_IO_FOREIGN_H
#define CO_IO_FOREIGN_H

#include <stdint.h>
#include <sys/uio.h>

ssize_t io_foreign_readv(int fd, const struct iovec *iov, int count,
                         int64_t deadline);
ssize_t io_foreign_writev(int fd, const struct iovec *iov, int count,
                          int64_t deadline);

#endif
