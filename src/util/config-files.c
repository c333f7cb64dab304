/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and reading the files of a configuration. */

#include "util/config-files.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAIN_FILE "lfad.conf"
#define DROP_IN_FOLDER MAIN_FILE ".d"
#define SUFFIX ".conf"

/* The highest first; relative to the root. */
static const char *const folders[] = { "etc/lfad", "run/lfad", "usr/lib/lfad" };

typedef struct Search {
        const char *root;
        int root_fd;
        ConfigFiles *files;
        GTree *drop_ins; /* name -> path relative to the root; sorted */
        bool full;       /* said that there are too many */
} Search;

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static void free_failure(void *data) {
        ConfigFileFailure *failure = data;

        g_free(failure->path);
        g_free(failure->text);
        g_free(failure);
}

/* A file's name may be any bytes; what is shown, logged and sent over the bus is text. */
static char *shown_path(const Search *search, const char *path) {
        g_autofree char *whole = g_build_filename(search->root, path, NULL);

        return g_utf8_make_valid(whole, -1);
}

static void add_failure(Search *search, const char *path, const char *text) {
        ConfigFileFailure *failure = g_new(ConfigFileFailure, 1);

        *failure = (ConfigFileFailure){ shown_path(search, path), g_strdup(text) };
        g_ptr_array_add(search->files->failures, failure);
}

static void add_errno(Search *search, const char *path, int error) {
        g_autofree char *text = g_strdup_printf("It cannot be read: %s.", g_strerror(-error));

        add_failure(search, path, text);
}

/* Opens below the root as if that were /, so that an absolute link in another system's tree stays in it. Where it is /
 * that is what any open does, and it must be another one: RestrictSUIDSGID= of the unit forbids openat2, since a filter
 * cannot look into its arguments (systemd.exec(5)). */
static int open_in_root(const Search *search, const char *path, int flags) {
        int fd, all_flags = flags | O_CLOEXEC;

        if (!(flags & O_PATH))
                all_flags |= O_NOCTTY | O_NONBLOCK;
        if (g_str_equal(search->root, "/"))
                fd = openat(search->root_fd, path, all_flags);
        else {
                struct open_how how = { .flags = (uint64_t) all_flags, .resolve = RESOLVE_IN_ROOT };

                fd = (int) syscall(SYS_openat2, search->root_fd, path, &how, sizeof(how));
        }
        return fd < 0 ? -errno : fd;
}

/* Where a link points to, or NULL when the path is no link. */
static char *read_link(const Search *search, const char *path) {
        _cleanup_close_ int fd = open_in_root(search, path, O_PATH | O_NOFOLLOW);
        char target[PATH_MAX];
        ssize_t n;

        if (fd < 0)
                return NULL;
        n = readlinkat(fd, "", target, sizeof(target));
        return n > 0 ? g_strndup(target, (size_t) n) : NULL;
}

/* Reads up to the limit and one byte more; the size tells which. */
static int read_text(int fd, char **ret_text, size_t *ret_size) {
        g_autofree char *text = g_malloc(CONFIG_FILE_SIZE_MAX + 2);
        size_t size = 0;

        while (size <= CONFIG_FILE_SIZE_MAX) {
                ssize_t n = read(fd, text + size, CONFIG_FILE_SIZE_MAX + 1 - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
        }
        text[size] = 0;
        *ret_text = g_realloc(g_steal_pointer(&text), size + 1);
        *ret_size = size;
        return 0;
}

/* By the mode alone, without capabilities: of owner, group and others the first that fits counts. */
static bool is_closed_to_root(const struct stat *st) {
        mode_t bit = st->st_uid == 0 ? S_IRUSR : st->st_gid == 0 ? S_IRGRP : S_IROTH;

        return !(st->st_mode & bit);
}

static void read_file(Search *search, const char *path) {
        _cleanup_close_ int fd = open_in_root(search, path, O_RDONLY);
        g_autofree char *text = NULL;
        ConfigFile *file;
        struct stat st;
        size_t size = 0;
        int r;

        if (fd < 0) {
                add_errno(search, path, fd);
                return;
        }
        r = fstat(fd, &st) < 0 ? -errno : 0;
        if (r >= 0 && !S_ISREG(st.st_mode)) {
                add_failure(search, path, "It is not a regular file.");
                return;
        }
        if (r >= 0)
                r = read_text(fd, &text, &size);
        if (r < 0) {
                add_errno(search, path, r);
                return;
        }
        if (size > CONFIG_FILE_SIZE_MAX) {
                add_failure(search, path, "It is larger than 1 MiB.");
                return;
        }
        if (size == 0)
                return; /* it hides those below it */
        file = g_new(ConfigFile, 1);
        *file = (ConfigFile){ shown_path(search, path), g_steal_pointer(&text), size,
                              is_closed_to_root(&st) };
        g_ptr_array_add(search->files->files, file);
}

/* Reads the file that won. A link to /dev/null is told by its text: below another root there may be no /dev.
 */
static void read_winner(Search *search, const char *path) {
        g_autofree char *target = read_link(search, path);

        if (g_strcmp0(target, "/dev/null") != 0)
                read_file(search, path);
}

/* Whether a name is there, whatever it is; a link that leads nowhere is there too. */
static bool exists(Search *search, const char *path) {
        _cleanup_close_ int fd = open_in_root(search, path, O_PATH | O_NOFOLLOW);

        if (fd < 0 && fd != -ENOENT)
                add_errno(search, path, fd);
        return fd >= 0;
}

static void read_main_file(Search *search) {
        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_autofree char *path = g_build_filename(folders[i], MAIN_FILE, NULL);

                if (!exists(search, path))
                        continue;
                read_winner(search, path);
                return;
        }
}

/* Takes the path. */
static void add_drop_in(Search *search, const char *name, char *path) {
        if (g_tree_lookup(search->drop_ins, name)) {
                g_free(path); /* a higher folder has it */
                return;
        }
        if (g_tree_nnodes(search->drop_ins) >= CONFIG_FILES_MAX) {
                if (!search->full)
                        add_failure(search, path, "There are more than 1000 configuration files.");
                search->full = true;
                g_free(path);
                return;
        }
        g_tree_insert(search->drop_ins, g_strdup(name), path);
}

static bool is_drop_in(const char *name) {
        return name[0] != '.' && g_str_has_suffix(name, SUFFIX);
}

static void list_folder(Search *search, const char *folder) {
        int fd = open_in_root(search, folder, O_RDONLY | O_DIRECTORY);
        const struct dirent *entry;
        DIR *dir;

        if (fd == -ENOENT)
                return;
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                add_errno(search, folder, fd < 0 ? fd : -errno);
                safe_close(fd);
                return;
        }
        while (errno = 0, entry = readdir(dir))
                if (is_drop_in(entry->d_name))
                        add_drop_in(search, entry->d_name, g_build_filename(folder, entry->d_name, NULL));
        if (errno != 0)
                add_errno(search, folder, -errno);
        closedir(dir);
}

static gboolean read_drop_in(void *name, void *path, void *search) {
        read_winner(search, path);
        return FALSE;
}

static void read_drop_ins(Search *search) {
        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
                g_autofree char *folder = g_build_filename(folders[i], DROP_IN_FOLDER, NULL);

                list_folder(search, folder);
        }
        g_tree_foreach(search->drop_ins, read_drop_in, search);
}

static int compare_names(const void *a, const void *b, void *userdata) {
        return strcmp(a, b);
}

ConfigFiles *config_files_load(const char *root) {
        ConfigFiles *files = g_new(ConfigFiles, 1);
        Search search = { .root = root ? root : "/", .files = files };

        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new_with_free_func(free_failure);
        search.root_fd = open(search.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (search.root_fd < 0) {
                add_errno(&search, "", -errno);
                return files;
        }
        search.drop_ins = g_tree_new_full(compare_names, NULL, g_free, g_free);
        read_main_file(&search);
        read_drop_ins(&search);
        g_tree_unref(search.drop_ins);
        safe_close(search.root_fd);
        return files;
}

void *config_files_free(ConfigFiles *files) {
        if (files) {
                g_ptr_array_unref(files->files);
                g_ptr_array_unref(files->failures);
                g_free(files);
        }
        return NULL;
}
