/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every unit test includes: cmocka with the headers that it wants before it, and a temporary folder. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

typedef struct TempFolder {
        char *path;
        int fd;
} TempFolder;

TempFolder *temp_folder_new(void);
/* In memory where that is possible; programs may not run from it. For thousands of files. */
TempFolder *temp_folder_new_in_memory(void);
/* Removes all that is in it, too. */
void *temp_folder_free(TempFolder *folder);

/* The same as fixtures: *state is the TempFolder. */
int temp_folder_setup(void **state);
int temp_folder_teardown(void **state);

/* Files in it, by names that may have slashes; folders on the way are made. Each fails the test on error. */
void temp_write(const TempFolder *folder, const char *name, const void *data, size_t size);
void temp_write_text(const TempFolder *folder, const char *name, const char *text);
char *temp_read(const TempFolder *folder, const char *name, size_t *ret_size);
char *temp_path(const TempFolder *folder, const char *name);
unsigned temp_count_entries(const TempFolder *folder);

/* Runs the function in a child process; true when it returned true there. For what would change this
 * process: limits, identity, descriptors. No cmocka assertions in it. */
bool in_child(bool (*function)(void *argument), void *argument);

#define unit_test_with_folder(test)                                                                         \
        cmocka_unit_test_setup_teardown(test, temp_folder_setup, temp_folder_teardown)

/* Proves that nothing wrote to an object: fill it before, check it after. */
#define UNTOUCHED_BYTE 0xa5
void fill_untouched(void *object, size_t size);
bool is_untouched(const void *object, size_t size);
