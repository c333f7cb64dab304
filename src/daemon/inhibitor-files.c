/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two files of each inhibitor: written once, and read again by the next lfad, which believes nothing of it. */

#include "daemon/inhibitor-files.h"
#include "core/enum-names.h"
#include "util/boot-id.h"
#include "util/file-io.h"
#include "util/guid.h"
#include "util/json.h"
#include "util/macros.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* 64 GUIDs, two texts of which JSON escapes every byte, and the numbers. */
#define FILE_SIZE_MAX (8 * 1024)
/* More entries than this nobody needs to look at. */
#define ENTRIES_MAX 1024
/* A pipe is not larger, unless root wants it so (fs.pipe-max-size, pipe(7)). */
#define PIPE_SIZE_MAX (1024 * 1024)

static const char *const suffixes[] = { "fifo", "json" };

static char *file_name(uint32_t id, const char *suffix) {
        return g_strdup_printf("%u.%s", id, suffix);
}

static int open_folder(const char *runtime_folder) {
        g_autofree char *path = g_build_filename(runtime_folder, INHIBITOR_FOLDER, NULL);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

static int make_folder(const char *runtime_folder) {
        g_autofree char *path = g_build_filename(runtime_folder, INHIBITOR_FOLDER, NULL);

        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : open_folder(runtime_folder);
}

static int write_description(int folder_fd, const Inhibitor *inhibitor) {
        _cleanup_json_ json_object *object = json_object_new_object();
        g_autofree char *guids = inhibitor->guids ? g_strjoinv(" ", inhibitor->guids) : NULL,
                        *name = file_name(inhibitor->id, "json");
        char boot_id[BOOT_ID_SIZE];
        const char *text;
        int r = boot_id_read(boot_id);

        if (r < 0)
                return r;
        json_add_string(object, "boot-id", boot_id);
        json_add_string(object, "who", inhibitor->who);
        json_add_string(object, "why", inhibitor->why);
        json_add_string(object, "mode", inhibit_mode_to_string(inhibitor->mode));
        json_add_string(object, "images", guids);
        json_add_u64(object, "uid", inhibitor->uid);
        json_add_u64(object, "pid", inhibitor->pid);
        json_add_u64(object, "since", inhibitor->since_usec);
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
        return file_replace(folder_fd, name, text, strlen(text), 0600);
}

/* Two descriptions of the open file: what a holder sets on its own concerns it alone. Its end can only be written to,
 * and the file's mode keeps it from opening another one through /proc. */
static int make_fifo(int folder_fd, uint32_t id, int *ret_read_fd, int *ret_write_fd) {
        g_autofree char *name = file_name(id, "fifo");
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;

        if (mkfifoat(folder_fd, name, 0600) < 0)
                return -errno;
        read_fd = openat(folder_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (read_fd < 0)
                return -errno;
        write_fd = openat(folder_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (write_fd < 0)
                return -errno;
        *ret_read_fd = steal_fd(&read_fd);
        *ret_write_fd = steal_fd(&write_fd);
        return 0;
}

int inhibitor_files_create(const char *runtime_folder, const Inhibitor *inhibitor, int *ret_read_fd,
                           int *ret_write_fd) {
        _cleanup_close_ int folder_fd = make_folder(runtime_folder);
        int r;

        if (folder_fd < 0)
                return folder_fd;
        r = write_description(folder_fd, inhibitor);
        return r < 0 ? r : make_fifo(folder_fd, inhibitor->id, ret_read_fd, ret_write_fd);
}

/* 0 when the name is not one of ours. */
static uint32_t id_of(const char *name) {
        guint64 id = g_ascii_strtoull(name, NULL, 10);

        for (size_t i = 0; id > 0 && id <= INT32_MAX && i < G_N_ELEMENTS(suffixes); i++) {
                g_autofree char *expected = file_name((uint32_t) id, suffixes[i]);

                if (strcmp(name, expected) == 0)
                        return (uint32_t) id;
        }
        return 0;
}

static int compare_ids(const void *a, const void *b) {
        uint32_t left = *(const uint32_t *) a, right = *(const uint32_t *) b;

        return (left > right) - (left < right);
}

static void drop_repeated(GArray *ids) {
        g_array_sort(ids, compare_ids);
        for (unsigned i = ids->len; i-- > 1;)
                if (g_array_index(ids, uint32_t, i) == g_array_index(ids, uint32_t, i - 1))
                        g_array_remove_index(ids, i);
}

int inhibitor_files_list(const char *runtime_folder, GArray *ids, unsigned *ret_removed) {
        int folder_fd = open_folder(runtime_folder);
        const struct dirent *entry;
        unsigned entries = 0, removed = 0;
        DIR *folder;

        if (folder_fd < 0)
                return folder_fd == -ENOENT ? 0 : folder_fd;
        folder = fdopendir(folder_fd);
        if (!folder) {
                int r = -errno;

                safe_close(folder_fd);
                return r;
        }
        while ((entry = readdir(folder)) && entries++ < ENTRIES_MAX) {
                uint32_t id = id_of(entry->d_name);

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (id > 0)
                        g_array_append_val(ids, id);
                else
                        removed += unlinkat(folder_fd, entry->d_name, 0) >= 0;
        }
        closedir(folder);
        drop_repeated(ids);
        *ret_removed = removed;
        return 0;
}

/* As the bus takes it from clients. */
static int copy_text(json_object *object, const char *key, char **ret) {
        const char *text;
        int r = json_get_string(object, key, &text);

        if (r < 0 || !*text || strlen(text) > INHIBITOR_TEXT_MAX)
                return -EBADMSG;
        for (const char *p = text; *p; p = g_utf8_next_char(p))
                if (g_unichar_iscntrl(g_utf8_get_char(p)))
                        return -EBADMSG;
        *ret = g_strdup(text);
        return 0;
}

static int read_number(json_object *object, const char *key, uint64_t maximum, uint64_t *ret) {
        return json_get_u64(object, key, ret) < 0 || *ret > maximum ? -EBADMSG : 0;
}

static int read_numbers(json_object *object, Inhibitor *ret) {
        uint64_t uid, pid, since;

        if (read_number(object, "uid", UINT32_MAX, &uid) < 0 ||
            read_number(object, "pid", UINT32_MAX, &pid) < 0 ||
            read_number(object, "since", UINT64_MAX, &since) < 0)
                return -EBADMSG;
        ret->uid = (uint32_t) uid;
        ret->pid = (uint32_t) pid;
        ret->since_usec = since;
        return 0;
}

static int read_images(json_object *object, Inhibitor *ret) {
        const char *text = "";
        int r = json_get_string(object, "images", &text);

        if (r < 0 && r != -ENOENT)
                return -EBADMSG;
        ret->guids = g_strsplit(text, " ", INHIBITOR_IMAGES_MAX + 1);
        if (g_strv_length(ret->guids) > INHIBITOR_IMAGES_MAX)
                return -EBADMSG;
        for (char **guid = ret->guids; *guid; guid++)
                if (!guid_is_valid(*guid))
                        return -EBADMSG;
        return 0;
}

static int read_description(json_object *object, Inhibitor *ret) {
        char boot_id[BOOT_ID_SIZE];
        const char *boot, *mode;
        int r = boot_id_read(boot_id);

        if (r < 0)
                return r;
        if (json_get_string(object, "boot-id", &boot) < 0 || json_get_string(object, "mode", &mode) < 0)
                return -EBADMSG;
        if (strcmp(boot, boot_id) != 0)
                return -ESTALE;
        ret->mode = inhibit_mode_from_string(mode);
        if (ret->mode < 0)
                return -EBADMSG;
        r = copy_text(object, "who", &ret->who);
        if (r >= 0)
                r = copy_text(object, "why", &ret->why);
        if (r >= 0)
                r = read_numbers(object, ret);
        return r < 0 ? r : read_images(object, ret);
}

static int load_description(int folder_fd, uint32_t id, Inhibitor *ret) {
        g_autofree char *name = file_name(id, "json"), *text = g_malloc(FILE_SIZE_MAX);
        _cleanup_json_ json_object *object = NULL;
        ssize_t size = file_read(folder_fd, name, text, FILE_SIZE_MAX);

        if (size < 0)
                return size == -ENOENT ? -ENOENT : -EBADMSG;
        object = json_parse_line(text, (size_t) size);
        if (!object)
                return -EBADMSG;
        ret->id = id;
        return read_description(object, ret);
}

/* A FIFO tells that it has no writer by the end of the file, behind what is in it still. What can be read beyond a full
 * pipe, a writer has put there meanwhile. */
static int check_holder(int fd) {
        char buffer[4096];

        for (size_t total = 0; total <= PIPE_SIZE_MAX;) {
                ssize_t n = read(fd, buffer, sizeof(buffer));

                if (n == 0)
                        return -EPIPE;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                total += (size_t) n;
        }
        return 0;
}

static int load_fifo(int folder_fd, uint32_t id, int *ret_read_fd) {
        g_autofree char *name = file_name(id, "fifo");
        _cleanup_close_ int fd = -EBADF;
        struct stat status;
        int r;

        /* Before it is opened: opening something else may do something. */
        if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISFIFO(status.st_mode) || (status.st_mode & 0077) != 0 || status.st_uid != geteuid())
                return -EBADMSG;
        fd = openat(folder_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        r = check_holder(fd);
        if (r >= 0)
                *ret_read_fd = steal_fd(&fd);
        return r;
}

int inhibitor_files_load(const char *runtime_folder, uint32_t id, Inhibitor *ret, int *ret_read_fd) {
        _cleanup_(inhibitor_clear) Inhibitor inhibitor = { 0 };
        _cleanup_close_ int folder_fd = open_folder(runtime_folder);
        int r;

        if (folder_fd < 0)
                return folder_fd;
        r = load_description(folder_fd, id, &inhibitor);
        if (r >= 0)
                r = load_fifo(folder_fd, id, ret_read_fd);
        if (r < 0)
                return r;
        *ret = inhibitor;
        inhibitor = (Inhibitor){ 0 };
        return 0;
}

void inhibitor_files_remove(const char *runtime_folder, uint32_t id) {
        _cleanup_close_ int folder_fd = open_folder(runtime_folder);

        for (size_t i = 0; folder_fd >= 0 && i < G_N_ELEMENTS(suffixes); i++) {
                g_autofree char *name = file_name(id, suffixes[i]);

                (void) unlinkat(folder_fd, name, 0);
        }
}
