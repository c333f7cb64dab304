/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The small files in the runtime folder: what an earlier lfad or its worker left is this boot's and makes sense, or it is
 * refused and nothing is taken. The input: a byte that says which file, and its content, where "@BOOT@" stands for the
 * id of this boot. */

#include "daemon/activation-lock.h"
#include "daemon/end-file.h"
#include "daemon/watchdog-lease.h"
#include "fuzz.h"
#include "unit/unit.h"
#include "util/guid.h"

#include <systemd/sd-id128.h>

#define JOB 7
#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BOOT "@BOOT@"

static TempFolder *folder;
static char boot_id[SD_ID128_STRING_MAX];

static void remove_folder(void) {
        folder = temp_folder_free(folder);
}

static void prepare(void) {
        sd_id128_t id;

        if (folder)
                return;
        folder = temp_folder_new_in_memory();
        atexit(remove_folder);
        MUST(sd_id128_get_boot(&id) >= 0);
        sd_id128_to_string(id, boot_id);
}

static void write_file(const char *name, const char *text, size_t size) {
        g_autoptr(GString) content = g_string_new_len(text, (gssize) size);

        g_string_replace(content, BOOT, boot_id, 0);
        temp_write(folder, name, content->str, content->len);
}

static bool leases_equal(const WatchdogLease *a, const WatchdogLease *b) {
        return a->old_known == b->old_known && a->old_usec == b->old_usec &&
               a->hardware_usec == b->hardware_usec && a->set_usec == b->set_usec && a->job == b->job;
}

static void check_lease(void) {
        WatchdogLease lease, again;
        int r;

        fill_untouched(&lease, sizeof(lease));
        r = watchdog_lease_read(folder->path, &lease);
        MUST(r == 0 || r == -EBADMSG || r == -ESTALE);
        if (r < 0) {
                MUST(is_untouched(&lease, sizeof(lease)));
                return;
        }
        MUST(lease.old_known && lease.old_usec > 0);
        MUST(watchdog_lease_write(folder->path, &lease) == 0);
        MUST(watchdog_lease_read(folder->path, &again) == 0 && leases_equal(&lease, &again));
        MUST(watchdog_lease_remove(folder->path) == 0);
        MUST(watchdog_lease_read(folder->path, &again) == -ENOENT);
}

static void check_report(void) {
        ActivationReport report;
        int r;

        fill_untouched(&report, sizeof(report));
        r = activation_report_read(folder->path, JOB, boot_id, &report);
        MUST(r == 0 || r == -EBADMSG);
        if (r < 0)
                MUST(is_untouched(&report, sizeof(report)));
        else
                MUST(report.job == JOB && strcmp(report.boot_id, boot_id) == 0 &&
                     guid_is_valid(report.guid) && strcmp(report.before.guid, report.guid) == 0 &&
                     strcmp(report.after.guid, report.guid) == 0);
        activation_report_remove(folder->path, JOB);
        MUST(activation_report_read(folder->path, JOB, boot_id, &report) == -ENOENT);
}

static void check_end(void) {
        _cleanup_json_ json_object *record = end_file_read(folder->path, JOB, GUID), *again = NULL;
        const char *guid = "";

        if (record) {
                MUST(json_get_string(record, "guid", &guid) == 0 && strcmp(guid, GUID) == 0);
                MUST(end_file_write(folder->path, JOB, record) == 0);
                again = end_file_read(folder->path, JOB, GUID);
                MUST(again && json_object_equal(record, again));
        }
        end_file_remove(folder->path, JOB);
        MUST(!end_file_read(folder->path, JOB, GUID));
}

static void check_lock(void) {
        _cleanup_close_ int fd = -EBADF, second = -EBADF;
        uint32_t job = 1;
        pid_t pid = activation_lock_holder(folder->path, &job);

        MUST(pid >= 0 && (pid > 0 || job == 0));
        fd = activation_lock_take(folder->path);
        MUST(fd >= 0);
        second = activation_lock_take(folder->path);
        MUST(second == -EBUSY);
        MUST(activation_lock_holder(folder->path, &job) == 0 && job == 0);
}

static const struct {
        const char *name;
        void (*check)(void);
} files[] = {
        { "watchdog.lease", check_lease },
        { "job-7.report", check_report },
        { "job-7.end", check_end },
        { "activation.lock", check_lock },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t i = size > 0 ? data[0] % G_N_ELEMENTS(files) : 0;

        if (size == 0)
                return 0;
        prepare();
        write_file(files[i].name, (const char *) data + 1, size - 1);
        files[i].check();
        return 0;
}
