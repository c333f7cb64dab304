/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's lines in the kernel log: one table of wordings, as the driver versions were seen to print
 * them. */

#include "sim/driver-internal.h"

#include <stdarg.h>

#define LOG_LINES_MAX 512

enum {
        LEVEL_ERROR = 3,
        LEVEL_WARNING = 4,
        LEVEL_INFO = 6,
};

/* {name} is the image's, {code} the name of firmware's answer, {number} the answer itself, {errno} what the
 * writer gets. */
typedef struct Wording {
        const char *prefix, *detected;
        const char *prime_failed, *activate_failed;
        const char *run_failed; /* a second line after a refusal; may be NULL */
        const char *cancelled, *not_cancelled;
        const char *succeeded, *succeeded_automatically;
        bool activate_failed_per_cpu; /* each CPU in stop_machine prints it */
} Wording;

#define WORDS_NAMED                                                                                         \
        .prefix = "Arm LFA: ", .detected = "Live Firmware Activation: detected v1.0",                       \
        .prime_failed = "LFA_PRIME for image {name} failed: {code}",                                        \
        .activate_failed = "LFA_ACTIVATE for image {name} failed: {code}",                                  \
        .cancelled = "Activation cancelled for image {name}",                                               \
        .not_cancelled = "Activation not cancelled for image {name}: {code}"

static const Wording wordings[_LOG_STYLE_MAX] = {
        [LOG_RFC] = { .prefix = "",
                      .detected = "Arm Live Firmware Activation (LFA): detected v1.0",
                      .prime_failed = "LFA_PRIME failed: {number}",
                      .activate_failed = "LFA_ACTIVATE failed: {number}",
                      .run_failed = "Arm LFA: Firmware activation failed: -{errno}",
                      .cancelled = "Activation cancelled for image {name}",
                      .not_cancelled = "LFA_CANCEL failed: {number}",
                      .succeeded = "Firmware activation succeeded",
                      .succeeded_automatically = "Firmware activation succeeded" },
        [LOG_V1] = { WORDS_NAMED, .succeeded = "Firmware activation succeeded",
                     .succeeded_automatically = "Firmware activation succeeded" },
        [LOG_V1NV] = { .prefix = "Arm LFA: ",
                       .detected = "Live Firmware Activation: detected v1.0",
                       .prime_failed = "Firmware prime failed: {code}",
                       .activate_failed = "ACTIVATE for image {name} failed: {code}",
                       .activate_failed_per_cpu = true,
                       .cancelled = "Activation cancelled for image {name}",
                       .not_cancelled = "Firmware activation could not be cancelled: {code}",
                       .succeeded = "Firmware activation succeeded",
                       .succeeded_automatically = "Firmware {name} activation succeeded" },
        [LOG_V2] = { WORDS_NAMED, .succeeded = "{name}: successfully activated",
                     .succeeded_automatically = "{name}: automatic activation succeeded" },
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

static const Wording *wording(const Driver *driver) {
        return &wordings[driver->traits->log_style];
}

void driver_log(Driver *driver, int level, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        push(driver, 0, level, g_strconcat(wording(driver)->prefix, text, NULL));
}

void driver_log_kernel(Driver *driver, int level, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        push(driver, 0, level, g_strdup_vprintf(format, arguments));
        va_end(arguments);
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

static void log_worded(Driver *driver, int level, const char *pattern, const char *name, int code) {
        g_autoptr(GString) text = g_string_new(pattern);
        g_autofree char *number = g_strdup_printf("%d", code);
        g_autofree char *errno_value = g_strdup_printf("%d", driver->traits->failure_errno);

        g_string_replace(text, "{code}", lfa_code_name(code), 0);
        g_string_replace(text, "{number}", number, 0);
        g_string_replace(text, "{errno}", errno_value, 0);
        g_string_replace(text, "{name}", name, 0);
        driver_log(driver, level, "%s", text->str);
}

void driver_log_no_agent(Driver *driver) {
        if (driver->traits->missing_agent_logged)
                driver_log(driver, LEVEL_ERROR, "Live Firmware activation: no firmware agent found");
}

void driver_log_no_inventory(Driver *driver) {
        driver_log(driver, LEVEL_ERROR, "Error getting number of LFA components");
}

void driver_log_detected(Driver *driver) {
        driver_log(driver, LEVEL_INFO, "%s", wording(driver)->detected);
        if (driver->traits->notify_style == NOTIFY_OPTED_IN)
                driver_log(driver, LEVEL_INFO, "registered LFA ACPI notification");
        if (driver->traits->initialised_logged)
                driver_log(driver, LEVEL_INFO, "Driver initialized");
}

void driver_log_cancel(Driver *driver, const DriverImage *image, int code) {
        g_autofree char *name = log_name(driver, image, driver->traits->cancel_log_has_raw_name);

        if (code == LFA_SUCCESS)
                log_worded(driver, LEVEL_INFO, wording(driver)->cancelled, name, code);
        else
                log_worded(driver, LEVEL_ERROR, wording(driver)->not_cancelled, name, code);
}

void driver_log_failure(Driver *driver, const DriverImage *image, SmcKind kind, int code) {
        g_autofree char *name = log_name(driver, image, false);
        const Wording *words = wording(driver);
        unsigned times = kind == SMC_ACTIVATE && words->activate_failed_per_cpu ? driver->firmware->n_cpus
                                                                                : 1;

        for (unsigned i = 0; i < times; i++)
                log_worded(driver, LEVEL_ERROR,
                           kind == SMC_PRIME ? words->prime_failed : words->activate_failed, name, code);
        if (words->run_failed)
                log_worded(driver, LEVEL_ERROR, words->run_failed, name, code);
}

void driver_log_prime_timeout(Driver *driver, const DriverImage *image) {
        g_autofree char *name = log_name(driver, image, false);

        driver_log(driver, LEVEL_ERROR, "LFA_PRIME for image %s timed out", name);
}

void driver_log_success(Driver *driver, const DriverImage *image, bool automatic) {
        g_autofree char *name = log_name(driver, image, false);
        const Wording *words = wording(driver);

        log_worded(driver, LEVEL_INFO, automatic ? words->succeeded_automatically : words->succeeded, name,
                   LFA_SUCCESS);
}

void driver_log_may_reset(Driver *driver) {
        driver_log(driver, LEVEL_ERROR, "CPU reset not supported by kernel driver");
}

void driver_log_round_failed(Driver *driver, int code) {
        driver_log(driver, LEVEL_WARNING, "notified image activation failed: %d", code);
}

void driver_log_duplicate(Driver *driver, const char *guid) {
        driver_log_kernel(driver, LEVEL_WARNING,
                          "sysfs: cannot create duplicate filename '/firmware/lfa/%s'", guid);
}
