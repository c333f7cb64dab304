/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's log: whatever records come, only what the kernel itself printed about our image, as a failure, becomes a
 * reason. The input: the image's name, then records, parted by form feeds. */

#include "core/firmware-reason.h"
#include "fuzz.h"
#include "kernel/kernel-log.h"
#include "util/macros.h"

#include <sys/socket.h>

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define OTHER "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define RECORDS_MAX 64
#define LEVEL_WARNING 4

/* A reason of what may count, and one of all there is: they must not differ. */
typedef struct Scans {
        FirmwareReasonScan all, counting;
        bool any_prime, any_activate;
} Scans;

/* "... for image OTHER failed: CODE", and no more than that: a name may be anything, so of other lines it goes on. */
static bool is_about_another(const char *text) {
        static const char other[] = " for image " OTHER " failed: ";
        const char *found = strstr(text, " for image "), *code;

        if (!found || !g_str_has_prefix(found, other))
                return false;
        code = found + strlen(other);
        return code[strspn(code, "-_" G_CSET_DIGITS G_CSET_A_2_Z)] == 0;
}

static bool is_kernels(const char *record) {
        size_t digits = strspn(record, G_CSET_DIGITS);

        return digits > 0 && record[digits] == ',' && g_ascii_strtoull(record, NULL, 10) < 8;
}

static void take(int level, const char *text, void *userdata) {
        Scans *scans = userdata;

        MUST(level >= 0 && level <= 7);
        for (const char *p = text; *p; p++)
                MUST(*p >= ' ' && *p <= '~');
        firmware_reason_take_line(&scans->all, level, text);
        if (level > LEVEL_WARNING || is_about_another(text))
                return;
        firmware_reason_take_line(&scans->counting, level, text);
        scans->any_prime = scans->any_prime || strstr(text, "PRIME") || strstr(text, "prime");
        scans->any_activate = scans->any_activate || strstr(text, "ACTIVATE");
}

static bool is_same(const FirmwareReason *a, const FirmwareReason *b) {
        return a->call == b->call && a->code == b->code && a->busy == b->busy && a->lost == b->lost;
}

static void check_reason(const Scans *scans, DriverProfile profile, bool accepted) {
        FirmwareReason reason = firmware_reason_end(&scans->all, profile, accepted, 0),
                       counting = firmware_reason_end(&scans->counting, profile, accepted, 0);

        MUST(is_same(&reason, &counting));
        MUST(reason.call >= 0 && reason.call < _FIRMWARE_CALL_MAX);
        MUST(reason.code >= 0 && reason.code < _FIRMWARE_CODE_MAX);
        MUST(reason.call != FIRMWARE_CALL_PRIME || scans->any_prime);
        MUST(reason.call != FIRMWARE_CALL_ACTIVATE || scans->any_activate);
        if (accepted && !profile_success_unreliable(profile))
                MUST(reason.call == FIRMWARE_CALL_NONE && reason.code == FIRMWARE_CODE_NONE);
}

/* As /dev/kmsg gives them: one a read. */
static void check_records(const uint8_t *data, size_t size, Scans *scans) {
        _cleanup_close_ int reader = -EBADF, writer = -EBADF;
        int ends[2];
        unsigned kernels = 0;

        MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        reader = ends[0];
        writer = ends[1];
        for (int i = 0; i < RECORDS_MAX; i++) {
                size_t length;
                g_autofree char *record = take_part(&data, &size, '\f', &length);

                if (!record)
                        break;
                if (length > 0 && send(writer, record, length, 0) == (ssize_t) length)
                        kernels += is_kernels(record);
        }
        MUST(kernel_log_read(reader, take, scans) == 0);
        if (kernels == 0)
                MUST(scans->all.named.call == FIRMWARE_CALL_NONE &&
                     scans->all.unnamed.call == FIRMWARE_CALL_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *name = take_part(&data, &size, '\f', &length);
        Scans scans = { 0 };

        if (!name)
                return 0;
        firmware_reason_begin(&scans.all, GUID, name);
        firmware_reason_begin(&scans.counting, GUID, name);
        check_records(data, data ? size : 0, &scans);
        for (DriverProfile profile = 0; profile < _PROFILE_MAX; profile++) {
                check_reason(&scans, profile, false);
                check_reason(&scans, profile, true);
        }
        return 0;
}
