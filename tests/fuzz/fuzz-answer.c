/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a worker says, a line: it is refused as a whole, or what it means can be said again in the same words, and leads
 * to one verdict. */

#include "core/verdict.h"
#include "fuzz.h"
#include "unit/unit.h"
#include "worker/answer.h"

static json_object *say_again(const Answer *answer) {
        g_autoptr(Tree) tree = NULL;

        switch (answer->type) {
        case ANSWER_DRIVER:
                tree = tree_new();
                tree->driver_state = answer->driver.state;
                tree->profile = answer->driver.profile;
                tree->id = answer->driver.tree;
                return answer_from_driver(tree);
        case ANSWER_IMAGE:
                return answer_from_image(&answer->image);
        case ANSWER_RESULT:
                return answer_from_report(&answer->report);
        case ANSWER_WATCHDOG:
                return answer_from_watchdog(&answer->watchdog);
        case ANSWER_LOCKUPS:
                return answer_from_lockups(&answer->lockups);
        case ANSWER_END:
                return answer_from_error(answer->error);
        default:
                return answer_new(answer->type);
        }
}

/* The caller frees it. */
static char *text_of(const Answer *answer) {
        json_object *object = say_again(answer);
        char *text = g_strdup(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));

        json_object_put(object);
        return text;
}

static void check_values(const ImageValues *values) {
        MUST(guid_is_valid(values->guid));
        MUST(!*values->name || is_text(values->name, IMAGE_NAME_SIZE - 1));
        MUST(values->pending >= -1 && values->pending <= 1);
        MUST(values->capable >= -1 && values->capable <= 1);
}

/* No success without a version that moved or a driver that accepted, and nothing but one of the results. */
static void check_verdict(const ActivationReport *report) {
        Verdict verdict = verdict_find(&(VerdictFacts){ .report = report });

        MUST(verdict.row >= VERDICT_OTHER_BOOT && verdict.row < _VERDICT_ROW_MAX);
        MUST(verdict.result > 0 && verdict.result < _JOB_RESULT_MAX);
        if (report->stage != STAGE_WRITE)
                MUST(verdict.result == RESULT_REFUSED || verdict.result == RESULT_FAILED);
        if (verdict.result == RESULT_SUCCEEDED)
                MUST(strcmp(report->before.current_version, report->after.current_version) != 0 &&
                     !report->gone && !report->stale);
        if (verdict.result == RESULT_UNVERIFIED)
                MUST(report->error == 0);
}

static void check_answer(const Answer *answer) {
        g_autofree char *once = text_of(answer), *twice = NULL;
        Answer again;

        MUST(strlen(once) <= ANSWER_LINE_MAX);
        MUST(answer_parse(once, strlen(once), &again) == 0);
        MUST(again.type == answer->type);
        twice = text_of(&again);
        MUST(strcmp(once, twice) == 0);
        if (answer->type == ANSWER_IMAGE)
                check_values(&answer->image);
        if (answer->type == ANSWER_WATCHDOG)
                MUST(!*answer->watchdog.identity ||
                     is_text(answer->watchdog.identity, WATCHDOG_IDENTITY_SIZE - 1));
        if (answer->type == ANSWER_RESULT) {
                check_values(&answer->report.before);
                check_values(&answer->report.after);
                check_verdict(&answer->report);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *line = g_memdup2(data, size); /* without a NUL behind it */
        Answer answer;
        int r;

        fill_untouched(&answer, sizeof(answer));
        r = answer_parse(line ? line : "", size, &answer);
        MUST(r == 0 || (r == -EBADMSG && is_untouched(&answer, sizeof(answer))));
        if (r == 0)
                check_answer(&answer);
        return 0;
}
