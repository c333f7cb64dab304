/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enumerations and named errors as text: each value there and back, nothing outside. */

#include "core/activation-report.h"
#include "core/enum-names.h"
#include "core/errors.h"
#include "core/profile.h"
#include "lfa/bus-names.h"
#include "unit.h"

#include <systemd/sd-bus.h>

/* One of these a type, since each has its own pair of functions. names: every value, in order. */
#define DEFINE_ROUND_TRIP(prefix, type, max, ...)                                                           \
        static void prefix##_round_trips(void **state) {                                                    \
                static const char *const names[] = { __VA_ARGS__ };                                         \
                static const char *const strangers[] = { "nonsense", "Unknown", " ", "idle ", "v4" };       \
                                                                                                            \
                assert_int_equal(G_N_ELEMENTS(names), max);                                                 \
                for (int i = 0; i < (int) (max); i++) {                                                     \
                        assert_string_equal(prefix##_to_string((type) i), names[i]);                        \
                        assert_int_equal(prefix##_from_string(names[i]), i);                                \
                }                                                                                           \
                assert_null(prefix##_to_string((type) (max)));                                              \
                assert_null(prefix##_to_string((type) -1));                                                 \
                assert_null(prefix##_to_string((type) -EINVAL));                                            \
                assert_null(prefix##_to_string((type) INT32_MAX));                                          \
                assert_int_equal(prefix##_from_string(NULL), -EINVAL);                                      \
                for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++)                                        \
                        assert_int_equal(prefix##_from_string(strangers[i]), -EINVAL);                      \
        }

DEFINE_ROUND_TRIP(driver_profile, DriverProfile, _PROFILE_MAX, "unknown", "rfc1", "rfc2", "nvrfc", "v1",
                  "v1nv", "v2s", "v2", "v2bos", "v3", "nv3", "nvnew")
DEFINE_ROUND_TRIP(driver_state, DriverState, _DRIVER_STATE_MAX, "unknown", "no-driver", "no-firmware",
                  "tree-lost", "unenforceable", "active")
DEFINE_ROUND_TRIP(image_state, ImageState, _IMAGE_STATE_MAX, "idle", "pending", "scheduled", "activating",
                  "failed", "quarantined", "stale")
DEFINE_ROUND_TRIP(job_state, JobState, _JOB_STATE_MAX, "queued", "waiting", "guarding", "activating",
                  "verifying", "done")
DEFINE_ROUND_TRIP(job_result, JobResult, _JOB_RESULT_MAX, "", "succeeded", "unverified", "failed",
                  "cancelled", "refused", "unknown")
DEFINE_ROUND_TRIP(report_stage, ReportStage, _STAGE_MAX, "changed", "open", "write")

static void every_error_has_a_valid_name_of_its_own(void **state) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (int i = LFA_ERROR_NONE + 1; i < _LFA_ERROR_MAX; i++) {
                const char *name = error_bus_name((ErrorId) i);

                assert_true(g_str_has_prefix(name, LFA_ERROR_PREFIX));
                /* D-Bus: error names have the syntax of interface names */
                assert_true(sd_bus_interface_name_is_valid(name) > 0);
                assert_true(g_ascii_isupper(name[strlen(LFA_ERROR_PREFIX)]));
                assert_true(g_hash_table_add(seen, (char *) name));
                assert_int_equal(error_from_bus_name(name), i);
        }
}

static void every_error_says_in_a_sentence_what_it_means(void **state) {
        for (int i = LFA_ERROR_NONE + 1; i < _LFA_ERROR_MAX; i++) {
                const char *text = error_text((ErrorId) i);

                if (!g_str_has_suffix(text, ".") && !g_str_has_suffix(text, "?"))
                        fail_msg("'%s' is no whole sentence", text);
                assert_true(strlen(text) >= 20 && strlen(text) < 192);
                assert_null(strchr(text, '\n'));
        }
}

static void no_error_is_the_empty_string(void **state) {
        assert_string_equal(error_bus_name(LFA_ERROR_NONE), "");
        assert_string_equal(error_text(LFA_ERROR_NONE), "");
        assert_false(error_is_retryable(LFA_ERROR_NONE));
        assert_int_equal(error_from_bus_name(""), LFA_ERROR_NONE);
}

static void strange_error_names_are_none_of_ours(void **state) {
        static const char *const strangers[] = {
                LFA_ERROR_PREFIX,
                LFA_ERROR_PREFIX "notPending",
                LFA_ERROR_PREFIX "NotPending2",
                LFA_ERROR_PREFIX "NotPendin",
                "NotPending",
                "org.freedesktop.DBus.Error.AccessDenied",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++)
                assert_int_equal(error_from_bus_name(strangers[i]), LFA_ERROR_NONE);
        assert_int_equal(error_from_bus_name(LFA_ERROR_PREFIX "NotPending"), LFA_ERROR_NOT_PENDING);
}

static void only_what_passes_by_itself_is_worth_a_retry(void **state) {
        static const ErrorId retryable[] = {
                LFA_ERROR_STARTING,      LFA_ERROR_SHUTTING_DOWN, LFA_ERROR_IMAGE_STALE,
                LFA_ERROR_KERNEL_BUSY,   LFA_ERROR_DISK_FULL,     LFA_ERROR_DAEMON_RESTARTED,
                LFA_ERROR_WORKER_FAILED,
        };
        static const ErrorId never[] = {
                LFA_ERROR_NO_SUCH_IMAGE,  LFA_ERROR_PROFILE_NOT_ALLOWED, LFA_ERROR_NOT_CAPABLE,
                LFA_ERROR_NOT_PENDING,    LFA_ERROR_NEEDS_CPU_RESET,     LFA_ERROR_VERSION_CHANGED,
                LFA_ERROR_HOST_RESTARTED, LFA_ERROR_NO_REPORT,           LFA_ERROR_UNEXPECTED_VERSION,
                LFA_ERROR_NO_EFFECT,      LFA_ERROR_ACTIVATION_FAILED,   LFA_ERROR_UNPROVEN,
                LFA_ERROR_CANCELLED,      LFA_ERROR_REPEATED_ACTIVATION,
        };

        for (size_t i = 0; i < G_N_ELEMENTS(retryable); i++)
                assert_true(error_is_retryable(retryable[i]));
        for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
                assert_false(error_is_retryable(never[i]));
}

static void errnos_of_an_attribute_have_their_own_errors(void **state) {
        static const struct {
                int errno_value;
                ErrorId error;
        } rows[] = {
                { EBUSY, LFA_ERROR_KERNEL_BUSY },      { EAGAIN, LFA_ERROR_KERNEL_BUSY },
                { ENOENT, LFA_ERROR_IMAGE_GONE },      { ENODEV, LFA_ERROR_IMAGE_GONE },
                { ENOTDIR, LFA_ERROR_IMAGE_GONE },     { EACCES, LFA_ERROR_NO_PERMISSION },
                { EPERM, LFA_ERROR_NO_PERMISSION },    { EROFS, LFA_ERROR_READ_ONLY },
                { EINVAL, LFA_ERROR_NEEDS_CPU_RESET }, { EIO, LFA_ERROR_INPUT_OUTPUT },
                { EMFILE, LFA_ERROR_INPUT_OUTPUT },    { ELOOP, LFA_ERROR_INPUT_OUTPUT },
                { ECANCELED, LFA_ERROR_INPUT_OUTPUT },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_int_equal(error_from_attr_errno(rows[i].errno_value), rows[i].error);
}

static void each_profile_is_relied_on_for_what_its_driver_does(void **state) {
        static const struct {
                DriverProfile profile;
                bool allowed, pending_version, unreliable, unenforceable, einval, loses_tree;
        } rows[] = {
                { PROFILE_UNKNOWN, false, true, false, false, false, false },
                { PROFILE_RFC1, false, false, false, false, true, false },
                { PROFILE_RFC2, false, false, false, false, true, false },
                { PROFILE_NVRFC, false, false, false, false, true, false },
                { PROFILE_V1, false, false, true, false, false, false },
                { PROFILE_V1NV, false, false, true, true, false, false },
                { PROFILE_V2S, true, true, false, false, false, true },
                { PROFILE_V2, true, true, false, false, false, true },
                { PROFILE_V2BOS, true, true, false, false, false, true },
                { PROFILE_V3, true, true, false, false, false, true },
                { PROFILE_NV3, true, true, false, false, false, true },
                { PROFILE_NVNEW, true, true, false, false, false, false },
        };

        assert_int_equal(G_N_ELEMENTS(rows), _PROFILE_MAX);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_int_equal(profile_is_allowed(rows[i].profile), rows[i].allowed);
                assert_int_equal(profile_pending_version_usable(rows[i].profile), rows[i].pending_version);
                assert_int_equal(profile_success_unreliable(rows[i].profile), rows[i].unreliable);
                assert_int_equal(profile_is_unenforceable(rows[i].profile), rows[i].unenforceable);
                assert_int_equal(profile_einval_is_refusal(rows[i].profile), rows[i].einval);
                assert_int_equal(profile_loses_tree(rows[i].profile), rows[i].loses_tree);
        }
}

static void versions_that_look_the_same_are_allowed_together(void **state) {
        const uint32_t rfc2 = 1U << PROFILE_RFC2, nvrfc = 1U << PROFILE_NVRFC, v1 = 1U << PROFILE_V1;

        assert_true(profile_is_allowed_by(PROFILE_RFC2, nvrfc));
        assert_true(profile_is_allowed_by(PROFILE_NVRFC, rfc2));
        assert_true(profile_is_allowed_by(PROFILE_V1, v1 | rfc2));
        assert_false(profile_is_allowed_by(PROFILE_V1NV, v1 | rfc2));
        assert_false(profile_is_allowed_by(PROFILE_RFC1, rfc2 | nvrfc));
        assert_false(profile_is_allowed_by(PROFILE_UNKNOWN, 0));
}

static void what_was_seen_tells_versions_apart_that_look_the_same(void **state) {
        static const struct {
                DriverProfile detected, known;
                unsigned evidence;
                DriverProfile refined;
        } rows[] = {
                { PROFILE_NV3, PROFILE_UNKNOWN, 0, PROFILE_NV3 },
                { PROFILE_NV3, PROFILE_UNKNOWN, EVIDENCE_CHANGE_EVENT, PROFILE_NVNEW },
                { PROFILE_NV3, PROFILE_UNKNOWN, EVIDENCE_BUSY, PROFILE_NVNEW },
                { PROFILE_V3, PROFILE_UNKNOWN, EVIDENCE_CHANGE_EVENT, PROFILE_NVNEW },
                { PROFILE_V3, PROFILE_NV3, 0, PROFILE_NV3 },
                { PROFILE_V3, PROFILE_NVNEW, EVIDENCE_BUSY, PROFILE_NVNEW },
                { PROFILE_V2, PROFILE_UNKNOWN, EVIDENCE_CHANGE_EVENT, PROFILE_V2BOS },
                { PROFILE_V2, PROFILE_UNKNOWN, EVIDENCE_BUSY, PROFILE_V2 },
                { PROFILE_RFC2, PROFILE_UNKNOWN, EVIDENCE_BUSY, PROFILE_NVRFC },
                { PROFILE_RFC2, PROFILE_UNKNOWN, EVIDENCE_CHANGE_EVENT, PROFILE_RFC2 },
                { PROFILE_V1, PROFILE_V2S, 0, PROFILE_V2S },
                { PROFILE_V1, PROFILE_UNKNOWN, EVIDENCE_CHANGE_EVENT | EVIDENCE_BUSY, PROFILE_V1 },
                { PROFILE_V1NV, PROFILE_V2S, EVIDENCE_CHANGE_EVENT, PROFILE_V1NV },
                { PROFILE_UNKNOWN, PROFILE_NVNEW, EVIDENCE_CHANGE_EVENT, PROFILE_UNKNOWN },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_int_equal(profile_refine(rows[i].detected, rows[i].known, rows[i].evidence),
                                 rows[i].refined);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(versions_that_look_the_same_are_allowed_together),
                cmocka_unit_test(what_was_seen_tells_versions_apart_that_look_the_same),
                cmocka_unit_test(driver_profile_round_trips),
                cmocka_unit_test(driver_state_round_trips),
                cmocka_unit_test(image_state_round_trips),
                cmocka_unit_test(job_state_round_trips),
                cmocka_unit_test(job_result_round_trips),
                cmocka_unit_test(report_stage_round_trips),
                cmocka_unit_test(every_error_has_a_valid_name_of_its_own),
                cmocka_unit_test(every_error_says_in_a_sentence_what_it_means),
                cmocka_unit_test(no_error_is_the_empty_string),
                cmocka_unit_test(strange_error_names_are_none_of_ours),
                cmocka_unit_test(only_what_passes_by_itself_is_worth_a_retry),
                cmocka_unit_test(errnos_of_an_attribute_have_their_own_errors),
                cmocka_unit_test(each_profile_is_relied_on_for_what_its_driver_does),
        };

        return cmocka_run_group_tests_name("enum-names", tests, NULL, NULL);
}
