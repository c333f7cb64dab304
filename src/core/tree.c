/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One reading of the driver's whole tree, and what changed between two of them. */

#include "core/tree.h"

#include <string.h>

Tree *tree_new(void) {
        Tree *tree = g_new0(Tree, 1);

        tree->images = g_array_new(FALSE, TRUE, sizeof(ImageValues));
        return tree;
}

Tree *tree_copy(const Tree *tree) {
        Tree *copy = tree_new();

        copy->driver_state = tree->driver_state;
        copy->profile = tree->profile;
        copy->id = tree->id;
        if (tree->images->len > 0)
                g_array_append_vals(copy->images, tree->images->data, tree->images->len);
        return copy;
}

void *tree_free(Tree *tree) {
        if (tree) {
                g_array_unref(tree->images);
                g_free(tree);
        }
        return NULL;
}

static int compare_guid(const void *a, const void *b) {
        return strcmp(((const ImageValues *) a)->guid, ((const ImageValues *) b)->guid);
}

void tree_sort(Tree *tree) {
        g_array_sort(tree->images, compare_guid);
}

ImageValues *tree_find(const Tree *tree, const char *guid) {
        unsigned low = 0, high = tree->images->len;

        while (low < high) {
                unsigned middle = low + (high - low) / 2;
                ImageValues *image = &g_array_index(tree->images, ImageValues, middle);
                int order = strcmp(guid, image->guid);

                if (order == 0)
                        return image;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

bool tree_equal(const Tree *a, const Tree *b) {
        if (a->driver_state != b->driver_state || a->profile != b->profile || a->id != b->id ||
            a->images->len != b->images->len)
                return false;
        for (unsigned i = 0; i < a->images->len; i++)
                if (!image_values_equal(&g_array_index(a->images, ImageValues, i),
                                        &g_array_index(b->images, ImageValues, i)))
                        return false;
        return true;
}

ChangeFlags image_change(const ImageValues *before, const ImageValues *after) {
        ChangeFlags flags = 0;

        if (!before || !after)
                return after ? CHANGE_APPEARED : before ? CHANGE_VANISHED : 0;
        if (image_values_equal(before, after))
                return 0;
        if (version_known(before->current_version) && version_known(after->current_version) &&
            strcmp(before->current_version, after->current_version) != 0)
                flags |= CHANGE_VERSION;
        if (before->pending == 1 && after->pending == 0)
                flags |= CHANGE_PENDING_FELL;
        return flags ? flags : CHANGE_OTHER;
}

static bool image_change_needs_confirmation(const ImageValues *before, const ImageValues *after) {
        if (!after)
                return true;
        if (image_values_look_stale(after) && !image_values_look_stale(before))
                return true;
        if (version_known(before->current_version) && !version_known(after->current_version))
                return true;
        return (before->capable == 1 && after->capable != 1) || (before->pending >= 0 && after->pending < 0);
}

bool tree_change_needs_confirmation(const Tree *before, const Tree *after) {
        for (unsigned i = 0; i < after->images->len; i++) {
                const ImageValues *image = &g_array_index(after->images, ImageValues, i);

                if (!tree_find(before, image->guid) && image_values_look_stale(image))
                        return true; /* first seen in the middle of a refresh */
        }
        for (unsigned i = 0; i < before->images->len; i++) {
                const ImageValues *image = &g_array_index(before->images, ImageValues, i);

                if (image_change_needs_confirmation(image, tree_find(after, image->guid)))
                        return true;
        }
        return false;
}
