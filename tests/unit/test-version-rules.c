/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration's rules about versions, and how gate "version" uses them. */

#include "core/gates.h"
#include "unit.h"

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"

static GPtrArray *versions(const char *text) {
        GPtrArray *list;
        g_auto(GStrv) words = NULL;

        if (!text)
                return NULL;
        list = g_ptr_array_new_with_free_func(g_free);
        words = g_strsplit(text, " ", -1);
        for (char **word = words; *word; word++)
                g_ptr_array_add(list, g_strdup(*word));
        return list;
}

static void each_rule_judges_what_it_is_about(void **state) {
        static const struct {
                const char *allowed, *forbidden, *minimum;
                bool no_downgrade;
                const char *from, *to;
                VersionRuling ruling;
        } rows[] = {
                { NULL, NULL, "", false, "1.0", "1.1", VERSION_PERMITTED },
                { NULL, NULL, "", false, "2.0", "1.1", VERSION_PERMITTED },
                { NULL, NULL, "", false, "", "", VERSION_PERMITTED },
                { "1.1 1.3", NULL, "", false, "1.0", "1.1", VERSION_PERMITTED },
                { "1.1 1.3", NULL, "", false, "1.0", "1.2", VERSION_NOT_LISTED },
                { "1.1", NULL, "", false, "1.0", "1.10", VERSION_NOT_LISTED },
                { NULL, "1.1 1.3", "", false, "1.0", "1.3", VERSION_LISTED },
                { NULL, "1.1 1.3", "", false, "1.0", "1.2", VERSION_PERMITTED },
                { "1.1", "1.1", "", false, "1.0", "1.1", VERSION_LISTED },
                { NULL, NULL, "1.9", false, "1.0", "1.10", VERSION_PERMITTED },
                { NULL, NULL, "1.9", false, "1.0", "1.9", VERSION_PERMITTED },
                { NULL, NULL, "1.9", false, "2.0", "1.8", VERSION_TOO_LOW },
                { NULL, NULL, "", true, "1.10", "1.9", VERSION_IS_DOWNGRADE },
                { NULL, NULL, "", true, "1.10", "1.10", VERSION_PERMITTED },
                { NULL, NULL, "", true, "1.9", "1.10", VERSION_PERMITTED },
                /* what firmware does not tell */
                { "1.1", NULL, "", false, "1.0", "", VERSION_UNKNOWN },
                { NULL, "1.1", "", false, "1.0", "", VERSION_UNKNOWN },
                { NULL, NULL, "1.1", false, "1.0", "", VERSION_UNKNOWN },
                { NULL, NULL, "1.1", false, "", "1.2", VERSION_PERMITTED },
                { NULL, NULL, "", true, "", "1.2", VERSION_UNKNOWN },
                { NULL, NULL, "", true, "1.0", "", VERSION_UNKNOWN },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                VersionRules rules = { versions(rows[i].allowed), versions(rows[i].forbidden), "",
                                       rows[i].no_downgrade };

                strcpy(rules.minimum, rows[i].minimum);
                if (version_rules_judge(&rules, rows[i].from, rows[i].to) != rows[i].ruling)
                        fail_msg("row %zu", i);
                version_rules_clear(&rules);
        }
}

static void the_gate_names_version_and_rule(void **state) {
        static const struct {
                VersionRules rules;
                const char *from, *to, *words;
        } rows[] = {
                { { .minimum = "1.2" },
                  "1.0",
                  "1.1",
                  "Version 1.1 of image " GUID " is lower than MinimumVersion=1.2." },
                { { .no_downgrade = true },
                  "1.2",
                  "1.1",
                  "is lower than 1.2, which runs, and AllowDowngrade=no." },
                { { .no_downgrade = true }, "", "1.1", "Firmware gives no current version" },
                { { .minimum = "1.2" }, "1.0", "", "Firmware gives no pending version" },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                ImageValues image;
                GateFacts facts = { .image = &image, .version_rules = &rows[i].rules };
                GateVerdict verdicts[_GATE_MAX];

                image_values_init(&image, GUID);
                image.pending = 1;
                strcpy(image.current_version, rows[i].from);
                strcpy(image.pending_version, rows[i].to);
                gates_run(&facts, verdicts);
                assert_int_equal(verdicts[GATE_VERSION].answer, GATE_DENY);
                assert_int_equal(verdicts[GATE_VERSION].error, LFA_ERROR_VERSION_FORBIDDEN);
                assert_non_null(strstr(verdicts[GATE_VERSION].text, rows[i].words));
                image.pending = 0; /* gate "image" says it */
                gates_run(&facts, verdicts);
                assert_int_equal(verdicts[GATE_VERSION].answer, GATE_ALLOW);
        }
}

static void rules_can_be_passed_over_but_not_what_the_caller_expects(void **state) {
        const VersionRules rules = { .minimum = "2.0" };
        ImageValues image;
        GateFacts facts = { .image = &image, .version_rules = &rules };
        GateVerdict verdicts[_GATE_MAX];

        image_values_init(&image, GUID);
        image.pending = 1;
        strcpy(image.pending_version, "1.1");
        facts.terms.overrides = 1U << GATE_VERSION;
        gates_run(&facts, verdicts);
        assert_int_equal(verdicts[GATE_VERSION].answer, GATE_ALLOW);
        assert_true(verdicts[GATE_VERSION].overridden);
        assert_int_equal(verdicts[GATE_VERSION].error, LFA_ERROR_VERSION_FORBIDDEN);
        facts.terms.expected_pending = (ExpectedVersion){ true, "1.2" };
        gates_run(&facts, verdicts);
        assert_int_equal(verdicts[GATE_VERSION].answer, GATE_DENY);
        assert_false(verdicts[GATE_VERSION].overridden);
        assert_int_equal(verdicts[GATE_VERSION].error, LFA_ERROR_VERSION_CHANGED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_rule_judges_what_it_is_about),
                cmocka_unit_test(the_gate_names_version_and_rule),
                cmocka_unit_test(rules_can_be_passed_over_but_not_what_the_caller_expects),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
