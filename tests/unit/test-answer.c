/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's answers: there and back with extreme values, and whatever else might come refused. */

#include "unit.h"
#include "worker/answer.h"

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define BOOT_ID "0123456789abcdef0123456789abcdef"

static char *text_of(json_object *object) {
        char *text = g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));

        json_object_put(object);
        return text;
}

static Answer parse(const char *text) {
        Answer answer;

        assert_int_equal(answer_parse(text, strlen(text), &answer), 0);
        return answer;
}

static void assert_refused_bytes(const char *text, size_t length) {
        Answer answer;

        fill_untouched(&answer, sizeof(answer));
        if (answer_parse(text, length, &answer) != -EBADMSG)
                fail_msg("taken: %.*s", (int) MIN(length, 2000), text);
        assert_true(is_untouched(&answer, sizeof(answer)));
}

static void assert_refused(const char *text) {
        assert_refused_bytes(text, strlen(text));
}

static ImageValues extreme_values(void) {
        ImageValues values;

        image_values_init(&values, GUID);
        memset(values.name, 'n', IMAGE_NAME_SIZE - 1);
        strcpy(values.current_version, "4294967295.4294967295");
        strcpy(values.pending_version, "4294967295.4294967294");
        values.capable = values.may_reset_cpu = values.force_cpu_rendezvous = 1;
        values.pending = values.cpu_rendezvous = values.auto_activate = 0;
        return values;
}

static ActivationReport extreme_report(void) {
        ActivationReport report = {
                .job = INT32_MAX,
                .guid = GUID,
                .boot_id = BOOT_ID,
                .profile = PROFILE_NVNEW,
                .stage = STAGE_WRITE,
                .error = 4095,
                .attempts = 1000,
                .write_usec = UINT64_MAX - 1,
                .write_timestamp = UINT64_MAX - 1,
                .before = extreme_values(),
                .after = extreme_values(),
                .gone = true,
                .stale = true,
                .cancel_sent = true,
                .cancel_error = 4095,
                .reason = { FIRMWARE_CALL_ACTIVATE, FIRMWARE_CODE_COMPONENT_WRONG_STATE, true, true },
                .blackout = { true, UINT64_MAX - 1, INT_MAX, UINT64_MAX - 2, UINT64_MAX - 3 },
        };

        image_values_init(&report.after, GUID);
        return report;
}

static void answer_types_round_trip(void **state) {
        static const char *const names[_ANSWER_MAX] = { "driver", "image",    "writing", "result",
                                                        "end",    "watchdog", "lockups" };

        for (int i = 0; i < _ANSWER_MAX; i++) {
                assert_string_equal(answer_type_to_string((AnswerType) i), names[i]);
                assert_int_equal(answer_type_from_string(names[i]), i);
        }
        assert_null(answer_type_to_string(_ANSWER_MAX));
        assert_null(answer_type_to_string(_ANSWER_INVALID));
        assert_int_equal(answer_type_from_string(""), -EINVAL);
}

static void every_driver_round_trips(void **state) {
        g_autoptr(Tree) tree = tree_new();

        for (tree->driver_state = 0; tree->driver_state < _DRIVER_STATE_MAX; tree->driver_state++)
                for (tree->profile = 0; tree->profile < _PROFILE_MAX; tree->profile++) {
                        g_autofree char *text = text_of(answer_from_driver(tree));
                        Answer answer = parse(text);

                        assert_int_equal(answer.type, ANSWER_DRIVER);
                        assert_int_equal(answer.driver.state, tree->driver_state);
                        assert_int_equal(answer.driver.profile, tree->profile);
                }
}

static void images_round_trip_with_everything_and_with_nothing(void **state) {
        ImageValues values[3] = { extreme_values() };

        image_values_init(&values[1], GUID);
        values[2] = extreme_values();
        strcpy(values[2].name, "\"\\/ \xc3\xa9 {}");
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
                g_autofree char *text = text_of(answer_from_image(&values[i]));
                Answer answer = parse(text);

                assert_int_equal(answer.type, ANSWER_IMAGE);
                assert_true(image_values_equal(&answer.image, &values[i]));
        }
}

static void every_flag_of_an_image_keeps_its_value(void **state) {
        for (unsigned i = 0; i < 3 * 3 * 3 * 3 * 3 * 3; i++) {
                ImageValues values = extreme_values();
                g_autofree char *text = NULL;
                Answer answer;

                values.capable = (int8_t) (i % 3) - 1;
                values.pending = (int8_t) (i / 3 % 3) - 1;
                values.may_reset_cpu = (int8_t) (i / 9 % 3) - 1;
                values.cpu_rendezvous = (int8_t) (i / 27 % 3) - 1;
                values.force_cpu_rendezvous = (int8_t) (i / 81 % 3) - 1;
                values.auto_activate = (int8_t) (i / 243) - 1;
                text = text_of(answer_from_image(&values));
                answer = parse(text);
                assert_true(image_values_equal(&answer.image, &values));
        }
}

static Watchdog extreme_watchdog(void) {
        Watchdog watchdog;

        watchdog_init(&watchdog, "watchdog99999");
        memset(watchdog.identity, 'i', WATCHDOG_IDENTITY_SIZE - 1);
        watchdog.state = WATCHDOG_INACTIVE;
        watchdog.garbled = true;
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++)
                watchdog.numbers[i] = WATCHDOG_VALUE_MAXIMUM;
        return watchdog;
}

static void watchdogs_round_trip_with_everything_and_with_nothing(void **state) {
        Watchdog watchdogs[2] = { extreme_watchdog() };

        watchdog_init(&watchdogs[1], WATCHDOG_MISC_DEVICE);
        for (size_t i = 0; i < G_N_ELEMENTS(watchdogs); i++) {
                g_autofree char *text = text_of(answer_from_watchdog(&watchdogs[i]));
                Answer answer = parse(text);

                assert_int_equal(answer.type, ANSWER_WATCHDOG);
                assert_string_equal(answer.watchdog.device, watchdogs[i].device);
                assert_string_equal(answer.watchdog.identity, watchdogs[i].identity);
                assert_int_equal(answer.watchdog.state, watchdogs[i].state);
                assert_int_equal(answer.watchdog.garbled, watchdogs[i].garbled);
                assert_memory_equal(answer.watchdog.numbers, watchdogs[i].numbers,
                                    sizeof(watchdogs[i].numbers));
        }
}

static void lockups_round_trip_with_everything_and_with_nothing(void **state) {
        Lockups lockups[2];

        lockups_init(&lockups[0]);
        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                lockups[1].numbers[i] = LOCKUP_VALUE_MAXIMUM - i;
        for (size_t i = 0; i < G_N_ELEMENTS(lockups); i++) {
                g_autofree char *text = text_of(answer_from_lockups(&lockups[i]));
                Answer answer;

                assert_int_equal(answer_parse(text, strlen(text), &answer), 0);
                assert_int_equal(answer.type, ANSWER_LOCKUPS);
                assert_memory_equal(&answer.lockups, &lockups[i], sizeof(Lockups));
        }
        assert_refused("{\"type\":\"lockups\",\"watchdog_thresh\":4294967296}");
        assert_refused("{\"type\":\"lockups\",\"watchdog_thresh\":-1}");
        assert_refused("{\"type\":\"lockups\",\"watchdog_thresh\":\"10\"}");
}

static void watchdogs_out_of_bounds_are_refused(void **state) {
        static const char *const lines[] = {
                "{\"type\":\"watchdog\"}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"active\"}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"garbled\":false}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"on\",\"garbled\":false}",
                "{\"type\":\"watchdog\",\"device\":\"../x\",\"state\":\"active\",\"garbled\":false}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"active\",\"garbled\":false,\"timeout\":-1}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"active\",\"garbled\":false,"
                "\"timeleft\":4294967296}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"active\",\"garbled\":false,"
                "\"pretimeout\":\"5\"}",
                "{\"type\":\"watchdog\",\"device\":\"watchdog0\",\"state\":\"active\",\"garbled\":false,"
                "\"identity\":\"\\u001b\"}",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                assert_refused(lines[i]);
}

static void assert_reports_equal(const ActivationReport *a, const ActivationReport *b) {
        assert_int_equal(a->job, b->job);
        assert_string_equal(a->guid, b->guid);
        assert_string_equal(a->boot_id, b->boot_id);
        assert_int_equal(a->profile, b->profile);
        assert_int_equal(a->stage, b->stage);
        assert_int_equal(a->error, b->error);
        assert_int_equal(a->attempts, b->attempts);
        assert_int_equal(a->write_usec, b->write_usec);
        assert_int_equal(a->write_timestamp, b->write_timestamp);
        assert_int_equal(a->gone, b->gone);
        assert_int_equal(a->stale, b->stale);
        assert_int_equal(a->cancel_sent, b->cancel_sent);
        assert_int_equal(a->cancel_error, b->cancel_error);
        assert_int_equal(a->reason.call, b->reason.call);
        assert_int_equal(a->reason.code, b->reason.code);
        assert_int_equal(a->reason.busy, b->reason.busy);
        assert_int_equal(a->reason.lost, b->reason.lost);
        assert_int_equal(a->blackout.measured, b->blackout.measured);
        assert_int_equal(a->blackout.usec, b->blackout.usec);
        assert_int_equal(a->blackout.count, b->blackout.count);
        assert_int_equal(a->blackout.sum_usec, b->blackout.sum_usec);
        assert_int_equal(a->blackout.floor_usec, b->blackout.floor_usec);
        assert_true(image_values_equal(&a->before, &b->before));
        assert_true(image_values_equal(&a->after, &b->after));
}

static void reports_round_trip_and_fit_into_a_line(void **state) {
        ActivationReport reports[2] = { extreme_report() };

        strcpy(reports[1].guid, GUID);
        strcpy(reports[1].boot_id, BOOT_ID);
        image_values_init(&reports[1].before, GUID);
        reports[1].after = extreme_values();
        for (size_t i = 0; i < G_N_ELEMENTS(reports); i++) {
                g_autofree char *text = text_of(answer_from_report(&reports[i]));
                Answer answer = parse(text);

                assert_true(strlen(text) < ANSWER_LINE_MAX / 2);
                assert_int_equal(answer.type, ANSWER_RESULT);
                assert_reports_equal(&answer.report, &reports[i]);
        }
}

static void ends_and_writing_round_trip(void **state) {
        static const int errors[] = { 0, 1, EIO, 4095 };
        g_autofree char *writing = text_of(answer_new(ANSWER_WRITING));

        assert_int_equal(parse(writing).type, ANSWER_WRITING);
        for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
                g_autofree char *text = text_of(answer_from_error(errors[i]));
                Answer answer = parse(text);

                assert_int_equal(answer.type, ANSWER_END);
                assert_int_equal(answer.error, errors[i]);
        }
}

/* One of each, complete. */
static json_object *new_answer(AnswerType type) {
        g_autoptr(Tree) tree = tree_new();
        ImageValues values = extreme_values();
        ActivationReport report = extreme_report();

        switch (type) {
        case ANSWER_DRIVER:
                return answer_from_driver(tree);
        case ANSWER_IMAGE:
                return answer_from_image(&values);
        case ANSWER_RESULT:
                return answer_from_report(&report);
        case ANSWER_END:
                return answer_from_error(0);
        default:
                return answer_new(ANSWER_WRITING);
        }
}

static void whatever_is_cut_short_or_goes_on_is_refused(void **state) {
        for (int type = 0; type < _ANSWER_MAX; type++) {
                g_autofree char *text = text_of(new_answer((AnswerType) type));
                g_autofree char *more = g_strconcat(text, "x", NULL), *twice = g_strconcat(text, text, NULL);

                for (size_t length = 0; length < strlen(text); length++)
                        assert_refused_bytes(text, length);
                assert_refused(more);
                assert_refused(twice);
                assert_refused_bytes(text, strlen(text) + 1); /* with its NUL */
        }
}

/* The keys that an answer must have. */
static const struct {
        AnswerType type;
        const char *nested; /* the object in which the key is, NULL = the answer */
        const char *key;
} required[] = {
        { ANSWER_DRIVER, NULL, "type" },
        { ANSWER_DRIVER, NULL, "state" },
        { ANSWER_DRIVER, NULL, "profile" },
        { ANSWER_IMAGE, NULL, "type" },
        { ANSWER_IMAGE, NULL, "guid" },
        { ANSWER_END, NULL, "type" },
        { ANSWER_END, NULL, "error" },
        { ANSWER_RESULT, NULL, "type" },
        { ANSWER_RESULT, NULL, "job" },
        { ANSWER_RESULT, NULL, "guid" },
        { ANSWER_RESULT, NULL, "boot-id" },
        { ANSWER_RESULT, NULL, "profile" },
        { ANSWER_RESULT, NULL, "stage" },
        { ANSWER_RESULT, NULL, "error" },
        { ANSWER_RESULT, NULL, "attempts" },
        { ANSWER_RESULT, NULL, "write-usec" },
        { ANSWER_RESULT, NULL, "write-timestamp" },
        { ANSWER_RESULT, NULL, "gone" },
        { ANSWER_RESULT, NULL, "stale" },
        { ANSWER_RESULT, NULL, "cancel-sent" },
        { ANSWER_RESULT, NULL, "cancel-error" },
        { ANSWER_RESULT, NULL, "before" },
        { ANSWER_RESULT, NULL, "after" },
        { ANSWER_RESULT, "before", "guid" },
        { ANSWER_RESULT, "after", "guid" },
        { ANSWER_WRITING, NULL, "type" },
};

static json_object *object_with(json_object *answer, const char *nested) {
        json_object *object = answer;

        if (nested)
                assert_int_equal(json_get_object(answer, nested, &object), 0);
        return object;
}

static void answers_without_one_of_their_keys_are_refused(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(required); i++) {
                json_object *answer = new_answer(required[i].type);
                json_object *object = object_with(answer, required[i].nested);
                g_autofree char *text = NULL;

                assert_true(json_object_object_get_ex(object, required[i].key, NULL));
                json_object_object_del(object, required[i].key);
                text = text_of(answer);
                assert_refused(text);
        }
}

static void assert_refused_with(AnswerType type, const char *nested, const char *key, const char *value) {
        json_object *answer = new_answer(type);
        json_object *object = object_with(answer, nested);
        g_autofree char *parsed = g_strdup_printf("{\"value\":%s}", value), *text = NULL;
        json_object *holder = json_parse_line(parsed, strlen(parsed));
        json_object *new_value = NULL;

        assert_non_null(holder);
        assert_true(json_object_object_get_ex(holder, "value", &new_value));
        json_object_object_add(object, key, json_object_get(new_value));
        json_object_put(holder);
        text = text_of(answer);
        assert_refused(text);
}

static void values_of_the_wrong_type_are_refused(void **state) {
        static const char *const wrong[] = { "null", "[]", "1.5", "\"\"", "\"1\"", "\"x\\u0000y\"", "-1" };

        for (size_t i = 0; i < G_N_ELEMENTS(required); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(wrong); j++)
                        assert_refused_with(required[i].type, required[i].nested, required[i].key, wrong[j]);
}

static void flags_and_versions_of_the_wrong_type_are_refused_too(void **state) {
        static const char *const flags[] = {
                "capable",      "pending", "may-reset-cpu", "cpu-rendezvous", "force-cpu-rendezvous",
                "auto-activate"
        };
        static const char *const bad_flags[] = { "2", "-1", "true", "\"1\"", "null", "1.0", "{}" };
        static const char *const versions[] = { "current-version", "pending-version" };
        static const char *const bad_versions[] = { "1",    "\"1\"", "\"1.2.3\"",        "\"\"",
                                                    "null", "[]",    "\"4294967296.1\"", "\"1.2\\u0000\"" };

        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(bad_flags); j++) {
                        assert_refused_with(ANSWER_IMAGE, NULL, flags[i], bad_flags[j]);
                        assert_refused_with(ANSWER_RESULT, "before", flags[i], bad_flags[j]);
                        assert_refused_with(ANSWER_RESULT, "after", flags[i], bad_flags[j]);
                }
        for (size_t i = 0; i < G_N_ELEMENTS(versions); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(bad_versions); j++) {
                        assert_refused_with(ANSWER_IMAGE, NULL, versions[i], bad_versions[j]);
                        assert_refused_with(ANSWER_RESULT, "after", versions[i], bad_versions[j]);
                }
}

static void a_blackout_is_there_whole_or_not_at_all(void **state) {
        static const char *const keys[] = { "blackout-usec", "blackout-count", "blackout-sum-usec",
                                            "blackout-floor-usec" };
        static const char *const bad[] = { "-1", "1.5", "\"1\"", "null", "{}", "18446744073709551616" };
        json_object *without = new_answer(ANSWER_RESULT);
        g_autofree char *text = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                json_object *answer = new_answer(ANSWER_RESULT);
                g_autofree char *partial = NULL;

                json_object_object_del(answer, keys[i]);
                partial = text_of(answer);
                assert_refused(partial);
                json_object_object_del(without, keys[i]);
                for (size_t j = 0; j < G_N_ELEMENTS(bad); j++)
                        assert_refused_with(ANSWER_RESULT, NULL, keys[i], bad[j]);
        }
        text = text_of(without);
        assert_false(parse(text).report.blackout.measured);
}

static void names_that_cannot_be_shown_are_refused(void **state) {
        static const char *const bad[] = {
                "5",
                "null",
                "[]",
                "\"a\\u0000b\"",
                "\"a\\nb\"",
                "\"\\u001b[31m\"",
                "\"0123456789012345678901234567890123456789012345678901234567890123\xc3\xa9\"",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                assert_refused_with(ANSWER_IMAGE, NULL, "name", bad[i]);
                assert_refused_with(ANSWER_RESULT, "before", "name", bad[i]);
        }
}

/* A worker of an earlier version says nothing of the kernel's log; a later one may know more codes. */
static void firmwares_reason_is_optional_and_never_costs_the_evidence(void **state) {
        static const char *const keys[] = { "firmware-call", "firmware-code", "log-busy", "log-lost" };
        json_object *answer = new_answer(ANSWER_RESULT);
        g_autofree char *without = NULL, *later = NULL;
        FirmwareReason reason;

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
                json_object_object_del(answer, keys[i]);
        without = text_of(answer);
        reason = parse(without).report.reason;
        assert_int_equal(reason.call, FIRMWARE_CALL_NONE);
        assert_int_equal(reason.code, FIRMWARE_CODE_NONE);
        assert_false(reason.busy || reason.lost);

        answer = new_answer(ANSWER_RESULT);
        json_add_string(answer, "firmware-code", "LFA_OF_A_LATER_VERSION");
        later = text_of(answer);
        reason = parse(later).report.reason;
        assert_int_equal(reason.call, FIRMWARE_CALL_ACTIVATE);
        assert_int_equal(reason.code, FIRMWARE_CODE_NONE);
}

static void values_out_of_range_are_refused(void **state) {
        static const struct {
                AnswerType type;
                const char *nested, *key, *value;
        } rows[] = {
                { ANSWER_END, NULL, "error", "4096" },
                { ANSWER_END, NULL, "error", "18446744073709551615" },
                { ANSWER_RESULT, NULL, "error", "4096" },
                { ANSWER_RESULT, NULL, "cancel-error", "4096" },
                { ANSWER_RESULT, NULL, "attempts", "1001" },
                { ANSWER_RESULT, NULL, "job", "4294967296" },
                { ANSWER_RESULT, NULL, "boot-id", "\"0123456789abcdef0123456789abcde\"" },
                { ANSWER_RESULT, NULL, "boot-id", "\"0123456789abcdef0123456789abcdef0\"" },
                { ANSWER_RESULT, NULL, "profile", "\"v4\"" },
                { ANSWER_RESULT, NULL, "stage", "\"written\"" },
                { ANSWER_RESULT, NULL, "firmware-call", "\"cancel\"" },
                { ANSWER_RESULT, NULL, "firmware-call", "1" },
                { ANSWER_RESULT, NULL, "firmware-code", "-3" },
                { ANSWER_RESULT, NULL, "log-busy", "1" },
                { ANSWER_RESULT, NULL, "log-lost", "\"true\"" },
                { ANSWER_RESULT, NULL, "guid", "\"05d0e189-53dc-1347-8d2b-500a4b7a3e38\"" }, /* another's */
                { ANSWER_RESULT, "before", "guid", "\"05d0e189-53dc-1347-8d2b-500a4b7a3e38\"" },
                { ANSWER_RESULT, "after", "guid", "\"05d0e189-53dc-1347-8d2b-500a4b7a3e38\"" },
                { ANSWER_IMAGE, NULL, "guid", "\"6C0762A6-12F2-4B56-92CB-BA8F633606D9\"" },
                { ANSWER_IMAGE, NULL, "guid", "\"../../../etc/passwd\"" },
                { ANSWER_DRIVER, NULL, "state", "\"busy\"" },
                { ANSWER_DRIVER, NULL, "profile", "\"V3\"" },
                { ANSWER_WRITING, NULL, "type", "\"Writing\"" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_refused_with(rows[i].type, rows[i].nested, rows[i].key, rows[i].value);
}

static void long_lines_are_refused(void **state) {
        g_autofree char *padding = g_strnfill(1024 * 1024, ' ');
        g_autofree char *longest =
                        g_strdup_printf("{\"type\":\"writing\"%.*s}", ANSWER_LINE_MAX - 18, padding);
        g_autofree char *longer =
                        g_strdup_printf("{\"type\":\"writing\"%.*s}", ANSWER_LINE_MAX - 17, padding);
        g_autofree char *megabyte = g_strdup_printf("{\"type\":\"writing\"%s}", padding);

        assert_int_equal(strlen(longest), ANSWER_LINE_MAX);
        assert_int_equal(parse(longest).type, ANSWER_WRITING);
        assert_refused(longer);
        assert_refused(megabyte);
}

static void rubbish_is_refused(void **state) {
        static const char *const rows[] = {
                "",
                "{}",
                "[]",
                "null",
                "0",
                "\"writing\"",
                "{\"type\":\"\"}",
                "{\"type\":\"writing\xff\"}",
                "{\"type\":\"writing\",\"x\":\"\xc3\x28\"}",
                "{\"type\":\"writing\",\"\xfe\":1}",
                "{\"type\":\"writing\",\"x\":[[[[[[[[[[[[1]]]]]]]]]]]]}",
                "{\"type\":\"writing\",\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{\"x\":{}}}}}}}}}",
                "\xef\xbb\xbf{\"type\":\"writing\"}",
                "{\"type\":\"writing\",}",
                "{type:\"writing\"}",
        };
        g_autofree char *deep = g_strnfill(4000, '[');

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                assert_refused(rows[i]);
        assert_refused(deep);
        for (int byte = 0; byte < 256; byte++) {
                const char text[1] = { (char) byte };

                assert_refused_bytes(text, 1);
        }
}

/* Sanitizers look on. */
static void no_single_wrong_byte_does_harm(void **state) {
        g_autofree char *text = text_of(new_answer(ANSWER_RESULT));
        static const char bytes[] = { 0, '"', '{', '}', ',', '\\', '9', '-', (char) 0xff };
        size_t length = strlen(text);

        for (size_t i = 0; i < length; i++)
                for (size_t j = 0; j < sizeof(bytes); j++) {
                        g_autofree char *changed = g_memdup2(text, length);
                        Answer answer;

                        changed[i] = bytes[j];
                        if (answer_parse(changed, length, &answer) < 0)
                                continue;
                        assert_int_equal(answer.type, ANSWER_RESULT);
                        assert_true(answer.report.error >= 0 && answer.report.error <= 4095);
                        assert_true(guid_is_valid(answer.report.guid));
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answer_types_round_trip),
                cmocka_unit_test(every_driver_round_trips),
                cmocka_unit_test(images_round_trip_with_everything_and_with_nothing),
                cmocka_unit_test(every_flag_of_an_image_keeps_its_value),
                cmocka_unit_test(watchdogs_round_trip_with_everything_and_with_nothing),
                cmocka_unit_test(lockups_round_trip_with_everything_and_with_nothing),
                cmocka_unit_test(watchdogs_out_of_bounds_are_refused),
                cmocka_unit_test(reports_round_trip_and_fit_into_a_line),
                cmocka_unit_test(ends_and_writing_round_trip),
                cmocka_unit_test(whatever_is_cut_short_or_goes_on_is_refused),
                cmocka_unit_test(answers_without_one_of_their_keys_are_refused),
                cmocka_unit_test(values_of_the_wrong_type_are_refused),
                cmocka_unit_test(flags_and_versions_of_the_wrong_type_are_refused_too),
                cmocka_unit_test(a_blackout_is_there_whole_or_not_at_all),
                cmocka_unit_test(names_that_cannot_be_shown_are_refused),
                cmocka_unit_test(firmwares_reason_is_optional_and_never_costs_the_evidence),
                cmocka_unit_test(values_out_of_range_are_refused),
                cmocka_unit_test(long_lines_are_refused),
                cmocka_unit_test(rubbish_is_refused),
                cmocka_unit_test(no_single_wrong_byte_does_harm),
        };

        return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
