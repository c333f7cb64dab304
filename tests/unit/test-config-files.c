/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the configuration's files: which of several with one name counts, in which order they apply, what
 * hides what, and what is said about a file that cannot be read. */

#include "unit.h"
#include "util/config-files.h"

#include <sys/stat.h>
#include <unistd.h>

/* What was found, as "text text text" in order. */
static char *load(const TempFolder *root) {
        g_autoptr(ConfigFiles) files = config_files_load(root->path);
        GString *text = g_string_new("");

        for (unsigned i = 0; i < files->failures->len; i++) {
                const ConfigFileFailure *failure = files->failures->pdata[i];

                assert_true(g_str_has_prefix(failure->path, root->path));
                g_string_append_printf(text, "<%s: %s>", failure->path + strlen(root->path), failure->text);
        }
        for (unsigned i = 0; i < files->files->len; i++) {
                const ConfigFile *file = files->files->pdata[i];

                assert_true(g_str_has_prefix(file->path, root->path));
                assert_int_equal(strlen(file->text), file->size);
                g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", file->text);
        }
        return g_string_free(text, FALSE);
}

static void assert_loads(const TempFolder *root, const char *wanted) {
        g_autofree char *text = load(root);

        assert_string_equal(text, wanted);
}

static void make_link(const TempFolder *root, const char *name, const char *target) {
        g_autofree char *path = temp_path(root, name);
        g_autofree char *parent = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(parent, 0755), 0);
        assert_int_equal(symlink(target, path), 0);
}

static void nothing_there_is_fine(void **state) {
        assert_loads(*state, "");
}

static void of_the_main_files_the_highest_counts_alone(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "usr/lib/lfad/lfad.conf", "vendor");
        assert_loads(root, "vendor");
        temp_write_text(root, "run/lfad/lfad.conf", "runtime");
        assert_loads(root, "runtime");
        temp_write_text(root, "etc/lfad/lfad.conf", "local");
        assert_loads(root, "local");
}

static void drop_ins_come_after_it_in_the_order_of_their_names(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "etc/lfad/lfad.conf.d/10-b.conf", "b");
        temp_write_text(root, "usr/lib/lfad/lfad.conf.d/20-c.conf", "c");
        temp_write_text(root, "run/lfad/lfad.conf.d/05-a.conf", "a");
        temp_write_text(root, "usr/lib/lfad/lfad.conf", "main");
        assert_loads(root, "main a b c");
}

static void of_drop_ins_with_one_name_the_highest_counts(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "usr/lib/lfad/lfad.conf.d/x.conf", "vendor");
        temp_write_text(root, "run/lfad/lfad.conf.d/x.conf", "runtime");
        assert_loads(root, "runtime");
        temp_write_text(root, "etc/lfad/lfad.conf.d/x.conf", "local");
        assert_loads(root, "local");
}

static void a_link_to_dev_null_or_an_empty_file_hides(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "usr/lib/lfad/lfad.conf", "main");
        temp_write_text(root, "usr/lib/lfad/lfad.conf.d/x.conf", "x");
        temp_write_text(root, "usr/lib/lfad/lfad.conf.d/y.conf", "y");
        temp_write_text(root, "etc/lfad/lfad.conf.d/y.conf", "");
        make_link(root, "etc/lfad/lfad.conf.d/x.conf", "/dev/null");
        assert_loads(root, "main");
        make_link(root, "etc/lfad/lfad.conf", "/dev/null");
        assert_loads(root, "");
}

static void only_visible_files_that_end_in_conf_are_drop_ins(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "etc/lfad/lfad.conf.d/README", "no");
        temp_write_text(root, "etc/lfad/lfad.conf.d/a.conf~", "no");
        temp_write_text(root, "etc/lfad/lfad.conf.d/.a.conf", "no");
        temp_write_text(root, "etc/lfad/lfad.conf.d/a.conf.dpkg-new", "no");
        temp_write_text(root, "etc/lfad/other.conf", "no");
        assert_loads(root, "");
}

static void links_are_followed_as_if_the_root_were_the_system(void **state) {
        const TempFolder *root = *state;

        temp_write_text(root, "srv/real.conf", "real");
        make_link(root, "etc/lfad/lfad.conf", "/srv/real.conf");
        make_link(root, "etc/lfad/lfad.conf.d/a.conf", "../../../srv/real.conf");
        assert_loads(root, "real real");
}

static void what_is_there_and_cannot_be_read_is_told(void **state) {
        const TempFolder *root = *state;
        g_autofree char *fifo = temp_path(root, "etc/lfad/lfad.conf.d/c.conf");
        g_autofree char *folder = temp_path(root, "etc/lfad/lfad.conf.d/d.conf");

        make_link(root, "etc/lfad/lfad.conf", "nowhere");
        make_link(root, "etc/lfad/lfad.conf.d/b.conf", "b.conf");
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(mkdir(folder, 0755), 0);
        temp_write_text(root, "etc/lfad/lfad.conf.d/e.conf", "good");
        temp_write_text(root, "run/lfad", "a file");
        assert_loads(root,
                     "</etc/lfad/lfad.conf: It cannot be read: No such file or directory.>"
                     "</run/lfad/lfad.conf.d: It cannot be read: Not a directory.>"
                     "</etc/lfad/lfad.conf.d/b.conf: It cannot be read: Too many levels of symbolic links.>"
                     "</etc/lfad/lfad.conf.d/c.conf: It is not a regular file.>"
                     "</etc/lfad/lfad.conf.d/d.conf: It is not a regular file.> good");
}

static void a_root_that_is_not_there_is_told(void **state) {
        g_autoptr(ConfigFiles) files = config_files_load("/nonexistent/root");

        assert_int_equal(files->failures->len, 1);
        assert_int_equal(files->files->len, 0);
        assert_string_equal(((const ConfigFileFailure *) files->failures->pdata[0])->path,
                            "/nonexistent/root");
}

static void sizes_are_bounded(void **state) {
        const TempFolder *root = *state;
        g_autofree char *text = g_strnfill(CONFIG_FILE_SIZE_MAX + 1, '#');
        g_autoptr(ConfigFiles) files = NULL;

        temp_write(root, "etc/lfad/lfad.conf", text, CONFIG_FILE_SIZE_MAX + 1);
        assert_loads(root, "</etc/lfad/lfad.conf: It is larger than 1 MiB.>");
        temp_write(root, "etc/lfad/lfad.conf", text, CONFIG_FILE_SIZE_MAX);
        files = config_files_load(root->path);
        assert_int_equal(files->failures->len, 0);
        assert_int_equal(((const ConfigFile *) files->files->pdata[0])->size, CONFIG_FILE_SIZE_MAX);
}

static void the_number_of_files_is_bounded(void **state) {
        const TempFolder *root = *state;
        g_autoptr(ConfigFiles) files = NULL;

        for (unsigned i = 0; i <= CONFIG_FILES_MAX; i++) {
                g_autofree char *name = g_strdup_printf("etc/lfad/lfad.conf.d/%u.conf", i);

                temp_write_text(root, name, "#");
        }
        files = config_files_load(root->path);
        assert_int_equal(files->failures->len, 1);
        assert_non_null(strstr(((const ConfigFileFailure *) files->failures->pdata[0])->text, "1000"));
        assert_int_equal(files->files->len, CONFIG_FILES_MAX);
}

static void a_name_of_any_bytes_is_shown_as_text(void **state) {
        const TempFolder *root = *state;
        g_autoptr(ConfigFiles) files = NULL;
        const ConfigFile *file;

        temp_write(root, "etc/lfad/lfad.conf.d/\xff.conf", "a\0b", 3);
        files = config_files_load(root->path);
        assert_int_equal(files->files->len, 1);
        file = files->files->pdata[0];
        assert_true(g_utf8_validate(file->path, -1, NULL));
        assert_int_equal(file->size, 3);
        assert_memory_equal(file->text, "a\0b", 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(nothing_there_is_fine),
                unit_test_with_folder(of_the_main_files_the_highest_counts_alone),
                unit_test_with_folder(drop_ins_come_after_it_in_the_order_of_their_names),
                unit_test_with_folder(of_drop_ins_with_one_name_the_highest_counts),
                unit_test_with_folder(a_link_to_dev_null_or_an_empty_file_hides),
                unit_test_with_folder(only_visible_files_that_end_in_conf_are_drop_ins),
                unit_test_with_folder(links_are_followed_as_if_the_root_were_the_system),
                unit_test_with_folder(what_is_there_and_cannot_be_read_is_told),
                unit_test_with_folder(a_root_that_is_not_there_is_told),
                unit_test_with_folder(sizes_are_bounded),
                unit_test_with_folder(the_number_of_files_is_bounded),
                unit_test_with_folder(a_name_of_any_bytes_is_shown_as_text),
        };

        return cmocka_run_group_tests_name("config-files", tests, NULL, NULL);
}
