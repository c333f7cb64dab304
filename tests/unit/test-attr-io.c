/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes: one line in, one byte out, once. */

#include "unit.h"
#include "util/attr-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

static void one_line_is_read_with_or_without_its_newline(void **state) {
        static const struct {
                const char *content, *line;
        } rows[] = {
                { "1\n", "1" },       { "1", "1" }, { "\n", "" }, { "", "" }, { "1234567\n", "1234567" },
                { " a b ", " a b " },
        };
        const TempFolder *folder = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char buffer[9];

                temp_write_text(folder, "attribute", rows[i].content);
                assert_int_equal(attr_read(folder->fd, "attribute", buffer, sizeof(buffer)),
                                 strlen(rows[i].line));
                assert_string_equal(buffer, rows[i].line);
        }
}

static void what_is_no_line_that_fits_is_refused(void **state) {
        static const struct {
                const char *content;
                size_t size;
        } rows[] = {
                { "12345678", 8 },      /* no room for its NUL */
                { "12345678\n", 9 },    /* the same, with a newline */
                { "123456789012", 12 }, /* longer than the buffer */
                { "1234567\n8\n", 10 }, /* a second line behind a first that fills the buffer */
                { "1\n2\n", 4 },        /* two lines */
                { "1\n\n", 3 },         /* an empty one behind it */
                { "\n1", 2 },           { "\n\n", 2 }, { "1\0\n", 3 }, { "\0", 1 }, { "a\0b", 3 },
        };
        const TempFolder *folder = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                char buffer[8];

                temp_write(folder, "attribute", rows[i].content, rows[i].size);
                if (attr_read(folder->fd, "attribute", buffer, sizeof(buffer)) != -EBADMSG)
                        fail_msg("row %zu was taken", i);
        }
}

static void what_cannot_be_read_is_an_error(void **state) {
        const TempFolder *folder = *state;
        char buffer[8];

        temp_write_text(folder, "target", "1\n");
        assert_int_equal(symlinkat("target", folder->fd, "link"), 0);
        assert_int_equal(mkdirat(folder->fd, "folder", 0755), 0);
        assert_int_equal(attr_read(folder->fd, "missing", buffer, sizeof(buffer)), -ENOENT);
        assert_int_equal(attr_read(folder->fd, "link", buffer, sizeof(buffer)), -ELOOP);
        assert_int_equal(attr_read(folder->fd, "folder", buffer, sizeof(buffer)), -EISDIR);
        assert_int_equal(attr_read_bool(folder->fd, "missing"), -ENOENT);
        assert_int_equal(attr_open_write(folder->fd, "missing"), -ENOENT);
        assert_int_equal(attr_open_write(folder->fd, "link"), -ELOOP);
}

static void each_reading_is_fresh(void **state) {
        const TempFolder *folder = *state;

        temp_write_text(folder, "attribute", "0\n");
        assert_int_equal(attr_read_bool(folder->fd, "attribute"), 0);
        assert_int_equal(unlinkat(folder->fd, "attribute", 0), 0); /* as when an image is re-created */
        temp_write_text(folder, "attribute", "1\n");
        assert_int_equal(attr_read_bool(folder->fd, "attribute"), 1);
}

static void only_0_and_1_are_booleans(void **state) {
        static const struct {
                const char *content;
                int value;
        } rows[] = {
                { "0\n", 0 },
                { "1\n", 1 },
                { "0", 0 },
                { "1", 1 },
                { "\n", -EBADMSG },
                { "", -EBADMSG },
                { "2\n", -EBADMSG },
                { "01\n", -EBADMSG },
                { "10", -EBADMSG },
                { "-1\n", -EBADMSG },
                { "y\n", -EBADMSG },
                { "true\n", -EBADMSG },
                { " 1\n", -EBADMSG },
                { "1 \n", -EBADMSG },
                { "1\n1\n", -EBADMSG },
                { "1111111\n", -EBADMSG },
        };
        const TempFolder *folder = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                temp_write_text(folder, "attribute", rows[i].content);
                assert_int_equal(attr_read_bool(folder->fd, "attribute"), rows[i].value);
        }
}

/* On a socket that keeps messages apart each write(2) is one message. */
static void writing_a_byte_is_exactly_one_write_of_one_byte(void **state) {
        char buffer[16];
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
        assert_int_equal(attr_write_byte(ends[0], '1'), 0);
        assert_int_equal(read(ends[1], buffer, sizeof(buffer)), 1);
        assert_int_equal(buffer[0], '1');
        assert_int_equal(read(ends[1], buffer, sizeof(buffer)), -1);
        assert_int_equal(errno, EAGAIN);
        close(ends[0]);
        close(ends[1]);
}

static void opening_and_writing_leaves_one_byte_in_the_file(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = NULL;
        size_t size;
        int fd;

        temp_write_text(folder, "activate", "");
        fd = attr_open_write(folder->fd, "activate");
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(attr_write_byte(fd, '1'), 0);
        safe_close(fd);
        text = temp_read(folder, "activate", &size);
        assert_int_equal(size, 1);
        assert_string_equal(text, "1");
}

static void opening_alone_writes_nothing_and_makes_no_file(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, "activate", "before");
        safe_close(attr_open_write(folder->fd, "activate"));
        text = temp_read(folder, "activate", NULL);
        assert_string_equal(text, "before");
        assert_int_equal(attr_open_write(folder->fd, "cancel"), -ENOENT);
        assert_int_equal(temp_count_entries(folder), 1);
}

static int full_pipe(int ends[2]) {
        static const char zeros[4096];

        if (pipe2(ends, O_NONBLOCK) < 0)
                return -errno;
        while (write(ends[1], zeros, sizeof(zeros)) > 0)
                ;
        while (write(ends[1], zeros, 1) > 0)
                ;
        return 0;
}

static void a_busy_attribute_is_not_written_again(void **state) {
        int ends[2];

        assert_int_equal(full_pipe(ends), 0);
        assert_int_equal(attr_write_byte(ends[1], '1'), -EAGAIN);
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        assert_int_equal(attr_write_byte(ends[1], '1'), -EPIPE);
        close(ends[1]);
        assert_int_equal(attr_write_byte(-EBADF, '1'), -EBADF);
}

static void on_alarm(int signal_number) {
}

/* A write that a signal ends is reported, not repeated: nobody knows whether it has reached the firmware. */
static bool interrupted_write_is_reported(void *argument) {
        const struct itimerval soon = { { 0, 20000 }, { 0, 20000 } };
        const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
        int ends[2];

        if (full_pipe(ends) < 0 || fcntl(ends[1], F_SETFL, 0) < 0)
                return false;
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &soon, NULL);
        return attr_write_byte(ends[1], '1') == -EINTR; /* a loop would stay in there for ever */
}

static void an_interrupted_write_is_not_repeated(void **state) {
        assert_true(in_child(interrupted_write_is_reported, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(one_line_is_read_with_or_without_its_newline),
                unit_test_with_folder(what_is_no_line_that_fits_is_refused),
                unit_test_with_folder(what_cannot_be_read_is_an_error),
                unit_test_with_folder(each_reading_is_fresh),
                unit_test_with_folder(only_0_and_1_are_booleans),
                cmocka_unit_test(writing_a_byte_is_exactly_one_write_of_one_byte),
                unit_test_with_folder(opening_and_writing_leaves_one_byte_in_the_file),
                unit_test_with_folder(opening_alone_writes_nothing_and_makes_no_file),
                cmocka_unit_test(a_busy_attribute_is_not_written_again),
                cmocka_unit_test(an_interrupted_write_is_not_repeated),
        };

        return cmocka_run_group_tests_name("attr-io", tests, NULL, NULL);
}
