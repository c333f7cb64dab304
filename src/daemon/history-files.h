/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of the history: history.jsonl, which is written, and three older ones, .1 to .3. All of it may block on
 * the disk. */

#define HISTORY_FILES 4

/* Opens the newest file for appending, created when it is missing, and removes what a crash left of a beginning. The
 * folder is on disk when this returns. Returns a descriptor or a negative errno. */
int history_files_open_newest(int folder_fd);

/* Opens an older one (age 1 to HISTORY_FILES - 1) for pread. Returns a descriptor, -ENOENT when it is missing or no
 * file, or another negative errno. */
int history_files_open_older(int folder_fd, unsigned age);

/* Makes each file one older, the oldest is dropped, and begins an empty newest one. Returns its descriptor once all of
 * that is on disk. On failure, a negative errno, the newest file is the one that was, if the disk lets it be; a crash
 * or a failure on the way loses nothing but the oldest file, and the next call goes on where this one was cut short.
 */
int history_files_begin(int folder_fd);
