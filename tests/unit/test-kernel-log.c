/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the kernel's log: whose they are, and that garbage is passed over. A socket that keeps messages
 * apart stands in for /dev/kmsg: one read gives one record. How the real semantics are met, and those of the
 * simulator, is in the component tests; here also the real /dev/kmsg is asked, where it may be read. */

#include "kernel/kernel-log.h"
#include "unit.h"
#include "util/macros.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *parse(const char *record, int *ret_level) {
        static char copy[8192];
        const char *text;
        size_t size = strlen(record);

        memcpy(copy, record, size);
        return kernel_log_parse(copy, size, ret_level, &text) ? text : NULL;
}

static void a_record_of_the_kernel_has_level_and_text(void **state) {
        static const struct {
                const char *record, *text;
                int level;
        } cases[] = {
                { "3,1207,98341,-;Arm LFA: LFA_PRIME failed\n", "Arm LFA: LFA_PRIME failed", 3 },
                { "6,0,0,-;\n", "", 6 },
                { "7,18446744073709551615,18446744073709551615,c,caller=T1;x;y,z\n", "x;y,z", 7 },
                { "4,1,2,-;text\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A08:00\n", "text", 4 },
                { "0,1,2,-;\\xff\\x5c\n", "\\xff\\x5c", 0 },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                int level;
                const char *text = parse(cases[i].record, &level);

                assert_non_null(text);
                assert_string_equal(text, cases[i].text);
                assert_int_equal(level, cases[i].level);
        }
}

static void what_the_kernel_did_not_print_is_never_told(void **state) {
        int level;

        for (int priority = 8; priority < 8 * 300; priority++) {
                g_autofree char *record = g_strdup_printf("%d,1,2,-;LFA_PRIME failed: -3\n", priority);

                assert_null(parse(record, &level));
        }
}

static void what_is_no_record_is_passed_over(void **state) {
        static const char *const records[] = {
                "",
                "\n",
                ";",
                ";x\n",
                ",1,2,-;x\n",
                "3",
                "3,",
                "3;x\n",
                "3,1,2,-",
                "3,1,2,-;",
                "3,1,2,-;no end",
                "-3,1,2,-;x\n",
                "+3,1,2,-;x\n",
                " 3,1,2,-;x\n",
                "3x,1,2,-;x\n",
                "0000003,1,2,-;x\n",
                "99999999999999999999,1,2,-;x\n",
                "4294967299,1,2,-;x\n",
                "<3>x\n",
                "3,1,2,-;tab\there\n",
                "3,1,2,-;\xc3\xa9\n",
                "3,1,2,-;\x7f\n",
                "3,1,2,-;\x1b[2J\n",
        };
        char with_nul[] = "3,1,2,-;a\0b\n";
        const char *text;
        int level;

        for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
                if (parse(records[i], &level))
                        fail_msg("taken: %s", records[i]);
        assert_false(kernel_log_parse(with_nul, sizeof(with_nul) - 1, &level, &text));
}

static void take_into(int level, const char *text, void *userdata) {
        g_string_append_printf(userdata, "<%d>%s|", level, text);
}

static void every_record_is_read_until_there_is_no_more(void **state) {
        static const char *const records[] = { "3,1,2,-;one\n", "garbage", "14,2,3,-;forged\n",
                                               "6,3,4,-;two\n KEY=x\n" };
        g_autoptr(GString) text = g_string_new(NULL);
        _cleanup_close_ int reader = -EBADF, writer = -EBADF;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        reader = fds[0];
        writer = fds[1];
        for (size_t i = 0; i < G_N_ELEMENTS(records); i++)
                assert_int_equal(write(writer, records[i], strlen(records[i])), strlen(records[i]));
        assert_int_equal(kernel_log_read(reader, take_into, text), 0);
        assert_string_equal(text->str, "<3>one|<6>two|");

        assert_int_equal(kernel_log_read(reader, take_into, text), 0);
        writer = safe_close(writer);
        assert_int_equal(kernel_log_read(reader, take_into, text), 0);
        assert_string_equal(text->str, "<3>one|<6>two|");
}

static void only_what_comes_after_the_mark_is_read(void **state) {
        TempFolder *folder = *state;
        g_autofree char *path = temp_path(folder, "kmsg");
        g_autoptr(GString) text = g_string_new(NULL);
        _cleanup_close_ int fd = -EBADF, writer = -EBADF;

        temp_write_text(folder, "kmsg", "3,1,2,-;before\n");
        fd = kernel_log_open(path);
        assert_true(fd >= 0);
        writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(write(writer, "3,2,3,-;between\n", 16), 16);
        assert_int_equal(kernel_log_mark(fd), 0);
        assert_int_equal(write(writer, "3,3,4,-;after\n", 14), 14);
        assert_int_equal(kernel_log_read(fd, take_into, text), 0);
        assert_string_equal(text->str, "<3>after|");
}

static void what_is_no_kernel_log_is_refused(void **state) {
        TempFolder *folder = *state;
        g_autofree char *fifo = temp_path(folder, "fifo"), *missing = temp_path(folder, "missing");
        g_autoptr(GString) text = g_string_new(NULL);
        _cleanup_close_ int folder_fd = -EBADF;

        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(kernel_log_open(fifo), -ESPIPE);
        assert_int_equal(kernel_log_open(missing), -ENOENT);
        assert_int_equal(kernel_log_mark(-EBADF), -EBADF);
        assert_int_equal(kernel_log_read(-EBADF, take_into, text), -EBADF);
        folder_fd = kernel_log_open(folder->path);
        (void) kernel_log_read(folder_fd, take_into, text);
        assert_string_equal(text->str, "");
}

/* A log that never ends does not keep us. */
static void reading_comes_to_an_end_whatever_the_log_does(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        _cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(kernel_log_read(fd, take_into, text), 1);
        assert_string_equal(text->str, "");
}

static void the_real_log_is_read_where_it_may_be(void **state) {
        g_autoptr(GString) text = g_string_new(NULL);
        _cleanup_close_ int fd = kernel_log_open("/dev/kmsg");

        if (fd < 0) {
                print_message("/dev/kmsg: %s\n", g_strerror(-fd));
                skip();
        }
        assert_true(kernel_log_read(fd, take_into, text) >= 0);
        if (lseek(fd, 0, SEEK_SET) != 0)
                skip(); /* some container's stand-in */
        assert_true(kernel_log_read(fd, take_into, text) >= 0);
        assert_true(g_utf8_validate(text->str, -1, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_record_of_the_kernel_has_level_and_text),
                cmocka_unit_test(what_the_kernel_did_not_print_is_never_told),
                cmocka_unit_test(what_is_no_record_is_passed_over),
                cmocka_unit_test(every_record_is_read_until_there_is_no_more),
                unit_test_with_folder(only_what_comes_after_the_mark_is_read),
                unit_test_with_folder(what_is_no_kernel_log_is_refused),
                cmocka_unit_test(reading_comes_to_an_end_whatever_the_log_does),
                cmocka_unit_test(the_real_log_is_read_where_it_may_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
