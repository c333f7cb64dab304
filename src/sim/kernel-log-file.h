/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The simulated driver's lines as a file with the habits of /dev/kmsg: one record a read, waiting or EAGAIN
 * at the end, EPIPE when the reader was overtaken, EINVAL for a buffer that is too small. FUSE passes on
 * where a read begins, but not that somebody sought: so the file's size is a place that stands for the next
 * record, and a read that begins anywhere but behind the last one has sought to there. */

#include "sim/machine.h"

#include <fuse_lowlevel.h>
#include <sys/stat.h>

typedef struct KernelLogFile KernelLogFile;

/* machine must outlive it. */
KernelLogFile *kernel_log_file_new(Machine *machine);
/* No request may be in progress; files that are still open are forgotten. Returns NULL. */
KernelLogFile *kernel_log_file_free(KernelLogFile *file);

/* Mode and size, on what the caller has filled. */
void kernel_log_file_stat(KernelLogFile *file, struct stat *status);

/* The operations; each gives the reply. A read may wait: not with O_NONBLOCK, and it ends with the machine
 * or when it is interrupted. A write is a line of a user's, as on the real device. */
void kernel_log_file_open(KernelLogFile *file, fuse_req_t request, struct fuse_file_info *info);
void kernel_log_file_read(KernelLogFile *file, fuse_req_t request, size_t size, off_t offset,
                          const struct fuse_file_info *info);
void kernel_log_file_write(KernelLogFile *file, fuse_req_t request, const char *data, size_t size);
void kernel_log_file_release(KernelLogFile *file, fuse_req_t request, const struct fuse_file_info *info);
