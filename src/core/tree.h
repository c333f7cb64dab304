/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One reading of the driver's whole tree, and what changed between two of them. */

#include "core/image-values.h"
#include "lfa/enums.h"

#include <glib.h>

/* More images than any firmware has; what lies beyond is not read. Chosen, not from a specification. */
#define TREE_IMAGES_MAX 4096

typedef struct Tree {
        DriverState driver_state;
        DriverProfile profile;
        uint64_t id; /* of /sys/firmware/lfa, which gets another one whenever the driver is bound; 0: none */
        GArray *images; /* ImageValues, sorted by GUID once tree_sort was called */
} Tree;

Tree *tree_new(void);
Tree *tree_copy(const Tree *tree);
void *tree_free(Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)

void tree_sort(Tree *tree);

/* By directory GUID, in a sorted tree; NULL when absent. Valid until the tree changes. */
ImageValues *tree_find(const Tree *tree, const char *guid);

bool tree_equal(const Tree *a, const Tree *b);

typedef enum ChangeFlags {
        CHANGE_APPEARED = 1 << 0,
        CHANGE_VANISHED = 1 << 1,
        CHANGE_VERSION = 1 << 2,      /* current_version is another known version */
        CHANGE_PENDING_FELL = 1 << 3, /* pending 1 -> 0 */
        CHANGE_OTHER = 1 << 4,
} ChangeFlags;

/* What happened to one image: either side may be NULL (it appeared or vanished). 0 = nothing. */
ChangeFlags image_change(const ImageValues *before, const ImageValues *after);

/* True when the difference could be a glimpse of a refresh in progress: an image that vanished or looks
 * stale, a version or capability that was lost. Such a reading counts only when a second one, a moment
 * later, agrees. */
bool tree_change_needs_confirmation(const Tree *before, const Tree *after);
