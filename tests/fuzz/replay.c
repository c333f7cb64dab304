/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a fuzz target without libFuzzer: over each file of its corpus, and over what becomes of these by small changes,
 * always the same ones. usage: fuzz-TARGET FOLDER CHANGED: so many changed inputs in all */

#include "fuzz.h"

#define CHANGES_MAX 4

static gint compare_paths(gconstpointer a, gconstpointer b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *read_corpus(const char *folder) {
        GPtrArray *corpus = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        const char *name;

        while (dir && (name = g_dir_read_name(dir)))
                g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
        g_ptr_array_sort(paths, compare_paths);
        for (guint i = 0; i < paths->len; i++) {
                char *text;
                gsize size;

                MUST(g_file_get_contents(paths->pdata[i], &text, &size, NULL));
                g_ptr_array_add(corpus, g_bytes_new_take(text, size));
        }
        return corpus;
}

/* Deletes or replaces a byte, or puts one of its own or half of another input behind it. */
static void change(GByteArray *input, GRand *rand, GPtrArray *corpus) {
        guint place = input->len > 0 ? (guint) g_rand_int_range(rand, 0, (gint32) input->len) : 0;
        GBytes *other = corpus->pdata[g_rand_int_range(rand, 0, (gint32) corpus->len)];
        gsize size;
        const guint8 *bytes = g_bytes_get_data(other, &size);
        guint8 byte = size > 0 ? bytes[g_rand_int_range(rand, 0, (gint32) size)] : 0;

        switch (input->len > 0 ? g_rand_int_range(rand, 0, 4) : 3) {
        case 0:
                g_byte_array_remove_index(input, place);
                return;
        case 1:
                byte = input->data[place];
                g_byte_array_append(input, &byte, 1);
                return;
        case 2:
                input->data[place] = byte;
                return;
        default:
                g_byte_array_append(input, bytes, (guint) size / 2);
        }
}

int main(int argc, char **argv) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(1);
        g_autoptr(GPtrArray) corpus = NULL;
        guint changed;

        MUST(argc == 3);
        changed = (guint) atoi(argv[2]);
        corpus = read_corpus(argv[1]);
        MUST(corpus->len > 0);
        for (guint i = 0; i < corpus->len; i++) {
                gsize size;
                const void *data = g_bytes_get_data(corpus->pdata[i], &size);

                (void) LLVMFuzzerTestOneInput(data, size);
        }
        for (guint i = 0; i < changed; i++) {
                GByteArray *input = g_byte_array_new();
                gsize size;
                const void *data = g_bytes_get_data(corpus->pdata[i % corpus->len], &size);

                g_byte_array_append(input, data, (guint) size);
                for (int n = g_rand_int_range(rand, 1, CHANGES_MAX + 1); n > 0; n--)
                        change(input, rand, corpus);
                (void) LLVMFuzzerTestOneInput(input->data, input->len);
                g_byte_array_unref(input);
        }
        printf("%u inputs, and %u changed ones\n", corpus->len, changed);
        return EXIT_SUCCESS;
}
