/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A lfa-sim that serves, as its own process in this test's private namespaces, and its control client. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define SYS "/sys/firmware"
#define LFA SYS "/lfa"
#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SCP "65922703-2f74-e644-8dff-579ac1ff0610"

/* Makes this process private: new mount and network namespace by running itself again under unshare(1), a
 * /run of its own in which udev monitors can hear. Returns in the inner process only. */
void served_enter(char **argv);

/* Starts `lfa-sim mount` with the options and waits until it serves. Fails the test if it does not. */
pid_t served_start(const char *profile, const char *firmware, const char *option);
/* SIGTERM; returns the exit status. */
int served_stop(pid_t pid);
/* Starts it and does not wait; for what is to be refused. Returns the exit status, its stderr in ret_error.
 */
int served_refused(const char *const *command, char **ret_error);

/* Runs `lfa-sim ctl` with the words of one shell-like line. Returns the exit status; output may be NULL. */
int ctl(const char *line, char **ret_output);
/* Must succeed. */
void ctl_ok(const char *line);

/* LFA "/" guid "/" attribute, in a buffer of this function's own. */
const char *file(const char *guid, const char *attribute);
/* The file's text. */
char *text_of(const char *guid, const char *attribute);
/* One open, one write(2), one close. Returns what write did, or a negative errno. */
ssize_t store(const char *guid, const char *attribute, const char *data, size_t size);
/* open(2) and close(2): 0 or a negative errno. */
int try_open(const char *path, int flags);
/* The names in a directory, "." and ".." left out. */
GPtrArray *names_in(const char *path);
/* Fails the test if the file has another text. */
void assert_text(const char *guid, const char *attribute, const char *expected);
