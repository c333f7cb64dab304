/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log entries: what journald gets of them, by its own protocol over a real socket, and what stands on stderr. */

#include "unit.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=test-log\n"

typedef struct Place {
        TempFolder *folder;
        char *socket, *output;
        int journal_fd, stderr_fd; /* journald's end; what stderr was */
} Place;

/* stderr leads to a file meanwhile, which stands for the journal's stream. */
static int setup(void **state) {
        Place *place = g_new0(Place, 1);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        place->folder = temp_folder_new();
        place->socket = temp_path(place->folder, "socket");
        place->output = temp_path(place->folder, "output");
        place->journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_strlcpy(address.sun_path, place->socket, sizeof(address.sun_path));
        assert_int_equal(bind(place->journal_fd, (struct sockaddr *) &address, sizeof(address)), 0);
        place->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        fd = open(place->output, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        close(fd);
        *state = place;
        return 0;
}

static int teardown(void **state) {
        Place *place = *state;

        unsetenv("JOURNAL_STREAM");
        log_open(place->socket);
        log_set_max_level(LOG_INFO);
        assert_int_equal(dup2(place->stderr_fd, STDERR_FILENO), STDERR_FILENO);
        close(place->stderr_fd);
        close(place->journal_fd);
        temp_folder_free(place->folder);
        g_free(place->socket);
        g_free(place->output);
        g_free(place);
        return 0;
}

/* As systemd sets it for the services that it starts. */
static void open_journal(const Place *place) {
        g_autofree char *stream = NULL;
        struct stat st;

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        stream = g_strdup_printf("%" PRIu64 ":%" PRIu64, (uint64_t) st.st_dev, (uint64_t) st.st_ino);
        setenv("JOURNAL_STREAM", stream, true);
        log_open(place->socket);
        assert_true(log_is_journal());
}

/* The next entry, "" = there is none. */
static const char *received(const Place *place) {
        static char buffer[64 * 1024];
        ssize_t n = recv(place->journal_fd, buffer, sizeof(buffer) - 1, 0);

        buffer[MAX(n, 0)] = 0;
        return buffer;
}

static void assert_received(const Place *place, const char *format, ...) _printf_(2, 3);
static void assert_received(const Place *place, const char *format, ...) {
        g_autofree char *expected = NULL;
        va_list arguments;

        va_start(arguments, format);
        expected = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        assert_string_equal(received(place), expected);
}

static void assert_written(const Place *place, const char *expected) {
        g_autofree char *text = NULL;

        assert_true(g_file_get_contents(place->output, &text, NULL, NULL));
        assert_string_equal(text, expected);
}

static void an_event_has_its_id_its_level_and_its_fields(void **state) {
        const Place *place = *state;
        LogFields *fields = log_add(NULL, LFA_FIELD_GUID, "a");

        open_journal(place);
        fields = log_add_u64(log_add(fields, LFA_FIELD_GUID, "b"), LFA_FIELD_JOB, UINT64_MAX);
        log_event(LFA_MESSAGE_JOB_UNKNOWN, fields, "Job %d: %s", 7, "it is not known");
        assert_received(place,
                        NAME "MESSAGE_ID=b5b2084a3b3f4d6d89da2f78912705dc\nLFA_GUID=a\nLFA_GUID=b\n"
                             "LFA_JOB=18446744073709551615\n",
                        "Job 7: it is not known", LOG_ERR);
        log_event(LFA_MESSAGE_READY, NULL, "Ready.");
        assert_received(place, NAME "MESSAGE_ID=d85b0ff2ade24bbc90afe0680a449e49\n", "Ready.", LOG_INFO);
        assert_written(place, "");
}

static void a_line_has_no_id_and_may_have_fields(void **state) {
        const Place *place = *state;

        open_journal(place);
        log_notice("It is %d.", 3);
        assert_received(place, NAME, "It is 3.", LOG_NOTICE);
        log_detail(LOG_WARNING, log_add(NULL, LFA_FIELD_GATE, "window"), "Well.");
        assert_received(place, NAME "LFA_GATE=window\n", "Well.", LOG_WARNING);
}

static void an_error_is_told_by_text_and_number_and_returned(void **state) {
        const Place *place = *state;

        open_journal(place);
        assert_int_equal(log_error_errno(-ENOSPC, "Cannot %s", "write"), -ENOSPC);
        assert_received(place, NAME "ERRNO=28\n", "Cannot write: No space left on device", LOG_ERR);
        assert_int_equal(log_event_errno(LFA_MESSAGE_RECORD_FAILED, -EROFS,
                                         log_add_u64(NULL, LFA_FIELD_JOB, 3), "Cannot record"),
                         -EROFS);
        assert_received(place, NAME "MESSAGE_ID=35aabf05881246909ce9f51796a0cbab\nLFA_JOB=3\nERRNO=30\n",
                        "Cannot record: Read-only file system", LOG_ERR);
}

static void what_is_not_known_is_left_out(void **state) {
        const Place *place = *state;

        open_journal(place);
        assert_null(log_add(log_add(NULL, LFA_FIELD_TO, ""), LFA_FIELD_FROM, NULL));
        log_detail(LOG_INFO, log_add(NULL, LFA_FIELD_TO, ""), "x");
        assert_received(place, NAME, "x", LOG_INFO);
}

static void no_text_makes_a_field_or_a_line_of_its_own(void **state) {
        static const char hostile[] =
                        "a\\x0a\nMESSAGE_ID=0\n<0>b\r\x1b[31m\xff\xe2\x80\xae\xe2\x80\xa8z=\xc3\xa9";
        static const char shown[] =
                        "a\\\\x0a\\x0aMESSAGE_ID=0\\x0a<0>b\\x0d\\x1b[31m\\xff\\xe2\\x80\\xae\\xe2\\x80\\xa8"
                        "z=\xc3\xa9";
        g_autofree char *line = g_strdup_printf("%s\n", shown);
        const Place *place = *state;

        open_journal(place);
        log_detail(LOG_INFO, log_add(NULL, LFA_FIELD_REASON, hostile), "%s", hostile);
        assert_received(place, NAME "LFA_REASON=%s\n", shown, LOG_INFO, shown);
        unsetenv("JOURNAL_STREAM");
        log_open(place->socket);
        log_detail(LOG_INFO, log_add(NULL, LFA_FIELD_REASON, hostile), "%s", hostile);
        assert_written(place, line);
}

static void what_is_printable_stays_as_it_is(void **state) {
        static const char escaped[] = "'\\x1b[31m' is no time, C:\\new is";
        const Place *place = *state;

        open_journal(place);
        log_detail(LOG_INFO, log_add(NULL, LFA_FIELD_REASON, escaped), "%s", escaped);
        assert_received(place, NAME "LFA_REASON=%s\n", escaped, LOG_INFO, escaped);
}

static void what_is_too_long_is_cut_at_a_character(void **state) {
        g_autoptr(GString) text = g_string_new(NULL), kept = g_string_new(NULL);
        const Place *place = *state;

        open_journal(place);
        for (int i = 0; i < 100000; i++)
                g_string_append(text, "\xc3\xa9");
        for (int i = 0; i < 2046; i++) /* 4096 bytes, with three dots */
                g_string_append(kept, "\xc3\xa9");
        log_info("%s", text->str);
        assert_received(place, NAME, g_string_append(kept, "...")->str, LOG_INFO);
        g_string_truncate(text, 4096); /* fits */
        log_info("%s", text->str);
        assert_received(place, NAME, text->str, LOG_INFO);
}

static void what_is_above_the_level_is_dropped(void **state) {
        const Place *place = *state;

        open_journal(place);
        log_set_max_level(LOG_NOTICE);
        log_info("x");
        log_event(LFA_MESSAGE_READY, log_add(NULL, LFA_FIELD_JOB, "1"), "x");
        assert_int_equal(log_errno(LOG_DEBUG, -EIO, "x"), -EIO);
        assert_string_equal(received(place), "");
        log_event(LFA_MESSAGE_HOLD_SET, NULL, "y");
        assert_true(g_str_has_prefix(received(place), "MESSAGE=y\n"));
}

static void elsewhere_it_is_a_plain_line(void **state) {
        const Place *place = *state;

        log_open(place->socket);
        assert_false(log_is_journal());
        log_event(LFA_MESSAGE_READY, NULL, "Ready.");
        setenv("JOURNAL_STREAM", "1:2", true); /* of whoever started it */
        log_open(place->socket);
        assert_false(log_is_journal());
        log_error_errno(-EIO, "Cannot");
        assert_written(place, "Ready.\nCannot: Input/output error\n");
        assert_string_equal(received(place), "");
}

static void without_journald_the_stream_has_a_line_with_its_level(void **state) {
        const Place *place = *state;

        open_journal(place);
        assert_int_equal(unlink(place->socket), 0);
        log_event(LFA_MESSAGE_JOB_FAILED, log_add_u64(NULL, LFA_FIELD_JOB, 1), "It failed.");
        assert_written(place, "<4>It failed.\n");
}

/* It would never return if it waited for room. */
static void a_journald_that_takes_nothing_holds_nobody_up(void **state) {
        g_autofree char *limit = NULL, *told = NULL;
        unsigned sent = 0, seen = 0, lost = 0;
        const Place *place = *state;

        assert_true(g_file_get_contents("/proc/sys/net/unix/max_dgram_qlen", &limit, NULL, NULL));
        open_journal(place);
        for (; sent < (unsigned) atoi(limit) + 100; sent++)
                log_info("%u", sent);
        while (*received(place))
                seen++;
        assert_true(seen < sent);
        log_info("last");
        told = g_strdup(received(place));
        assert_int_equal(sscanf(told, "MESSAGE=%u log entries were lost", &lost), 1);
        assert_int_equal(seen + lost, sent);
        assert_received(place, NAME, "last", LOG_INFO);
        log_info("more");
        assert_received(place, NAME, "more", LOG_INFO);
        assert_written(place, "");
}

/* It waits for 100 ms then, and there could be room by the end of them. */
static void a_journald_that_took_nothing_is_waited_for_again(void **state) {
        g_autofree char *limit = NULL;
        const Place *place = *state;
        gint64 began;

        assert_true(g_file_get_contents("/proc/sys/net/unix/max_dgram_qlen", &limit, NULL, NULL));
        open_journal(place);
        for (unsigned i = 0; i < (unsigned) atoi(limit) + 3; i++)
                log_info("x");
        g_usleep(G_USEC_PER_SEC); /* since when nothing was waited for */
        began = g_get_monotonic_time();
        log_info("y");
        assert_true(g_get_monotonic_time() - began >= 90000);
}

static void what_not_even_the_stream_takes_is_counted(void **state) {
        g_autofree char *away = NULL;
        Place *place = *state;
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        close(fd);
        open_journal(place);
        away = temp_path(place->folder, "away");
        assert_int_equal(rename(place->socket, away), 0);
        log_info("x");
        log_info("y");
        assert_int_equal(rename(away, place->socket), 0);
        log_info("z");
        assert_received(place, NAME, "2 log entries were lost: the journal did not take them in time.",
                        LOG_WARNING);
        assert_received(place, NAME, "z", LOG_INFO);
}

#define ROW(symbol, name, level, id) { LFA_MESSAGE_##symbol, name, LOG_##level, id },
static const struct {
        MessageId message;
        const char *name;
        int level;
        const char *id;
} rows[] = { LFA_MESSAGE_TABLE(ROW) };

static void each_event_has_a_name_and_an_id_of_its_own(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_int_equal(strspn(rows[i].id, "0123456789abcdef"), 32);
                assert_int_equal(strlen(rows[i].id), 32);
                for (size_t j = 0; j < i; j++) {
                        assert_string_not_equal(rows[i].id, rows[j].id);
                        assert_string_not_equal(rows[i].name, rows[j].name);
                }
        }
}

static void each_event_is_sent_as_the_table_has_it(void **state) {
        const Place *place = *state;

        open_journal(place);
        log_set_max_level(LOG_DEBUG);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                log_event(rows[i].message, NULL, "%s", rows[i].name);
                assert_received(place, NAME "MESSAGE_ID=%s\n", rows[i].name, rows[i].level, rows[i].id);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(an_event_has_its_id_its_level_and_its_fields),
                TEST(a_line_has_no_id_and_may_have_fields),
                TEST(an_error_is_told_by_text_and_number_and_returned),
                TEST(what_is_not_known_is_left_out),
                TEST(no_text_makes_a_field_or_a_line_of_its_own),
                TEST(what_is_printable_stays_as_it_is),
                TEST(what_is_too_long_is_cut_at_a_character),
                TEST(what_is_above_the_level_is_dropped),
                TEST(elsewhere_it_is_a_plain_line),
                TEST(without_journald_the_stream_has_a_line_with_its_level),
                TEST(a_journald_that_takes_nothing_holds_nobody_up),
                TEST(a_journald_that_took_nothing_is_waited_for_again),
                TEST(what_not_even_the_stream_takes_is_counted),
                cmocka_unit_test(each_event_has_a_name_and_an_id_of_its_own),
                TEST(each_event_is_sent_as_the_table_has_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
