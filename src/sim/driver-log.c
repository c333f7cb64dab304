/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's lines in the kernel log. The wording follows what the driver versions were seen to print. */

#include "sim/driver-internal.h"

#include <stdarg.h>

#define LOG_LINES_MAX 512

enum {
        LEVEL_ERROR = 3,
        LEVEL_WARNING = 4,
        LEVEL_INFO = 6,
};

static void log_line_free(void *data) {
        DriverLogLine *line = data;

        g_free(line->text);
        g_free(line);
}

GQueue *driver_log_new(void) {
        return g_queue_new();
}

void driver_log_free(GQueue *log) {
        g_queue_free_full(log, log_line_free);
}

/* Takes the text. */
static void push(Driver *driver, int facility, int level, char *text) {
        DriverLogLine *line = g_new0(DriverLogLine, 1);

        *line = (DriverLogLine){
                .seq = driver->log_next++, .facility = facility, .level = level, .text = text
        };
        g_queue_push_tail(driver->log, line);
        if (driver->log->length > LOG_LINES_MAX)
                log_line_free(g_queue_pop_head(driver->log));
        driver_touch(driver); /* somebody may wait for a line */
}

void driver_log_stamp(Driver *driver, uint64_t now) {
        for (GList *item = driver->log->tail; item; item = item->prev) {
                DriverLogLine *line = item->data;

                if (line->timestamp > 0)
                        return;
                line->timestamp = now;
        }
}

void driver_log(Driver *driver, int level, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        push(driver, 0, level,
             g_strconcat(driver->traits->log_style == LOG_RFC ? "" : "Arm LFA: ", text, NULL));
}

/* As the kernel's log does it. */
static char *escape(const char *text) {
        GString *escaped = g_string_new(NULL);

        for (; *text; text++)
                if ((unsigned char) *text < ' ' || (unsigned char) *text > '~' || *text == '\\')
                        g_string_append_printf(escaped, "\\x%02x", (unsigned char) *text);
                else
                        g_string_append_c(escaped, *text);
        return g_string_free(escaped, FALSE);
}

void driver_log_inject(Driver *driver, int facility, int level, const char *text) {
        push(driver, facility, level, escape(text));
}

/* In v1nv the name is garbage, which the kernel log escapes byte by byte. Newer drivers without a name for
 * an image print its GUID, but not everywhere. */
static char *log_name(const Driver *driver, const DriverImage *image, bool may_be_empty) {
        const char *name = driver_image_name(driver->traits, image->guid);

        if (!*name && !may_be_empty)
                name = image->guid;
        return escape(name);
}

void driver_log_detected(Driver *driver) {
        if (driver->traits->log_style == LOG_RFC)
                driver_log(driver, LEVEL_INFO, "Arm Live Firmware Activation (LFA): detected v1.0");
        else
                driver_log(driver, LEVEL_INFO, "Live Firmware Activation: detected v1.0");
        if (driver->traits->notify_style == NOTIFY_OPTED_IN)
                driver_log(driver, LEVEL_INFO, "registered LFA ACPI notification");
}

void driver_log_cancel(Driver *driver, const DriverImage *image, int code) {
        g_autofree char *name = log_name(driver, image, driver->traits->cancel_log_has_raw_name);

        if (code == LFA_SUCCESS)
                driver_log(driver, LEVEL_INFO, "Activation cancelled for image %s", name);
        else if (driver->traits->log_style == LOG_RFC)
                driver_log(driver, LEVEL_ERROR, "LFA_CANCEL failed: %d", code);
        else if (driver->traits->log_style == LOG_V1NV)
                driver_log(driver, LEVEL_ERROR, "Firmware activation could not be cancelled: %s",
                           lfa_code_name(code));
        else
                driver_log(driver, LEVEL_ERROR, "Activation not cancelled for image %s: %s", name,
                           lfa_code_name(code));
}

void driver_log_failure(Driver *driver, const DriverImage *image, SmcKind kind, int code) {
        g_autofree char *name = log_name(driver, image, false);
        const char *call = kind == SMC_PRIME ? "LFA_PRIME" : "LFA_ACTIVATE";

        if (driver->traits->log_style == LOG_RFC) {
                driver_log(driver, LEVEL_ERROR, "%s failed: %d", call, code);
                driver_log(driver, LEVEL_ERROR, "Arm LFA: Firmware activation failed: -%d",
                           driver->traits->failure_errno);
                return;
        }
        if (driver->traits->log_style == LOG_V1NV && kind == SMC_PRIME) {
                driver_log(driver, LEVEL_ERROR, "Firmware prime failed: %s", lfa_code_name(code));
                return;
        }
        /* v1nv: each CPU in stop_machine prints it. */
        for (unsigned i = 0; i < (driver->traits->log_style == LOG_V1NV ? driver->firmware->n_cpus : 1); i++)
                driver_log(driver, LEVEL_ERROR, "%s for image %s failed: %s",
                           driver->traits->log_style == LOG_V1NV ? "ACTIVATE" : call, name,
                           lfa_code_name(code));
}

void driver_log_prime_timeout(Driver *driver, const DriverImage *image) {
        g_autofree char *name = log_name(driver, image, false);

        driver_log(driver, LEVEL_ERROR, "LFA_PRIME for image %s timed out", name);
}

void driver_log_success(Driver *driver, const DriverImage *image, bool automatic) {
        g_autofree char *name = log_name(driver, image, false);

        if (driver->traits->log_style == LOG_V2)
                driver_log(driver, LEVEL_INFO, "%s: %s", name,
                           automatic ? "automatic activation succeeded" : "successfully activated");
        else if (automatic)
                driver_log(driver, LEVEL_INFO, "Firmware %s activation succeeded", name);
        else
                driver_log(driver, LEVEL_INFO, "Firmware activation succeeded");
}

void driver_log_may_reset(Driver *driver) {
        driver_log(driver, LEVEL_ERROR, "CPU reset not supported by kernel driver");
}
