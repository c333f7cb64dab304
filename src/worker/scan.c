/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lfad-worker scan: one reading of the whole tree. */

#include "kernel/tree-reader.h"
#include "worker/answer.h"
#include "worker/worker.h"

int worker_scan(const WorkerRequest *request) {
        g_autoptr(Tree) tree = NULL;
        int r = tree_read(request->sysfs, &tree);

        if (r < 0)
                return worker_say(answer_from_error(-r)) < 0 ? 1 : 0;
        if (worker_say(answer_from_driver(tree)) < 0)
                return 1;
        for (unsigned i = 0; i < tree->images->len; i++)
                if (worker_say(answer_from_image(&g_array_index(tree->images, ImageValues, i))) < 0)
                        return 1;
        return worker_say(answer_from_error(0)) < 0 ? 1 : 0;
}
