/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's log between two moments, record by record (/dev/kmsg; the kernel's
 * Documentation/ABI/testing/dev-kmsg). Only what the kernel itself printed is told: whoever may write to
 * /dev/kmsg can write whatever he likes, but not with the kernel's facility. */

#include <stdbool.h>
#include <stddef.h>

/* One line of the kernel's: level is syslog's, text is printable ASCII (the log has everything else as \xNN)
 * and borrowed. */
typedef void (*KernelLogTake)(int level, const char *text, void *userdata);

/* Opens the log, which never blocks. Returns a descriptor, or a negative errno: -EPERM without CAP_SYSLOG
 * where the log is restricted, -ESPIPE for what is no kernel log, ... */
int kernel_log_open(const char *path);

/* From here on: what was printed before is not read. Returns 0 or a negative errno. */
int kernel_log_mark(int fd);

/* Reads all lines since the mark or the last read. Does not wait. Returns 0; 1 when lines were lost, because
 * the log was overwritten meanwhile or there was too much of it; or a negative errno: then what was taken so
 * far is all there is. */
int kernel_log_read(int fd, KernelLogTake take, void *userdata);

/* Finds the text in one record, which is changed. Returns false for what the kernel did not print, and for
 * what is no record. */
bool kernel_log_parse(char *record, size_t size, int *ret_level, const char **ret_text);
