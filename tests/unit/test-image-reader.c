/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading one image's directory, with files that stand for the driver's. */

#include "fake-sysfs.h"
#include "kernel/image-reader.h"
#include "util/clock.h"
#include "util/macros.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

static ImageValues read_image(const TempFolder *sysfs, DriverProfile profile) {
        _cleanup_close_ int tree_fd = fake_tree_fd(sysfs);
        ImageValues values;

        assert_int_equal(image_read(tree_fd, GUID_RMM, profile, &values), 0);
        return values;
}

static void every_attribute_is_read(void **state) {
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        values = read_image(*state, PROFILE_NVNEW);
        assert_string_equal(values.guid, GUID_RMM);
        assert_string_equal(values.name, "TF-RMM");
        assert_int_equal(values.capable, 1);
        assert_int_equal(values.pending, 1);
        assert_int_equal(values.may_reset_cpu, 0);
        assert_int_equal(values.cpu_rendezvous, 1);
        assert_int_equal(values.force_cpu_rendezvous, 1);
        assert_int_equal(values.auto_activate, 0);
        assert_string_equal(values.current_version, "1.0");
        assert_string_equal(values.pending_version, "1.1");
}

static int8_t *flag_of(ImageValues *values, const char *attribute) {
        static const struct {
                const char *attribute;
                size_t offset;
        } flags[] = {
                { "activation_capable", offsetof(ImageValues, capable) },
                { "activation_pending", offsetof(ImageValues, pending) },
                { "may_reset_cpu", offsetof(ImageValues, may_reset_cpu) },
                { "cpu_rendezvous", offsetof(ImageValues, cpu_rendezvous) },
                { "force_cpu_rendezvous", offsetof(ImageValues, force_cpu_rendezvous) },
                { "auto_activate", offsetof(ImageValues, auto_activate) },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
                if (strcmp(flags[i].attribute, attribute) == 0)
                        return (int8_t *) ((char *) values + flags[i].offset);
        return NULL;
}

static const char *const flag_attributes[] = {
        "activation_capable", "activation_pending",   "may_reset_cpu",
        "cpu_rendezvous",     "force_cpu_rendezvous", "auto_activate",
};

static void each_flag_comes_from_its_own_attribute(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(flag_attributes); i++) {
                ImageValues values;

                fake_image(*state, GUID_RMM, FAKE_V2);
                for (size_t j = 0; j < G_N_ELEMENTS(flag_attributes); j++)
                        fake_attribute(*state, GUID_RMM, flag_attributes[j], i == j ? "1\n" : "0\n");
                values = read_image(*state, PROFILE_NVNEW);
                for (size_t j = 0; j < G_N_ELEMENTS(flag_attributes); j++)
                        assert_int_equal(*flag_of(&values, flag_attributes[j]), i == j);
        }
}

static void flags_that_are_missing_or_no_flags_are_unknown(void **state) {
        static const char *const contents[] = { NULL,    "",       "\n",         "2\n",
                                                "yes\n", "1\n1\n", "\xff\xfe\n", "11111111" };

        for (size_t i = 0; i < G_N_ELEMENTS(flag_attributes); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(contents); j++) {
                        ImageValues values;

                        /* without this one the directory is being removed: another test */
                        if (strcmp(flag_attributes[i], "activation_capable") == 0 && !contents[j])
                                continue;
                        fake_image(*state, GUID_RMM, FAKE_V2);
                        fake_attribute(*state, GUID_RMM, flag_attributes[i], contents[j]);
                        values = read_image(*state, PROFILE_NVNEW);
                        for (size_t k = 0; k < G_N_ELEMENTS(flag_attributes); k++)
                                assert_int_equal(*flag_of(&values, flag_attributes[k]) < 0, k == i);
                }
}

static void versions_that_are_absent_or_rubbish_are_empty(void **state) {
        static const char *const contents[] = {
                NULL,          "",    "\n",      "N/A\n",          "0.0\n",
                "garbage\n",   "1\n", "1.2.3\n", "4294967296.0\n", "1.2\n3.4\n",
                "\xff.\xff\n",
        };
        g_autofree char *huge = g_strnfill(8192, '1');

        for (size_t i = 0; i <= G_N_ELEMENTS(contents); i++) {
                const char *content = i < G_N_ELEMENTS(contents) ? contents[i] : huge;
                ImageValues values;

                fake_image(*state, GUID_RMM, FAKE_V2);
                fake_attribute(*state, GUID_RMM, "current_version", content);
                values = read_image(*state, PROFILE_NVNEW);
                assert_string_equal(values.current_version, "");
                assert_string_equal(values.pending_version, "1.1");

                fake_image(*state, GUID_RMM, FAKE_V2);
                fake_attribute(*state, GUID_RMM, "pending_version", content);
                values = read_image(*state, PROFILE_NVNEW);
                assert_string_equal(values.current_version, "1.0");
                assert_string_equal(values.pending_version, "");
        }
}

static void the_largest_versions_fit(void **state) {
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_attribute(*state, GUID_RMM, "current_version", "4294967295.4294967295\n");
        fake_attribute(*state, GUID_RMM, "pending_version", "4294967295.4294967294\n");
        values = read_image(*state, PROFILE_NVNEW);
        assert_string_equal(values.current_version, "4294967295.4294967295");
        assert_string_equal(values.pending_version, "4294967295.4294967294");
}

static void names_that_say_nothing_or_are_garbage_are_empty(void **state) {
        static const char *const contents[] = {
                NULL,
                "",
                "\n",
                "(unknown)\n",
                GUID_RMM "\n",
                "\xff\x80 garbage\n",
                "two\nlines\n",
                "\x1b[2J\n",
                "a name that is longer than the sixty-four bytes which lfad will show\n",
        };
        g_autofree char *huge = g_strnfill(8192, 'x');

        for (size_t i = 0; i <= G_N_ELEMENTS(contents); i++) {
                ImageValues values;

                fake_image(*state, GUID_RMM, FAKE_V2);
                fake_attribute(*state, GUID_RMM, "name", i < G_N_ELEMENTS(contents) ? contents[i] : huge);
                values = read_image(*state, PROFILE_V1NV);
                assert_string_equal(values.name, "");
                assert_int_equal(values.capable, 1);
        }
        fake_attribute_bytes(*state, GUID_RMM, "name", "RMM\0secret\n", 11);
        assert_string_equal(read_image(*state, PROFILE_V1NV).name, "");
}

static void what_a_version_of_the_driver_lacks_is_unknown(void **state) {
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_RFC1);
        values = read_image(*state, PROFILE_RFC1);
        assert_int_equal(values.pending, 1);
        assert_int_equal(values.force_cpu_rendezvous, -1);
        assert_int_equal(values.auto_activate, -1);
        assert_string_equal(values.current_version, "");
        assert_string_equal(values.pending_version, "");
}

/* Which attributes were opened, in order, each followed by a space. */
static char *opened_while_reading(const TempFolder *sysfs, DriverProfile profile) {
        g_autofree char *path = temp_path(sysfs, "firmware/lfa/" GUID_RMM);
        _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char buffer[8192] __attribute__((aligned(8)));
        GString *opened = g_string_new(NULL);
        ssize_t n;

        assert_true(watch >= 0 && inotify_add_watch(watch, path, IN_OPEN) >= 0);
        read_image(sysfs, profile);
        n = read(watch, buffer, sizeof(buffer));
        for (char *p = buffer; p < buffer + n;) {
                const struct inotify_event *event = (const struct inotify_event *) p;

                if (event->len > 0)
                        g_string_append_printf(opened, "%s ", event->name);
                p += sizeof(*event) + event->len;
        }
        return g_string_free(opened, FALSE);
}

static void pending_is_read_before_the_pending_version_and_after_it(void **state) {
        g_autofree char *opened = NULL;
        const char *version;

        fake_image(*state, GUID_RMM, FAKE_V2);
        opened = opened_while_reading(*state, PROFILE_NVNEW);
        version = strstr(opened, "pending_version ");
        assert_non_null(version);
        assert_true(g_str_has_prefix(opened, "activation_pending "));
        assert_non_null(strstr(version, "activation_pending "));
        assert_null(strstr(version + 1, "pending_version ")); /* it agreed: once is enough */
}

static void a_pending_version_that_lies_is_never_read(void **state) {
        static const DriverProfile profiles[] = { PROFILE_V1, PROFILE_V1NV, PROFILE_RFC1, PROFILE_NVRFC };

        fake_image(*state, GUID_RMM, FAKE_V2);
        for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
                g_autofree char *opened = opened_while_reading(*state, profiles[i]);

                assert_null(strstr(opened, "pending_version"));
                assert_string_equal(read_image(*state, profiles[i]).pending_version, "");
        }
}

static void reading_never_opens_what_acts(void **state) {
        g_autofree char *opened = NULL;

        fake_image(*state, GUID_RMM, FAKE_V2);
        opened = opened_while_reading(*state, PROFILE_NVNEW);
        for (char *p = opened, *end; (end = strchr(p, ' ')); p = end + 1) {
                *end = 0;
                assert_true(strcmp(p, "activate") != 0 && strcmp(p, "cancel") != 0);
        }
}

/* Serves pending_version as a FIFO, so that the reader stops in the middle of its reading; what pending says
 * afterwards is set meanwhile. */
typedef struct Driver {
        const TempFolder *sysfs;
        const char *const *versions; /* one a reading */
        const char *const *pendings; /* what activation_pending says from then on */
        unsigned readings;
} Driver;

static void *serve_pending_version(void *userdata) {
        Driver *driver = userdata;
        g_autofree char *path = temp_path(driver->sysfs, "firmware/lfa/" GUID_RMM "/pending_version");
        g_autofree char *pending = temp_path(driver->sysfs, "firmware/lfa/" GUID_RMM "/activation_pending");

        for (unsigned i = 0; i < driver->readings; i++) {
                /* opens when the reader has opened it, and no sooner */
                int fifo = open(path, O_WRONLY | O_CLOEXEC), fd;

                if (fifo < 0)
                        break;
                /* The next one to open it must be the reader's next attempt, not what is left of this one.
                 */
                (void) unlink(path);
                (void) mkfifo(path, 0600);
                fd = open(pending, O_WRONLY | O_CLOEXEC);
                if (write(fd, driver->pendings[i], 2) != 2 ||
                    write(fifo, driver->versions[i], strlen(driver->versions[i])) < 0)
                        perror("serve_pending_version");
                close(fd);
                close(fifo);
        }
        return NULL;
}

static ImageValues read_from_driver(Driver *driver) {
        g_autofree char *path = temp_path(driver->sysfs, "firmware/lfa/" GUID_RMM "/pending_version");
        pthread_t thread;
        ImageValues values;

        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(pthread_create(&thread, NULL, serve_pending_version, driver), 0);
        values = read_image(driver->sysfs, PROFILE_NVNEW);
        assert_int_equal(pthread_join(thread, NULL), 0);
        return values;
}

static void reading_is_repeated_when_pending_moved_meanwhile(void **state) {
        static const char *const versions[] = { "N/A\n", "2.0\n" }, *const pendings[] = { "1\n", "1\n" };
        Driver driver = { *state, versions, pendings, 2 };
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_attribute(*state, GUID_RMM, "activation_pending", "0\n");
        values = read_from_driver(&driver);
        assert_int_equal(values.pending, 1);
        assert_string_equal(values.pending_version, "2.0");
}

static void pending_that_never_rests_does_not_keep_the_reader(void **state) {
        static const char *const versions[] = { "2.0\n", "2.0\n", "2.0\n" };
        static const char *const pendings[] = { "0\n", "1\n", "0\n" };
        Driver driver = { *state, versions, pendings, 3 };
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        values = read_from_driver(&driver);
        assert_string_equal(values.pending_version, "2.0");
        assert_true(values.pending >= 0);
}

static void image_that_is_gone_or_has_lost_its_files_is_enoent(void **state) {
        ImageValues values;
        int tree_fd;

        fake_folder(*state, "firmware/lfa/" GUID_RMM); /* its files went before it */
        temp_write_text(*state, "firmware/lfa/" GUID_BL33, "a file");
        tree_fd = fake_tree_fd(*state);
        fill_untouched(&values, sizeof(values));
        assert_int_equal(image_read(tree_fd, GUID_BL31, PROFILE_NVNEW, &values), -ENOENT);
        assert_int_equal(image_read(tree_fd, GUID_RMM, PROFILE_NVNEW, &values), -ENOENT);
        assert_int_equal(image_read_settled(tree_fd, GUID_RMM, PROFILE_NVNEW, &values), -ENOENT);
        assert_int_equal(image_read(tree_fd, GUID_BL33, PROFILE_NVNEW, &values), -ENOTDIR);
        assert_true(is_untouched(&values, sizeof(values)));
        safe_close(tree_fd);
}

static void a_link_is_not_followed(void **state) {
        const TempFolder *sysfs = *state;
        _cleanup_close_ int tree_fd = -EBADF;
        ImageValues values;

        fake_image(sysfs, GUID_RMM, FAKE_V2);
        tree_fd = fake_tree_fd(sysfs);
        assert_int_equal(symlinkat(GUID_RMM, tree_fd, GUID_BL31), 0);
        assert_true(image_read(tree_fd, GUID_BL31, PROFILE_NVNEW, &values) < 0);
}

static uint64_t paused_usec;
static char *heal_from, *heal_to; /* where an image is healthy after the first pause, in one step */

/* In place of libc's. */
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left) {
        paused_usec += (uint64_t) pause->tv_sec * USEC_PER_SEC + (uint64_t) pause->tv_nsec / NSEC_PER_USEC;
        if (heal_from)
                assert_int_equal(rename(heal_from, heal_to), 0);
        g_clear_pointer(&heal_from, g_free);
        return 0;
}

static void dropped_image_is_read_again_until_it_is_healthy(void **state) {
        _cleanup_close_ int tree_fd = -EBADF;
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_image_stale(*state, GUID_RMM);
        temp_write_text(*state, "healthy", "1.1\n");
        heal_from = temp_path(*state, "healthy");
        heal_to = temp_path(*state, "firmware/lfa/" GUID_RMM "/current_version");
        tree_fd = fake_tree_fd(*state);
        paused_usec = 0;
        assert_int_equal(image_read_settled(tree_fd, GUID_RMM, PROFILE_NVNEW, &values), 0);
        assert_string_equal(values.current_version, "1.1");
        assert_false(image_values_look_stale(&values));
        assert_int_equal(paused_usec, 20 * USEC_PER_MSEC);
        g_clear_pointer(&heal_to, g_free);
}

static void image_that_stays_dropped_is_given_up_after_a_second(void **state) {
        _cleanup_close_ int tree_fd = -EBADF;
        ImageValues values;

        fake_image(*state, GUID_RMM, FAKE_V2);
        fake_image_stale(*state, GUID_RMM);
        tree_fd = fake_tree_fd(*state);
        paused_usec = 0;
        assert_int_equal(image_read_settled(tree_fd, GUID_RMM, PROFILE_NVNEW, &values), 0);
        assert_true(image_values_look_stale(&values));
        assert_int_equal(paused_usec, USEC_PER_SEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_folder(every_attribute_is_read),
                unit_test_with_folder(each_flag_comes_from_its_own_attribute),
                unit_test_with_folder(flags_that_are_missing_or_no_flags_are_unknown),
                unit_test_with_folder(versions_that_are_absent_or_rubbish_are_empty),
                unit_test_with_folder(the_largest_versions_fit),
                unit_test_with_folder(names_that_say_nothing_or_are_garbage_are_empty),
                unit_test_with_folder(what_a_version_of_the_driver_lacks_is_unknown),
                unit_test_with_folder(pending_is_read_before_the_pending_version_and_after_it),
                unit_test_with_folder(a_pending_version_that_lies_is_never_read),
                unit_test_with_folder(reading_never_opens_what_acts),
                unit_test_with_folder(reading_is_repeated_when_pending_moved_meanwhile),
                unit_test_with_folder(pending_that_never_rests_does_not_keep_the_reader),
                unit_test_with_folder(image_that_is_gone_or_has_lost_its_files_is_enoent),
                unit_test_with_folder(a_link_is_not_followed),
                unit_test_with_folder(dropped_image_is_read_again_until_it_is_healthy),
                unit_test_with_folder(image_that_stays_dropped_is_given_up_after_a_second),
        };

        return cmocka_run_group_tests_name("image-reader", tests, NULL, NULL);
}
