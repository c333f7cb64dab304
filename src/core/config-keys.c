/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of the configuration, and the parsers of its values. */

#include "core/config-keys.h"
#include "core/byte-size.h"
#include "core/enum-names.h"
#include "core/time-span.h"
#include "util/macros.h"
#include "util/nearest.h"
#include "util/printable.h"
#include "util/string-table.h"

#define QUOTE_MAX 51 /* bytes, with the dots that say that more follows */

static const char *const kernel_auto_activate_names[_KERNEL_AUTO_MAX] = {
        [KERNEL_AUTO_OFF] = "off",
        [KERNEL_AUTO_LEAVE] = "leave",
};
DEFINE_STRING_TABLE(kernel_auto_activate, KernelAutoActivate, kernel_auto_activate_names)

char *config_quote(const char *text) {
        g_autofree char *shown = printable_once(text, QUOTE_MAX);

        return g_strdup_printf("'%s'", shown);
}

char *config_fail_value(const ConfigKey *key, const char *value, const char *nearest) {
        g_autofree char *quoted = config_quote(value);

        return g_strdup_printf("%s= takes %s, not %s%s%s%s.", key->name, key->takes, quoted,
                               nearest ? "; did you mean '" : "", nearest ? nearest : "",
                               nearest ? "'?" : "");
}

static char *parse_span(const ConfigKey *key, const char *value, void *field) {
        uint64_t usec;

        if (time_span_parse(value, &usec) < 0 || usec < key->minimum || usec > key->maximum)
                return config_fail_value(key, value, NULL);
        memcpy(field, &usec, sizeof(usec));
        return NULL;
}

static char *parse_number(const ConfigKey *key, const char *value, void *field) {
        guint64 number;
        uint32_t *target = field;

        if (!g_ascii_string_to_unsigned(value, 10, key->minimum, key->maximum, &number, NULL))
                return config_fail_value(key, value, NULL);
        *target = (uint32_t) number;
        return NULL;
}

static char *parse_size(const ConfigKey *key, const char *value, void *field) {
        uint64_t bytes;

        if (byte_size_parse(value, &bytes) < 0 || bytes < key->minimum || bytes > key->maximum)
                return config_fail_value(key, value, NULL);
        memcpy(field, &bytes, sizeof(bytes));
        return NULL;
}

static const char *nearest_profile(const char *word) {
        const char *names[_PROFILE_MAX + 1] = { NULL };

        for (int i = 0; i < _PROFILE_MAX; i++)
                names[i] = driver_profile_to_string((DriverProfile) i);
        return nearest_word(word, names);
}

static char *parse_profiles(const ConfigKey *key, const char *value, void *field) {
        g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
        uint32_t *profiles = field, mask = 0;

        for (char **word = words; *word; word++) {
                DriverProfile profile = driver_profile_from_string(*word);

                if (!**word)
                        continue; /* several blanks */
                if (profile < 0)
                        return config_fail_value(key, *word, nearest_profile(*word));
                mask |= UINT32_C(1) << profile;
        }
        *profiles |= mask;
        return NULL;
}

static char *parse_kernel_auto(const ConfigKey *key, const char *value, void *field) {
        KernelAutoActivate *target = field, parsed = kernel_auto_activate_from_string(value);

        if (parsed < 0)
                return config_fail_value(key, value, NULL);
        *target = parsed;
        return NULL;
}

static char *parse_guid(const ConfigKey *key, const char *value, void *field) {
        return guid_parse(value, field) < 0 ? config_fail_value(key, value, NULL) : NULL;
}

static char *parse_efi_guid(const ConfigKey *key, const char *value, void *field) {
        char guid[GUID_STRING_SIZE];

        if (guid_parse(value, guid) < 0)
                return config_fail_value(key, value, NULL);
        guid_swap_form(guid, field);
        return NULL;
}

/* Would be taken for an image's GUID or, when it is typed after "lfactl cancel", for a job's number. */
static bool looks_like_something_else(const char *alias) {
        char guid[GUID_STRING_SIZE];
        size_t length = strlen(alias);

        return guid_parse(alias, guid) >= 0 || strspn(alias, G_CSET_DIGITS) == length ||
               (length == 32 && strspn(alias, G_CSET_DIGITS "abcdefABCDEF") == length);
}

char *config_check_alias(const char *what, const char *alias) {
        size_t length = strspn(alias, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
        g_autofree char *quoted = config_quote(alias);

        if (length == 0 || length > CONFIG_ALIAS_MAX || alias[length])
                return g_strdup_printf("%s takes 1 to %d of the characters A-Z a-z 0-9 . _ -, not %s.", what,
                                       CONFIG_ALIAS_MAX, quoted);
        if (looks_like_something_else(alias))
                return g_strdup_printf("%s must not look like a GUID or a job's number, as %s does.", what,
                                       quoted);
        return NULL;
}

static char *parse_alias(const ConfigKey *key, const char *value, void *field) {
        char *trouble = config_check_alias("Alias=", value);

        if (!trouble)
                g_strlcpy(field, value, CONFIG_ALIAS_MAX + 1);
        return trouble;
}

static char *parse_rendezvous(const ConfigKey *key, const char *value, void *field) {
        CpuRendezvous *target = field;

        if (strcmp(value, "force") == 0)
                *target = RENDEZVOUS_FORCE;
        else if (strcmp(value, "firmware") == 0)
                *target = RENDEZVOUS_FIRMWARE;
        else
                return config_fail_value(key, value, NULL);
        return NULL;
}

static char *parse_yes_no(const ConfigKey *key, const char *value, void *field) {
        bool *target = field;

        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
                return config_fail_value(key, value, NULL);
        *target = value[0] == 'y';
        return NULL;
}

const ConfigSectionType config_section_types[_CONFIG_SECTION_MAX] = {
        [CONFIG_DAEMON] = { "Daemon", false,
                            "How lfad looks at the kernel driver, and how much it remembers." },
        [CONFIG_DRIVER] = { "Driver", false, "What lfad may do with the kernel driver." },
        [CONFIG_POLICY] = { "Policy", false, "When an activation may run." },
        [CONFIG_WINDOW] = { "Window", true,
                            "One section for each window: where there is any, nothing is activated while none is open. "
                            "Windows that overlap or adjoin are one. NAME is 1 to 64 of A-Z a-z 0-9 . _ -, and also "
                            "decides where in the window this host's own moment lies." },
        [CONFIG_FREEZE] = { "Freeze", true,
                            "One section for each time in which nothing is activated, whatever windows say. NAME is 1 "
                            "to 64 of A-Z a-z 0-9 . _ -." },
        [CONFIG_IMAGE] = { "Image", true,
                           "One section for each image that is to have a short name or a policy of its own. The "
                           "short name works wherever an image is named. Short names differ from one another "
                           "without regard to case." },
        [CONFIG_WATCHDOG] = { "Watchdog", true,
                              "One section for each hardware watchdog of which lfad is to know more than sysfs tells. "
                              "NAME is what the device calls itself, its identity, or its device name where it has "
                              "none; 'lfactl watchdog' shows it." },
};

#define DAY_USEC (24 * 3600 * USEC_PER_SEC)
#define FIELD(type, member) offsetof(type, member), sizeof(((type *) 0)->member)
#define GUID_EXAMPLE "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define EFI_GUID_EXAMPLE "a662076c-f212-564b-92cb-ba8f633606d9"
#define PROFILES "unknown, rfc1, rfc2, nvrfc, v1, v1nv, v2s, v2, v2bos, v3, nv3, nvnew"

const ConfigKey config_keys[] = {
        { CONFIG_DAEMON, "PollSec", "60", false, parse_span, FIELD(Config, poll_usec), 10 * USEC_PER_SEC,
          80 * USEC_PER_SEC, "a time span from 10s to 80s (60, 45s, 1min 10s)",
          "How often the driver's images are read. Most driver versions announce nothing, so this is how long "
          "it may take until newly staged firmware is seen; 'lfactl refresh' looks at once. A time span from "
          "10s to 80s, since it also serves the service watchdog." },
        { CONFIG_DAEMON, "SettleSec", "1", false, parse_span, FIELD(Config, settle_usec),
          100 * USEC_PER_MSEC, 10 * USEC_PER_SEC, "a time span from 100ms to 10s (1, 500ms, 2.5s)",
          "How long the driver's images must have been left as they are before they are believed, and before "
          "one is activated. A time span from 100ms to 10s. Less than 1s is for those who know their driver: some "
          "versions lose their tree when activations follow each other closely." },
        { CONFIG_DAEMON, "HistoryMaxBytes", "8M", false, parse_size, FIELD(Config, history_max_bytes),
          64 << 10, 1 << 30, "a size from 64K to 1G (8M, 65536)",
          "How much disk the history may take. It is kept in four files: when the newest has grown to a quarter of "
          "this, it begins a new one and drops the oldest, never during an activation. A number of bytes, or one with "
          "K, M or G, from 64K to 1G. An activation takes about 1K." },
        { CONFIG_DRIVER, "AllowProfile", "", true, parse_profiles, FIELD(Config, allowed_profiles), 0, 0,
          "names of driver versions (" PROFILES ")",
          "Versions of the kernel driver that are driven although they are not safe: rfc1, rfc2, nvrfc, v1, "
          "v1nv, or unknown, separated by blanks. Such a driver may hang the host, crash the kernel or tell a "
          "success that was none. Several assignments add up; an empty one begins anew. 'lfactl status' shows "
          "which version runs." },
        { CONFIG_DRIVER, "KernelAutoActivate", "off", false, parse_kernel_auto,
          FIELD(Config, kernel_auto_activate), 0, 0, "'off' or 'leave'",
          "The kernel can activate an image by itself as soon as it is pending, and knows no policy. off: "
          "wherever that is on, lfad sets auto_activate to 0 and records it. leave: it is left as it is, and "
          "lfad does not activate an image for which it is on; a storm of events, which is how activations without "
          "end look, is ended all the same." },
        { CONFIG_POLICY, "InhibitDelayMaxSec", "30", false, parse_span,
          FIELD(Config, inhibit_delay_max_usec), 0, 600 * USEC_PER_SEC,
          "a time span from 0 to 10min (30, 2min)",
          "How long an activation that is about to begin waits for programs that asked for a delay (inhibitors of mode "
          "delay). Then it goes on without them; with 0 none is waited for. A time span from 0 to 10min." },
        { CONFIG_POLICY, "QuarantineAfter", "3", false, parse_number, FIELD(Config, quarantine_after), 1,
          100, "a number from 1 to 100 (3, 10)",
          "After so many activations of an image to one version that failed, or of which nobody knows how they ended, "
          "that version is not tried any more until another one is staged or 'lfactl clear-quarantine' allows it. "
          "Where the host restarted during an activation, or nobody knows how one of automatic mode ended, once is "
          "enough. A number from 1 to 100." },
        { CONFIG_POLICY, "Mode", "manual", false, config_parse_mode, FIELD(Config, mode), 0, 0,
          "'manual' or 'automatic'",
          "manual: lfad activates what somebody asks for. automatic: it activates by itself what is pending, in order, "
          "each image at most once while a window is open, at this host's own moment in it; without a window it does "
          "nothing by itself." },
        { CONFIG_POLICY, "TimeZone", "UTC", false, config_parse_zone, FIELD(Config, zone), 0, 0,
          "'UTC', 'local' or the name of a time zone (Europe/Berlin)",
          "The time zone of windows and freezes that name none, and of the times that lfad tells. local: the host's." },
        { CONFIG_POLICY, "MaxWaitSec", "7d", false, parse_span, FIELD(Config, max_wait_usec), USEC_PER_SEC,
          30 * DAY_USEC, "a time span from 1s to 30d (7d, 12h)",
          "How long an activation that is to wait for its gates waits where no deadline is given. A time span from 1s "
          "to 30d." },
        { CONFIG_POLICY, "MaxNeedSec", "15min", false, parse_span, FIELD(Config, max_need_usec),
          USEC_PER_SEC, DAY_USEC, "a time span from 1s to 1d (15min, 1h)",
          "How much of a window this host's own moment leaves at least: what all that may be pending is expected to need. "
          "In a shorter window that moment is its beginning. A time span from 1s to 1d." },
        { CONFIG_POLICY, "MinimumIntervalSec", "0", false, parse_span, FIELD(Config, minimum_interval_usec),
          0, 366 * DAY_USEC, "a time span from 0 to 366d (1h, 7d)",
          "How long lfad waits after any activation before the next one of whatever image. A time span from 0 to 366d." },
        { CONFIG_WINDOW, "OnCalendar", "", false, config_parse_calendar, FIELD(ConfigWindow, on_calendar), 0,
          0, "a calendar expression as systemd.time(7) has them (Sat,Sun 03:30 Europe/Berlin)",
          "When it opens: a calendar expression as systemd.time(7) has them, with a time zone at its end where that of "
          "TimeZone= is not meant. 'lfactl calendar' shows what one means. Required." },
        { CONFIG_WINDOW, "Duration", "", false, parse_span, FIELD(ConfigWindow, duration_usec), USEC_PER_SEC,
          366 * DAY_USEC, "a time span from 1s to 366d (2h, 90min)",
          "How long it is open, whatever clocks are set to meanwhile. A time span from 1s to 366d. Required." },
        { CONFIG_FREEZE, "From", "", false, NULL, 0, 0, 0, 0,
          "a date, and perhaps a time and a time zone (2026-12-18 06:00 Europe/Berlin)",
          "When it begins: a date, a time of day where it is not 00:00, and a time zone where that of TimeZone= is not meant "
          "(2026-12-18 06:00 Europe/Berlin). Required." },
        { CONFIG_FREEZE, "Until", "", false, NULL, 0, 0, 0, 0,
          "a date, and perhaps a time and a time zone (2027-01-04 06:00 Europe/Berlin)",
          "When it is over, in the same form. Required." },
        { CONFIG_IMAGE, "Guid", "", false, parse_guid, FIELD(ConfigImage, guid), 0, 0,
          "a GUID like " GUID_EXAMPLE,
          "The image's GUID as its directory below /sys/firmware/lfa is named. Either this or EfiGuid= is "
          "required." },
        { CONFIG_IMAGE, "EfiGuid", "", false, parse_efi_guid, FIELD(ConfigImage, guid), 0, 0,
          "a GUID like " EFI_GUID_EXAMPLE,
          "The same GUID as UEFI and most tools write it: with its first three groups of bytes reversed." },
        { CONFIG_IMAGE, "Alias", "", false, parse_alias, FIELD(ConfigImage, alias), 0, 0, "a short name",
          "The short name, 1 to 64 of A-Z a-z 0-9 . _ -, in place of the one that lfad knows by itself, if any. "
          "Without it the section's name is taken." },
        { CONFIG_IMAGE, "CpuRendezvous", "", false, parse_rendezvous, FIELD(ConfigImage, rendezvous), 0, 0,
          "'force' or 'firmware'",
          "Whether all CPUs are stopped together while this image is activated (the driver's "
          "force_cpu_rendezvous). force: always. firmware: only where firmware demands it, which spares the "
          "other CPUs the stall; an informed choice, for images that no other CPU depends on. Without it the "
          "driver's setting is left as it is; the driver begins with force." },
        { CONFIG_IMAGE, "After", "", true, NULL, 0, 0, 0, 0, "images: GUIDs or short names",
          "Images that go before this one, separated by blanks: GUIDs in either form, short names, or names of "
          "these sections. While something is pending for one of them that can be activated, this one is not "
          "activated. What goes before those goes before this one, too; a circle is an error. Several "
          "assignments add up; an empty one begins anew." },
        { CONFIG_IMAGE, "Mode", "", false, config_parse_mode, FIELD(ConfigImage, mode), 0, 0,
          "'manual' or 'automatic'", "As Mode= of [Policy], for this image. Without it that one holds." },
        { CONFIG_IMAGE, "Windows", "", true, NULL, 0, 0, 0, 0, "names of [Window NAME] sections",
          "The windows in which this image may be activated, separated by blanks. Without it: all of them. Several "
          "assignments add up; an empty one begins anew." },
        { CONFIG_IMAGE, "AllowVersion", "", true, config_parse_versions, 0, 0, 0, 0, "versions (1.4 2.10)",
          "The only versions to which this image may be activated, separated by blanks. Several assignments add up; an "
          "empty one begins anew." },
        { CONFIG_IMAGE, "ForbidVersion", "", true, config_parse_versions, 0, 0, 0, 0, "versions (1.4 2.10)",
          "Versions to which it may not, separated by blanks. Several assignments add up; an empty one begins anew." },
        { CONFIG_IMAGE, "MinimumVersion", "", false, config_parse_version, FIELD(ConfigImage, rules.minimum),
          0, 0, "a version (1.4)", "The lowest version to which it may be activated." },
        { CONFIG_IMAGE, "AllowDowngrade", "yes", false, config_parse_downgrade,
          FIELD(ConfigImage, rules.no_downgrade), 0, 0, "'yes' or 'no'",
          "no: it may not be activated to a lower version than the one that runs. Where firmware does not give a version "
          "that one of these rules has to know, the image is not activated." },
        { CONFIG_WATCHDOG, "HardwareTimeoutSec", "", false, parse_span,
          FIELD(WatchdogSettings, hardware_timeout_usec), USEC_PER_SEC, 24 * 3600 * USEC_PER_SEC,
          "a time span from 1s to 24h (8, 1min 30s)",
          "How long the hardware itself waits after it was fed, where that is less than the time-out that the "
          "device shows, or where the device does not tell how much it can hold. The least of what is known "
          "counts. A time span from 1s to 24h." },
        { CONFIG_WATCHDOG, "Ignore", "no", false, parse_yes_no, FIELD(WatchdogSettings, ignore), 0, 0,
          "'yes' or 'no'",
          "yes: this watchdog does not count, whatever it shows: an informed choice, for a device that resets "
          "nothing. One that does may reset the host in the middle of an activation." },
        { .name = NULL },
};
