/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the worker reads, with anything in its files: images, watchdogs and the kernel's limits. What it understands is
 * what stands there, and lfad takes each answer that is made of it. The input: files parted by form feeds; the first
 * byte of each says which. */

#include "fuzz.h"
#include "kernel/clean-text.h"
#include "kernel/lockup-reader.h"
#include "kernel/tree-reader.h"
#include "kernel/watchdog-reader.h"
#include "unit/fake-sysfs.h"
#include "util/macros.h"
#include "worker/answer.h"

#define FILES_MAX 24
#define IMAGE(guid, name) "firmware/lfa/" guid "/" name
#define IMAGE_FILES(guid)                                                                                   \
        IMAGE(guid, "activation_capable"), IMAGE(guid, "activation_pending"), IMAGE(guid, "name"),          \
                        IMAGE(guid, "may_reset_cpu"), IMAGE(guid, "cpu_rendezvous"),                        \
                        IMAGE(guid, "force_cpu_rendezvous"), IMAGE(guid, "auto_activate"),                  \
                        IMAGE(guid, "current_version"), IMAGE(guid, "pending_version"),                     \
                        IMAGE(guid, "activate")
#define WATCHDOG(device, name) "class/watchdog/" device "/" name
#define WATCHDOG_FILES(device)                                                                              \
        WATCHDOG(device, "identity"), WATCHDOG(device, "state"), WATCHDOG(device, "timeout"),               \
                        WATCHDOG(device, "pretimeout"), WATCHDOG(device, "timeleft"),                       \
                        WATCHDOG(device, "min_timeout"), WATCHDOG(device, "max_timeout"),                   \
                        WATCHDOG(device, "nowayout")

static const char *const paths[] = {
        IMAGE_FILES(GUID_RMM),
        IMAGE_FILES(GUID_NAMELESS),
        WATCHDOG_FILES("watchdog0"),
        WATCHDOG_FILES("watchdog17"),
        "sys/kernel/watchdog_thresh",
        "sys/kernel/soft_watchdog",
        "sys/kernel/softlockup_panic",
        "sys/kernel/hung_task_timeout_secs",
        "module/rcupdate/parameters/rcu_cpu_stall_timeout",
        "devices/faux/arm-lfa",
        "bus/arm_smccc/drivers/lfa_fw",
        "bus/platform/drivers/ARM_LFA",
        "class/misc/watchdog",
};

static TempFolder *sysfs;
static char *contents[G_N_ELEMENTS(paths)]; /* of the files that are there */
static size_t sizes[G_N_ELEMENTS(paths)];

static void remove_sysfs(void) {
        sysfs = temp_folder_free(sysfs);
}

static void clear_files(void) {
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                if (contents[i])
                        (void) unlinkat(sysfs->fd, paths[i], 0);
                g_clear_pointer(&contents[i], g_free);
        }
}

static void make_files(const uint8_t *data, size_t size) {
        for (int i = 0; i < FILES_MAX; i++) {
                size_t length, k;
                g_autofree char *part = take_part(&data, &size, '\f', &length);

                if (!part)
                        return;
                k = (unsigned char) *part % G_N_ELEMENTS(paths);
                if (length == 0 || contents[k])
                        continue;
                temp_write(sysfs, paths[k], part + 1, length - 1);
                contents[k] = g_memdup2(part + 1, length);
                sizes[k] = length - 1;
        }
}

static const char *content_of(const char *guid, const char *attribute, size_t *ret_size) {
        g_autofree char *path = g_strdup_printf("firmware/lfa/%s/%s", guid, attribute);

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                if (strcmp(paths[i], path) == 0 && contents[i]) {
                        *ret_size = sizes[i];
                        return contents[i];
                }
        return NULL;
}

/* "0" or "1", with or without the end of its line. */
static int8_t expected_flag(const char *guid, const char *attribute) {
        size_t size = 0;
        const char *text = content_of(guid, attribute, &size);

        if (!text || size < 1 || size > 2 || (size == 2 && text[1] != '\n') ||
            (*text != '0' && *text != '1'))
                return -1;
        return (int8_t) (*text - '0');
}

static void check_version(const char *guid, const char *attribute, const char *version) {
        size_t size = 0;
        const char *text = content_of(guid, attribute, &size);
        g_autofree char *line = text ? g_strndup(text, size) : NULL;
        char expected[VERSION_SIZE] = "";

        if (line && size > 0 && strlen(line) == size) {
                if (line[size - 1] == '\n')
                        line[size - 1] = 0;
                (void) version_parse(line, expected);
        }
        MUST(!*version || strcmp(version, expected) == 0);
}

static Answer answer_of(json_object *object) {
        const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
        Answer answer;

        MUST(strlen(text) <= ANSWER_LINE_MAX && answer_parse(text, strlen(text), &answer) == 0);
        json_object_put(object);
        return answer;
}

static void check_image(const ImageValues *values) {
        Answer answer = answer_of(answer_from_image(values));

        MUST(answer.type == ANSWER_IMAGE && image_values_equal(&answer.image, values));
        MUST(!*values->name || is_text(values->name, IMAGE_NAME_SIZE - 1));
        MUST(values->capable == expected_flag(values->guid, "activation_capable"));
        MUST(values->pending == expected_flag(values->guid, "activation_pending"));
        MUST(values->may_reset_cpu == expected_flag(values->guid, "may_reset_cpu"));
        MUST(values->auto_activate == expected_flag(values->guid, "auto_activate"));
        check_version(values->guid, "current_version", values->current_version);
        check_version(values->guid, "pending_version", values->pending_version);
}

static void check_tree(void) {
        g_autoptr(Tree) tree = NULL;
        Answer answer;

        MUST(tree_read(sysfs->path, &tree) == 0);
        answer = answer_of(answer_from_driver(tree));
        MUST(answer.type == ANSWER_DRIVER && answer.driver.profile == tree->profile &&
             answer.driver.state == tree->driver_state && answer.driver.tree == tree->id);
        for (unsigned i = 0; i < tree->images->len; i++)
                check_image(&g_array_index(tree->images, ImageValues, i));
}

static void check_watchdogs(void) {
        g_autoptr(GArray) watchdogs = NULL;

        MUST(watchdogs_read(sysfs->path, &watchdogs) == 0);
        MUST(watchdogs->len >= 2 && watchdogs->len <= 3);
        for (unsigned i = 0; i < watchdogs->len; i++) {
                const Watchdog *watchdog = &g_array_index(watchdogs, Watchdog, i);
                Answer answer = answer_of(answer_from_watchdog(watchdog));

                MUST(!*watchdog->identity || is_text(watchdog->identity, WATCHDOG_IDENTITY_SIZE - 1));
                MUST(answer.type == ANSWER_WATCHDOG && answer.watchdog.state == watchdog->state &&
                     answer.watchdog.garbled == watchdog->garbled &&
                     memcmp(answer.watchdog.numbers, watchdog->numbers, sizeof(watchdog->numbers)) == 0);
                MUST(strcmp(answer.watchdog.identity, watchdog->identity) == 0);
        }
}

static void check_lockups(void) {
        Lockups lockups;
        Answer answer;

        lockups_read(sysfs->path, sysfs->path, &lockups);
        answer = answer_of(answer_from_lockups(&lockups));
        MUST(memcmp(answer.lockups.numbers, lockups.numbers, sizeof(lockups.numbers)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (!sysfs) {
                sysfs = temp_folder_new_in_memory();
                atexit(remove_sysfs);
                for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                        g_autofree char *parent = g_path_get_dirname(paths[i]);

                        fake_folder(sysfs, parent);
                }
        }
        make_files(data, size);
        check_tree();
        check_watchdogs();
        check_lockups();
        clear_files();
        return 0;
}
