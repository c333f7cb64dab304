/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates: what each of them lets pass, what it refuses and with which words, and how a list of answers is
 * read. */

#include "core/gates.h"
#include "unit.h"

#define GUID "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define SECOND ((uint64_t) 1000000)

typedef struct World {
        GateFacts facts;
        ImageValues image;
        GateVerdict verdicts[_GATE_MAX];
} World;

/* A host on which nothing stands against an activation from 1.0 to 1.1. */
static World world_new(void) {
        World world = {
                .facts = {
                        .driver_state = DRIVER_ACTIVE,
                        .profile = PROFILE_NVNEW,
                        .now_usec = 100 * SECOND,
                        .tree_stable_since_usec = 50 * SECOND,
                        .settle_usec = SECOND,
                        .settle_deadline_usec = UINT64_MAX,
                        .schedule = { .since_last_usec = UINT64_MAX },
                        .system = { SYSTEM_RUNNING, SYSTEM_ANSWER_NO, SYSTEM_ANSWER_NO, false },
                },
        };

        image_values_init(&world.image, GUID);
        world.image.capable = world.image.pending = 1;
        world.image.may_reset_cpu = world.image.auto_activate = 0;
        world.image.cpu_rendezvous = 1;
        strcpy(world.image.current_version, "1.0");
        strcpy(world.image.pending_version, "1.1");
        return world;
}

static const GateVerdict *ask(World *world, GateId gate) {
        if (!world->facts.image)
                world->facts.image = &world->image;
        gates_run(&world->facts, world->verdicts);
        return &world->verdicts[gate];
}

static void assert_allows(World *world, GateId gate) {
        const GateVerdict *verdict = ask(world, gate);

        assert_int_equal(verdict->answer, GATE_ALLOW);
        assert_int_equal(verdict->error, LFA_ERROR_NONE);
}

static void assert_denies(World *world, GateId gate, ErrorId error, const char *words) {
        const GateVerdict *verdict = ask(world, gate);

        assert_int_equal(verdict->answer, GATE_DENY);
        assert_int_equal(verdict->error, error);
        if (!strstr(verdict->text, words))
                fail_msg("'%s' does not say '%s'", verdict->text, words);
        assert_true(g_str_has_suffix(verdict->text, "."));
}

static void nothing_stands_against_a_healthy_pending_image(void **state) {
        World world = world_new();

        for (GateId gate = 0; gate < _GATE_MAX; gate++)
                assert_allows(&world, gate);
        assert_null(gates_first_denial(world.verdicts));
        assert_null(gates_decide(world.verdicts));
}

static void a_configuration_that_did_not_load_is_named(void **state) {
        World world = world_new();

        world.facts.configuration_error = "/etc/lfad/lfad.conf:7: unknown key 'Pol'.";
        assert_denies(&world, GATE_CONFIG, LFA_ERROR_CONFIG_INVALID, "lfad.conf:7: unknown key");
}

static void a_long_text_is_never_cut_inside_a_character(void **state) {
        for (unsigned shift = 0; shift < 4; shift++) {
                World world = world_new();
                g_autofree char *text = g_malloc0(1024 + shift);

                memset(text, 'x', shift);
                for (unsigned i = 0; i < 255; i++)
                        memcpy(text + shift + 4 * i, "\xf0\x9f\x98\x80", 4);
                world.facts.configuration_error = text;
                assert_true(g_utf8_validate(ask(&world, GATE_CONFIG)->text, -1, NULL));
                assert_true(strlen(world.verdicts[GATE_CONFIG].text) > 100);
        }
}

static void driver_that_is_absent_or_unread_is_refused(void **state) {
        static const struct {
                DriverState state;
                ErrorId error;
        } rows[] = {
                { DRIVER_NO_DRIVER, LFA_ERROR_NO_DRIVER },
                { DRIVER_NO_FIRMWARE, LFA_ERROR_NO_FIRMWARE },
                { DRIVER_UNKNOWN, LFA_ERROR_STARTING },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                World world = world_new();

                world.facts.driver_state = rows[i].state;
                world.facts.profile_allowed_by_configuration = true;
                assert_denies(&world, GATE_DRIVER, rows[i].error, "driver");
        }
}

static void profiles_that_are_not_safe_need_the_configuration(void **state) {
        static const struct {
                DriverProfile profile;
                const char *name;
        } unsafe[] = {
                { PROFILE_UNKNOWN, "'unknown'" }, { PROFILE_RFC1, "'rfc1'" }, { PROFILE_RFC2, "'rfc2'" },
                { PROFILE_NVRFC, "'nvrfc'" },     { PROFILE_V1, "'v1'" },     { PROFILE_V1NV, "'v1nv'" },
        };
        static const DriverProfile safe[] = {
                PROFILE_V2S, PROFILE_V2, PROFILE_V2BOS, PROFILE_V3, PROFILE_NV3, PROFILE_NVNEW,
        };

        assert_int_equal(G_N_ELEMENTS(unsafe) + G_N_ELEMENTS(safe), _PROFILE_MAX);
        for (size_t i = 0; i < G_N_ELEMENTS(unsafe); i++) {
                World world = world_new();

                world.facts.profile = unsafe[i].profile;
                assert_denies(&world, GATE_DRIVER, LFA_ERROR_PROFILE_NOT_ALLOWED, unsafe[i].name);
                world.facts.profile_allowed_by_configuration = true;
                assert_allows(&world, GATE_DRIVER);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(safe); i++) {
                World world = world_new();

                world.facts.profile = safe[i];
                assert_allows(&world, GATE_DRIVER);
        }
}

static void image_that_the_driver_does_not_show_is_refused(void **state) {
        World world = world_new();

        world.facts.image = NULL;
        gates_run(&world.facts, world.verdicts);
        assert_int_equal(world.verdicts[GATE_IMAGE].answer, GATE_DENY);
        assert_int_equal(world.verdicts[GATE_IMAGE].error, LFA_ERROR_IMAGE_GONE);
        assert_int_equal(world.verdicts[GATE_VERSION].answer, GATE_ALLOW); /* said already */
}

static void image_that_is_being_dropped_is_refused_as_stale(void **state) {
        World world = world_new();

        world.image.capable = world.image.pending = world.image.cpu_rendezvous = 0;
        world.image.current_version[0] = world.image.pending_version[0] = 0;
        assert_denies(&world, GATE_IMAGE, LFA_ERROR_IMAGE_STALE, GUID);
        world.image.pending = -1;
        assert_denies(&world, GATE_IMAGE, LFA_ERROR_IMAGE_STALE, GUID);
}

static void image_flags_must_be_readable_and_right(void **state) {
        for (int value = -1; value <= 1; value++) {
                World world = world_new();

                world.image.capable = (int8_t) value;
                if (value == 1)
                        assert_allows(&world, GATE_IMAGE);
                else
                        assert_denies(&world, GATE_IMAGE, LFA_ERROR_NOT_CAPABLE, GUID);

                world = world_new();
                world.image.pending = (int8_t) value;
                if (value == 1)
                        assert_allows(&world, GATE_IMAGE);
                else
                        assert_denies(&world, GATE_IMAGE, LFA_ERROR_NOT_PENDING, GUID);
        }
}

static void unreadable_may_reset_cpu_counts_as_yes(void **state) {
        World world = world_new();

        world.image.may_reset_cpu = 1;
        assert_denies(&world, GATE_IMAGE, LFA_ERROR_NEEDS_CPU_RESET, GUID);
        world.image.may_reset_cpu = -1;
        assert_denies(&world, GATE_IMAGE, LFA_ERROR_NEEDS_CPU_RESET, GUID);
        world.image.may_reset_cpu = 0;
        assert_allows(&world, GATE_IMAGE);
}

/* expected NULL: not given */
static World world_expecting(const char *current, const char *pending) {
        World world = world_new();

        world.facts.terms.expected_current.given = current != NULL;
        world.facts.terms.expected_pending.given = pending != NULL;
        g_strlcpy(world.facts.terms.expected_current.version, current ? current : "7.7", VERSION_SIZE);
        g_strlcpy(world.facts.terms.expected_pending.version, pending ? pending : "7.7", VERSION_SIZE);
        return world;
}

static void versions_must_be_those_that_are_expected(void **state) {
        World world = world_expecting("1.0", "1.1");

        assert_allows(&world, GATE_VERSION);
        world = world_expecting(NULL, NULL);
        assert_allows(&world, GATE_VERSION);
        world = world_expecting("0.9", NULL);
        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "is 1.0, expected was 0.9");
        world = world_expecting(NULL, "2.10");
        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "is 1.1, expected was 2.10");
        world = world_expecting("0.9", "2.10"); /* the current one is named first */
        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "The current version");
}

static void expecting_no_version_means_that_firmware_gives_none(void **state) {
        World world = world_expecting("", "");

        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "is 1.0, expected was none");
        world.image.current_version[0] = 0;
        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "is 1.1, expected was none");
        world.image.pending_version[0] = 0;
        assert_allows(&world, GATE_VERSION);
        world = world_expecting("1.0", NULL);
        world.image.current_version[0] = 0;
        assert_denies(&world, GATE_VERSION, LFA_ERROR_VERSION_CHANGED, "is none, expected was 1.0");
}

static void a_running_activation_is_waited_for_without_end(void **state) {
        World world = world_new();
        const GateVerdict *verdict;

        world.facts.activation_running = true;
        world.facts.settle_deadline_usec = world.facts.now_usec - SECOND;
        verdict = ask(&world, GATE_SETTLE);
        assert_int_equal(verdict->answer, GATE_WAIT);
        assert_int_equal(verdict->error, LFA_ERROR_KERNEL_BUSY);
        assert_true(verdict->retry_at_usec == UINT64_MAX);
        assert_true(verdict->text[0] != 0);
}

static void the_tree_must_have_been_stable_for_the_settle_time(void **state) {
        static const struct {
                uint64_t age, settle, deadline_in; /* µs; deadline from now, UINT64_MAX = never */
                GateAnswer answer;
                int64_t retry_in;
                const char *words;
        } rows[] = {
                { SECOND, SECOND, UINT64_MAX, GATE_ALLOW, 0, "" },
                { SECOND + 1, SECOND, UINT64_MAX, GATE_ALLOW, 0, "" },
                { SECOND - 1, SECOND, UINT64_MAX, GATE_WAIT, 1, "999 ms" },
                { 250000, SECOND, UINT64_MAX, GATE_WAIT, 750000, "250 ms" },
                { 0, SECOND, UINT64_MAX, GATE_WAIT, SECOND, " 0 ms" },
                { 0, 0, UINT64_MAX, GATE_ALLOW, 0, "" },
                { 250000, SECOND, 500000, GATE_WAIT, 500000, "250 ms" }, /* the deadline comes first */
                { 250000, SECOND, 900000, GATE_WAIT, 750000, "250 ms" },
                { 250000, SECOND, 1, GATE_WAIT, 1, "250 ms" },
                { 250000, SECOND, 0, GATE_DENY, 0, "does not settle" },
                { SECOND, SECOND, 0, GATE_ALLOW, 0, "" }, /* settled just in time */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                World world = world_new();
                uint64_t now = world.facts.now_usec;
                const GateVerdict *verdict;

                world.facts.tree_stable_since_usec = now - rows[i].age;
                world.facts.settle_usec = rows[i].settle;
                world.facts.settle_deadline_usec =
                                rows[i].deadline_in == UINT64_MAX ? UINT64_MAX : now + rows[i].deadline_in;
                verdict = ask(&world, GATE_SETTLE);
                if (verdict->answer != rows[i].answer || !strstr(verdict->text, rows[i].words))
                        fail_msg("row %zu: answer %d, '%s'", i, (int) verdict->answer, verdict->text);
                if (rows[i].answer == GATE_WAIT)
                        assert_int_equal(verdict->retry_at_usec - now, rows[i].retry_in);
                assert_int_equal(verdict->error,
                                 rows[i].answer == GATE_ALLOW ? LFA_ERROR_NONE : LFA_ERROR_KERNEL_BUSY);
        }
}

static void activation_without_effect_is_not_repeated(void **state) {
        World world = world_new();

        world.facts.activated_without_effect = true;
        assert_denies(&world, GATE_REPEAT, LFA_ERROR_REPEATED_ACTIVATION, "activated before");
}

static void image_that_the_kernel_activates_by_itself_is_refused(void **state) {
        World world = world_new();

        world.facts.auto_activate_stuck = true;
        assert_denies(&world, GATE_KERNEL_AUTO, LFA_ERROR_KERNEL_AUTO_ACTIVATE, "auto_activate");
}

static void auto_activate_that_the_configuration_leaves_is_refused(void **state) {
        World world = world_new();

        world.image.auto_activate = 1;
        world.facts.auto_activate_left = true;
        assert_denies(&world, GATE_KERNEL_AUTO, LFA_ERROR_KERNEL_AUTO_ACTIVATE, "leave");
}

static void auto_activate_that_is_being_cleared_is_waited_for(void **state) {
        for (int clearing = 0; clearing < 2; clearing++) {
                World world = world_new();
                const GateVerdict *verdict;

                world.facts.auto_activate_clearing = clearing;
                world.image.auto_activate = !clearing;
                verdict = ask(&world, GATE_KERNEL_AUTO);
                assert_int_equal(verdict->answer, GATE_WAIT);
                assert_int_equal(verdict->error, LFA_ERROR_KERNEL_AUTO_ACTIVATE);
                assert_true(verdict->retry_at_usec == UINT64_MAX);
                world.facts.auto_activate_stuck = true; /* until that has failed */
                assert_int_equal(ask(&world, GATE_KERNEL_AUTO)->answer, GATE_DENY);
        }
}

static void a_driver_that_lost_images_is_refused(void **state) {
        World world = world_new();

        world.facts.driver_state = DRIVER_TREE_LOST;
        world.facts.images_lost = 3;
        assert_denies(&world, GATE_DRIVER, LFA_ERROR_TREE_LOST, "lost 3 of its images");
}

static void a_rendezvous_that_is_not_as_configured_is_waited_for_until_it_cannot_be_set(void **state) {
        World world = world_new();

        world.facts.rendezvous_differs = true;
        assert_int_equal(ask(&world, GATE_SETTINGS)->answer, GATE_WAIT);
        world.facts.rendezvous_stuck = true;
        assert_denies(&world, GATE_SETTINGS, LFA_ERROR_SETTING_NOT_APPLIED, "CpuRendezvous=");
}

static void auto_activate_that_cannot_be_read_is_refused_where_there_is_one(void **state) {
        World world = world_new();

        world.image.auto_activate = -1;
        assert_denies(&world, GATE_KERNEL_AUTO, LFA_ERROR_KERNEL_AUTO_ACTIVATE, "cannot be read");
        world.facts.profile = PROFILE_V2S;
        assert_allows(&world, GATE_KERNEL_AUTO);
}

static void what_is_being_set_is_not_waited_for_for_ever(void **state) {
        World world = world_new();

        world.facts.settle_deadline_usec = world.facts.now_usec;
        world.facts.auto_activate_clearing = world.facts.rendezvous_differs = true;
        assert_denies(&world, GATE_KERNEL_AUTO, LFA_ERROR_KERNEL_AUTO_ACTIVATE, "auto_activate");
        assert_denies(&world, GATE_SETTINGS, LFA_ERROR_SETTING_NOT_APPLIED, "CpuRendezvous=");
}

static void a_state_that_cannot_be_relied_upon_denies_in_its_own_words(void **state) {
        World world = world_new();

        world.facts.state_error = LFA_ERROR_DISK_FULL;
        world.facts.state_text = "state.json cannot be written.";
        assert_denies(&world, GATE_STATE, LFA_ERROR_DISK_FULL, "state.json cannot be written");
}

static void a_version_that_went_wrong_too_often_is_refused(void **state) {
        Quarantine quarantine = { .guid = GUID, .to = "1.1", .failures = 2, .job = 17 };
        World world = world_new();

        world.facts.quarantine = &quarantine;
        world.facts.quarantine_after = 3;
        assert_allows(&world, GATE_QUARANTINE);
        quarantine.failures = 3;
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED,
                      "3 activations of image " GUID " to version 1.1");
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED, "job 17");
        quarantine.failures = 1;
        quarantine.automatic_unknown = true;
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED, "automatic mode");
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED, "job 17) ended unknown");
        quarantine.host_restarted = true;
        quarantine.to[0] = 0;
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED, "to version none");
        assert_denies(&world, GATE_QUARANTINE, LFA_ERROR_QUARANTINED, "lfactl clear-quarantine");
}

static void what_is_held_is_deferred_and_says_by_whom(void **state) {
        Hold hold = { .by_lfad = true, .reason = "The host restarted." };
        World world = world_new();

        world.facts.hold = &hold;
        assert_int_equal(ask(&world, GATE_HOLD)->answer, GATE_DEFER);
        assert_int_equal(world.verdicts[GATE_HOLD].error, LFA_ERROR_HELD);
        assert_true(world.verdicts[GATE_HOLD].not_before_usec == 0); /* nobody knows when */
        assert_non_null(strstr(world.verdicts[GATE_HOLD].text, "The host restarted."));
        assert_non_null(strstr(world.verdicts[GATE_HOLD].text, "lfactl unhold"));
        hold = (Hold){ .uid = 1000, .until_usec = 77, .reason = "year's end" };
        assert_true(ask(&world, GATE_HOLD)->not_before_usec == 77);
        assert_non_null(strstr(world.verdicts[GATE_HOLD].text, "uid 1000"));
        assert_non_null(strstr(world.verdicts[GATE_HOLD].text, "year's end"));
        world.facts.terms.overrides = 1U << GATE_HOLD;
        assert_int_equal(ask(&world, GATE_HOLD)->answer, GATE_ALLOW);
        world.facts.hold_is_newer = true; /* than what was authorised */
        assert_int_equal(ask(&world, GATE_HOLD)->answer, GATE_DEFER);
        memset(hold.reason, 'r', STATE_REASON_MAX);
        assert_true(strlen(ask(&world, GATE_HOLD)->text) > STATE_REASON_MAX);
}

static void what_must_go_first_defers_and_is_named(void **state) {
        World world = world_new();
        const GateVerdict *verdict;

        strcpy(world.facts.must_go_first, "bl31 (failed), scp");
        verdict = ask(&world, GATE_ORDER);
        assert_int_equal(verdict->answer, GATE_DEFER);
        assert_int_equal(verdict->error, LFA_ERROR_ORDER_PENDING);
        assert_true(verdict->not_before_usec == 0); /* nobody knows when */
        assert_non_null(strstr(verdict->text, "bl31 (failed), scp. Activate that first"));
        assert_non_null(strstr(verdict->text, GUID));
}

static void a_watchdog_that_may_bite_denies_and_is_named(void **state) {
        World world = world_new();

        strcpy(world.facts.watchdog_refusal, "Watchdog watchdog0 outlasts a stall of 4 s for sure.");
        assert_denies(&world, GATE_WATCHDOG, LFA_ERROR_WATCHDOG_UNSAFE, "watchdog0");
        memset(world.facts.watchdog_refusal, 'x', sizeof(world.facts.watchdog_refusal) - 1);
        memcpy(world.facts.watchdog_refusal + sizeof(world.facts.watchdog_refusal) - 2, "\xc3", 1); /* cut */
        assert_true(g_utf8_validate(ask(&world, GATE_WATCHDOG)->text, -1, NULL));
}

static void what_goes_first_is_waited_for_while_it_has_a_job(void **state) {
        World world = world_new();
        const GateVerdict *verdict;

        strcpy(world.facts.must_go_first, "bl31");
        world.facts.first_are_under_way = true;
        verdict = ask(&world, GATE_ORDER);
        assert_int_equal(verdict->answer, GATE_WAIT);
        assert_int_equal(verdict->error, LFA_ERROR_ORDER_PENDING);
        assert_true(verdict->retry_at_usec == UINT64_MAX);
        assert_null(gates_find_refusal(world.verdicts));
}

static void an_image_that_is_not_pending_has_no_turn_to_wait_for(void **state) {
        World world = world_new();

        strcpy(world.facts.must_go_first, "bl31");
        world.image.pending = 0;
        assert_allows(&world, GATE_ORDER);
}

static void who_blocks_an_image_is_named_with_the_reason(void **state) {
        World world = world_new();
        const GateVerdict *verdict;

        assert_allows(&world, GATE_INHIBITOR);
        world.facts.inhibitor_who = "backup";
        world.facts.inhibitor_why = "a snapshot";
        verdict = ask(&world, GATE_INHIBITOR);
        assert_int_equal(verdict->answer, GATE_DEFER);
        assert_int_equal(verdict->error, LFA_ERROR_INHIBITED);
        assert_true(verdict->not_before_usec == 0); /* only its holder knows when */
        assert_string_equal(verdict->text, "Activations of this image are blocked by backup: a snapshot");
        world.facts.inhibitors_more = 2;
        assert_string_equal(
                        ask(&world, GATE_INHIBITOR)->text,
                        "Activations of this image are blocked by 3 clients, first by backup: a snapshot");
}

static void the_longest_text_fits(void **state) {
        char longest[256 + 1] = ""; /* as clients may send it */
        World world = world_new();

        memset(world.facts.must_go_first, 'x', sizeof(world.facts.must_go_first) - 1);
        assert_true(g_str_has_suffix(ask(&world, GATE_ORDER)->text, "(After= in lfad.conf)."));
        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 2] = '!';
        world.facts.inhibitor_who = world.facts.inhibitor_why = longest;
        world.facts.inhibitors_more = 63;
        assert_true(g_str_has_suffix(ask(&world, GATE_INHIBITOR)->text, "x!"));
}

static void a_gate_that_defers_refuses_calls_and_jobs_but_after_those_that_deny(void **state) {
        World world = world_new();

        strcpy(world.facts.must_go_first, "bl31");
        ask(&world, GATE_ORDER);
        assert_null(gates_first_denial(world.verdicts));
        assert_ptr_equal(gates_find_refusal(world.verdicts), &world.verdicts[GATE_ORDER]);
        assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[GATE_ORDER]);
        /* wherever the one that denies stands in the list */
        for (GateId gate = 0; gate < GATE_ORDER; gate++) {
                world.verdicts[gate].answer = GATE_DENY;
                assert_ptr_equal(gates_find_refusal(world.verdicts), &world.verdicts[gate]);
                assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[gate]);
                world.verdicts[gate] = world.verdicts[GATE_ORDER];
                world.verdicts[GATE_ORDER].answer = GATE_DENY;
                assert_ptr_equal(gates_find_refusal(world.verdicts), &world.verdicts[GATE_ORDER]);
                ask(&world, GATE_ORDER);
        }
        world.facts.activation_running = true;
        ask(&world, GATE_ORDER);
        assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[GATE_SETTLE]);
}

/* A host on which every gate denies; each repaired in turn, the next one speaks. */
static void a_host_that_has_booted_may_change_its_firmware(void **state) {
        static const SystemState booted[] = { SYSTEM_RUNNING, SYSTEM_DEGRADED, SYSTEM_ABSENT };
        World world = world_new();

        for (size_t i = 0; i < G_N_ELEMENTS(booted); i++) {
                world.facts.system.state = booted[i];
                assert_allows(&world, GATE_SYSTEM);
        }
        world.facts.system.preparing_for_shutdown = world.facts.system.preparing_for_sleep =
                        SYSTEM_ANSWER_ABSENT;
        assert_allows(&world, GATE_SYSTEM);
}

static void a_host_that_goes_down_or_to_sleep_is_refused(void **state) {
        World world = world_new();

        world.facts.system.state = SYSTEM_STOPPING;
        assert_denies(&world, GATE_SYSTEM, LFA_ERROR_SYSTEM_STOPPING, "shutting down");
        world.facts.system.state = SYSTEM_RUNNING;
        world.facts.system.preparing_for_shutdown = SYSTEM_ANSWER_YES;
        assert_denies(&world, GATE_SYSTEM, LFA_ERROR_SYSTEM_STOPPING, "shutting down");
        world.facts.system.preparing_for_shutdown = SYSTEM_ANSWER_NO;
        world.facts.system.preparing_for_sleep = SYSTEM_ANSWER_YES;
        assert_denies(&world, GATE_SYSTEM, LFA_ERROR_SYSTEM_STOPPING, "sleep");
}

static void assert_system_defers(World *world, const char *words) {
        const GateVerdict *verdict = ask(world, GATE_SYSTEM);

        assert_int_equal(verdict->answer, GATE_DEFER);
        assert_int_equal(verdict->error, LFA_ERROR_SYSTEM_NOT_READY);
        assert_non_null(strstr(verdict->text, words));
}

static void a_host_that_has_not_booted_or_does_not_tell_is_put_off(void **state) {
        static const SystemState not_booted[] = { SYSTEM_INITIALIZING, SYSTEM_STARTING, SYSTEM_MAINTENANCE };
        World world = world_new();

        for (size_t i = 0; i < G_N_ELEMENTS(not_booted); i++) {
                world.facts.system.state = not_booted[i];
                assert_system_defers(&world, system_state_to_string(not_booted[i]));
        }
        world.facts.system.state = SYSTEM_UNKNOWN;
        assert_system_defers(&world, "systemd");
        world.facts.system.state = SYSTEM_RUNNING;
        world.facts.system.preparing_for_sleep = SYSTEM_ANSWER_UNKNOWN;
        assert_system_defers(&world, "logind");
        world.facts.system.preparing_for_sleep = SYSTEM_ANSWER_NO;
        world.facts.system.preparing_for_shutdown = SYSTEM_ANSWER_UNKNOWN;
        assert_system_defers(&world, "logind");
        world.facts.system.preparing_for_shutdown = SYSTEM_ANSWER_NO;
        world.facts.system.lock_refused = true;
        assert_system_defers(&world, "put off");
}

static void the_first_denial_in_the_order_of_the_list_is_the_answer(void **state) {
        const Quarantine quarantine = { .guid = GUID, .to = "1.1", .failures = 3 };
        World world = world_expecting("9.9", NULL);

        world.facts.configuration_error = "It has errors.";
        world.facts.state_error = LFA_ERROR_STATE_NEWER;
        world.facts.state_text = "It is newer.";
        world.facts.driver_state = DRIVER_NO_DRIVER;
        world.image.capable = 0;
        world.facts.quarantine = &quarantine;
        world.facts.tree_stable_since_usec = world.facts.settle_deadline_usec = world.facts.now_usec;
        world.facts.activated_without_effect = world.facts.auto_activate_stuck = true;
        world.facts.rendezvous_differs = world.facts.rendezvous_stuck = true;
        for (GateId gate = 0; gate < GATE_HOLD; gate++) {
                assert_int_equal(ask(&world, gate)->answer, GATE_DENY);
                assert_ptr_equal(gates_first_denial(world.verdicts), &world.verdicts[gate]);
                assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[gate]);
                if (gate == GATE_CONFIG)
                        world.facts.configuration_error = NULL;
                if (gate == GATE_STATE)
                        world.facts.state_error = LFA_ERROR_NONE;
                if (gate == GATE_QUARANTINE)
                        world.facts.quarantine = NULL;
                if (gate == GATE_DRIVER)
                        world.facts.driver_state = DRIVER_ACTIVE;
                if (gate == GATE_IMAGE)
                        world.image.capable = 1;
                if (gate == GATE_VERSION)
                        world.facts.terms.expected_current.given = false;
                if (gate == GATE_SETTLE)
                        world.facts.settle_usec = 0;
                if (gate == GATE_REPEAT)
                        world.facts.activated_without_effect = false;
                if (gate == GATE_KERNEL_AUTO)
                        world.facts.auto_activate_stuck = false;
        }
}

static void waiting_is_no_refusal_of_a_call_but_holds_a_job(void **state) {
        World world = world_new();

        world.facts.activation_running = true;
        ask(&world, GATE_SETTLE);
        assert_null(gates_first_denial(world.verdicts));
        assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[GATE_SETTLE]);
}

static void facts_of_a_tree_that_settles_deny_no_job(void **state) {
        World world = world_new();

        world.facts.activation_running = true;
        world.image.pending = 0;
        ask(&world, GATE_IMAGE);
        assert_ptr_equal(gates_first_denial(world.verdicts), &world.verdicts[GATE_IMAGE]);
        assert_ptr_equal(gates_decide(world.verdicts), &world.verdicts[GATE_SETTLE]);
}

static void gates_have_the_names_of_the_documentation(void **state) {
        static const char *const names[_GATE_MAX] = {
                "config",   "state",       "driver",    "image", "version", "quarantine", "settle",
                "repeat",   "kernel-auto", "settings",  "hold",  "freeze",  "window",     "slot",
                "interval", "clock",       "inhibitor", "order", "system",  "watchdog",
        };

        for (GateId gate = 0; gate < _GATE_MAX; gate++) {
                assert_string_equal(gate_to_string(gate), names[gate]);
                assert_int_equal(gate_from_string(names[gate]), gate);
        }
        assert_null(gate_to_string(_GATE_MAX));
        assert_null(gate_to_string(_GATE_INVALID));
        assert_int_equal(gate_from_string("weather"), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_stands_against_a_healthy_pending_image),
                cmocka_unit_test(a_configuration_that_did_not_load_is_named),
                cmocka_unit_test(a_long_text_is_never_cut_inside_a_character),
                cmocka_unit_test(driver_that_is_absent_or_unread_is_refused),
                cmocka_unit_test(profiles_that_are_not_safe_need_the_configuration),
                cmocka_unit_test(image_that_the_driver_does_not_show_is_refused),
                cmocka_unit_test(image_that_is_being_dropped_is_refused_as_stale),
                cmocka_unit_test(image_flags_must_be_readable_and_right),
                cmocka_unit_test(unreadable_may_reset_cpu_counts_as_yes),
                cmocka_unit_test(versions_must_be_those_that_are_expected),
                cmocka_unit_test(expecting_no_version_means_that_firmware_gives_none),
                cmocka_unit_test(a_running_activation_is_waited_for_without_end),
                cmocka_unit_test(the_tree_must_have_been_stable_for_the_settle_time),
                cmocka_unit_test(activation_without_effect_is_not_repeated),
                cmocka_unit_test(image_that_the_kernel_activates_by_itself_is_refused),
                cmocka_unit_test(auto_activate_that_the_configuration_leaves_is_refused),
                cmocka_unit_test(a_driver_that_lost_images_is_refused),
                cmocka_unit_test(
                                a_rendezvous_that_is_not_as_configured_is_waited_for_until_it_cannot_be_set),
                cmocka_unit_test(auto_activate_that_cannot_be_read_is_refused_where_there_is_one),
                cmocka_unit_test(what_is_being_set_is_not_waited_for_for_ever),
                cmocka_unit_test(auto_activate_that_is_being_cleared_is_waited_for),
                cmocka_unit_test(a_state_that_cannot_be_relied_upon_denies_in_its_own_words),
                cmocka_unit_test(a_version_that_went_wrong_too_often_is_refused),
                cmocka_unit_test(what_is_held_is_deferred_and_says_by_whom),
                cmocka_unit_test(what_must_go_first_defers_and_is_named),
                cmocka_unit_test(a_watchdog_that_may_bite_denies_and_is_named),
                cmocka_unit_test(what_goes_first_is_waited_for_while_it_has_a_job),
                cmocka_unit_test(an_image_that_is_not_pending_has_no_turn_to_wait_for),
                cmocka_unit_test(who_blocks_an_image_is_named_with_the_reason),
                cmocka_unit_test(the_longest_text_fits),
                cmocka_unit_test(a_gate_that_defers_refuses_calls_and_jobs_but_after_those_that_deny),
                cmocka_unit_test(a_host_that_has_booted_may_change_its_firmware),
                cmocka_unit_test(a_host_that_goes_down_or_to_sleep_is_refused),
                cmocka_unit_test(a_host_that_has_not_booted_or_does_not_tell_is_put_off),
                cmocka_unit_test(the_first_denial_in_the_order_of_the_list_is_the_answer),
                cmocka_unit_test(waiting_is_no_refusal_of_a_call_but_holds_a_job),
                cmocka_unit_test(facts_of_a_tree_that_settles_deny_no_job),
                cmocka_unit_test(gates_have_the_names_of_the_documentation),
        };

        return cmocka_run_group_tests_name("gates", tests, NULL, NULL);
}
