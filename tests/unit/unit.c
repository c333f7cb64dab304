/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Temporary folders and child processes for the unit tests. */

#include "unit.h"
#include "util/file-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static TempFolder *open_folder(char *path) {
        TempFolder *folder = g_new0(TempFolder, 1);

        assert_non_null(path);
        folder->path = path;
        folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(folder->fd >= 0);
        return folder;
}

TempFolder *temp_folder_new(void) {
        return open_folder(g_dir_make_tmp("lfad-unit-XXXXXX", NULL));
}

TempFolder *temp_folder_new_in_memory(void) {
        g_autofree char *path = g_strdup("/dev/shm/lfad-unit-XXXXXX");

        return g_mkdtemp(path) ? open_folder(g_steal_pointer(&path)) : temp_folder_new();
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

void *temp_folder_free(TempFolder *folder) {
        if (folder) {
                (void) nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
                safe_close(folder->fd);
                g_free(folder->path);
                g_free(folder);
        }
        return NULL;
}

int temp_folder_setup(void **state) {
        *state = temp_folder_new();
        return 0;
}

int temp_folder_teardown(void **state) {
        *state = temp_folder_free(*state);
        return 0;
}

char *temp_path(const TempFolder *folder, const char *name) {
        return g_build_filename(folder->path, name, NULL);
}

void temp_write(const TempFolder *folder, const char *name, const void *data, size_t size) {
        g_autofree char *path = temp_path(folder, name);
        g_autofree char *parent = g_path_get_dirname(path);
        int fd;

        assert_int_equal(g_mkdir_with_parents(parent, 0755), 0);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write_all(fd, data, size), 0);
        safe_close(fd);
}

void temp_write_text(const TempFolder *folder, const char *name, const char *text) {
        temp_write(folder, name, text, strlen(text));
}

char *temp_read(const TempFolder *folder, const char *name, size_t *ret_size) {
        g_autofree char *path = temp_path(folder, name);
        char *text = NULL;

        assert_true(g_file_get_contents(path, &text, ret_size, NULL));
        return text;
}

unsigned temp_count_entries(const TempFolder *folder) {
        GDir *dir = g_dir_open(folder->path, 0, NULL);
        unsigned n = 0;

        assert_non_null(dir);
        while (g_dir_read_name(dir))
                n++;
        g_dir_close(dir);
        return n;
}

bool in_child(bool (*function)(void *argument), void *argument) {
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(function(argument) ? 0 : 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void fill_untouched(void *object, size_t size) {
        memset(object, UNTOUCHED_BYTE, size);
}

bool is_untouched(const void *object, size_t size) {
        const unsigned char *bytes = object;

        for (size_t i = 0; i < size; i++)
                if (bytes[i] != UNTOUCHED_BYTE)
                        return false;
        return true;
}
