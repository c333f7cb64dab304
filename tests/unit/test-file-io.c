/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounded reads, atomic replacement, writes that go on to their end. */

#include "unit.h"
#include "util/file-io.h"
#include "util/macros.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static void what_fits_is_read_and_terminated(void **state) {
        const TempFolder *folder = *state;
        char buffer[8];

        temp_write(folder, "empty", "", 0);
        temp_write_text(folder, "fits", "1234567");
        temp_write(folder, "nul", "a\0b", 3);
        assert_int_equal(file_read(folder->fd, "empty", buffer, sizeof(buffer)), 0);
        assert_string_equal(buffer, "");
        assert_int_equal(file_read(folder->fd, "fits", buffer, sizeof(buffer)), 7);
        assert_string_equal(buffer, "1234567");
        assert_int_equal(file_read(folder->fd, "nul", buffer, sizeof(buffer)), 3);
        assert_memory_equal(buffer, "a\0b", 4);
}

static void what_is_larger_than_the_buffer_is_refused(void **state) {
        const TempFolder *folder = *state;
        char buffer[8];

        temp_write_text(folder, "large", "12345678");
        assert_int_equal(file_read(folder->fd, "large", buffer, sizeof(buffer)), -EFBIG);
        assert_int_equal(file_read(AT_FDCWD, "/dev/zero", buffer, sizeof(buffer)), -EFBIG);
}

static void what_is_no_readable_file_is_an_error_and_never_blocks(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *fifo = temp_path(folder, "fifo");
        char buffer[8];

        assert_int_equal(file_read(folder->fd, "missing", buffer, sizeof(buffer)), -ENOENT);
        assert_int_equal(file_read(folder->fd, ".", buffer, sizeof(buffer)), -EISDIR);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(file_read(folder->fd, "fifo", buffer, sizeof(buffer)), 0);
}

static void replacing_makes_a_new_file_with_all_of_the_data(void **state) {
        const TempFolder *folder = *state;
        struct stat before, after;
        g_autofree char *text = NULL;
        size_t size;

        temp_write_text(folder, "file", "old and longer than the new");
        assert_int_equal(fstatat(folder->fd, "file", &before, 0), 0);
        assert_int_equal(file_replace(folder->fd, "file", "new", 3, 0640), 0);
        assert_int_equal(fstatat(folder->fd, "file", &after, 0), 0);
        assert_true(before.st_ino != after.st_ino);
        assert_int_equal(after.st_mode & 07777, 0640);
        text = temp_read(folder, "file", &size);
        assert_string_equal(text, "new");
        assert_int_equal(file_replace(folder->fd, "created", "", 0, 0600), 0);
        assert_int_equal(temp_count_entries(folder), 2);
}

static void rest_of_an_interrupted_replacement_is_no_obstacle(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, ".file.new", "what a crash left, longer than what comes");
        assert_int_equal(file_replace(folder->fd, "file", "new", 3, 0644), 0);
        text = temp_read(folder, "file", NULL);
        assert_string_equal(text, "new");
        assert_int_equal(temp_count_entries(folder), 1);
}

#define BLOCK (64 * 1024)
#define REPLACEMENTS 200

typedef struct Reader {
        int folder_fd;
        int stop; /* atomic */
        unsigned reads, parts;
} Reader;

/* Counts the readings that are neither all 'a' nor all 'b', or of the wrong size. */
static void *read_again_and_again(void *userdata) {
        Reader *reader = userdata;
        g_autofree char *buffer = g_malloc(2 * BLOCK + 2);

        do {
                ssize_t n = file_read(reader->folder_fd, "file", buffer, 2 * BLOCK + 2);
                bool whole = (n == BLOCK && buffer[0] == 'a') || (n == 2 * BLOCK && buffer[0] == 'b');

                for (ssize_t i = 1; whole && i < n; i++)
                        whole = buffer[i] == buffer[0];
                reader->reads++;
                if (!whole)
                        reader->parts++;
        } while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE));
        return NULL;
}

static void a_reader_sees_the_old_or_the_new_and_never_a_part(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *data = g_malloc(2 * BLOCK);
        Reader reader = { .folder_fd = folder->fd };
        pthread_t thread;

        memset(data, 'a', BLOCK);
        assert_int_equal(file_replace(folder->fd, "file", data, BLOCK, 0644), 0);
        assert_int_equal(pthread_create(&thread, NULL, read_again_and_again, &reader), 0);
        for (int i = 0; i < REPLACEMENTS; i++) {
                size_t size = i % 2 ? BLOCK : 2 * BLOCK;

                memset(data, i % 2 ? 'a' : 'b', size);
                assert_int_equal(file_replace(folder->fd, "file", data, size, 0644), 0);
        }
        __atomic_store_n(&reader.stop, 1, __ATOMIC_RELEASE);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(reader.reads > 0);
        assert_int_equal(reader.parts, 0);
}

/* A disk that takes 4 bytes more. */
static bool replace_on_a_full_disk(void *argument) {
        const TempFolder *folder = argument;
        const struct rlimit limit = { 4, 4 };

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
                return false;
        return file_replace(folder->fd, "file", "too much for it", 15, 0644) == -EFBIG;
}

static void failed_replacement_leaves_the_old_file_and_nothing_beside_it(void **state) {
        TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, "file", "old");
        assert_true(in_child(replace_on_a_full_disk, folder));
        text = temp_read(folder, "file", NULL);
        assert_string_equal(text, "old");
        assert_int_equal(temp_count_entries(folder), 1);
}

static void replacement_that_cannot_be_renamed_leaves_nothing_beside_it(void **state) {
        const TempFolder *folder = *state;

        temp_write_text(folder, "file/inside", "a folder in the way");
        assert_int_equal(file_replace(folder->fd, "file", "new", 3, 0644), -EISDIR);
        assert_int_equal(temp_count_entries(folder), 1);
}

#define NOBODY 65534

static bool replace_without_permission(void *argument) {
        const TempFolder *folder = argument;

        if (getuid() == 0 && seteuid(NOBODY) < 0)
                return false;
        return file_replace(folder->fd, "file", "new", 3, 0644) == -EACCES;
}

static void unwritable_folder_is_an_error_and_keeps_the_old_file(void **state) {
        TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, "file", "old");
        assert_int_equal(fchmod(folder->fd, 0555), 0);
        assert_true(in_child(replace_without_permission, folder));
        text = temp_read(folder, "file", NULL);
        assert_string_equal(text, "old");
        assert_int_equal(temp_count_entries(folder), 1);
}

static void a_link_in_the_place_of_the_temporary_file_is_not_followed(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, "victim", "precious");
        assert_int_equal(symlinkat("victim", folder->fd, ".file.new"), 0);
        assert_int_equal(file_replace(folder->fd, "file", "new", 3, 0644), -ELOOP);
        text = temp_read(folder, "victim", NULL);
        assert_string_equal(text, "precious");
}

static void what_is_published_has_its_mode_whatever_the_umask(void **state) {
        const TempFolder *folder = *state;
        mode_t umask_before = umask(0077);
        struct stat st;
        g_autofree char *text = NULL;

        assert_int_equal(file_publish(folder->fd, "file", "one", 3, 0644), 0);
        assert_int_equal(file_publish(folder->fd, "file", "two", 3, 0644), 0);
        umask(umask_before);
        assert_int_equal(fstatat(folder->fd, "file", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        text = temp_read(folder, "file", NULL);
        assert_string_equal(text, "two");
        assert_int_equal(temp_count_entries(folder), 1);
}

static void nothing_but_a_regular_file_is_published_over(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *fifo = temp_path(folder, "fifo"), *text = NULL;

        temp_write_text(folder, "victim", "precious");
        temp_write_text(folder, "folder/inside", "");
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(symlinkat("victim", folder->fd, "link"), 0);
        assert_int_equal(symlinkat("nowhere", folder->fd, "dangling"), 0);
        assert_int_equal(file_publish(folder->fd, "folder", "new", 3, 0644), -EISDIR);
        assert_int_equal(file_publish(folder->fd, "fifo", "new", 3, 0644), -ENOTSUP);
        assert_int_equal(file_publish(folder->fd, "link", "new", 3, 0644), -ENOTSUP);
        assert_int_equal(file_publish(folder->fd, "dangling", "new", 3, 0644), -ENOTSUP);
        text = temp_read(folder, "victim", NULL);
        assert_string_equal(text, "precious");
        assert_int_equal(temp_count_entries(folder), 5);
}

static void a_link_that_waits_for_the_usual_temporary_name_is_passed_by(void **state) {
        const TempFolder *folder = *state;
        g_autofree char *victim = NULL, *text = NULL;

        temp_write_text(folder, "victim", "precious");
        assert_int_equal(symlinkat("victim", folder->fd, ".file.new"), 0);
        assert_int_equal(file_publish(folder->fd, "file", "new", 3, 0644), 0);
        victim = temp_read(folder, "victim", NULL);
        text = temp_read(folder, "file", NULL);
        assert_string_equal(victim, "precious");
        assert_string_equal(text, "new");
        assert_int_equal(temp_count_entries(folder), 3);
}

static void set_age(const TempFolder *folder, const char *name, time_t seconds) {
        const struct timespec then = { .tv_sec = time(NULL) - seconds }, times[] = { then, then };

        assert_int_equal(utimensat(folder->fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool is_there(const TempFolder *folder, const char *name) {
        struct stat st;

        return fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void what_a_killed_writer_left_is_removed_once_it_is_old(void **state) {
        static const char *const others[] = {
                ".file.0123456789abcde",   ".file.0123456789abcdef0", ".file.0123456789abcdeg",
                ".files.0123456789abcdef", "file.0123456789abcdef",   ".file.new",
                ".fil.0123456789abcdef",   ".file0123456789abcdef",   ".file.",
        };
        const TempFolder *folder = *state;

        temp_write_text(folder, ".file.0123456789abcdef", "left");
        temp_write_text(folder, ".file.fedcba9876543210", "being written");
        temp_write_text(folder, ".file.00000000000000ff/inside", "");
        assert_int_equal(symlinkat("file", folder->fd, ".file.00000000000000aa"), 0);
        for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
                temp_write_text(folder, others[i], "not ours");
                set_age(folder, others[i], 24 * 3600);
        }
        set_age(folder, ".file.0123456789abcdef", 3600);
        set_age(folder, ".file.fedcba9876543210", 60);
        set_age(folder, ".file.00000000000000ff", 3600);
        set_age(folder, ".file.00000000000000aa", 3600);
        assert_int_equal(file_publish(folder->fd, "file", "new", 3, 0644), 0);
        assert_false(is_there(folder, ".file.0123456789abcdef"));
        assert_int_equal(temp_count_entries(folder), G_N_ELEMENTS(others) + 4);
}

static bool publish_on_a_full_disk(void *argument) {
        const TempFolder *folder = argument;
        const struct rlimit limit = { 4, 4 };

        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
                return false;
        return file_publish(folder->fd, "file", "too much for it", 15, 0644) == -EFBIG;
}

static void a_failed_publication_leaves_the_old_file_and_nothing_beside_it(void **state) {
        TempFolder *folder = *state;
        g_autofree char *text = NULL;

        temp_write_text(folder, "file", "old");
        assert_true(in_child(publish_on_a_full_disk, folder));
        text = temp_read(folder, "file", NULL);
        assert_string_equal(text, "old");
        assert_int_equal(temp_count_entries(folder), 1);
}

#define STREAM (4 * 1024 * 1024)

static int alarms; /* atomic */

static void on_alarm(int signal_number) {
        __atomic_add_fetch(&alarms, 1, __ATOMIC_RELAXED);
}

typedef struct Drain {
        int fd;
        size_t received;
        bool wrong;
} Drain;

/* Until the pipe is full, and then some signals long, so that a write is interrupted before its first byte.
 */
static void wait_for_a_blocked_writer(int fd) {
        int filled = 0, before;

        while (filled < fcntl(fd, F_GETPIPE_SZ))
                if (ioctl(fd, FIONREAD, &filled) < 0)
                        return;
        before = __atomic_load_n(&alarms, __ATOMIC_RELAXED);
        while (__atomic_load_n(&alarms, __ATOMIC_RELAXED) < before + 10)
                sched_yield();
}

static void *drain_slowly(void *userdata) {
        Drain *drain = userdata;
        char buffer[3001];
        ssize_t n;

        wait_for_a_blocked_writer(drain->fd);
        while ((n = read(drain->fd, buffer, sizeof(buffer))) > 0)
                for (ssize_t i = 0; i < n; i++)
                        if (buffer[i] != (char) (drain->received++ % 251))
                                drain->wrong = true;
        return NULL;
}

/* A timer interrupts the writes: some stop half-way, some before their first byte. */
static void writing_goes_on_after_short_writes_and_signals(void **state) {
        const struct itimerval often = { { 0, 200 }, { 0, 200 } }, off = { 0 };
        const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
        g_autofree char *data = g_malloc(STREAM);
        sigset_t alarm;
        pthread_t thread;
        int ends[2];
        Drain drain = { 0 };

        for (size_t i = 0; i < STREAM; i++)
                data[i] = (char) (i % 251);
        assert_int_equal(pipe(ends), 0);
        drain.fd = ends[0];
        sigemptyset(&alarm);
        sigaddset(&alarm, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* for the thread that reads */
        assert_int_equal(pthread_create(&thread, NULL, drain_slowly, &drain), 0);
        pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &often, NULL);
        assert_int_equal(write_all(ends[1], data, STREAM), 0);
        setitimer(ITIMER_REAL, &off, NULL);
        close(ends[1]);
        assert_int_equal(pthread_join(thread, NULL), 0);
        close(ends[0]);
        assert_int_equal(drain.received, STREAM);
        assert_false(drain.wrong);
}

static void writing_nowhere_is_an_error(void **state) {
        assert_int_equal(write_all(-EBADF, "x", 1), -EBADF);
        assert_int_equal(write_all(-EBADF, "", 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(what_fits_is_read_and_terminated),
                unit_test_with_folder(what_is_larger_than_the_buffer_is_refused),
                unit_test_with_folder(what_is_no_readable_file_is_an_error_and_never_blocks),
                unit_test_with_folder(replacing_makes_a_new_file_with_all_of_the_data),
                unit_test_with_folder(rest_of_an_interrupted_replacement_is_no_obstacle),
                unit_test_with_folder(a_reader_sees_the_old_or_the_new_and_never_a_part),
                unit_test_with_folder(failed_replacement_leaves_the_old_file_and_nothing_beside_it),
                unit_test_with_folder(replacement_that_cannot_be_renamed_leaves_nothing_beside_it),
                unit_test_with_folder(unwritable_folder_is_an_error_and_keeps_the_old_file),
                unit_test_with_folder(a_link_in_the_place_of_the_temporary_file_is_not_followed),
                unit_test_with_folder(what_is_published_has_its_mode_whatever_the_umask),
                unit_test_with_folder(nothing_but_a_regular_file_is_published_over),
                unit_test_with_folder(a_link_that_waits_for_the_usual_temporary_name_is_passed_by),
                unit_test_with_folder(what_a_killed_writer_left_is_removed_once_it_is_old),
                unit_test_with_folder(a_failed_publication_leaves_the_old_file_and_nothing_beside_it),
                cmocka_unit_test(writing_goes_on_after_short_writes_and_signals),
                cmocka_unit_test(writing_nowhere_is_an_error),
        };

        return cmocka_run_group_tests_name("file-io", tests, NULL, NULL);
}
