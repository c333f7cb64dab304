/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faultfs BACKING MOUNTPOINT: a file system for tests that shows the folder BACKING, and fails on command, so
 * that the program under test needs no seams of its own. Serves in the foreground until it is unmounted.
 *
 * Commands are written to the file .control at its top, one a line:
 *
 *   OPERATION ERRNO|short|none [SKIP [TIMES]]    (open, create, write, fsync, rename, fallocate, truncate)
 *
 * From now on the operation passes SKIP times (0), then fails TIMES times (for ever) with that errno. `short`
 * is for write: half of the bytes are written. Reading .control gives "OPERATION CALLS FAILURES" lines.
 * A single thread serves, so nothing needs a lock. */

#define FUSE_USE_VERSION 312

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CONTROL_NAME ".control"
#define CONTROL_PATH "/" CONTROL_NAME
#define CONTROL_FD UINT64_MAX
#define ERRNO_SHORT (-1)

typedef enum Operation {
        OPERATION_OPEN,
        OPERATION_CREATE,
        OPERATION_WRITE,
        OPERATION_FSYNC, /* fdatasync too */
        OPERATION_RENAME,
        OPERATION_FALLOCATE,
        OPERATION_TRUNCATE,
        _OPERATION_MAX,
} Operation;

static struct {
        const char *name;
        int error; /* 0 = passes, ERRNO_SHORT */
        unsigned long skip, times;
        unsigned long calls, failures;
} operations[_OPERATION_MAX] = {
        [OPERATION_OPEN] = { "open" },         [OPERATION_CREATE] = { "create" },
        [OPERATION_WRITE] = { "write" },       [OPERATION_FSYNC] = { "fsync" },
        [OPERATION_RENAME] = { "rename" },     [OPERATION_FALLOCATE] = { "fallocate" },
        [OPERATION_TRUNCATE] = { "truncate" },
};

static int backing_fd = -1;

/* The errno this call shall fail with, ERRNO_SHORT, or 0. */
static int take_fault(Operation operation) {
        operations[operation].calls++;
        if (operations[operation].error == 0)
                return 0;
        if (operations[operation].skip > 0) {
                operations[operation].skip--;
                return 0;
        }
        if (operations[operation].times == 0)
                return 0;
        operations[operation].times--;
        operations[operation].failures++;
        return operations[operation].error;
}

static int parse_fault(const char *text) {
        if (strcmp(text, "none") == 0)
                return 0;
        if (strcmp(text, "short") == 0)
                return ERRNO_SHORT;
        for (int number = 1; number < 134; number++) {
                const char *name = strerrorname_np(number);

                if (name && strcmp(name, text) == 0)
                        return number;
        }
        return -EINVAL;
}

static int execute_line(const char *line) {
        char name[16], fault[24];
        unsigned long skip = 0, times = ULONG_MAX;
        int error;

        if (sscanf(line, "%15s %23s %lu %lu", name, fault, &skip, &times) < 2)
                return -EINVAL;
        error = parse_fault(fault);
        if (error == -EINVAL)
                return -EINVAL;
        for (size_t i = 0; i < _OPERATION_MAX; i++)
                if (strcmp(operations[i].name, name) == 0) {
                        operations[i].error = error;
                        operations[i].skip = skip;
                        operations[i].times = times;
                        return 0;
                }
        return -EINVAL;
}

static int execute_control(const char *text, size_t size) {
        char *copy = strndup(text, size), *state, *line;
        int r = 0;

        for (line = copy ? strtok_r(copy, "\n", &state) : NULL; line && r >= 0;
             line = strtok_r(NULL, "\n", &state))
                r = execute_line(line);
        free(copy);
        return r < 0 ? r : (int) size;
}

static int report_control(char *buffer, size_t size, off_t offset) {
        char text[1024];
        size_t length = 0;

        for (size_t i = 0; i < _OPERATION_MAX; i++)
                length += (size_t) snprintf(text + length, sizeof(text) - length, "%s %lu %lu\n",
                                            operations[i].name, operations[i].calls, operations[i].failures);
        if (offset < 0 || (size_t) offset >= length)
                return 0;
        if (size > length - (size_t) offset)
                size = length - (size_t) offset;
        memcpy(buffer, text + offset, size);
        return (int) size;
}

static bool is_control(const char *path) {
        return strcmp(path, CONTROL_PATH) == 0;
}

/* Below the backing folder; "/" is the folder itself. */
static const char *below(const char *path) {
        return path[1] ? path + 1 : ".";
}

static int answer(int r) {
        return r < 0 ? -errno : 0;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *info) {
        if (is_control(path)) {
                *st = (struct stat){ .st_mode = S_IFREG | 0600, .st_nlink = 1, .st_size = 4096 };
                return 0;
        }
        return answer(fstatat(backing_fd, below(path), st, AT_SYMLINK_NOFOLLOW));
}

static int on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags) {
        int fd = openat(backing_fd, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!folder)
                return -errno;
        while ((entry = readdir(folder)))
                fill(buffer, entry->d_name, NULL, 0, 0);
        closedir(folder);
        return 0;
}

static int on_open(const char *path, struct fuse_file_info *info) {
        int fault, fd;

        info->direct_io = 1;
        if (is_control(path)) {
                info->fh = CONTROL_FD;
                return 0;
        }
        fault = take_fault(OPERATION_OPEN);
        if (fault > 0)
                return -fault;
        /* The kernel has placed each write already; appending again would change nothing but reading. */
        fd = openat(backing_fd, below(path), (info->flags & ~O_APPEND) | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        info->fh = (uint64_t) fd;
        return 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *info) {
        int fault = take_fault(OPERATION_CREATE), fd;

        if (fault > 0)
                return -fault;
        info->direct_io = 1;
        fd = openat(backing_fd, below(path), (info->flags & ~O_APPEND) | O_CREAT | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        info->fh = (uint64_t) fd;
        return 0;
}

static int on_release(const char *path, struct fuse_file_info *info) {
        if (info->fh != CONTROL_FD)
                close((int) info->fh);
        return 0;
}

static int on_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *info) {
        ssize_t n;

        if (info->fh == CONTROL_FD)
                return report_control(buffer, size, offset);
        n = pread((int) info->fh, buffer, size, offset);
        return n < 0 ? -errno : (int) n;
}

static int on_write(const char *path, const char *buffer, size_t size, off_t offset,
                    struct fuse_file_info *info) {
        ssize_t n;
        int fault;

        if (info->fh == CONTROL_FD)
                return execute_control(buffer, size);
        fault = take_fault(OPERATION_WRITE);
        if (fault > 0)
                return -fault;
        n = pwrite((int) info->fh, buffer, fault == ERRNO_SHORT ? size / 2 : size, offset);
        return n < 0 ? -errno : (int) n;
}

static int on_fsync(const char *path, int data_only, struct fuse_file_info *info) {
        int fault = take_fault(OPERATION_FSYNC);

        if (fault > 0)
                return -fault;
        return answer(data_only ? fdatasync((int) info->fh) : fsync((int) info->fh));
}

static int on_fsyncdir(const char *path, int data_only, struct fuse_file_info *info) {
        int fault = take_fault(OPERATION_FSYNC);

        return fault > 0 ? -fault : 0;
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *info) {
        int fault, fd, r;

        if (is_control(path))
                return 0;
        fault = take_fault(OPERATION_TRUNCATE);
        if (fault > 0)
                return -fault;
        fd = openat(backing_fd, below(path), O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = answer(ftruncate(fd, size));
        close(fd);
        return r;
}

static int on_fallocate(const char *path, int mode, off_t offset, off_t length,
                        struct fuse_file_info *info) {
        int fault = take_fault(OPERATION_FALLOCATE);

        if (fault > 0)
                return -fault;
        return answer(fallocate((int) info->fh, mode, offset, length));
}

static int on_rename(const char *from, const char *to, unsigned flags) {
        int fault = take_fault(OPERATION_RENAME);

        if (fault > 0)
                return -fault;
        return answer(renameat2(backing_fd, below(from), backing_fd, below(to), flags));
}

static int on_unlink(const char *path) {
        return answer(unlinkat(backing_fd, below(path), 0));
}

static int on_rmdir(const char *path) {
        return answer(unlinkat(backing_fd, below(path), AT_REMOVEDIR));
}

static int on_mkdir(const char *path, mode_t mode) {
        return answer(mkdirat(backing_fd, below(path), mode));
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *info) {
        return answer(fchmodat(backing_fd, below(path), mode, 0));
}

static int on_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *info) {
        return answer(fchownat(backing_fd, below(path), uid, gid, AT_SYMLINK_NOFOLLOW));
}

static int on_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *info) {
        return answer(utimensat(backing_fd, below(path), times, AT_SYMLINK_NOFOLLOW));
}

static int on_statfs(const char *path, struct statvfs *st) {
        return answer(fstatvfs(backing_fd, st));
}

static const struct fuse_operations callbacks = {
        .getattr = on_getattr,
        .readdir = on_readdir,
        .open = on_open,
        .create = on_create,
        .release = on_release,
        .read = on_read,
        .write = on_write,
        .fsync = on_fsync,
        .fsyncdir = on_fsyncdir,
        .fallocate = on_fallocate,
        .rename = on_rename,
        .truncate = on_truncate,
        .unlink = on_unlink,
        .rmdir = on_rmdir,
        .mkdir = on_mkdir,
        .chmod = on_chmod,
        .chown = on_chown,
        .utimens = on_utimens,
        .statfs = on_statfs,
};

int main(int argc, char **argv) {
        char *arguments[] = {
                argv[0], (char *) "-f", (char *) "-s", (char *) "-o", (char *) "fsname=faultfs", NULL, NULL
        };

        if (argc != 3) {
                fprintf(stderr, "usage: faultfs BACKING MOUNTPOINT\n");
                return 2;
        }
        backing_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (backing_fd < 0) {
                perror(argv[1]);
                return 1;
        }
        arguments[5] = argv[2];
        return fuse_main(6, arguments, &callbacks, NULL);
}
