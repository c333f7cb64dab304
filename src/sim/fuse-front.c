/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file system operations: inode numbers, attributes, directories, and what open files remember. */

#define FUSE_USE_VERSION 312

#include "sim/fuse-front.h"

#include "sim/fuse-loop.h"
#include "sim/kernel-log-file.h"
#include "util/macros.h"

#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

/* In the headers of Linux 6.2, and of later ones of 6.1; an older kernel ignores it. */
#ifndef FOPEN_PARALLEL_DIRECT_WRITES
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

/* Inode numbers: 1 the root, 2 the kernel's log, from 16 on the covered entries, from there generation * 16 + index, index 0
 * being the directory and 1 to 11 its files. Generations start at 4096, so nothing overlaps and nothing is
 * used twice. */
#define KERNEL_LOG_INODE 2
#define ENTRY_FIRST 16
#define ENTRIES_MAX 1024
#define GENERATION_SHIFT 4
#define INDEX_MASK 15
#define LFA_NAME "lfa"

struct Front {
        Machine *machine;         /* borrowed */
        const GPtrArray *entries; /* borrowed */
        KernelLogFile *kernel_log;
        struct fuse_session *session;
        struct timespec started;
        FuseLoop *loop;
        void (*ended)(void *userdata);
        void *userdata;
        pthread_mutex_t lock; /* guards the tables */
        GHashTable *owners;   /* inode -> NodeOwner: chmod and chown, forgotten with the inode's last use */
        GHashTable *files;    /* OpenFile, owned: a set; the end may come before their release */
};

typedef struct NodeOwner {
        uint64_t inode;
        mode_t mode;
        uid_t uid;
        gid_t gid;
} NodeOwner;

typedef enum NodeKind {
        NODE_GONE,
        NODE_ROOT,
        NODE_KERNEL_LOG,
        NODE_ENTRY,
        NODE_LFA,
        NODE_IMAGE,
        NODE_FILE,
} NodeKind;

typedef struct Node {
        NodeKind kind;
        uint64_t inode, generation;
        SysfsAttribute attribute;
        const FrontEntry *entry;
} Node;

typedef struct OpenFile {
        uint64_t generation;
        SysfsAttribute attribute;
        pthread_mutex_t lock; /* one operation at a time, as kernfs has it; guards the rest */
        GBytes *content;      /* of the last show */
        off_t expected;       /* where the next piece of it begins */
        bool was_read;
} OpenFile;

void front_entry_free(FrontEntry *entry) {
        g_free(entry->name);
        g_free(entry);
}

static Front *request_front(fuse_req_t request) {
        return fuse_req_userdata(request);
}

static uint64_t inode_of_generation(uint64_t generation, unsigned index) {
        return generation << GENERATION_SHIFT | index;
}

/* What an inode number means now; NODE_GONE for what is no more. */
static Node node_find(Front *front, uint64_t inode) {
        Node node = { .inode = inode, .generation = inode >> GENERATION_SHIFT };
        unsigned index = inode & INDEX_MASK;

        if (inode == FUSE_ROOT_ID) {
                node.kind = NODE_ROOT;
        } else if (inode == KERNEL_LOG_INODE) {
                node.kind = NODE_KERNEL_LOG;
        } else if (inode >= ENTRY_FIRST && inode < ENTRY_FIRST + ENTRIES_MAX) {
                node.kind = NODE_ENTRY;
                node.entry = front->entries->pdata[inode - ENTRY_FIRST];
        } else if (index == 0 && node.generation == machine_root(front->machine)) {
                node.kind = NODE_LFA;
        } else if (index == 0 && machine_has_directory(front->machine, node.generation)) {
                node.kind = NODE_IMAGE;
        } else if (index > 0 && index <= _ATTRIBUTE_MAX &&
                   machine_has_file(front->machine, node.generation, (SysfsAttribute) (index - 1))) {
                node.kind = NODE_FILE;
                node.attribute = (SysfsAttribute) (index - 1);
        }
        return node;
}

static void node_stat(Front *front, const Node *node, struct stat *ret_stat) {
        bool is_file = node->kind == NODE_FILE || (node->kind == NODE_ENTRY && !node->entry->is_directory);
        const NodeOwner *owner;

        *ret_stat = (struct stat){
                .st_ino = node->inode,
                .st_mode = S_IFDIR | 0755,
                .st_nlink = 2,
                .st_atim = front->started,
                .st_mtim = front->started,
                .st_ctim = front->started,
                .st_blksize = ATTRIBUTE_SIZE,
        };
        if (is_file) {
                ret_stat->st_mode = S_IFREG |
                                    (node->kind == NODE_FILE ? sysfs_attribute_mode(node->attribute) : 0400);
                ret_stat->st_nlink = 1;
                ret_stat->st_size = ATTRIBUTE_SIZE;
        } else if (node->kind == NODE_KERNEL_LOG) {
                kernel_log_file_stat(front->kernel_log, ret_stat);
        } else if (node->kind == NODE_LFA) {
                ret_stat->st_nlink += machine_count_directories(front->machine);
        }

        pthread_mutex_lock(&front->lock);
        owner = g_hash_table_lookup(front->owners, &node->inode);
        if (owner) {
                ret_stat->st_mode = (ret_stat->st_mode & S_IFMT) | owner->mode;
                ret_stat->st_uid = owner->uid;
                ret_stat->st_gid = owner->gid;
        }
        pthread_mutex_unlock(&front->lock);
}

static uint64_t root_lookup(Front *front, const char *name) {
        uint64_t root = machine_root(front->machine);

        if (strcmp(name, LFA_NAME) == 0)
                return root > 0 ? inode_of_generation(root, 0) : 0;
        if (strcmp(name, KERNEL_LOG_NAME) == 0)
                return KERNEL_LOG_INODE;
        for (guint i = 0; i < front->entries->len; i++) {
                const FrontEntry *entry = front->entries->pdata[i];

                if (strcmp(entry->name, name) == 0)
                        return ENTRY_FIRST + i;
        }
        return 0;
}

static void op_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
        Front *front = request_front(request);
        Node directory = node_find(front, parent), node;
        struct fuse_entry_param entry = { 0 };
        uint64_t inode = 0;

        if (directory.kind == NODE_ROOT) {
                inode = root_lookup(front, name);
        } else if (directory.kind == NODE_LFA) {
                inode = inode_of_generation(machine_find_directory(front->machine, name), 0);
        } else if (directory.kind == NODE_IMAGE) {
                SysfsAttribute attribute = sysfs_attribute_find(name);

                if (attribute >= 0)
                        inode = inode_of_generation(directory.generation, (unsigned) attribute + 1);
        }
        node = node_find(front, inode);
        if (node.kind == NODE_GONE) {
                fuse_reply_err(request, ENOENT);
                return;
        }
        entry.ino = inode;
        node_stat(front, &node, &entry.attr);
        fuse_reply_entry(request, &entry);
}

/* Paths are looked up anew each time, so what is asked of a thing that is gone comes from a descriptor; there
 * kernfs goes on answering. */
static void node_remember(Node *node) {
        unsigned index = node->inode & INDEX_MASK;

        node->kind = index == 0 ? NODE_IMAGE : NODE_FILE;
        node->attribute = index == 0 ? ATTRIBUTE_NAME : (SysfsAttribute) (index - 1);
}

static void op_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
        Front *front = request_front(request);
        Node node = node_find(front, inode);
        struct stat status;

        if (node.kind == NODE_GONE)
                node_remember(&node);
        node_stat(front, &node, &status);
        fuse_reply_attr(request, &status, 0);
}

/* Sizes and times are accepted and have no effect (O_TRUNC, touch); mode and owner last as long as the
 * directory. */
static void op_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *wanted, int which,
                       struct fuse_file_info *info) {
        Front *front = request_front(request);
        Node node = node_find(front, inode);
        struct stat status;

        if (node.kind == NODE_GONE) {
                fuse_reply_err(request, ENOENT);
                return;
        }
        node_stat(front, &node, &status);
        if (which & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) {
                NodeOwner *owner = g_new0(NodeOwner, 1);

                status.st_mode = which & FUSE_SET_ATTR_MODE
                                                 ? (status.st_mode & S_IFMT) | (wanted->st_mode & 07777)
                                                 : status.st_mode;
                status.st_uid = which & FUSE_SET_ATTR_UID ? wanted->st_uid : status.st_uid;
                status.st_gid = which & FUSE_SET_ATTR_GID ? wanted->st_gid : status.st_gid;
                *owner = (NodeOwner){ inode, status.st_mode & 07777, status.st_uid, status.st_gid };
                pthread_mutex_lock(&front->lock);
                g_hash_table_replace(front->owners, &owner->inode, owner);
                pthread_mutex_unlock(&front->lock);
        }
        fuse_reply_attr(request, &status, 0);
}

/* kernfs lets one open file write at a time, not one file: two writers meet in the driver. The library has no
 * name for that flag yet, so the reply is made by hand. */
static void reply_open(fuse_req_t request, OpenFile *file) {
        struct fuse_open_out reply = {
                .fh = (uintptr_t) file,
                .open_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
        };

        fuse_reply_buf(request, (const char *) &reply, sizeof(reply));
}

static void op_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
        Front *front = request_front(request);
        SysfsAttribute attribute = (SysfsAttribute) (inode & INDEX_MASK) - 1;
        OpenFile *file;
        int r;

        if (inode == KERNEL_LOG_INODE) {
                kernel_log_file_open(front->kernel_log, request, info);
                return;
        }
        if (node_find(front, inode).kind != NODE_FILE) {
                fuse_reply_err(request, ENOENT);
                return;
        }
        r = machine_open(front->machine, inode >> GENERATION_SHIFT, attribute, info->flags);
        if (r < 0) {
                fuse_reply_err(request, -r);
                return;
        }
        file = g_new0(OpenFile, 1);
        file->generation = inode >> GENERATION_SHIFT;
        file->attribute = attribute;
        pthread_mutex_init(&file->lock, NULL);
        pthread_mutex_lock(&front->lock);
        g_hash_table_add(front->files, file);
        pthread_mutex_unlock(&front->lock);
        reply_open(request, file);
}

static OpenFile *open_file(const struct fuse_file_info *info) {
        return (OpenFile *) (uintptr_t) info->fh;
}

static void open_file_free(void *data) {
        OpenFile *file = data;

        g_clear_pointer(&file->content, g_bytes_unref);
        pthread_mutex_destroy(&file->lock);
        g_free(file);
}

static void op_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info) {
        Front *front = request_front(request);

        if (inode == KERNEL_LOG_INODE) {
                kernel_log_file_release(front->kernel_log, request, info);
                return;
        }
        pthread_mutex_lock(&front->lock);
        g_hash_table_remove(front->files, open_file(info));
        pthread_mutex_unlock(&front->lock);
        fuse_reply_err(request, 0);
}

/* A thread waiting for the driver on behalf of a request, so that a signal finds its way. */
typedef struct RequestCaller {
        Machine *machine;
        MachineCaller caller;
} RequestCaller;

static void request_interrupted(fuse_req_t request, void *userdata) {
        RequestCaller *waiting = userdata;

        machine_signal(waiting->machine, &waiting->caller);
}

/* A read at the start shows anew; one elsewhere goes on in what was shown, or shows anew if it jumps. */
static int file_show(OpenFile *file, RequestCaller *waiting, off_t offset) {
        GBytes *content;
        int r;

        if (file->content && offset > 0 && offset == file->expected &&
            machine_has_directory(waiting->machine, file->generation))
                return 0;
        r = machine_read(waiting->machine, file->generation, file->attribute, &waiting->caller, &content);
        if (r < 0)
                return r;
        g_clear_pointer(&file->content, g_bytes_unref);
        file->content = content;
        return 0;
}

/* The reply comes last: once the reader has it, another thread may release the file, and what was shown. */
static void op_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                    struct fuse_file_info *info) {
        RequestCaller waiting = { .machine = request_front(request)->machine };
        g_autofree char *reply = NULL;
        OpenFile *file = open_file(info);
        size_t length = 0, start = 0;
        int r;

        if (inode == KERNEL_LOG_INODE) {
                kernel_log_file_read(request_front(request)->kernel_log, request, size, offset, info);
                return;
        }
        fuse_req_interrupt_func(request, request_interrupted, &waiting);
        pthread_mutex_lock(&file->lock);
        file->was_read = true;
        r = file_show(file, &waiting, offset);
        fuse_req_interrupt_func(request, NULL, NULL);
        if (r >= 0) {
                const char *data = g_bytes_get_data(file->content, &length);

                start = MIN((size_t) offset, length);
                length = MIN(size, length - start);
                reply = g_memdup2(data + start, length);
                file->expected = (off_t) (start + length);
        }
        pthread_mutex_unlock(&file->lock);
        if (r < 0)
                fuse_reply_err(request, -r);
        else
                fuse_reply_buf(request, reply, length);
}

static void op_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *info) {
        RequestCaller waiting = { .machine = request_front(request)->machine };
        OpenFile *file = open_file(info);
        ssize_t r;

        if (inode == KERNEL_LOG_INODE) {
                kernel_log_file_write(request_front(request)->kernel_log, request, data, size);
                return;
        }
        fuse_req_interrupt_func(request, request_interrupted, &waiting);
        pthread_mutex_lock(&file->lock);
        r = machine_write(waiting.machine, file->generation, file->attribute, &waiting.caller, data, size);
        pthread_mutex_unlock(&file->lock);
        fuse_req_interrupt_func(request, NULL, NULL);
        if (r < 0)
                fuse_reply_err(request, (int) -r);
        else
                fuse_reply_write(request, (size_t) r);
}

/* Always ready; until the first read kernfs also claims a change, and never again, since nobody notifies. */
static void op_poll(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info,
                    struct fuse_pollhandle *handle) {
        OpenFile *file = open_file(info);
        unsigned events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

        if (handle)
                fuse_pollhandle_destroy(handle);
        if (inode == KERNEL_LOG_INODE) { /* nobody is told of new lines: who polls must read */
                fuse_reply_poll(request, events);
                return;
        }
        pthread_mutex_lock(&file->lock);
        if (!file->was_read)
                events |= POLLPRI | POLLERR;
        pthread_mutex_unlock(&file->lock);
        fuse_reply_poll(request, events);
}

typedef struct Listing {
        fuse_req_t request;
        char *buffer;
        size_t size, used;
        bool full;
} Listing;

/* next: where a later readdir goes on behind this entry. */
static void listing_add(Listing *listing, const char *name, uint64_t inode, bool is_directory, off_t next) {
        struct stat status = { .st_ino = inode, .st_mode = is_directory ? S_IFDIR : S_IFREG };
        size_t needed;

        if (listing->full)
                return;
        needed = fuse_add_direntry(listing->request, listing->buffer + listing->used,
                                   listing->size - listing->used, name, &status, next);
        if (needed > listing->size - listing->used)
                listing->full = true;
        else
                listing->used += needed;
}

static void list_root(Front *front, Listing *listing, off_t offset) {
        uint64_t root = machine_root(front->machine);

        if (root > 0 && offset < 3)
                listing_add(listing, LFA_NAME, inode_of_generation(root, 0), true, 3);
        for (guint i = offset < ENTRY_FIRST ? 0 : (guint) (offset - ENTRY_FIRST); i < front->entries->len;
             i++) {
                const FrontEntry *entry = front->entries->pdata[i];

                listing_add(listing, entry->name, ENTRY_FIRST + i, entry->is_directory,
                            (off_t) ENTRY_FIRST + i + 1);
        }
}

/* The offset is the last generation shown: removals and additions meanwhile neither hide nor repeat an
 * entry. */
static void list_images(Front *front, Listing *listing, off_t offset) {
        uint64_t generation = offset < 3 ? 0 : (uint64_t) offset;
        char guid[GUID_STRING_SIZE];

        while (!listing->full && (generation = machine_next_directory(front->machine, generation, guid)) > 0)
                listing_add(listing, guid, inode_of_generation(generation, 0), true, (off_t) generation);
}

static void list_files(Front *front, Listing *listing, uint64_t generation, off_t offset) {
        for (SysfsAttribute i = offset < 3 ? 0 : (SysfsAttribute) (offset - 2); i < _ATTRIBUTE_MAX; i++)
                if (machine_has_file(front->machine, generation, i))
                        listing_add(listing, sysfs_attribute_name(i),
                                    inode_of_generation(generation, (unsigned) i + 1), false, (off_t) i + 3);
}

static void op_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       struct fuse_file_info *info) {
        Front *front = request_front(request);
        Node node = node_find(front, inode);
        g_autofree char *buffer = g_malloc(size);
        Listing listing = { .request = request, .buffer = buffer, .size = size };

        /* The directory is gone: its listing simply ends. */
        if (node.kind == NODE_GONE) {
                fuse_reply_buf(request, NULL, 0);
                return;
        }
        if (offset < 1)
                listing_add(&listing, ".", inode, true, 1);
        if (offset < 2)
                listing_add(&listing, "..", FUSE_ROOT_ID, true, 2);
        if (node.kind == NODE_ROOT)
                list_root(front, &listing, offset);
        else if (node.kind == NODE_LFA)
                list_images(front, &listing, offset);
        else if (node.kind == NODE_IMAGE)
                list_files(front, &listing, node.generation, offset);
        fuse_reply_buf(request, buffer, listing.used);
}

/* sysfs lets nobody create, remove or rename. */
static void op_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info) {
        fuse_reply_err(request, EACCES);
}

static void op_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
        fuse_reply_err(request, EPERM);
}

static void op_remove(fuse_req_t request, fuse_ino_t parent, const char *name) {
        fuse_reply_err(request, EPERM);
}

/* Requests change threads, so they must not be left in a pipe of the thread that took them. */
static void op_init(void *userdata, struct fuse_conn_info *connection) {
        connection->want &= ~(unsigned) FUSE_CAP_SPLICE_READ;
}

static const struct fuse_lowlevel_ops operations = {
        .init = op_init,
        .lookup = op_lookup,
        .getattr = op_getattr,
        .setattr = op_setattr,
        .open = op_open,
        .release = op_release,
        .read = op_read,
        .write = op_write,
        .poll = op_poll,
        .readdir = op_readdir,
        .create = op_create,
        .mkdir = op_mkdir,
        .unlink = op_remove,
        .rmdir = op_remove,
};

static int front_serve(Front *front, int fuse_fd) {
        char *arguments[] = { (char *) "lfa-sim", NULL };
        struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
        g_autofree char *mounted = g_strdup_printf("/dev/fd/%d", fuse_fd);

        front->session = fuse_session_new(&args, &operations, sizeof(operations), front);
        fuse_opt_free_args(&args);
        if (!front->session || fuse_session_mount(front->session, mounted) != 0)
                return -EIO;
        return fuse_loop_new(front->session, front->ended, front->userdata, &front->loop);
}

static Front *front_destroy(Front *front) {
        if (front->session)
                fuse_session_destroy(front->session);
        kernel_log_file_free(front->kernel_log);
        g_hash_table_unref(front->owners);
        g_hash_table_unref(front->files);
        pthread_mutex_destroy(&front->lock);
        g_free(front);
        return NULL;
}

int front_new(Machine *machine, const GPtrArray *entries, int fuse_fd, void (*ended)(void *userdata),
              void *userdata, Front **ret_front) {
        Front *front = g_new0(Front, 1);
        int r;

        g_assert(entries->len <= ENTRIES_MAX);
        front->machine = machine;
        front->entries = entries;
        front->kernel_log = kernel_log_file_new(machine);
        front->ended = ended;
        front->userdata = userdata;
        front->owners = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
        front->files = g_hash_table_new_full(NULL, NULL, open_file_free, NULL);
        pthread_mutex_init(&front->lock, NULL);
        clock_gettime(CLOCK_REALTIME, &front->started);
        r = front_serve(front, fuse_fd);
        if (r < 0) {
                front_destroy(front);
                return r;
        }
        *ret_front = front;
        return 0;
}

Front *front_free(Front *front) {
        if (!front)
                return NULL;
        front->loop = fuse_loop_free(front->loop);
        return front_destroy(front);
}
