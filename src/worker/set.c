/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad-worker cancel and set: one byte into one attribute. */

#include "kernel/tree-reader.h"
#include "util/attr-io.h"
#include "util/macros.h"
#include "worker/answer.h"
#include "worker/worker.h"

#include <fcntl.h>

static int write_attribute(const WorkerRequest *request, const char *attribute, char value) {
        _cleanup_close_ int tree_fd = tree_open(request->sysfs), image_fd = -EBADF, fd = -EBADF;

        if (tree_fd < 0)
                return tree_fd;
        image_fd = openat(tree_fd, request->guid, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (image_fd < 0)
                return -errno;
        fd = attr_open_write(image_fd, attribute);
        return fd < 0 ? fd : attr_write_byte(fd, value);
}

int worker_cancel(const WorkerRequest *request) {
        return worker_say(answer_from_error(-write_attribute(request, "cancel", '1'))) < 0 ? 1 : 0;
}

int worker_set(const WorkerRequest *request) {
        static const char *const settable[] = { "auto_activate", "force_cpu_rendezvous" };

        for (size_t i = 0; request->attribute && i < G_N_ELEMENTS(settable); i++)
                if (request->value && strcmp(request->attribute, settable[i]) == 0)
                        return worker_say(answer_from_error(
                                               -write_attribute(request, settable[i], request->value))) < 0
                                               ? 1
                                               : 0;
        return 2;
}
