/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lfad-worker says to lfad: one JSON object a line, one way. lfad trusts nothing of it: every line is
 * bounded, every value checked, since a worker that went wrong must not take lfad with it.
 *
 *   scan       {"type":"driver",...}  {"type":"image",...} for each image  {"type":"end","error":0}
 *   activate   {"type":"writing"} right before each write(2)  {"type":"result",...}
 *   cancel     {"type":"end","error":ERRNO}
 *   set        {"type":"end","error":ERRNO}
 *   watchdogs  {"type":"watchdog",...} for each device  {"type":"lockups",...}  {"type":"end","error":0}
 *
 * The report file of an activation holds the same "result" object. */

#include "core/activation-report.h"
#include "core/lockup.h"
#include "core/tree.h"
#include "core/watchdog.h"
#include "util/json.h"

/* The longest line; a report with two full sets of values needs about 1200 bytes. */
#define ANSWER_LINE_MAX 4096

typedef enum AnswerType {
        ANSWER_DRIVER,
        ANSWER_IMAGE,
        ANSWER_WRITING,
        ANSWER_RESULT,
        ANSWER_END,
        ANSWER_WATCHDOG,
        ANSWER_LOCKUPS,
        _ANSWER_MAX,
        _ANSWER_INVALID = -EINVAL,
} AnswerType;

const char *answer_type_to_string(AnswerType type);
AnswerType answer_type_from_string(const char *text);

typedef struct Answer {
        AnswerType type;
        union {
                struct {
                        DriverState state;
                        DriverProfile profile;
                        uint64_t tree; /* Tree.id */
                } driver;
                ImageValues image;
                ActivationReport report;
                Watchdog watchdog;
                Lockups lockups;
                int error; /* ANSWER_END: positive errno, 0 = done */
        };
} Answer;

/* Reads one line (without its newline). Returns 0, or -EBADMSG with ret untouched. */
int answer_parse(const char *line, size_t length, Answer *ret);

/* New references. */
json_object *answer_new(AnswerType type);
json_object *answer_from_driver(const Tree *tree);
json_object *answer_from_image(const ImageValues *values);
json_object *answer_from_report(const ActivationReport *report);
json_object *answer_from_watchdog(const Watchdog *watchdog);
json_object *answer_from_lockups(const Lockups *lockups);
json_object *answer_from_error(int error);
